//! A limit that the provider counts: what its answers say, less what is on its way.
//!
//! Two figures bound what is left, and the smaller one counts. *Observed* is the least that any answer of this window
//! has shown: answers arrive out of order, so the least is the newest. *Local* is what the window's first answer showed,
//! less what we have spent since, lost replies included: a provider whose figures lag behind cannot talk us into more.
//! What no provider charges (a refusal for the limit, a 304) does not count, nor does what was sent before the window
//! was known, because its first figure may know of it already; observed has both.

use std::time::Duration;

use tokio::time::Instant;

use super::gauge::Room;
use super::model::Observation;
use super::probe::Probe;
use super::spending::{Spending, Sure};
use crate::deadline::after;

/// Two answers whose resets are this close speak of the same window, if it has no name: `Date` is in whole seconds.
const SAME_WINDOW: Duration = Duration::from_secs(2);

/// How many round trips' worth of a stranger's spending is kept free.
const MARGIN_TRIPS: u32 = 4;

/// What is kept free at least, once a stranger was noticed.
const SMALLEST_MARGIN: u64 = 2;

/// How much later than it is told a window is taken to end, at the most: an epoch is in whole seconds, and who asks in the
/// second before the end is refused.
const LONGEST_SLACK: Duration = Duration::from_secs(1);

/// A window that should have ended and has not is looked at again no sooner than this.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

/// The longest round trip that is believed.
const LONGEST_TRIP: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct ServerView {
    known: Option<Known>,
    /// The window that has ended, and the first request that was sent afterwards.
    past: Option<(Name, u64)>,
    probe: Probe,
    /// An answer without figures came while nothing was known: there is no such limit.
    unlimited: bool,
    /// What was spent while nothing was known, by requests from this number on: the first figure may lag behind it.
    blind: u64,
    blind_from: u64,
    /// The longest round trip, slowly forgotten.
    trip: Duration,
}

/// What tells one window from another.
#[derive(Clone, Copy, Debug)]
struct Name {
    window: Option<u64>,
    resets_at: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    limit: Option<u64>,
    observed: u64,
    local: u64,
    spending: Spending,
    /// The first request that was sent when the window was known.
    first_number: u64,
    name: Name,
    slack: Duration,
    since: Instant,
    seen_at: Instant,
    /// What others have spent in this window, and the most of it between two answers.
    foreign: u64,
    leap: u64,
}

/// One settled request, as the view needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) cost: u64,
    /// Rises with admission.
    pub(crate) number: u64,
    /// Does the provider charge it? `None`: it is known not to.
    pub(crate) charged: Option<Sure>,
}

/// Whose answer shows a figure, and what is on its way meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Witness {
    /// The request's number.
    pub(crate) number: u64,
    pub(crate) sent_at: Instant,
    /// Cost of the others, still on their way.
    pub(crate) in_flight: u64,
    /// The number that the next request gets.
    pub(crate) next_number: u64,
}

impl ServerView {
    /// `next_number` is the number that the next request gets.
    pub(crate) fn room(&mut self, cost: u64, in_flight: u64, next_number: u64, now: Instant) -> Room {
        if self.unlimited {
            return Room::Open;
        }
        if let Some(known) = self.known.take_if(|known| known.has_ended(now)) {
            // A new window: nothing is known of it.
            self.past = Some((known.name, next_number));
            (self.blind, self.blind_from) = (0, next_number);
        }
        let Some(known) = &self.known else { return self.probe.room(now) };
        let left = known.left();
        // More than there ever is goes when the whole allowance is there, and is refused by the provider.
        let cost = known.limit.map_or(cost, |limit| cost.min(limit.max(1)));
        if left.saturating_sub(in_flight) >= cost.saturating_add(known.margin(self.trip, now)) {
            return Room::Open;
        }
        match (in_flight, known.ends_at()) {
            // The last of it, one at a time.
            (0, _) if left >= cost => Room::Open,
            // Used up, and nobody says until when: one at a time finds out.
            (0, None) => Room::Open,
            (0, Some(at)) => Room::ClosedUntil(at),
            (_, at) => Room::Closed(at),
        }
    }

    /// A request was admitted.
    pub(crate) fn go(&mut self, number: u64, now: Instant) {
        if self.known.is_none() && !self.unlimited {
            self.probe.go(number, now);
        }
    }

    /// A request has ended.
    pub(crate) fn spend(&mut self, spent: Spent, now: Instant) {
        self.probe.end(spent.number);
        let Some(sure) = spent.charged else { return };
        match &mut self.known {
            Some(known) if spent.number >= known.first_number => {
                known.local = known.local.saturating_sub(spent.cost);
                known.spending.add(spent.cost, sure, now);
            }
            None if spent.number >= self.blind_from && !self.unlimited => {
                self.blind = self.blind.saturating_add(spent.cost)
            }
            _ => {}
        }
    }

    /// An answer without figures, of a provider that is well.
    pub(crate) fn has_no_figures(&mut self) {
        self.unlimited |= self.known.is_none();
    }

    pub(crate) fn took(&mut self, trip: Duration) {
        self.trip = trip.max(self.trip - self.trip / 16).min(LONGEST_TRIP);
    }

    /// An answer has a figure.
    pub(crate) fn see(&mut self, seen: &Observation, by: Witness, now: Instant) {
        let name = Name { window: seen.window, resets_at: seen.resets_in.map(|wait| after(now, wait)) };
        let known = match (&mut self.known, &self.past) {
            (Some(known), _) => match known.name.compare(name) {
                Window::Older => return,
                Window::Same => {
                    known.hear(seen, name, by, self.trip, now);
                    return;
                }
                Window::Newer => Known::new(seen, name, by, now),
            },
            (None, Some((past, next))) if past.compare(name) != Window::Newer => {
                if by.number < *next {
                    return; // an answer to something that was sent before the window's end
                }
                // The provider's window lasts longer than it said.
                let late = after(now, SHORTEST_WINDOW);
                let resets_at = name.resets_at.map(|at| at.max(late));
                Known::new(seen, Name { resets_at, ..name }, by, now)
            }
            (None, _) => Known::new(seen, name, by, now),
        };
        self.unlimited = false;
        let most = seen.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.blind));
        self.known = Some(Known { local: known.local.min(most), ..known });
        (self.blind, self.blind_from) = (0, by.next_number);
    }

    pub(crate) fn left(&self, in_flight: u64, now: Instant) -> (Option<u64>, Option<u64>, Option<Duration>) {
        let Some(known) = &self.known else { return (None, None, None) };
        if known.has_ended(now) {
            return (known.limit, None, None);
        }
        let resets_in = known.name.resets_at.map(|at| at.saturating_duration_since(now));
        (known.limit, Some(known.left().saturating_sub(in_flight)), resets_in)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Older,
    Same,
    Newer,
}

impl Name {
    /// What another one is, seen from this one.
    fn compare(self, other: Self) -> Window {
        match (self.window, other.window, self.resets_at, other.resets_at) {
            (Some(mine), Some(its), _, _) => match its.cmp(&mine) {
                std::cmp::Ordering::Less => Window::Older,
                std::cmp::Ordering::Equal => Window::Same,
                std::cmp::Ordering::Greater => Window::Newer,
            },
            (_, _, Some(mine), Some(its)) if its > after(mine, SAME_WINDOW) => Window::Newer,
            (_, _, Some(mine), Some(its)) if mine > after(its, SAME_WINDOW) => Window::Older,
            _ => Window::Same,
        }
    }
}

impl Known {
    fn new(seen: &Observation, name: Name, by: Witness, now: Instant) -> Self {
        let slack = match name.window {
            Some(_) => (seen.resets_in.unwrap_or_default() / 20).min(LONGEST_SLACK),
            None => Duration::ZERO,
        };
        Self {
            limit: seen.limit,
            observed: seen.remaining,
            local: seen.remaining,
            spending: Spending::default(),
            first_number: by.next_number,
            name,
            slack,
            since: now,
            seen_at: now,
            foreign: 0,
            leap: 0,
        }
    }

    fn left(&self) -> u64 {
        self.observed.min(self.local)
    }

    fn ends_at(&self) -> Option<Instant> {
        self.name.resets_at.map(|at| after(at, self.slack))
    }

    fn has_ended(&self, now: Instant) -> bool {
        self.ends_at().is_some_and(|at| at <= now)
    }

    /// Another answer about this window.
    fn hear(&mut self, seen: &Observation, name: Name, by: Witness, trip: Duration, now: Instant) {
        self.limit = seen.limit.or(self.limit);
        self.observed = self.observed.min(seen.remaining);
        self.seen_at = now;
        if name.window.is_some() {
            // Each is late by its own way here, and by what `Date` leaves out: the earliest is the best.
            self.name.resets_at = match (self.name.resets_at, name.resets_at) {
                (Some(known), Some(told)) => Some(known.min(told)),
                (known, told) => known.or(told),
            };
        }
        self.local = self.spending.settle(self.local, seen.remaining, by.sent_at, trip);
        // What our own spending does not explain, though all that is on its way may be in the figure already.
        let foreign = self.local.saturating_sub(self.observed.saturating_add(by.in_flight));
        self.leap = self.leap.max(foreign.saturating_sub(self.foreign));
        self.foreign = self.foreign.max(foreign);
    }

    /// What is kept free for somebody else who draws on the same account: what they spend while our figures are on their
    /// way, and since the last of them came.
    fn margin(&self, trip: Duration, now: Instant) -> u64 {
        if self.foreign == 0 {
            return 0;
        }
        let elapsed = self.seen_at.saturating_duration_since(self.since).as_secs_f64().max(1.0);
        let unseen =
            now.saturating_duration_since(self.seen_at).saturating_add(trip.saturating_mul(MARGIN_TRIPS));
        let meanwhile = self.foreign as f64 / elapsed * unseen.as_secs_f64();
        SMALLEST_MARGIN.saturating_add(meanwhile as u64).saturating_add(self.leap.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    fn seen(remaining: u64, window: u64) -> Observation {
        Observation {
            limit: Some(100),
            resets_in: Some(HOUR),
            window: Some(window),
            ..Observation::new("core", remaining)
        }
    }

    /// A request has ended, and its answer had this figure.
    fn end(view: &mut ServerView, number: u64, seen: Observation, in_flight: u64, now: Instant) {
        view.go(number, now);
        view.spend(Spent { cost: 1, number, charged: Some(Sure::Yes) }, now);
        view.see(
            &seen,
            Witness { number, sent_at: now, in_flight, next_number: number + in_flight + 1 },
            now,
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_goes_first_and_the_others_wait_for_its_answer() {
        let now = Instant::now();
        let mut view = ServerView::default();
        assert_eq!(view.room(1, 0, 0, now), Room::Open);
        view.go(0, now);
        assert_eq!(view.room(1, 1, 0, now), Room::Closed(Some(now + Duration::from_secs(2))));
        end(&mut view, 0, seen(99, 1), 0, now);
        assert_eq!(view.room(1, 98, 0, now), Room::Open);
        assert_eq!(view.room(1, 99, 0, now), Room::Closed(Some(now + HOUR + SECOND)));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_out_of_order_lose_nothing() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(99, 1), 0, now);
        end(&mut view, 2, seen(97, 1), 1, now);
        end(&mut view, 1, seen(98, 1), 0, now);
        assert_eq!(view.left(0, now).1, Some(97));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_is_used_up_opens_at_its_reset_for_one() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(0, 1), 0, now);
        let end = now + HOUR + SECOND;
        assert_eq!(view.room(1, 0, 1, now), Room::ClosedUntil(end));
        assert_eq!(view.room(1, 0, 1, end), Room::Open);
        view.go(1, end);
        assert!(matches!(view.room(1, 1, 2, end), Room::Closed(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_about_an_older_window_is_ignored() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(99, 2), 0, now);
        end(&mut view, 1, seen(0, 1), 0, now);
        assert_eq!(view.left(0, now).1, Some(98));
    }

    #[tokio::test(start_paused = true)]
    async fn a_figure_that_lags_behind_does_not_talk_us_into_more() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(10, 1), 0, now);
        for number in 1..=10 {
            end(&mut view, number, seen(10, 1), 0, now);
        }
        assert_eq!(view.room(1, 0, 0, now), Room::ClosedUntil(now + HOUR + SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_reply_stays_spent_and_a_refusal_was_never_charged() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(50, 1), 0, now);
        view.spend(Spent { cost: 1, number: 1, charged: Some(Sure::No) }, now);
        view.spend(Spent { cost: 1, number: 2, charged: None }, now);
        assert_eq!(view.left(0, now).1, Some(49));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_on_its_way_when_the_window_began_is_left_to_the_providers_figures() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(50, 1), 3, now);
        end(&mut view, 1, seen(50, 1), 2, now);
        assert_eq!(view.left(0, now).1, Some(50), "its first figure knew of it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_strangers_spending_keeps_a_margin_and_the_last_goes_one_by_one() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(50, 1), 0, now);
        end(&mut view, 1, seen(39, 1), 0, now);
        let Some(known) = &view.known else { panic!() };
        assert_eq!(known.foreign, 10);
        assert_eq!(
            view.room(1, 20, 0, now),
            Room::Closed(Some(now + HOUR + SECOND)),
            "39 left, 20 on their way, and 22 kept free"
        );
        end(&mut view, 2, seen(1, 1), 0, now);
        assert_eq!(view.room(1, 0, 0, now), Room::Open);
        assert!(matches!(view.room(1, 1, 0, now), Room::Closed(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_without_figures_has_no_limit_until_it_shows_one() {
        let now = Instant::now();
        let mut view = ServerView::default();
        view.has_no_figures();
        assert_eq!(view.room(1, 1_000, 0, now), Room::Open);
        end(&mut view, 0, seen(0, 1), 0, now);
        assert_eq!(view.room(1, 0, 0, now), Room::ClosedUntil(now + HOUR + SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn absurd_figures_do_not_overflow() {
        let now = Instant::now();
        let mut view = ServerView::default();
        let odd = Observation { resets_in: Some(Duration::MAX), ..seen(u64::MAX, u64::MAX) };
        let most = Witness { number: u64::MAX, sent_at: now, in_flight: u64::MAX, next_number: u64::MAX };
        view.see(&odd, most, now);
        view.spend(Spent { cost: u64::MAX, number: u64::MAX, charged: Some(Sure::Yes) }, now);
        view.see(&seen(0, 0), Witness { number: 0, sent_at: now, in_flight: 0, next_number: 0 }, now);
        view.took(Duration::MAX);
        view.room(u64::MAX, u64::MAX, u64::MAX, now);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_from_before_the_end_says_nothing_about_the_new_window() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(3, 1), 1, now);
        let later = now + HOUR + SECOND;
        assert_eq!(view.room(1, 1, 2, later), Room::Open);
        view.go(2, later);
        end(&mut view, 1, Observation { resets_in: Some(SECOND), ..seen(0, 1) }, 1, later);
        assert_eq!(view.left(1, later).1, None);
        end(&mut view, 2, seen(99, 2), 0, later);
        assert_eq!(view.left(0, later).1, Some(99));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_that_lasts_longer_than_it_said_is_believed_once_somebody_has_looked() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(3, 1), 0, now);
        let later = now + HOUR + SECOND;
        assert_eq!(view.room(1, 0, 1, later), Room::Open);
        end(&mut view, 1, Observation { resets_in: Some(Duration::ZERO), ..seen(0, 1) }, 0, later);
        assert_eq!(view.room(1, 0, 2, later), Room::ClosedUntil(later + SHORTEST_WINDOW));
    }

    #[tokio::test(start_paused = true)]
    async fn a_figure_that_is_old_is_trusted_less_while_a_stranger_spends() {
        let now = Instant::now();
        let mut view = ServerView::default();
        end(&mut view, 0, seen(99, 1), 0, now);
        let then = now + 10 * SECOND;
        end(&mut view, 1, seen(78, 1), 0, then); // 2 a second by somebody else
        assert_eq!(view.room(1, 20, 2, then), Room::Open);
        assert!(matches!(view.room(1, 20, 2, then + 30 * SECOND), Room::Closed(_)));
    }
}
