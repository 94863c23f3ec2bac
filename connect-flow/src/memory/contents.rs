//! What a store in memory holds, behind its lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::effects::{Effect, EffectKey};
use super::limits::Limits;
use super::log::Rows;
use super::mappings::Links;
use super::queues::Queues;
use super::shelf::{Load, Shelf};
use crate::clock::Timestamp;
use crate::dead_letter::DeadLetter;
use crate::envelope::Envelope;
use crate::inbox::{EventId, EventRecord, Lease, State};
use crate::store::{StoreError, StoreErrorKind};

/// Tenant, source, and the dedupe key or the replay key.
pub(super) type DedupeKey = (Arc<str>, Arc<str>, String);

#[derive(Default)]
pub(super) struct Contents {
    pub(super) last_id: i64,
    pub(super) last_token: i64,
    pub(super) events: BTreeMap<EventId, Stored>,
    /// Which event has a dedupe key: the one it came with, not its replays.
    pub(super) keys: HashMap<DedupeKey, EventId>,
    /// The same for replay keys.
    pub(super) replay_keys: HashMap<DedupeKey, EventId>,
    pub(super) queues: Queues,
    pub(super) unfinished: Load,
    /// Done and skipped, by acceptance: the order in which they are swept.
    pub(super) ended: Shelf,
    /// Dead, by death.
    pub(super) dead: Shelf,
    pub(super) effects: HashMap<EffectKey, Effect>,
    pub(super) links: Links,
    pub(super) log: Rows,
}

pub(super) struct Stored {
    pub(super) record: EventRecord,
    /// Of the last claim.
    pub(super) token: i64,
    /// When the lease ends, while there is one.
    pub(super) until: Timestamp,
    pub(super) death: Option<Death>,
    /// The effects it has begun.
    pub(super) effects: Vec<EffectKey>,
}

pub(super) struct Death {
    pub(super) at: Timestamp,
    pub(super) class: String,
    pub(super) message: String,
    pub(super) replayed_as: Option<EventId>,
}

impl Stored {
    pub(super) fn tenant(&self) -> &Arc<str> {
        &self.record.envelope.tenant
    }

    /// What the bodies hold in memory. A form's payload is a second copy, a JSON body's is not.
    pub(super) fn bytes(&self) -> usize {
        weight(&self.record.envelope)
    }

    pub(super) fn letter(&self) -> Option<DeadLetter> {
        let death = self.death.as_ref()?;
        let (class, message) = (death.class.clone(), death.message.clone());
        let mut letter = DeadLetter::new(self.record.clone(), class, message, death.at);
        letter.replayed_as = death.replayed_as;
        Some(letter)
    }
}

pub(super) fn dedupe_key(envelope: &Envelope) -> DedupeKey {
    (Arc::clone(&envelope.tenant), Arc::clone(&envelope.source), envelope.dedupe_key.clone())
}

pub(super) fn replay_key(envelope: &Envelope) -> Option<DedupeKey> {
    let key = envelope.replay_key.clone()?;
    Some((Arc::clone(&envelope.tenant), Arc::clone(&envelope.source), key))
}

pub(super) fn weight(envelope: &Envelope) -> usize {
    let shared = envelope.payload.as_ptr() == envelope.body.as_ptr();
    envelope.body.len() + if shared { 0 } else { envelope.payload.len() }
}

/// The event of a lease, if it is held.
pub(super) fn held<'a>(events: &'a mut BTreeMap<EventId, Stored>, lease: &Lease) -> Option<&'a mut Stored> {
    events.get_mut(&lease.event).filter(|stored| {
        stored.record.state == State::Leased
            && *stored.tenant() == lease.tenant
            && stored.token == lease.token
    })
}

impl Contents {
    pub(super) fn of_tenant(&self, tenant: &str, id: EventId) -> Option<&Stored> {
        self.events.get(&id).filter(|stored| **stored.tenant() == *tenant)
    }

    /// Adds an event that waits, if there is room.
    pub(super) fn add(
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
        self.log.open(limits, id, &stored.record.envelope, now);
        self.unfinished.add(weight);
        self.queues.insert(&stored);
        self.events.insert(id, stored);
        Ok(id)
    }

    /// Forgets an ended event.
    pub(super) fn forget(&mut self, id: EventId) {
        let Some(stored) = self.events.remove(&id) else { return };
        self.ended.remove(stored.record.accepted_at, id, stored.bytes());
        if let Some(death) = &stored.death {
            self.dead.remove(death.at, id, stored.bytes());
        }
        let envelope = &stored.record.envelope;
        let of_a_replay = replay_key(envelope).map(|key| (&mut self.replay_keys, key));
        for (keys, key) in [(&mut self.keys, dedupe_key(envelope))].into_iter().chain(of_a_replay) {
            if keys.get(&key) == Some(&id) {
                keys.remove(&key);
            }
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
}
