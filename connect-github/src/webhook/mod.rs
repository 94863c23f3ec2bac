//! GitHub's webhooks: the verifier, and typed events.
//!
//! Check the signature first ([`verifier`], or a `connect_webhook::Receiver` built with it), then read the event with
//! [`Event::parse`]. GitHub adds events and actions all the time: unknown ones are values, not errors. GitHub answers a
//! failed delivery with nothing: it does not send it again by itself.
//!
//! ```
//! use connect_github::webhook::{Event, verifier};
//! # use connect_webhook::{UnixTime, sign, schemes};
//! let verifier = verifier("It's a Secret to Everybody")?;
//! # let secret = "It's a Secret to Everybody".into();
//! let body = br#"{"action": "opened", "issue": {"id": 1, "number": 7, "title": "Disk full"}}"#;
//! # let headers = sign(&schemes::GITHUB, &secret, body, UnixTime(0))?;
//! verifier.verify(&headers, body, UnixTime(0)).expect("signed with the same secret");
//! match Event::parse("issues", body)? {
//!     Event::Issues(event) => println!("{} {}", event.action, event.issue.title),
//!     Event::PullRequest(event) => println!("{} {}", event.action, event.pull_request.title),
//!     other => println!("not interested in {}", other.name()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use connect_webhook::{BuildError, PayloadError, SecretString, Verifier, schemes};
use serde::Deserialize;
use serde::de::DeserializeOwned;

mod model;

pub use model::{GitReference, Issue, Label, PullRequest, PullRequestLink, Repository, SimpleUser};

/// The variable that holds the secret of GitHub's webhook settings.
pub const SECRET_VARIABLE: &str = "GITHUB_WEBHOOK_SECRET";

/// A verifier for the secret in GitHub's webhook settings.
///
/// # Errors
/// [`BuildError`] for an empty secret.
pub fn verifier(secret: impl Into<SecretString>) -> Result<Verifier, BuildError> {
    Verifier::new(&schemes::GITHUB, [secret.into()])
}

/// A verifier for the secret in `GITHUB_WEBHOOK_SECRET`.
///
/// # Errors
/// [`BuildError::MissingVariable`] naming the variable.
pub fn verifier_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Verifier, BuildError> {
    Verifier::from_vars(&schemes::GITHUB, SECRET_VARIABLE, lookup)
}

/// An event, by the header `X-GitHub-Event`.
///
/// Boxed, because payloads are big and most programs look at few.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event {
    /// Something happened to an issue.
    Issues(Box<IssuesEvent>),
    /// Something happened to a pull request.
    PullRequest(Box<PullRequestEvent>),
    /// GitHub checks that the endpoint answers.
    Ping,
    /// Any other event.
    Other {
        /// The event's name.
        event: String,
        /// What happened, if the payload says.
        action: Option<String>,
    },
}

impl Event {
    /// Reads a payload by the event's name.
    ///
    /// # Errors
    /// [`PayloadError`] if the payload is not JSON of that event's shape.
    pub fn parse(event: &str, payload: &[u8]) -> Result<Self, PayloadError> {
        #[derive(Deserialize)]
        struct Action {
            action: Option<String>,
        }
        Ok(match event {
            "issues" => Self::Issues(read(payload)?),
            "pull_request" => Self::PullRequest(read(payload)?),
            "ping" => Self::Ping,
            other => Self::Other { event: other.to_owned(), action: read::<Action>(payload)?.action },
        })
    }

    /// The event's name, as in the header.
    pub fn name(&self) -> &str {
        match self {
            Self::Issues(_) => "issues",
            Self::PullRequest(_) => "pull_request",
            Self::Ping => "ping",
            Self::Other { event, .. } => event,
        }
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, PayloadError> {
    let text = std::str::from_utf8(payload).map_err(|_| PayloadError::NotUtf8)?;
    serde_json::from_str(text).map_err(PayloadError::Json)
}

/// `issues`: opened, closed, edited, labeled and more.
///
/// <https://docs.github.com/webhooks/webhook-events-and-payloads#issues>
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct IssuesEvent {
    /// What happened; open-ended.
    pub action: String,
    /// The issue as it is now.
    pub issue: Issue,
    /// Where it is.
    #[serde(default)]
    pub repository: Repository,
    /// Who did it.
    #[serde(default)]
    pub sender: SimpleUser,
}

/// `pull_request`: opened, closed, synchronize and more.
///
/// <https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request>
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct PullRequestEvent {
    /// What happened; open-ended.
    pub action: String,
    /// The pull request as it is now.
    pub pull_request: PullRequest,
    /// Where it is.
    #[serde(default)]
    pub repository: Repository,
    /// Who did it.
    #[serde(default)]
    pub sender: SimpleUser,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_events_and_actions_are_values() {
        let event = Event::parse("brand_new", br#"{"action": "invented", "x": []}"#).unwrap();
        assert!(matches!(&event, Event::Other { action: Some(action), .. } if action == "invented"));
        let event =
            Event::parse("issues", br#"{"action": "invented", "issue": {"id": 1, "number": 2}}"#).unwrap();
        assert_eq!(event.name(), "issues");
    }

    #[test]
    fn a_payload_of_another_shape_is_an_error() {
        for payload in [&b"{}"[..], b"[]", b"<html>", b"\xff", b""] {
            assert!(Event::parse("pull_request", payload).is_err());
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(verifier("").is_err());
    }
}
