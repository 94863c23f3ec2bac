//! How each shape of a limit counts. Plain arithmetic on the time since the simulation began.

use std::collections::VecDeque;
use std::time::Duration;

use super::plan::Shape;
use super::report::WindowReport;

/// Windows shorter than this would make the arithmetic below divide by zero.
const SHORTEST: Duration = Duration::from_millis(1);

/// Windows with a line of their own; what comes later is added to the last one, so that memory stays bounded.
const MOST_REPORTS: usize = 1_000_000;

/// One limit's counters.
pub(super) struct Counter {
    shape: Shape,
    /// Fixed: the current window and what it has used.
    window: u64,
    used: u64,
    /// Sliding: what was admitted when. Concurrent: what is there until when.
    held: VecDeque<(Duration, u64)>,
    /// How `used` changed in the recent past, for headers that lag.
    changes: VecDeque<(Duration, i128)>,
    keeps: Duration,
    reports: Vec<WindowReport>,
}

/// What the rate-limit headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) limit: u64,
    pub(super) used: u64,
    /// When the window ends, since the simulation began.
    pub(super) resets_at: Option<Duration>,
}

impl Counter {
    pub(super) fn new(shape: Shape, keeps: Duration) -> Self {
        let shape = match shape {
            Shape::Fixed { limit, window, elapsed } => {
                Shape::Fixed { limit, window: window.max(SHORTEST), elapsed }
            }
            Shape::Sliding { limit, window } => Shape::Sliding { limit, window: window.max(SHORTEST) },
            shape => shape,
        };
        let mut counter = Self {
            shape,
            window: 0,
            used: 0,
            held: VecDeque::new(),
            changes: VecDeque::new(),
            keeps,
            reports: Vec::new(),
        };
        counter.window = counter.window_at(Duration::ZERO);
        counter
    }

    /// Is there room for this much? If not, for how long there is none.
    pub(super) fn room(&mut self, now: Duration, cost: u64) -> Result<(), Duration> {
        self.roll(now);
        match self.shape {
            Shape::Fixed { limit, .. } if self.used.saturating_add(cost) > limit => {
                Err(self.end_of(self.window).saturating_sub(now))
            }
            Shape::Fixed { .. } => Ok(()),
            Shape::Sliding { limit, window } => {
                let mut used: u64 = self.used;
                if used.saturating_add(cost) <= limit {
                    return Ok(());
                }
                for (at, cost_of_that) in &self.held {
                    used = used.saturating_sub(*cost_of_that);
                    if used.saturating_add(cost) <= limit {
                        return Err(at.saturating_add(window).saturating_sub(now));
                    }
                }
                Err(window) // asks for more than the whole allowance
            }
            Shape::Concurrent { limit } if self.used >= limit => {
                Err(self.held.iter().map(|(until, _)| until.saturating_sub(now)).min().unwrap_or_default())
            }
            Shape::Concurrent { .. } => Ok(()),
        }
    }

    /// Draws. `until` is when the answer leaves.
    pub(super) fn draw(&mut self, now: Duration, until: Duration, cost: u64, by_stranger: bool) {
        self.roll(now);
        match self.shape {
            Shape::Fixed { .. } => self.change(now, i128::from(cost)),
            Shape::Sliding { .. } => {
                self.change(now, i128::from(cost));
                self.held.push_back((now, cost));
            }
            Shape::Concurrent { .. } => {
                self.change(now, 1);
                self.held.push_back((until, 1));
            }
        }
        let report = self.report_at(now);
        report.used = report.used.saturating_add(cost);
        if by_stranger {
            report.by_stranger = report.by_stranger.saturating_add(cost);
        }
    }

    pub(super) fn count_refusal(&mut self, now: Duration) {
        self.report_at(now).refusals += 1;
    }

    /// The state of a while ago.
    pub(super) fn view_ago(&mut self, now: Duration, ago: Duration) -> View {
        self.roll(now);
        let then = now.saturating_sub(ago);
        let since: i128 = self.changes.iter().filter(|(at, _)| *at > then).map(|(_, change)| change).sum();
        let used = u64::try_from(i128::from(self.used) - since).unwrap_or_default();
        let limit = self.allowance();
        View { limit, used: used.min(limit), resets_at: self.reset_at(then) }
    }

    fn change(&mut self, at: Duration, by: i128) {
        self.used = u64::try_from(i128::from(self.used) + by).unwrap_or_default();
        if self.keeps.is_zero() {
            return;
        }
        while self.changes.front().is_some_and(|(old, _)| old.saturating_add(self.keeps) < at) {
            self.changes.pop_front();
        }
        self.changes.push_back((at, by));
    }

    pub(super) fn allowance(&self) -> u64 {
        match self.shape {
            Shape::Fixed { limit, .. } | Shape::Sliding { limit, .. } | Shape::Concurrent { limit } => limit,
        }
    }

    /// The length of a window; of the report's, where the limit has none.
    pub(super) fn length(&self) -> Duration {
        match self.shape {
            Shape::Fixed { window, .. } | Shape::Sliding { window, .. } => window,
            Shape::Concurrent { .. } => Duration::from_secs(60),
        }
    }

    /// One line per window so far; for shapes without windows of their own, per stretch of the same length.
    pub(super) fn reports(&mut self, now: Duration) -> Vec<WindowReport> {
        self.report_at(now);
        self.reports.clone()
    }

    /// Forgets what does not count any more.
    fn roll(&mut self, now: Duration) {
        match self.shape {
            Shape::Fixed { .. } => {
                let window = self.window_at(now);
                if window != self.window {
                    self.change(self.end_of(self.window), -i128::from(self.used));
                    self.window = window;
                }
            }
            Shape::Sliding { window, .. } => {
                while let Some((at, cost)) = self.held.front().copied()
                    && at.saturating_add(window) <= now
                {
                    self.held.pop_front();
                    self.change(at.saturating_add(window), -i128::from(cost));
                }
            }
            Shape::Concurrent { .. } => {
                let before = self.held.len();
                self.held.retain(|(until, _)| *until > now);
                if self.held.len() < before {
                    self.change(now, self.held.len() as i128 - before as i128);
                }
            }
        }
    }

    fn elapsed(&self) -> Duration {
        match self.shape {
            Shape::Fixed { elapsed, .. } => elapsed,
            _ => Duration::ZERO,
        }
    }

    fn window_at(&self, at: Duration) -> u64 {
        let windows = at.saturating_add(self.elapsed()).as_nanos() / self.length().as_nanos().max(1);
        u64::try_from(windows).unwrap_or(u64::MAX)
    }

    fn end_of(&self, window: u64) -> Duration {
        let length = self.length();
        let nanos = length.as_nanos().saturating_mul(u128::from(window) + 1);
        let end = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        end.saturating_sub(self.elapsed())
    }

    fn reset_at(&self, at: Duration) -> Option<Duration> {
        matches!(self.shape, Shape::Fixed { .. }).then(|| self.end_of(self.window_at(at)))
    }

    fn report_at(&mut self, now: Duration) -> &mut WindowReport {
        let first = self.window_at(Duration::ZERO);
        let index = usize::try_from(self.window_at(now).saturating_sub(first)).unwrap_or(usize::MAX);
        let index = index.min(MOST_REPORTS);
        while self.reports.len() <= index {
            let window = first + self.reports.len() as u64;
            let from = self.end_of(window).saturating_sub(self.length());
            self.reports.push(WindowReport { from, ..WindowReport::default() });
        }
        &mut self.reports[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn take(counter: &mut Counter, at: Duration) -> Result<(), Duration> {
        counter.room(at, 1)?;
        counter.draw(at, at + secs(1), 1, false);
        Ok(())
    }

    #[test]
    fn a_fixed_window_allows_everything_again_at_its_end() {
        let shape = Shape::Fixed { limit: 2, window: secs(60), elapsed: secs(10) };
        let mut counter = Counter::new(shape, Duration::ZERO);
        assert_eq!(take(&mut counter, secs(0)), Ok(()));
        assert_eq!(take(&mut counter, secs(49)), Ok(()));
        assert_eq!(take(&mut counter, secs(49)), Err(secs(1)));
        assert_eq!(take(&mut counter, secs(50)), Ok(()));
        assert_eq!(
            counter.view_ago(secs(50), Duration::ZERO),
            View { limit: 2, used: 1, resets_at: Some(secs(110)) }
        );
        counter.count_refusal(secs(49));
        let reports = counter.reports(secs(50));
        assert_eq!(reports.iter().map(|window| window.used).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(reports[1].from, secs(50));
    }

    #[test]
    fn a_sliding_window_never_allows_more_in_any_stretch() {
        let mut counter = Counter::new(Shape::Sliding { limit: 2, window: secs(10) }, Duration::ZERO);
        assert_eq!(take(&mut counter, secs(0)), Ok(()));
        assert_eq!(take(&mut counter, secs(6)), Ok(()));
        assert_eq!(take(&mut counter, secs(9)), Err(secs(1)));
        assert_eq!(take(&mut counter, secs(10)), Ok(()));
        assert_eq!(take(&mut counter, secs(12)), Err(secs(4)));
    }

    #[test]
    fn more_than_the_whole_allowance_is_never_admitted() {
        let mut counter = Counter::new(Shape::Sliding { limit: 2, window: secs(10) }, Duration::ZERO);
        assert_eq!(counter.room(secs(0), 3), Err(secs(10)));
    }

    #[test]
    fn concurrency_ends_with_the_answer() {
        let mut counter = Counter::new(Shape::Concurrent { limit: 1 }, Duration::ZERO);
        assert_eq!(take(&mut counter, secs(0)), Ok(()));
        assert!(take(&mut counter, Duration::from_millis(900)).is_err());
        assert_eq!(take(&mut counter, secs(1)), Ok(()));
    }

    #[test]
    fn headers_that_lag_show_the_past() {
        let shape = Shape::Fixed { limit: 5, window: secs(60), elapsed: Duration::ZERO };
        let mut counter = Counter::new(shape, secs(10));
        for at in [58, 59] {
            assert_eq!(take(&mut counter, secs(at)), Ok(()));
        }
        assert_eq!(counter.view_ago(secs(59), secs(1)).used, 1);
        assert_eq!(counter.view_ago(secs(59), secs(3)).used, 0);
        let old = counter.view_ago(secs(61), secs(2));
        assert_eq!((old.used, old.resets_at), (2, Some(secs(60))));
        assert_eq!(counter.view_ago(secs(62), secs(1)).used, 0);
    }

    #[test]
    fn a_window_of_no_length_does_not_divide_by_zero() {
        let shape = Shape::Fixed { limit: 1, window: Duration::ZERO, elapsed: Duration::ZERO };
        assert_eq!(take(&mut Counter::new(shape, Duration::ZERO), secs(1)), Ok(()));
    }
}
