//! Dead letters and their replays.

use async_trait::async_trait;

use super::contents::{Contents, Stored};
use super::limits::Limits;
use super::{MemoryStore, listed};
use crate::clock::Timestamp;
use crate::dead_letter::{DeadLetter, DeadLetters, Replayed};
use crate::inbox::{EventId, State};
use crate::store::{Listed, Slice, StoreError};

impl Contents {
    fn replay(
        &mut self,
        limits: &Limits,
        tenant: &str,
        id: EventId,
        now: Timestamp,
    ) -> Result<Replayed, StoreError> {
        let Some(dead) = self.of_tenant(tenant, id) else { return Ok(Replayed::Unknown) };
        let Some(death) = &dead.death else { return Ok(Replayed::Unknown) };
        let envelope = dead.record.envelope.clone();
        if let Some(copy) = death.replayed_as {
            // A copy that is not there any more was dealt with and swept.
            let gone = self.events.get(&copy).is_some_and(|copy| copy.record.state == State::Dead);
            if !gone {
                return Ok(Replayed::Already(copy));
            }
        }
        let copy = self.add(limits, envelope, Some(id), now)?;
        if let Some(death) = self.events.get_mut(&id).and_then(|dead| dead.death.as_mut()) {
            death.replayed_as = Some(copy);
        }
        Ok(Replayed::As(copy))
    }
}

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn dead_letters(&self, tenant: &str, slice: Slice) -> Result<Listed<DeadLetter>, StoreError> {
        let contents = self.lock();
        let newest = contents.dead.order.iter().rev();
        let fitting: Vec<_> = newest.filter_map(|(_, id)| contents.of_tenant(tenant, *id)).collect();
        let Listed { rows, total } = listed(&fitting, slice);
        Ok(Listed { rows: rows.into_iter().filter_map(|stored| stored.letter()).collect(), total })
    }

    async fn dead_letter(&self, tenant: &str, event: EventId) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.lock().of_tenant(tenant, event).and_then(Stored::letter))
    }

    async fn replay(&self, tenant: &str, event: EventId, now: Timestamp) -> Result<Replayed, StoreError> {
        let replayed = self.lock().replay(&self.limits, tenant, event, now)?;
        if matches!(replayed, Replayed::As(_)) {
            self.announce();
        }
        Ok(replayed)
    }
}
