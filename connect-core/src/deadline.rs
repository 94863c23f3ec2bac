//! Two time limits: one for the whole operation, one for each attempt.
//!
//! [`Deadline`] is outermost: its budget covers waits, attempts and bodies. [`AttemptTimeout`] is innermost and starts
//! only when the attempt does, so that time spent waiting for a turn never looks like a slow server; a request whose body
//! is made while it is sent has the whole deadline instead, because that takes as long as its size. An attempt that
//! times out may have reached the provider: its error says [`Sent::Maybe`], and [`retry`](crate::retry) decides by
//! safety.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Layer, Service};

use crate::error::{Error, ErrorKind, Sent};
use crate::progress::Progress;
use crate::request::Request;

/// The longest wait that is believed, whoever asks for it. A longer one is a careless policy, or a broken or hostile
/// server: it must neither overflow a clock, governor's of 64-bit nanoseconds among them, nor close an account for good.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// A time no operation waits for: far ahead, yet addable to any clock.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// A provider that had this long to answer and did not is slow; one that had less is not known to be.
const FAIR_TIME: Duration = Duration::from_secs(10);

/// `now + wait`, for any wait: a hostile or careless number must not overflow the clock.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}

/// Puts [`Deadline`] round a service.
///
/// Holds the client's default; a call may ask for less or more.
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer(Duration);

impl DeadlineLayer {
    /// The budget of an operation that names none itself.
    pub fn new(default: Duration) -> Self {
        Self(default)
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, default: self.0 }
    }
}

/// Ends an operation when its total time is over.
///
/// See the [module](self) for how it shares the work with [`AttemptTimeout`].
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
    default: Duration,
}

impl<S: Service<Request, Error = Error>> Service<Request> for Deadline<S> {
    type Response = S::Response;
    type Error = Error;
    type Future = Limited<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let deadline = match request.context().deadline() {
            Some(deadline) => deadline,
            None => {
                let deadline = after(Instant::now(), self.default);
                request.context_mut().limit_deadline(deadline);
                deadline
            }
        };
        Limited::call(&mut self.inner, request, deadline, Limit::Operation)
    }
}

/// Puts [`AttemptTimeout`] round a service.
///
/// Sits directly above the transport.
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeoutLayer(Duration);

impl AttemptTimeoutLayer {
    /// The time one attempt may take, body included.
    pub fn new(timeout: Duration) -> Self {
        Self(timeout)
    }
}

impl<S> Layer<S> for AttemptTimeoutLayer {
    type Service = AttemptTimeout<S>;

    fn layer(&self, inner: S) -> AttemptTimeout<S> {
        AttemptTimeout { inner, timeout: self.0 }
    }
}

/// Ends an attempt after its own time-out, or at the operation's deadline if that is nearer.
///
/// See the [module](self) for how it shares the work with [`Deadline`].
#[derive(Clone, Debug)]
pub struct AttemptTimeout<S> {
    inner: S,
    timeout: Duration,
}

impl<S: Service<Request, Error = Error>> Service<Request> for AttemptTimeout<S> {
    type Response = S::Response;
    type Error = Error;
    type Future = Limited<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let own = after(Instant::now(), self.timeout);
        match request.context().deadline() {
            // A body that is made while it is sent takes as long as its size.
            Some(deadline) if deadline <= own || request.body().is_streamed() => {
                let given = deadline.saturating_duration_since(Instant::now());
                let is_short = given < self.timeout.min(FAIR_TIME);
                Limited::call(&mut self.inner, request, deadline, Limit::AttemptAtDeadline { is_short })
            }
            _ => Limited::call(&mut self.inner, request, own, Limit::Attempt),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Operation,
    Attempt,
    /// An attempt that the deadline ends before its own time-out would. Given little time, it says nothing about the
    /// provider.
    AttemptAtDeadline {
        is_short: bool,
    },
}

impl Limit {
    #[cold]
    fn error(self, progress: &Progress) -> Error {
        match self {
            Self::Operation => Error::new(ErrorKind::Timeout, "the deadline of the operation passed")
                .with_sent(progress.sent()),
            Self::Attempt => {
                Error::new(ErrorKind::Timeout, "no complete answer arrived in time").with_sent(Sent::Maybe)
            }
            Self::AttemptAtDeadline { is_short } => {
                let error = Error::new(ErrorKind::Timeout, "the deadline of the operation passed");
                let error = error.with_sent(Sent::Maybe);
                if is_short { error.without_blame() } else { error }
            }
        }
    }
}

/// Says while an attempt's time-out is running, also when it is dropped in the middle.
struct Watch {
    progress: Arc<Progress>,
    guards: bool,
}

impl Watch {
    fn new(progress: Arc<Progress>, limit: Limit) -> Self {
        let guards = !matches!(limit, Limit::Operation);
        Self { progress, guards }
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.guards) {
            self.progress.set_guarded(false);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

pin_project! {
    /// The future of [`Deadline`] and [`AttemptTimeout`].
    pub struct Limited<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running {
            #[pin]
            inner: F,
            #[pin]
            sleep: Sleep,
            limit: Limit,
            watch: Watch,
        },
        /// The time was over before it began: nothing was started.
        Expired { error: Option<Error> },
    }
}

impl<F> Limited<F> {
    fn call<S>(inner: &mut S, request: Request, end: Instant, limit: Limit) -> Self
    where
        S: Service<Request, Error = Error, Future = F>,
    {
        let state = if end <= Instant::now() {
            let error = Error::new(ErrorKind::Timeout, "the deadline had passed before anything was sent");
            State::Expired {
                error: Some(error.with_sent(request.context().progress().sent()).without_blame()),
            }
        } else {
            let watch = Watch::new(Arc::clone(request.context().progress()), limit);
            State::Running { inner: inner.call(request), sleep: sleep_until(end), limit, watch }
        };
        Self { state }
    }
}

impl<F, T> Future for Limited<F>
where
    F: Future<Output = Result<T, Error>>,
{
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Running { inner, sleep, limit, watch } => {
                let is_outer = matches!(limit, Limit::Operation);
                if is_outer {
                    // Whoever watches the clock says so anew each time: an attempt that a layer of the host's has stopped
                    // polling watches nothing.
                    watch.progress.set_guarded(false);
                }
                if let Poll::Ready(result) = inner.poll(cx) {
                    watch.end();
                    return Poll::Ready(result);
                }
                // One timer for both limits while an attempt runs: that of the attempt, which never ends later.
                if is_outer && watch.progress.is_guarded() {
                    return Poll::Pending;
                }
                // The operation's own limit speaks once the attempt's had its turn: `sent` is exact then.
                if sleep.poll(cx).is_pending() {
                    if watch.guards {
                        watch.progress.set_guarded(true);
                    }
                    return Poll::Pending;
                }
                watch.end();
                Poll::Ready(Err(limit.error(&watch.progress)))
            }
            StateProjection::Expired { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending, // polled after completion
            },
        }
    }
}

impl<F> std::fmt::Debug for Limited<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limited").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn absurd_durations_do_not_overflow_the_clock() {
        let now = Instant::now();
        assert!(after(now, Duration::MAX) > now);
        assert_eq!(after(now, Duration::ZERO), now);
    }
}
