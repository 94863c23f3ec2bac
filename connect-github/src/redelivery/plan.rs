//! What to do about a complete listing: a pure function, so that every rule has a test without IO.

use std::cmp::Ordering;

use super::policy::{Policy, seconds};
use super::report::Lost;
use super::tally::Attempts;
use super::watermark::{Open, Scan, Watermark};

/// One redelivery to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) guid: String,
    pub(super) delivery_id: i64,
}

/// What to do, and what became of what was done before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The oldest first, so that the order of events is kept as well as can be.
    pub(super) asks: Vec<Ask>,
    pub(super) failed: usize,
    pub(super) recovered: usize,
    pub(super) left: usize,
    pub(super) given_up: Vec<Lost>,
    pub(super) lost: Vec<Lost>,
}

/// Takes a complete listing into the watermark, and decides. What is lost or given up stays open until it has been told.
pub(super) fn plan(watermark: &mut Watermark, scan: Scan, now: i64, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    take_in(watermark, scan, now, policy, &mut plan);
    // What is older is not listed again, so nobody asks about it.
    let listed_from =
        watermark.through.map_or(i64::MIN, |through| through.saturating_sub(seconds(policy.overlap)));
    watermark.open.retain(|_, open| !open.closed || open.last_at >= listed_from);

    for (guid, open) in &mut watermark.open {
        // A clock that was ahead and was set back must not hold an ask back.
        open.asked_at = open.asked_at.map(|at| at.min(now));
        match state(open, now, policy) {
            State::Waits | State::Due => {}
            State::TooOld => plan.lost.push(lost(guid, open)),
            State::AskedInVain => plan.given_up.push(lost(guid, open)),
        }
    }
    (plan.asks, plan.left) = due(watermark, now, policy);
    plan
}

/// What of the known failures is to be asked for now, and how many more are. While a listing is under way only what was
/// never asked for: the others may have arrived, and the listing has not come that far.
pub(super) fn due(watermark: &Watermark, now: i64, policy: &Policy) -> (Vec<Ask>, usize) {
    let seen = watermark.scan.as_ref().map(|scan| &scan.tally.0);
    let may_have_arrived = |guid: &String, open: &Open| {
        seen.is_some_and(|seen| open.asked > 0 || seen.get(guid).is_some_and(|seen| seen.succeeded))
    };
    let mut due: Vec<(i64, Ask)> = watermark
        .open
        .iter()
        .filter(|(guid, open)| {
            matches!(state(open, now, policy), State::Due) && !may_have_arrived(guid, open)
        })
        .map(|(guid, open)| (open.first_at, Ask { guid: guid.clone(), delivery_id: open.delivery_id }))
        .collect();
    due.sort_by_key(|(first_at, ask)| (*first_at, ask.delivery_id));
    let left = due.len().saturating_sub(policy.asks_per_pass);
    (due.into_iter().take(policy.asks_per_pass).map(|(_, ask)| ask).collect(), left)
}

fn take_in(watermark: &mut Watermark, scan: Scan, now: i64, policy: &Policy, plan: &mut Plan) {
    // One time in the future would end every listing before it begins.
    let mut through = watermark.through.max(scan.newest.map(|newest| newest.min(now)));
    let mut listed: Vec<(String, Attempts)> = scan.tally.0.into_iter().collect();
    // The oldest first: what finds no room is newer than what does, and the watermark waits before it.
    listed.sort_by(|(_, one), (_, other)| match one.first_at.cmp(&other.first_at) {
        Ordering::Equal => one.id.cmp(&other.id),
        order => order,
    });
    // What is closed takes no room: it is forgotten as the watermark moves, and must not hold it back.
    let mut open = watermark.open();
    for (guid, attempts) in listed {
        if attempts.succeeded {
            let had_failed = watermark.open.remove(&guid).is_some_and(|open| !open.closed);
            plan.recovered += usize::from(had_failed);
            open -= usize::from(had_failed);
            continue;
        }
        if let Some(known) = watermark.open.get_mut(&guid) {
            if attempts.last_at >= known.last_at {
                known.delivery_id = attempts.id;
            }
            known.first_at = known.first_at.min(attempts.first_at);
            known.last_at = known.last_at.max(attempts.last_at);
            continue;
        }
        if open >= policy.most_open {
            through = through.min(Some(attempts.first_at));
            continue;
        }
        plan.failed += 1;
        open += 1;
        let Attempts { id, event, first_at, last_at, .. } = attempts;
        let new = Open { delivery_id: id, event, first_at, last_at, asked: 0, asked_at: None, closed: false };
        watermark.open.insert(guid, new);
    }
    watermark.through = through;
}

enum State {
    Waits,
    Due,
    TooOld,
    AskedInVain,
}

fn state(open: &Open, now: i64, policy: &Policy) -> State {
    if open.closed {
        return State::Waits;
    }
    // GitHub counts from the attempt that is asked for, and every ask that it heard has made a newer one.
    if now.saturating_sub(open.last_at) > seconds(policy.oldest) {
        return State::TooOld;
    }
    let since = open.asked_at.map_or(open.last_at, |asked| asked.max(open.last_at));
    let over = |wait| now.saturating_sub(since) >= seconds(wait);
    match (policy.schedule.get(open.asked), policy.schedule.last()) {
        (Some(wait), _) if over(*wait) => State::Due,
        (None, Some(last)) if over(*last) => State::AskedInVain,
        (None, None) => State::AskedInVain,
        _ => State::Waits,
    }
}

pub(super) fn lost(guid: &str, open: &Open) -> Lost {
    let at = Watermark { through: Some(open.first_at), ..Watermark::default() };
    Lost {
        guid: guid.to_owned(),
        event: open.event.clone(),
        delivery_id: open.delivery_id,
        failed_at: at.through(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::super::tally::{Attempt, Tally};
    use super::*;

    const NOW: i64 = 1_000_000;
    const HOUR: i64 = 3600;

    fn policy() -> Policy {
        Policy::default().with_schedule([60, 600].map(Duration::from_secs))
    }

    fn attempt(id: i64, guid: &str, at: i64, succeeded: bool, is_redelivery: bool) -> Attempt {
        Attempt { id, guid: guid.to_owned(), at, event: "push".to_owned(), is_redelivery, succeeded }
    }

    fn failed(id: i64, guid: &str, at: i64) -> Attempt {
        attempt(id, guid, at, false, false)
    }

    /// As a complete listing, newest first.
    fn listing(mut attempts: Vec<Attempt>) -> Scan {
        attempts.sort_by_key(|attempt| std::cmp::Reverse((attempt.at, attempt.id)));
        let newest = attempts.first().map(|attempt| attempt.at);
        let mut tally = Tally::default();
        attempts.into_iter().for_each(|attempt| tally.add(attempt));
        Scan { until: i64::MIN, newest, cursor: None, tally }
    }

    /// As a pass does it: what is told is closed.
    fn plan(watermark: &mut Watermark, scan: Scan, now: i64, policy: &Policy) -> Plan {
        let plan = super::plan(watermark, scan, now, policy);
        plan.lost.iter().chain(&plan.given_up).for_each(|told| watermark.close(&told.guid));
        plan
    }

    fn ids(plan: &Plan) -> Vec<i64> {
        plan.asks.iter().map(|ask| ask.delivery_id).collect()
    }

    #[test]
    fn failed_deliveries_are_asked_for_oldest_first_and_successes_are_not() {
        let mut watermark = Watermark::default();
        let listed = vec![
            failed(3, "c", NOW - HOUR),
            failed(1, "a", NOW - 3 * HOUR),
            attempt(2, "b", NOW - 2 * HOUR, true, false),
            failed(4, "d", NOW - HOUR),
        ];
        let plan = plan(&mut watermark, listing(listed), NOW, &policy());
        assert_eq!((ids(&plan), plan.failed, watermark.through), (vec![1, 3, 4], 3, Some(NOW - HOUR)));
    }

    #[test]
    fn one_success_among_the_attempts_is_enough_whichever_way_round() {
        for (first, second) in [(false, true), (true, false)] {
            let listed = vec![
                attempt(1, "a", NOW - 2 * HOUR, first, false),
                attempt(2, "a", NOW - HOUR, second, true),
            ];
            let plan = plan(&mut Watermark::default(), listing(listed), NOW, &policy());
            // A failed redelivery of what had succeeded comes first in the list, its success later.
            assert_eq!(plan, Plan::default(), "{first} {second}");
        }
    }

    #[test]
    fn the_newest_attempt_is_the_one_to_ask_for() {
        let listed = vec![failed(1, "a", NOW - 2 * HOUR), attempt(9, "a", NOW - HOUR, false, true)];
        assert_eq!(ids(&plan(&mut Watermark::default(), listing(listed), NOW, &policy())), [9]);
    }

    #[test]
    fn a_delivery_that_may_be_under_way_waits() {
        let mut watermark = Watermark::default();
        assert!(
            plan(&mut watermark, listing(vec![failed(1, "a", NOW - 59)]), NOW, &policy()).asks.is_empty()
        );
        assert_eq!(ids(&plan(&mut watermark, listing(Vec::new()), NOW + 1, &policy())), [1]);
    }

    #[test]
    fn an_asked_delivery_settles_before_it_is_asked_for_again_and_is_given_up_at_last() {
        let mut watermark = Watermark::default();
        let mut asks = Vec::new();
        let mut given_up = 0;
        plan(&mut watermark, listing(vec![failed(1, "a", NOW)]), NOW, &policy());
        for minute in 0..60 {
            let now = NOW + minute * 60;
            let plan = plan(&mut watermark, listing(Vec::new()), now, &policy());
            for ask in &plan.asks {
                watermark.note_ask(&ask.guid, now);
                asks.push(minute);
            }
            given_up += plan.given_up.len();
        }
        assert_eq!((asks, given_up, watermark.open()), (vec![1, 11], 1, 0));
    }

    #[test]
    fn what_recovered_is_counted_once_and_never_asked_for_again() {
        let mut watermark = Watermark::default();
        let first = plan(&mut watermark, listing(vec![failed(1, "a", NOW - HOUR)]), NOW, &policy());
        watermark.note_ask(&first.asks[0].guid, NOW);
        let both = || listing(vec![failed(1, "a", NOW - HOUR), attempt(2, "a", NOW + 1, true, true)]);
        let second = plan(&mut watermark, both(), NOW + HOUR, &policy());
        let third = plan(&mut watermark, both(), NOW + 2 * HOUR, &policy());
        assert_eq!((second.recovered, third.recovered, watermark.open()), (1, 0, 0));
        assert!(second.asks.is_empty() && third.asks.is_empty());
    }

    #[test]
    fn too_old_is_lost_and_reported_once_even_while_it_is_still_listed() {
        let mut watermark = Watermark::default();
        let old = || listing(vec![failed(1, "a", NOW - 73 * HOUR)]);
        let first = plan(&mut watermark, old(), NOW, &policy());
        assert_eq!((first.lost.len(), first.asks.len()), (1, 0));
        assert_eq!(first.lost[0].guid, "a");
        assert!(plan(&mut watermark, old(), NOW, &policy()).lost.is_empty());
        // Once it is listed no more, it is forgotten.
        plan(&mut watermark, listing(vec![attempt(2, "b", NOW, true, false)]), NOW, &policy());
        assert!(watermark.open.is_empty());
    }

    #[test]
    fn a_pass_asks_for_no_more_than_its_share_and_says_what_is_left() {
        let listed = (1..=5).map(|id| failed(id, &format!("g{id}"), NOW - HOUR + id)).collect();
        let plan = plan(&mut Watermark::default(), listing(listed), NOW, &policy().with_asks_per_pass(2));
        assert_eq!((ids(&plan), plan.left), (vec![1, 2], 3));
    }

    #[test]
    fn without_room_the_watermark_waits_for_those_that_found_none() {
        let policy = policy().with_most_open(2);
        let all = || (1..=4).map(|id| failed(id, &format!("g{id}"), NOW - HOUR + id)).collect();
        let mut watermark = Watermark::default();
        plan(&mut watermark, listing(all()), NOW, &policy);
        assert_eq!((watermark.open(), watermark.through), (2, Some(NOW - HOUR + 3)));
        let redelivered = vec![attempt(11, "g1", NOW, true, true), attempt(12, "g2", NOW, true, true)];
        let again: Vec<_> = redelivered.into_iter().chain(all()).collect();
        let next = plan(&mut watermark, listing(again), NOW, &policy);
        assert_eq!((next.recovered, next.failed, watermark.through), (2, 2, Some(NOW)));
    }

    #[test]
    fn what_was_given_up_takes_no_room_from_the_others() {
        let policy = policy().with_most_open(2);
        let (mut watermark, mut attempts, mut given_up) = (Watermark::default(), Vec::new(), 0);
        attempts.extend((1..=6).map(|id| failed(id, &format!("g{id}"), NOW + id)));
        for minute in 1..300 {
            let now = NOW + minute * 60;
            let until = watermark.through.map_or(i64::MIN, |through| through - seconds(policy.overlap));
            let listed = attempts.iter().filter(|attempt: &&Attempt| attempt.at >= until).cloned().collect();
            let plan = plan(&mut watermark, listing(listed), now, &policy);
            given_up += plan.given_up.len();
            for ask in plan.asks {
                watermark.note_ask(&ask.guid, now);
                // In vain, always.
                attempts.push(attempt(ask.delivery_id + 100, &ask.guid, now, false, true));
            }
        }
        assert_eq!((given_up, watermark.open()), (6, 0));
    }

    #[test]
    fn without_a_schedule_failures_are_reported_and_nothing_is_asked_for() {
        let policy = Policy::default().with_schedule([]);
        let plan = plan(&mut Watermark::default(), listing(vec![failed(1, "a", NOW)]), NOW, &policy);
        assert_eq!((plan.asks.len(), plan.given_up.len()), (0, 1));
    }

    #[test]
    fn a_delivery_from_the_future_does_not_end_all_listings() {
        let mut watermark = Watermark::default();
        let ahead = attempt(1, "a", NOW + 365 * 24 * HOUR, true, false);
        plan(&mut watermark, listing(vec![ahead]), NOW, &policy());
        assert_eq!(watermark.through, Some(NOW));
    }

    #[test]
    fn an_ask_made_while_the_clock_was_ahead_is_repeated_in_time_all_the_same() {
        let mut watermark = Watermark::default();
        plan(&mut watermark, listing(vec![failed(1, "a", NOW - HOUR)]), NOW, &policy());
        watermark.note_ask("a", NOW + 24 * HOUR);
        assert!(plan(&mut watermark, listing(Vec::new()), NOW, &policy()).asks.is_empty());
        assert_eq!(ids(&plan(&mut watermark, listing(Vec::new()), NOW + HOUR, &policy())), [1]);
    }

    #[test]
    fn absurd_times_overflow_nothing() {
        for at in [i64::MIN, i64::MAX] {
            let mut watermark = Watermark::default();
            plan(&mut watermark, listing(vec![failed(1, "a", at)]), NOW, &policy());
            plan(&mut watermark, listing(Vec::new()), i64::MIN, &policy());
            let _ = watermark.through();
        }
    }
}
