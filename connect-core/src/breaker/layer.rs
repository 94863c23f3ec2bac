//! The breaker as a tower layer: asks the circuit before an attempt and tells it how that ended.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::circuit::{Admission, BreakerPolicy, BreakerState, Circuit, Ticket};
use crate::error::{Error, ErrorKind, RetryAdvice};
use crate::event::Event;
use crate::progress::Progress;
use crate::request::Request;
use crate::response::Response;
use crate::retry::Outcome;

/// One circuit, shared by everything that talks to one host with one account. Clones are handles of the same.
///
/// ```
/// use connect_core::breaker::{Breaker, BreakerPolicy, BreakerState};
/// let breaker = Breaker::new(BreakerPolicy::default());
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// ```
#[derive(Clone, Debug)]
pub struct Breaker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    circuit: Mutex<Circuit>,
    /// The ticket of a circuit that is closed, has no failure to remember and no window to count in, else 0: the usual
    /// case takes no lock.
    calm: AtomicU64,
}

impl Breaker {
    /// Closed.
    pub fn new(policy: BreakerPolicy) -> Self {
        let circuit = Circuit::new(policy);
        let calm = AtomicU64::new(circuit.calm());
        Self(Arc::new(Shared { circuit: Mutex::new(circuit), calm }))
    }

    /// Where it is now.
    pub fn state(&self) -> BreakerState {
        self.0.circuit.lock().unwrap_or_else(PoisonError::into_inner).state()
    }

    /// Does something to the circuit; a change of its state is told.
    fn change<T>(&self, watcher: Option<&Progress>, act: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = self.0.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        let before = circuit.state();
        let result = act(&mut circuit);
        let state = circuit.state();
        self.0.calm.store(circuit.calm(), Ordering::Release);
        drop(circuit);
        if state != before {
            tracing::warn!(state = state.name(), "the circuit breaker changed its state");
            if let Some(watcher) = watcher {
                watcher.note(|| Event::Breaker { state: state.name() });
            }
        }
        result
    }
}

/// Puts [`Guarded`] round a service.
///
/// Holds the breaker, so several stacks can share it.
#[derive(Clone, Debug)]
pub struct BreakerLayer(Breaker);

impl BreakerLayer {
    /// Goes by this breaker.
    pub fn new(breaker: Breaker) -> Self {
        Self(breaker)
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, breaker: self.0.clone() }
    }
}

/// A service behind a breaker.
///
/// See the [module](super) for what counts as a failure.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    breaker: Breaker,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = BreakerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let progress = request.context().progress();
        let admission = match Ticket::of_calm(self.breaker.0.calm.load(Ordering::Acquire)) {
            Some(ticket) => Admission::Pass(ticket),
            None => self.breaker.change(Some(progress), |circuit| circuit.admit(Instant::now())),
        };
        let state = match admission {
            Admission::Pass(ticket) => {
                let watcher = progress.is_watched().then(|| Arc::clone(progress));
                let probe = Probe { breaker: self.breaker.clone(), ticket: Some(ticket), watcher };
                State::Running { inner: self.inner.call(request), probe }
            }
            Admission::Refuse(wait) => State::Refused { error: Some(refusal(wait)) },
        };
        BreakerFuture { state }
    }
}

#[cold]
fn refusal(wait: Duration) -> Error {
    Error::new(ErrorKind::CircuitOpen, "the provider failed again and again and is left alone for a while")
        .with_retry(RetryAdvice::After(wait))
}

/// Tells the breaker how its attempt ended; dropped before that, it leaves its place to the next one.
struct Probe {
    breaker: Breaker,
    /// Taken when the end is told.
    ticket: Option<Ticket>,
    watcher: Option<Arc<Progress>>,
}

impl Probe {
    fn end(&mut self, ending: Ending) {
        let Some(ticket) = self.ticket.take() else { return };
        let is_calm = Ticket::of_calm(self.breaker.0.calm.load(Ordering::Acquire)) == Some(ticket);
        if is_calm && ending != Ending::Failed {
            return; // nothing to count, nothing to forget
        }
        let now = Instant::now();
        self.breaker.change(self.watcher.as_deref(), |circuit| match ending {
            Ending::Answered => circuit.succeed(ticket, now),
            Ending::Failed => circuit.fail(ticket, now),
            Ending::Neither => circuit.abandon(ticket, now),
        });
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.end(Ending::Neither);
    }
}

/// What an attempt says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Answered,
    Failed,
    /// Nothing: it failed on our side.
    Neither,
}

impl Ending {
    fn of(result: &Result<Response, Error>) -> Self {
        match (Outcome::of(result), result) {
            (_, Err(error)) if !error.blames_provider() => Self::Neither,
            (Outcome::Transient(_) | Outcome::NotSent | Outcome::Unknown, _) => Self::Failed,
            (_, Ok(_)) => Self::Answered,
            (_, Err(_)) => Self::Neither,
        }
    }
}

pin_project! {
    /// The future of [`Guarded`].
    pub struct BreakerFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] inner: F, probe: Probe },
        Refused { error: Option<Error> },
    }
}

impl<F> Future for BreakerFuture<F>
where
    F: Future<Output = Result<Response, Error>>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Running { inner, probe } => {
                let result = ready!(inner.poll(cx));
                probe.end(Ending::of(&result));
                Poll::Ready(result)
            }
            StateProjection::Refused { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending, // polled after completion
            },
        }
    }
}

impl<F> std::fmt::Debug for BreakerFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreakerFuture").finish_non_exhaustive()
    }
}
