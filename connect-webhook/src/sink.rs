//! Where verified deliveries go.
//!
//! A provider stops retrying once it sees a 2xx, so a 2xx is a promise. A [`Receiver`](crate::Receiver) gives
//! it only after [`Sink::accept`] returned: store the delivery durably, or hand it to something that did,
//! before returning. Do the work later. Providers wait 3 s (Slack) to 20 s (Jira) and then count the delivery
//! as failed.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

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
///         let key = (delivery.tenant.to_string(), delivery.source.to_string(), delivery.id.clone());
///         let mut seen = self.0.lock().map_err(|_| SinkError::new("another thread panicked"))?;
///         Ok(if seen.insert(key) { Acceptance::Accepted } else { Acceptance::Duplicate })
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
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// The sink failed: answered 503 with `Retry-After`, so that senders that retry do. The text goes to the log
/// only.
///
/// ```
/// use connect_webhook::SinkError;
/// let error = SinkError::new("disk full").with_retry_after(std::time::Duration::from_secs(60));
/// assert_eq!(error.to_string(), "the sink could not take the delivery: disk full");
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the sink could not take the delivery: {cause}")]
pub struct SinkError {
    cause: Box<dyn Error + Send + Sync>,
    retry_after: Duration,
}

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
