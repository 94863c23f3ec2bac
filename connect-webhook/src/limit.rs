//! How many requests an endpoint takes: one token bucket each, so that a flood on one address costs its
//! sender an answer and nobody else anything.
//!
//! The bucket runs on the receiver's [`Clock`](crate::Clock), which counts whole seconds. Its lock is its own
//! and held for a few instructions. Off unless asked for: providers send in bursts, and not all of them send
//! again after a 429.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::UnixTime;

/// When a sender that is over the limit should come back: the bucket is filled once a second.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: u32,
    burst: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: u32,
    filled_at: UnixTime,
}

impl Bucket {
    /// Full at first. A burst smaller than a second's worth would lower the rate, for tokens come once a
    /// second; it is raised.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let burst = burst.max(per_second);
        let state = Mutex::new(State { tokens: burst, filled_at: UnixTime(i64::MIN) });
        Self { per_second, burst, state }
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self, now: UnixTime) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now != state.filled_at {
            // A clock that was set back fills nothing, and counts from where it is now.
            let seconds = u32::try_from(now.0.saturating_sub(state.filled_at.0).max(0)).unwrap_or(u32::MAX);
            let fresh = self.per_second.saturating_mul(seconds);
            state.tokens = state.tokens.saturating_add(fresh).min(self.burst);
            state.filled_at = now;
        }
        match state.tokens.checked_sub(1) {
            Some(left) => {
                state.tokens = left;
                true
            }
            None => false,
        }
    }
}

/// Says yes once in a while: for log lines and hints that a flood must not multiply.
#[derive(Debug)]
pub(crate) struct Throttle(AtomicI64);

impl Throttle {
    /// The least distance between two times yes.
    const SECONDS: i64 = 10;

    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    pub(crate) fn allows(&self, now: UnixTime) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let distance = now.0.saturating_sub(last);
        // Negative after the clock was set back.
        let is_due = !(0..Self::SECONDS).contains(&distance);
        is_due && self.0.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &Bucket, at: i64) -> usize {
        (0..1000).filter(|_| bucket.take(UnixTime(at))).count()
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let bucket = Bucket::new(10, 50);
        assert_eq!(taken(&bucket, 1_000), 50);
        assert_eq!(taken(&bucket, 1_000), 0);
        assert_eq!(taken(&bucket, 1_001), 10);
        assert_eq!(taken(&bucket, 1_003), 20);
        assert_eq!(taken(&bucket, 9_999), 50, "it does not save up more than the burst");
    }

    #[test]
    fn a_clock_that_is_set_back_fills_nothing_and_blocks_nothing() {
        let bucket = Bucket::new(10, 10);
        assert_eq!(taken(&bucket, 1_000), 10);
        assert_eq!(taken(&bucket, 500), 0);
        assert_eq!(taken(&bucket, 501), 10);
        assert_eq!(taken(&bucket, i64::MAX), 10);
        assert_eq!(taken(&bucket, i64::MIN), 0);
    }

    #[test]
    fn a_burst_below_the_rate_is_raised_to_it() {
        assert_eq!(taken(&Bucket::new(10, 1), 0), 10);
    }

    #[test]
    fn a_throttle_allows_one_in_ten_seconds() {
        let throttle = Throttle::new();
        let allowed: Vec<_> = [100, 100, 109, 110, 111, 50, 51]
            .into_iter()
            .filter(|at| throttle.allows(UnixTime(*at)))
            .collect();
        assert_eq!(allowed, [100, 110, 50]);
    }
}
