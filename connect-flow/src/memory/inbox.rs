//! The inbox: accept, lease, end, forget.

use std::sync::Arc;

use async_trait::async_trait;
use connect_webhook::Repeat;
use tokio::sync::Notify;

use super::contents::{Contents, Death, dedupe_key, held, replay_key};
use super::limits::Limits;
use super::{MemoryStore, number};
use crate::clock::Timestamp;
use crate::envelope::Envelope;
use crate::inbox::{
    Attempt, AttemptEnd, Claim, ClaimRequest, Counts, Ended, EventId, EventRecord, Held, Inbox, Lease,
    Receipt, State,
};
use crate::store::StoreError;

impl Contents {
    fn accept(&mut self, limits: &Limits, envelope: Envelope, now: Timestamp) -> Result<Receipt, StoreError> {
        let key = dedupe_key(&envelope);
        let second = replay_key(&envelope);
        if let Some(id) = self.keys.get(&key) {
            let is_same =
                self.events.get(id).is_some_and(|known| known.record.envelope.body == envelope.body);
            return Ok(Receipt::Duplicate(*id, if is_same { Repeat::Same } else { Repeat::OtherBody }));
        }
        if let Some(id) = second.as_ref().and_then(|second| self.replay_keys.get(second)) {
            return Ok(Receipt::Duplicate(*id, Repeat::OtherId));
        }
        let id = self.add(limits, envelope, None, now)?;
        self.keys.insert(key, id);
        if let Some(key) = second {
            self.replay_keys.insert(key, id);
        }
        Ok(Receipt::Accepted(id))
    }

    fn claim(&mut self, request: &ClaimRequest) -> Vec<Claim> {
        let picked = self.queues.pick(request);
        picked.into_iter().filter_map(|id| self.lease(id, request)).collect()
    }

    fn lease(&mut self, id: EventId, request: &ClaimRequest) -> Option<Claim> {
        let stored = self.events.get_mut(&id)?;
        self.queues.remove(stored);
        if stored.record.state == State::Leased
            && let Some(attempt) = stored.record.attempts.last_mut()
        {
            "expired".clone_into(&mut attempt.outcome);
        }
        let earlier = &stored.record.attempts;
        let count =
            |fits: &dyn Fn(&Attempt) -> bool| number(earlier.iter().filter(|attempt| fits(attempt)).count());
        let expiries = count(&|attempt| attempt.outcome == "expired");
        let panics = count(&|attempt| attempt.class == "panic");
        let attempt = number(earlier.len()).saturating_add(1);
        stored.record.attempts.push(Attempt {
            number: attempt,
            started: request.now,
            ended: None,
            outcome: String::new(),
            class: String::new(),
            message: String::new(),
        });
        self.last_token += 1;
        stored.token = self.last_token;
        stored.until = request.until;
        stored.record.state = State::Leased;
        self.queues.insert(stored);
        self.queues.served = Arc::clone(stored.tenant());
        Some(Claim {
            lease: Lease { tenant: Arc::clone(stored.tenant()), event: id, token: stored.token },
            envelope: stored.record.envelope.clone(),
            attempt,
            expiries,
            panics,
            replay_of: stored.record.replay_of,
        })
    }

    fn extend(&mut self, lease: &Lease, until: Timestamp) -> Held {
        let Some(stored) = held(&mut self.events, lease) else { return Held::Lost };
        self.queues.remove(stored);
        stored.until = until;
        self.queues.insert(stored);
        Held::Yes
    }

    fn release(&mut self, lease: &Lease) -> Held {
        let Some(stored) = held(&mut self.events, lease) else { return Held::Lost };
        self.queues.remove(stored);
        stored.record.attempts.pop();
        stored.record.state = State::Pending;
        self.queues.insert(stored);
        Held::Yes
    }

    fn finish(&mut self, limits: &Limits, lease: &Lease, end: AttemptEnd) -> Held {
        let Some(stored) = held(&mut self.events, lease) else { return Held::Lost };
        self.queues.remove(stored);
        let (state, outcome) = match end.ended {
            Ended::Done => (State::Done, "done"),
            Ended::Skipped => (State::Skipped, "skipped"),
            Ended::Retry { .. } => (State::Pending, "retry"),
            Ended::Dead => (State::Dead, "dead"),
        };
        stored.record.state = state;
        self.log.update(lease.event, &end);
        if let Some(attempt) = stored.record.attempts.last_mut() {
            attempt.ended = Some(end.at);
            outcome.clone_into(&mut attempt.outcome);
            attempt.class.clone_from(&end.class);
            attempt.message.clone_from(&end.message);
        }
        if let Ended::Retry { at } = end.ended {
            stored.record.run_at = at;
            self.queues.insert(stored);
            return Held::Yes;
        }
        let (id, bytes) = (stored.record.id, stored.bytes());
        self.unfinished.subtract(bytes);
        if state == State::Dead {
            stored.death =
                Some(Death { at: end.at, class: end.class, message: end.message, replayed_as: None });
            self.dead.insert(end.at, id, bytes);
        } else {
            self.ended.insert(stored.record.accepted_at, id, bytes);
        }
        while let Some(id) = self.ended.surplus(limits).or_else(|| self.dead.surplus(limits)) {
            self.forget(id);
        }
        Held::Yes
    }

    fn sweep(&mut self, before: Timestamp, most: u32) -> u32 {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let old: Vec<_> =
            self.ended.order.range(..(before, EventId(i64::MIN))).take(most).map(|(_, id)| *id).collect();
        for id in &old {
            self.forget(*id);
        }
        number(old.len())
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for stored in self.events.values() {
            match stored.record.state {
                State::Pending => counts.pending += 1,
                State::Leased => counts.leased += 1,
                State::Done => counts.done += 1,
                State::Skipped => counts.skipped += 1,
                State::Dead => counts.dead += 1,
            }
        }
        counts
    }
}

#[async_trait]
impl Inbox for MemoryStore {
    async fn accept(&self, envelope: Envelope, now: Timestamp) -> Result<Receipt, StoreError> {
        let receipt = self.lock().accept(&self.limits, envelope, now)?;
        if matches!(receipt, Receipt::Accepted(_)) {
            self.announce();
        }
        Ok(receipt)
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        Ok(self.lock().claim(&request))
    }

    async fn extend(&self, lease: &Lease, until: Timestamp) -> Result<Held, StoreError> {
        Ok(self.lock().extend(lease, until))
    }

    async fn finish(&self, lease: &Lease, end: AttemptEnd) -> Result<Held, StoreError> {
        let again = matches!(end.ended, Ended::Retry { .. });
        let held = self.lock().finish(&self.limits, lease, end);
        if again && held == Held::Yes {
            self.announce();
        }
        Ok(held)
    }

    async fn release(&self, lease: &Lease, _now: Timestamp) -> Result<Held, StoreError> {
        let held = self.lock().release(lease);
        if held == Held::Yes {
            self.announce();
        }
        Ok(held)
    }

    async fn event(&self, tenant: &str, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        Ok(self.lock().of_tenant(tenant, id).map(|stored| stored.record.clone()))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.lock().counts())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().queues.next_due())
    }

    async fn sweep(&self, before: Timestamp, most: u32) -> Result<u32, StoreError> {
        Ok(self.lock().sweep(before, most))
    }

    fn arrivals(&self) -> Arc<Notify> {
        Arc::clone(&self.arrivals)
    }
}
