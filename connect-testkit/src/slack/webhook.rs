//! What Slack sends to an app: events, the URL check, interactive payloads and slash commands.
//!
//! A delivery is built in one sentence and signed at the end, at a moment of your choice: stale and future
//! timestamps are one call away. Events are JSON; interactions and commands are forms, as Slack sends them.
//! By default the time is now and the event id is its own; a clone keeps the id, as Slack's retries do.
//! Not for Socket Mode, which signs nothing.

use std::fmt;

use serde_json::{Value, json};

use super::workspace::{APP, BOT_USER, HUMAN, TEAM};
use crate::clock::wall_millis;
use crate::delivery::{SignedDelivery, payload_form, set_at};
use crate::{sign, unique};

/// A delivery from Slack in the making.
///
/// ```
/// use connect_testkit::SlackDelivery;
/// use serde_json::json;
///
/// let event = json!({ "type": "app_mention", "channel": "C0PULLS", "text": "hi", "ts": "1700000000.000100" });
/// let first = SlackDelivery::event_callback(event).at(1_700_000_000);
/// let again = first.clone().retry(1, "http_timeout").sign("the signing secret");
/// assert_eq!(again.header("X-Slack-Retry-Num"), Some("1"));
/// ```
#[derive(Clone)]
#[must_use = "a delivery goes nowhere until it is signed or built"]
pub struct SlackDelivery {
    content: Content,
    changes: Vec<(String, Value)>,
    unix_seconds: Option<u64>,
    retry: Option<(u32, String)>,
    secret: Option<String>,
    wrong_signature: bool,
}

#[derive(Clone)]
enum Content {
    Json(Value),
    /// JSON inside a form, in the field `payload`.
    Interaction(Value),
    /// Plain form fields.
    Form(Value),
}

/// Slack's old way to prove itself; apps should look at the signature instead.
const VERIFICATION_TOKEN: &str = "fake-verification-token";

impl SlackDelivery {
    /// An event of the Events API, wrapped in its envelope with an event id of its own.
    pub fn event_callback(event: Value) -> Self {
        Self::of(Content::Json(json!({
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "context_team_id": TEAM,
            "context_enterprise_id": null,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": format!("Ev0FAKE{:08X}", unique::number()),
            "event_context": "4-fake-event-context",
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
        })))
    }

    /// The check of a request URL; the app answers with the challenge.
    pub fn url_verification(challenge: impl Into<String>) -> Self {
        Self::of(Content::Json(json!({
            "token": VERIFICATION_TOKEN, "challenge": challenge.into(), "type": "url_verification",
        })))
    }

    /// A message shortcut: somebody chose an action of the app on a message.
    ///
    /// Channel, user and message have defaults; change them with [`set`](Self::set), for example
    /// `.set("/message/text", "..")`.
    pub fn message_action(callback_id: impl Into<String>) -> Self {
        let number = unique::number();
        Self::interactive(json!({
            "type": "message_action",
            "token": VERIFICATION_TOKEN,
            "action_ts": "1577836801.000000",
            "team": { "id": TEAM, "domain": "testkit" },
            "user": { "id": HUMAN, "username": "mona", "name": "mona", "team_id": TEAM },
            "channel": { "id": "C0TESTKIT", "name": "general" },
            "api_app_id": APP,
            "is_enterprise_install": false,
            "enterprise": null,
            "callback_id": callback_id.into(),
            "trigger_id": format!("{number}.0.fake-trigger"),
            "response_url": format!("https://hooks.slack.example/app/{TEAM}/{number}/fake"),
            "message_ts": "1577836800.000100",
            "message": {
                "type": "message", "user": HUMAN, "text": "A message", "ts": "1577836800.000100", "team": TEAM,
            },
        }))
    }

    /// Any interactive payload of your own: the JSON in the form field `payload`.
    pub fn interactive(payload: Value) -> Self {
        Self::of(Content::Interaction(payload))
    }

    /// A slash command with the text behind it.
    pub fn slash_command(command: impl Into<String>, text: impl Into<String>) -> Self {
        let number = unique::number();
        Self::of(Content::Form(json!({
            "token": VERIFICATION_TOKEN,
            "team_id": TEAM,
            "team_domain": "testkit",
            "channel_id": "C0TESTKIT",
            "channel_name": "general",
            "user_id": HUMAN,
            "user_name": "mona",
            "command": command.into(),
            "text": text.into(),
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": format!("https://hooks.slack.example/commands/{TEAM}/{number}/fake"),
            "trigger_id": format!("{number}.0.fake-trigger"),
        })))
    }

    /// Any JSON body of your own, sent as it is.
    pub fn new(body: Value) -> Self {
        Self::of(Content::Json(body))
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            changes: Vec::new(),
            unix_seconds: None,
            retry: None,
            secret: None,
            wrong_signature: false,
        }
    }

    /// The event id; the same on two deliveries makes the second a retry of the first.
    pub fn event_id(self, id: impl Into<String>) -> Self {
        self.set("/event_id", id.into())
    }

    /// The channel of an interaction.
    pub fn channel(self, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.set("/channel", json!({ "id": id.into(), "name": name.into() }))
    }

    /// The message that an action was chosen on.
    pub fn message(self, ts: impl Into<String>, text: impl Into<String>) -> Self {
        let ts = ts.into();
        self.set("/message_ts", ts.as_str()).set("/message/ts", ts).set("/message/text", text.into())
    }

    /// Sets any value of the payload by JSON pointer, last of all.
    pub fn set(mut self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.changes.push((pointer.into(), value.into()));
        self
    }

    /// When it was sent, by its own word: the signed timestamp, and `event_time` unless it was set.
    pub fn at(mut self, unix_seconds: u64) -> Self {
        self.unix_seconds = Some(unix_seconds);
        self
    }

    /// Marks it as Slack's nth retry and why: `http_timeout`, `http_error`, `connection_failed`, ..
    pub fn retry(mut self, number: u32, reason: impl Into<String>) -> Self {
        self.retry = Some((number, reason.into()));
        self
    }

    /// Sends a well-formed signature that does not fit the body.
    pub fn with_wrong_signature(mut self) -> Self {
        self.wrong_signature = true;
        self
    }

    /// The secret to sign with; without one [`build`](Self::build) sends no signature.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Signs with this secret and finishes.
    pub fn sign(self, secret: &str) -> SignedDelivery {
        self.secret(secret).build()
    }

    /// Finishes the delivery.
    pub fn build(self) -> SignedDelivery {
        let at = self.unix_seconds.unwrap_or_else(|| wall_millis() / 1000);
        let (media, body) = self.encode(at);
        let mut signed = SignedDelivery::new(body);
        signed.push("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)");
        signed.push("Accept", "*/*");
        signed.push("Content-Type", media);
        signed.push("X-Slack-Request-Timestamp", at.to_string());
        if let Some((number, reason)) = &self.retry {
            signed.push("X-Slack-Retry-Num", number.to_string());
            signed.push("X-Slack-Retry-Reason", reason.as_str());
        }
        if let Some(secret) = &self.secret {
            let signature = sign::slack(secret, at, &signed.body);
            let wrong = self.wrong_signature;
            signed.push("X-Slack-Signature", if wrong { sign::spoil(&signature) } else { signature });
        }
        signed
    }

    pub(crate) fn at_unless_set(mut self, unix_seconds: u64) -> Self {
        self.unix_seconds.get_or_insert(unix_seconds);
        self
    }

    fn encode(&self, at: u64) -> (&'static str, String) {
        const FORM: &str = "application/x-www-form-urlencoded";
        let (Content::Json(value) | Content::Interaction(value) | Content::Form(value)) = &self.content;
        let mut value = value.clone();
        if value["type"] == "event_callback" && value["event_time"].is_null() {
            value["event_time"] = at.into();
        }
        for (pointer, change) in &self.changes {
            set_at(&mut value, pointer, change.clone());
        }
        match &self.content {
            Content::Json(_) => ("application/json", value.to_string()),
            Content::Interaction(_) => (FORM, payload_form(&value)),
            Content::Form(_) => {
                let fields = value.as_object().into_iter().flatten();
                let pairs = fields.map(|(name, value)| {
                    (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                });
                (FORM, form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
            }
        }
    }
}

impl fmt::Debug for SlackDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Content::Json(value) | Content::Interaction(value) | Content::Form(value)) = &self.content;
        f.debug_struct("SlackDelivery")
            .field("type", &value["type"])
            .field("event_id", &value["event_id"])
            .field("unix_seconds", &self.unix_seconds)
            .finish_non_exhaustive()
    }
}
