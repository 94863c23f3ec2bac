//! Pass after pass, for as long as the host lets it.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use connect_core::Error;

use super::pass::Redelivery;
use super::report::{Report, Stopped};

/// After a pass that left something undone, the next one need not wait long.
const SOON: Duration = Duration::from_secs(60);

/// A busy loop is nobody's wish.
const SHORTEST: Duration = Duration::from_millis(10);

/// Longer than GitHub redelivers, so that whoever asks for more asks in vain.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

impl Redelivery {
    /// Passes for ever: the first at once, the others this far apart, give or take a tenth, so that a fleet does not ask in
    /// step; within a minute if a pass left something undone, and not before a rate limit opens. `heard` is told how each
    /// went: log it, and shout if [`lost`](Report::lost) is not empty.
    ///
    /// Every 15 minutes is a good start; GitHub redelivers for three days, so once a day is the least. The host spawns this
    /// future and drops it to stop: nothing is lost wherever that happens. A failed pass does not end it.
    pub async fn every(
        self,
        interval: Duration,
        mut heard: impl FnMut(&Result<Report, Error>) + Send,
    ) -> Infallible {
        // std keys its hashers from the operating system's randomness.
        let mut jitter = self.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
        loop {
            let pass = self.run_once().await;
            heard(&pass);
            jitter = next(jitter);
            tokio::time::sleep(pause(&pass, interval, fraction(jitter))).await;
        }
    }
}

/// How long until the next pass; `random` is in `0.0 .. 1.0`.
fn pause(pass: &Result<Report, Error>, interval: Duration, random: f64) -> Duration {
    let is_undone =
        pass.as_ref().is_ok_and(|report| report.left > 0 || report.stopped == Some(Stopped::Pages));
    let wanted = if is_undone { interval.min(SOON) } else { interval };
    let jittered = wanted.min(LONGEST).mul_f64(0.9 + 0.2 * random).max(SHORTEST);
    match pass.as_ref().ok().and_then(|report| report.stopped) {
        Some(Stopped::RateLimited(Some(wait))) => jittered.max(wait),
        _ => jittered,
    }
}

/// SplitMix64's step: enough to keep processes out of step, and one line.
fn next(state: u64) -> u64 {
    state.wrapping_add(0x9E37_79B9_7F4A_7C15)
}

fn fraction(state: u64) -> f64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    f64::from(u32::try_from(mixed >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(900);

    #[test]
    fn a_pass_that_left_something_is_followed_soon_and_a_limit_is_waited_out() {
        let limit = Some(Stopped::RateLimited(Some(Duration::from_secs(3600))));
        let report = |left, stopped| Report { left, stopped, ..Report::default() };
        let cases = [
            (report(0, None), 900),
            (report(3, None), 60),
            (report(0, Some(Stopped::Pages)), 60),
            (report(0, Some(Stopped::Unavailable)), 900),
            (report(3, limit), 3600),
        ];
        for (report, seconds) in cases {
            let found = pause(&Ok(report.clone()), INTERVAL, 0.5);
            assert_eq!(found.as_secs_f64().round() as u64, seconds, "{report}");
        }
    }

    #[test]
    fn jitter_stays_within_a_tenth_and_differs() {
        let mut state = 7;
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            state = next(state);
            let wait = pause(&Ok(Report::default()), INTERVAL, fraction(state));
            assert!((810..=990).contains(&wait.as_secs()), "{wait:?}");
            seen.insert(wait);
        }
        assert!(seen.len() > 90);
        assert_eq!(pause(&Ok(Report::default()), Duration::ZERO, 0.5), SHORTEST);
        assert_eq!(pause(&Ok(Report::default()), Duration::MAX, 0.5), LONGEST);
    }
}
