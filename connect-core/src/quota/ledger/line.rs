//! Lines: who waits before what, in which order, and what keeps a whole line waiting.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::Before;
use crate::context::Priority;
use crate::deadline::{LONGEST_WAIT, after};
use crate::quota::gauge::Room;
use crate::quota::probe::Probe;

/// What a refusal closes a bucket for at least.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause that nobody asked for.
const LONGEST_GUESS: Duration = Duration::from_secs(60);

/// The longest that a pause grows to where a provider's model says how it begins.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(3_600);

/// A place in every line: by priority, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) priority: Priority,
    pub(crate) number: u64,
}

/// Whoever waits, by place.
#[derive(Debug, Default)]
pub(super) struct Line {
    by_place: BTreeMap<Place, WaiterId>,
    /// How many of each priority, because everybody who comes asks how many stand before it.
    by_priority: [usize; 3],
}

impl Line {
    pub(super) fn insert(&mut self, place: Place, id: WaiterId) {
        if self.by_place.insert(place, id).is_none() {
            self.by_priority[place.priority as usize] += 1;
        }
    }

    pub(super) fn remove(&mut self, place: Place) {
        if self.by_place.remove(&place).is_some() {
            self.by_priority[place.priority as usize] -= 1;
        }
    }

    pub(super) fn first(&self) -> Option<WaiterId> {
        self.by_place.first_key_value().map(|(_, id)| *id)
    }

    pub(super) fn is_first(&self, place: Place) -> bool {
        self.by_place.first_key_value().is_some_and(|(first, _)| *first == place)
    }

    pub(super) fn has_before(&self, place: Place) -> bool {
        self.by_place.first_key_value().is_some_and(|(first, _)| *first < place)
    }

    /// How many stand before somebody who comes now.
    pub(super) fn count_before(&self, newcomer: Priority) -> usize {
        self.by_priority.iter().take(newcomer as usize + 1).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }
}

/// Closed for everybody for a while; afterwards one goes first.
#[derive(Debug, Default)]
pub(super) struct Pause {
    until: Option<Instant>,
    /// Nobody has come back well since.
    is_doubtful: bool,
    probe: Probe,
    /// Refusals in a row.
    refusals: u32,
}

impl Pause {
    pub(super) fn room(&mut self, now: Instant) -> Room {
        match self.until {
            Some(until) if now < until => Room::ClosedUntil(until),
            _ if self.is_doubtful => self.probe.room(now),
            _ => Room::Open,
        }
    }

    /// A request was admitted.
    pub(super) fn go(&mut self, number: u64, now: Instant) {
        if self.is_doubtful {
            self.probe.go(number, now);
        }
    }

    /// Never shorter than it was.
    pub(super) fn extend(&mut self, wait: Duration, now: Instant) {
        self.hold(wait, now);
        self.is_doubtful = true;
    }

    /// The same, by somebody who knows that it is open afterwards: nobody has to go first.
    pub(super) fn hold(&mut self, wait: Duration, now: Instant) {
        let until = after(now, wait.min(LONGEST_WAIT));
        self.until = Some(self.until.map_or(until, |known| known.max(until)));
    }

    /// The provider refused a request: for as long as it says; if it says nothing, for longer each time.
    pub(super) fn refuse(&mut self, hint: Option<Duration>, now: Instant) -> Duration {
        let guess = self.back_off(SHORTEST_PAUSE, LONGEST_GUESS, now);
        let wait = hint.unwrap_or(guess).clamp(SHORTEST_PAUSE, LONGEST_WAIT);
        self.extend(wait, now);
        wait
    }

    /// The same, without a word how long: longer with each refusal in a row.
    pub(super) fn refuse_from(&mut self, first: Duration, now: Instant) -> Duration {
        let wait = self.back_off(first.max(SHORTEST_PAUSE), LONGEST_BACK_OFF, now);
        self.extend(wait, now);
        wait
    }

    fn back_off(&mut self, first: Duration, longest: Duration, now: Instant) -> Duration {
        // Those that were on their way together are refused together: one refusal, not one for each.
        if self.until.is_none_or(|until| until <= now) {
            self.refusals = self.refusals.saturating_add(1);
        }
        first.saturating_mul(1 << self.refusals.saturating_sub(1).min(16)).min(longest)
    }

    /// A request has ended.
    pub(super) fn end(&mut self, number: u64, is_well: bool, now: Instant) {
        let was_probe = self.probe.end(number);
        if !is_well || self.until.is_some_and(|until| now < until) {
            return;
        }
        // Whoever was sent before the pause proves nothing about the time after it.
        if was_probe || !self.is_doubtful {
            self.is_doubtful = false;
            self.refusals = 0;
        }
    }

    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.is_doubtful || self.until.is_some_and(|until| now < until)
    }

    pub(super) fn rest(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

/// A waiter's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaiterId(u32);

#[derive(Debug)]
struct Waiter {
    place: Place,
    before: Before,
    waker: Waker,
    /// How often it was sent from one line to another.
    moves: u32,
}

/// Everybody who waits, in whichever line.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    all: Vec<Option<Waiter>>,
    vacant: Vec<u32>,
}

impl Waiters {
    pub(super) fn insert(&mut self, place: Place, before: Before, waker: &Waker) -> WaiterId {
        let waiter = Some(Waiter { place, before, waker: waker.clone(), moves: 0 });
        match self.vacant.pop() {
            Some(id) => {
                self.all[id as usize] = waiter;
                WaiterId(id)
            }
            None => {
                self.all.push(waiter);
                WaiterId(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
            }
        }
    }

    /// Where it stands; from now on this waker is woken for it.
    pub(super) fn meet(&mut self, id: WaiterId, waker: &Waker) -> Option<(Place, Before)> {
        let waiter = self.all.get_mut(id.0 as usize)?.as_mut()?;
        waiter.waker.clone_from(waker);
        Some((waiter.place, waiter.before))
    }

    /// Sends it to another line. Yields how often that has happened to it.
    pub(super) fn go_to(&mut self, id: WaiterId, before: Before) -> u32 {
        let Some(Some(waiter)) = self.all.get_mut(id.0 as usize) else { return 0 };
        waiter.before = before;
        waiter.moves = waiter.moves.saturating_add(1);
        waiter.moves
    }

    pub(super) fn remove(&mut self, id: WaiterId) -> Option<(Place, Before)> {
        let waiter = self.all.get_mut(id.0 as usize)?.take()?;
        self.vacant.push(id.0);
        Some((waiter.place, waiter.before))
    }

    pub(super) fn waker(&self, id: WaiterId) -> Option<Waker> {
        self.all.get(id.0 as usize)?.as_ref().map(|waiter| waiter.waker.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_newcomer_stands_behind_its_own_class_and_those_above() {
        let mut line = Line::default();
        let classes = [Priority::Background, Priority::Normal, Priority::Interactive, Priority::Normal];
        for (number, priority) in (0..).zip(classes) {
            line.insert(Place { priority, number }, WaiterId(0));
        }
        let before = |line: &Line| {
            [Priority::Interactive, Priority::Normal, Priority::Background]
                .map(|class| line.count_before(class))
        };
        assert_eq!(before(&line), [1, 3, 4]);
        line.remove(Place { priority: Priority::Normal, number: 1 });
        line.remove(Place { priority: Priority::Normal, number: 1 });
        assert_eq!(before(&line), [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_one_goes_first_and_only_its_answer_ends_the_doubt() {
        let now = Instant::now();
        let mut pause = Pause::default();
        pause.extend(SECOND, now);
        assert_eq!(pause.room(now), Room::ClosedUntil(now + SECOND));
        let open = now + SECOND;
        assert_eq!(pause.room(open), Room::Open);
        pause.go(7, open);
        assert!(matches!(pause.room(open), Room::Closed(Some(_))));
        pause.end(3, true, open); // sent before the pause
        assert!(matches!(pause.room(open), Room::Closed(Some(_))));
        pause.end(7, true, open);
        assert_eq!(pause.room(open), Room::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_are_refused_together_count_as_one_refusal() {
        let now = Instant::now();
        let mut pause = Pause::default();
        for _ in 0..20 {
            assert_eq!(pause.refuse(None, now), SECOND);
        }
        assert_eq!(pause.refuse(None, now + SECOND), 2 * SECOND);
        assert_eq!(pause.refuse(Some(Duration::ZERO), now + 9 * SECOND), SECOND, "never shorter than that");
        assert_eq!(pause.refuse(Some(Duration::MAX), now + 99 * SECOND), LONGEST_WAIT);
        assert_eq!(pause.rest(now + 99 * SECOND), LONGEST_WAIT);
    }
}
