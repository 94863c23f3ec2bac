//! Slack for Rust programs: typed methods on one resilience stack, and typed webhooks.
//!
//! ```no_run
//! use connect_slack::{Slack, chat};
//!
//! # async fn example() -> Result<(), connect_slack::Error> {
//! let slack = Slack::from_env()?; // SLACK_BOT_TOKEN, SLACK_API_URL
//! let posted = slack.send(chat::PostMessage::new("C0123456789").text("Deployed *v1.2*")).await?;
//! slack.send(chat::PostMessage::new("C0123456789").text("Details").thread_ts(posted.ts)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Lists are streams: `slack.stream(conversations::List::new())`.
//!
//! What you get without asking: Slack's HTTP-200 failures (`"ok": false`) are errors with their code, `Retry-After` is
//! obeyed, and a message whose fate is unknown is never posted twice: the error says it may have been applied.
//!
//! Every method of Slack's Web API is an endpoint, named as Slack names it: `chat.postMessage` is `chat::PostMessage`,
//! `admin.apps.config.set` is `admin_apps_config::Set`. What Slack insists on goes into `new`, the rest into setters with
//! Slack's names. Answers are [models](model): a field that Slack promises and leaves out is its default, reported to the
//! observer as drift ([`Call::strict`](connect_core::Call::strict) makes it an error). Blocks and attachments are JSON.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | [`Slack`], credentials, limits |
//! | `auth`, `bookmarks`, `chat`, `conversations`, `files`, `pins`, `reactions`, `search`, `team`, `usergroups`, `users`, `views` | yes | the methods and models of a category |
//! | `admin`, `apps`, `canvases`, `workflows` and 19 more; `all` | no | the same of the other categories |
//! | `rustls` | yes | TLS by rustls with ring |
//! | `rustls-aws-lc`, `native-tls` | no | TLS by aws-lc, or by the system's library |
//! | `webhook` | no | the verifier and the shapes of events, without an HTTP client |
//! | `by-name` | no | `CATALOG`: methods by name, with JSON Schema of their arguments |
//! | `serialize` | no | `Serialize` on models |

#[cfg(feature = "client")]
#[rustfmt::skip]
mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
#[cfg(feature = "client")]
#[rustfmt::skip]
pub mod model;
pub mod mrkdwn;
#[cfg(feature = "client")]
mod provider;
#[cfg(feature = "client")]
mod quota;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "client")]
#[allow(unreachable_pub, unused_imports, reason = "without any category there is nothing")]
pub use api::*;
#[cfg(feature = "client")]
pub use client::{Slack, SlackBuilder};
#[cfg(feature = "client")]
pub use provider::{Problem, SlackApi};

#[cfg(feature = "client")]
pub use connect_core::{Config, Connector, Context, Error, ErrorKind, RetryAdvice, Secret, Sent, TokenCache};
