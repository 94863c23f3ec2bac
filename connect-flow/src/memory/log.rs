//! The integration log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::limits::Limits;
use super::{MemoryStore, listed, number};
use crate::clock::Timestamp;
use crate::envelope::Envelope;
use crate::inbox::{AttemptEnd, Ended, EventId};
use crate::log::{Log, LogRow};
use crate::store::{Listed, Slice, StoreError};

/// Rows with their tenants. They keep no link to the events, because they outlive them.
#[derive(Default)]
pub(super) struct Rows {
    rows: BTreeMap<EventId, (Arc<str>, LogRow)>,
    /// Of events that have ended, by acceptance: the order in which they go.
    ended: BTreeSet<(Timestamp, EventId)>,
}

impl Rows {
    /// The row of an event that was just accepted.
    pub(super) fn open(&mut self, limits: &Limits, event: EventId, envelope: &Envelope, now: Timestamp) {
        let row = LogRow::pending(event, envelope, now);
        self.rows.insert(event, (Arc::clone(&envelope.tenant), row));
        // Rows of unfinished events stay: the limits bound those events already.
        while self.rows.len() > limits.events.saturating_add(limits.ended).max(1)
            && let Some((_, oldest)) = self.ended.pop_first()
        {
            self.rows.remove(&oldest);
        }
    }

    pub(super) fn update(&mut self, event: EventId, end: &AttemptEnd) {
        let Some((_, row)) = self.rows.get_mut(&event) else { return };
        end.ended.status().clone_into(&mut row.status);
        row.class.clone_from(&end.class);
        if !end.target.is_empty() {
            row.target.clone_from(&end.target);
        }
        row.duration = end.at.since(row.at);
        if !matches!(end.ended, Ended::Retry { .. }) {
            self.ended.insert((row.at, event));
        }
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> u32 {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let old: Vec<_> = self.ended.range(..(before, EventId(i64::MIN))).take(most).copied().collect();
        for place in &old {
            self.ended.remove(place);
            self.rows.remove(&place.1);
        }
        number(old.len())
    }
}

#[async_trait]
impl Log for MemoryStore {
    async fn log(&self, tenant: &str, slice: Slice) -> Result<Listed<LogRow>, StoreError> {
        let contents = self.lock();
        let newest = contents.log.rows.values().rev();
        let fitting: Vec<_> = newest.filter(|(whose, _)| **whose == *tenant).map(|(_, row)| row).collect();
        let Listed { rows, total } = listed(&fitting, slice);
        Ok(Listed { rows: rows.into_iter().map(|row| (*row).clone()).collect(), total })
    }

    async fn log_row(&self, tenant: &str, event: EventId) -> Result<Option<LogRow>, StoreError> {
        let contents = self.lock();
        let found = contents.log.rows.get(&event).filter(|(whose, _)| **whose == *tenant);
        Ok(found.map(|(_, row)| row.clone()))
    }

    async fn sweep_log(&self, before: Timestamp, most: u32) -> Result<u32, StoreError> {
        Ok(self.lock().log.sweep(before, most))
    }
}
