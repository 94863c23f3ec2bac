//! Watermarks in memory: enough for a process that lives long, because a lost watermark costs one look three days back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connect_core::Error;

use super::store::{Saved, StoredWatermark, WatermarkStore};
use super::watermark::Watermark;

/// Keeps watermarks as long as the process lives. Clones share them.
///
/// The store of a [`Redelivery`](super::Redelivery) that is given no other.
#[derive(Clone, Debug, Default)]
pub struct MemoryWatermarks(Arc<Mutex<HashMap<String, StoredWatermark>>>);

impl MemoryWatermarks {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, StoredWatermark>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl WatermarkStore for MemoryWatermarks {
    async fn load(&self, key: &str) -> Result<Option<StoredWatermark>, Error> {
        Ok(self.lock().get(key).cloned())
    }

    async fn save(&self, key: &str, expected: Option<u64>, watermark: &Watermark) -> Result<Saved, Error> {
        let mut marks = self.lock();
        let stored = marks.get(key).map(|stored| stored.version);
        if stored != expected {
            return Ok(Saved::Conflict);
        }
        let version = stored.unwrap_or(0) + 1;
        marks.insert(key.to_owned(), StoredWatermark::new(version, watermark.clone()));
        Ok(Saved::Yes(version))
    }
}
