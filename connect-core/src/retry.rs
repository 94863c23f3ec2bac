//! Sends a request again when that is safe, and only then.
//!
//! The decision is one pure function, [`decide`]; the service is a thin loop round it. Replayed are
//! - definite rate-limit refusals, whatever the operation (nothing was applied);
//! - attempts the transport proves were not sent, whatever the operation;
//! - everything else that may pass (5xx, 408, time-outs, cut connections) only if the operation's
//!   [`Safety`] allows a second time (a keyed operation counts as unsafe until a call can carry its key). A plain `POST` answered 500 is **not** sent twice: the error says it may have been
//!   applied.
//!
//! Delays are full jitter (`random(0 ..= min(cap, base · 2ⁿ))`, Brooker, "Exponential Backoff and Jitter"), drawn per
//! operation from the client's seed. `Retry-After` is obeyed as a minimum; a hint longer than
//! [`RetryPolicy::longest_wait`], or any wait longer than what is left of the deadline, ends the call at once with
//! [`RetryAdvice::After`] or [`RetryAdvice::Later`] instead of sleeping first.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tower::{Layer, Service};

use crate::api::Verdict;
use crate::error::{Error, RetryAdvice, Sent};
use crate::operation::Safety;
use crate::request::Request;
use crate::response::Response;

/// What a rate limit waits at least: jitter may draw 0 and a server may say 0, and a limit never reopens that soon.
const SHORTEST_LIMIT: Duration = Duration::from_secs(1);

/// How often and how long to wait between attempts.
///
/// ```
/// use connect_core::RetryPolicy;
/// let policy = RetryPolicy::default().with_attempts(2);
/// assert_eq!(policy.attempts, 2);
/// assert_eq!(RetryPolicy::never().attempts, 1);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included. Default 4.
    pub attempts: u32,
    /// Upper bound of the first delay; doubled each time. Default 250 ms.
    pub base: Duration,
    /// Upper bound of any delay that the server did not ask for. Default 30 s.
    pub cap: Duration,
    /// The longest hint of a server that is waited for; a longer one is returned to the caller. Default 60 s.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(30),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt, for hosts that retry themselves.
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Sets the number of attempts; 0 counts as 1.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the upper bound of the first delay.
    #[must_use]
    pub fn with_base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the upper bound of any delay that the server did not ask for.
    #[must_use]
    pub fn with_cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the longest server hint that is waited for.
    #[must_use]
    pub fn with_longest_wait(mut self, longest: Duration) -> Self {
        self.longest_wait = longest;
        self
    }
}

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
            // A keyed operation joins the safe ones when a call can carry its key; without one it is a plain write.
            Self::Transient(_) | Self::Unknown => matches!(safety, Safety::Safe | Safety::Idempotent),
        }
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

/// Only failures of the way to the provider pass by themselves; a wrong configuration does not.
fn is_passing(kind: crate::error::ErrorKind) -> bool {
    use crate::error::ErrorKind::{Timeout, Transport, Unavailable};
    matches!(kind, Timeout | Transport | Unavailable)
}

/// What to do after an attempt.
///
/// Two-valued: everything that is not a replay goes to the caller as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand the result to the caller.
    Return,
    /// Send it again after this long.
    Replay(Duration),
}

/// Decides about one more attempt.
///
/// `attempt` counts from 1; `remaining` is what is left of the deadline; `random` is a number in `0.0 ..= 1.0`.
///
/// ```
/// use connect_core::retry::{Decision, Outcome, decide};
/// use connect_core::{RetryPolicy, Safety};
/// let policy = RetryPolicy::default();
/// let read = decide(Outcome::Transient(None), Safety::Safe, 1, policy, None, 1.0);
/// assert_eq!(read, Decision::Replay(policy.base));
/// let write = decide(Outcome::Transient(None), Safety::Unsafe, 1, policy, None, 1.0);
/// assert_eq!(write, Decision::Return);
/// ```
pub fn decide(
    outcome: Outcome,
    safety: Safety,
    attempt: u32,
    policy: RetryPolicy,
    remaining: Option<Duration>,
    random: f64,
) -> Decision {
    if attempt >= policy.attempts || !outcome.allows_replay(safety) {
        return Decision::Return;
    }
    let doubled = policy.base.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
    let jittered = doubled.min(policy.cap).mul_f64(random.clamp(0.0, 1.0));
    let wait = match outcome {
        Outcome::RateLimited(Some(hint)) | Outcome::Transient(Some(hint)) if hint > policy.longest_wait => {
            return Decision::Return;
        }
        // A little above the hint, so that callers told the same time do not all come back in the same instant; and
        // never below the backoff, so that a hint of 0 does not switch it off.
        Outcome::RateLimited(Some(hint)) | Outcome::Transient(Some(hint)) => {
            let spread = (hint / 10).min(Duration::from_secs(1)).mul_f64(random.clamp(0.0, 1.0));
            hint.saturating_add(spread).max(jittered)
        }
        _ => jittered,
    };
    let wait = if matches!(outcome, Outcome::RateLimited(_)) { wait.max(SHORTEST_LIMIT) } else { wait };
    match remaining {
        Some(remaining) if wait >= remaining => Decision::Return,
        _ => Decision::Replay(wait),
    }
}

/// Puts [`Retry`] round a service. State is shared by all clones.
///
/// Made from a policy and a seed; one seed replays one sequence of delays.
#[derive(Clone, Debug)]
pub struct RetryLayer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    policy: RetryPolicy,
    seed: u64,
    operations: AtomicU64,
}

impl RetryLayer {
    /// The client's policy and the seed of all its jitter.
    pub fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self(Arc::new(Shared { policy, seed, operations: AtomicU64::new(0) }))
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry { inner, shared: Arc::clone(&self.0) }
    }
}

/// The retrying service; see the [module](self) for what is replayed.
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
        let spare = self.inner.clone();
        // The ready instance makes the call; the clone, which was never polled ready, stays behind.
        let mut service = std::mem::replace(&mut self.inner, spare);
        let policy = request.context().retry().unwrap_or(self.shared.policy);
        let replay = if policy.attempts > 1 { request.replay() } else { None };
        let safety = request.operation().safety;
        request.context().progress().begin_attempt();
        let running = service.call(request);
        RetryFuture {
            attempts: Attempts { policy, safety, made: 1, random: None },
            shared: Arc::clone(&self.shared),
            service,
            replay,
            state: State::Running { running },
        }
    }
}

pin_project! {
    /// The future of [`Retry`].
    pub struct RetryFuture<S: Service<Request>> {
        attempts: Attempts,
        shared: Arc<Shared>,
        service: S,
        replay: Option<Request>,
        #[pin]
        state: State<S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] running: F },
        Waiting { #[pin] sleep: Sleep },
        Again,
    }
}

struct Attempts {
    policy: RetryPolicy,
    safety: Safety,
    made: u32,
    random: Option<fastrand::Rng>,
}

impl Attempts {
    fn after(
        &mut self,
        result: &Result<Response, Error>,
        shared: &Shared,
        replay: Option<&Request>,
    ) -> Decision {
        let outcome = Outcome::of(result);
        let Some(request) = replay.filter(|_| outcome != Outcome::Final) else { return Decision::Return };
        let remaining =
            request.context().deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let random = self.random.get_or_insert_with(|| {
            let number = shared.operations.fetch_add(1, Ordering::Relaxed);
            // Weyl sequence: neighbouring operations get unrelated seeds.
            fastrand::Rng::with_seed(shared.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        });
        let decision = decide(outcome, self.safety, self.made, self.policy, remaining, random.f64());
        if let Decision::Replay(wait) = decision {
            if matches!(outcome, Outcome::Unknown | Outcome::Transient(_)) {
                request.context().progress().set_unsettled();
            }
            tracing::debug!(
                attempt = self.made,
                wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                cause = ?outcome,
                "sending again after a wait"
            );
        }
        decision
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
                    match this.attempts.after(&result, this.shared, this.replay.as_ref()) {
                        Decision::Return => return Poll::Ready(result),
                        Decision::Replay(wait) => this.state.set(State::Waiting { sleep: sleep(wait) }),
                    }
                }
                StateProjection::Waiting { sleep } => {
                    ready!(sleep.poll(cx));
                    this.state.set(State::Again);
                }
                StateProjection::Again => {
                    ready!(this.service.poll_ready(cx))?; // nothing in this family waits in poll_ready
                    let Some(request) = this.replay.take() else {
                        return Poll::Ready(Err(Error::new(
                            crate::error::ErrorKind::Unsupported,
                            "the request's body can be sent only once",
                        )));
                    };
                    *this.replay = request.replay();
                    this.attempts.made += 1;
                    request.context().progress().begin_attempt();
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

    fn replays(outcome: Outcome, safety: Safety) -> bool {
        decide(outcome, safety, 1, POLICY, None, 0.5) != Decision::Return
    }

    #[test]
    fn an_unsafe_operation_is_replayed_only_when_nothing_was_applied() {
        for safety in LEVELS {
            let harmless = matches!(safety, Safety::Safe | Safety::Idempotent);
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
            decide(Outcome::Unknown, Safety::Safe, attempt, POLICY.with_attempts(u32::MAX), None, random)
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
            decide(hint, Safety::Unsafe, 1, POLICY, None, random)
        };
        assert_eq!(wait(3, 0.0), Decision::Replay(Duration::from_secs(3)));
        assert_eq!(wait(60, 1.0), Decision::Replay(Duration::from_secs(61)));
        assert_eq!(wait(61, 0.0), Decision::Return);
        assert_eq!(wait(u64::MAX, 0.0), Decision::Return);
    }

    #[test]
    fn a_limit_waits_at_least_a_second_and_a_hint_of_0_keeps_the_backoff() {
        let second = Decision::Replay(Duration::from_secs(1));
        for hint in [None, Some(Duration::ZERO)] {
            assert_eq!(decide(Outcome::RateLimited(hint), Safety::Safe, 1, POLICY, None, 0.0), second);
        }
        let failing = decide(Outcome::Transient(Some(Duration::ZERO)), Safety::Safe, 1, POLICY, None, 1.0);
        assert_eq!(failing, Decision::Replay(POLICY.base));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_not_begun() {
        let hint = Outcome::RateLimited(Some(Duration::from_secs(5)));
        let left = |seconds| decide(hint, Safety::Safe, 1, POLICY, Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(left(5), Decision::Return);
        assert_eq!(left(6), Decision::Replay(Duration::from_secs(5)));
    }

    #[test]
    fn attempts_are_counted() {
        assert_eq!(decide(Outcome::NotSent, Safety::Safe, 4, POLICY, None, 0.0), Decision::Return);
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
