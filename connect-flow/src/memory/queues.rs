//! Which events may be claimed, and in which order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter;
use std::ops::Bound;
use std::sync::Arc;

use super::contents::Stored;
use crate::clock::Timestamp;
use crate::inbox::{ClaimRequest, EventId, State};

/// Unfinished events by tenant. A tenant without any is not in it.
#[derive(Default)]
pub(super) struct Queues {
    tenants: BTreeMap<Arc<str>, Queue>,
    /// Whose turn was last; the next claim begins with the tenant after it, so that small claims reach everybody.
    pub(super) served: Arc<str>,
}

#[derive(Default)]
struct Queue {
    pending: BTreeSet<(Timestamp, EventId)>,
    /// The ends of leases, and when their events were due.
    leased: BTreeMap<(Timestamp, EventId), Timestamp>,
}

impl Queues {
    pub(super) fn insert(&mut self, stored: &Stored) {
        let (id, run_at) = (stored.record.id, stored.record.run_at);
        let queue = self.tenants.entry(Arc::clone(stored.tenant())).or_default();
        match stored.record.state {
            State::Pending => {
                queue.pending.insert((run_at, id));
            }
            State::Leased => {
                queue.leased.insert((stored.until, id), run_at);
            }
            State::Done | State::Dead | State::Skipped => {}
        }
    }

    /// To be called before what decides an event's place is changed.
    pub(super) fn remove(&mut self, stored: &Stored) {
        let (id, run_at) = (stored.record.id, stored.record.run_at);
        let Some(queue) = self.tenants.get_mut(stored.tenant()) else { return };
        queue.pending.remove(&(run_at, id));
        queue.leased.remove(&(stored.until, id));
        if queue.pending.is_empty() && queue.leased.is_empty() {
            self.tenants.remove(stored.tenant());
        }
    }

    /// Round by round over the tenants, one event of each.
    pub(super) fn pick(&self, request: &ClaimRequest) -> Vec<EventId> {
        let after = self.tenants.range::<str, _>((Bound::Excluded(&*self.served), Bound::Unbounded));
        let before = self.tenants.range::<str, _>((Bound::Unbounded, Bound::Included(&*self.served)));
        let mut turns: VecDeque<_> =
            after.chain(before).map(|(_, queue)| queue.eligible(request.now, request.per_tenant)).collect();
        let mut picked = Vec::new();
        while picked.len() < request.most
            && let Some(mut tenant) = turns.pop_front()
        {
            if let Some(id) = tenant.next() {
                picked.push(id);
                turns.push_back(tenant);
            }
        }
        picked
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let pending = self.tenants.values().filter_map(|queue| queue.pending.first()).map(|(at, _)| *at);
        let leased =
            self.tenants.values().filter_map(|queue| queue.leased.first_key_value()).map(|((at, _), _)| *at);
        pending.chain(leased).min()
    }
}

impl Queue {
    /// What may be claimed, oldest first. A lease that expired does not count against the tenant: its holder is gone.
    fn eligible(&self, now: Timestamp, per_tenant: usize) -> impl Iterator<Item = EventId> {
        let by_now = ..=(now, EventId(i64::MAX));
        let mut expired: Vec<_> = self.leased.range(by_now).map(|((_, id), run_at)| (*run_at, *id)).collect();
        expired.sort_unstable();
        let room = per_tenant.saturating_sub(self.leased.len() - expired.len());
        let mut expired = expired.into_iter().peekable();
        let mut due = self.pending.range(by_now).copied().peekable();
        let merged = iter::from_fn(move || match (expired.peek(), due.peek()) {
            (Some(lease), Some(event)) if lease < event => expired.next(),
            (Some(_), None) => expired.next(),
            _ => due.next(),
        });
        merged.map(|(_, id)| id).take(room)
    }
}
