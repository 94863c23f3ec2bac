//! Tokens in this process's memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Fence, StoredToken, Swap, TokenRecord, TokenState, TokenStore};
use crate::deadline::after;
use crate::error::Error;

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
    tokens: BTreeMap<String, StoredToken>,
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
        memory.tokens.insert(key.to_owned(), StoredToken::new(version, record));
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
        let fence = Fence::new(memory.fence);
        memory.leases.insert(key.to_owned(), Lease { fence, ends: after(now, ttl) });
        Ok(Some(fence))
    }

    async fn extend(&self, key: &str, fence: Fence, ttl: Duration) -> Result<bool, Error> {
        let now = Instant::now();
        let mut memory = self.lock();
        let held = memory.leases.get_mut(key).filter(|lease| lease.fence == fence && lease.ends > now);
        Ok(held.map(|lease| lease.ends = after(now, ttl)).is_some())
    }

    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error> {
        let mut memory = self.lock();
        if memory.leases.get(key).is_some_and(|lease| lease.fence == fence) {
            memory.leases.remove(key);
        }
        Ok(())
    }

    async fn due(&self, by: SystemTime, limit: usize) -> Result<Vec<String>, Error> {
        let memory = self.lock();
        let mut due: Vec<(SystemTime, &String)> = memory
            .tokens
            .iter()
            .filter(|(_, stored)| stored.record.state == TokenState::Active)
            .filter_map(|(key, stored)| Some((stored.record.refresh_by.filter(|due| *due <= by)?, key)))
            .collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key.clone()).collect())
    }

    async fn walk(&self, after: Option<&str>, limit: usize) -> Result<Vec<(String, StoredToken)>, Error> {
        let memory = self.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = memory.tokens.range::<str, _>((from, Bound::Unbounded));
        Ok(behind.take(limit).map(|(key, stored)| (key.clone(), stored.clone())).collect())
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
