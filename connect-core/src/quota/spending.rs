//! What we have spent of a window, remembered for moments: a lost reply that the provider did not charge is given back
//! once its figures prove it.
//!
//! Figures may lag behind, so a figure proves something only about what had ended well before its request was sent. What
//! was spent since then counts as not yet in the figure.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How far a provider's figures lag behind, at the most; a round trip comes on top.
const LAG: Duration = Duration::from_secs(2);

/// How finely times are kept, and for how many steps: longer than the lag and the usual round trip.
const GRAIN: Duration = Duration::from_millis(250);
const MOST_STEPS: usize = 32;

/// Is it known that the provider charges a request?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sure {
    /// It answered.
    Yes,
    /// Nobody knows what became of it.
    No,
}

#[derive(Debug, Default)]
pub(crate) struct Spending {
    total: u64,
    /// When a step began, and what had been spent before it.
    steps: VecDeque<(Instant, u64)>,
    /// Steps from before this time are forgotten.
    since: Option<Instant>,
    unsure: VecDeque<Unsure>,
}

/// What may not have been charged.
#[derive(Debug)]
struct Unsure {
    first: Instant,
    lost: Instant,
    amount: u64,
}

impl Spending {
    pub(crate) fn add(&mut self, cost: u64, sure: Sure, now: Instant) {
        if self.steps.back().is_none_or(|(began, _)| now.saturating_duration_since(*began) >= GRAIN) {
            self.steps.push_back((now, self.total));
            if self.steps.len() > MOST_STEPS {
                self.steps.pop_front();
                self.since = self.steps.front().map(|(began, _)| *began);
            }
        }
        self.total = self.total.saturating_add(cost);
        if sure == Sure::No {
            let is_full = self.unsure.len() >= MOST_STEPS;
            match self.unsure.back_mut() {
                // The later time for both: given back later, never sooner.
                Some(last) if is_full || now.saturating_duration_since(last.first) < GRAIN => {
                    last.lost = now;
                    last.amount = last.amount.saturating_add(cost);
                }
                _ => self.unsure.push_back(Unsure { first: now, lost: now, amount: cost }),
            }
        }
    }

    /// What is left by our own count, after a figure of an answer to a request that was sent then.
    pub(crate) fn settle(&mut self, local: u64, remaining: u64, sent_at: Instant, trip: Duration) -> u64 {
        let Some(horizon) = sent_at.checked_sub(LAG.saturating_add(trip)) else { return local };
        if self.unsure.front().is_none_or(|unsure| unsure.lost > horizon)
            || self.since.is_some_and(|since| since > horizon)
        {
            return local;
        }
        let known_then = self.steps.iter().find(|(began, _)| *began + GRAIN > horizon);
        let since_then = known_then.map_or(0, |(_, before)| self.total.saturating_sub(*before));
        let mut back = 0_u64;
        while let Some(unsure) = self.unsure.front()
            && unsure.lost <= horizon
        {
            back = back.saturating_add(unsure.amount);
            self.unsure.pop_front();
        }
        local.max(local.saturating_add(back).min(remaining.saturating_sub(since_then)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_lost_reply_is_given_back_when_a_later_figure_does_not_have_it() {
        let start = Instant::now();
        let mut spending = Spending::default();
        spending.add(3, Sure::No, start);
        let settle = |spending: &mut Spending, sent_at| spending.settle(96, 99, sent_at, SECOND);
        assert_eq!(settle(&mut spending, start + 2 * SECOND), 96, "that figure may be older than the loss");
        assert_eq!(settle(&mut spending, start + 4 * SECOND), 99);
        assert_eq!(settle(&mut spending, start + 9 * SECOND), 96, "given back once");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_charged_is_not() {
        let start = Instant::now();
        let mut spending = Spending::default();
        spending.add(3, Sure::No, start);
        assert_eq!(spending.settle(96, 96, start + 10 * SECOND, SECOND), 96);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_spent_since_may_not_be_in_the_figure_yet() {
        let start = Instant::now();
        let mut spending = Spending::default();
        spending.add(3, Sure::No, start);
        spending.add(2, Sure::Yes, start + 9 * SECOND);
        assert_eq!(spending.settle(95, 99, start + 10 * SECOND, SECOND), 97);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_what_it_forgot_is_not_given_back() {
        let start = Instant::now();
        let mut spending = Spending::default();
        for number in 0..1_000 {
            spending.add(1, Sure::No, start + SECOND / 10 * number);
        }
        assert!(spending.steps.len() <= MOST_STEPS && spending.unsure.len() <= MOST_STEPS);
        assert_eq!(spending.settle(0, 1_000, start + 100 * SECOND, 60 * SECOND), 0);
    }
}
