//! The pilot of one account: its books behind a lock, and what a host asks them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::ledger::Ledger;
use super::model::{Observation, QuotaModel};
use super::store::QuotaStore;

/// How a pilot admits.
///
/// Two values, because everything else is the provider's to say.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Requests of the account that run at the same time. Default 20.
    pub concurrency: u32,
    /// The longest wait for a quota; who would wait longer is refused at once. Default 60 s.
    pub longest_wait: Duration,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self { concurrency: 20, longest_wait: Duration::from_secs(60) }
    }
}

impl QuotaConfig {
    /// Sets how many requests of the account run at the same time; 0 counts as 1.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Sets the longest wait for a quota.
    #[must_use]
    pub fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }
}

/// What is known of one bucket; the first of a list is the account itself, with its running requests.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    /// The bucket's name; `account` for the running requests.
    pub bucket: String,
    /// The whole allowance, if it is known.
    pub limit: Option<u64>,
    /// What is left of it, less what is on its way.
    pub remaining: Option<u64>,
    /// When it is whole again.
    pub resets_in: Option<Duration>,
    /// What is on its way.
    pub in_flight: u64,
    /// How many stand in its line.
    pub waiting: usize,
    /// How long it is still closed for everybody; zero if it is not.
    pub paused_for: Duration,
}

/// The quotas of one account. Clones are handles of the same; clients of one account share one.
///
/// ```
/// use std::time::Duration;
/// use connect_core::quota::{HeaderModel, QuotaConfig, QuotaPilot};
/// let pilot = QuotaPilot::new(HeaderModel::default(), QuotaConfig::default());
/// pilot.seed("requests", Some(5000), 4321, Some(Duration::from_secs(600))); // from GET /rate_limit, say
/// assert_eq!(pilot.status()[1].remaining, Some(4321));
/// ```
#[derive(Clone)]
pub struct QuotaPilot(Arc<Shared>);

pub(super) struct Shared {
    pub(super) model: Arc<dyn QuotaModel>,
    pub(super) config: QuotaConfig,
    pub(super) store: Option<(Arc<dyn QuotaStore>, String)>,
    ledger: Mutex<Ledger>,
}

impl QuotaPilot {
    /// Goes by this model.
    pub fn new(model: impl QuotaModel, config: QuotaConfig) -> Self {
        Self::over(Arc::new(model), config, None)
    }

    pub(crate) fn of_model(model: Arc<dyn QuotaModel>, config: QuotaConfig) -> Self {
        Self::over(model, config, None)
    }

    /// The same, and asks a store that other processes ask too. `account` is what the store keeps it under: the
    /// [fingerprint](crate::Account) of credential and host.
    pub fn shared(
        model: impl QuotaModel,
        config: QuotaConfig,
        store: Arc<dyn QuotaStore>,
        account: impl Into<String>,
    ) -> Self {
        Self::over(Arc::new(model), config, Some((store, account.into())))
    }

    fn over(
        model: Arc<dyn QuotaModel>,
        config: QuotaConfig,
        store: Option<(Arc<dyn QuotaStore>, String)>,
    ) -> Self {
        let ledger = Mutex::new(Ledger::new(config.concurrency));
        Self(Arc::new(Shared { model, config, store, ledger }))
    }

    /// What is known of every bucket, the account first.
    pub fn status(&self) -> Vec<QuotaStatus> {
        let now = Instant::now();
        self.with(|ledger, _| ledger.status(now))
    }

    /// Tells what is left of a bucket that the provider counts, before any answer has said so: a warm start.
    pub fn seed(
        &self,
        bucket: impl Into<std::borrow::Cow<'static, str>>,
        limit: Option<u64>,
        remaining: u64,
        resets_in: Option<Duration>,
    ) {
        let figure = Observation { limit, resets_in, ..Observation::new(bucket, remaining) };
        let now = Instant::now();
        self.with(|ledger, wake| ledger.tell(&figure, now, wake));
    }

    /// Closes the whole account for this long; afterwards one request goes first.
    pub fn pause(&self, wait: Duration) {
        let now = Instant::now();
        self.with(|ledger, _| ledger.close(None, wait, now));
    }

    pub(super) fn shared_parts(&self) -> &Shared {
        &self.0
    }

    /// Does something to the books, and wakes whoever that concerns after letting go of them.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Ledger, &mut Vec<Waker>) -> T) -> T {
        let mut wake = Vec::new();
        let result = act(&mut self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner), &mut wake);
        wake.into_iter().for_each(Waker::wake);
        result
    }
}

impl fmt::Debug for QuotaPilot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuotaPilot").field("config", &self.0.config).finish_non_exhaustive()
    }
}
