//! The integration log: one row per event and target, for people who ask what happened.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::inbox::EventId;
use crate::store::{Listed, Slice, StoreError};

/// What the log says about an event. Written when it is accepted, and again whenever it comes further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// The event.
    pub event: EventId,
    /// Where it came from.
    pub source: String,
    /// Where it went to; empty while nobody knows.
    pub target: String,
    /// What happened at the source.
    pub event_type: String,
    /// `pending`, `ok`, `retry`, `dead` or `skipped`.
    pub status: String,
    /// A word for counters; empty for a success.
    pub class: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// From acceptance to the last change of status.
    pub duration: Duration,
}

/// Keeps the integration log.
#[async_trait]
pub trait Log: Send + Sync {
    /// Writes the row of an event, or replaces it. A row that says `pending` never replaces another: word of the
    /// acceptance may come after word of the end.
    ///
    /// # Errors
    /// The log says what it said before.
    async fn record(&self, tenant: &str, row: LogRow) -> Result<(), StoreError>;

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
}
