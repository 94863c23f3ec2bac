//! Slack's webhooks: the verifier, and the shape of events.
//!
//! Check the signature first ([`verifier`], or a `connect_webhook::Receiver` built with it, which also answers
//! `url_verification`), then read the payload. Slack sends an event again after 3 seconds without a 2xx: recognise it by
//! [`EventCallback::event_id`], and never drop an event because it says it is a retry.
//!
//! ```
//! use connect_slack::webhook::EventCallback;
//! let payload = r#"{"type": "event_callback", "team_id": "T1", "event_id": "Ev1",
//!                   "event": {"type": "app_mention", "channel": "C1", "text": "hi", "ts": "1.2"}}"#;
//! let callback: EventCallback = serde_json::from_str(payload)?;
//! assert_eq!(callback.event["type"], "app_mention");
//! # Ok::<(), serde_json::Error>(())
//! ```

use connect_webhook::{BuildError, SecretString, Verifier, schemes};
use serde::Deserialize;
use serde_json::Value;

/// The variable that holds the signing secret of the app's settings.
pub const SECRET_VARIABLE: &str = "SLACK_SIGNING_SECRET";

/// A verifier for the signing secret of the app's settings.
///
/// # Errors
/// [`BuildError`] for an empty secret.
pub fn verifier(secret: impl Into<SecretString>) -> Result<Verifier, BuildError> {
    Verifier::new(&schemes::SLACK, [secret.into()])
}

/// A verifier for the secret in `SLACK_SIGNING_SECRET`.
///
/// # Errors
/// [`BuildError::MissingVariable`] naming the variable.
pub fn verifier_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Verifier, BuildError> {
    Verifier::from_vars(&schemes::SLACK, SECRET_VARIABLE, lookup)
}

/// An event of the Events API.
///
/// <https://docs.slack.dev/apis/events-api/#callback-field>
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct EventCallback {
    /// The workspace.
    #[serde(default)]
    pub team_id: String,
    /// The app.
    #[serde(default)]
    pub api_app_id: String,
    /// The same for every delivery of the event.
    pub event_id: String,
    /// When it happened, in seconds since 1970.
    #[serde(default)]
    pub event_time: i64,
    /// What happened; `type` says which of the many shapes it has.
    pub event: Value,
}

/// A message shortcut: somebody picked it from a message's menu. It comes as a form with the field `payload`, and
/// carries no event id: team, channel and the message's `ts` together name it.
///
/// <https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload>
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct MessageAction {
    /// Which shortcut.
    #[serde(default)]
    pub callback_id: String,
    /// The workspace.
    #[serde(default)]
    pub team: Reference,
    /// Where the message is.
    pub channel: Reference,
    /// Who picked it.
    #[serde(default)]
    pub user: Reference,
    /// The message.
    pub message: Message,
}

/// A message as a shortcut shows it.
///
/// Part of [`MessageAction`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Message {
    /// What kind of message: `bot_message`, `channel_join`; absent for what people write.
    pub subtype: Option<String>,
    /// The id within its channel.
    #[serde(default)]
    pub ts: String,
    /// The text, in Slack's markup.
    #[serde(default)]
    pub text: String,
    /// Who wrote it.
    pub user: Option<String>,
    /// Which bot wrote it.
    pub bot_id: Option<String>,
    /// The thread it belongs to: the id of the thread's first message.
    pub thread_ts: Option<String>,
}

/// Something by its id, with a name where Slack sends one.
///
/// Part of [`MessageAction`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// An account's name, in some payloads instead of `name`.
    pub username: Option<String>,
}
