//! GitHub's webhook deliveries, with payloads of this crate's own making in GitHub's shape.
//!
//! A delivery is built in one sentence and signed at the end. By default it is JSON, belongs to the repository
//! `octo/hello`, is sent by `mona`, and has a delivery id of its own; a clone keeps that id, which is what a
//! redelivery looks like. The legacy SHA-1 signature is not sent, as for a hook made without it.
//! Every hook has the number 1.
//! Not a check of what your hook subscribes to: any event goes out.

use std::fmt;

use serde_json::{Value, json};

use super::links::Links;
use super::shape::{self, LONG_AGO, Subject};
use crate::delivery::{SignedDelivery, payload_form, set_at};
use crate::{sign, unique};

/// A webhook delivery in the making.
///
/// ```
/// use connect_testkit::GitHubDelivery;
///
/// let delivery = GitHubDelivery::pull_request("opened")
///     .repository("octo", "hello")
///     .number(7)
///     .title("Faster start")
///     .sender("mona")
///     .set("/pull_request/draft", true);
/// let signed = delivery.sign("the webhook's secret");
/// assert_eq!(signed.header("X-GitHub-Event"), Some("pull_request"));
/// ```
#[derive(Clone)]
#[must_use = "a delivery goes nowhere until it is signed or built"]
pub struct GitHubDelivery {
    event: String,
    action: Option<String>,
    payload: Option<Value>,
    owner: String,
    repository: String,
    number: u64,
    title: String,
    body: Option<String>,
    comment: String,
    sender: String,
    changes: Vec<(String, Value)>,
    delivery_id: String,
    links: Links,
    secret: Option<String>,
    form: bool,
    wrong_signature: bool,
    target: Target,
    app: u64,
}

/// What the hook hangs on.
#[derive(Clone, Copy)]
enum Target {
    Repository,
    Organization,
    App,
}

/// The App, unless a fake has one of its own.
const APP_ID: u64 = 1;

type Fill = fn(&GitHubDelivery, &mut Value);

/// What an event carries besides action, repository and sender.
const SUBJECTS: [(&str, Fill); 5] = [
    ("pull_request", |delivery, payload| {
        payload["number"] = delivery.number.into();
        payload["pull_request"] = shape::pull_request(&delivery.links, &delivery.subject(true));
    }),
    ("issues", |delivery, payload| {
        payload["issue"] = shape::issue(&delivery.links, &delivery.subject(false));
    }),
    ("issue_comment", |delivery, payload| {
        let subject = delivery.subject(false);
        let id = shape::stable_id(&delivery.delivery_id);
        let (text, author) = (delivery.comment.as_str(), delivery.sender.as_str());
        payload["issue"] = shape::issue(&delivery.links, &subject);
        payload["comment"] = shape::comment(&delivery.links, &subject, id, text, author, LONG_AGO);
    }),
    ("ping", |delivery, payload| {
        let url = format!("{}/repos/{}/{}/hooks/1", delivery.links.api, delivery.owner, delivery.repository);
        payload["zen"] = "A test that waits is a test that fails.".into();
        payload["hook_id"] = HOOK_ID.into();
        payload["hook"] = json!({
            "type": "Repository", "id": HOOK_ID, "name": "web", "active": true, "events": ["*"],
            "config": { "content_type": delivery.media(), "insecure_ssl": "0", "url": "https://host.example/" },
            "url": url, "ping_url": format!("{url}/pings"), "test_url": format!("{url}/test"),
            "deliveries_url": format!("{url}/deliveries"),
            "last_response": { "code": null, "status": "unused", "message": null },
            "created_at": crate::clock::iso_8601(LONG_AGO), "updated_at": crate::clock::iso_8601(LONG_AGO),
        });
    }),
    ("push", |delivery, payload| {
        payload["ref"] = "refs/heads/main".into();
        payload["before"] = "0".repeat(40).into();
        payload["after"] = "f".repeat(40).into();
        payload["commits"] = json!([]);
        payload["head_commit"] = Value::Null;
        payload["pusher"] = json!({ "name": delivery.sender, "email": null });
        for flag in ["created", "deleted", "forced"] {
            payload[flag] = false.into();
        }
        payload["base_ref"] = Value::Null;
        payload["compare"] = format!("{}/compare", delivery.links.html).into();
    }),
];

const HOOK_ID: u64 = 1;

impl GitHubDelivery {
    /// Any event with a payload of your own, sent as it is.
    pub fn new(event: impl Into<String>, payload: Value) -> Self {
        Self { payload: Some(payload), ..Self::event(event) }
    }

    /// Any event without an action; `ping` and `push` get the fields that belong to them.
    pub fn event(event: impl Into<String>) -> Self {
        Self {
            event: event.into(),
            action: None,
            payload: None,
            owner: "octo".to_owned(),
            repository: "hello".to_owned(),
            number: 1,
            title: "A title".to_owned(),
            body: None,
            comment: "A comment".to_owned(),
            sender: "mona".to_owned(),
            changes: Vec::new(),
            delivery_id: unique::guid(),
            links: Links::default(),
            secret: None,
            form: false,
            wrong_signature: false,
            target: Target::Repository,
            app: APP_ID,
        }
    }

    /// The event `pull_request` with this action: `opened`, `closed`, `synchronize`, ..
    pub fn pull_request(action: impl Into<String>) -> Self {
        Self::event("pull_request").action(action)
    }

    /// The event `issues` with this action: `opened`, `edited`, `closed`, ..
    pub fn issues(action: impl Into<String>) -> Self {
        Self::event("issues").action(action)
    }

    /// The event `issue_comment` with this action: `created`, `edited`, `deleted`.
    pub fn issue_comment(action: impl Into<String>) -> Self {
        Self::event("issue_comment").action(action)
    }

    /// The payload's `action`; with `closed`, the issue or pull request is closed.
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// The repository it happened in.
    pub fn repository(mut self, owner: impl Into<String>, repository: impl Into<String>) -> Self {
        (self.owner, self.repository) = (owner.into(), repository.into());
        self
    }

    /// The number of the issue or pull request.
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// The title of the issue or pull request.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The text of the issue or pull request; none by default.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The text of the comment, for `issue_comment`.
    pub fn comment(mut self, text: impl Into<String>) -> Self {
        self.comment = text.into();
        self
    }

    /// Login of who did it; also the author of the issue, pull request or comment.
    pub fn sender(mut self, login: impl Into<String>) -> Self {
        self.sender = login.into();
        self
    }

    /// The App installation that the delivery is for; it comes from the App's hook.
    pub fn installation(mut self, id: u64) -> Self {
        self.target = Target::App;
        self.set("/installation", json!({ "id": id, "node_id": format!("IN_fake{id:08x}") }))
    }

    /// It comes from a hook of the organisation that owns the repository, instead of the repository's.
    pub fn from_organization_hook(mut self) -> Self {
        self.target = Target::Organization;
        self
    }

    /// Sets any value of the payload by JSON pointer, last of all.
    pub fn set(mut self, pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        self.changes.push((pointer.into(), value.into()));
        self
    }

    /// The value of `X-GitHub-Delivery`; by default a GUID of its own.
    ///
    /// The same id on two deliveries makes the second a redelivery of the first; a clone has it already.
    pub fn delivery_id(mut self, id: impl Into<String>) -> Self {
        self.delivery_id = id.into();
        self
    }

    /// Sends the JSON inside a form, as a hook with the content type `application/x-www-form-urlencoded`.
    pub fn form_encoded(mut self) -> Self {
        self.form = true;
        self
    }

    /// Sends a well-formed signature that does not fit the body.
    pub fn with_wrong_signature(mut self) -> Self {
        self.wrong_signature = true;
        self
    }

    /// The secret to sign with; without one [`build`](Self::build) sends no signature, as a hook without a
    /// secret does.
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
        let payload = self.payload();
        let body = if self.form { payload_form(&payload) } else { payload.to_string() };
        let mut signed = SignedDelivery::new(body);
        signed.push("Accept", "*/*");
        signed.push("User-Agent", "GitHub-Hookshot/fa4e000");
        signed.push(
            "Content-Type",
            if self.form { "application/x-www-form-urlencoded" } else { "application/json" },
        );
        signed.push("X-GitHub-Event", self.event.as_str());
        signed.push("X-GitHub-Delivery", self.delivery_id.as_str());
        signed.push("X-GitHub-Hook-ID", HOOK_ID.to_string());
        let (kind, id) = match self.target {
            Target::Repository => {
                ("repository", shape::stable_id(&format!("{}/{}", self.owner, self.repository)))
            }
            Target::Organization => ("organization", shape::stable_id(&self.owner)),
            Target::App => ("integration", self.app),
        };
        signed.push("X-GitHub-Hook-Installation-Target-Type", kind);
        signed.push("X-GitHub-Hook-Installation-Target-ID", id.to_string());
        if let Some(secret) = &self.secret {
            let signature = sign::github(secret, &signed.body);
            let wrong = self.wrong_signature;
            signed.push("X-Hub-Signature-256", if wrong { sign::spoil(&signature) } else { signature });
        }
        signed
    }

    pub(crate) fn linking_to(mut self, links: Links) -> Self {
        self.links = links;
        self
    }

    /// Of this App, should it come from an App's hook.
    pub(super) fn of_app(mut self, id: u64) -> Self {
        self.app = id;
        self
    }

    fn media(&self) -> &'static str {
        if self.form { "form" } else { "json" }
    }

    fn payload(&self) -> Value {
        let mut payload = self.payload.clone().unwrap_or_else(|| self.own_payload());
        for (pointer, value) in &self.changes {
            set_at(&mut payload, pointer, value.clone());
        }
        payload
    }

    fn own_payload(&self) -> Value {
        let mut payload = json!({});
        if let Some(action) = &self.action {
            payload["action"] = action.as_str().into();
        }
        if let Some((_, fill)) = SUBJECTS.iter().find(|(event, _)| *event == self.event) {
            fill(self, &mut payload);
        }
        payload["repository"] = shape::repository(&self.links, &self.owner, &self.repository);
        payload["sender"] = shape::user(&self.links, &self.sender);
        payload
    }

    fn subject(&self, is_pull_request: bool) -> Subject<'_> {
        Subject {
            owner: &self.owner,
            repository: &self.repository,
            number: self.number,
            title: &self.title,
            body: self.body.as_deref(),
            author: &self.sender,
            state: if self.action.as_deref() == Some("closed") { "closed" } else { "open" },
            labels: &[],
            assignees: &[],
            comments: usize::from(self.event == "issue_comment"),
            created_at: LONG_AGO,
            is_pull_request,
        }
    }
}

impl fmt::Debug for GitHubDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubDelivery")
            .field("event", &self.event)
            .field("action", &self.action)
            .field("delivery_id", &self.delivery_id)
            .finish_non_exhaustive()
    }
}
