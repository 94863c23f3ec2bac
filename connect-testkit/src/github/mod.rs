//! A fake GitHub: real paths, headers, pages, errors and limits for a handful of operations.
//!
//! | about | operations |
//! |---|---|
//! | issues | `issues/get`, `create`, `list-for-repo`, `create-comment`; `search/issues-and-pull-requests` |
//! | files | `repos/get-content`, `create-or-update-file-contents`, `delete-file` |
//! | releases | `repos/list-releases`, `create-release`, `get-release`, `upload-release-asset`, `get-release-asset` |
//! | deliveries, of `repos`, `orgs` and `apps` | `list-webhook-deliveries`, `get-webhook-delivery`, `redeliver-webhook-delivery` |
//! | a [`FakeApp`] | `apps/get-authenticated`, its installations, their tokens and repositories |
//! | others | `users/get-authenticated`, `rate-limit/get`, `graphql` with scripted answers |
//!
//! By default it starts empty, knows no App, accepts one token of its own, and grants what GitHub grants: 5,000 requests
//! an hour, 30 searches a minute. Public data may be read without a token, as on GitHub.
//! Not a model of all of GitHub: every other path is 404, and a request that expects more than the fake does
//! says so in [`Recorded::problems`].

mod answer;
mod app;
mod contents;
mod graphql;
mod hooks;
mod installation;
mod issues;
mod links;
mod page;
mod quota;
mod releases;
mod routes;
mod search;
mod secondary;
mod shape;
mod state;
mod webhook;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

pub use self::app::FakeApp;
pub use self::hooks::DeliveryAttempt;
pub use self::secondary::{SecondaryLimit, SecondaryShape};
pub use self::state::{Comment, Issue};
pub use self::webhook::GitHubDelivery;

use self::answer::{Failure, success};
use self::app::{Apps, Speaker};
use self::hooks::Pending;
use self::links::Links;
use self::quota::resource;
use self::releases::Storage;
use self::routes::{Access, Call};
use self::state::State;
use crate::clock::{Clock, http_date};
use crate::delivery::SignedDelivery;
use crate::fault::{FaultPlan, Refusal};
use crate::post::Reply;
use crate::record::Recorded;
use crate::server::{Answer, Loopback, Provider, Received};
use crate::shared::Shared;
use crate::unique;

/// A GitHub on loopback; it ends when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let github = connect_testkit::FakeGitHub::start().await?;
/// let number = github.add_issue("octo", "hello", "Crash on start");
///
/// let url = format!("{}/repos/octo/hello/issues/{number}", github.url());
/// let issue = connect_testkit::send(http::Method::GET, &url, &[("user-agent", "docs")], "").await?;
/// assert_eq!(issue.json()["title"], "Crash on start");
/// assert_eq!(github.count("issues/get"), 1);
/// # Ok(()) }
/// ```
pub struct FakeGitHub {
    server: Loopback,
    storage: Loopback,
    provider: Arc<GitHub>,
}

impl FakeGitHub {
    /// Starts with the defaults.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts with settings of your own.
    pub fn builder() -> FakeGitHubBuilder {
        FakeGitHubBuilder::default()
    }

    /// The base URL of the API, without a trailing slash: `http://127.0.0.1:{port}{prefix}`.
    pub fn url(&self) -> &str {
        &self.provider.links.api
    }

    /// The one token that the fake accepts.
    pub fn token(&self) -> &str {
        &self.provider.token
    }

    /// The secret that [`sign`](Self::sign) and [`deliver`](Self::deliver) sign with.
    pub fn webhook_secret(&self) -> &str {
        &self.provider.webhook_secret
    }

    /// The login that the token belongs to.
    pub fn login(&self) -> &str {
        &self.provider.login
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

    /// Adds an empty repository; adding it again changes nothing.
    pub fn add_repository(&self, owner: &str, repository: &str) {
        self.provider.state.with(|state| {
            state.repository_or_new(owner, repository);
        });
    }

    /// Opens an issue, in a new repository if need be, and returns its number.
    pub fn add_issue(&self, owner: &str, repository: &str, title: &str) -> u64 {
        self.add(owner, repository, title, false)
    }

    /// Opens a pull request, which is also an issue, and returns its number.
    pub fn add_pull_request(&self, owner: &str, repository: &str, title: &str) -> u64 {
        self.add(owner, repository, title, true)
    }

    fn add(&self, owner: &str, repository: &str, title: &str, is_pull_request: bool) -> u64 {
        let now = self.provider.clock.now();
        self.provider.state.with(|state| {
            let issue = state.repository_or_new(owner, repository).open(title.to_owned(), owner, now);
            issue.is_pull_request = is_pull_request;
            issue.number
        })
    }

    /// Closes an issue or pull request; whether there was one.
    pub fn close_issue(&self, owner: &str, repository: &str, number: u64) -> bool {
        self.provider.state.with(|state| {
            let issue = state.repository(owner, repository).and_then(|found| found.issue_mut(number));
            issue.map(|issue| issue.state = "closed".to_owned()).is_some()
        })
    }

    /// The issues and pull requests of a repository, by number; empty when it is unknown.
    pub fn issues(&self, owner: &str, repository: &str) -> Vec<Issue> {
        self.provider.state.with(|state| {
            state.repository(owner, repository).map(|found| found.issues.clone()).unwrap_or_default()
        })
    }

    /// The comments of an issue, oldest first; empty when it is unknown.
    pub fn comments(&self, owner: &str, repository: &str, number: u64) -> Vec<Comment> {
        self.provider.state.with(|state| {
            let issue = state.repository(owner, repository).and_then(|found| found.issue_mut(number));
            issue.map(|issue| issue.comments.clone()).unwrap_or_default()
        })
    }

    /// Moves the fake's clock forward: a quota window ends, or the server's clock is skewed.
    pub fn advance_clock(&self, by: Duration) {
        self.provider.clock.advance(by);
    }

    /// Signs a delivery with this fake's secret; its links point to this fake.
    pub fn sign(&self, delivery: GitHubDelivery) -> SignedDelivery {
        let app = self.provider.state.with(|state| state.apps.app.as_ref().map(|app| app.id));
        let delivery = delivery.linking_to(self.provider.links.clone());
        app.into_iter().fold(delivery, GitHubDelivery::of_app).sign(self.webhook_secret())
    }

    /// Signs a delivery and posts it once; GitHub never repeats one by itself. What becomes of it is among the
    /// [`deliveries`](Self::deliveries), where a client may ask for it again.
    ///
    /// # Errors
    /// As [`send`](crate::send): a bad URL, no connection, or no complete answer.
    pub async fn deliver(&self, url: &str, delivery: GitHubDelivery) -> io::Result<Reply> {
        let (signed, at) = (self.sign(delivery), self.provider.clock.now());
        let result = signed.deliver_to(url).await;
        self.provider.state.with(|state| state.deliveries.record(url, signed, &result, at, false));
        result
    }

    /// Ends the fake and waits until its port refuses connections; dropping it does not wait.
    pub async fn stop(self) {
        self.storage.stop().await;
        self.server.stop().await;
    }
}

impl fmt::Debug for FakeGitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGitHub").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// Settings of a [`FakeGitHub`]; see its example.
pub struct FakeGitHubBuilder {
    token: String,
    webhook_secret: String,
    login: String,
    prefix: String,
    limits: Vec<(&'static str, u64)>,
    start: Option<u64>,
    skew: i64,
    app: Option<FakeApp>,
}

impl Default for FakeGitHubBuilder {
    fn default() -> Self {
        let number = unique::number();
        Self {
            token: format!("ghp_fake-testkit-{number}"),
            webhook_secret: format!("fake-github-webhook-secret-{number}"),
            login: "testkit-bot".to_owned(),
            prefix: String::new(),
            limits: Vec::new(),
            start: None,
            skew: 0,
            app: None,
        }
    }
}

impl FakeGitHubBuilder {
    /// The one token to accept; by default an obviously fake one, unique in the process.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// The secret to sign deliveries with; by default an obviously fake one, unique in the process.
    pub fn webhook_secret(mut self, secret: impl Into<String>) -> Self {
        self.webhook_secret = secret.into();
        self
    }

    /// The login that the token belongs to; `testkit-bot` by default.
    pub fn login(mut self, login: impl Into<String>) -> Self {
        self.login = login.into();
        self
    }

    /// Where the API lives on the host: `/api/v3` on GitHub Enterprise Server, nothing by default.
    pub fn path_prefix(mut self, prefix: &str) -> Self {
        let trimmed = prefix.trim_matches('/');
        self.prefix = if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") };
        self
    }

    /// Requests per hour with the token, 5,000 by default; behind it the fake answers 403 until the reset.
    pub fn rate_limit(self, requests_per_hour: u64) -> Self {
        self.resource_limit("core", requests_per_hour)
    }

    /// Requests with the token in the window of one resource: `core` and `graphql` have an hour, `search` and
    /// `code_search` a minute.
    pub fn resource_limit(mut self, resource: &'static str, requests: u64) -> Self {
        self.limits.push((resource, requests));
        self
    }

    /// The one GitHub App that the fake knows; none by default.
    pub fn app(mut self, app: FakeApp) -> Self {
        self.app = Some(app);
        self
    }

    /// The fake's clock is ahead of the true one by so many seconds, or behind it when negative.
    pub fn clock_skew(mut self, seconds: i64) -> Self {
        self.skew = seconds;
        self
    }

    /// Starts the clock at this moment, where it stands still until
    /// [`advance_clock`](FakeGitHub::advance_clock); by default it is the machine's clock.
    pub fn start_time(mut self, unix_seconds: u64) -> Self {
        self.start = Some(unix_seconds);
        self
    }

    /// Binds a free port on 127.0.0.1 and starts to serve.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<FakeGitHub> {
        let (storage, files) = Loopback::start(|address| Arc::new(Storage::at(address))).await?;
        let make = |address: SocketAddr| {
            let html = format!("http://{address}");
            let clock = Clock::new(self.start);
            clock.set_skew(self.skew);
            let mut state = State::new(&self.limits, (*files).clone());
            state.apps = Apps::of(self.app);
            Arc::new(GitHub {
                links: Links { api: format!("{html}{}", self.prefix), html },
                token: self.token,
                webhook_secret: self.webhook_secret,
                login: self.login,
                prefix: self.prefix,
                clock,
                state: Shared::new(state),
            })
        };
        let (server, provider) = Loopback::start(make).await?;
        Ok(FakeGitHub { server, storage, provider })
    }
}

impl fmt::Debug for FakeGitHubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeGitHubBuilder").field("login", &self.login).finish_non_exhaustive()
    }
}

/// The two API versions that GitHub serves; any other is 400.
const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];

struct GitHub {
    links: Links,
    token: String,
    webhook_secret: String,
    login: String,
    prefix: String,
    clock: Clock,
    state: Shared<State>,
}

impl GitHub {
    fn route(&self, request: &Received) -> Option<(&'static routes::Route, Vec<String>)> {
        if let Some(path) = request.path.strip_prefix(&self.prefix) {
            return routes::find(&request.method, path);
        }
        let uploads = format!("{}/uploads", self.prefix.strip_suffix("/v3")?);
        routes::find(&request.method, request.path.strip_prefix(&uploads)?)
            .filter(|(route, _)| route.operation == releases::UPLOAD)
    }

    /// Which quota serves a request.
    fn resource(&self, request: &Received) -> &'static str {
        resource(request.path.strip_prefix(&self.prefix).unwrap_or(&request.path))
    }

    /// Redeliveries leave on their own: the answer to whoever asked for one does not wait for the receiver.
    fn send_pending(&self, pending: Vec<Pending>) {
        for Pending { url, signed, at } in pending {
            let state = self.state.clone();
            tokio::spawn(async move {
                let result = signed.deliver_to(&url).await;
                state.with(|state| state.deliveries.record(&url, signed, &result, at, true));
            });
        }
    }

    fn is_authorized(&self, request: &Received) -> bool {
        request.authorization().is_some_and(|(scheme, credential)| self.accepts(scheme, credential))
    }

    /// Who a request speaks for, or why its credential is refused.
    fn speaker(&self, request: &Received, now: u64) -> Result<Speaker, Failure> {
        if request.header("authorization").is_none() {
            return Ok(Speaker::Nobody);
        }
        let (scheme, credential) = request.authorization().ok_or_else(Failure::bad_credentials)?;
        if !is_bearer(scheme) {
            return Err(Failure::bad_credentials());
        }
        if credential == self.token {
            return Ok(Speaker::User);
        }
        self.state.with(|state| match state.apps.speaker(credential, now) {
            Some(speaker) => Ok(speaker),
            None => Err(state.apps.refuse(credential, now)),
        })
    }

    fn carry_out(&self, request: &Received, now: u64) -> Result<Answer, Failure> {
        let speaker = self.speaker(request, now)?;
        let authorized = speaker != Speaker::Nobody;
        let version = request.header("x-github-api-version").unwrap_or(VERSIONS[0]);
        if !VERSIONS.contains(&version) {
            return Err(Failure::bad_request(format!("\"{version}\" is not a supported API version.")));
        }
        let (route, path) = self.route(request).ok_or_else(Failure::not_found)?;
        if route.access == Access::Token && !authorized {
            return Err(Failure::requires_authentication());
        }
        match (route.access, speaker) {
            (Access::App, Speaker::App) | (Access::Installation, Speaker::Installation(_)) => {}
            (Access::App, _) => {
                return Err(Failure::new(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded"));
            }
            (Access::Installation, _) => return Err(Failure::new(StatusCode::FORBIDDEN, "Forbidden")),
            (Access::Anyone | Access::Token, _) => {}
        }
        let newer_version = version == VERSIONS[1];
        let (links, login) = (&self.links, self.login.as_str());
        let operation = route.operation;
        let call = Call { request, operation, path, links, login, authorized, speaker, now, newer_version };
        let resource = self.resource(request);
        let (answer, pending) = self.state.with(|state| {
            let answer = handle(state, route, &call, resource);
            (answer, std::mem::take(&mut state.deliveries.pending))
        });
        self.send_pending(pending);
        let mut answer = answer?;
        answer.set("x-github-api-version-selected", version);
        Ok(answer)
    }

    /// The headers that every answer carries.
    fn finish(&self, request: &Received, now: u64, mut answer: Answer) -> Answer {
        let authorized = self.is_authorized(request);
        let resource = self.resource(request);
        self.state.with(|state| state.quota(authorized, resource).report(now, &mut answer));
        answer.set("server", "connect-testkit");
        answer.set("date", http_date(now));
        answer.set("x-github-request-id", format!("FA4E:{:06X}", unique::number()));
        answer.set("x-github-media-type", "github.v3; format=json");
        if authorized {
            answer.set("x-oauth-scopes", "repo, user");
            answer.set("x-accepted-oauth-scopes", "");
        }
        answer
    }
}

/// GitHub takes `token` as well as `Bearer`.
fn is_bearer(scheme: &str) -> bool {
    ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn handle(
    state: &mut State,
    route: &routes::Route,
    call: &Call<'_>,
    resource: &str,
) -> Result<Answer, Failure> {
    let Call { request, authorized, now, .. } = *call;
    if !route.free && state.quota(authorized, resource).is_exhausted(now) {
        return Err(Failure::primary_limit(call.login));
    }
    let answer = (route.handler)(state, call).map(|done| success(request, &done));
    // A 304 is free; a refused request is not.
    let unchanged = answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::NOT_MODIFIED);
    if !route.free && !unchanged {
        state.quota(authorized, resource).charge();
    }
    answer
}

impl Provider for GitHub {
    fn operation(&self, request: &Received) -> Option<String> {
        self.route(request).map(|(route, _)| route.operation.to_owned())
    }

    fn accepts(&self, scheme: &str, credential: &str) -> bool {
        let knows = |state: &mut State| state.apps.speaker(credential, self.clock.now()).is_some();
        is_bearer(scheme) && (credential == self.token || self.state.with(knows))
    }

    fn answer(&self, request: &Received) -> Answer {
        let now = self.clock.now();
        if request.header("user-agent").is_none_or(str::is_empty) {
            return self.finish(request, now, answer::no_user_agent());
        }
        let credential = request.authorization().map_or("", |(_, credential)| credential);
        let refused = self.state.with(|state| {
            let account = state.apps.account(credential, now);
            state.secondary.admit(&account, &request.method, now)
        });
        let answer = refused.unwrap_or_else(|| {
            self.carry_out(request, now).unwrap_or_else(|failure| answer::failure(&failure))
        });
        self.finish(request, now, answer)
    }

    fn refuse(&self, request: &Received, refusal: &Refusal) -> Answer {
        let now = self.clock.now();
        if let Refusal::PrimaryLimit { reset_in } = refusal {
            let authorized = self.is_authorized(request);
            let resource = self.resource(request);
            self.state.with(|state| state.quota(authorized, resource).exhaust(now, *reset_in));
        }
        self.finish(request, now, answer::refusal(refusal, &self.login))
    }

    fn problems(&self, request: &Received) -> Vec<String> {
        self.route(request).map(|(route, _)| route.problems(request)).unwrap_or_default()
    }
}
