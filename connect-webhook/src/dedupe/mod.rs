//! Replay protection: one event, once, however often and by whomever it is sent.
//!
//! Senders repeat what they believe was not taken, and whoever captured a delivery can send it again. A signed
//! time limits how long; this remembers for longer. [`Deduplicating`] goes round a [`Sink`](crate::Sink) and asks
//! a [`Dedupe`] first: by tenant, source and id, and by the
//! [replay key](crate::Delivery::replay_key) where the id is not signed.
//!
//! The default is [`MemoryDedupe`]: bounded, and gone with the process; one instance for each tenant keeps a flood on
//! one from making it forget the others'. **Not needed in front of connect-flow's
//! inbox**, which does the same on stable storage; several processes behind one address need that, or a
//! [`Dedupe`] of their own on a store they share.

use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::delivery::Delivery;
use crate::sink::SinkError;

mod memory;
mod sink;

pub use memory::MemoryDedupe;
pub use sink::{Deduplicating, Repeats};

/// What a delivery is recognised by.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DedupeKey {
    /// Whose delivery.
    pub tenant: Arc<str>,
    /// From where; ids of two sources may be equal.
    pub source: Arc<str>,
    /// Unique per tenant and source.
    pub id: String,
    /// Unique per tenant and source too, if there is one.
    pub replay_key: Option<String>,
    /// Of the raw body; tells a conflict from a retry.
    pub body_sha256: [u8; 32],
}

impl DedupeKey {
    /// The key of this delivery. Hashes its body.
    pub fn of(delivery: &Delivery) -> Self {
        Self {
            tenant: Arc::clone(&delivery.tenant),
            source: Arc::clone(&delivery.source),
            id: delivery.id.clone(),
            replay_key: delivery.replay_key.clone(),
            body_sha256: Sha256::digest(&delivery.body).into(),
        }
    }
}

/// The answer to [`Dedupe::begin`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Not seen yet: it is the caller's until one of `commit`, `release` and `abandon`.
    New,
    /// Somebody has it and is not done.
    InProgress,
    /// It was taken before.
    Duplicate(Repeat),
}

/// How a duplicate differs from what was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Not at all: the sender tried again.
    Same,
    /// The same id with another body: two events under one id, or a sender that counts its attempts in the
    /// body.
    OtherBody,
    /// The same signature under another id: somebody replays what was captured, or puts another body under a signature
    /// that allows it (PayPal's).
    OtherId,
}

/// Remembers deliveries. One implementation ships: [`MemoryDedupe`].
///
/// A key has two parts, id and replay key; it is taken if either is, and both are claimed together or not at
/// all: two callers at once must not both hear [`Claim::New`]. In a store that is not in memory claims lapse by
/// themselves, after a minute or so: a caller may be gone before it heard that it has one.
#[async_trait]
pub trait Dedupe: Send + Sync {
    /// Claims a delivery that arrived at `now`.
    ///
    /// # Errors
    /// Nothing is known: the sender is asked to come again. Never an excuse to take it.
    async fn begin(&self, key: &DedupeKey, now: UnixTime) -> Result<Claim, SinkError>;

    /// Ends a claim: the delivery was taken, and is a duplicate from now on.
    ///
    /// # Errors
    /// The claim stays until it lapses; then the delivery may be taken again.
    async fn commit(&self, key: &DedupeKey) -> Result<(), SinkError>;

    /// Ends a claim: the delivery was not taken, and is new when it comes again.
    ///
    /// # Errors
    /// The claim stays until it lapses.
    async fn release(&self, key: &DedupeKey) -> Result<(), SinkError>;

    /// As [`Dedupe::release`], for a caller that was cancelled and cannot wait. Must not block: a store that is
    /// not in memory hands this to a task, or lets the claim lapse.
    fn abandon(&self, key: &DedupeKey);
}

#[async_trait]
impl<D: Dedupe + ?Sized> Dedupe for Arc<D> {
    async fn begin(&self, key: &DedupeKey, now: UnixTime) -> Result<Claim, SinkError> {
        (**self).begin(key, now).await
    }

    async fn commit(&self, key: &DedupeKey) -> Result<(), SinkError> {
        (**self).commit(key).await
    }

    async fn release(&self, key: &DedupeKey) -> Result<(), SinkError> {
        (**self).release(key).await
    }

    fn abandon(&self, key: &DedupeKey) {
        (**self).abandon(key);
    }
}
