//! The journal of effects.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::MemoryStore;
use super::contents::{Contents, held};
use crate::clock::Timestamp;
use crate::effect::{Begun, Effects};
use crate::inbox::{EventId, Held, Lease};
use crate::store::StoreError;

/// Tenant, step, key.
pub(super) type EffectKey = (Arc<str>, String, String);

pub(super) struct Effect {
    pub(super) since: Timestamp,
    /// When it was last attempted.
    pub(super) called: Timestamp,
    pub(super) result: Option<Bytes>,
    /// The events that began it: it is forgotten with the last of them.
    pub(super) events: BTreeSet<EventId>,
}

impl Contents {
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
            called: since,
            result: None,
            events: BTreeSet::new(),
        });
        effect.events.insert(lease.event);
        Some((known, effect))
    }
}

#[async_trait]
impl Effects for MemoryStore {
    async fn begin(&self, lease: &Lease, step: &str, key: &str, now: Timestamp) -> Result<Begun, StoreError> {
        Ok(match self.lock().effect(lease, step, key, now) {
            None => Begun::Lost,
            Some((_, Effect { result: Some(result), .. })) => Begun::Done(result.clone()),
            Some((true, effect)) => Begun::Again { since: effect.since, called: effect.called },
            Some((false, _)) => Begun::First,
        })
    }

    async fn call_again(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let mut contents = self.lock();
        let Some((_, effect)) = contents.effect(lease, step, key, now) else { return Ok(Held::Lost) };
        effect.called = now;
        Ok(Held::Yes)
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
