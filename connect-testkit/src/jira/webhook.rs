//! Jira Cloud's webhook deliveries, as an admin's webhook with a secret sends them.
//!
//! The signature covers the body alone, in `X-Hub-Signature`; the id that stays the same over retries is
//! `X-Atlassian-Webhook-Identifier`. By default the issue is `TEST-1`, nobody is named, and the time is now.
//! Not for webhooks that a Connect or OAuth app registered: those carry a JWT.

use std::fmt;

use serde_json::{Value, json};

use crate::clock::wall_millis;
use crate::delivery::{SignedDelivery, set_at};
use crate::{sign, unique};

/// A Jira webhook delivery in the making.
///
/// ```
/// let signed = connect_testkit::JiraDelivery::event("jira:issue_created")
///     .issue("TEST-7", "Crash on start")
///     .sign("the webhook's secret");
/// assert!(signed.header("X-Hub-Signature").is_some_and(|value| value.starts_with("sha256=")));
/// ```
#[derive(Clone)]
#[must_use = "a delivery goes nowhere until it is signed or built"]
pub struct JiraDelivery {
    event: String,
    payload: Option<Value>,
    key: String,
    summary: String,
    unix_millis: Option<u64>,
    changes: Vec<(String, Value)>,
    identifier: String,
    retry: Option<u32>,
    secret: Option<String>,
    wrong_signature: bool,
}

impl JiraDelivery {
    /// Any payload of your own, sent as it is.
    pub fn new(payload: Value) -> Self {
        Self { payload: Some(payload), ..Self::event("") }
    }

    /// An event about an issue: `jira:issue_created`, `jira:issue_updated`, `comment_created`, ..
    pub fn event(event: impl Into<String>) -> Self {
        Self {
            event: event.into(),
            payload: None,
            key: "TEST-1".to_owned(),
            summary: "A summary".to_owned(),
            unix_millis: None,
            changes: Vec::new(),
            identifier: unique::guid(),
            retry: None,
            secret: None,
            wrong_signature: false,
        }
    }

    /// The key and summary of the issue.
    pub fn issue(mut self, key: impl Into<String>, summary: impl Into<String>) -> Self {
        (self.key, self.summary) = (key.into(), summary.into());
        self
    }

    /// The payload's `timestamp`, in milliseconds since the Unix epoch; now by default.
    pub fn at(mut self, unix_millis: u64) -> Self {
        self.unix_millis = Some(unix_millis);
        self
    }

    /// Sets any value of the payload by JSON pointer, last of all.
    pub fn set(mut self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.changes.push((pointer.into(), value.into()));
        self
    }

    /// The value of `X-Atlassian-Webhook-Identifier`; by default one of its own, which a clone keeps.
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = identifier.into();
        self
    }

    /// Marks it as a retry; the first delivery carries no such header.
    pub fn retry(mut self, number: u32) -> Self {
        self.retry = Some(number);
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
        let mut payload = self.payload.clone().unwrap_or_else(|| self.own_payload());
        for (pointer, value) in &self.changes {
            set_at(&mut payload, pointer, value.clone());
        }
        let mut signed = SignedDelivery::new(payload.to_string());
        signed.push("User-Agent", "Atlassian Webhook HTTP Client");
        signed.push("Content-Type", "application/json; charset=UTF-8");
        signed.push("X-Atlassian-Webhook-Identifier", self.identifier.as_str());
        signed.push("X-Atlassian-Webhook-Flow", "Primary");
        if let Some(number) = self.retry {
            signed.push("X-Atlassian-Webhook-Retry", number.to_string());
        }
        if let Some(secret) = &self.secret {
            let signature = sign::jira(secret, &signed.body);
            let wrong = self.wrong_signature;
            signed.push("X-Hub-Signature", if wrong { sign::spoil(&signature) } else { signature });
        }
        signed
    }

    fn own_payload(&self) -> Value {
        const SITE: &str = "https://testkit.atlassian.example/rest/api/2";
        let project = self.key.rsplit_once('-').map_or(self.key.as_str(), |(project, _)| project);
        json!({
            "timestamp": self.unix_millis.unwrap_or_else(wall_millis),
            "webhookEvent": self.event,
            "issue": {
                "id": "10001",
                "self": format!("{SITE}/issue/10001"),
                "key": self.key,
                "fields": {
                    "summary": self.summary,
                    "description": null,
                    "project": { "id": "10000", "key": project, "name": project },
                    "issuetype": { "id": "10002", "name": "Task", "subtask": false },
                    "status": { "id": "10003", "name": "To Do" },
                    "labels": [],
                },
            },
        })
    }
}

impl fmt::Debug for JiraDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JiraDelivery")
            .field("event", &self.event)
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}
