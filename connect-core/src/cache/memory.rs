//! Entries in memory: bounded in number and bytes, the least recently used goes first.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{CacheEntry, CacheKey};

/// Keeps answers in memory. Clones share it; several clients may, since the key names the account.
///
/// The [module](super) has its defaults and an example.
#[derive(Clone)]
pub struct MemoryCache(Arc<Inner>);

struct Inner {
    max_entries: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<CacheKey, Slot>,
    /// Keys by their last use, oldest first.
    order: BTreeMap<u64, CacheKey>,
    uses: u64,
    bytes: usize,
}

struct Slot {
    entry: Arc<CacheEntry>,
    bytes: usize,
    used: u64,
}

impl State {
    fn touch(&mut self, key: &CacheKey) -> Option<Arc<CacheEntry>> {
        let slot = self.slots.get_mut(key)?;
        self.order.remove(&slot.used);
        self.uses += 1;
        slot.used = self.uses;
        self.order.insert(self.uses, *key);
        Some(Arc::clone(&slot.entry))
    }

    fn insert(&mut self, key: CacheKey, entry: Arc<CacheEntry>) {
        let bytes = entry.size();
        self.uses += 1;
        self.order.insert(self.uses, key);
        self.bytes += bytes;
        self.slots.insert(key, Slot { entry, bytes, used: self.uses });
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&slot.used);
            self.bytes -= slot.bytes;
        }
    }

    fn shrink(&mut self, max_entries: usize, max_bytes: usize) {
        while self.slots.len() > max_entries || self.bytes > max_bytes {
            let Some((_, oldest)) = self.order.first_key_value() else { return };
            let oldest = *oldest;
            self.remove(&oldest);
        }
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::sized(1_000, 32 * 1024 * 1024)
    }
}

impl MemoryCache {
    fn sized(max_entries: usize, max_bytes: usize) -> Self {
        Self(Arc::new(Inner { max_entries, max_bytes, state: Mutex::default() }))
    }

    /// Sets how many answers are kept, and starts empty.
    #[must_use]
    pub fn with_max_entries(self, entries: usize) -> Self {
        Self::sized(entries, self.0.max_bytes)
    }

    /// Sets how many bytes all answers may take together, and starts empty.
    #[must_use]
    pub fn with_max_bytes(self, bytes: usize) -> Self {
        Self::sized(self.0.max_entries, bytes)
    }

    /// How many answers it holds.
    pub fn len(&self) -> usize {
        self.lock().slots.len()
    }

    /// Does it hold nothing?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops everything.
    pub fn clear(&self) {
        *self.lock() = State::default();
    }

    pub(super) fn get(&self, key: &CacheKey) -> Option<Arc<CacheEntry>> {
        self.lock().touch(key)
    }

    pub(super) fn put(&self, key: CacheKey, entry: Arc<CacheEntry>) {
        let mut state = self.lock();
        state.remove(&key);
        // One that could never stay must not push all others out first.
        if entry.size() > self.0.max_bytes {
            return;
        }
        state.insert(key, entry);
        state.shrink(self.0.max_entries, self.0.max_bytes);
    }

    pub(super) fn remove(&self, key: &CacheKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryCache")
            .field("entries", &state.slots.len())
            .field("bytes", &state.bytes)
            .finish_non_exhaustive()
    }
}
