//! Runs handlers, a few at a time, and survives their panics.
//!
//! Each event is handed to the handler once. A failure is recorded with its class; it is **not** run again, because
//! without a journal of effects nobody can tell whether the first run was applied.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

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
        self.concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Starts on the current tokio runtime.
    pub fn start(self) -> RunningWorker {
        let inbox = Arc::clone(&self.inbox);
        RunningWorker { inbox, task: tokio::spawn(self.run()) }
    }

    async fn run(self) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        // Dropped with the worker, and the handlers with it.
        let mut handlers = JoinSet::new();
        loop {
            while handlers.try_join_next().is_some() {}
            // The permit comes first: an event leaves the inbox only when a handler is free for it.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let Some((id, envelope)) = self.inbox.claim().await else { break };
            let (inbox, handler) = (Arc::clone(&self.inbox), Arc::clone(&self.handler));
            handlers.spawn(async move {
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
        while handlers.join_next().await.is_some() {}
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
    // The call itself stands inside too: it may panic before it yields a future.
    AssertUnwindSafe(async { handler.handle(envelope).await })
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

    /// As [`RunningWorker::stop`], for at most this long; then drops what still waits and yields how many events that
    /// were. A handler that is running is cut off at its next await.
    pub async fn stop_within(mut self, grace: Duration) -> usize {
        self.inbox.close();
        if tokio::time::timeout(grace, &mut self.task).await.is_ok() {
            return 0;
        }
        let waiting = self.inbox.abandon();
        let running = self.inbox.counts().running;
        self.task.abort();
        let _ = self.task.await;
        waiting + running
    }
}
