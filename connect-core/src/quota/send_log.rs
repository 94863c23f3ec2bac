//! A published limit: "so many in any such time". We count, because the provider shows no figures.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::gauge::Room;
use crate::deadline::after;

/// How finely a log is kept: entries closer together than this part of the window become one, which leaves with the
/// last of them.
const GRAIN: u32 = 1_024;

/// What was sent within the last window.
///
/// An entry begins to age when its answer is there, not when it was sent: the provider may have counted it as late as
/// that. So there are never more than the limit in any window, by the provider's watch as well as by ours.
#[derive(Debug)]
pub(crate) struct SendLog {
    limit: u64,
    window: Duration,
    entries: VecDeque<Entry>,
    spent: u64,
}

#[derive(Debug)]
struct Entry {
    /// When the first of it would leave, and when all of it does.
    first: Instant,
    leaves: Instant,
    amount: u64,
}

impl SendLog {
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self { limit: u64::from(limit.max(1)), window, entries: VecDeque::new(), spent: 0 }
    }

    /// The provider publishes another number now.
    pub(crate) fn adopt(&mut self, limit: u32, window: Duration) {
        (self.limit, self.window) = (u64::from(limit.max(1)), window);
    }

    pub(crate) fn room(&mut self, cost: u64, in_flight: u64, now: Instant) -> Room {
        self.forget(now);
        // A call that costs more than the whole allowance goes when it is all there.
        let cost = cost.min(self.limit);
        if self.spent.saturating_add(in_flight).saturating_add(cost) <= self.limit {
            return Room::Open;
        }
        // When enough has left, if nothing on its way comes back first.
        let mut missing =
            self.spent.saturating_add(in_flight).saturating_add(cost).saturating_sub(self.limit);
        for entry in &self.entries {
            missing = missing.saturating_sub(entry.amount);
            if missing == 0 {
                return Room::ClosedUntil(entry.leaves);
            }
        }
        Room::Closed(None)
    }

    /// How long somebody waits who comes after so many others, at the least.
    pub(crate) fn line(&self, ahead: usize) -> Duration {
        let windows = u64::try_from(ahead).unwrap_or(u64::MAX) / self.limit;
        self.window.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
    }

    /// A call has been counted, at this time at the latest.
    pub(crate) fn charge(&mut self, cost: u64, at: Instant) {
        let leaves = after(at, self.window);
        self.spent = self.spent.saturating_add(cost);
        // At the end, as a rule: only a lost reply counts as later than the answers that come after it.
        let place = match self.entries.back() {
            Some(last) if leaves < last.leaves => {
                self.entries.partition_point(|entry| entry.leaves <= leaves)
            }
            _ => self.entries.len(),
        };
        match place.checked_sub(1).and_then(|before| self.entries.get_mut(before)) {
            // From the first of an entry on, not from its last: a steady flow must not become one entry without end.
            Some(before) if leaves.saturating_duration_since(before.first) < self.window / GRAIN => {
                before.leaves = leaves;
                before.amount = before.amount.saturating_add(cost);
            }
            _ => self.entries.insert(place, Entry { first: leaves, leaves, amount: cost }),
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(entry) = self.entries.front()
            && entry.leaves <= now
        {
            self.spent = self.spent.saturating_sub(entry.amount);
            self.entries.pop_front();
        }
    }

    pub(crate) fn left(&mut self, in_flight: u64, now: Instant) -> (u64, u64, Option<Duration>) {
        self.forget(now);
        let left = self.limit.saturating_sub(self.spent).saturating_sub(in_flight);
        let whole = self.entries.back().map(|entry| entry.leaves.saturating_duration_since(now));
        (self.limit, left, whole)
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_after_idleness_and_then_as_the_first_ones_leave() {
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        let mut log = SendLog::new(3, minute);
        for _ in 0..3 {
            assert_eq!(log.room(1, 0, start), Room::Open);
            log.charge(1, start);
        }
        assert_eq!(log.room(1, 0, start), Room::ClosedUntil(start + minute));
        assert_eq!(log.room(1, 0, start + minute), Room::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_on_its_way_counts_and_is_waited_for() {
        let start = Instant::now();
        let mut log = SendLog::new(2, Duration::from_secs(60));
        assert_eq!(log.room(1, 2, start), Room::Closed(None));
        assert_eq!(log.room(1, 1, start), Room::Open);
        // More than there ever is goes when all is there.
        assert_eq!(log.room(9, 1, start), Room::Closed(None));
        assert_eq!(log.room(9, 0, start), Room::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_flow_leaves_as_it_came() {
        let start = Instant::now();
        let mut log = SendLog::new(6_000, Duration::from_secs(60));
        for number in 0..6_000 {
            log.charge(1, start + Duration::from_millis(10) * number);
        }
        let half = start + Duration::from_secs(90);
        let (_, left, _) = log.left(0, half);
        assert!((2_980..=3_000).contains(&left), "{left}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_was_lost_leaves_in_its_turn() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut log = SendLog::new(3, 60 * second);
        log.charge(1, start + 30 * second);
        log.charge(1, start);
        log.charge(1, start + 10 * second);
        assert_eq!(log.room(1, 0, start), Room::ClosedUntil(start + 60 * second));
        assert_eq!(log.left(0, start + 60 * second).1, 1);
        assert_eq!(log.left(0, start + 70 * second).1, 2);
        assert_eq!(log.left(0, start + 90 * second).1, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_however_large_the_limit_is() {
        let start = Instant::now();
        let mut log = SendLog::new(u32::MAX, Duration::from_secs(3600));
        for number in 0..200_000 {
            log.charge(1, start + Duration::from_millis(18) * number);
        }
        assert!(log.entries.len() <= GRAIN as usize + 1, "{}", log.entries.len());
        assert_eq!(log.spent, 200_000);
    }
}
