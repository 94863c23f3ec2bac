//! An answer, with the verdict that every layer reads: collected as a rule, streamed where a call asks for it.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};

use crate::api::Verdict;
use crate::request::Head;

/// What a stream of bytes can fail with: an [`Error`](crate::Error) out of this family, anything out of a host's own.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Bytes as they come.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Where an answer comes from.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// From the provider, now.
    #[default]
    Provider,
    /// Out of the cache, and the provider says that it is still good.
    Revalidated,
    /// Out of the cache, because the provider gave no answer: it may be out of date.
    Stale,
    /// The default that the call named, because there was no answer.
    Default,
}

/// An answer of the provider. `Debug` shows no header values and no body.
///
/// Its body is whole in every layer above BodyGuard, unless the call asked for a stream.
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// What has not been collected; `body` is empty then.
    stream: Option<ByteStream>,
    verdict: Option<Verdict>,
    source: Source,
    /// What it answers.
    sent: Option<Arc<Head>>,
    is_authenticated: bool,
}

impl Response {
    /// An answer with its whole body, not yet classified.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
            stream: None,
            verdict: None,
            source: Source::Provider,
            sent: None,
            is_authenticated: false,
        }
    }

    /// An answer whose body is still to come.
    pub fn streamed(status: StatusCode, headers: HeaderMap, stream: ByteStream) -> Self {
        Self { stream: Some(stream), ..Self::new(status, headers, Bytes::new()) }
    }

    /// The HTTP status. Slack and GraphQL report failures under 200, so layers read [`Response::verdict`] instead.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, for layers that merge or mend them.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// One header as text; `None` if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole body; empty while it [is streamed](Response::is_streamed).
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Is the body still to come?
    pub fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Takes the body out that is still to come.
    pub fn take_stream(&mut self) -> Option<ByteStream> {
        self.stream.take()
    }

    /// The same answer with another body, which is whole.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.stream = None;
        self
    }

    /// The same answer with another body, which is still to come.
    #[must_use]
    pub fn with_stream(mut self, stream: ByteStream) -> Self {
        self.body = Bytes::new();
        self.stream = Some(stream);
        self
    }

    /// A copy; `None` while the body is streamed, because that can be read only once.
    pub fn duplicate(&self) -> Option<Self> {
        if self.stream.is_some() {
            return None;
        }
        Some(Self {
            status: self.status,
            headers: self.headers.clone(),
            body: self.body.clone(),
            stream: None,
            verdict: self.verdict,
            source: self.source,
            sent: self.sent.clone(),
            is_authenticated: self.is_authenticated,
        })
    }

    /// The request it answers, where the same answer means different things to different requests; `None` below the
    /// Classify layer and for an answer made by hand.
    pub fn sent(&self) -> Option<&Head> {
        self.sent.as_deref()
    }

    /// Did that request carry a credential?
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated
    }

    /// Says what it answers, and whether that carried a credential; the Classify layer does.
    #[must_use]
    pub fn answering(mut self, sent: Arc<Head>, is_authenticated: bool) -> Self {
        self.sent = Some(sent);
        self.is_authenticated = is_authenticated;
        self
    }

    /// What the answer means, decided once per attempt by [`Api::classify`](crate::Api::classify); `None` below the
    /// Classify layer.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Sets the verdict; the Classify layer does.
    #[must_use]
    pub fn with_verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Says where it comes from; the cache does.
    #[must_use]
    pub fn with_source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("verdict", &self.verdict)
            .field("source", &self.source)
            .field("body_bytes", &self.body.len())
            .field("streamed", &self.stream.is_some())
            .finish_non_exhaustive()
    }
}
