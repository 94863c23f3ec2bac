//! The promises of this family as checks that any client can run against itself: one written with this crate, or any
//! other that sends by a [`Transport`].
//!
//! Each check builds fresh clients on a transport in memory, lets them meet one kind of trouble, and says in a sentence
//! what they did wrong. Run them in tokio's paused time (`#[tokio::test(start_paused = true)]`): they wait for minutes.
//!
//! ```
//! # use connect_core::{Api, Client, Config, Credentials, Error, Raw, Response, Verdict};
//! # #[derive(Debug)] enum Weather {}
//! # impl Api for Weather {
//! #     const ID: &'static str = "weather"; const BASE_URL: &'static str = "https://api.weather.example";
//! #     type Handle = Client<Weather>;
//! #     fn classify(response: &Response) -> Verdict { Verdict::from_status(response) }
//! # }
//! # type Today = Raw<Weather, serde_json::Value>;
//! use connect_core::simulation::contract::{self, Subject};
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let subject = Subject::new(
//!     |transport| {
//!         let builder = Client::<Weather>::builder().credentials(Credentials::bearer("canary-1"));
//!         builder.transport(transport).build().expect("the settings are right")
//!     },
//!     |client| client.send(Today::get("/today").expect("a path")),
//!     |client| client.send(Today::post("/reports", &()).expect("a path")),
//! )
//! .canary("canary-1");
//! let findings = contract::run_all(&subject).await;
//! assert!(findings.are_kept(), "{findings}");
//! # }
//! ```

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;

use super::scripted::Answer;
use crate::error::Error;
use crate::transport::Transport;

mod cancellation;
mod credentials;
mod limits;
mod lists;
mod log;
mod probe;
mod writes;

pub use cancellation::{cancelled_calls_leak_nothing, cancelled_writes_are_sent_once};
pub use credentials::{credentials_stay_home, refused_tokens_are_replaced_once, secrets_are_not_shown};
pub use limits::{hostile_hints_end, limits_are_obeyed, limits_are_shared};
pub use lists::{foreign_pages_get_no_credential, repeated_cursors_end};
pub use writes::{failed_writes_are_sent_once, unsent_writes_are_sent_again};

type Sending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Operate<C> = Box<dyn Fn(&C) -> Sending + Send + Sync>;
type Items = Pin<Box<dyn Stream<Item = Result<(), Error>> + Send>>;

/// A client under test: how to build it, and how to make it do something.
///
/// The [module](self) shows one.
pub struct Subject<C> {
    build: Box<dyn Fn(Arc<dyn Transport>) -> C + Send + Sync>,
    read: Operate<C>,
    write: Operate<C>,
    list: Option<List<C>>,
    canary: Option<String>,
    deadline: Duration,
    success: Answer,
    failure: Answer,
    limited: Box<dyn Fn(&str) -> Answer + Send + Sync>,
    renews_tokens: bool,
    shares_limits: bool,
}

struct List<C> {
    read: Box<dyn Fn(&C) -> Items + Send + Sync>,
    page: Box<dyn Fn(&str) -> Answer + Send + Sync>,
}

impl<C: Send + Sync + 'static> Subject<C> {
    /// `build` makes a fresh client that sends by this transport; `read` sends a
    /// [safe](crate::Safety::Safe) operation and `write` an [unsafe](crate::Safety::Unsafe) one.
    pub fn new<R, T, W, U>(
        build: impl Fn(Arc<dyn Transport>) -> C + Send + Sync + 'static,
        read: impl Fn(&C) -> R + Send + Sync + 'static,
        write: impl Fn(&C) -> W + Send + Sync + 'static,
    ) -> Self
    where
        R: IntoFuture<Output = Result<T, Error>>,
        R::IntoFuture: Send + 'static,
        W: IntoFuture<Output = Result<U, Error>>,
        W::IntoFuture: Send + 'static,
    {
        Self {
            build: Box::new(build),
            read: Box::new(move |client| sending(read(client))),
            write: Box::new(move |client| sending(write(client))),
            list: None,
            canary: None,
            deadline: Duration::from_secs(60),
            success: Answer::json(200, "{}"),
            failure: Answer::status(500),
            limited: Box::new(|wait| Answer::status(429).header("retry-after", wait)),
            renews_tokens: false,
            shares_limits: false,
        }
    }

    /// The secret the client is built with: it must not show anywhere.
    #[must_use]
    pub fn canary(mut self, secret: impl Into<String>) -> Self {
        self.canary = Some(secret.into());
        self
    }

    /// The deadline of the client's operations. Default 60 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What the provider answers when all is well. Default 200 with `{}`.
    #[must_use]
    pub fn success(mut self, answer: Answer) -> Self {
        self.success = answer;
        self
    }

    /// What the provider answers when it fails. Default 500.
    #[must_use]
    pub fn failure(mut self, answer: Answer) -> Self {
        self.failure = answer;
        self
    }

    /// How the provider refuses for its rate limit, given the value of `Retry-After`. Default 429 with this header.
    #[must_use]
    pub fn limited(mut self, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        self.limited = Box::new(answer);
        self
    }

    /// How to read a list, and a page of it that names its next page: a URL for lists that go on by a link, or any
    /// text for those with a cursor.
    #[must_use]
    pub fn list<S, T>(
        mut self,
        read: impl Fn(&C) -> S + Send + Sync + 'static,
        page: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self
    where
        S: Stream<Item = Result<T, Error>> + Send + 'static,
        T: 'static,
    {
        let read = Box::new(move |client: &C| Box::pin(lists::Erased::new(read(client))) as Items);
        self.list = Some(List { read, page: Box::new(page) });
        self
    }

    /// The client can get another token when one is refused.
    #[must_use]
    pub fn renews_tokens(mut self) -> Self {
        self.renews_tokens = true;
        self
    }

    /// All calls of the client wait when one of them was refused for the rate limit.
    #[must_use]
    pub fn shares_limits(mut self) -> Self {
        self.shares_limits = true;
        self
    }
}

impl<C> fmt::Debug for Subject<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

fn sending<T>(call: impl IntoFuture<Output = Result<T, Error>, IntoFuture: Send + 'static>) -> Sending {
    let future = call.into_future();
    Box::pin(async move { future.await.map(drop) })
}

/// A promise that was not kept.
///
/// Its `Display` is a sentence that says what the client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(String);

impl Violation {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

/// What became of one check.
///
/// Part of [`Findings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The promise is kept.
    Kept,
    /// The subject does not say what the check needs to know.
    Skipped(&'static str),
    /// It is not.
    Broken(Violation),
}

/// What became of all checks, in the order they ran.
///
/// From [`run_all`]; its `Display` has one line per check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<(&'static str, Finding)>);

impl Findings {
    /// Is no promise broken?
    pub fn are_kept(&self) -> bool {
        self.broken().next().is_none()
    }

    /// The names of the broken promises, each with what happened.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &Violation)> {
        self.0.iter().filter_map(|(name, finding)| match finding {
            Finding::Broken(violation) => Some((*name, violation)),
            Finding::Kept | Finding::Skipped(_) => None,
        })
    }

    /// All checks by their names, which are those of the functions.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        self.0.iter().map(|(name, finding)| (*name, finding))
    }

    fn add(&mut self, name: &'static str, result: Result<(), Violation>) {
        self.0.push((name, result.map_or_else(Finding::Broken, |()| Finding::Kept)));
    }

    fn skip(&mut self, name: &'static str, why: &'static str) {
        self.0.push((name, Finding::Skipped(why)));
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, finding) in &self.0 {
            match finding {
                Finding::Kept => writeln!(f, "kept     {name}")?,
                Finding::Skipped(why) => writeln!(f, "skipped  {name}: {why}")?,
                Finding::Broken(violation) => writeln!(f, "BROKEN   {name}: {violation}")?,
            }
        }
        Ok(())
    }
}

/// Runs every check that the subject says enough for.
pub async fn run_all<C: fmt::Debug + Send + Sync + 'static>(subject: &Subject<C>) -> Findings {
    const NO_CANARY: &str = "the subject names no canary";
    const NO_LIST: &str = "the subject has no list";
    let mut findings = Findings::default();
    findings.add("failed_writes_are_sent_once", failed_writes_are_sent_once(subject).await);
    findings.add("unsent_writes_are_sent_again", unsent_writes_are_sent_again(subject).await);
    findings.add("limits_are_obeyed", limits_are_obeyed(subject).await);
    if subject.shares_limits {
        findings.add("limits_are_shared", limits_are_shared(subject).await);
    } else {
        findings.skip("limits_are_shared", "the subject does not say that it shares them");
    }
    findings.add("hostile_hints_end", hostile_hints_end(subject).await);
    if subject.canary.is_some() {
        findings.add("secrets_are_not_shown", secrets_are_not_shown(subject).await);
        findings.add("credentials_stay_home", credentials_stay_home(subject).await);
    } else {
        findings.skip("secrets_are_not_shown", NO_CANARY);
        findings.skip("credentials_stay_home", NO_CANARY);
    }
    if subject.renews_tokens {
        findings.add("refused_tokens_are_replaced_once", refused_tokens_are_replaced_once(subject).await);
    } else {
        findings.skip("refused_tokens_are_replaced_once", "the subject cannot renew its token");
    }
    if subject.list.is_some() {
        findings.add("repeated_cursors_end", repeated_cursors_end(subject).await);
        findings.add("foreign_pages_get_no_credential", foreign_pages_get_no_credential(subject).await);
    } else {
        findings.skip("repeated_cursors_end", NO_LIST);
        findings.skip("foreign_pages_get_no_credential", NO_LIST);
    }
    findings.add("cancelled_calls_leak_nothing", cancelled_calls_leak_nothing(subject).await);
    findings.add("cancelled_writes_are_sent_once", cancelled_writes_are_sent_once(subject).await);
    findings
}
