//! Logins that have begun and wait for the browser to come back: each is given out once, ever, by whichever process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::clock::{SystemClock, WallClock};
use crate::error::{Error, ErrorKind, RetryAdvice};

/// How many logins wait in one process's memory at most. Anybody can begin a login, so a flood must end somewhere; at
/// one kilobyte each it ends at 10 MB.
const MOST: usize = 10_000;

/// How long a used login is remembered after its end, to say that it was used rather than never there.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How many are forgotten with each new one, so that nobody waits for a large clean-up.
const SWEPT: usize = 100;

/// What [`LoginStore::take`] found. `Debug` shows no more of the sealed bytes than their number.
///
/// [`MemoryLoginStore`] shows it in use.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub enum TakenLogin {
    /// The login: nobody else gets it.
    Fresh(Bytes),
    /// Somebody has had it.
    Used,
    /// There is none of this key, or it has expired.
    Unknown,
}

impl fmt::Debug for TakenLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh(sealed) => write!(f, "Fresh({} sealed bytes)", sealed.len()),
            Self::Used => f.write_str("Used"),
            Self::Unknown => f.write_str("Unknown"),
        }
    }
}

/// Keeps logins that wait, for one process or several.
///
/// `connect-oauth` uses it; `connect-store-sqlite` keeps them on disk. Time is the wall clock of whoever asks. Expired
/// logins are forgotten as new ones begin, a few at a time: nothing runs on its own.
#[async_trait]
pub trait LoginStore: Send + Sync + 'static {
    /// Keeps a login until it is taken or expires.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the key is there already; [`ErrorKind::Unavailable`] if no more logins can wait, or if
    /// the store cannot be reached.
    async fn begin(&self, key: &str, sealed: Bytes, expires_at: SystemTime) -> Result<(), Error>;

    /// Gives a login out, once. Of several who ask at the same time one gets it. That somebody had it is remembered for a
    /// while, a day after it expires at most; then it is unknown.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the store cannot be reached, [`ErrorKind::Config`] if it is damaged.
    async fn take(&self, key: &str) -> Result<TakenLogin, Error>;
}

/// A [`LoginStore`] for one process: at most 10,000 logins wait at a time, and a restart forgets them.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use connect_core::auth::store::{LoginStore, MemoryLoginStore, TakenLogin};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let logins = MemoryLoginStore::default();
/// logins.begin("state", "sealed".into(), SystemTime::now() + Duration::from_secs(600)).await?;
/// assert_eq!(logins.take("state").await?, TakenLogin::Fresh("sealed".into()));
/// assert_eq!(logins.take("state").await?, TakenLogin::Used);
/// # Ok::<(), connect_core::Error>(()) }).unwrap();
/// ```
pub struct MemoryLoginStore {
    memory: Mutex<Memory>,
    clock: Arc<dyn WallClock>,
}

/// Keys by the time from which they may be forgotten, so that a sweep looks at nothing that stays.
type Ends = BTreeSet<(SystemTime, Arc<str>)>;

#[derive(Default)]
struct Memory {
    logins: HashMap<Arc<str>, Kept>,
    waiting: Ends,
    used: Ends,
}

struct Kept {
    /// `None` once it has been given out.
    sealed: Option<Bytes>,
    /// Waiting: when it expires. Used: when it is forgotten.
    ends_at: SystemTime,
}

impl Memory {
    /// Forgets some of those whose time is over.
    fn sweep(&mut self, now: SystemTime) {
        for ends in [&mut self.waiting, &mut self.used] {
            for _ in 0..SWEPT {
                let Some(first) = ends.first().filter(|(ends_at, _)| *ends_at <= now).cloned() else { break };
                ends.remove(&first);
                self.logins.remove(&first.1);
            }
        }
    }

    /// Keeps a new login; `false` if there is one of this key.
    fn insert(&mut self, key: &str, sealed: Bytes, expires_at: SystemTime, now: SystemTime) -> bool {
        let key = Arc::<str>::from(key);
        if let Some(kept) = self.logins.get(&key) {
            if kept.ends_at > now {
                return false;
            }
            let ends = if kept.sealed.is_some() { &mut self.waiting } else { &mut self.used };
            ends.remove(&(kept.ends_at, Arc::clone(&key)));
        }
        self.waiting.insert((expires_at, Arc::clone(&key)));
        self.logins.insert(key, Kept { sealed: Some(sealed), ends_at: expires_at });
        true
    }

    fn take(&mut self, key: &str, now: SystemTime) -> TakenLogin {
        let Some(kept) = self.logins.get_mut(key).filter(|kept| kept.ends_at > now) else {
            return TakenLogin::Unknown;
        };
        let Some(sealed) = kept.sealed.take() else { return TakenLogin::Used };
        let key = Arc::<str>::from(key);
        self.waiting.remove(&(kept.ends_at, Arc::clone(&key)));
        kept.ends_at = kept.ends_at.checked_add(REMEMBERED).unwrap_or(kept.ends_at);
        self.used.insert((kept.ends_at, key));
        if self.used.len() > MOST
            && let Some((_, oldest)) = self.used.pop_first()
        {
            self.logins.remove(&oldest);
        }
        TakenLogin::Fresh(sealed)
    }
}

impl MemoryLoginStore {
    /// Another clock than the operating system's.
    pub fn with_clock(clock: Arc<dyn WallClock>) -> Self {
        Self { memory: Mutex::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLoginStore {
    fn default() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }
}

#[async_trait]
impl LoginStore for MemoryLoginStore {
    async fn begin(&self, key: &str, sealed: Bytes, expires_at: SystemTime) -> Result<(), Error> {
        let now = self.clock.now();
        let mut memory = self.lock();
        memory.sweep(now);
        if memory.waiting.len() >= MOST {
            let message = format!("{MOST} logins have begun and wait: try again when some have ended");
            return Err(Error::new(ErrorKind::Unavailable, message).with_retry(RetryAdvice::Later));
        }
        if !memory.insert(key, sealed, expires_at, now) {
            let message = "a login of this key has begun already: draw another state";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(())
    }

    async fn take(&self, key: &str) -> Result<TakenLogin, Error> {
        let now = self.clock.now();
        Ok(self.lock().take(key, now))
    }
}

impl fmt::Debug for MemoryLoginStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.lock();
        f.debug_struct("MemoryLoginStore")
            .field("waiting", &memory.waiting.len())
            .field("used", &memory.used.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn store() -> (MemoryLoginStore, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(1000));
        let clock = Arc::clone(&seconds);
        let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed));
        (MemoryLoginStore::with_clock(Arc::new(clock)), seconds)
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn an_expired_login_is_unknown_and_a_used_one_is_remembered() {
        let (store, clock) = store();
        store.begin("a", "1".into(), at(1600)).await.unwrap();
        store.begin("b", "2".into(), at(1600)).await.unwrap();
        assert_eq!(store.begin("a", "3".into(), at(1600)).await.unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(store.take("a").await.unwrap(), TakenLogin::Fresh("1".into()));
        clock.store(1600, Ordering::Relaxed);
        assert_eq!(store.take("a").await.unwrap(), TakenLogin::Used);
        assert_eq!(store.take("b").await.unwrap(), TakenLogin::Unknown);
        clock.store(1600 + 3600, Ordering::Relaxed);
        assert_eq!(store.take("a").await.unwrap(), TakenLogin::Unknown);
    }

    #[tokio::test]
    async fn a_flood_of_logins_ends_at_a_limit_and_passes_with_time() {
        let (store, clock) = store();
        for number in 0..MOST {
            store.begin(&number.to_string(), Bytes::new(), at(1600)).await.unwrap();
        }
        let error = store.begin("more", Bytes::new(), at(1600)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, RetryAdvice::Later));
        store.take("7").await.unwrap();
        store.begin("more", Bytes::new(), at(1600)).await.unwrap();
        assert_eq!(store.take("7").await.unwrap(), TakenLogin::Used, "making room forgets no used one");
        clock.store(1600, Ordering::Relaxed);
        store.begin("later", Bytes::new(), at(2200)).await.unwrap();
        assert_eq!(store.lock().logins.len(), 1 + MOST + 1 - SWEPT, "a begin sweeps no more than a few");
        for number in 0..=MOST / SWEPT {
            store.begin(&format!("later {number}"), Bytes::new(), at(2200)).await.unwrap();
        }
        assert_eq!(store.lock().waiting.len(), 2 + MOST / SWEPT, "in the end all are swept");
    }

    #[tokio::test]
    async fn used_logins_are_bounded_too_and_the_oldest_is_forgotten_first() {
        let (store, _) = store();
        for number in 0..=MOST {
            let key = number.to_string();
            store.begin(&key, Bytes::new(), at(1600 + number as u64)).await.unwrap();
            store.take(&key).await.unwrap();
        }
        assert_eq!(store.lock().logins.len(), MOST);
        assert_eq!(store.take("0").await.unwrap(), TakenLogin::Unknown);
        assert_eq!(store.take("1").await.unwrap(), TakenLogin::Used);
    }

    #[tokio::test]
    async fn the_key_of_an_expired_login_is_free_again() {
        let (store, clock) = store();
        // More than one sweep takes, so that the key is still there.
        for number in 0..=SWEPT {
            store.begin(&number.to_string(), "old".into(), at(1500)).await.unwrap();
        }
        store.begin("z", "old".into(), at(1600)).await.unwrap();
        clock.store(1600, Ordering::Relaxed);
        store.begin("z", "new".into(), at(2200)).await.unwrap();
        assert_eq!(store.take("z").await.unwrap(), TakenLogin::Fresh("new".into()));
        assert_eq!(store.take("z").await.unwrap(), TakenLogin::Used);
    }

    #[tokio::test]
    async fn debug_shows_no_sealed_bytes() {
        let (store, _) = store();
        store.begin("canary-key", "canary".into(), at(1600)).await.unwrap();
        let everything = format!("{store:?} {:?} {store:?}", store.take("canary-key").await.unwrap());
        assert!(!everything.contains("canary") && everything.contains('6'), "{everything}");
    }
}
