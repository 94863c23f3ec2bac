//! When a token is renewed: the decisions of [`TokenCache`](super::TokenCache), as functions of plain values.

use std::time::Duration;

use tokio::time::Instant;

use super::token::TokenReason;
use crate::deadline::after;
use crate::error::RetryAdvice;

/// When a token is due for renewal, and when it ends; `None` for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) due: Option<Instant>,
    pub(super) ends: Option<Instant>,
}

impl Life {
    /// Counted from the moment it was asked for, so that a slow answer never makes a token look younger than it is.
    pub(super) fn new(
        asked: Instant,
        expires_in: Option<Duration>,
        early_refresh: Duration,
        random: f64,
    ) -> Self {
        let Some(life) = expires_in else { return Self { due: None, ends: None } };
        let due = life.saturating_sub(margin(life, early_refresh, random));
        Self { due: Some(after(asked, due)), ends: Some(after(asked, life)) }
    }
}

/// How long before its end a token is renewed: `early_refresh` or a tenth of its life, whichever is more; give or take
/// a tenth, so that processes which began together do not all come at once. About half of a short life at most, else
/// every use of a one-minute token would renew it.
fn margin(life: Duration, early_refresh: Duration, random: f64) -> Duration {
    (life / 10).max(early_refresh).min(life / 2).mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0))
}

/// How long a failed fetch is not repeated: callers get its error meanwhile, so that a token endpoint in trouble is not
/// asked by everybody. 1 s, doubling to 5 s with every failure in a row; the endpoint's own figure counts within that.
pub(super) fn rest(failures: u32, advice: RetryAdvice) -> Duration {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(5);
    let doubled = SHORTEST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    match advice {
        RetryAdvice::After(wait) => doubled.max(wait).min(LONGEST),
        _ => doubled.min(LONGEST),
    }
}

/// What the cache has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    Nothing,
    Fresh,
    /// Still good, but to be renewed.
    Due,
    Expired,
    Refused,
}

impl Holding {
    /// Of a token that was not refused.
    pub(super) fn of(life: Life, now: Instant) -> Self {
        match life {
            Life { ends: Some(ends), .. } if ends <= now => Self::Expired,
            Life { due: Some(due), .. } if due <= now => Self::Due,
            _ => Self::Fresh,
        }
    }
}

/// What happens to a caller who wants a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It gets the token.
    Serve,
    /// It gets the token, and a new one is fetched behind its back.
    ServeAndRenew,
    /// It waits for the fetch that is under way.
    Wait,
    /// It gets the error of the last fetch.
    Fail,
    /// It starts a fetch and waits for it.
    Fetch(TokenReason),
}

/// One row per case. `fetching`: a fetch is under way; `resting`: the last one has just failed.
pub(super) fn next(holding: Holding, fetching: bool, resting: bool) -> Step {
    match (holding, fetching, resting) {
        (Holding::Due, false, false) => Step::ServeAndRenew,
        (Holding::Fresh | Holding::Due, _, _) => Step::Serve,
        (_, true, _) => Step::Wait,
        (_, false, true) => Step::Fail,
        (Holding::Nothing, ..) => Step::Fetch(TokenReason::First),
        (Holding::Expired, ..) => Step::Fetch(TokenReason::Expired),
        (Holding::Refused, ..) => Step::Fetch(TokenReason::Refused),
    }
}

/// The same for a caller to whom the token that is held is not good enough: others go on being served with it.
pub(super) fn next_beyond(holding: Holding, fetching: bool, resting: bool) -> Step {
    match (holding, fetching, resting) {
        (Holding::Fresh | Holding::Due, true, _) => Step::Wait,
        (Holding::Fresh | Holding::Due, false, true) => Step::Fail,
        (Holding::Fresh | Holding::Due, false, false) => Step::Fetch(TokenReason::Early),
        _ => next(holding, fetching, resting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_token_is_renewed_a_minute_or_a_tenth_of_its_life_before_its_end() {
        let hour = 60 * MINUTE;
        let cases = [
            (hour, 0.5, 6 * MINUTE),
            (hour, 0.0, Duration::from_secs(324)),
            (hour, 1.0, Duration::from_secs(396)),
            (5 * MINUTE, 0.5, MINUTE),
            (MINUTE, 0.5, MINUTE / 2),
            (Duration::ZERO, 0.5, Duration::ZERO),
        ];
        for (life, random, expected) in cases {
            assert_eq!(margin(life, MINUTE, random), expected, "{life:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn absurd_lives_overflow_nothing() {
        let now = Instant::now();
        for (life, early) in
            [(Duration::MAX, MINUTE), (Duration::MAX, Duration::MAX), (MINUTE, Duration::MAX)]
        {
            let life = Life::new(now, Some(life), early, 1.0);
            assert!(life.due <= life.ends && life.ends > Some(now));
        }
        assert_eq!(Holding::of(Life::new(now, None, MINUTE, 0.5), now), Holding::Fresh);
        assert_eq!(Holding::of(Life::new(now, Some(Duration::ZERO), MINUTE, 0.5), now), Holding::Expired);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_fresh_then_due_then_expired() {
        let now = Instant::now();
        let life = Life::new(now, Some(60 * MINUTE), MINUTE, 0.5);
        let cases = [
            (54 * MINUTE - Duration::from_nanos(1), Holding::Fresh),
            (54 * MINUTE, Holding::Due),
            (60 * MINUTE - Duration::from_nanos(1), Holding::Due),
            (60 * MINUTE, Holding::Expired),
        ];
        for (age, expected) in cases {
            assert_eq!(Holding::of(life, now + age), expected, "{age:?}");
        }
    }

    #[test]
    fn a_living_token_is_always_served() {
        for fetching in [false, true] {
            for resting in [false, true] {
                assert_eq!(next(Holding::Fresh, fetching, resting), Step::Serve);
                let due = if fetching || resting { Step::Serve } else { Step::ServeAndRenew };
                assert_eq!(next(Holding::Due, fetching, resting), due);
            }
        }
    }

    #[test]
    fn without_one_callers_wait_for_a_fetch_or_share_its_failure() {
        let cases = [
            (Holding::Nothing, TokenReason::First),
            (Holding::Expired, TokenReason::Expired),
            (Holding::Refused, TokenReason::Refused),
        ];
        for (holding, reason) in cases {
            assert_eq!(next(holding, false, false), Step::Fetch(reason));
            assert_eq!(next(holding, true, false), Step::Wait);
            assert_eq!(next(holding, true, true), Step::Wait);
            assert_eq!(next(holding, false, true), Step::Fail);
        }
    }

    #[test]
    fn failures_are_repeated_after_one_to_five_seconds() {
        let after = |seconds| RetryAdvice::After(Duration::from_secs(seconds));
        let cases = [
            (1, RetryAdvice::Never, 1),
            (2, RetryAdvice::Later, 2),
            (3, RetryAdvice::Later, 4),
            (4, RetryAdvice::Later, 5),
            (u32::MAX, RetryAdvice::Later, 5),
            (1, after(3), 3),
            (1, after(u64::MAX), 5),
            (3, after(0), 4),
        ];
        for (failures, advice, seconds) in cases {
            assert_eq!(rest(failures, advice), Duration::from_secs(seconds), "{failures} {advice:?}");
        }
    }
}
