//! A store in memory. **Volatile**: what it holds is gone when the process ends.
//!
//! For tests, and for programs that may lose events: senders were told that they may forget them. A program that must
//! not lose any takes a store with a disk, which passes the same suite. Default: [`Limits::default`], 10,000 unfinished
//! events and 256 MiB of bodies.
//!
//! Bounds: unfinished events are refused beyond the limits ([`StoreErrorKind::Full`]), never dropped. Ended events stay
//! until they are swept, but never more than [`Limits::ended`] of them: then the oldest goes, with its dedupe key, its
//! attempts and the effects that no other event knows of. The same holds for dead letters, which elsewhere stay for
//! good, and for the oldest rows of the log. Mappings are never dropped, because what lost its partner would be made
//! twice: a process that runs for months and links something with every event wants another store.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::iter;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::dead_letter::{DeadLetter, DeadLetters, Replayed};
use crate::effect::{Begun, Effects};
use crate::envelope::Envelope;
use crate::inbox::{
    Attempt, AttemptEnd, Claim, ClaimRequest, Counts, Ended, EventId, EventRecord, Held, Inbox, Lease,
    Receipt, State,
};
use crate::log::{Log, LogRow};
use crate::mapping::{Linked, Mapping, MappingFilter, Mappings};
use crate::store::{Listed, Slice, StoreError, StoreErrorKind};

/// How much a [`MemoryStore`] holds.
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

/// The store in memory. **Volatile**: what it holds is gone when the process ends.
///
/// ```
/// use connect_flow::inbox::{AttemptEnd, ClaimRequest, Ended, Held, Inbox};
/// use connect_flow::{Envelope, MemoryStore, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_flow::StoreError> {
/// let (now, later) = (Timestamp::from_micros(0), Timestamp::from_micros(60_000_000));
/// let store = MemoryStore::default();
/// store.accept(Envelope::new("default", "github", "push", "delivery-1", "{}"), now).await?;
///
/// for claim in store.claim(ClaimRequest { now, until: later, most: 16, per_tenant: 8 }).await? {
///     let end = AttemptEnd { at: now, ended: Ended::Done, class: String::new(), message: "seen".to_owned() };
///     assert_eq!(store.finish(&claim.lease, end).await?, Held::Yes);
/// }
/// assert_eq!(store.counts().await?.done, 1);
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    limits: Limits,
    contents: Mutex<Contents>,
    arrivals: Arc<Notify>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self { limits, contents: Mutex::default(), arrivals: Arc::default() }
    }

    /// Never held over an await.
    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Nothing in here panics but for want of memory, so a poisoned lock guards whole contents.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All waiters, because the first one may be a worker that has no room; and the next one, because a worker may be
    /// on its way from a claim that found nothing to its wait.
    fn announce(&self) {
        self.arrivals.notify_waiters();
        self.arrivals.notify_one();
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.lock().counts();
        f.debug_struct("MemoryStore")
            .field("limits", &self.limits)
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}

/// Tenant, source, dedupe key.
type DedupeKey = (Arc<str>, Arc<str>, String);

/// Tenant, step, key.
type EffectKey = (Arc<str>, String, String);

/// Tenant, service and id of one thing, service of the other.
type PartnerKey = (String, String, String, String);

#[derive(Default)]
struct Contents {
    last_id: i64,
    last_token: i64,
    events: BTreeMap<EventId, Stored>,
    /// Which event has a dedupe key: the one it came with, not its replays.
    keys: HashMap<DedupeKey, EventId>,
    queues: Queues,
    unfinished: Load,
    /// Done and skipped, by acceptance: the order in which they are swept.
    ended: Shelf,
    /// Dead, by death.
    dead: Shelf,
    effects: HashMap<EffectKey, Effect>,
    /// In order of arrival; an index into it never changes.
    mappings: Vec<(String, Mapping)>,
    partners_of_sources: HashMap<PartnerKey, usize>,
    partners_of_targets: HashMap<PartnerKey, usize>,
    /// By event first, so that the oldest event's row is the first.
    log: BTreeMap<(EventId, String), LogRow>,
}

struct Stored {
    record: EventRecord,
    /// Of the last claim.
    token: i64,
    /// When the lease ends, while there is one.
    until: Timestamp,
    death: Option<Death>,
    /// The effects it has begun.
    effects: Vec<EffectKey>,
}

struct Death {
    at: Timestamp,
    class: String,
    message: String,
    replayed_as: Option<EventId>,
}

struct Effect {
    since: Timestamp,
    result: Option<Bytes>,
    /// The events that began it: it is forgotten with the last of them.
    events: BTreeSet<EventId>,
}

impl Stored {
    fn tenant(&self) -> &Arc<str> {
        &self.record.envelope.tenant
    }

    fn dedupe_key(&self) -> DedupeKey {
        dedupe_key(&self.record.envelope)
    }

    /// What the bodies hold in memory. A form's payload is a second copy, a JSON body's is not.
    fn bytes(&self) -> usize {
        weight(&self.record.envelope)
    }

    fn letter(&self) -> Option<DeadLetter> {
        let death = self.death.as_ref()?;
        let (class, message) = (death.class.clone(), death.message.clone());
        let mut letter = DeadLetter::new(self.record.clone(), class, message, death.at);
        letter.replayed_as = death.replayed_as;
        Some(letter)
    }
}

fn dedupe_key(envelope: &Envelope) -> DedupeKey {
    (Arc::clone(&envelope.tenant), Arc::clone(&envelope.source), envelope.dedupe_key.clone())
}

fn weight(envelope: &Envelope) -> usize {
    let shared = envelope.payload.as_ptr() == envelope.body.as_ptr();
    envelope.body.len() + if shared { 0 } else { envelope.payload.len() }
}

/// How many events, with how many bytes of bodies.
#[derive(Default)]
struct Load {
    events: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn subtract(&mut self, bytes: usize) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Ended events in the order in which they go.
#[derive(Default)]
struct Shelf {
    order: BTreeSet<(Timestamp, EventId)>,
    bytes: usize,
}

impl Shelf {
    fn insert(&mut self, at: Timestamp, id: EventId, bytes: usize) {
        if self.order.insert((at, id)) {
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    fn remove(&mut self, at: Timestamp, id: EventId, bytes: usize) {
        if self.order.remove(&(at, id)) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// The oldest, if there are too many. One is kept in any case.
    fn surplus(&self, limits: &Limits) -> Option<EventId> {
        let surplus = self.order.len() > limits.ended || self.bytes > limits.bytes;
        if surplus && self.order.len() > 1 { self.order.first().map(|(_, id)| *id) } else { None }
    }
}

/// Unfinished events by tenant. A tenant without any is not in it.
#[derive(Default)]
struct Queues {
    tenants: BTreeMap<Arc<str>, Queue>,
    /// Whose turn was last; the next claim begins with the tenant after it, so that small claims reach everybody.
    served: Arc<str>,
}

#[derive(Default)]
struct Queue {
    pending: BTreeSet<(Timestamp, EventId)>,
    /// The ends of leases, and when their events were due.
    leased: BTreeMap<(Timestamp, EventId), Timestamp>,
}

impl Queues {
    fn insert(&mut self, stored: &Stored) {
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
    fn remove(&mut self, stored: &Stored) {
        let (id, run_at) = (stored.record.id, stored.record.run_at);
        let Some(queue) = self.tenants.get_mut(stored.tenant()) else { return };
        queue.pending.remove(&(run_at, id));
        queue.leased.remove(&(stored.until, id));
        if queue.pending.is_empty() && queue.leased.is_empty() {
            self.tenants.remove(stored.tenant());
        }
    }

    /// Round by round over the tenants, one event of each.
    fn pick(&self, request: &ClaimRequest) -> Vec<EventId> {
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

    fn next_due(&self) -> Option<Timestamp> {
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

/// The event of a lease, if it is held.
fn held<'a>(events: &'a mut BTreeMap<EventId, Stored>, lease: &Lease) -> Option<&'a mut Stored> {
    events.get_mut(&lease.event).filter(|stored| {
        stored.record.state == State::Leased
            && *stored.tenant() == lease.tenant
            && stored.token == lease.token
    })
}

impl Contents {
    fn of_tenant(&self, tenant: &str, id: EventId) -> Option<&Stored> {
        self.events.get(&id).filter(|stored| **stored.tenant() == *tenant)
    }

    /// Adds an event that waits, if there is room.
    fn add(
        &mut self,
        limits: &Limits,
        envelope: Envelope,
        replay_of: Option<EventId>,
        now: Timestamp,
    ) -> Result<EventId, StoreError> {
        let weight = weight(&envelope);
        let Load { events, bytes } = self.unfinished;
        if events > 0 && (events >= limits.events || bytes.saturating_add(weight) > limits.bytes) {
            let message = format!(
                "the store in memory is full with {events} unfinished events of {bytes} bytes: \
                 try again when some are done, or raise its limits"
            );
            return Err(StoreError::new(StoreErrorKind::Full, message));
        }
        self.last_id += 1;
        let id = EventId(self.last_id);
        let mut record = EventRecord::new(id, envelope, State::Pending, now, now);
        record.replay_of = replay_of;
        let stored =
            Stored { record, token: 0, until: Timestamp::default(), death: None, effects: Vec::new() };
        self.unfinished.add(weight);
        self.queues.insert(&stored);
        self.events.insert(id, stored);
        Ok(id)
    }

    fn accept(&mut self, limits: &Limits, envelope: Envelope, now: Timestamp) -> Result<Receipt, StoreError> {
        let key = dedupe_key(&envelope);
        if let Some(id) = self.keys.get(&key) {
            return Ok(Receipt::Duplicate(*id));
        }
        let id = self.add(limits, envelope, None, now)?;
        self.keys.insert(key, id);
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

    /// Forgets an ended event.
    fn forget(&mut self, id: EventId) {
        let Some(stored) = self.events.remove(&id) else { return };
        self.ended.remove(stored.record.accepted_at, id, stored.bytes());
        if let Some(death) = &stored.death {
            self.dead.remove(death.at, id, stored.bytes());
        }
        let key = stored.dedupe_key();
        if self.keys.get(&key) == Some(&id) {
            self.keys.remove(&key);
        }
        for key in stored.effects {
            if let Some(effect) = self.effects.get_mut(&key) {
                effect.events.remove(&id);
                if effect.events.is_empty() {
                    self.effects.remove(&key);
                }
            }
        }
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

    fn counts(&self) -> Counts {
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

    /// The event of a lease and the effect it is about, linked with each other; the effect is new if `since` says when
    /// it began.
    fn effect(
        &mut self,
        lease: &Lease,
        step: &str,
        key: &str,
        since: Timestamp,
    ) -> Option<(bool, &mut Effect)> {
        let stored = held(&mut self.events, lease)?;
        let key: EffectKey = (Arc::clone(stored.tenant()), step.to_owned(), key.to_owned());
        let known = self.effects.contains_key(&key);
        if !stored.effects.contains(&key) {
            stored.effects.push(key.clone());
        }
        let effect = self.effects.entry(key).or_insert_with(|| Effect {
            since,
            result: None,
            events: BTreeSet::new(),
        });
        effect.events.insert(lease.event);
        Some((known, effect))
    }

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

    fn link(&mut self, tenant: &str, mapping: Mapping) -> Linked {
        let Mapping { source_service, source_id, target_service, target_id, .. } = mapping.clone();
        let source = (tenant.to_owned(), source_service.clone(), source_id, target_service.clone());
        let target = (tenant.to_owned(), target_service, target_id, source_service);
        let known = self.partners_of_sources.get(&source).or_else(|| self.partners_of_targets.get(&target));
        if let Some((_, known)) = known.and_then(|index| self.mappings.get(*index)) {
            let same = known.source_id == mapping.source_id && known.target_id == mapping.target_id;
            return if same { Linked::Same } else { Linked::Conflict(known.clone()) };
        }
        self.partners_of_sources.insert(source, self.mappings.len());
        self.partners_of_targets.insert(target, self.mappings.len());
        self.mappings.push((tenant.to_owned(), mapping));
        Linked::New
    }

    fn record(&mut self, limits: &Limits, tenant: &str, row: LogRow) {
        let key = (row.event, tenant.to_owned());
        if row.status == "pending" && self.log.get(&key).is_some_and(|known| known.status != "pending") {
            return;
        }
        self.log.insert(key, row);
        while self.log.len() > limits.events.saturating_add(limits.ended).max(1) {
            self.log.pop_first();
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A slice of what fits, in the order it comes in.
fn listed<T>(fitting: &[T], slice: Slice) -> Listed<&T> {
    let offset = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
    Listed { rows: fitting.iter().skip(offset).take(limit).collect(), total: fitting.len() as u64 }
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

#[async_trait]
impl Effects for MemoryStore {
    async fn begin(&self, lease: &Lease, step: &str, key: &str, now: Timestamp) -> Result<Begun, StoreError> {
        Ok(match self.lock().effect(lease, step, key, now) {
            None => Begun::Lost,
            Some((_, Effect { result: Some(result), .. })) => Begun::Done(result.clone()),
            Some((true, effect)) => Begun::Again { since: effect.since },
            Some((false, _)) => Begun::First,
        })
    }

    async fn complete(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        result: Bytes,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let mut contents = self.lock();
        let Some((_, effect)) = contents.effect(lease, step, key, now) else { return Ok(Held::Lost) };
        effect.result = Some(result);
        Ok(Held::Yes)
    }

    async fn withdraw(&self, lease: &Lease, step: &str, key: &str) -> Result<Held, StoreError> {
        let mut contents = self.lock();
        if held(&mut contents.events, lease).is_none() {
            return Ok(Held::Lost);
        }
        let key = (Arc::clone(&lease.tenant), step.to_owned(), key.to_owned());
        // A result is a fact and stays.
        if contents.effects.get(&key).is_some_and(|effect| effect.result.is_none()) {
            contents.effects.remove(&key);
        }
        Ok(Held::Yes)
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

#[async_trait]
impl Mappings for MemoryStore {
    async fn link(&self, tenant: &str, mapping: Mapping) -> Result<Linked, StoreError> {
        Ok(self.lock().link(tenant, mapping))
    }

    async fn mappings(
        &self,
        tenant: &str,
        filter: &MappingFilter,
        slice: Slice,
    ) -> Result<Listed<Mapping>, StoreError> {
        let contents = self.lock();
        let newest = contents.mappings.iter().rev();
        let mut fitting: Vec<_> = newest
            .filter(|(whose, mapping)| whose == tenant && filter.fits(mapping))
            .map(|(_, mapping)| mapping)
            .collect();
        // Stable: of one moment, the one that came last stays first.
        fitting.sort_by_key(|mapping| std::cmp::Reverse(mapping.created_at));
        let Listed { rows, total } = listed(&fitting, slice);
        Ok(Listed { rows: rows.into_iter().map(|mapping| (*mapping).clone()).collect(), total })
    }
}

#[async_trait]
impl Log for MemoryStore {
    async fn record(&self, tenant: &str, row: LogRow) -> Result<(), StoreError> {
        self.lock().record(&self.limits, tenant, row);
        Ok(())
    }

    async fn log(&self, tenant: &str, slice: Slice) -> Result<Listed<LogRow>, StoreError> {
        let contents = self.lock();
        let newest = contents.log.iter().rev();
        let fitting: Vec<_> = newest.filter(|((_, whose), _)| whose == tenant).map(|(_, row)| row).collect();
        let Listed { rows, total } = listed(&fitting, slice);
        Ok(Listed { rows: rows.into_iter().map(|row| (*row).clone()).collect(), total })
    }

    async fn log_row(&self, tenant: &str, event: EventId) -> Result<Option<LogRow>, StoreError> {
        Ok(self.lock().log.get(&(event, tenant.to_owned())).cloned())
    }
}
