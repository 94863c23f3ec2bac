//! Where verified deliveries go.
//!
//! A provider stops retrying once it sees a 2xx, so a 2xx is a promise. A [`Receiver`](crate::Receiver) gives
//! it only after [`Sink::accept`] returned: store the delivery durably, or hand it to something that did,
//! before returning. Do the work later. Providers wait 3 s (Slack) to 20 s (Jira) and then count the delivery
//! as failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::delivery::Delivery;
use crate::verified::Verified;

/// When to come back after a [`SinkError`] that does not say.
pub(crate) const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);

/// Takes deliveries.
///
/// ```
/// use connect_webhook::{Acceptance, Delivery, Sink, SinkError, Verified, async_trait};
/// use std::{collections::HashSet, sync::Mutex};
///
/// /// Remembers what it has seen. A real sink writes to a store.
/// #[derive(Default)]
/// struct Seen(Mutex<HashSet<(String, String, String)>>);
///
/// #[async_trait]
/// impl Sink for Seen {
///     async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
///         let key = |name: &str| (delivery.tenant.to_string(), delivery.source.to_string(), name.to_owned());
///         let mut seen = self.0.lock().map_err(|_| SinkError::new("another thread panicked"))?;
///         let mut is_new = seen.insert(key(&delivery.id));
///         // Where ids are not signed, a captured delivery can come again under another one.
///         if let Some(replay_key) = &delivery.replay_key {
///             is_new &= seen.insert(key(replay_key));
///         }
///         Ok(if is_new { Acceptance::Accepted } else { Acceptance::Duplicate })
///     }
/// }
/// ```
#[async_trait]
pub trait Sink: Send + Sync {
    /// Takes responsibility for a delivery. Must be safe to cancel: a sender that hangs up drops this future
    /// and will send the delivery again.
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError>;
}

#[async_trait]
impl<S: Sink + ?Sized> Sink for Arc<S> {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        (**self).accept(delivery).await
    }
}

/// What a sink did with a delivery.
///
/// ```
/// use connect_webhook::Acceptance;
/// // The TwiML that answers a call, or the message that answers a slash command:
/// let answer = Acceptance::answer("text/xml", "<Response><Say>Hello</Say></Response>");
/// assert!(matches!(answer, Acceptance::Answer { status, .. } if status == 200));
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// Stored: answered with the scheme's success status.
    Accepted,
    /// Stored before: answered like [`Acceptance::Accepted`], so that the sender stops retrying.
    Duplicate,
    /// Not stored, too much to do: answered 503 with `Retry-After`.
    Busy {
        /// When the sender should try again; rounded up to whole seconds.
        retry_after: Duration,
    },
    /// Not stored, the tenant has had its share: answered 429 with `Retry-After`.
    OverQuota {
        /// When the sender should try again; rounded up to whole seconds.
        retry_after: Duration,
    },
    /// Taken, and answered by the sink itself, for providers that make something of the answer: Slack's
    /// commands, Twilio's calls. They wait 3 to 15 s. See [`Acceptance::answer`]. Nobody remembers the answer: behind
    /// [`Deduplicating`](crate::Deduplicating), a sender that did not hear it and tries again hears that it is a
    /// duplicate.
    Answer {
        /// Must be 2xx: anything else counts as a failure of the sink.
        status: StatusCode,
        /// Left out if the body is empty.
        content_type: HeaderValue,
        /// Sent as it is.
        body: Bytes,
    },
}

impl Acceptance {
    /// An answer with status 200.
    pub fn answer(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        Self::Answer { status: StatusCode::OK, content_type, body: body.into() }
    }
}

impl fmt::Debug for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("Accepted"),
            Self::Duplicate => f.write_str("Duplicate"),
            Self::Busy { retry_after } => f.debug_struct("Busy").field("retry_after", retry_after).finish(),
            Self::OverQuota { retry_after } => {
                f.debug_struct("OverQuota").field("retry_after", retry_after).finish()
            }
            Self::Answer { status, content_type, body } => f
                .debug_struct("Answer")
                .field("status", status)
                .field("content_type", content_type)
                .field("body_bytes", &body.len())
                .finish(),
        }
    }
}

/// The sink failed: answered 503 with `Retry-After`, so that senders that retry do. The text goes to the log
/// only.
///
/// ```
/// use connect_webhook::SinkError;
/// let error = SinkError::new("disk full").with_retry_after(std::time::Duration::from_secs(60));
/// assert_eq!(error.to_string(), "the sink could not take the delivery: disk full");
/// ```
#[derive(Debug)]
pub struct SinkError {
    cause: Box<dyn Error + Send + Sync>,
    retry_after: Duration,
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sink could not take the delivery: {}", self.cause)
    }
}

impl Error for SinkError {}

impl SinkError {
    /// Wraps what went wrong. The sender is asked to come back in 10 s.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: cause.into(), retry_after: DEFAULT_RETRY_AFTER }
    }

    /// Sets when the sender should try again.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn retry_after(&self) -> Duration {
        self.retry_after
    }
}
