//! Jira Cloud's webhook deliveries, as an admin's webhook with a secret sends them.
//!
//! The signature covers the body alone, in `X-Hub-Signature`; the id that stays the same over retries is
//! `X-Atlassian-Webhook-Identifier`. By default the issue is the task `TEST-1` in To Do, nobody is named, and the
//! time is now. Objects have the shape of version 2 of the API, in which texts are wiki markup and no documents.
//! Not for webhooks that a Connect or OAuth app registered: those carry a JWT.

use std::fmt;

use serde_json::{Value, json};

use super::shape;
use super::workflow;
use crate::clock::wall_millis;
use crate::delivery::{SignedDelivery, set_at};
use crate::{sign, unique};

/// A Jira webhook delivery in the making.
///
/// ```
/// let signed = connect_testkit::JiraDelivery::event("jira:issue_updated")
///     .issue("TEST-7", "Crash on start")
///     .transition("To Do", "Done")
///     .user("account-of-mona")
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
    issue_id: Option<String>,
    comment: Option<Comment>,
    transition: Option<(String, String)>,
    user: Option<String>,
    site: String,
    unix_millis: Option<u64>,
    changes: Vec<(String, Value)>,
    identifier: String,
    retry: Option<u32>,
    secret: Option<String>,
    wrong_signature: bool,
}

#[derive(Clone)]
struct Comment {
    id: String,
    text: String,
    author: String,
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
            issue_id: None,
            comment: None,
            transition: None,
            user: None,
            site: "https://testkit.atlassian.example".to_owned(),
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

    /// The id of the issue; a fake that signs fills in the one it knows, otherwise it is `10001`.
    pub fn issue_id(mut self, id: impl Into<String>) -> Self {
        self.issue_id = Some(id.into());
        self
    }

    /// The comment that the event is about: its id, its text in wiki markup, and who wrote it.
    pub fn comment(
        mut self,
        id: impl Into<String>,
        text: impl Into<String>,
        author_account_id: impl Into<String>,
    ) -> Self {
        let (id, text, author) = (id.into(), text.into(), author_account_id.into());
        self.comment = Some(Comment { id, text, author });
        self
    }

    /// The change of status that the event is about, by name; the issue is in the second one.
    pub fn transition(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.transition = Some((from.into(), to.into()));
        self
    }

    /// Who did it; by default nobody is named.
    pub fn user(mut self, account_id: impl Into<String>) -> Self {
        self.user = Some(account_id.into());
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

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn linking_to(mut self, site: &str) -> Self {
        self.site = site.to_owned();
        self
    }

    pub(crate) fn issue_id_unless_set(mut self, id: Option<String>) -> Self {
        self.issue_id = self.issue_id.or(id);
        self
    }

    pub(crate) fn at_unless_set(mut self, unix_millis: u64) -> Self {
        self.unix_millis.get_or_insert(unix_millis);
        self
    }

    fn own_payload(&self) -> Value {
        let base = format!("{}/rest/api/2", self.site);
        let unix_millis = self.unix_millis.unwrap_or_else(wall_millis);
        let moment = shape::moment(unix_millis / 1000);
        let id = self.issue_id.as_deref().unwrap_or("10001");
        let project = self.key.rsplit_once('-').map_or(self.key.as_str(), |(project, _)| project);
        let status = self.transition.as_ref().map_or(workflow::STATUSES[0].name, |(_, to)| to);
        let mut payload = json!({
            "timestamp": unix_millis,
            "webhookEvent": self.event,
            "issue": {
                "id": id,
                "self": format!("{base}/issue/{id}"),
                "key": self.key,
                "fields": {
                    "summary": self.summary,
                    "description": null,
                    "project": shape::project(&base, "10000", project),
                    "issuetype": shape::issue_type(&base, shape::ISSUE_TYPES[0].0),
                    "status": shape::status(&base, status),
                    "labels": [],
                },
            },
        });
        if let Some(account) = &self.user {
            payload["user"] = shape::user(&base, account);
        }
        if let Some((from, to)) = &self.transition {
            payload["issue_event_type_name"] = "issue_generic".into();
            payload["changelog"] = json!({
                "id": unique::number().to_string(),
                "items": [{
                    "field": "status",
                    "fieldId": "status",
                    "fieldtype": "jira",
                    "from": shape::status(&base, from)["id"],
                    "fromString": from,
                    "to": shape::status(&base, to)["id"],
                    "toString": to,
                }],
            });
        }
        if let Some(comment) = &self.comment {
            payload["comment"] = json!({
                "self": format!("{base}/issue/{id}/comment/{}", comment.id),
                "id": comment.id,
                "author": shape::user(&base, &comment.author),
                "updateAuthor": shape::user(&base, &comment.author),
                "body": comment.text,
                "created": moment,
                "updated": moment,
                "jsdPublic": true,
            });
        }
        payload
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
