//! Why a handler could not deal with an event, and whether it is worth another try.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::error::PayloadError;

/// A handler's failure.
///
/// Whoever dispatched decides by [`retry`](Self::retry): connect-flow's worker tries again or gives up into the
/// dead letters, a [`Router`](crate::Router) as a sink answers 503 or 2xx.
///
/// ```
/// use std::time::Duration;
/// use connect_webhook::{HandlerError, Retry};
///
/// let busy = HandlerError::retry_after(Duration::from_secs(30), "Slack is busy");
/// assert_eq!(busy.retry(), Retry::After(Duration::from_secs(30)));
///
/// fn handle(text: &str) -> Result<u64, HandlerError> {
///     // A `?` needs a decision: will it work another time?
///     text.parse().map_err(HandlerError::permanent)
/// }
/// assert_eq!(handle("x").unwrap_err().retry(), Retry::Never);
/// ```
#[derive(Debug)]
pub struct HandlerError {
    retry: Retry,
    class: &'static str,
    cause: Box<dyn Error + Send + Sync>,
}

/// Whether the same event may be handled better another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No: it is this event that is wrong, or this program.
    Never,
    /// Yes, when the caller sees fit.
    Later,
    /// Yes, and not before this much time has passed.
    After(Duration),
}

impl HandlerError {
    /// A failure that will not pass, however often the event is handled.
    pub fn permanent(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Retry::Never, cause)
    }

    /// A failure that may pass: something else is down or busy.
    pub fn transient(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Retry::Later, cause)
    }

    /// As [`HandlerError::transient`], where the other side said when to come back.
    pub fn retry_after(wait: Duration, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Retry::After(wait), cause)
    }

    fn new(retry: Retry, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { retry, class: "handler", cause: cause.into() }
    }

    /// Whether and when to try again.
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// A word for counters: `payload` if the payload was not of the expected type, else `handler`.
    pub fn class(&self) -> &'static str {
        self.class
    }

    /// Of several failures the caller should hear this one: the event is not given up while a part of it may
    /// still succeed, and comes back when all its parts may.
    pub(crate) fn weight(&self) -> (bool, Duration) {
        match self.retry {
            Retry::Never => (false, Duration::ZERO),
            Retry::Later => (true, Duration::ZERO),
            Retry::After(wait) => (true, wait),
        }
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for HandlerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// Permanent: the bytes will be the same the next time. Only the place in the payload is kept, because serde's
/// own text quotes what it found there.
impl From<PayloadError> for HandlerError {
    fn from(error: PayloadError) -> Self {
        Self { retry: Retry::Never, class: "payload", cause: error.to_string().into() }
    }
}
