//! A call that stands in line.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::pass::Pass;
use crate::deadline::after;
use crate::error::{Error, ErrorKind, RetryAdvice};
use crate::event::{Cause, Event};
use crate::quota::draws::{Bucket, Draws};
use crate::quota::ledger::{Blocked, Grant, Place, Turn, WaiterId, Wanted};
use crate::quota::pilot::QuotaPilot;
use crate::quota::store::Taken;
use crate::request::Request;

/// How long a store may think.
const STORE_PATIENCE: Duration = Duration::from_secs(1);

/// A store that says "ask again at once" is asked again after this.
const SHORTEST_REST: Duration = Duration::from_millis(1);

/// Why somebody was not admitted in time.
pub(super) struct Refused(pub(super) Error);

type Asking = Pin<Box<dyn Future<Output = Result<Taken, Error>> + Send>>;

pin_project! {
    /// Everything of a call that waits, and its one timer.
    pub(super) struct Waiting<S> {
        parts: Option<(S, Request)>,
        draws: Draws,
        ticket: Ticket,
        stage: Stage,
        begun: Instant,
        // What it waited for first, as far as anybody was told.
        cause: Option<Cause>,
        limit: Instant,
        #[pin]
        timer: Sleep,
        timed_until: Instant,
    }
}

enum Stage {
    /// About to look whether it may go.
    Trying,
    /// In a line of this pilot.
    InLine(WaiterId),
    /// Admitted here, asking the store.
    Asking(Asking),
}

/// What a waiter holds in the books; dropped, it gives that back.
struct Ticket {
    pilot: QuotaPilot,
    wanted: Wanted,
    place: Place,
    waiter: Option<WaiterId>,
    pass: Option<Pass>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (waiter, wanted) = (self.waiter.take(), &self.wanted);
        self.pilot.with(|ledger, wake| {
            if let Some(waiter) = waiter {
                ledger.leave(waiter, wake);
            }
            ledger.forget(wanted, self.place, wake);
        });
    }
}

impl<S> Waiting<S> {
    #[allow(clippy::too_many_arguments, reason = "one caller, which has just made all of them")]
    pub(super) fn new(
        pilot: &QuotaPilot,
        service: S,
        request: Request,
        draws: Draws,
        place: Place,
        admitted: Result<Grant, (Blocked, Wanted)>,
        now: Instant,
    ) -> Self {
        let longest = after(now, pilot.shared_parts().config.longest_wait);
        let limit = request.context().deadline().map_or(longest, |deadline| deadline.min(longest));
        let mut ticket =
            Ticket { pilot: pilot.clone(), wanted: Wanted::default(), place, waiter: None, pass: None };
        let stage = match admitted {
            Ok(grant) => {
                ticket.pass = Some(Pass::new(pilot, grant, &request, now));
                ask(pilot, &draws)
            }
            Err((_, wanted)) => {
                ticket.wanted = wanted;
                Stage::Trying
            }
        };
        Self {
            parts: Some((service, request)),
            draws,
            ticket,
            stage,
            begun: now,
            cause: None,
            limit,
            timer: sleep_until(limit),
            timed_until: limit,
        }
    }

    /// What is to be sent, once it may be.
    pub(super) fn take_parts(self: Pin<&mut Self>) -> Option<(S, Request)> {
        self.project().parts.take()
    }

    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Pass, Refused>> {
        let mut this = self.project();
        let Some((_, request)) = this.parts.as_ref() else { return Poll::Pending };
        let context = request.context();
        loop {
            let now = Instant::now();
            // When to look again without being woken.
            let next = match this.stage {
                Stage::Asking(asking) => {
                    let taken = match asking.as_mut().poll(cx) {
                        Poll::Ready(taken) => taken,
                        Poll::Pending if now >= *this.limit => {
                            return Poll::Ready(Err(Refused(overdue(None, now, *this.begun))));
                        }
                        Poll::Pending => {
                            // The timer may be that of the wait before this, and over.
                            if *this.timed_until != *this.limit {
                                this.timer.as_mut().reset(*this.limit);
                                *this.timed_until = *this.limit;
                            }
                            ready!(this.timer.as_mut().poll(cx));
                            continue;
                        }
                    };
                    match taken {
                        Ok(Taken::Granted(number)) => {
                            if let Some(pass) = &mut this.ticket.pass {
                                pass.set_number(number);
                            }
                        }
                        Ok(Taken::Wait { bucket, wait }) => {
                            if let Some(mut pass) = this.ticket.pass.take() {
                                pass.undo();
                            }
                            // Closed here as well, so that everybody stands in line and only the first asks again.
                            let wait = wait.max(SHORTEST_REST);
                            let (ticket, draws) = (&mut *this.ticket, &*this.draws);
                            ticket.wanted = ticket.pilot.with(|ledger, _| {
                                ledger.hold(bucket.as_ref(), wait, now);
                                ledger.resolve(draws, now)
                            });
                            *this.stage = Stage::Trying;
                            continue;
                        }
                        // Each process goes by what it knows itself.
                        Err(error) => tracing::warn!(error = %error, "the quota store could not be asked"),
                    }
                    waited(this.cause, context, *this.begun, now);
                    return match this.ticket.pass.take() {
                        Some(pass) => Poll::Ready(Ok(pass)),
                        None => Poll::Pending,
                    };
                }
                Stage::Trying | Stage::InLine(_) => {
                    match this.ticket.turn(this.stage, cx, now) {
                        Ok(grant) => {
                            let pass = Pass::new(&this.ticket.pilot, grant, request, now);
                            if this.ticket.pilot.shared_parts().store.is_none() {
                                waited(this.cause, context, *this.begun, now);
                                return Poll::Ready(Ok(pass));
                            }
                            this.ticket.pass = Some(pass);
                            *this.stage = ask(&this.ticket.pilot, this.draws);
                            continue;
                        }
                        Err(Standing { bucket, hope, turn }) => {
                            // Nobody stands in a line whose end is beyond its time.
                            if let Some(at) = hope.filter(|at| *at > *this.limit) {
                                return Poll::Ready(Err(Refused(closed(bucket.as_ref(), at - now))));
                            }
                            if now >= *this.limit {
                                return Poll::Ready(Err(Refused(overdue(bucket.as_ref(), now, *this.begun))));
                            }
                            let planned = hope.map(|at| at.saturating_duration_since(now));
                            wait_for(this.cause, context, cause_of(bucket.as_ref(), hope.is_some()), planned);
                            match turn {
                                Turn::First(Blocked { again: Some(at), .. }) => at,
                                Turn::First(_) | Turn::Behind => *this.limit,
                            }
                        }
                    }
                }
            };
            let next = next.min(*this.limit);
            if next != *this.timed_until {
                this.timer.as_mut().reset(next);
                *this.timed_until = next;
            }
            ready!(this.timer.as_mut().poll(cx));
        }
    }
}

/// Where a waiter stands.
struct Standing {
    bucket: Option<Bucket>,
    /// When it can hope for its turn at the soonest.
    hope: Option<Instant>,
    turn: Turn,
}

impl Ticket {
    /// Looks whether it is its turn; if not, it stands in a line afterwards.
    fn turn(&mut self, stage: &mut Stage, cx: &mut TaskContext<'_>, now: Instant) -> Result<Grant, Standing> {
        let Self { pilot, wanted, place, waiter, .. } = self;
        pilot.with(|ledger, wake| {
            if let Stage::InLine(id) = stage {
                let (turn, before) = match ledger.poll(*id, wanted, cx.waker(), now, wake) {
                    Ok(grant) => {
                        *waiter = None;
                        return Ok(grant);
                    }
                    Err(standing) => standing,
                };
                let hope = match turn {
                    Turn::First(blocked) => blocked.until,
                    Turn::Behind => None,
                };
                return Err(Standing { bucket: ledger.bucket(before, now), hope, turn });
            }
            let blocked = match ledger.admit(wanted, *place, now) {
                Ok(grant) => return Ok(grant),
                Err(blocked) => blocked,
            };
            let hope = ledger.hope(blocked, *place, now);
            let (id, is_first) = ledger.park(blocked.before, *place, cx.waker());
            *waiter = Some(id);
            *stage = Stage::InLine(id);
            let turn = if is_first { Turn::First(blocked) } else { Turn::Behind };
            Err(Standing { bucket: ledger.bucket(blocked.before, now), hope, turn })
        })
    }
}

fn ask(pilot: &QuotaPilot, draws: &Draws) -> Stage {
    let Some((store, account)) = &pilot.shared_parts().store else { return Stage::Trying };
    let (store, account, draws) = (Arc::clone(store), account.clone(), draws.clone());
    Stage::Asking(Box::pin(async move {
        // A store that hangs is one that failed.
        timeout(STORE_PATIENCE, store.take(&account, &draws))
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "the quota store did not answer in time")))
    }))
}

/// The gate of the account has a time only while it is paused.
fn cause_of(bucket: Option<&Bucket>, has_time: bool) -> Cause {
    match bucket {
        Some(bucket) => Cause::Quota { bucket: bucket.label() },
        None if has_time => Cause::Pause,
        None => Cause::Concurrency,
    }
}

/// Told once: where it stands may change, that it waits does not.
fn wait_for(
    told: &mut Option<Cause>,
    context: &crate::context::Context,
    cause: Cause,
    planned: Option<Duration>,
) {
    if told.is_none() {
        context.note(|| Event::Waiting { cause: cause.clone(), planned });
        *told = Some(cause);
    }
}

fn waited(told: &mut Option<Cause>, context: &crate::context::Context, begun: Instant, now: Instant) {
    if let Some(cause) = told.take() {
        context.note(|| Event::Waited { cause, took: now.saturating_duration_since(begun) });
    }
}

/// A wait that would be longer than there is time: said at once.
#[cold]
fn closed(bucket: Option<&Bucket>, wait: Duration) -> Error {
    let message = match bucket {
        Some(bucket) => format!("the quota {bucket} is used up for another {} s", seconds(wait)),
        None => format!("the account is closed for another {} s", seconds(wait)),
    };
    Error::new(ErrorKind::RateLimited, message).with_retry(RetryAdvice::After(wait))
}

/// A wait of unknown length that lasted as long as there was time.
#[cold]
fn overdue(bucket: Option<&Bucket>, now: Instant, begun: Instant) -> Error {
    let waited = seconds(now.saturating_duration_since(begun));
    let message = match bucket {
        Some(bucket) => format!("no turn in the quota {bucket} within {waited} s"),
        None => format!("no turn among the account's running requests within {waited} s"),
    };
    Error::new(ErrorKind::RateLimited, message).with_retry(RetryAdvice::Later)
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}
