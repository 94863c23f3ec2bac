//! Where entries are kept: in memory, or wherever a host likes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::{CacheEntry, CacheKey, MemoryCache};
use crate::response::BoxError;

/// A cache that does not answer within this time is slower than most providers.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps entries outside of this process, or in another way than [`MemoryCache`].
///
/// A store that fails or takes longer than a second costs the call nothing but that time: it goes on as without a cache.
/// Bound what you keep, and keep it private: entries are answers to one account.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex, PoisonError};
/// use connect_core::{BoxError, Bytes};
/// use connect_core::cache::{CacheEntry, CacheKey, CacheLayer, CacheStore};
///
/// #[derive(Default)]
/// struct Table(Mutex<HashMap<CacheKey, Bytes>>); // your database
///
/// #[async_trait::async_trait]
/// impl CacheStore for Table {
///     async fn get(&self, key: &CacheKey) -> Result<Option<Arc<CacheEntry>>, BoxError> {
///         let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
///         Ok(table.get(key).and_then(CacheEntry::from_bytes).map(Arc::new))
///     }
///     async fn put(&self, key: &CacheKey, entry: Arc<CacheEntry>) -> Result<(), BoxError> {
///         self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*key, entry.to_bytes());
///         Ok(())
///     }
///     async fn remove(&self, key: &CacheKey) -> Result<(), BoxError> {
///         self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
///         Ok(())
///     }
/// }
/// let layer = CacheLayer::with_store("account", Arc::new(Table::default()));
/// # let _ = layer;
/// ```
#[async_trait]
pub trait CacheStore: Send + Sync + 'static {
    /// The entry, if there is one.
    ///
    /// # Errors
    /// Anything; it is logged and counts as "none".
    async fn get(&self, key: &CacheKey) -> Result<Option<Arc<CacheEntry>>, BoxError>;

    /// Keeps an entry in the place of an older one.
    ///
    /// # Errors
    /// Anything; it is logged.
    async fn put(&self, key: &CacheKey, entry: Arc<CacheEntry>) -> Result<(), BoxError>;

    /// Drops the entry, if there is one.
    ///
    /// # Errors
    /// Anything; it is logged.
    async fn remove(&self, key: &CacheKey) -> Result<(), BoxError>;
}

/// The store of a layer. Memory needs no future, so the usual case costs no allocation for one.
#[derive(Clone)]
pub(super) enum Store {
    Memory(MemoryCache),
    Other(Arc<dyn CacheStore>),
}

/// What becomes of an entry after an answer.
#[derive(Debug)]
pub(super) enum Change {
    Put(Arc<CacheEntry>),
    Remove,
}

pub(super) type Working<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Asks a store, but not for ever.
pub(super) fn look_up(store: &Arc<dyn CacheStore>, key: CacheKey) -> Working<Option<Arc<CacheEntry>>> {
    let store = Arc::clone(store);
    Box::pin(async move { in_time("get", store.get(&key)).await.flatten() })
}

/// Tells a store, but does not wait for ever.
pub(super) fn apply(store: &Arc<dyn CacheStore>, key: CacheKey, change: Change) -> Working<()> {
    let store = Arc::clone(store);
    Box::pin(async move {
        match change {
            Change::Put(entry) => in_time("put", store.put(&key, entry)).await,
            Change::Remove => in_time("remove", store.remove(&key)).await,
        };
    })
}

async fn in_time<T>(question: &'static str, work: impl Future<Output = Result<T, BoxError>>) -> Option<T> {
    match timeout(PATIENCE, work).await {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => tracing::warn!(question, %error, "the cache store failed; going on without it"),
        Err(_) => tracing::warn!(question, "the cache store takes too long; going on without it"),
    }
    None
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(memory) => memory.fmt(f),
            Self::Other(_) => f.write_str("CacheStore"),
        }
    }
}
