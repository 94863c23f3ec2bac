//! How much a store in memory holds.

/// How much a [`MemoryStore`](super::MemoryStore) holds.
///
/// Bytes as well as counts, because a single body may be megabytes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events that wait or run; more are refused. Default 10,000.
    pub events: usize,
    /// Bytes of the bodies of events that wait or run; a single event always fits into a store without any. As many
    /// again are kept of events that were dealt with, and of dead letters. Default 256 MiB.
    pub bytes: usize,
    /// Events that were dealt with, and as many dead letters; beyond, the oldest are dropped. Default 10,000.
    pub ended: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: 10_000, bytes: 256 * 1024 * 1024, ended: 10_000 }
    }
}

impl Limits {
    /// Sets how many events may wait or run.
    #[must_use]
    pub fn with_events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Sets how many bytes their bodies may have together.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how many ended events are kept to be looked at and recognised; 0 counts as 1.
    #[must_use]
    pub fn with_ended(mut self, ended: usize) -> Self {
        self.ended = ended;
        self
    }
}
