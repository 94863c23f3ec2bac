//! How much of events there is: of those that wait or run, and of those that have ended.

use std::collections::BTreeSet;

use super::limits::Limits;
use crate::clock::Timestamp;
use crate::inbox::EventId;

/// How many events, with how many bytes of bodies.
#[derive(Default)]
pub(super) struct Load {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Load {
    pub(super) fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn subtract(&mut self, bytes: usize) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Ended events in the order in which they go.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) order: BTreeSet<(Timestamp, EventId)>,
    bytes: usize,
}

impl Shelf {
    pub(super) fn insert(&mut self, at: Timestamp, id: EventId, bytes: usize) {
        if self.order.insert((at, id)) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    pub(super) fn remove(&mut self, at: Timestamp, id: EventId, bytes: usize) {
        if self.order.remove(&(at, id)) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// The oldest, if there are too many. One is kept in any case.
    pub(super) fn surplus(&self, limits: &Limits) -> Option<EventId> {
        let surplus = self.order.len() > limits.ended || self.bytes > limits.bytes;
        if surplus && self.order.len() > 1 { self.order.first().map(|(_, id)| *id) } else { None }
    }
}
