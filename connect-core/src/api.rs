//! What a provider is to the stack: an id, a base URL, and the judgement what an answer means.
//!
//! *Deciding what a failure is* happens here, once per attempt; *acting on it* happens in the layers. That keeps
//! HTTP-200 failures (Slack's `ok: false`, GraphQL errors) out of every layer's code.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::client::Client;
use crate::error::ErrorKind;
use crate::hint::retry_after;
use crate::quota::{HeaderModel, QuotaModel};
use crate::response::Response;

/// What an answer means for the stack.
///
/// Few on purpose: one per reaction. The finer [`ErrorKind`] is worked out only when the call has failed for good.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The operation succeeded.
    Success,
    /// A definite refusal for the rate limit: nothing was applied, so even an unsafe request may be sent again.
    RateLimited {
        /// How long the provider asks to wait, if it says.
        retry_after: Option<Duration>,
    },
    /// The provider failed; the request may have been applied.
    Transient {
        /// How long the provider asks to wait, if it says.
        retry_after: Option<Duration>,
    },
    /// The credential is not accepted.
    Unauthenticated,
    /// A refusal that sending it again will not change.
    Refused,
}

impl Verdict {
    /// The verdict of a provider that uses HTTP statuses as HTTP means them (RFC 9110): 2xx and 304 succeed, 429 is
    /// the rate limit, 5xx and 408 are transient, 401 is the credential, everything else a refusal. `Retry-After` is
    /// read where it has a meaning.
    pub fn from_status(response: &Response) -> Self {
        let status = response.status();
        match status {
            _ if status.is_success() || status == StatusCode::NOT_MODIFIED => Self::Success,
            StatusCode::TOO_MANY_REQUESTS => {
                Self::RateLimited { retry_after: retry_after(response.headers()) }
            }
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::REQUEST_TIMEOUT => Self::Transient { retry_after: None },
            _ if status.is_server_error() => Self::Transient { retry_after: retry_after(response.headers()) },
            _ => Self::Refused,
        }
    }
}

/// What the provider said about a failure, for the [`Error`](crate::Error) an operator will read.
///
/// Built by [`Api::problem`] after the last attempt only, so it may parse the body at leisure.
#[non_exhaustive]
#[derive(Default)]
pub struct Problem {
    /// A better kind than the status alone suggests.
    pub kind: Option<ErrorKind>,
    /// The provider's own words, one line; never arguments of the request.
    pub message: Option<String>,
    /// The provider's payload, for [`Error::details`](crate::Error::details).
    pub details: Option<Box<dyn Any + Send + Sync>>,
}

impl Problem {
    /// Adds a better kind than the status suggests, if there is one.
    #[must_use]
    pub fn with_kind(mut self, kind: Option<ErrorKind>) -> Self {
        self.kind = kind;
        self
    }

    /// Adds the provider's words, if there are any.
    #[must_use]
    pub fn with_message(mut self, message: Option<String>) -> Self {
        self.message = message;
        self
    }

    /// Adds the provider's payload.
    #[must_use]
    pub fn with_details(mut self, details: impl Any + Send + Sync) -> Self {
        self.details = Some(Box::new(details));
        self
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// One provider. A type without values: `pub enum GitHubApi {}`.
///
/// The crate's front page shows a complete implementation.
pub trait Api: Sized + Send + Sync + 'static {
    /// Short name for logs, metrics and errors: `github`.
    const ID: &'static str;
    /// The provider's public API; a template (`https://your-site.example`) where every customer has a host of its own.
    const BASE_URL: &'static str;
    /// Response headers that may carry the request's id, best first.
    const REQUEST_ID_HEADERS: &'static [&'static str] = &["x-request-id"];
    /// The request header by which the provider recognises a repetition of a
    /// [`Safety::Keyed`](crate::Safety::Keyed) operation; `None` if it knows no such keys, and then such an operation
    /// counts as unsafe.
    const IDEMPOTENCY_HEADER: Option<&'static str> = None;
    /// What building a client yields: the provider's newtype round [`Client`], or the client itself.
    type Handle: From<Client<Self>>;

    /// What an answer means. Called once per attempt, on the hot path: look before parsing. Where the answer alone does not
    /// tell, [`Response::sent`] says what it answers.
    fn classify(response: &Response) -> Verdict;

    /// The provider's limits. Without a model of its own: whatever the usual headers say, and every 429.
    fn quota() -> Arc<dyn QuotaModel> {
        Arc::new(HeaderModel::default())
    }

    /// What the provider says about a failed call. Called once, after the last attempt.
    fn problem(_response: &Response) -> Problem {
        Problem::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn statuses_mean_what_http_says() {
        let verdict = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Verdict::from_status(&Response::new(status, HeaderMap::new(), ""))
        };
        assert_eq!(verdict(200), Verdict::Success);
        assert_eq!(verdict(204), Verdict::Success);
        assert_eq!(verdict(304), Verdict::Success);
        assert_eq!(verdict(301), Verdict::Refused);
        assert_eq!(verdict(401), Verdict::Unauthenticated);
        assert_eq!(verdict(404), Verdict::Refused);
        assert_eq!(verdict(408), Verdict::Transient { retry_after: None });
        assert_eq!(verdict(429), Verdict::RateLimited { retry_after: None });
        assert_eq!(verdict(503), Verdict::Transient { retry_after: None });
    }
}
