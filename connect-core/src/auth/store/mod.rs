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

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Error;

mod login;
mod memory;

pub use login::{LoginStore, MemoryLoginStore, TakenLogin};
pub use memory::MemoryTokenStore;

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
    /// When to renew it although nobody asks, for refresh tokens that die unused. See [`TokenStore::due`].
    pub refresh_by: Option<SystemTime>,
}

impl TokenRecord {
    /// A usable account.
    pub fn new(sealed: impl Into<Bytes>) -> Self {
        Self { sealed: sealed.into(), state: TokenState::Active, expires_at: None, refresh_by: None }
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

    /// Says when to renew it although nobody asks.
    #[must_use]
    pub fn with_refresh_by(mut self, refresh_by: SystemTime) -> Self {
        self.refresh_by = Some(refresh_by);
        self
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRecord")
            .field("sealed_bytes", &self.sealed.len())
            .field("state", &self.state)
            .field("expires_at", &self.expires_at)
            .field("refresh_by", &self.refresh_by)
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
/// versions again. Errors are [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if they may pass, and
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if a person has to look at the store; they show no key and no content.
/// `simulation::token_store`, behind the feature `simulation`, checks an implementation.
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

    /// Makes the lease with this fence last for so long from now; `false` if it has ended or somebody else has one by now.
    async fn extend(&self, key: &str, fence: Fence, ttl: Duration) -> Result<bool, Error>;

    /// Ends the lease with this fence; nothing happens if it has ended, or if somebody else has one by now.
    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error>;

    /// The keys of [active](TokenState::Active) records that are to be renewed [by](TokenRecord::refresh_by) this time or
    /// earlier, the earliest first.
    async fn due(&self, by: SystemTime, limit: usize) -> Result<Vec<String>, Error>;

    /// The records in the order of their keys (by bytes), those behind `after`; an empty page is the end. A record that is
    /// written meanwhile comes in its old or its new form, and makes the walk leave out no other.
    async fn walk(&self, after: Option<&str>, limit: usize) -> Result<Vec<(String, StoredToken)>, Error>;
}
