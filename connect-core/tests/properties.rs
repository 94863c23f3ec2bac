//! What must hold whatever happens: random limits, faults, latencies, callers, deadlines and cancellations.
//!
//! A failure prints its seed. `CONNECT_SEED=n cargo test -p connect-core --test properties` runs that one case again,
//! `CONNECT_CASES=n` sets how many cases run (default 500).
#![allow(clippy::unwrap_used, reason = "tests")]

mod storm;

use std::collections::BTreeMap;
use std::time::Duration;

use connect_core::Safety;
use connect_core::simulation::{Exchange, Fate};
use storm::{Aftermath, Storm};

/// tokio's timer counts in milliseconds, and a call has a few of them on its way.
const EPSILON: Duration = Duration::from_millis(10);

type Invariant = fn(&Storm, &Aftermath) -> Result<(), String>;

const INVARIANTS: [Invariant; 5] = [
    unsafe_operations_are_not_sent_twice,
    callers_are_served_or_refused_by_their_deadline,
    replays_stay_within_the_budget,
    nothing_is_leaked,
    applied_writes_are_not_denied,
];

/// The environment is read here and nowhere else.
#[allow(clippy::disallowed_methods, reason = "a test's own settings")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn invariants_hold_in_random_storms() {
    let (first, cases) = match setting("CONNECT_SEED") {
        Some(seed) => (seed, 1),
        None => (0, setting("CONNECT_CASES").unwrap_or(500)),
    };
    for seed in first..first + cases {
        let storm = Storm::draw(seed);
        let aftermath = storm.run();
        for invariant in INVARIANTS {
            if let Err(sentence) = invariant(&storm, &aftermath) {
                panic!(
                    "{sentence}\n\nRun it again with CONNECT_SEED={seed}\n\n{}\n{:#?}",
                    aftermath.report, storm.plan
                );
            }
        }
    }
}

fn by_operation(aftermath: &Aftermath) -> BTreeMap<&str, Vec<&Exchange>> {
    let mut operations: BTreeMap<&str, Vec<&Exchange>> = BTreeMap::new();
    for exchange in &aftermath.exchanges {
        operations.entry(&exchange.id).or_default().push(exchange);
    }
    operations
}

/// Never two sends of an unsafe operation, unless all but the last were proven not sent or definitely refused.
fn unsafe_operations_are_not_sent_twice(storm: &Storm, aftermath: &Aftermath) -> Result<(), String> {
    for (id, sends) in by_operation(aftermath) {
        if sends[0].safety != Safety::Unsafe {
            continue;
        }
        for (number, earlier) in sends.iter().enumerate().take(sends.len() - 1) {
            let in_time =
                earlier.ends_at.is_some_and(|end| end - earlier.sent_at <= storm.attempt_timeout + EPSILON);
            // 403 is no rate limit to a provider that uses statuses as HTTP means them.
            let refused = matches!(earlier.fate, Fate::NotSent)
                || matches!(earlier.fate, Fate::Limited(status) if status.as_u16() == 429);
            if !(in_time && refused) {
                return Err(format!("{id} was sent again after send {}: {earlier:?}", number + 1));
            }
        }
    }
    match &*aftermath.report.doubles {
        [] => Ok(()),
        doubles => Err(format!("applied more than once: {doubles:?}")),
    }
}

fn callers_are_served_or_refused_by_their_deadline(
    _storm: &Storm,
    aftermath: &Aftermath,
) -> Result<(), String> {
    match aftermath.ended.iter().find(|ended| ended.took > ended.step.deadline + EPSILON) {
        Some(late) => Err(format!("too late: {late:?}")),
        None => Ok(()),
    }
}

/// At most 10 replays, and one more for every fifth operation.
fn replays_stay_within_the_budget(_storm: &Storm, aftermath: &Aftermath) -> Result<(), String> {
    let operations = by_operation(aftermath);
    let replays: usize = operations.values().map(|sends| sends.len() - 1).sum();
    let budget = 10.0 + 0.2 * aftermath.ended.len() as f64;
    if replays as f64 > budget {
        return Err(format!("{replays} replays of {} operations", aftermath.ended.len()));
    }
    Ok(())
}

/// When the storm is over, the same client serves many calls at a time.
fn nothing_is_leaked(_storm: &Storm, aftermath: &Aftermath) -> Result<(), String> {
    match aftermath.unserved.first() {
        Some(error) => Err(format!("{} fresh calls failed, one with: {error:#}", aftermath.unserved.len())),
        None => Ok(()),
    }
}

/// An error that says "not sent" is the truth.
fn applied_writes_are_not_denied(_storm: &Storm, aftermath: &Aftermath) -> Result<(), String> {
    use connect_core::{RetryAdvice, Sent};
    let operations = by_operation(aftermath);
    for ended in &aftermath.ended {
        let Some(Err(error)) = &ended.result else { continue };
        let sends = operations.get(&*ended.step.work.id).map_or(&[][..], |sends| sends);
        let applied = sends.iter().any(|send| send.applied);
        if applied && error.sent() == Sent::No {
            return Err(format!("applied, but its error says that it was not sent: {error:?}"));
        }
        let once = ended.step.work.operation.safety == Safety::Unsafe;
        if applied && once && error.retry() != RetryAdvice::CheckFirst {
            return Err(format!("applied, but its error invites to repeat it: {error:?}"));
        }
    }
    Ok(())
}
