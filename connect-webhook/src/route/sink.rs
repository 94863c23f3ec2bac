//! A router as the sink of a receiver: handlers run while the sender waits for its 2xx.
//!
//! **Volatile.** What a handler does not finish before the process dies, or before the sender hangs up (after
//! 3 s, some), is lost unless the sender tries again; some never do. Use it for quick work that may be lost,
//! and for trying things out. Everything else goes through a durable inbox (connect-flow's `InboxSink`), whose
//! worker calls [`Router::dispatch`]. Put [`Deduplicating`](crate::Deduplicating) round it: senders repeat.

use std::sync::Arc;

use async_trait::async_trait;

use super::Router;
use super::error::Retry;
use crate::delivery::Delivery;
use crate::sink::{Acceptance, Sink, SinkError};
use crate::verified::Verified;

/// See the page of [`Router`]: volatile.
///
/// A failure that will not pass is logged as an error and answered like a success: the same bytes would fail
/// again, and senders switch off an endpoint that keeps failing. Other failures are answered 503.
#[async_trait]
impl Sink for Router {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let (source, id) = (Arc::clone(&delivery.source), delivery.id.clone());
        let dispatch = self.dispatch(delivery).await;
        let Err(error) = dispatch.into_result() else { return Ok(Acceptance::Accepted) };
        match error.retry() {
            Retry::Never => {
                // The id may be the sender's text, hence `?`, which escapes it.
                tracing::error!(%source, ?id, class = error.class(), %error, "a handler gave an event up");
                Ok(Acceptance::Accepted)
            }
            Retry::Later => Err(SinkError::new(error)),
            Retry::After(wait) => Err(SinkError::new(error).with_retry_after(wait)),
        }
    }
}
