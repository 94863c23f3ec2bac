//! The loop: send, decide, wait, send again. [`decide`] has the rules.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tower::{Layer, Service};

use super::budget::RetryBudget;
use super::decide::{Attempt, Decision, Outcome, Stop, decide};
use super::policy::RetryPolicy;
use crate::error::{Error, ErrorKind};
use crate::event::{Cause, Ending, Event};
use crate::operation::Safety;
use crate::request::Request;
use crate::response::Response;
use crate::seed;

/// Puts [`Retry`] round a service. State is shared by all clones.
///
/// Made from a policy, a budget and a seed; one seed replays one sequence of delays.
#[derive(Clone, Debug)]
pub struct RetryLayer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: RetryPolicy,
    budget: RetryBudget,
    seed: u64,
    operations: AtomicU64,
}

impl RetryLayer {
    /// The client's policy and the seed of all its jitter, with a budget of its own.
    pub fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self::with_budget(policy, RetryBudget::default(), seed)
    }

    /// The same with a budget that others may share.
    pub fn with_budget(policy: RetryPolicy, budget: RetryBudget, seed: u64) -> Self {
        Self(Arc::new(Shared { policy, budget, seed, operations: AtomicU64::new(0) }))
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, shared: Arc::clone(&self.0) }
    }
}

/// The retrying service; see the [module](super) for what is replayed.
///
/// A thin shell: [`decide`] has the rules.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for Retry<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    type Response = Response;
    type Error = Error;
    type Future = RetryFuture<S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> RetryFuture<S> {
        let idle = self.inner.clone();
        // The ready instance makes the call; the clone, which was never polled ready, stays behind.
        let mut service = std::mem::replace(&mut self.inner, idle);
        self.shared.budget.deposit();
        let attempts = Attempts {
            policy: request.context().retry().unwrap_or(self.shared.policy),
            safety: request.safety(),
            made: 1,
            begun: request.context().progress().is_watched().then(Instant::now),
            renewed: false,
            random: None,
        };
        let (spare, is_replayable) = request.duplicate();
        spare.context().progress().begin_attempt();
        let running = service.call(request);
        let shared = Arc::clone(&self.shared);
        RetryFuture { attempts, shared, service, spare, is_replayable, state: State::Running { running } }
    }
}

pin_project! {
    /// The future of [`Retry`].
    pub struct RetryFuture<S: Service<Request>> {
        attempts: Attempts,
        shared: Arc<Shared>,
        service: S,
        // What is sent again; without its body, and of use for its context only, if that can be sent only once.
        spare: Request,
        is_replayable: bool,
        #[pin]
        state: State<S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] running: F },
        Waiting { #[pin] sleep: Sleep, cause: Cause, wait: Duration },
        Again,
    }
}

struct Attempts {
    policy: RetryPolicy,
    safety: Safety,
    made: u32,
    /// When the current one began, if anybody wants to know.
    begun: Option<Instant>,
    /// Was it sent again for a new token? Once is enough: a provider that refuses that one too means it.
    renewed: bool,
    random: Option<fastrand::Rng>,
}

impl Attempts {
    /// What follows an attempt, in one line: the pure decision, and what only the shell knows (token, body, budget).
    fn after(
        &mut self,
        result: &Result<Response, Error>,
        shared: &Shared,
        context: &crate::context::Context,
        is_replayable: bool,
    ) -> (Decision, Outcome) {
        let outcome = Outcome::of(result);
        if context.progress().take_token_refused() && !self.renewed {
            self.renewed = true;
            return match is_replayable {
                true => (Decision::Replay(Duration::ZERO), outcome),
                false => (Decision::Return(Stop::Body), outcome),
            };
        }
        let remaining = || context.deadline().map(|end| end.saturating_duration_since(Instant::now()));
        // Neither attempts nor budget count: nothing was applied, and the token's youth ends it.
        if let Some(pause) = context.progress().take_token_settling() {
            return match remaining().is_none_or(|remaining| pause < remaining) {
                _ if !is_replayable => (Decision::Return(Stop::Body), outcome),
                true => (Decision::Replay(pause), outcome),
                false => (Decision::Return(Stop::Deadline), outcome),
            };
        }
        if outcome == Outcome::Final {
            return (Decision::Return(Stop::Final), outcome);
        }
        let random = self.random.get_or_insert_with(|| {
            let number = shared.operations.fetch_add(1, Ordering::Relaxed);
            seed::generator(shared.seed, number)
        });
        let attempt = Attempt { outcome, safety: self.safety, number: self.made, remaining: remaining() };
        let decision = match decide(attempt, self.policy, random.f64()) {
            Decision::Replay(_) if !is_replayable => Decision::Return(Stop::Body),
            Decision::Replay(_) if !shared.budget.withdraw() => Decision::Return(Stop::Budget),
            decision => decision,
        };
        (decision, outcome)
    }

    fn tell(&self, result: &Result<Response, Error>, context: &crate::context::Context) {
        context.note(|| Event::AttemptEnded {
            number: self.made,
            ending: match result {
                Ok(response) => Ending::Answered { status: response.status(), verdict: response.verdict() },
                Err(error) => Ending::Failed { kind: error.kind(), sent: error.sent() },
            },
            took: self.begun.map(|begun| begun.elapsed()).unwrap_or_default(),
        });
    }
}

/// What a wait is for.
fn cause(outcome: Outcome) -> Cause {
    match outcome {
        // Of what is final, only a refused token that settles is waited for.
        Outcome::Final => Cause::Token,
        Outcome::RateLimited(Some(_)) | Outcome::Transient(Some(_)) => Cause::RetryAfter,
        _ => Cause::Backoff,
    }
}

impl<S> Future for RetryFuture<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Running { running } => {
                    let result = ready!(running.poll(cx));
                    let context = this.spare.context();
                    this.attempts.tell(&result, context);
                    let (decision, outcome) =
                        this.attempts.after(&result, this.shared, context, *this.is_replayable);
                    let wait = match decision {
                        Decision::Return(stop) => {
                            context.progress().set_stop(stop);
                            return Poll::Ready(result);
                        }
                        Decision::Replay(wait) => wait,
                    };
                    if outcome.leaves_doubt() {
                        context.progress().set_unsettled();
                    }
                    if wait.is_zero() {
                        this.state.set(State::Again);
                        continue;
                    }
                    let cause = cause(outcome);
                    tracing::debug!(
                        attempt = this.attempts.made,
                        wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                        cause = cause.name(),
                        "sending again after a wait"
                    );
                    context.note(|| Event::Waiting { cause: cause.clone(), planned: Some(wait) });
                    this.state.set(State::Waiting { sleep: sleep(wait), cause, wait });
                }
                StateProjection::Waiting { sleep, cause, wait } => {
                    ready!(sleep.poll(cx));
                    this.spare.context().note(|| Event::Waited { cause: cause.clone(), took: *wait });
                    this.state.set(State::Again);
                }
                StateProjection::Again => {
                    ready!(this.service.poll_ready(cx))?; // nothing in this family waits in poll_ready
                    let Some(request) = this.spare.replay().filter(|_| *this.is_replayable) else {
                        let message = "the request's body can be sent only once";
                        return Poll::Ready(Err(Error::new(ErrorKind::Unsupported, message)));
                    };
                    this.attempts.made += 1;
                    this.attempts.begun = this.attempts.begun.map(|_| Instant::now());
                    this.spare.context().progress().begin_attempt();
                    let running = this.service.call(request);
                    this.state.set(State::Running { running });
                }
            }
        }
    }
}

impl<S: Service<Request>> std::fmt::Debug for RetryFuture<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetryFuture").field("attempts", &self.attempts.made).finish_non_exhaustive()
    }
}
