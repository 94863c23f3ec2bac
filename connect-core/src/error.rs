//! One error type for operators: what failed, whether the provider may have acted on it, and what to do next.
//!
//! [`Error`] is one word wide, so that `Result<T, Error>` stays small. `Display` is one line without query or body;
//! `{:#}` adds the chain of causes. Decisions are made on [`Error::kind`], [`Error::retry`] and [`Error::sent`], never
//! on the text. The provider's own error payload is reached with [`Error::details`].

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// What went wrong, in one word. Stable for `match`; the text of an error is not.
///
/// One of these per failure; `#[non_exhaustive]`, because later layers add theirs.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The client was built or called with a value that cannot work (bad URL, empty secret, zero time-out).
    Config,
    /// The provider does not accept the credentials.
    Auth,
    /// The credentials are accepted but may not do this.
    Forbidden,
    /// There is no such thing, or these credentials may not see it.
    NotFound,
    /// The thing changed or exists already.
    Conflict,
    /// The provider refuses the arguments, or a value cannot be put into a request.
    Invalid,
    /// The provider's rate limit; [`Error::retry`] says when it opens.
    RateLimited,
    /// The provider failed (5xx) or said it is busy.
    Unavailable,
    /// The operation's deadline or the attempt's time-out passed.
    Timeout,
    /// No usable answer arrived: connection refused, reset or cut, TLS failure.
    Transport,
    /// The answer is not what the provider's description promises.
    Decode,
    /// The answer is bigger than the configured limit, or of a kind this client does not handle.
    Unsupported,
    /// A refusal of the provider that fits none of the above.
    Provider,
}

impl ErrorKind {
    /// The kind as a label for logs, metrics and tables: `rate_limited`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Decode => "decode",
            Self::Unsupported => "unsupported",
            Self::Provider => "provider",
        }
    }
}

/// May the provider have acted on the request? This decides whether a write can be repeated.
///
/// An enum of its own, because a time-out and a refused connection differ in nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Proven not sent: nothing left this machine, so a repetition cannot double anything.
    No,
    /// The provider may or may not have acted on it: look before sending it again.
    Maybe,
    /// The provider answered, and the answer says what happened.
    Yes,
}

/// What the caller can do about an error.
///
/// The answer to "shall I try again?", worked out from the verdict, the operation's safety and the server's hints.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAdvice {
    /// The same call will fail the same way: change something first.
    Never,
    /// Repeating is safe; the attempts of this call are used up or its time is over.
    Later,
    /// Repeating is safe, but not before this much time has passed (the provider's own figure).
    After(Duration),
    /// It may have been applied: look for the effect before repeating it.
    CheckFirst,
}

/// A failed call. One word wide; see the [module](self) for how to read it.
///
/// ```
/// use connect_core::{Error, ErrorKind, RetryAdvice};
/// let error = Error::new(ErrorKind::Config, "GITHUB_API_URL is not a URL; use one like https://api.github.com");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.retry(), RetryAdvice::Never);
/// assert_eq!(error.to_string(), "GITHUB_API_URL is not a URL; use one like https://api.github.com");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    service: Option<&'static str>,
    operation: Option<Cow<'static, str>>,
    status: Option<StatusCode>,
    request_id: Option<Box<str>>,
    attempts: u32,
    sent: Sent,
    retry: RetryAdvice,
    details: Option<Box<dyn Any + Send + Sync>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; the message says what happened and, where possible, what to do about it.
    ///
    /// Starts as [`Sent::No`] and [`RetryAdvice::Never`]; the `with_*` methods add what is known.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            service: None,
            operation: None,
            status: None,
            request_id: None,
            attempts: 0,
            sent: Sent::No,
            retry: RetryAdvice::Never,
            details: None,
            source: None,
        }))
    }

    /// What went wrong, in one word.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the caller can do about it.
    pub fn retry(&self) -> RetryAdvice {
        self.0.retry
    }

    /// May the provider have acted on the request?
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// The HTTP status of the last answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The provider's id of the failed request: quote it to their support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The provider (`github`), if a client was involved.
    pub fn service(&self) -> Option<&'static str> {
        self.0.service
    }

    /// The operation in the provider's spelling (`issues/create`).
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// How many attempts were started; 0 if nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The bare message, without operation, status and advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The provider's own error payload, for example `connect_github::Problem`; also
    /// [`DecodeProblem`](crate::decode::DecodeProblem) for an answer that could not be decoded.
    pub fn details<T: Any>(&self) -> Option<&T> {
        self.0.details.as_deref().and_then(|details| details.downcast_ref())
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says whether the provider may have acted on the request.
    #[must_use]
    pub fn with_sent(mut self, sent: Sent) -> Self {
        self.0.sent = sent;
        self
    }

    /// Says what the caller can do.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryAdvice) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the provider's own payload, to be read with [`Error::details`].
    #[must_use]
    pub fn with_details(mut self, details: impl Any + Send + Sync) -> Self {
        self.0.details = Some(Box::new(details));
        self
    }

    pub(crate) fn with_boxed_details(mut self, details: Option<Box<dyn Any + Send + Sync>>) -> Self {
        self.0.details = details;
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        self.0.request_id = id.map(Into::into);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_operation(mut self, service: &'static str, operation: Cow<'static, str>) -> Self {
        self.0.service = Some(service);
        self.0.operation = Some(operation);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let (Some(service), Some(operation)) = (inner.service, &inner.operation) {
            write!(f, "{service} {operation}: ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(status) = inner.status {
            write!(f, " (HTTP {}", status.as_u16())?;
            if let Some(id) = &inner.request_id {
                write!(f, ", request id {id}")?;
            }
            f.write_str(")")?;
        }
        if inner.attempts > 1 {
            write!(f, " after {} attempts", inner.attempts)?;
        }
        match inner.retry {
            RetryAdvice::CheckFirst => {
                f.write_str("; it may have been applied: look for the effect before sending it again")?
            }
            RetryAdvice::After(wait) => write!(f, "; try again in {} s", wait.as_secs_f64().ceil())?,
            RetryAdvice::Later => f.write_str("; trying again later is safe")?,
            RetryAdvice::Never => {}
        }
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("service", &inner.service)
            .field("operation", &inner.operation)
            .field("status", &inner.status)
            .field("request_id", &inner.request_id)
            .field("attempts", &inner.attempts)
            .field("sent", &inner.sent)
            .field("retry", &inner.retry)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_word_wide() {
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_that_says_what_to_do() {
        let error = Error::new(ErrorKind::Unavailable, "the provider failed")
            .with_operation("slack", "chat.postMessage".into())
            .with_status(StatusCode::INTERNAL_SERVER_ERROR)
            .with_request_id(Some("abc"))
            .with_attempts(1)
            .with_sent(Sent::Maybe)
            .with_retry(RetryAdvice::CheckFirst);
        assert_eq!(
            error.to_string(),
            "slack chat.postMessage: the provider failed (HTTP 500, request id abc); \
             it may have been applied: look for the effect before sending it again"
        );
    }

    #[test]
    fn alternate_display_adds_the_chain_of_causes() {
        let cause = std::io::Error::other("reset by peer");
        let error = Error::new(ErrorKind::Transport, "the connection broke").with_source(cause);
        assert_eq!(format!("{error}"), "the connection broke");
        assert_eq!(format!("{error:#}"), "the connection broke: reset by peer");
    }

    #[test]
    fn details_come_back_by_type() {
        let error = Error::new(ErrorKind::Provider, "no").with_details(7_u8);
        assert_eq!(error.details::<u8>(), Some(&7));
        assert_eq!(error.details::<u16>(), None);
    }
}
