//! Runs handlers, a few at a time, and survives their panics.
//!
//! Each event is handed to the handler once. A failure is recorded with its class; it is **not** run again, because
//! without a journal of effects nobody can tell whether the first run was applied.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::envelope::Envelope;
use crate::handler::{Failure, Handled, Handler};
use crate::memory::MemoryInbox;

/// Handlers that run at the same time, unless set.
const CONCURRENCY: usize = 8;

/// A worker that is about to start.
///
/// The crate's front page shows it at work.
#[must_use = "a worker does nothing until `start` is called"]
pub struct Worker {
    inbox: Arc<MemoryInbox>,
    handler: Arc<dyn Handler>,
    concurrency: usize,
}

impl Worker {
    /// Takes events out of this inbox and hands them to this handler.
    pub fn new(inbox: Arc<MemoryInbox>, handler: Arc<dyn Handler>) -> Self {
        Self { inbox, handler, concurrency: CONCURRENCY }
    }

    /// Sets how many handlers run at the same time; 0 counts as 1. Default 8.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Starts on the current tokio runtime.
    pub fn start(self) -> RunningWorker {
        let inbox = Arc::clone(&self.inbox);
        RunningWorker { inbox, task: tokio::spawn(self.run()) }
    }

    async fn run(self) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        loop {
            // The permit comes first: an event leaves the inbox only when a handler is free for it.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let Some((id, envelope)) = self.inbox.claim().await else { break };
            let (inbox, handler) = (Arc::clone(&self.inbox), Arc::clone(&self.handler));
            tokio::spawn(async move {
                let result = guarded(handler.as_ref(), &envelope).await;
                let (source, event_type) = (&*envelope.source, &*envelope.event_type);
                match &result {
                    Ok(Handled::Done(what)) => tracing::info!(%id, source, event_type, what, "event handled"),
                    Ok(Handled::Skipped(why)) => {
                        tracing::info!(%id, source, event_type, why, "event skipped")
                    }
                    Err(failure) => {
                        tracing::warn!(%id, source, event_type, class = failure.class, error = %failure, "event failed");
                    }
                }
                inbox.finish(id, &envelope, result);
                drop(permit);
            });
        }
        // All permits back means that no handler runs.
        let all = u32::try_from(self.concurrency).unwrap_or(u32::MAX);
        let _ = permits.acquire_many(all).await;
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("concurrency", &self.concurrency).finish_non_exhaustive()
    }
}

/// A panic is a failure of this event, not of the worker.
async fn guarded(handler: &dyn Handler, envelope: &Envelope) -> Result<Handled, Failure> {
    // The handler is only used again through its own `&self`, so a half-done change inside it is its own business.
    AssertUnwindSafe(handler.handle(envelope))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Failure::new("panic", "the handler panicked; its message is in the log")))
}

/// A worker at work. Dropping it leaves it running; [`RunningWorker::stop`] ends it in order.
///
/// From [`Worker::start`].
#[derive(Debug)]
pub struct RunningWorker {
    inbox: Arc<MemoryInbox>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Closes the inbox, deals with what it holds, and returns when the last handler has ended.
    pub async fn stop(self) {
        self.inbox.close();
        let _ = self.task.await;
    }
}
