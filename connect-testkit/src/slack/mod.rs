//! A fake Slack: the Web API's paths, encodings, error words and pages for a handful of methods.
//!
//! It knows `auth.test`, `chat.postMessage`, `chat.getPermalink`, `conversations.list`,
//! `conversations.history` and `conversations.replies`. By default it starts without channels, and accepts
//! one bot token of its own, in the `Authorization` header only.
//! Not a model of permissions: the bot is in every channel and may do everything.

mod answer;
mod arguments;
mod chat;
mod conversations;
mod cursor;
mod methods;
mod webhook;
mod workspace;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

pub use self::webhook::SlackDelivery;
pub use self::workspace::Message;

use self::answer::{Handled, Refused};
use self::arguments::Arguments;
use self::workspace::Workspace;
use crate::clock::{Clock, http_date};
use crate::delivery::SignedDelivery;
use crate::fault::{FaultPlan, Refusal};
use crate::post::Reply;
use crate::record::Recorded;
use crate::server::{Answer, Loopback, Provider, Received};
use crate::shared::Shared;
use crate::unique;

/// A Slack workspace on loopback; it ends when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let slack = connect_testkit::FakeSlack::start().await?;
/// slack.add_channel("C0PULLS", "pulls");
///
/// let url = format!("{}chat.postMessage", slack.url());
/// let bearer = format!("Bearer {}", slack.token());
/// let headers = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
/// connect_testkit::post(&url, &headers, "channel=C0PULLS&text=hello").await?;
/// assert_eq!(slack.messages("C0PULLS")[0].text, "hello");
/// # Ok(()) }
/// ```
pub struct FakeSlack {
    server: Loopback,
    provider: Arc<Slack>,
    url: String,
}

impl FakeSlack {
    /// Starts with the defaults.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts with settings of your own.
    pub fn builder() -> FakeSlackBuilder {
        FakeSlackBuilder::default()
    }

    /// The base URL of the Web API, with a trailing slash, so that method names can be appended or joined:
    /// `http://127.0.0.1:{port}/api/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The one token that the fake accepts.
    pub fn token(&self) -> &str {
        &self.provider.token
    }

    /// The secret that [`sign`](Self::sign) and [`deliver`](Self::deliver) sign with.
    pub fn signing_secret(&self) -> &str {
        &self.provider.signing_secret
    }

    /// What goes wrong.
    pub fn faults(&self) -> &FaultPlan {
        &self.server.faults
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.journal.all()
    }

    /// How many requests reached a method, refused and dropped ones included; `"*"` counts all.
    pub fn count(&self, method: &str) -> usize {
        self.server.journal.count(method)
    }

    /// Waits until a method was called this often, so that a test needs no sleep.
    ///
    /// It waits for ever if that never happens: wrap it in `tokio::time::timeout`.
    pub async fn wait_for(&self, method: &str, count: usize) {
        self.server.journal.wait_for(method, count).await;
    }

    /// Adds a public channel that the bot is in; a known id gets the new name.
    pub fn add_channel(&self, id: &str, name: &str) {
        let now = self.provider.clock.now();
        self.provider.workspace.with(|workspace| workspace.add_channel(id, name, now));
    }

    /// Adds a message that a person wrote, and returns its timestamp.
    pub fn add_message(&self, channel: &str, text: &str) -> String {
        let now = self.provider.clock.now();
        self.provider.workspace.with(|workspace| {
            let ts = workspace.next_ts(now);
            workspace.messages.push(Message {
                channel: channel.to_owned(),
                ts: ts.clone(),
                text: text.to_owned(),
                user: workspace::HUMAN.to_owned(),
                bot_id: None,
                thread_ts: None,
                reply_broadcast: false,
                metadata: None,
                blocks: None,
                attachments: None,
            });
            ts
        })
    }

    /// The messages of a channel by id, replies included, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        self.provider.workspace.with(|workspace| {
            workspace.messages.iter().filter(|message| message.channel == channel).cloned().collect()
        })
    }

    /// Moves the fake's clock forward, for message timestamps, `Date` and signatures.
    pub fn advance_clock(&self, by: Duration) {
        self.provider.clock.advance(by);
    }

    /// Signs a delivery with this fake's secret, at this fake's time unless the delivery has one.
    pub fn sign(&self, delivery: SlackDelivery) -> SignedDelivery {
        delivery.at_unless_set(self.provider.clock.now()).sign(self.signing_secret())
    }

    /// Signs a delivery and posts it once; Slack's retries are yours to make, see [`SlackDelivery::retry`].
    ///
    /// # Errors
    /// As [`send`](crate::send): a bad URL, no connection, or no complete answer.
    pub async fn deliver(&self, url: &str, delivery: SlackDelivery) -> io::Result<Reply> {
        self.sign(delivery).deliver_to(url).await
    }

    /// Ends the fake and waits until its port refuses connections; dropping it does not wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl fmt::Debug for FakeSlack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSlack").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Settings of a [`FakeSlack`]; see its example.
pub struct FakeSlackBuilder {
    token: String,
    signing_secret: String,
    start: Option<u64>,
}

impl Default for FakeSlackBuilder {
    fn default() -> Self {
        let number = unique::number();
        Self {
            token: format!("xoxb-fake-testkit-{number}"),
            signing_secret: format!("fake-slack-signing-secret-{number}"),
            start: None,
        }
    }
}

impl FakeSlackBuilder {
    /// The one token to accept; by default an obviously fake bot token, unique in the process.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// The secret to sign deliveries with; by default an obviously fake one, unique in the process.
    pub fn signing_secret(mut self, secret: impl Into<String>) -> Self {
        self.signing_secret = secret.into();
        self
    }

    /// Starts the clock at this moment, where it stands still until
    /// [`advance_clock`](FakeSlack::advance_clock); by default it is the machine's clock.
    pub fn start_time(mut self, unix_seconds: u64) -> Self {
        self.start = Some(unix_seconds);
        self
    }

    /// Binds a free port on 127.0.0.1 and starts to serve.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<FakeSlack> {
        let make = |address: SocketAddr| {
            Arc::new(Slack {
                origin: format!("http://{address}"),
                token: self.token,
                signing_secret: self.signing_secret,
                clock: Clock::new(self.start),
                workspace: Shared::new(Workspace::new()),
            })
        };
        let (server, provider) = Loopback::start(make).await?;
        let url = format!("{}/api/", provider.origin);
        Ok(FakeSlack { server, provider, url })
    }
}

impl fmt::Debug for FakeSlackBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeSlackBuilder").field("start", &self.start).finish_non_exhaustive()
    }
}

struct Slack {
    origin: String,
    token: String,
    signing_secret: String,
    clock: Clock,
    workspace: Shared<Workspace>,
}

impl Slack {
    fn carry_out(&self, request: &Received, method: &str, now: u64) -> (Handled, bool) {
        let Some(row) = methods::find(method) else { return (Err(Refused("unknown_method")), false) };
        let arguments = match Arguments::parse(request, row.reads_json) {
            Ok(arguments) => arguments,
            Err(refused) => return (Err(refused), false),
        };
        let handled = self.check_token(request).and_then(|()| {
            let call = methods::Call { arguments: &arguments, origin: &self.origin, now };
            self.workspace.with(|workspace| (row.handler)(workspace, &call))
        });
        (handled, arguments.lacks_charset)
    }

    fn check_token(&self, request: &Received) -> Result<(), Refused> {
        match request.authorization() {
            None => Err(Refused("not_authed")),
            Some((scheme, credential)) if self.accepts(scheme, credential) => Ok(()),
            Some(_) => Err(Refused("invalid_auth")),
        }
    }

    fn finish(&self, now: u64, mut answer: Answer) -> Answer {
        answer.set("server", "connect-testkit");
        answer.set("date", http_date(now));
        answer.set("x-slack-req-id", format!("{:032x}", unique::number()));
        answer.set("x-oauth-scopes", "chat:write,channels:read,channels:history");
        answer.set("vary", "Accept-Encoding");
        answer
    }
}

/// The method in `/api/{method}`; a doubled slash, from a base URL with one and a path with another, is fine.
fn method_of(request: &Received) -> Option<&str> {
    let method = request.path.trim_start_matches('/').strip_prefix("api/")?.trim_start_matches('/');
    (!method.is_empty() && !method.contains('/')).then_some(method)
}

impl Provider for Slack {
    fn operation(&self, request: &Received) -> Option<String> {
        method_of(request).map(str::to_owned)
    }

    fn accepts(&self, scheme: &str, credential: &str) -> bool {
        scheme.eq_ignore_ascii_case("bearer") && credential == self.token
    }

    fn answer(&self, request: &Received) -> Answer {
        let now = self.clock.now();
        let answer = match method_of(request) {
            None => answer::page(StatusCode::NOT_FOUND),
            Some(_) if request.method != Method::GET && request.method != Method::POST => {
                answer::page(StatusCode::METHOD_NOT_ALLOWED)
            }
            Some(method) => {
                let (handled, lacks_charset) = self.carry_out(request, method, now);
                answer::answer(handled, lacks_charset)
            }
        };
        self.finish(now, answer)
    }

    fn refuse(&self, _: &Received, refusal: &Refusal) -> Answer {
        self.finish(self.clock.now(), answer::refusal(refusal))
    }

    fn problems(&self, request: &Received) -> Vec<String> {
        let Some(row) = method_of(request).and_then(methods::find) else { return Vec::new() };
        self.workspace.with(|workspace| row.problems(request, workspace))
    }
}
