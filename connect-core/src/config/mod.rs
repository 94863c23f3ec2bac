//! Every default in one table, and every one can be set: in code, in a configuration file, by variables.
//!
//! | setting | variable | default |
//! |---|---|---|
//! | `deadline` | `CONNECT_DEADLINE` | 60 s for the whole operation, waits and body included |
//! | `attempt_timeout` | `CONNECT_ATTEMPT_TIMEOUT` | 30 s for one attempt, body included |
//! | `connect_timeout` | `CONNECT_CONNECT_TIMEOUT` | 10 s |
//! | `read_timeout` | `CONNECT_READ_TIMEOUT` | 15 s without a byte |
//! | `retry.attempts` | `CONNECT_RETRY_ATTEMPTS` | 4, the first included |
//! | `retry.base` | `CONNECT_RETRY_BASE` | 250 ms, doubled each time, full jitter |
//! | `retry.cap` | `CONNECT_RETRY_CAP` | 30 s |
//! | `retry.longest_wait` | `CONNECT_RETRY_LONGEST_WAIT` | 60 s; a longer hint of a server is returned at once |
//! | `retry.budget_percent` | `CONNECT_RETRY_BUDGET_PERCENT` | 20: replays, as a share of all operations of a client |
//! | `retry.budget_reserve` | `CONNECT_RETRY_BUDGET_RESERVE` | 10 replays more |
//! | `quota.concurrency` | `CONNECT_QUOTA_CONCURRENCY` | 20 requests of an account at the same time |
//! | `quota.longest_wait` | `CONNECT_QUOTA_LONGEST_WAIT` | 60 s; who would wait longer is refused at once |
//! | `breaker.failures` | `CONNECT_BREAKER_FAILURES` | 5 in a row; 0 never opens it |
//! | `breaker.open` | `CONNECT_BREAKER_OPEN` | 10 s |
//! | `body_limit` | `CONNECT_BODY_LIMIT` | 16 MiB of answer |
//! | `download_limit` | `CONNECT_DOWNLOAD_LIMIT` | none: a [streamed](crate::Client::download) answer is not kept in memory |
//! | `proxy` | `CONNECT_PROXY` | none; a URL, for the reqwest transport |
//! | `proxy_from_env` | `CONNECT_PROXY_FROM_ENV` | `false`: `HTTPS_PROXY` and its like are ignored |
//! | `user_agent` | `CONNECT_USER_AGENT` | name and version of the provider crate |
//! | `seed` | `CONNECT_SEED` | drawn once per client |
//!
//! Durations are written with a unit (`250ms`, `30s`, `5m`), sizes with or without one (`16 MiB`, `500 kB`; a plain
//! number is bytes). A setting that is not in the table is an error that names it. A misspelt *variable* goes unnoticed,
//! because variables are looked up one by one: a host that can list its environment compares it with
//! [`Config::variables`].
//!
//! Defaults that belong to one call, list or layer stand where they are set: fetching ahead 0 pages
//! ([`Pages::prefetch`](crate::Pages::prefetch)), the [cache](crate::cache) 1,000 answers of 1 MiB and 32 MiB in all, the
//! text that an undecodable answer leaves in its error 1 KiB ([`DecodeProblem`](crate::decode::DecodeProblem)).

use std::time::Duration;

use crate::breaker::BreakerPolicy;
use crate::error::Error;
use crate::network::{Proxy, RootCertificates};
use crate::quota::QuotaConfig;
use crate::retry::{BudgetPolicy, RetryPolicy};
use crate::vars::Vars;

mod deserialize;
mod settings;
mod units;

/// Limits and habits of one client.
///
/// ```
/// use std::time::Duration;
/// use connect_core::{Config, RetryPolicy};
/// let config = Config::default().with_deadline(Duration::from_secs(5)).with_retry(RetryPolicy::never());
/// assert_eq!(config.attempt_timeout, Duration::from_secs(30));
///
/// let file = r#"{"deadline": "5m", "retry": {"attempts": 2}, "body_limit": "32 MiB"}"#; // or TOML, YAML ...
/// let config: Config = serde_json::from_str(file)?;
/// assert_eq!((config.deadline, config.retry.attempts), (Duration::from_secs(300), 2));
///
/// let typo = serde_json::from_str::<Config>(r#"{"retry": {"attemps": 2}}"#).unwrap_err();
/// assert!(typo.to_string().contains("`retry.attemps`"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Config {
    /// Budget of a whole operation, waits and body included.
    pub deadline: Duration,
    /// Time-out of one attempt, body included.
    pub attempt_timeout: Duration,
    /// Time-out of setting up a connection.
    pub connect_timeout: Duration,
    /// Longest silence of the provider within an answer.
    pub read_timeout: Duration,
    /// How often and how long to wait between attempts.
    pub retry: RetryPolicy,
    /// How many replays all calls of the client may make together.
    pub retry_budget: BudgetPolicy,
    /// How many requests run at once, and how long a quota is waited for.
    pub quota: QuotaConfig,
    /// When a provider that only fails is left alone.
    pub breaker: BreakerPolicy,
    /// Largest answer that is collected, in bytes.
    pub body_limit_bytes: usize,
    /// Largest answer that is handed over as a stream, in bytes; `None` sets no limit.
    pub download_limit_bytes: Option<u64>,
    /// Where everything goes through.
    pub proxy: Option<Proxy>,
    /// Is the environment asked for a proxy?
    pub proxy_from_env: bool,
    /// Certificates to trust beside the system's.
    pub root_certificates: Vec<RootCertificates>,
    /// What the client calls itself; `None` is the provider crate's name and version.
    pub user_agent: Option<String>,
    /// Seed of all jitter; `None` draws one per client. Set it to replay a run.
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(15),
            retry: RetryPolicy::default(),
            retry_budget: BudgetPolicy::default(),
            quota: QuotaConfig::default(),
            breaker: BreakerPolicy::default(),
            body_limit_bytes: 16 * 1024 * 1024,
            download_limit_bytes: None,
            proxy: None,
            proxy_from_env: false,
            root_certificates: Vec::new(),
            user_agent: None,
            seed: None,
        }
    }
}

impl Config {
    /// Sets the budget of a whole operation.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the time-out of one attempt.
    #[must_use]
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the time-out of setting up a connection.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the longest silence within an answer.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Sets how often and how long to wait between attempts.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets how many replays all calls of the client may make together.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: BudgetPolicy) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Sets how many requests run at once, and how long a quota is waited for.
    #[must_use]
    pub fn with_quota(mut self, quota: QuotaConfig) -> Self {
        self.quota = quota;
        self
    }

    /// Sets when a provider that only fails is left alone.
    #[must_use]
    pub fn with_breaker(mut self, breaker: BreakerPolicy) -> Self {
        self.breaker = breaker;
        self
    }

    /// Sets the largest answer that is collected.
    #[must_use]
    pub fn with_body_limit_bytes(mut self, limit: usize) -> Self {
        self.body_limit_bytes = limit;
        self
    }

    /// Sets the largest answer that is handed over as a stream.
    #[must_use]
    pub fn with_download_limit_bytes(mut self, limit: u64) -> Self {
        self.download_limit_bytes = Some(limit);
        self
    }

    /// Sets what the client calls itself. Providers ask for the name of your product here.
    #[must_use]
    pub fn with_user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// Sets the seed of all jitter.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The defaults, changed by variables that begin with this prefix: `CONNECT` reads `CONNECT_DEADLINE` and so on.
    ///
    /// ```
    /// use connect_core::{Config, Vars};
    /// let lookup = |name: &str| (name == "CONNECT_RETRY_ATTEMPTS").then(|| "2".to_owned());
    /// let config = Config::from_vars("CONNECT", Vars::new(&lookup))?;
    /// assert_eq!(config.retry.attempts, 2);
    /// # Ok::<(), connect_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) naming the variable and what belongs there.
    pub fn from_vars(prefix: &str, vars: Vars<'_>) -> Result<Self, Error> {
        settings::from_vars(prefix, vars)
    }

    /// The variables that [`Config::from_vars`] reads. For a host's help text, and for finding a misspelt one.
    pub fn variables(prefix: &str) -> impl Iterator<Item = String> {
        settings::variables(prefix)
    }

    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        settings::check(self)
    }
}
