//! Every default in one table, and every one can be set.
//!
//! | field | default |
//! |---|---|
//! | `deadline` | 60 s for the whole operation, waits and body included |
//! | `attempt_timeout` | 30 s for one attempt, body included |
//! | `connect_timeout` | 10 s |
//! | `read_timeout` | 15 s without a byte |
//! | `retry` | 4 attempts, base 250 ms, cap 30 s, hints up to 60 s ([`RetryPolicy`]) |
//! | `body_limit_bytes` | 16 MiB of answer |
//! | `user_agent` | name and version of the provider crate |
//! | `seed` | drawn once per client |

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::retry::RetryPolicy;

/// Limits and habits of one client.
///
/// ```
/// use std::time::Duration;
/// use connect_core::{Config, RetryPolicy};
/// let config = Config::default().with_deadline(Duration::from_secs(5)).with_retry(RetryPolicy::never());
/// assert_eq!(config.attempt_timeout, Duration::from_secs(30));
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
    /// Largest answer that is collected, in bytes.
    pub body_limit_bytes: usize,
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
            body_limit_bytes: 16 * 1024 * 1024,
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

    /// Sets the largest answer that is collected.
    #[must_use]
    pub fn with_body_limit_bytes(mut self, limit: usize) -> Self {
        self.body_limit_bytes = limit;
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

    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let durations = [
            ("deadline", self.deadline),
            ("attempt_timeout", self.attempt_timeout),
            ("connect_timeout", self.connect_timeout),
            ("read_timeout", self.read_timeout),
        ];
        for (name, duration) in durations {
            if duration.is_zero() {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("`{name}` is zero, so no call could ever succeed: give it some time"),
                ));
            }
        }
        if self.body_limit_bytes == 0 {
            return Err(Error::new(
                ErrorKind::Config,
                "`body_limit_bytes` is zero, so no answer could be read",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_never_work_are_refused_by_name() {
        assert!(Config::default().check().is_ok());
        let zero = Config::default().with_attempt_timeout(Duration::ZERO).check().unwrap_err();
        assert!(zero.to_string().contains("attempt_timeout"));
        assert!(Config::default().with_body_limit_bytes(0).check().is_err());
    }
}
