//! Where watermarks are kept: a small trait, for hosts that have a store of their own.

use async_trait::async_trait;
use connect_core::Error;

use super::watermark::Watermark;

/// A watermark as it was stored.
///
/// The version belongs to the store: writers name it and never choose it.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWatermark {
    /// Grows with every write of this key, from 1.
    pub version: u64,
    /// What was written.
    pub watermark: Watermark,
}

impl StoredWatermark {
    /// For implementors of [`WatermarkStore`].
    pub fn new(version: u64, watermark: Watermark) -> Self {
        Self { version, watermark }
    }
}

/// What became of a [`WatermarkStore::save`].
///
/// A conflict ends the pass: whoever won is at work.
#[must_use = "a conflict means that nothing was written"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// Written, under this version. In a store that outlives the process it survives a crash from here on.
    Yes(u64),
    /// Not written, because the stored version is not the expected one.
    Conflict,
}

/// Keeps watermarks, for one process or several.
///
/// [`MemoryWatermarks`](super::MemoryWatermarks) and [`FileWatermarks`](super::FileWatermarks) are two; a host with a
/// database keeps them there: a watermark is one JSON value.
///
/// Errors are [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if they may pass, and
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if a person has to look at the store.
#[async_trait]
pub trait WatermarkStore: Send + Sync + 'static {
    /// The watermark of this key.
    async fn load(&self, key: &str) -> Result<Option<StoredWatermark>, Error>;

    /// Writes the watermark if the stored version is the expected one; `None` expects that nothing is stored.
    async fn save(&self, key: &str, expected: Option<u64>, watermark: &Watermark) -> Result<Saved, Error>;
}
