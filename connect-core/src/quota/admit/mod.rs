//! The layer: takes its turn before an attempt, and learns from each answer.
//!
//! A call that finds everything open pays one lock and no allocation. One that has to wait goes into a box with a timer,
//! and stands in line until it is admitted, its time is over, or it is dropped.

mod pass;
mod waiting;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use self::pass::Pass;
use self::waiting::{Refused, Waiting};
use super::pilot::QuotaPilot;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

/// Puts [`Admit`] round a service.
///
/// Holds the pilot, so several stacks can share it.
#[derive(Clone, Debug)]
pub struct AdmitLayer(QuotaPilot);

impl AdmitLayer {
    /// Goes by this pilot.
    pub fn new(pilot: QuotaPilot) -> Self {
        Self(pilot)
    }
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { inner, pilot: self.0.clone() }
    }
}

/// A service that nobody reaches before the account's quotas allow it.
///
/// The [module](super) says who goes first.
#[derive(Clone, Debug)]
pub struct Admit<S> {
    inner: S,
    pilot: QuotaPilot,
}

impl<S> Service<Request> for Admit<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    type Response = Response;
    type Error = Error;
    type Future = AdmitFuture<S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> AdmitFuture<S> {
        let parts = self.pilot.shared_parts();
        let draws = parts.model.draws(request.operation(), &request);
        let now = Instant::now();
        let (place, admitted) = self.pilot.with(|ledger, _| {
            let mut wanted = ledger.resolve(&draws, now);
            let place = ledger.place(request.context().priority());
            (place, ledger.admit(&mut wanted, place, now).map_err(|blocked| (blocked, wanted)))
        });
        let state = match admitted {
            Ok(grant) if parts.store.is_none() => {
                let pass = Pass::new(&self.pilot, grant, &request, now);
                State::Running { running: self.inner.call(request), pass }
            }
            admitted => {
                let spare = self.inner.clone();
                // The ready instance makes the call; the clone, which was never polled ready, stays behind.
                let service = std::mem::replace(&mut self.inner, spare);
                let waiting = Waiting::new(&self.pilot, service, request, draws, place, admitted, now);
                State::Waiting { waiting: Some(Box::pin(waiting)) }
            }
        };
        AdmitFuture { state }
    }
}

pin_project! {
    /// The future of [`Admit`].
    pub struct AdmitFuture<S>
    where
        S: Service<Request>,
    {
        #[pin]
        state: State<S::Future, S>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S> {
        Running { #[pin] running: F, pass: Pass },
        Waiting { waiting: Option<Pin<Box<Waiting<S>>>> },
    }
}

impl<S> Future for AdmitFuture<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjection::Running { running, pass } => {
                    let result = ready!(running.poll(cx));
                    pass.end(&result);
                    return Poll::Ready(result);
                }
                StateProjection::Waiting { waiting } => {
                    let Some(admitted) = waiting.as_mut() else { return Poll::Pending }; // polled after completion
                    let outcome = ready!(admitted.as_mut().poll(cx));
                    let parts = admitted.as_mut().take_parts();
                    waiting.take();
                    let Some((mut service, request)) = parts else { return Poll::Pending };
                    let pass = match outcome {
                        Ok(pass) => pass,
                        Err(Refused(error)) => return Poll::Ready(Err(error)),
                    };
                    let running = service.call(request);
                    state.set(State::Running { running, pass });
                }
            }
        }
    }
}

impl<S: Service<Request>> std::fmt::Debug for AdmitFuture<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdmitFuture").finish_non_exhaustive()
    }
}

/// The head of a request, kept for what its answer will say.
type SentHead = Arc<crate::request::Head>;
