//! Quotas shared between processes: whoever was admitted by its own pilot asks the store as well.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::draws::{Bucket, Draws};
use super::ledger::{Before, Grant, Ledger, Settled};
use super::model::Observations;
use crate::context::Priority;
use crate::error::{Error, Sent};

/// How long to wait before asking again when nobody knows when there will be room.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// After how long somebody who has not given back is taken to have died: longer than any attempt lasts.
const LEASE: Duration = Duration::from_secs(300);

/// How many accounts are kept, but for those in use.
const MOST_ACCOUNTS: usize = 10_000;

/// What a store says.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Everything was taken, under this number.
    Granted(u64),
    /// Nothing was.
    Wait {
        /// What has no room; `None` is the whole account.
        bucket: Option<Bucket>,
        /// Ask again after this long.
        wait: Duration,
    },
}

/// Counts what all processes of an account draw.
///
/// A store that fails, or does not answer within a second, does not stop anybody: each process then goes on by what it
/// knows itself. [`MemoryQuotaStore`] is one for the clients of one process.
#[async_trait]
pub trait QuotaStore: Send + Sync + 'static {
    /// Takes everything that a call draws on, or nothing.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn take(&self, account: &str, draws: &Draws) -> Result<Taken, Error>;

    /// A call has ended: nothing was spent if it was not [sent](Sent), and `seen` is what its answer said, pauses included.
    /// A store forgets by itself what is never given back, because processes die.
    ///
    /// # Errors
    /// The store cannot be told.
    async fn give_back(
        &self,
        account: &str,
        number: u64,
        sent: Sent,
        seen: &Observations,
    ) -> Result<(), Error>;
}

/// Shares quotas between pilots of one process.
///
/// ```
/// use std::sync::Arc;
/// use connect_core::quota::{HeaderModel, MemoryQuotaStore, QuotaConfig, QuotaPilot};
/// let store = Arc::new(MemoryQuotaStore::default());
/// let pilot = |_| QuotaPilot::shared(HeaderModel::default(), QuotaConfig::default(), store.clone(), "account-1");
/// let pilots: Vec<QuotaPilot> = (0..2).map(pilot).collect();
/// # let _ = pilots;
/// ```
#[derive(Debug, Default)]
pub struct MemoryQuotaStore(Mutex<HashMap<String, Books>>);

#[derive(Debug)]
struct Books {
    ledger: Ledger,
    /// By number, so by age.
    grants: BTreeMap<u64, (Grant, Instant)>,
    granted: u64,
    used_at: Instant,
}

impl Books {
    fn new(now: Instant) -> Self {
        // Each process bounds what runs in it.
        Self { ledger: Ledger::new(u32::MAX), grants: BTreeMap::new(), granted: 0, used_at: now }
    }

    fn take(&mut self, draws: &Draws, now: Instant) -> Taken {
        self.used_at = now;
        // Whoever died may have spent what it took, as late as now.
        while let Some(oldest) = self.grants.first_entry()
            && now.saturating_duration_since(oldest.get().1) >= LEASE
        {
            let (grant, _) = oldest.remove();
            self.settle(&grant, &Settled::Lost, now);
        }
        let mut wanted = self.ledger.resolve(draws, now);
        let place = self.ledger.place(Priority::Normal);
        match self.ledger.admit(&mut wanted, place, now) {
            Ok(grant) => {
                self.granted += 1;
                self.grants.insert(self.granted, (grant, now));
                Taken::Granted(self.granted)
            }
            Err(blocked) => {
                self.ledger.forget(&wanted, place, &mut Vec::new());
                let wait = blocked.until.map_or(ASK_AGAIN, |at| at.saturating_duration_since(now));
                let bucket = match blocked.before {
                    Before::Gate => None,
                    Before::Bucket(_) => self.ledger.bucket(blocked.before, now),
                };
                Taken::Wait { bucket, wait }
            }
        }
    }

    /// Nobody waits in these lines, so nobody is woken.
    fn settle(&mut self, grant: &Grant, how: &Settled<'_>, now: Instant) {
        self.ledger.settle(grant, how, now, &mut Vec::new());
    }
}

impl MemoryQuotaStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Books>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one account more: what nobody uses, the longest unused first, an eighth at once.
fn sweep(accounts: &mut HashMap<String, Books>) {
    let mut idle: Vec<(Instant, String)> = accounts
        .iter()
        .filter(|(_, books)| books.grants.is_empty())
        .map(|(account, books)| (books.used_at, account.clone()))
        .collect();
    idle.sort_unstable();
    for (_, account) in idle.into_iter().take(MOST_ACCOUNTS / 8) {
        accounts.remove(&account);
    }
}

#[async_trait]
impl QuotaStore for MemoryQuotaStore {
    async fn take(&self, account: &str, draws: &Draws) -> Result<Taken, Error> {
        let now = Instant::now();
        let mut accounts = self.lock();
        if let Some(books) = accounts.get_mut(account) {
            return Ok(books.take(draws, now));
        }
        if accounts.len() >= MOST_ACCOUNTS {
            sweep(&mut accounts);
        }
        Ok(accounts.entry(account.to_owned()).or_insert_with(|| Books::new(now)).take(draws, now))
    }

    async fn give_back(
        &self,
        account: &str,
        number: u64,
        sent: Sent,
        seen: &Observations,
    ) -> Result<(), Error> {
        let now = Instant::now();
        let mut accounts = self.lock();
        let Some(books) = accounts.get_mut(account) else { return Ok(()) };
        let Some((grant, taken_at)) = books.grants.remove(&number) else { return Ok(()) };
        let how = match sent {
            Sent::No => Settled::Unsent,
            Sent::Maybe => Settled::Lost,
            Sent::Yes => Settled::Answered {
                seen,
                // What follows from a verdict is among the pauses already.
                verdict: None,
                is_free: false,
                is_well: true,
                trip: now.saturating_duration_since(taken_at),
            },
        };
        books.settle(&grant, &how, now);
        Ok(())
    }
}
