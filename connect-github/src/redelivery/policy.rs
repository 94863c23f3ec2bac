//! How often, how far apart and how far back.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The figures of a [`Redelivery`](super::Redelivery).
///
/// ```
/// use std::time::Duration;
/// use connect_github::redelivery::Policy;
/// let eager = Policy::default().with_schedule([Duration::ZERO, Duration::from_secs(60)]).with_asks_per_pass(20);
/// assert_eq!(eager.schedule.len(), 2);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What lies between the last attempt at a delivery and the next ask; as many asks as there are waits. After the
    /// last one and its wait, the delivery is given up.
    ///
    /// Default: 1 min, 10 min, 1 h, 4 h, 12 h, 24 h. The first lets a delivery end that is under way (GitHub waits 10
    /// seconds for an answer), the second is the time an asked delivery has to show in the list, and all together stay
    /// within GitHub's three days.
    pub schedule: Vec<Duration>,
    /// How old an attempt may be that is asked for. Default: three days, GitHub's own limit.
    pub oldest: Duration,
    /// How far behind the watermark a listing begins, for deliveries that are listed late. Default: 10 min.
    pub overlap: Duration,
    /// Asks in one pass. Default: 100, two minutes at GitHub's advice of one write per second.
    pub asks_per_pass: usize,
    /// Pages of a hundred deliveries in one pass; the next one goes on from there. Default: 50, a hundredth of an hour's
    /// limit.
    pub pages_per_pass: u32,
    /// Deliveries that are remembered as failed at a time; the watermark waits for the others. Default: 5,000, about a
    /// megabyte.
    pub most_open: usize,
}

impl Default for Policy {
    fn default() -> Self {
        let waits = [MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR];
        Self {
            schedule: waits.map(Duration::from_secs).to_vec(),
            oldest: Duration::from_secs(3 * 24 * HOUR),
            overlap: Duration::from_secs(10 * MINUTE),
            asks_per_pass: 100,
            pages_per_pass: 50,
            most_open: 5_000,
        }
    }
}

impl Policy {
    /// Sets what lies between the last attempt and the next ask. Without any, nothing is asked for, only reported.
    #[must_use]
    pub fn with_schedule(mut self, waits: impl IntoIterator<Item = Duration>) -> Self {
        self.schedule = waits.into_iter().collect();
        self
    }

    /// Sets how old an attempt may be that is asked for.
    #[must_use]
    pub fn with_oldest(mut self, oldest: Duration) -> Self {
        self.oldest = oldest;
        self
    }

    /// Sets how far behind the watermark a listing begins.
    #[must_use]
    pub fn with_overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets how many asks one pass makes.
    #[must_use]
    pub fn with_asks_per_pass(mut self, asks: usize) -> Self {
        self.asks_per_pass = asks;
        self
    }

    /// Sets how many pages one pass reads; at least one.
    #[must_use]
    pub fn with_pages_per_pass(mut self, pages: u32) -> Self {
        self.pages_per_pass = pages.max(1);
        self
    }

    /// Sets how many failed deliveries are remembered at a time; at least one.
    #[must_use]
    pub fn with_most_open(mut self, most: usize) -> Self {
        self.most_open = most.max(1);
        self
    }
}

/// Whole seconds; more than anybody's lifetime is that much.
pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
