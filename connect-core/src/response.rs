//! A collected answer, with the verdict that every layer reads.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::api::Verdict;

/// An answer of the provider. `Debug` shows no header values and no body.
///
/// Opaque, so that streamed answers can join without breaking anybody.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    verdict: Option<Verdict>,
}

impl Response {
    /// An answer as the transport collected it, not yet classified.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), verdict: None }
    }

    /// The HTTP status. Slack and GraphQL report failures under 200, so layers read [`Response::verdict`] instead.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// One header as text; `None` if it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole body.
    pub fn body(&self) -> &Bytes {
        &self.body
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
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("verdict", &self.verdict)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
