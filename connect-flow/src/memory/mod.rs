//! A store in memory. **Volatile**: what it holds is gone when the process ends.
//!
//! For tests, and for programs that may lose events: senders were told that they may forget them. A program that must
//! not lose any takes a store with a disk, which passes the same suite. Default: [`Limits::default`], 10,000 unfinished
//! events and 256 MiB of bodies.
//!
//! Bounds: unfinished events are refused beyond the limits ([`StoreErrorKind::Full`](crate::StoreErrorKind::Full)), never
//! dropped. Ended events stay until they are swept, but never more than [`Limits::ended`] of them: then the oldest goes,
//! with its dedupe key, its attempts and the effects that no other event knows of. The same holds for dead letters, which
//! elsewhere stay for good. The log has at most as many rows as [`Limits::events`] and [`Limits::ended`] together: then the
//! oldest row of an ended event goes. Mappings are never dropped, because what lost its partner would be made twice: a
//! process that runs for months and links something with every event wants another store.

mod contents;
mod dead_letters;
mod effects;
mod inbox;
mod limits;
mod log;
mod mappings;
mod queues;
mod shelf;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use self::limits::Limits;

use self::contents::Contents;
use crate::store::{Listed, Slice};

/// The store in memory. **Volatile**: what it holds is gone when the process ends.
///
/// ```
/// use connect_flow::inbox::{AttemptEnd, ClaimRequest, Ended, Held, Inbox};
/// use connect_flow::{Envelope, MemoryStore, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_flow::StoreError> {
/// let (now, later) = (Timestamp::from_micros(0), Timestamp::from_micros(60_000_000));
/// let store = MemoryStore::default();
/// store.accept(Envelope::new("default", "github", "push", "delivery-1", "{}"), now).await?;
///
/// for claim in store.claim(ClaimRequest { now, until: later, most: 16, per_tenant: 8 }).await? {
///     let (class, message, target) = (String::new(), "seen".to_owned(), "slack".to_owned());
///     let end = AttemptEnd { at: now, ended: Ended::Done, class, message, target };
///     assert_eq!(store.finish(&claim.lease, end).await?, Held::Yes);
/// }
/// assert_eq!(store.counts().await?.done, 1);
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    limits: Limits,
    contents: Mutex<Contents>,
    arrivals: Arc<Notify>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self { limits, contents: Mutex::default(), arrivals: Arc::default() }
    }

    /// Never held over an await.
    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Nothing in here panics but for want of memory, so a poisoned lock guards whole contents.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All waiters, because the first one may be a worker that has no room; and the next one, because a worker may be
    /// on its way from a claim that found nothing to its wait.
    fn announce(&self) {
        self.arrivals.notify_waiters();
        self.arrivals.notify_one();
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.lock().counts();
        f.debug_struct("MemoryStore")
            .field("limits", &self.limits)
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A slice of what fits, in the order it comes in.
fn listed<T>(fitting: &[T], slice: Slice) -> Listed<&T> {
    let offset = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
    Listed { rows: fitting.iter().skip(offset).take(limit).collect(), total: fitting.len() as u64 }
}
