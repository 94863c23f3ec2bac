//! Puts what `connect-webhook` received into an inbox.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connect_webhook::{Acceptance, Delivery, Sink, SinkError, Verified};

use crate::inbox::{Inbox, InboxError, Receipt};

/// What a sender is asked to wait when the inbox does not take its event.
const BUSY: Duration = Duration::from_secs(5);

/// An inbox as the sink of a `Receiver`: the sender gets its 2xx only after the inbox has the event.
///
/// ```
/// use std::sync::Arc;
/// use connect_flow::{InboxSink, MemoryInbox};
/// let sink = InboxSink::new(Arc::new(MemoryInbox::default()));
/// # let _ = sink;
/// ```
#[derive(Clone)]
pub struct InboxSink(Arc<dyn Inbox>);

impl InboxSink {
    /// Wraps an inbox.
    pub fn new(inbox: Arc<dyn Inbox>) -> Self {
        Self(inbox)
    }
}

#[async_trait]
impl Sink for InboxSink {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        match self.0.accept(delivery.into()).await {
            Ok(Receipt::Accepted(_)) => Ok(Acceptance::Accepted),
            Ok(Receipt::Duplicate(_)) => Ok(Acceptance::Duplicate),
            Err(InboxError::Full { .. } | InboxError::Closing) => Ok(Acceptance::Busy { retry_after: BUSY }),
        }
    }
}

impl fmt::Debug for InboxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxSink").finish_non_exhaustive()
    }
}
