//! One seed replays a whole outage: the same requests at the same times, with the same ends.
#![allow(clippy::unwrap_used, reason = "tests")]

mod storm;

use std::time::Duration;

use connect_core::simulation::{Exchange, Faults, Limit, Outage, OutageKind};
use storm::Storm;

/// When, what, and how it ended.
type Line = (Duration, String, Option<u16>);

/// The callers of a storm, and a provider that fails for half a minute among them.
fn outage(seed: u64) -> Vec<Line> {
    let mut storm = Storm::draw(seed);
    let secs = Duration::from_secs;
    storm.plan = storm
        .plan
        .with_faults(Faults::none().with_lost_reply(0.05))
        .with_limit(Limit::fixed("hourly", 5_000, secs(3600)))
        .with_outage(Outage::new(secs(3)..secs(33), OutageKind::Status(503)));
    let line = |exchange: Exchange| {
        let status = exchange.fate.status().map(|status| status.as_u16());
        (exchange.sent_at, exchange.operation, status)
    };
    storm.run().exchanges.into_iter().map(line).collect()
}

#[test]
fn one_seed_replays_a_whole_outage() {
    let first = outage(4711);
    assert!(first.iter().any(|(_, _, status)| *status == Some(503)), "there was an outage");
    assert!(first.iter().any(|(_, _, status)| *status == Some(200)), "and a life round it");
    assert_eq!(first, outage(4711));
}

#[test]
fn another_seed_is_another_outage() {
    assert_ne!(outage(4711), outage(4712));
}
