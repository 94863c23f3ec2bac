//! Events that were given up, with everything that was tried; nothing leaves here by itself.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::inbox::{EventId, EventRecord};
use crate::store::{Listed, Slice, StoreError};

/// An event that was given up.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The event, with its chain of attempts.
    pub event: EventRecord,
    /// The class of its last failure.
    pub class: String,
    /// The words of its last failure.
    pub message: String,
    /// When it was given up.
    pub died_at: Timestamp,
    /// The event that replays it, once somebody asked for that.
    pub replayed_as: Option<EventId>,
}

impl DeadLetter {
    /// A dead letter; for stores.
    pub fn new(event: EventRecord, class: String, message: String, died_at: Timestamp) -> Self {
        Self { event, class, message, died_at, replayed_as: None }
    }
}

/// What became of a wish to replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// A new event runs now; the old one keeps its history.
    As(EventId),
    /// It was replayed before, as this event, which waits, runs, or was dealt with.
    Already(EventId),
    /// The tenant has no such dead letter.
    Unknown,
}

/// Keeps events that were given up.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Dead letters of a tenant; who died last comes first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn dead_letters(&self, tenant: &str, slice: Slice) -> Result<Listed<DeadLetter>, StoreError>;

    /// One dead letter of a tenant, by its event.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn dead_letter(&self, tenant: &str, event: EventId) -> Result<Option<DeadLetter>, StoreError>;

    /// Stores a copy of the event that runs at once and is linked to the original. Effects that are done stay done: the
    /// copy has the same keys. The dedupe key stays the original's, which is what duplicates are told of. The copy's row
    /// in the integration log is written in the same transaction; the original's stays as it is.
    ///
    /// Only a dead letter is replayed, and again only if its last copy died too.
    ///
    /// # Errors
    /// Nothing was stored.
    async fn replay(&self, tenant: &str, event: EventId, now: Timestamp) -> Result<Replayed, StoreError>;
}
