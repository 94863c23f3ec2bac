//! A fake GitHub: real paths, headers, pages, errors and limits for a handful of operations.
//!
//! It knows `issues/get`, `issues/create`, `issues/list-for-repo`, `issues/create-comment`,
//! `users/get-authenticated` and `rate-limit/get`. By default it starts empty, accepts one token of its own,
//! and grants 5,000 requests an hour. Public data may be read without a token, as on GitHub.
//! Not a model of all of GitHub: every other path is 404, and a request that expects more than the fake does
//! says so in [`Recorded::problems`].

mod answer;
mod issues;
mod links;
mod page;
mod quota;
mod routes;
mod shape;
mod state;
mod webhook;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

pub use self::state::{Comment, Issue};
pub use self::webhook::GitHubDelivery;

use self::answer::{Failure, success};
use self::links::Links;
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
        delivery.linking_to(self.provider.links.clone()).sign(self.webhook_secret())
    }

    /// Signs a delivery and posts it once; GitHub never repeats one by itself.
    ///
    /// # Errors
    /// As [`send`](crate::send): a bad URL, no connection, or no complete answer.
    pub async fn deliver(&self, url: &str, delivery: GitHubDelivery) -> io::Result<Reply> {
        self.sign(delivery).deliver_to(url).await
    }

    /// Ends the fake and waits until its port refuses connections; dropping it does not wait.
    pub async fn stop(self) {
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
    limit: u64,
    start: Option<u64>,
}

impl Default for FakeGitHubBuilder {
    fn default() -> Self {
        let number = unique::number();
        Self {
            token: format!("ghp_fake-testkit-{number}"),
            webhook_secret: format!("fake-github-webhook-secret-{number}"),
            login: "testkit-bot".to_owned(),
            prefix: String::new(),
            // What GitHub grants a user's token per hour.
            limit: 5000,
            start: None,
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
    pub fn rate_limit(mut self, requests_per_hour: u64) -> Self {
        self.limit = requests_per_hour;
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
        let make = |address: SocketAddr| {
            let html = format!("http://{address}");
            Arc::new(GitHub {
                links: Links { api: format!("{html}{}", self.prefix), html },
                token: self.token,
                webhook_secret: self.webhook_secret,
                login: self.login,
                prefix: self.prefix,
                clock: Clock::new(self.start),
                state: Shared::new(State::new(self.limit)),
            })
        };
        let (server, provider) = Loopback::start(make).await?;
        Ok(FakeGitHub { server, provider })
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
        routes::find(&request.method, request.path.strip_prefix(&self.prefix)?)
    }

    fn is_authorized(&self, request: &Received) -> bool {
        request.authorization().is_some_and(|(scheme, credential)| self.accepts(scheme, credential))
    }

    fn carry_out(&self, request: &Received, now: u64) -> Result<Answer, Failure> {
        let authorized = self.is_authorized(request);
        if !authorized && request.header("authorization").is_some() {
            return Err(Failure::bad_credentials());
        }
        let version = request.header("x-github-api-version").unwrap_or(VERSIONS[0]);
        if !VERSIONS.contains(&version) {
            return Err(Failure::bad_request(format!("\"{version}\" is not a supported API version.")));
        }
        let (route, path) = self.route(request).ok_or_else(Failure::not_found)?;
        if route.access == Access::Token && !authorized {
            return Err(Failure::requires_authentication());
        }
        let newer_version = version == VERSIONS[1];
        let (links, login) = (&self.links, self.login.as_str());
        let call = Call { request, path, links, login, authorized, now, newer_version };
        self.state.with(|state| {
            if !route.free && state.quota(authorized).is_exhausted(now) {
                return Err(Failure::primary_limit(login));
            }
            let answer = (route.handler)(state, &call).map(|done| success(request, &done));
            // A 304 is free; a refused request is not.
            let unchanged = answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::NOT_MODIFIED);
            if !route.free && !unchanged {
                state.quota(authorized).charge();
            }
            let mut answer = answer?;
            answer.set("x-github-api-version-selected", version);
            Ok(answer)
        })
    }

    /// The headers that every answer carries.
    fn finish(&self, request: &Received, now: u64, mut answer: Answer) -> Answer {
        let authorized = self.is_authorized(request);
        self.state.with(|state| state.quota(authorized).report(now, &mut answer));
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

impl Provider for GitHub {
    fn operation(&self, request: &Received) -> Option<String> {
        self.route(request).map(|(route, _)| route.operation.to_owned())
    }

    /// GitHub takes `token` as well as `Bearer`.
    fn accepts(&self, scheme: &str, credential: &str) -> bool {
        ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) && credential == self.token
    }

    fn answer(&self, request: &Received) -> Answer {
        let now = self.clock.now();
        if request.header("user-agent").is_none_or(str::is_empty) {
            return self.finish(request, now, answer::no_user_agent());
        }
        let answer = self.carry_out(request, now).unwrap_or_else(|failure| answer::failure(&failure));
        self.finish(request, now, answer)
    }

    fn refuse(&self, request: &Received, refusal: &Refusal) -> Answer {
        let now = self.clock.now();
        if let Refusal::PrimaryLimit { reset_in } = refusal {
            let authorized = self.is_authorized(request);
            self.state.with(|state| state.quota(authorized).exhaust(now, *reset_in));
        }
        self.finish(request, now, answer::refusal(refusal, &self.login))
    }

    fn problems(&self, request: &Received) -> Vec<String> {
        self.route(request).map(|(route, _)| route.problems(request)).unwrap_or_default()
    }
}
