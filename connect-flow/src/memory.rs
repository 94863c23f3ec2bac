//! An inbox in memory: bounded, volatile, for tests and for programs that say so.
//!
//! Bounds: at most [`Limits::waiting`] events with [`Limits::waiting_bytes`] of bodies wait (more are refused, never
//! dropped), the newest [`Limits::remembered`] dedupe keys are kept, and the newest [`Limits::outcomes`] outcomes can be
//! looked at. A dedupe key is forgotten early if its event failed and certainly nothing was done: the sender's next
//! delivery is then handled.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::envelope::Envelope;
use crate::handler::{Failure, Handled};
use crate::inbox::{EventId, Inbox, InboxError, Receipt};

/// How much a [`MemoryInbox`] holds.
///
/// Bytes as well as counts: a single body may be megabytes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events that may wait. Default 10,000.
    pub waiting: usize,
    /// Bytes of their bodies, together. Default 256 MiB.
    pub waiting_bytes: usize,
    /// Dedupe keys that are remembered. Default 100,000.
    pub remembered: usize,
    /// Outcomes that are kept to be looked at. Default 1,000.
    pub outcomes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting: 10_000, waiting_bytes: 256 * 1024 * 1024, remembered: 100_000, outcomes: 1_000 }
    }
}

impl Limits {
    /// Sets how many events may wait.
    #[must_use]
    pub fn with_waiting(mut self, waiting: usize) -> Self {
        self.waiting = waiting;
        self
    }

    /// Sets how many bytes of bodies may wait.
    #[must_use]
    pub fn with_waiting_bytes(mut self, bytes: usize) -> Self {
        self.waiting_bytes = bytes;
        self
    }

    /// Sets how many dedupe keys are remembered.
    #[must_use]
    pub fn with_remembered(mut self, remembered: usize) -> Self {
        self.remembered = remembered;
        self
    }
}

/// What became of an event.
///
/// The start of an integration log: one row per event.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The event's number.
    pub id: EventId,
    /// Whose event it was.
    pub tenant: String,
    /// Who sent it.
    pub source: String,
    /// What happened at the sender.
    pub event_type: String,
    /// What the sender calls it.
    pub dedupe_key: String,
    /// How it went.
    pub result: Result<Handled, Failure>,
}

/// How many events went which way.
///
/// A snapshot; the numbers only grow, but for `waiting` and `running`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken in.
    pub accepted: u64,
    /// Recognised as already taken in.
    pub duplicates: u64,
    /// Waiting for the worker.
    pub waiting: usize,
    /// With a handler now.
    pub running: usize,
    /// Dealt with.
    pub done: u64,
    /// Looked at, nothing to do.
    pub skipped: u64,
    /// Not dealt with.
    pub failed: u64,
}

impl Counts {
    /// Is everything that was taken in over and done with?
    pub fn is_settled(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }
}

/// The inbox in memory. **Volatile**: what it holds is gone when the process ends.
///
/// The crate's front page shows it at work.
#[derive(Debug)]
pub struct MemoryInbox {
    limits: Limits,
    state: Mutex<State>,
    arrived: Notify,
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    closing: bool,
    waiting: VecDeque<(EventId, Envelope)>,
    waiting_bytes: usize,
    known: HashMap<Key, EventId>,
    /// The keys of `known`, oldest first; a key that was forgotten early is passed over.
    order: VecDeque<(Key, EventId)>,
    outcomes: VecDeque<Outcome>,
    counts: Counts,
}

/// Tenant, source, dedupe key.
type Key = (String, String, String);

impl Default for MemoryInbox {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl MemoryInbox {
    /// An empty inbox.
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), arrived: Notify::new(), settled: Notify::new() }
    }

    /// How many events went which way.
    pub fn counts(&self) -> Counts {
        let state = self.lock();
        Counts { waiting: state.waiting.len(), ..state.counts }
    }

    /// The newest outcomes, oldest first.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.lock().outcomes.iter().cloned().collect()
    }

    /// Waits until nothing waits or runs.
    pub async fn settled(&self) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            if self.counts().is_settled() {
                return;
            }
            settled.await;
        }
    }

    /// The oldest waiting event; waits for one, and yields `None` when the inbox is closed and empty.
    pub(crate) async fn claim(&self) -> Option<(EventId, Envelope)> {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Registered before the look, so an event that comes in between is not missed.
            arrived.as_mut().enable();
            {
                let mut state = self.lock();
                if let Some(claimed) = state.waiting.pop_front() {
                    state.waiting_bytes = state.waiting_bytes.saturating_sub(weight(&claimed.1));
                    state.counts.running += 1;
                    return Some(claimed);
                }
                if state.closing {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Records how an event went.
    pub(crate) fn finish(&self, id: EventId, envelope: &Envelope, result: Result<Handled, Failure>) {
        let mut state = self.lock();
        state.counts.running = state.counts.running.saturating_sub(1);
        match &result {
            Ok(Handled::Done(_)) => state.counts.done += 1,
            Ok(Handled::Skipped(_)) => state.counts.skipped += 1,
            Err(failure) => {
                state.counts.failed += 1;
                if failure.nothing_done {
                    let key = key(envelope);
                    if state.known.get(&key) == Some(&id) {
                        state.known.remove(&key);
                    }
                }
            }
        }
        if state.outcomes.len() >= self.limits.outcomes {
            state.outcomes.pop_front();
        }
        state.outcomes.push_back(Outcome {
            id,
            tenant: envelope.tenant.to_string(),
            source: envelope.source.to_string(),
            event_type: envelope.event_type.clone(),
            dedupe_key: envelope.dedupe_key.clone(),
            result,
        });
        drop(state);
        self.settled.notify_waiters();
    }

    /// Forgets what waits, and says how much it was.
    pub(crate) fn abandon(&self) -> usize {
        let mut state = self.lock();
        state.waiting_bytes = 0;
        std::mem::take(&mut state.waiting).len()
    }

    /// Takes nothing more; what waits is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.arrived.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before the lock is released, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(envelope: &Envelope) -> Key {
    (envelope.tenant.to_string(), envelope.source.to_string(), envelope.dedupe_key.clone())
}

/// What an event holds in memory. A form's payload is a second copy of its body.
fn weight(envelope: &Envelope) -> usize {
    let shared = envelope.payload.as_ptr() == envelope.body.as_ptr();
    envelope.body.len() + if shared { 0 } else { envelope.payload.len() }
}

#[async_trait]
impl Inbox for MemoryInbox {
    async fn accept(&self, envelope: Envelope) -> Result<Receipt, InboxError> {
        let (key, weight) = (key(&envelope), weight(&envelope));
        let mut state = self.lock();
        if let Some(id) = state.known.get(&key).copied() {
            state.counts.duplicates += 1;
            return Ok(Receipt::Duplicate(id));
        }
        if state.closing {
            return Err(InboxError::Closing);
        }
        // A single event bigger than the whole allowance still gets in when nothing else waits.
        let bytes = state.waiting_bytes.saturating_add(weight);
        let full = state.waiting.len() >= self.limits.waiting || bytes > self.limits.waiting_bytes;
        if full && !state.waiting.is_empty() {
            return Err(InboxError::Full { waiting: state.waiting.len() });
        }
        if state.order.len() >= self.limits.remembered
            && let Some((oldest, id)) = state.order.pop_front()
            && state.known.get(&oldest) == Some(&id)
        {
            state.known.remove(&oldest);
        }
        state.next += 1;
        let id = EventId(state.next);
        state.known.insert(key.clone(), id);
        state.order.push_back((key, id));
        state.waiting_bytes = bytes;
        state.waiting.push_back((id, envelope));
        state.counts.accepted += 1;
        drop(state);
        self.arrived.notify_one();
        Ok(Receipt::Accepted(id))
    }
}
