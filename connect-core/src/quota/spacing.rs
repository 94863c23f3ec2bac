//! One at a time, at a distance: governor's cell, by tokio's clock.
//!
//! Only `check` is used: governor's own waiting reads another clock, wakes everybody for each free cell, and serves them
//! in no order. A check that succeeds has taken the cell, so spacing is asked last, and a waiter remembers what it took.

use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::deadline::{LONGEST_WAIT, after};

/// Shorter distances are none.
const SHORTEST: Duration = Duration::from_micros(1);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Since, NoOpMiddleware<Nanos>>;

/// Tokio's clock, which tests can pause, as governor wants it.
#[derive(Clone, Debug)]
struct Since(Instant);

impl Clock for Since {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

#[derive(Debug)]
pub(crate) struct Spacing {
    limiter: Option<Limiter>,
    every: Duration,
}

impl Spacing {
    pub(crate) fn new(every: Duration, now: Instant) -> Self {
        let every = every.min(LONGEST_WAIT);
        // No distance at all, no limiter.
        let quota = Quota::with_period(every.max(SHORTEST)).filter(|_| every >= SHORTEST);
        Self { limiter: quota.map(|quota| RateLimiter::direct_with_clock(quota, Since(now))), every }
    }

    /// Takes the cell, or says when it is free.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Instant> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter.check().map_err(|not_until| {
            // A nanosecond more than governor says: its cell opens after that moment.
            let wait = not_until.wait_time_from(limiter.clock().now()).max(Duration::from_nanos(1));
            after(now, wait)
        })
    }

    pub(crate) fn is_every(&self, every: Duration) -> bool {
        self.every == every.min(LONGEST_WAIT)
    }

    pub(crate) fn every(&self) -> Duration {
        self.every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_a_second_by_the_paused_clock() {
        let spacing = Spacing::new(Duration::from_secs(1), Instant::now());
        for _ in 0..3 {
            assert_eq!(spacing.take(Instant::now()), Ok(()));
            let free = spacing.take(Instant::now()).unwrap_err();
            tokio::time::sleep_until(free).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn absurd_distances_do_not_overflow() {
        let now = Instant::now();
        let never = Spacing::new(Duration::MAX, now);
        assert_eq!(never.take(now), Ok(()));
        assert!(never.take(now).is_err());
        let none = Spacing::new(Duration::ZERO, now);
        assert_eq!((none.take(now), none.take(now)), (Ok(()), Ok(())));
    }
}
