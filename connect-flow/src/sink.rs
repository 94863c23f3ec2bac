//! Puts what `connect-webhook` received into an inbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connect_webhook::{Acceptance, Delivery, Repeat, Sink, SinkError, Verified};

use crate::clock::Clock;
use crate::envelope::Envelope;
use crate::inbox::Receipt;
use crate::store::Store;

/// What a sender is asked to wait when the store does not take its event.
const BUSY: Duration = Duration::from_secs(5);

/// A store as the sink of a `Receiver`: the sender gets its 2xx only after the store has the event, and 503 with
/// `Retry-After` if it has not.
#[derive(Clone)]
pub struct InboxSink {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

impl InboxSink {
    /// Puts events into this store, at the times of this clock.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Stores one envelope: for a sink of your own that changes it first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use connect_flow::{Envelope, InboxSink, MemoryStore, SystemClock};
    /// use connect_webhook::Acceptance;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let inbox = InboxSink::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock));
    /// let event = Envelope::new("default", "github", "push", "delivery-1", "{}");
    /// assert_eq!(inbox.put(event.clone()).await.unwrap(), Acceptance::Accepted);
    /// assert_eq!(inbox.put(event).await.unwrap(), Acceptance::Duplicate);
    /// # }
    /// ```
    ///
    /// What was refused as a replay, or as another body under a known id, leaves a warning in the log: without body and
    /// signature.
    ///
    /// # Errors
    ///
    /// The store does not take it: the sender is to come again after a few seconds.
    pub async fn put(&self, event: Envelope) -> Result<Acceptance, SinkError> {
        let (tenant, source) = (Arc::clone(&event.tenant), Arc::clone(&event.source));
        let id = event.dedupe_key.clone();
        match self.store.accept(event, self.clock.now()).await {
            Ok(Receipt::Accepted(_)) => Ok(Acceptance::Accepted),
            Ok(Receipt::Duplicate(first, repeat)) => {
                // The id may be the sender's text, hence `?`, which escapes it.
                match repeat {
                    Repeat::Same => {}
                    Repeat::OtherBody => tracing::warn!(
                        %tenant, %source, ?id, event = %first,
                        "an id came again with another body; only the first was taken"
                    ),
                    Repeat::OtherId => tracing::warn!(
                        %tenant, %source, ?id, event = %first,
                        "a delivery came again under a new id; it was captured on its way, or the sender repeats itself"
                    ),
                }
                Ok(Acceptance::Duplicate)
            }
            Err(error) => {
                tracing::error!(error = %error, kind = ?error.kind(), "an event could not be stored");
                Err(SinkError::new(error).with_retry_after(BUSY))
            }
        }
    }
}

#[async_trait]
impl Sink for InboxSink {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        self.put(Envelope::from(delivery)).await
    }
}

impl fmt::Debug for InboxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxSink").finish_non_exhaustive()
    }
}
