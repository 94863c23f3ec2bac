//! The transport under a client that is being checked: answers by a rule, and keeps what it was sent.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use url::Origin;

use super::super::scripted::{Answer, Seen};
use super::{Subject, Violation};
use crate::error::Error;
use crate::request::Request;
use crate::transport::{Transport, TransportFuture};

/// What a deadline may be overshot by: tokio's timer counts in milliseconds.
const MARGIN: Duration = Duration::from_millis(50);

/// Given how many requests there were before, and the request.
type Rule = Box<dyn Fn(usize, &Contact) -> Answer + Send + Sync>;

#[derive(Clone)]
pub(super) struct Probe(Arc<Shared>);

struct Shared {
    rule: Rule,
    contacts: Mutex<Vec<Contact>>,
}

/// One request that reached the transport.
#[derive(Clone)]
pub(super) struct Contact {
    pub(super) seen: Seen,
    pub(super) origin: Option<Origin>,
    /// What `Debug` shows of it.
    pub(super) printed: String,
    /// The values of the headers that only this attempt carries.
    pub(super) secrets: Vec<String>,
}

impl Contact {
    pub(super) fn at(&self) -> Instant {
        self.seen.at
    }
}

impl Probe {
    pub(super) fn new(rule: impl Fn(usize, &Contact) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { rule: Box::new(rule), contacts: Mutex::new(Vec::new()) }))
    }

    /// Gives the first answer once, and then always the other.
    pub(super) fn first_then(first: Answer, then: Answer) -> Self {
        Self::new(move |before, _| if before == 0 { first.clone() } else { then.clone() })
    }

    pub(super) fn client<C>(&self, subject: &Subject<C>) -> C {
        (subject.build)(Arc::new(self.clone()))
    }

    pub(super) fn contacts(&self) -> Vec<Contact> {
        self.0.contacts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Probe {
    fn send(&self, request: Request) -> TransportFuture {
        let printed = format!("{request:?}");
        // Only bodies in memory are looked at; the others' contents are their maker's.
        let body = request.body().as_bytes().cloned().unwrap_or_default();
        let secrets = request
            .attempt_headers()
            .map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        let origin = request.url().map(url::Url::origin);
        let contact = Contact { seen: Seen::new(&request, body), origin, printed, secrets };
        let mut contacts = self.0.contacts.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = (self.0.rule)(contacts.len(), &contact);
        contacts.push(contact);
        Box::pin(answer.play())
    }
}

/// Waits for the end of an operation, but not much longer than its deadline.
pub(super) async fn outcome<C>(
    subject: &Subject<C>,
    what: &str,
    operation: impl Future<Output = Result<(), Error>>,
) -> Result<Result<(), Error>, Violation> {
    match timeout(subject.deadline.saturating_add(MARGIN), Caught(Box::pin(operation))).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(message)) => Err(Violation::new(format!("{what} ended in a panic: {message}"))),
        Err(_) => {
            let deadline = subject.deadline.as_secs_f64();
            Err(Violation::new(format!("{what} did not end by its deadline of {deadline} s")))
        }
    }
}

/// Turns a panic of the inner future into its message.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        // The future is not polled again after a panic, so nobody sees it half-changed.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(message(&*panic))),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "without a message".to_owned(),
    }
}
