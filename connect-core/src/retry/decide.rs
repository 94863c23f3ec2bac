//! The decision after an attempt: a function of plain values, without a clock and without chance.

use std::time::Duration;

use super::policy::RetryPolicy;
use crate::api::Verdict;
use crate::deadline::LONGEST_WAIT;
use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::operation::Safety;
use crate::response::Response;

/// What a rate limit waits at least: jitter may draw 0 and a server may say 0, and a limit never reopens that soon.
const SHORTEST_LIMIT: Duration = Duration::from_secs(1);

/// How an attempt ended, as far as retrying is concerned.
///
/// Smaller than the result it comes from, so that [`decide`] is a function of plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A success, or a refusal that will not change.
    Final,
    /// A definite rate-limit refusal, with the server's hint.
    RateLimited(Option<Duration>),
    /// The provider failed, with its hint; it may have acted on the request.
    Transient(Option<Duration>),
    /// No answer, but the transport proves that nothing was sent.
    NotSent,
    /// No answer, and nobody knows whether the provider acted on the request.
    Unknown,
}

impl Outcome {
    /// Reads an attempt's result.
    pub fn of(result: &Result<Response, Error>) -> Self {
        match result {
            Ok(response) => match response.verdict() {
                Some(Verdict::RateLimited { retry_after }) => Self::RateLimited(retry_after),
                Some(Verdict::Transient { retry_after }) => Self::Transient(retry_after),
                Some(Verdict::Success | Verdict::Unauthenticated | Verdict::Refused) | None => Self::Final,
            },
            Err(error) => match (error.sent(), error.kind()) {
                (_, kind) if !is_passing(kind) => Self::Final,
                (Sent::No, _) => Self::NotSent,
                (Sent::Maybe, _) => Self::Unknown,
                (Sent::Yes, _) => Self::Final,
            },
        }
    }

    /// May the request be sent again at all?
    fn allows_replay(self, safety: Safety) -> bool {
        match self {
            Self::Final => false,
            Self::RateLimited(_) | Self::NotSent => true,
            Self::Transient(_) | Self::Unknown => safety != Safety::Unsafe,
        }
    }

    /// May an earlier attempt that ended like this have been applied?
    pub(crate) fn leaves_doubt(self) -> bool {
        matches!(self, Self::Transient(_) | Self::Unknown)
    }

    /// What the caller of a call that ended like this can do.
    pub fn advice(self, safety: Safety) -> RetryAdvice {
        match self {
            Self::Final => RetryAdvice::Never,
            Self::RateLimited(Some(wait)) => RetryAdvice::After(wait),
            Self::RateLimited(None) | Self::NotSent => RetryAdvice::Later,
            // A new call gets a new idempotency key, so a keyed operation is no safer than an unsafe one here.
            Self::Transient(_) | Self::Unknown if matches!(safety, Safety::Unsafe | Safety::Keyed) => {
                RetryAdvice::CheckFirst
            }
            Self::Transient(Some(wait)) => RetryAdvice::After(wait),
            Self::Transient(None) | Self::Unknown => RetryAdvice::Later,
        }
    }
}

/// Only failures of the way to the provider pass by themselves. A wrong configuration does not; an open breaker and a
/// closed quota are answers of our own, which a replay in the same second would only hear again.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::Unavailable)
}

/// What to do after an attempt.
///
/// Two-valued: everything that is not a replay goes to the caller as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand the result to the caller, and why.
    Return(Stop),
    /// Send it again after this long.
    Replay(Duration),
}

/// Why a result is handed to the caller.
///
/// Told in errors and reports, because "why was that not retried?" is the first question of whoever reads them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is a success, or a refusal that will not change.
    Final,
    /// It may have been applied, and a second time would do it twice.
    Unsafe,
    /// The attempts are used up.
    Attempts,
    /// The server asks for a longer wait than is waited for.
    LongWait,
    /// The wait would last beyond the deadline.
    Deadline,
    /// All calls together have retried enough.
    Budget,
    /// Its body can be sent only once.
    Body,
}

impl Stop {
    /// From `stop as u8`, as it is kept in an atomic.
    pub(crate) fn from_code(code: u8) -> Self {
        const ALL: [Stop; 7] = [
            Stop::Final,
            Stop::Unsafe,
            Stop::Attempts,
            Stop::LongWait,
            Stop::Deadline,
            Stop::Budget,
            Stop::Body,
        ];
        ALL.into_iter().find(|stop| *stop as u8 == code).unwrap_or(Self::Final)
    }

    /// Half a sentence for an error or a report; empty for [`Stop::Final`].
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Final => "",
            Self::Unsafe => "not sent again: a second time could do it twice",
            Self::Attempts => "not sent again: the attempts are used up",
            Self::LongWait => {
                "not sent again: the wait that the provider asks for is longer than is waited for"
            }
            Self::Deadline => "not sent again: the wait would last beyond the deadline",
            Self::Budget => "not sent again: the retry budget of this client is used up",
            Self::Body => "not sent again: its body can be sent only once",
        }
    }
}

/// What is known when a decision is due.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// May the operation be sent twice?
    pub safety: Safety,
    /// Which attempt it was, from 1.
    pub number: u32,
    /// What is left of the deadline; `None` without one.
    pub remaining: Option<Duration>,
}

/// Decides about one more attempt; `random` is a number in `0.0 ..= 1.0`.
///
/// ```
/// use connect_core::retry::{Attempt, Decision, Outcome, Stop, decide};
/// use connect_core::{RetryPolicy, Safety};
/// let policy = RetryPolicy::default();
/// let read = Attempt { outcome: Outcome::Transient(None), safety: Safety::Safe, number: 1, remaining: None };
/// assert_eq!(decide(read, policy, 1.0), Decision::Replay(policy.base));
/// let write = Attempt { safety: Safety::Unsafe, ..read };
/// assert_eq!(decide(write, policy, 1.0), Decision::Return(Stop::Unsafe));
/// ```
pub fn decide(attempt: Attempt, policy: RetryPolicy, random: f64) -> Decision {
    let Attempt { outcome, safety, number, remaining } = attempt;
    if outcome == Outcome::Final {
        return Decision::Return(Stop::Final);
    }
    if !outcome.allows_replay(safety) {
        return Decision::Return(Stop::Unsafe);
    }
    if number >= policy.attempts {
        return Decision::Return(Stop::Attempts);
    }
    let doubled = policy.base.saturating_mul(1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX));
    let jittered = doubled.min(policy.cap).min(LONGEST_WAIT).mul_f64(random);
    let wait = match outcome {
        Outcome::RateLimited(Some(hint)) | Outcome::Transient(Some(hint)) if hint > policy.longest_wait => {
            return Decision::Return(Stop::LongWait);
        }
        // A little above the hint, so that callers told the same time do not all come back in the same instant; and
        // never below the backoff, so that a hint of 0 does not switch it off.
        Outcome::RateLimited(Some(hint)) | Outcome::Transient(Some(hint)) => {
            let spread = (hint / 10).min(Duration::from_secs(1)).mul_f64(random);
            hint.saturating_add(spread).max(jittered)
        }
        _ => jittered,
    };
    let wait = if matches!(outcome, Outcome::RateLimited(_)) { wait.max(SHORTEST_LIMIT) } else { wait };
    match remaining {
        Some(remaining) if wait >= remaining => Decision::Return(Stop::Deadline),
        _ => Decision::Replay(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        attempts: 4,
        base: Duration::from_millis(250),
        cap: Duration::from_secs(30),
        longest_wait: Duration::from_secs(60),
    };
    const LEVELS: [Safety; 4] = [Safety::Safe, Safety::Idempotent, Safety::Keyed, Safety::Unsafe];

    fn after(
        outcome: Outcome,
        safety: Safety,
        number: u32,
        policy: RetryPolicy,
        remaining: Option<Duration>,
        random: f64,
    ) -> Decision {
        decide(Attempt { outcome, safety, number, remaining }, policy, random)
    }

    fn replays(outcome: Outcome, safety: Safety) -> bool {
        matches!(after(outcome, safety, 1, POLICY, None, 0.5), Decision::Replay(_))
    }

    #[test]
    fn an_unsafe_operation_is_replayed_only_when_nothing_was_applied() {
        for safety in LEVELS {
            let harmless = safety != Safety::Unsafe;
            assert!(!replays(Outcome::Final, safety));
            assert!(replays(Outcome::RateLimited(None), safety));
            assert!(replays(Outcome::NotSent, safety));
            assert_eq!(replays(Outcome::Transient(None), safety), harmless);
            assert_eq!(replays(Outcome::Unknown, safety), harmless);
        }
    }

    #[test]
    fn delays_double_up_to_the_cap_and_are_jittered_down_to_nothing() {
        let wait = |attempt, random| {
            after(Outcome::Unknown, Safety::Safe, attempt, POLICY.with_attempts(u32::MAX), None, random)
        };
        assert_eq!(wait(1, 1.0), Decision::Replay(Duration::from_millis(250)));
        assert_eq!(wait(3, 1.0), Decision::Replay(Duration::from_millis(1_000)));
        assert_eq!(wait(3, 0.5), Decision::Replay(Duration::from_millis(500)));
        assert_eq!(wait(3, 0.0), Decision::Replay(Duration::ZERO));
        assert_eq!(wait(4_000_000, 1.0), Decision::Replay(POLICY.cap));
    }

    #[test]
    fn a_hint_is_a_minimum_and_a_long_one_is_not_waited_for() {
        let wait = |seconds, random| {
            let hint = Outcome::RateLimited(Some(Duration::from_secs(seconds)));
            after(hint, Safety::Unsafe, 1, POLICY, None, random)
        };
        assert_eq!(wait(3, 0.0), Decision::Replay(Duration::from_secs(3)));
        assert_eq!(wait(60, 1.0), Decision::Replay(Duration::from_secs(61)));
        assert_eq!(wait(61, 0.0), Decision::Return(Stop::LongWait));
        assert_eq!(wait(u64::MAX, 0.0), Decision::Return(Stop::LongWait));
    }

    #[test]
    fn a_limit_waits_at_least_a_second_and_a_hint_of_0_keeps_the_backoff() {
        let second = Decision::Replay(Duration::from_secs(1));
        for hint in [None, Some(Duration::ZERO)] {
            assert_eq!(after(Outcome::RateLimited(hint), Safety::Safe, 1, POLICY, None, 0.0), second);
        }
        let failing = after(Outcome::Transient(Some(Duration::ZERO)), Safety::Safe, 1, POLICY, None, 1.0);
        assert_eq!(failing, Decision::Replay(POLICY.base));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_not_begun() {
        let hint = Outcome::RateLimited(Some(Duration::from_secs(5)));
        let left = |seconds| after(hint, Safety::Safe, 1, POLICY, Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(left(5), Decision::Return(Stop::Deadline));
        assert_eq!(left(6), Decision::Replay(Duration::from_secs(5)));
    }

    #[test]
    fn attempts_are_counted() {
        assert_eq!(
            after(Outcome::NotSent, Safety::Safe, 4, POLICY, None, 0.0),
            Decision::Return(Stop::Attempts)
        );
    }

    #[test]
    fn advice_tells_a_possible_double_from_a_safe_repetition() {
        assert_eq!(Outcome::Transient(None).advice(Safety::Unsafe), RetryAdvice::CheckFirst);
        assert_eq!(Outcome::Unknown.advice(Safety::Unsafe), RetryAdvice::CheckFirst);
        assert_eq!(Outcome::Unknown.advice(Safety::Safe), RetryAdvice::Later);
        assert_eq!(Outcome::NotSent.advice(Safety::Unsafe), RetryAdvice::Later);
        let hint = Duration::from_secs(90);
        assert_eq!(Outcome::RateLimited(Some(hint)).advice(Safety::Unsafe), RetryAdvice::After(hint));
    }
}
