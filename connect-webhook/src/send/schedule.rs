//! When to try again: a list of waits, stretched a little by chance.
//!
//! The default is the example of Standard Webhooks: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
//! 14 h, 20 h and 24 h, ten attempts within about 76 hours. Short waits bridge a deployment, long ones a
//! weekend. Jitter keeps the messages of one outage from coming back all at once; it only adds, so that no
//! attempt comes before its time.

use std::time::Duration;

use crate::clock::UnixTime;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Standard Webhooks' example, in seconds, after the immediate first attempt.
const STANDARD: [u64; 9] =
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// Enough to spread a minute's messages over the five-minute wait, and little beside the wait itself.
const JITTER_PERCENT: u8 = 20;

/// The waits between attempts.
///
/// ```
/// use connect_webhook::send::Schedule;
/// use std::time::Duration;
/// let schedule = Schedule::new([5, 60].map(Duration::from_secs)).with_jitter_percent(0);
/// let mut rng = fastrand::Rng::with_seed(1);
/// assert_eq!(schedule.attempts(), 3);
/// assert_eq!(schedule.wait_after(2, &mut rng), Some(Duration::from_secs(60)));
/// assert_eq!(schedule.wait_after(3, &mut rng), None);
/// assert_eq!(Schedule::default().attempts(), 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    waits: Vec<Duration>,
    jitter_percent: u8,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::new(STANDARD.map(Duration::from_secs))
    }
}

impl Schedule {
    /// One wait after each failed attempt but the last, so one attempt more than waits. None means one
    /// attempt.
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self { waits: waits.into_iter().collect(), jitter_percent: JITTER_PERCENT }
    }

    /// By how much of itself a wait may be stretched; 20 if not set.
    #[must_use]
    pub fn with_jitter_percent(mut self, percent: u8) -> Self {
        self.jitter_percent = percent;
        self
    }

    /// How many attempts there are, the first included.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.waits.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How long to wait after the failed attempt of this number, counted from 1; `None` after the last.
    pub fn wait_after(&self, attempt: u32, rng: &mut fastrand::Rng) -> Option<Duration> {
        // Attempt 0 does not exist; whoever counts from there gets the first wait.
        let index = usize::try_from(attempt.saturating_sub(1)).ok()?;
        let wait = *self.waits.get(index)?;
        let most = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) / 100;
        let most = most.saturating_mul(self.jitter_percent.into());
        Some(wait.saturating_add(Duration::from_millis(rng.u64(0..=most))))
    }
}

/// `wait` after `now`, rounded up to whole seconds.
pub(super) fn later(now: UnixTime, wait: Duration) -> UnixTime {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    UnixTime(now.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_schedule_and_no_wait_is_shortened() {
        let schedule = Schedule::default();
        let waits = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            (1..=10).map(|attempt| schedule.wait_after(attempt, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        for seed in 0..100 {
            let stretched = waits(seed);
            assert_eq!(stretched[9], None);
            for (seconds, wait) in STANDARD.into_iter().zip(stretched) {
                let wait = wait.unwrap().as_millis() as u64;
                assert!((seconds * 1000..=seconds * 1200).contains(&wait), "{seconds}: {wait}");
            }
        }
    }

    #[test]
    fn absurd_waits_do_not_overflow() {
        let schedule = Schedule::new([Duration::MAX]).with_jitter_percent(255);
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(schedule.wait_after(1, &mut rng), Some(Duration::MAX));
        assert_eq!(schedule.wait_after(0, &mut rng), Some(Duration::MAX));
        assert_eq!(schedule.wait_after(u32::MAX, &mut rng), None);
        assert_eq!(later(UnixTime(1), Duration::MAX), UnixTime(i64::MAX));
        assert_eq!(later(UnixTime(1), Duration::from_millis(1)), UnixTime(2));
    }
}
