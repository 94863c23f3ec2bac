//! How often and how long: the settings of one client, or of one call.

use std::time::Duration;

/// How often and how long to wait between attempts.
///
/// ```
/// use connect_core::RetryPolicy;
/// let policy = RetryPolicy::default().with_attempts(2);
/// assert_eq!(policy.attempts, 2);
/// assert_eq!(RetryPolicy::never().attempts, 1);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included. Default 4.
    pub attempts: u32,
    /// Upper bound of the first delay; doubled each time. Default 250 ms.
    pub base: Duration,
    /// Upper bound of any delay that the server did not ask for. Default 30 s.
    pub cap: Duration,
    /// The longest hint of a server that is waited for; a longer one is returned to the caller. Default 60 s.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(30),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt, for hosts that retry themselves.
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Sets the number of attempts; 0 counts as 1.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the upper bound of the first delay.
    #[must_use]
    pub fn with_base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the upper bound of any delay that the server did not ask for.
    #[must_use]
    pub fn with_cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the longest server hint that is waited for.
    #[must_use]
    pub fn with_longest_wait(mut self, longest: Duration) -> Self {
        self.longest_wait = longest;
        self
    }
}
