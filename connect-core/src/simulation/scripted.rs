//! A scripted transport in memory: answers in order, remembers what it was asked.
//!
//! For tests of anything that uses a client: no socket, no server, and under tokio's paused time no waiting.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Sent};
use crate::request::Request;
use crate::response::Response;
use crate::transport::{Transport, TransportFuture};

/// One scripted answer.
///
/// ```
/// use connect_core::simulation::Answer;
/// let limited = Answer::status(429).header("retry-after", "2");
/// let page = Answer::json(200, r#"[{"number": 1}]"#).header("link", r#"<https://a.example/2>; rel="next""#);
/// # let _ = (limited, page);
/// ```
#[derive(Clone)]
pub struct Answer {
    outcome: Outcome,
    delay: Duration,
}

#[derive(Clone)]
enum Outcome {
    Answer { status: StatusCode, headers: HeaderMap, body: Bytes },
    Failure { kind: ErrorKind, sent: Sent },
    Silence,
}

impl Answer {
    /// An answer without a body. A status HTTP does not know counts as 500.
    pub fn status(status: u16) -> Self {
        Self::json(status, "")
    }

    /// An answer with this body, named `application/json`.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { outcome: Outcome::Answer { status, headers, body: body.into() }, delay: Duration::ZERO }
    }

    /// No connection: proven not sent.
    pub fn refused_connection() -> Self {
        Self::failure(ErrorKind::Transport, Sent::No)
    }

    /// The request went out, then the connection broke.
    pub fn dropped_connection() -> Self {
        Self::failure(ErrorKind::Transport, Sent::Maybe)
    }

    /// Never answers.
    pub fn silence() -> Self {
        Self { outcome: Outcome::Silence, delay: Duration::ZERO }
    }

    fn failure(kind: ErrorKind, sent: Sent) -> Self {
        Self { outcome: Outcome::Failure { kind, sent }, delay: Duration::ZERO }
    }

    pub(super) async fn play(self) -> Result<Response, Error> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.outcome {
            Outcome::Answer { status, headers, body } => Ok(Response::new(status, headers, body)),
            Outcome::Failure { kind, sent } => {
                Err(Error::new(kind, "the scripted connection failed").with_sent(sent))
            }
            Outcome::Silence => std::future::pending().await,
        }
    }

    /// Adds a header; one that HTTP cannot carry is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let (Outcome::Answer { headers, .. }, Ok(value)) =
            (&mut self.outcome, HeaderValue::from_str(value))
        {
            headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// Answers after this long.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Answer { status, .. } => write!(f, "Answer({status})"),
            Outcome::Failure { sent, .. } => write!(f, "Answer(no answer, sent: {sent:?})"),
            Outcome::Silence => f.write_str("Answer(silence)"),
        }
    }
}

/// A request as the transport saw it.
///
/// The credential is kept for assertions and stays out of `Debug`.
#[non_exhaustive]
#[derive(Clone)]
pub struct Seen {
    /// The operation's name.
    pub operation: String,
    /// The HTTP method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// The headers, without the credential.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// When it arrived.
    pub at: Instant,
    credential: Option<HeaderValue>,
}

impl Seen {
    pub(super) fn new(request: &Request, body: Bytes) -> Self {
        Self {
            operation: request.operation().name.to_string(),
            method: request.method().clone(),
            url: request.url().map(ToString::to_string).unwrap_or_default(),
            headers: request.headers().clone(),
            credential: request.credential().map(|(_, value)| value.clone()),
            body,
            at: Instant::now(),
        }
    }

    /// The credential's header value, if one was attached.
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_ref()?.to_str().ok()
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("authorized", &self.credential.is_some())
            .finish_non_exhaustive()
    }
}

/// A transport that gives scripted answers in order. Clones share script and memory, so keep one to look at afterwards.
///
/// ```
/// use connect_core::simulation::{Answer, Scripted};
/// let transport = Scripted::new([Answer::status(502), Answer::json(200, "{}")]);
/// let looking = transport.clone(); // the client takes `transport`
/// assert_eq!(looking.requests().len(), 0);
/// assert_eq!(looking.unused(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    seen: Vec<Seen>,
}

impl Scripted {
    /// Gives these answers, in this order. A request beyond the script is answered 599, which no client mistakes for
    /// a scripted answer.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(Mutex::new(Script { answers: answers.into_iter().collect(), seen: Vec::new() })))
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// How many answers are left.
    pub fn unused(&self) -> usize {
        self.lock().answers.len()
    }

    /// Remembers a request and draws its answer.
    fn next(&self, seen: Seen) -> Answer {
        let mut script = self.lock();
        script.seen.push(seen);
        script.answers.pop_front().unwrap_or_else(|| Answer::status(599))
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Scripted {
    fn send(&self, mut request: Request) -> TransportFuture {
        let script = self.clone();
        Box::pin(async move {
            let body = read_body(&mut request).await?;
            let answer = script.next(Seen::new(&request, body));
            answer.play().await
        })
    }
}

/// The whole body, as a provider reads it.
pub(super) async fn read_body(request: &mut Request) -> Result<Bytes, Error> {
    request.take_body().collect().await.map_err(|error| match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Transport, "the request's body failed")
            .with_sent(Sent::Maybe)
            .with_source(error),
    })
}
