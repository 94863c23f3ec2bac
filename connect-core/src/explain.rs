//! Why a call took as long as it did, and ended as it did: its attempts, its waits with their causes, what the server
//! said, cache, token, breaker.
//!
//! [`Call::explain`](crate::Call::explain) yields a [`Report`] beside the result, also on failure. Its `Display` is a
//! timeline:
//!
//! ```text
//! github issues/list-for-repo: ok after 2 attempts in 3.41 s (waited 3.00 s)
//!    0.00 s  attempt 1
//!    0.21 s  attempt 1: HTTP 429, rate limited, retry after 3.0 s (0.21 s)
//!    0.21 s  waiting 3.00 s: the provider asked for it
//!    3.21 s  attempt 2
//!    3.41 s  attempt 2: HTTP 200 (0.20 s)
//!    3.41 s  ok
//! ```

use std::fmt;
use std::time::Duration;

use crate::api::Verdict;
use crate::event::{CacheEvent, Cause, Ending, Event};
use crate::observe::Scope;
use crate::progress::Progress;
use crate::retry::Stop;

/// What happened during one call, in order.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Report {
    /// The provider: `github`.
    pub service: &'static str,
    /// The operation in the provider's spelling.
    pub operation: String,
    /// From the moment it was awaited to its end.
    pub total: Duration,
    /// How many attempts were started.
    pub attempts: u32,
    /// Did it succeed?
    pub succeeded: bool,
    /// Why it was not sent once more.
    pub stop: Stop,
    /// Each event with the time since the beginning.
    pub timeline: Vec<(Duration, Event)>,
}

impl Report {
    pub(crate) fn new(scope: Scope, progress: &Progress, total: Duration, succeeded: bool) -> Self {
        let Scope { service, operation } = scope;
        Self {
            service,
            operation: operation.into_owned(),
            total,
            attempts: progress.attempts(),
            succeeded,
            stop: progress.stop(),
            timeline: progress.take_trace(),
        }
    }

    /// All waits together.
    pub fn waited(&self) -> Duration {
        self.waits().map(|(_, took)| took).sum()
    }

    /// Each wait that ended, with its cause.
    pub fn waits(&self) -> impl Iterator<Item = (&Cause, Duration)> {
        self.timeline.iter().filter_map(|(_, event)| match event {
            Event::Waited { cause, took } => Some((cause, *took)),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, operation, total, attempts, succeeded, .. } = self;
        let (end, plural) = (if *succeeded { "ok" } else { "failed" }, if *attempts == 1 { "" } else { "s" });
        write!(f, "{service} {operation}: {end} after {attempts} attempt{plural} in {}", Seconds(*total))?;
        let waited = self.waited();
        if !waited.is_zero() {
            write!(f, " (waited {})", Seconds(waited))?;
        }
        for (at, event) in &self.timeline {
            write!(f, "\n{:>9}  {}", Seconds(*at).to_string(), Line(event))?;
        }
        if self.stop != Stop::Final {
            write!(f, "\n           {}", self.stop.explanation())?;
        }
        Ok(())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0.as_secs_f64())
    }
}

/// One event as a line for people.
struct Line<'a>(&'a Event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::AttemptStarted { number } => write!(f, "attempt {number}"),
            Event::AttemptEnded { number, ending, took } => {
                write!(f, "attempt {number}: {} ({})", Ended(*ending), Seconds(*took))
            }
            Event::Waiting { cause, planned: Some(planned) } => {
                write!(f, "waiting {}: {}", Seconds(*planned), Because(cause))
            }
            Event::Waiting { cause, planned: None } => write!(f, "waiting: {}", Because(cause)),
            Event::Waited { took, .. } => write!(f, "waited {}", Seconds(*took)),
            Event::QuotaSeen { bucket, limit, remaining, resets_in } => {
                write!(f, "quota {bucket}: {remaining}")?;
                if let Some(limit) = limit {
                    write!(f, " of {limit}")?;
                }
                f.write_str(" left")?;
                match resets_in {
                    Some(wait) => write!(f, ", whole again in {}", Seconds(*wait)),
                    None => Ok(()),
                }
            }
            Event::QuotaPaused { bucket, wait } => {
                write!(f, "quota {bucket}: closed for everybody for {}", Seconds(*wait))
            }
            Event::TokenFetched { failure: None, took } => write!(f, "token fetched ({})", Seconds(*took)),
            Event::TokenFetched { failure: Some(kind), took } => {
                write!(f, "token not fetched: {} ({})", kind.name(), Seconds(*took))
            }
            Event::TokenRefused => f.write_str("the token was refused: sending again with a new one"),
            Event::Breaker { state } => write!(f, "circuit breaker: {state}"),
            Event::Cache(event) => f.write_str(match event {
                CacheEvent::Missed => "cache: nothing",
                CacheEvent::Revalidated => "cache: what it has is still good",
                CacheEvent::Stored => "cache: the answer is kept",
                CacheEvent::Stale => "cache: an old answer, for want of a new one",
            }),
            Event::Redirected { status, own_origin } => {
                let whither =
                    if *own_origin { "within the provider" } else { "to another host, without credentials" };
                write!(f, "HTTP {}: redirected {whither}", status.as_u16())
            }
            Event::Drift { path } => write!(f, "the answer lacks {path}"),
            Event::Deprecated { sunset: None, .. } => {
                f.write_str("the provider says that the operation is going away")
            }
            Event::Deprecated { sunset: Some(sunset), .. } => {
                write!(f, "the operation ends on {}", httpdate::fmt_http_date(*sunset))
            }
            Event::FellBack { to } => write!(f, "fell back to the {to} answer"),
            Event::Ended { failure: None, .. } => f.write_str("ok"),
            Event::Ended { failure: Some(kind), .. } => write!(f, "failed: {}", kind.name()),
        }
    }
}

struct Because<'a>(&'a Cause);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Backoff => f.write_str("before another attempt"),
            Cause::RetryAfter => f.write_str("the provider asked for it"),
            Cause::Quota { bucket } => write!(f, "for room in the quota {bucket}"),
            Cause::Concurrency => f.write_str("for another request of the account to end"),
            Cause::Pause => f.write_str("the whole account is paused"),
            Cause::Token => f.write_str("for a token"),
        }
    }
}

struct Ended(Ending);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ending::Answered { status, verdict } => {
                write!(f, "HTTP {}", status.as_u16())?;
                let (meaning, hint) = match verdict {
                    Some(Verdict::RateLimited { retry_after }) => ("rate limited", retry_after),
                    Some(Verdict::Transient { retry_after }) => ("the provider failed", retry_after),
                    Some(Verdict::Unauthenticated) => ("the credentials are not accepted", None),
                    Some(Verdict::Refused) => ("refused", None),
                    Some(Verdict::Success) | None => return Ok(()),
                };
                write!(f, ", {meaning}")?;
                match hint {
                    Some(wait) => write!(f, ", retry after {:.1} s", wait.as_secs_f64()),
                    None => Ok(()),
                }
            }
            Ending::Failed { kind, sent } => write!(f, "no answer: {} (sent: {sent:?})", kind.name()),
        }
    }
}
