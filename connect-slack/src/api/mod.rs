//! Methods, one module per family, named as Slack names them (`chat.postMessage` is `chat::PostMessage`).

pub mod auth;
pub mod chat;
pub mod conversations;

/// Slack warns (`missing_charset`) about JSON without it.
const JSON: &str = "application/json; charset=utf-8";
