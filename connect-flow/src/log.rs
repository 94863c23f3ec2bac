//! The integration log: one row per event, for people who ask what happened.
//!
//! The inbox writes it, in the transactions in which the events themselves are stored and ended, so that the two never
//! differ. A row may outlive its event: it is small and holds no contents.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::envelope::Envelope;
use crate::inbox::EventId;
use crate::store::{Listed, Slice, StoreError};

/// What the log says about an event. Written when the event is accepted, and again at the end of each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// The event.
    pub event: EventId,
    /// Where it came from.
    pub source: String,
    /// Where it went to, by the last attempt; empty before the first one ended, or if nowhere in particular.
    pub target: String,
    /// What happened at the source.
    pub event_type: String,
    /// `pending`, `ok`, `retry`, `dead` or `skipped`.
    pub status: String,
    /// A word for counters, of the last attempt; empty for a success.
    pub class: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// From acceptance to the end of the last attempt; zero before.
    pub duration: Duration,
}

impl LogRow {
    /// The row of an event that was just accepted; for stores.
    pub fn pending(event: EventId, envelope: &Envelope, now: Timestamp) -> Self {
        Self {
            event,
            source: envelope.source.to_string(),
            target: envelope.target.clone(),
            event_type: envelope.event_type.clone(),
            status: "pending".to_owned(),
            class: String::new(),
            at: now,
            duration: Duration::ZERO,
        }
    }
}

/// Keeps the integration log.
#[async_trait]
pub trait Log: Send + Sync {
    /// Rows of a tenant, newest event first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn log(&self, tenant: &str, slice: Slice) -> Result<Listed<LogRow>, StoreError>;

    /// The row of one event.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn log_row(&self, tenant: &str, event: EventId) -> Result<Option<LogRow>, StoreError>;

    /// Forgets rows of events that were accepted before a time, but not at it, the oldest first and at most `most` of
    /// them. Yields how many.
    ///
    /// Only of events that have ended: a row that says `pending` or `retry` stays, however old. What else is known of the
    /// events stays too: of a dead one, the dead letter.
    ///
    /// # Errors
    /// Nothing was forgotten.
    async fn sweep_log(&self, before: Timestamp, most: u32) -> Result<u32, StoreError>;
}
