//! A fake Jira Cloud: version 3 of its API for issues, comments, transitions and search, and its webhooks.
//!
//! It knows `createIssue`, `getIssue`, `addComment`, `getComments`, `getTransitions`, `doTransition`,
//! `getIssueProperty`, `setIssueProperty`, `searchAndReconsileIssuesUsingJqlPost` and `getCurrentUser`. By
//! default it has no projects, accepts one email address with one API token, and its search index does not lag.
//! Not a model of permissions, screens or workflows: the account may do everything, and every other path is
//! 404. Not for Connect or OAuth apps, whose requests and deliveries carry tokens instead.

mod answer;
mod builder;
mod comments;
mod document;
mod issues;
mod jql;
mod limits;
mod properties;
mod routes;
mod search;
mod shape;
mod state;
mod webhook;
mod workflow;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};

pub use self::builder::FakeJiraBuilder;
pub use self::state::{Comment, Issue};
pub use self::webhook::JiraDelivery;

use self::answer::Failure;
use self::routes::Call;
use self::shape::Account;
use self::state::{NewIssue, Site};
use crate::clock::{Clock, http_date};
use crate::delivery::SignedDelivery;
use crate::fault::{FaultPlan, Refusal};
use crate::post::Reply;
use crate::record::Recorded;
use crate::server::{Answer, Loopback, Provider, Received};
use crate::shared::Shared;
use crate::unique;

/// A Jira site on loopback; it ends when it is dropped.
///
/// ```
/// use base64::Engine as _;
/// use base64::engine::general_purpose::STANDARD;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let jira = connect_testkit::FakeJira::start().await?;
/// let key = jira.add_issue("OPS", "Disk full");
///
/// let url = format!("{}/rest/api/3/issue/{key}?fields=summary", jira.url());
/// let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", jira.email(), jira.token())));
/// let issue = connect_testkit::send(http::Method::GET, &url, &[("authorization", &basic)], "").await?;
/// assert_eq!(issue.json()["fields"]["summary"], "Disk full");
/// assert_eq!(jira.count("getIssue"), 1);
/// # Ok(()) }
/// ```
pub struct FakeJira {
    server: Loopback,
    provider: Arc<Jira>,
}

impl FakeJira {
    /// Starts with the defaults.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts with settings of your own.
    pub fn builder() -> FakeJiraBuilder {
        FakeJiraBuilder::default()
    }

    /// The base URL of the site, without a trailing slash and without `/rest/api/3`:
    /// `http://127.0.0.1:{port}{prefix}`.
    pub fn url(&self) -> &str {
        &self.provider.url
    }

    /// The email address that belongs to the token.
    pub fn email(&self) -> &str {
        &self.provider.account.email
    }

    /// The one API token that the fake accepts, as the password of Basic authentication.
    pub fn token(&self) -> &str {
        &self.provider.token
    }

    /// The secret that [`sign`](Self::sign) and [`deliver`](Self::deliver) sign with.
    pub fn webhook_secret(&self) -> &str {
        &self.provider.webhook_secret
    }

    /// The account that the token belongs to.
    pub fn account_id(&self) -> &str {
        &self.provider.account.id
    }

    /// What goes wrong.
    pub fn faults(&self) -> &FaultPlan {
        &self.server.faults
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.journal.all()
    }

    /// How many requests reached an operation, refused and dropped ones included; `"*"` counts all.
    pub fn count(&self, operation: &str) -> usize {
        self.server.journal.count(operation)
    }

    /// Waits until an operation was requested this often, so that a test needs no sleep.
    ///
    /// It waits for ever if that never happens: wrap it in `tokio::time::timeout`.
    pub async fn wait_for(&self, operation: &str, count: usize) {
        self.server.journal.wait_for(operation, count).await;
    }

    /// Adds an empty project by its key; adding it again changes nothing.
    pub fn add_project(&self, key: &str) {
        self.provider.site.with(|site| {
            site.add_project(key);
        });
    }

    /// Creates a task as a person would, in a new project if need be, and returns its key.
    pub fn add_issue(&self, project: &str, summary: &str) -> String {
        let now = self.provider.clock.now();
        let new = NewIssue {
            project: project.to_owned(),
            issue_type: shape::ISSUE_TYPES[0].0.to_owned(),
            summary: summary.to_owned(),
            description: Value::Null,
            labels: Vec::new(),
            fields: Map::new(),
            properties: Map::new(),
        };
        self.provider.site.with(|site| site.create(new, shape::PERSON, now).key)
    }

    /// Comments on an issue as a person would, one paragraph a line, and returns the comment's id; `None` when
    /// there is no such issue.
    pub fn add_comment(&self, key: &str, text: &str) -> Option<String> {
        let now = self.provider.clock.now();
        self.provider.site.with(|site| {
            let comment = site.add_comment(key, document::plain(text), shape::PERSON, now);
            comment.map(|(_, comment)| comment.id)
        })
    }

    /// Moves an issue into `To Do`, `In Progress` or `Done`, as a person would; whether both exist.
    pub fn transition(&self, key: &str, status: &str) -> bool {
        let now = self.provider.clock.now();
        let Some(status) = workflow::find(status) else { return false };
        self.provider
            .site
            .with(|site| site.issue_mut(key).map(|issue| issue.enter(status.name, now)).is_some())
    }

    /// The issues of a project, by number; empty when it is unknown.
    pub fn issues(&self, project: &str) -> Vec<Issue> {
        self.provider.site.with(|site| {
            let issues = site.issues.iter();
            issues.filter(|issue| issue.project.eq_ignore_ascii_case(project)).cloned().collect()
        })
    }

    /// The comments of an issue, oldest first; empty when it is unknown.
    pub fn comments(&self, key: &str) -> Vec<Comment> {
        self.provider
            .site
            .with(|site| site.issue(key).map(|issue| issue.comments.clone()).unwrap_or_default())
    }

    /// Moves the fake's clock forward: the search index catches up, or the server's clock is skewed.
    pub fn advance_clock(&self, by: Duration) {
        self.provider.clock.advance(by);
    }

    /// Signs a delivery with this fake's secret, at this fake's time unless the delivery has one. Its links
    /// point to this fake, and an issue that the fake knows has its real id.
    pub fn sign(&self, delivery: JiraDelivery) -> SignedDelivery {
        let id = self.provider.site.with(|site| site.issue(delivery.key()).map(|issue| issue.id.clone()));
        delivery
            .linking_to(self.url())
            .issue_id_unless_set(id)
            .at_unless_set(self.provider.clock.now().saturating_mul(1000))
            .sign(self.webhook_secret())
    }

    /// Signs a delivery and posts it once; Jira's retries are yours to make, see [`JiraDelivery::retry`].
    ///
    /// # Errors
    /// As [`send`](crate::send): a bad URL, no connection, or no complete answer.
    pub async fn deliver(&self, url: &str, delivery: JiraDelivery) -> io::Result<Reply> {
        self.sign(delivery).deliver_to(url).await
    }

    /// Ends the fake and waits until its port refuses connections; dropping it does not wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl fmt::Debug for FakeJira {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeJira").field("url", &self.url()).finish_non_exhaustive()
    }
}

struct Jira {
    url: String,
    /// Base of the links in answers.
    api: String,
    token: String,
    /// The one good credential of the scheme Basic.
    basic: String,
    webhook_secret: String,
    account: Account,
    prefix: String,
    clock: Clock,
    site: Shared<Site>,
}

impl Jira {
    fn route(&self, request: &Received) -> Option<(&'static routes::Route, Vec<String>)> {
        routes::find(&request.method, request.path.strip_prefix(&self.prefix)?)
    }

    fn carry_out(&self, request: &Received, now: u64) -> Result<Answer, Failure> {
        let Some((route, path)) = self.route(request) else {
            let path = request.path.strip_prefix(&self.prefix);
            let known = path.is_some_and(routes::knows_path);
            let status = if known { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
            return Err(Failure::new(status, "There is nothing here for this method and path."));
        };
        let call = Call { request, path, base: &self.api, account: &self.account, now };
        self.site.with(|site| (route.handler)(site, &call)).map(answer::Success::into_answer)
    }

    /// The headers that every answer carries.
    fn finish(&self, now: u64, mut answer: Answer) -> Answer {
        answer.set("server", "connect-testkit");
        answer.set("date", http_date(now));
        answer.set("atl-traceid", format!("fa4e{:028x}", unique::number()));
        answer.set("cache-control", "no-cache, no-store, no-transform");
        answer.set("vary", "Accept-Encoding");
        answer
    }
}

impl Provider for Jira {
    fn operation(&self, request: &Received) -> Option<String> {
        self.route(request).map(|(route, _)| route.operation.to_owned())
    }

    fn accepts(&self, scheme: &str, credential: &str) -> bool {
        scheme.eq_ignore_ascii_case("basic") && credential == self.basic
    }

    fn answer(&self, request: &Received) -> Answer {
        let now = self.clock.now();
        let mut answer = match request.authorization() {
            Some((scheme, credential)) if self.accepts(scheme, credential) => {
                self.carry_out(request, now).unwrap_or_else(Failure::into_answer)
            }
            Some(_) => answer::wrong_credentials(),
            None if request.header("authorization").is_some() => answer::wrong_credentials(),
            None => answer::no_credentials(),
        };
        limits::report(&request.method, now, &mut answer);
        self.finish(now, answer)
    }

    fn refuse(&self, request: &Received, refusal: &Refusal) -> Answer {
        let now = self.clock.now();
        let mut answer = answer::refusal(request, refusal, now);
        // A 429 says itself which limit was reached, or, when it is only a status, nothing.
        if answer.status != StatusCode::TOO_MANY_REQUESTS {
            limits::report(&request.method, now, &mut answer);
        }
        self.finish(now, answer)
    }

    fn problems(&self, request: &Received) -> Vec<String> {
        self.route(request).map(|(route, _)| route.problems(request)).unwrap_or_default()
    }
}
