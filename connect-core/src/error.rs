//! One error type for operators: what failed, whether the provider may have acted on it, and what to do next.
//!
//! [`Error`] is one word wide, so that `Result<T, Error>` stays small. `Display` is one line without query or body;
//! `{:#}` adds the chain of causes. Decisions are made on [`Error::kind`], [`Error::retry`] and [`Error::sent`], never
//! on the text. The provider's own error payload is reached with [`Error::details`].

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::retry::Stop;

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
    /// The provider failed so often that it is left alone for a while: nothing was sent.
    CircuitOpen,
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
            Self::CircuitOpen => "circuit_open",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Decode => "decode",
            Self::Unsupported => "unsupported",
            Self::Provider => "provider",
        }
    }

    /// Is there no answer, rather than a bad one? A failure of the provider or of the way to it, not of the question:
    /// a stale answer or a default may stand in.
    pub(crate) fn is_outage(self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Timeout | Self::Transport | Self::RateLimited | Self::CircuitOpen
        )
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

#[derive(Clone)]
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
    stop: Stop,
    /// Does it say something about the provider? A caller in a hurry does not.
    blames: bool,
    details: Option<Arc<dyn Any + Send + Sync>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
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
            stop: Stop::Final,
            blames: true,
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

    /// Why it was not sent once more.
    pub fn stop(&self) -> Stop {
        self.0.stop
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
        self.0.source = Some(source.into().into());
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

    /// Says it in other words: for a client that knows more about its provider's refusals than the provider's
    /// [`Api`](crate::Api) can.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds the provider's own payload, to be read with [`Error::details`].
    #[must_use]
    pub fn with_details(mut self, details: impl Any + Send + Sync) -> Self {
        self.0.details = Some(Arc::new(details));
        self
    }

    pub(crate) fn with_boxed_details(mut self, details: Option<Box<dyn Any + Send + Sync>>) -> Self {
        self.0.details = details.map(Arc::from);
        self
    }

    /// The same error for somebody else who waited for the same thing; cause and payload are shared.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Says what failed because of it.
    pub(crate) fn in_context(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message).into();
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

    pub(crate) fn without_blame(mut self) -> Self {
        self.0.blames = false;
        self
    }

    pub(crate) fn blames_provider(&self) -> bool {
        self.0.blames
    }

    pub(crate) fn with_stop(mut self, stop: Stop) -> Self {
        self.0.stop = stop;
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
        write!(OneLine(f), "{}", inner.message)?;
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
        if matches!(inner.stop, Stop::Body | Stop::Budget) {
            write!(f, "; {}", inner.stop.explanation())?;
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
                write!(OneLine(f), ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

/// Foreign words on the line of a log they belong to: a provider or a library may break it, or write to the terminal.
struct OneLine<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.split(char::is_control).enumerate().try_for_each(|(index, part)| {
            let gap = if index == 0 { "" } else { " " };
            self.0.write_str(gap)?;
            self.0.write_str(part)
        })
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
            .field("stop", &inner.stop)
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
    fn foreign_words_break_no_line_and_reach_no_terminal() {
        let cause = std::io::Error::other("reset\nby \u{1b}[31mpeer");
        let error = Error::new(ErrorKind::Provider, "first\r\nsecond").with_source(cause);
        assert_eq!(format!("{error:#}"), "first  second: reset by  [31mpeer");
    }

    #[test]
    fn goes_wherever_errors_go() {
        fn boxed(error: Error) -> Box<dyn StdError + Send + Sync> {
            error.into()
        }
        let error = boxed(Error::new(ErrorKind::NotFound, "no").with_details(7_u8));
        assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::NotFound));
    }

    #[test]
    fn a_duplicate_says_the_same() {
        let error = Error::new(ErrorKind::RateLimited, "no")
            .with_operation("slack", "oauth.v2.access".into())
            .with_status(StatusCode::TOO_MANY_REQUESTS)
            .with_request_id(Some("abc"))
            .with_attempts(2)
            .with_sent(Sent::Yes)
            .with_retry(RetryAdvice::After(Duration::from_secs(7)))
            .with_details(7_u8)
            .with_source(std::io::Error::other("cause"));
        let copy = error.duplicate();
        assert_eq!(format!("{copy:#} {copy:?}"), format!("{error:#} {error:?}"));
        assert_eq!(copy.details::<u8>(), Some(&7));
    }

    #[test]
    fn details_come_back_by_type() {
        let error = Error::new(ErrorKind::Provider, "no").with_details(7_u8);
        assert_eq!(error.details::<u8>(), Some(&7));
        assert_eq!(error.details::<u16>(), None);
    }
}
