//! Wall-clock time, injected: leases and schedules are shared between processes, so monotonic time would not do.

use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment, in microseconds since 1970 UTC.
///
/// ```
/// use std::time::Duration;
/// use connect_flow::clock::Timestamp;
/// let then = Timestamp::from_micros(1_000_000) + Duration::from_secs(2);
/// assert_eq!(then.as_micros(), 3_000_000);
/// assert_eq!(then.since(Timestamp::from_micros(0)), Duration::from_secs(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }
}

/// Tells the time.
///
/// Injected, so that tests move it.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one edge where the wall clock is read")]
        let now = SystemTime::now();
        let micros = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
        Timestamp(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// A clock that goes with tokio's time, from a fixed start: in a test with paused time it moves when the test does.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    start: Timestamp,
    begun: Instant,
}

impl TokioClock {
    /// A clock that says `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, begun: Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.start + self.begun.elapsed()
    }
}
