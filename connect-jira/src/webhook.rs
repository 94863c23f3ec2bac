//! Jira's webhooks: the verifier, and the shape of events.
//!
//! Check the signature first ([`verifier`], or a `connect_webhook::Receiver` built with it), then read the payload. Only
//! webhooks that were registered with a secret are signed. Jira sends a failed delivery again up to five times; the
//! header `X-Atlassian-Webhook-Identifier` stays the same.
//!
//! ```
//! use connect_jira::webhook::Event;
//! let payload = r#"{"timestamp": 1750000000000, "webhookEvent": "jira:issue_updated",
//!                   "issue": {"id": "10", "key": "OPS-7", "fields": {"summary": "Disk full"}}}"#;
//! let event: Event = serde_json::from_str(payload)?;
//! assert_eq!(event.issue.unwrap().key, "OPS-7");
//! # Ok::<(), serde_json::Error>(())
//! ```

use connect_webhook::{BuildError, SecretString, Verifier, schemes};
use serde::Deserialize;

use crate::model::{Comment, Issue, User};

/// The variable that holds the secret the webhook was registered with.
pub const SECRET_VARIABLE: &str = "JIRA_WEBHOOK_SECRET";

/// A verifier for the secret the webhook was registered with.
///
/// # Errors
/// [`BuildError`] for an empty secret.
pub fn verifier(secret: impl Into<SecretString>) -> Result<Verifier, BuildError> {
    Verifier::new(&schemes::JIRA, [secret.into()])
}

/// A verifier for the secret in `JIRA_WEBHOOK_SECRET`.
///
/// # Errors
/// [`BuildError::MissingVariable`] naming the variable.
pub fn verifier_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Verifier, BuildError> {
    Verifier::from_vars(&schemes::JIRA, SECRET_VARIABLE, lookup)
}

/// An event. Jira publishes only the issue's shape, so everything else is optional.
///
/// <https://developer.atlassian.com/cloud/jira/platform/webhooks/>
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// `jira:issue_updated`, `comment_created` and more.
    #[serde(default, rename = "webhookEvent")]
    pub webhook_event: String,
    /// When it happened, in milliseconds since 1970.
    #[serde(default)]
    pub timestamp: i64,
    /// The issue as it is now; its description is wiki text.
    pub issue: Option<Issue>,
    /// The comment it is about.
    pub comment: Option<Comment>,
    /// Who did it: skip what your own account did.
    pub user: Option<User>,
    /// What changed.
    pub changelog: Option<Changelog>,
}

/// What changed.
///
/// Part of [`Event`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Changelog {
    /// Each changed field.
    #[serde(default)]
    pub items: Vec<Change>,
}

/// One changed field.
///
/// Ids and readable values of before and after.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Change {
    /// The field: `status`, `assignee`.
    #[serde(default)]
    pub field: String,
    /// The id before.
    pub from: Option<String>,
    /// The readable value before.
    #[serde(rename = "fromString")]
    pub from_string: Option<String>,
    /// The id after.
    pub to: Option<String>,
    /// The readable value after.
    #[serde(rename = "toString")]
    pub to_string: Option<String>,
}
