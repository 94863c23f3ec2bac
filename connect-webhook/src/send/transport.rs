//! The way to the receiver: a trait of one method, so that tests run in memory.
//!
//! A transport sends one request once: it follows no redirect, retries nothing and keeps no time, all of
//! which is decided above it. [`HttpTransport`](super::HttpTransport) is the real one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use crate::error::BuildError;

use super::guard::Refusal;

/// Sends one request and brings the answer back.
///
/// ```
/// use connect_webhook::async_trait;
/// use connect_webhook::send::{Answer, Failure, Outgoing, Transport};
///
/// struct AlwaysBusy;
///
/// #[async_trait]
/// impl Transport for AlwaysBusy {
///     async fn post(&self, _outgoing: Outgoing) -> Result<Answer, Failure> {
///         let busy = Answer::new(http::StatusCode::SERVICE_UNAVAILABLE);
///         Ok(busy.with_header("retry-after", http::HeaderValue::from(60)))
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync {
    /// Posts once. Must be safe to cancel: a time-out drops this future.
    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
        (**self).post(outgoing).await
    }
}

/// A signed request, ready to be posted. `Debug` shows only where to.
///
/// ```
/// use connect_webhook::send::Outgoing;
/// // To test a transport of your own.
/// let outgoing = Outgoing::new("https://customer.example/hooks?key=1".parse()?, http::HeaderMap::new(), "{}");
/// assert!(!format!("{outgoing:?}").contains("key=1"));
/// # Ok::<(), url::ParseError>(())
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct Outgoing {
    /// Where to; path and query string may hold secrets of the customer.
    pub url: Url,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The bytes that were signed.
    pub body: Bytes,
}

impl Outgoing {
    /// A request; a [`Sender`](super::Sender) makes its own.
    pub fn new(url: Url, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { url, headers, body: body.into() }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a receiver answered. `Debug` shows no header and no body: a receiver may echo what it was sent.
#[non_exhaustive]
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers; `Retry-After` and `Date` are read.
    pub headers: HeaderMap,
    /// The beginning of the body, as far as the transport reads.
    pub body: Bytes,
}

impl Answer {
    /// An answer without headers and body.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// With one header more.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// With these headers.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// With this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no answer. No text shows a path or a query string.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The guard does not let the destination be reached.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The message cannot be signed by the destination's scheme; nothing was sent.
    #[error(transparent)]
    Unsigned(BuildError),
    /// No connection: the name has no address, nobody listens there, or the certificate is not valid.
    #[error("no connection ({detail}); check the address, and that its server runs with a valid certificate")]
    Unreachable {
        /// What the layers below say.
        detail: String,
    },
    /// The connection broke before an answer. Whether the receiver has the message, nobody knows.
    #[error("the connection broke before an answer ({detail}); look into the receiver's log for the reason")]
    Interrupted {
        /// What the layers below say.
        detail: String,
    },
    /// No complete answer in time. Whether the receiver has the message, nobody knows.
    #[error("no answer within {} s; answer first and work on the message afterwards", .after.as_secs_f64())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
}
