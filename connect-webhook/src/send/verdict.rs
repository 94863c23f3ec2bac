//! What to do after an attempt, decided by one pure function.
//!
//! | what came back | verdict |
//! |---|---|
//! | 2xx | delivered |
//! | 410 | the destination is disabled: its owner says that it is gone for good |
//! | refused by the guard because of the URL itself | given up: no retry changes a URL |
//! | refused by the guard because of what the name resolves to | retried: DNS can be put right |
//! | 3xx | retried, and not followed: the owner has to enter the new address |
//! | any other status | retried; 4xx, too, for receivers answer 401 or 404 in the middle of a deployment |
//! | no connection, broken off, timed out | retried |
//!
//! "Retried" means: at the schedule's time, and not before the time that `Retry-After` names (on any of these
//! statuses; seconds or a date; at most [`Policy::retry_after_limit`], 24 h). Instead, the destination is
//! disabled if nothing but failures came back from it for [`Policy::disable_after`], 120 h, and the message
//! is given up if that was the schedule's last attempt.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::retry_after::retry_after;
use super::schedule::{Schedule, later};
use super::transport::{Answer, Failure};
use crate::clock::UnixTime;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What happens next.
///
/// It can be stored, and holds nothing that is secret.
///
/// ```
/// use connect_webhook::UnixTime;
/// use connect_webhook::send::{Answer, Cause, Policy, Situation, Verdict};
///
/// let mut answer = Answer::new(http::StatusCode::TOO_MANY_REQUESTS);
/// answer.headers.insert("retry-after", "600".parse()?);
/// let situation = Situation::new(1, UnixTime(1_750_000_000));
/// let verdict = Policy::default().decide(&situation, &Ok(answer), &mut fastrand::Rng::with_seed(1));
/// assert_eq!(verdict, Verdict::RetryAt { at: UnixTime(1_750_000_600), why: Cause::Status(429) });
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// Try again, with the next number and not before `at`.
    RetryAt {
        /// When.
        at: UnixTime,
        /// Why it was not delivered.
        why: Cause,
    },
    /// Send nothing more to this destination until its owner enables it again.
    Disable {
        /// Why.
        why: DisableReason,
    },
    /// Send this message to this destination no more.
    GiveUp {
        /// Why the last attempt was not delivered.
        why: Cause,
    },
}

/// Why a message was not delivered. The [`Attempt`](super::Attempt) has the details.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The receiver answered with this status.
    Status(u16),
    /// The receiver answered with this redirect, which is not followed.
    Redirect(u16),
    /// The guard does not let the destination be reached.
    Refused,
    /// The message could not be signed.
    Unsigned,
    /// No connection.
    Unreachable,
    /// The connection broke before an answer.
    Interrupted,
    /// No complete answer in time.
    TimedOut,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answered {status}; answer 2xx"),
            Self::Redirect(status) => write!(f, "answered {status}; enter the address it points to"),
            Self::Unsigned => f.write_str("not signed; make the message fit the destination's scheme"),
            Self::Refused => f.write_str("refused by the guard; give a public https address"),
            Self::Unreachable => f.write_str("no connection; check the address and its certificate"),
            Self::Interrupted => f.write_str("broken off before an answer; look into the receiver's log"),
            Self::TimedOut => f.write_str("no answer in time; answer first and work afterwards"),
        }
    }
}

impl From<&Failure> for Cause {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(_) => Self::Refused,
            Failure::Unsigned(_) => Self::Unsigned,
            Failure::Unreachable { .. } => Self::Unreachable,
            Failure::Interrupted { .. } => Self::Interrupted,
            Failure::TimedOut { .. } => Self::TimedOut,
        }
    }
}

/// Why a destination is disabled.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisableReason {
    /// It answered 410: its owner wants no more.
    Gone,
    /// Nothing but failures since then, and for longer than [`Policy::disable_after`].
    FailingSince(UnixTime),
}

/// What else a decision depends on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// When it ended: waits begin here.
    pub now: UnixTime,
    /// Since when the destination failed every time, before this attempt.
    pub failing_since: Option<UnixTime>,
}

impl Situation {
    /// An attempt to a destination that did not fail before.
    pub fn new(attempt: u32, now: UnixTime) -> Self {
        Self { attempt, now, failing_since: None }
    }

    /// With what is known of the destination.
    #[must_use]
    pub fn with_failing_since(mut self, failing_since: Option<UnixTime>) -> Self {
        self.failing_since = failing_since;
        self
    }
}

/// How persistent the sender is.
///
/// ```
/// use connect_webhook::send::{Policy, Schedule};
/// use std::time::Duration;
///
/// // Three attempts within ten minutes, for messages that nobody wants tomorrow.
/// let mut policy = Policy::default().with_schedule(Schedule::new([60, 540].map(Duration::from_secs)));
/// policy.retry_after_limit = Duration::from_secs(600);
/// assert_eq!(policy.schedule.attempts(), 3);
/// // For `Sender::with_policy`; the `Attempt` that a sender returns holds what the policy decided.
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When to try again; Standard Webhooks' ten attempts by default.
    pub schedule: Schedule,
    /// The longest `Retry-After` that is obeyed; 24 h by default, the schedule's longest wait. A receiver
    /// that asks for a year is tried again after this long.
    pub retry_after_limit: Duration,
    /// How long a destination may fail every time before it is disabled; 120 h by default, as at Svix: longer
    /// than the schedule, so that no single message brings it about.
    pub disable_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            retry_after_limit: HOUR.saturating_mul(24),
            disable_after: HOUR.saturating_mul(120),
        }
    }
}

impl Policy {
    /// The default, with another schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Decides by the table of this module.
    pub fn decide(
        &self,
        situation: &Situation,
        result: &Result<Answer, Failure>,
        rng: &mut fastrand::Rng,
    ) -> Verdict {
        let &Situation { attempt, now, failing_since } = situation;
        let (why, asked) = match result {
            Ok(answer) => match answer.status.as_u16() {
                200..=299 => return Verdict::Delivered,
                410 => return Verdict::Disable { why: DisableReason::Gone },
                status @ 300..=399 => (Cause::Redirect(status), retry_after(&answer.headers, now)),
                status => (Cause::Status(status), retry_after(&answer.headers, now)),
            },
            Err(Failure::Unsigned(_)) => return Verdict::GiveUp { why: Cause::Unsigned },
            Err(Failure::Refused(refusal)) if refusal.is_permanent() => {
                return Verdict::GiveUp { why: Cause::Refused };
            }
            Err(failure) => (Cause::from(failure), None),
        };
        if let Some(since) = failing_since
            && later(since, self.disable_after) <= now
        {
            return Verdict::Disable { why: DisableReason::FailingSince(since) };
        }
        let Some(wait) = self.schedule.wait_after(attempt, rng) else {
            return Verdict::GiveUp { why };
        };
        let asked = asked.unwrap_or_default().min(self.retry_after_limit);
        Verdict::RetryAt { at: later(now, wait.max(asked)), why }
    }
}

/// Since when the destination fails every time, after this attempt. A message that was given up before anything
/// was sent says nothing of the destination.
pub(super) fn failing_since(situation: &Situation, verdict: &Verdict) -> Option<UnixTime> {
    match verdict {
        Verdict::Delivered => None,
        Verdict::GiveUp { why: Cause::Unsigned | Cause::Refused } => situation.failing_since,
        _ => Some(situation.failing_since.unwrap_or(situation.now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::Refusal;
    use http::StatusCode;
    use std::net::Ipv4Addr;

    const NOW: UnixTime = UnixTime(1_750_000_000); // Sun, 15 Jun 2025 15:06:40 GMT

    fn in_seconds(seconds: i64) -> UnixTime {
        UnixTime(NOW.0 + seconds)
    }

    fn policy() -> Policy {
        Policy::default().with_schedule(Schedule::default().with_jitter_percent(0))
    }

    fn decide(situation: &Situation, result: Result<Answer, Failure>) -> Verdict {
        policy().decide(situation, &result, &mut fastrand::Rng::with_seed(7))
    }

    fn answer(status: u16) -> Result<Answer, Failure> {
        Ok(Answer::new(StatusCode::from_u16(status).unwrap()))
    }

    fn asking(status: u16, retry_after: &'static str) -> Result<Answer, Failure> {
        Ok(answer(status)?.with_header("retry-after", retry_after.parse().unwrap()))
    }

    fn named() -> Failure {
        let address = Ipv4Addr::LOCALHOST.into();
        Refusal::Name { host: "h".into(), address, range: "loopback", document: "RFC 1122" }.into()
    }

    #[test]
    fn the_table_holds_for_a_first_attempt() {
        let retry = |seconds, why| Verdict::RetryAt { at: in_seconds(seconds), why };
        let gone = Verdict::Disable { why: DisableReason::Gone };
        let cases = [
            (answer(200), Verdict::Delivered),
            (answer(202), Verdict::Delivered),
            (answer(204), Verdict::Delivered),
            (answer(299), Verdict::Delivered),
            (asking(200, "600"), Verdict::Delivered),
            (answer(199), retry(5, Cause::Status(199))),
            (answer(300), retry(5, Cause::Redirect(300))),
            (answer(301), retry(5, Cause::Redirect(301))),
            (answer(304), retry(5, Cause::Redirect(304))),
            (answer(308), retry(5, Cause::Redirect(308))),
            (answer(400), retry(5, Cause::Status(400))),
            (answer(401), retry(5, Cause::Status(401))),
            (answer(404), retry(5, Cause::Status(404))),
            (answer(410), gone),
            (asking(410, "600"), gone),
            (answer(429), retry(5, Cause::Status(429))),
            (asking(429, "600"), retry(600, Cause::Status(429))),
            (asking(429, "1"), retry(5, Cause::Status(429))),
            (asking(503, "600"), retry(600, Cause::Status(503))),
            (asking(503, "Sun, 15 Jun 2025 15:16:40 GMT"), retry(600, Cause::Status(503))),
            (asking(503, "Sun, 15 Jun 2025 15:00:00 GMT"), retry(5, Cause::Status(503))),
            (asking(503, "soon"), retry(5, Cause::Status(503))),
            (asking(503, "31536000"), retry(24 * 3600, Cause::Status(503))),
            (asking(503, "99999999999999999999999"), retry(24 * 3600, Cause::Status(503))),
            (asking(500, "600"), retry(600, Cause::Status(500))),
            (asking(302, "600"), retry(600, Cause::Redirect(302))),
            (answer(500), retry(5, Cause::Status(500))),
            (answer(502), retry(5, Cause::Status(502))),
            (answer(999), retry(5, Cause::Status(999))),
            (Err(Failure::TimedOut { after: HOUR }), retry(5, Cause::TimedOut)),
            (Err(Failure::Unreachable { detail: String::new() }), retry(5, Cause::Unreachable)),
            (Err(Failure::Interrupted { detail: String::new() }), retry(5, Cause::Interrupted)),
            (Err(Refusal::Scheme.into()), Verdict::GiveUp { why: Cause::Refused }),
            (Err(Refusal::Credentials.into()), Verdict::GiveUp { why: Cause::Refused }),
            (Err(named()), retry(5, Cause::Refused)),
        ];
        for (result, expected) in cases {
            let shown = format!("{result:?}");
            assert_eq!(decide(&Situation::new(1, NOW), result), expected, "{shown}");
        }
    }

    #[test]
    fn the_last_attempt_is_given_up_whatever_the_receiver_asks_for() {
        let why = Cause::Status(503);
        let at = in_seconds(24 * 3600);
        assert_eq!(decide(&Situation::new(9, NOW), asking(503, "5")), Verdict::RetryAt { at, why });
        assert_eq!(decide(&Situation::new(10, NOW), asking(503, "5")), Verdict::GiveUp { why });
        assert_eq!(decide(&Situation::new(u32::MAX, NOW), answer(503)), Verdict::GiveUp { why });
        assert_eq!(decide(&Situation::new(10, NOW), answer(200)), Verdict::Delivered);
    }

    #[test]
    fn a_destination_that_fails_for_five_days_is_disabled() {
        let limit = 120 * 3600;
        let failing = |age: i64| Situation::new(2, NOW).with_failing_since(Some(in_seconds(-age)));
        let disabled = Verdict::Disable { why: DisableReason::FailingSince(in_seconds(-limit)) };
        assert!(matches!(decide(&failing(limit - 1), answer(500)), Verdict::RetryAt { .. }));
        assert_eq!(decide(&failing(limit), answer(500)), disabled);
        assert_eq!(decide(&failing(limit), Err(named())), disabled);
        assert_eq!(decide(&failing(limit), answer(200)), Verdict::Delivered);
        // A clock that was set back disables nobody.
        assert!(matches!(decide(&failing(-limit), answer(500)), Verdict::RetryAt { .. }));
    }

    #[test]
    fn failing_begins_with_the_first_failure_and_ends_with_the_first_success() {
        let healthy = Situation::new(1, NOW);
        let failing = healthy.with_failing_since(Some(UnixTime(7)));
        let failed = Verdict::GiveUp { why: Cause::TimedOut };
        assert_eq!(failing_since(&healthy, &failed), Some(NOW));
        assert_eq!(failing_since(&failing, &failed), Some(UnixTime(7)));
        assert_eq!(failing_since(&failing, &Verdict::Delivered), None);
        assert_eq!(failing_since(&healthy, &Verdict::Delivered), None);
    }

    #[test]
    fn a_message_that_was_never_sent_does_not_count_against_its_destination() {
        let healthy = Situation::new(1, NOW);
        let failing = healthy.with_failing_since(Some(UnixTime(7)));
        for why in [Cause::Unsigned, Cause::Refused] {
            assert_eq!(failing_since(&healthy, &Verdict::GiveUp { why }), None, "{why}");
            assert_eq!(failing_since(&failing, &Verdict::GiveUp { why }), Some(UnixTime(7)), "{why}");
        }
    }

    #[test]
    fn a_verdict_can_be_stored() {
        let verdict = Verdict::RetryAt { at: NOW, why: Cause::Status(503) };
        let stored = serde_json::to_string(&verdict).unwrap();
        assert_eq!(stored, r#"{"RetryAt":{"at":1750000000,"why":{"Status":503}}}"#);
        assert_eq!(serde_json::from_str::<Verdict>(&stored).unwrap(), verdict);
    }
}
