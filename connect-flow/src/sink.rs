//! Puts what `connect-webhook` received into an inbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connect_webhook::{Acceptance, Delivery, Sink, SinkError, Verified};

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
}

#[async_trait]
impl Sink for InboxSink {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let envelope = Envelope::from(delivery);
        match self.store.accept(envelope, self.clock.now()).await {
            Ok(Receipt::Accepted(_)) => Ok(Acceptance::Accepted),
            Ok(Receipt::Duplicate(_)) => Ok(Acceptance::Duplicate),
            Err(error) => {
                tracing::error!(error = %error, kind = ?error.kind(), "an event could not be stored");
                Err(SinkError::new(error).with_retry_after(BUSY))
            }
        }
    }
}

impl fmt::Debug for InboxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxSink").finish_non_exhaustive()
    }
}
