//! When a failed event's time comes again.

use std::time::Duration;

/// The waits between attempts; after the last one the event is given up.
///
/// The default is the family's job schedule: about a day. Each wait is jittered by ±10 %, so that events that failed
/// together do not come back together.
///
/// ```
/// use std::time::Duration;
/// use connect_flow::Schedule;
/// let schedule = Schedule::new([Duration::from_secs(1), Duration::from_secs(10)]);
/// assert_eq!(schedule.wait(1, 0.5), Some(Duration::from_secs(1)));
/// assert_eq!(schedule.wait(3, 0.5), None);
/// assert_eq!(schedule.attempts(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    fn default() -> Self {
        const SECONDS: [u64; 8] = [5, 30, 2 * 60, 10 * 60, 30 * 60, 2 * 3600, 6 * 3600, 15 * 3600];
        Self(SECONDS.map(Duration::from_secs).to_vec())
    }
}

impl Schedule {
    /// These waits, in this order. Without any, an event is tried once.
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self(waits.into_iter().collect())
    }

    /// The wait after this many attempts; `None` if the event is to be given up. `random` is in `0.0 ..= 1.0`.
    pub fn wait(&self, attempts: u32, random: f64) -> Option<Duration> {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.0.get(index)?;
        Some(wait.mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0)))
    }

    /// How many attempts there are in all.
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }
}
