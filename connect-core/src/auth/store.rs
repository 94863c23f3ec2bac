//! Tokens that several processes share.
//!
//! Providers that rotate refresh tokens accept each of them once. Two processes that renew at the same time therefore
//! lose the account, unless one of them waits and a rotated token is stored before anybody uses it. A [`TokenStore`]
//! is what they need for that, and no more: a record with a version, a swap that fails if somebody else was faster, and
//! a lease so that one at a time tries.
//!
//! This module has the trait and [`MemoryTokenStore`] for one process. `connect-store-sqlite` keeps tokens on disk;
//! the coordinator of `connect-oauth` seals, leases, renews and swaps, as a
//! [`TokenProvider`](super::TokenProvider). Programs with one process and tokens that do not rotate need none of it.
//!
//! # How a token is renewed
//! 1. [`load`](TokenStore::load): a record newer than the one that is to be replaced is the answer.
//! 2. [`lease`](TokenStore::lease) the key for longer than the exchange can take; without the lease wait and load again.
//!    With it load again too, for somebody may have renewed it in between.
//! 3. Exchange the refresh token, and [`compare_and_swap`](TokenStore::compare_and_swap) both new tokens in before using
//!    either.
//! 4. [`release`](TokenStore::release).
//!
//! The version decides, not the lease. Somebody who was suspended for longer than the lease, with the provider's answer
//! in hand, holds the only refresh token that still works: the swap takes it, provided nobody else has written. For the
//! same reason fresh tokens replace a [`TokenState::NeedsReauth`] that was written in the meantime: on a conflict, look
//! at the record that won.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use crate::deadline::after;
use crate::error::Error;

/// Can the account still be used?
///
/// A field of the record rather than its absence, so that an operator sees which account to connect again, and so that
/// nobody mistakes a lost account for a new one.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenState {
    /// Yes, as far as is known.
    Active,
    /// The provider no longer accepts the refresh token: a person has to connect the account again.
    NeedsReauth,
}

/// What is stored about one account's tokens. `Debug` shows no more of the sealed bytes than their number.
///
/// ```
/// use connect_core::auth::store::{TokenRecord, TokenState};
/// let record = TokenRecord::new("sealed by the coordinator");
/// assert_eq!(record.clone().with_state(TokenState::NeedsReauth).sealed, record.sealed);
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Access and refresh token, encrypted by whoever writes the record: a store never sees a secret.
    pub sealed: Bytes,
    /// Can the account still be used?
    pub state: TokenState,
    /// When the access token ends, in plain sight, so that a store can list what is due. By the writer's clock: a hint
    /// for planning, while the sealed bytes and the provider decide.
    pub expires_at: Option<SystemTime>,
}

impl TokenRecord {
    /// A usable account.
    pub fn new(sealed: impl Into<Bytes>) -> Self {
        Self { sealed: sealed.into(), state: TokenState::Active, expires_at: None }
    }

    /// Says whether the account can be used.
    #[must_use]
    pub fn with_state(mut self, state: TokenState) -> Self {
        self.state = state;
        self
    }

    /// Says when the access token ends.
    #[must_use]
    pub fn with_expires_at(mut self, expires_at: SystemTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRecord")
            .field("sealed_bytes", &self.sealed.len())
            .field("state", &self.state)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// A record as it was stored.
///
/// The version belongs to the store: writers name it and never choose it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// Grows with every write of this key, from 1.
    pub version: u64,
    /// What was written.
    pub record: TokenRecord,
}

impl StoredToken {
    /// For implementors of [`TokenStore`].
    pub fn new(version: u64, record: TokenRecord) -> Self {
        Self { version, record }
    }
}

/// What became of a [`TokenStore::compare_and_swap`].
///
/// A conflict brings the record that won, so that the loser goes on with it at once.
#[must_use = "a conflict means that nothing was written"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// Written, under this version. It survives a crash from here on.
    Stored(u64),
    /// Not written, because the version is not the expected one: this is what is stored; `None` if nothing is.
    Conflict(Option<StoredToken>),
}

/// Proof of a lease. Of two fences of one key, the later lease has the larger one, across processes and restarts.
///
/// It makes a release harmless that comes too late: only the lease with this very fence ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(u64);

impl Fence {
    /// For implementors of [`TokenStore`].
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Keeps tokens for several processes; see the [module](self) for how it is used.
///
/// Implementations that outlive the process write durably before [`Swap::Stored`], and never delete a record to use its
/// versions again. Errors are [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if they may pass.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// The record of this key.
    async fn load(&self, key: &str) -> Result<Option<StoredToken>, Error>;

    /// Writes the record if the stored version is the expected one; `None` expects that nothing is stored.
    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        record: TokenRecord,
    ) -> Result<Swap, Error>;

    /// Takes the key's lease for this long; `None` while somebody else has it.
    async fn lease(&self, key: &str, ttl: Duration) -> Result<Option<Fence>, Error>;

    /// Ends the lease with this fence; nothing happens if it has ended, or if somebody else has one by now.
    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error>;
}

/// A [`TokenStore`] for one process: gone with it.
///
/// ```
/// use std::time::Duration;
/// use connect_core::auth::store::{MemoryTokenStore, Swap, TokenRecord, TokenStore};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let store = MemoryTokenStore::default();
/// let fence = store.lease("acme/jira", Duration::from_secs(60)).await?.expect("nobody else has it");
/// assert_eq!(store.compare_and_swap("acme/jira", None, TokenRecord::new("sealed")).await?, Swap::Stored(1));
/// store.release("acme/jira", fence).await?;
/// # Ok::<(), connect_core::Error>(()) }).unwrap();
/// ```
#[derive(Default)]
pub struct MemoryTokenStore(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    tokens: HashMap<String, StoredToken>,
    leases: HashMap<String, Lease>,
    /// Of the last lease of any key, so that an ended lease needs no memory.
    fence: u64,
}

#[derive(Clone, Copy)]
struct Lease {
    fence: Fence,
    ends: Instant,
}

impl MemoryTokenStore {
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn load(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        Ok(self.lock().tokens.get(key).cloned())
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        record: TokenRecord,
    ) -> Result<Swap, Error> {
        let mut memory = self.lock();
        let stored = memory.tokens.get(key);
        let version = stored.map(|stored| stored.version);
        if version != expected {
            return Ok(Swap::Conflict(stored.cloned()));
        }
        let version = version.unwrap_or(0).saturating_add(1);
        memory.tokens.insert(key.to_owned(), StoredToken { version, record });
        Ok(Swap::Stored(version))
    }

    async fn lease(&self, key: &str, ttl: Duration) -> Result<Option<Fence>, Error> {
        let now = Instant::now();
        let mut memory = self.lock();
        memory.leases.retain(|_, lease| lease.ends > now);
        if memory.leases.contains_key(key) {
            return Ok(None);
        }
        memory.fence = memory.fence.saturating_add(1);
        let fence = Fence(memory.fence);
        memory.leases.insert(key.to_owned(), Lease { fence, ends: after(now, ttl) });
        Ok(Some(fence))
    }

    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error> {
        let mut memory = self.lock();
        if memory.leases.get(key).is_some_and(|lease| lease.fence == fence) {
            memory.leases.remove(key);
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryTokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.lock();
        f.debug_struct("MemoryTokenStore")
            .field("tokens", &memory.tokens.len())
            .field("leases", &memory.leases.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "acme/jira";
    const MINUTE: Duration = Duration::from_secs(60);

    fn record(sealed: &'static str) -> TokenRecord {
        TokenRecord::new(sealed)
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_writers_who_read_the_same_version_one_wins_and_the_other_sees_what_won() {
        let store = MemoryTokenStore::default();
        assert_eq!(store.load(KEY).await.unwrap(), None);
        assert_eq!(store.compare_and_swap(KEY, None, record("a")).await.unwrap(), Swap::Stored(1));
        assert_eq!(store.compare_and_swap(KEY, Some(1), record("b")).await.unwrap(), Swap::Stored(2));
        let won = StoredToken::new(2, record("b"));
        for stale in [None, Some(1), Some(3)] {
            let lost = store.compare_and_swap(KEY, stale, record("c")).await.unwrap();
            assert_eq!(lost, Swap::Conflict(Some(won.clone())));
        }
        assert_eq!(store.load(KEY).await.unwrap(), Some(won));
        let absent = store.compare_and_swap("other", Some(1), record("c")).await.unwrap();
        assert_eq!(absent, Swap::Conflict(None));
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_has_the_lease_until_it_is_released_or_ends() {
        let store = MemoryTokenStore::default();
        let first = store.lease(KEY, MINUTE).await.unwrap().unwrap();
        assert_eq!(store.lease(KEY, MINUTE).await.unwrap(), None);
        assert!(store.lease("other", MINUTE).await.unwrap().is_some());
        store.release(KEY, first).await.unwrap();
        let second = store.lease(KEY, MINUTE).await.unwrap().unwrap();
        tokio::time::advance(MINUTE).await;
        let third = store.lease(KEY, Duration::MAX).await.unwrap().unwrap();
        assert!(first < second && second < third);
        store.release(KEY, second).await.unwrap();
        assert_eq!(store.lease(KEY, MINUTE).await.unwrap(), None, "a late release ends nobody else's lease");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_token_saved_late_is_not_lost() {
        let store = MemoryTokenStore::default();
        let Swap::Stored(read) = store.compare_and_swap(KEY, None, record("old")).await.unwrap() else {
            panic!()
        };
        store.lease(KEY, MINUTE).await.unwrap().unwrap();
        tokio::time::advance(2 * MINUTE).await; // suspended with the provider's answer in hand
        store.lease(KEY, MINUTE).await.unwrap().unwrap();
        let gone = record("old").with_state(TokenState::NeedsReauth);
        assert_eq!(store.compare_and_swap(KEY, Some(read), gone).await.unwrap(), Swap::Stored(2));
        let Swap::Conflict(Some(won)) = store.compare_and_swap(KEY, Some(read), record("new")).await.unwrap()
        else {
            panic!()
        };
        assert_eq!(won.record.state, TokenState::NeedsReauth);
        assert_eq!(
            store.compare_and_swap(KEY, Some(won.version), record("new")).await.unwrap(),
            Swap::Stored(3)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn debug_shows_no_sealed_bytes() {
        let store = MemoryTokenStore::default();
        let swap = store.compare_and_swap("canary-key", None, record("canary")).await.unwrap();
        let conflict = store.compare_and_swap("canary-key", None, record("canary")).await.unwrap();
        let everything = format!("{store:?} {swap:?} {conflict:?} {:?}", record("canary"));
        assert!(!everything.contains("canary") && everything.contains("6"), "{everything}");
    }
}
