//! Puts what `connect-webhook` received into an inbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connect_webhook::{Acceptance, Delivery, Sink, SinkError, Verified};

use crate::clock::Clock;
use crate::envelope::Envelope;
use crate::inbox::Receipt;
use crate::log::LogRow;
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
        match accept(self.store.as_ref(), self.clock.as_ref(), envelope).await {
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

/// Stores an event, and its row in the log as `pending`.
///
/// # Errors
/// The event was not stored. A row that could not be written is no error: the event is what matters.
pub async fn accept(
    store: &dyn Store,
    clock: &dyn Clock,
    envelope: Envelope,
) -> Result<Receipt, crate::store::StoreError> {
    let now = clock.now();
    let (tenant, source, event_type) =
        (envelope.tenant.clone(), envelope.source.to_string(), envelope.event_type.clone());
    let receipt = store.accept(envelope, now).await?;
    if let Receipt::Accepted(event) = receipt {
        let row = LogRow {
            event,
            source,
            target: String::new(),
            event_type,
            status: "pending".to_owned(),
            class: String::new(),
            at: now,
            duration: Duration::ZERO,
        };
        if let Err(error) = store.record(&tenant, row).await {
            tracing::warn!(error = %error, "the log row of an event could not be written");
        }
    }
    Ok(receipt)
}
