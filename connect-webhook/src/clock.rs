//! Where the time comes from.
//!
//! Verification compares a signed timestamp with the present, so the present is an argument:
//! [`Verifier::verify`] takes a [`UnixTime`], and a [`Receiver`] asks its [`Clock`]. The default is
//! [`SystemClock`]; tests use [`FixedClock`] and never sleep. A clock tells the time of day only. Waiting is
//! the job of a [`Timer`].
//!
//! [`Verifier::verify`]: crate::Verifier::verify
//! [`Receiver`]: crate::Receiver
//! [`Timer`]: crate::Timer

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z; the resolution signed webhook timestamps have.
///
/// ```
/// use connect_webhook::UnixTime;
/// assert!(UnixTime(1_750_000_000) < UnixTime(1_750_000_001));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the time of day. Two implementations ship: [`SystemClock`] and [`FixedClock`].
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> UnixTime;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }
}

/// The operating system's clock, and the only place of this crate that reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's one wall clock")]
    fn now(&self) -> UnixTime {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        UnixTime(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => seconds(since),
            Err(before) => -seconds(before.duration()),
        })
    }
}

/// A clock that stands still until it is told to move; for tests and for replaying captured deliveries.
///
/// ```
/// use connect_webhook::{Clock, FixedClock, UnixTime};
/// let clock = FixedClock::new(UnixTime(1_750_000_000));
/// clock.advance(std::time::Duration::from_secs(301));
/// assert_eq!(clock.now(), UnixTime(1_750_000_301));
/// ```
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that stands at `now`.
    pub fn new(now: UnixTime) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock to `now`, forwards or backwards.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// Moves the clock forwards by whole seconds.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        self.set(UnixTime(self.now().0.saturating_add(seconds)));
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_past_2025() {
        assert!(SystemClock.now() > UnixTime(1_735_689_600));
    }

    #[test]
    fn a_fixed_clock_saturates() {
        let clock = FixedClock::new(UnixTime(i64::MAX - 1));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), UnixTime(i64::MAX));
    }
}
