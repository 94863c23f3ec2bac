//! The journal of effects: what was begun outside, and what came of it.
//!
//! Before an effect is attempted, its intent is stored; after it, its result. A later attempt that finds a result skips
//! the effect; one that finds only an intent knows that the effect *may* have happened, and must look before it repeats
//! it. Keys are unique per tenant, and belong to what the effect is about, not to an attempt.

use async_trait::async_trait;
use bytes::Bytes;

use crate::clock::Timestamp;
use crate::inbox::{Held, Lease};
use crate::store::StoreError;

/// What the journal says about an effect that is about to be attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing was known: the intent is stored now.
    First,
    /// It was begun before, and nobody knows what came of it.
    Again {
        /// When it was first begun: so far back its trace may lie.
        since: Timestamp,
        /// When it was last attempted: so fresh its trace may be.
        called: Timestamp,
    },
    /// It happened; this is its result.
    Done(Bytes),
    /// The lease is lost: do nothing.
    Lost,
}

/// Keeps intents and results of effects.
#[async_trait]
pub trait Effects: Send + Sync {
    /// Stores the intent, unless the effect is known, by whichever event of the tenant. It stays known as long as an event
    /// that began it is.
    ///
    /// # Errors
    /// Nothing is known: the effect must not be attempted.
    async fn begin(&self, lease: &Lease, step: &str, key: &str, now: Timestamp) -> Result<Begun, StoreError>;

    /// Stores that the effect is about to be attempted once more: whoever looks for it afterwards knows how fresh its
    /// trace may be.
    ///
    /// # Errors
    /// Nothing is stored: the effect must not be attempted.
    async fn call_again(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Stores the result, which may be empty.
    ///
    /// # Errors
    /// The intent remains: a later attempt will look for the effect.
    async fn complete(
        &self,
        lease: &Lease,
        step: &str,
        key: &str,
        result: Bytes,
        now: Timestamp,
    ) -> Result<Held, StoreError>;

    /// Takes an intent back, because it is certain that nothing happened. Also one of an earlier attempt. An effect that is
    /// done stays done, and one that nobody began is nothing to take back: then this changes nothing.
    ///
    /// # Errors
    /// The intent remains: a later attempt will look for the effect.
    async fn withdraw(&self, lease: &Lease, step: &str, key: &str) -> Result<Held, StoreError>;
}
