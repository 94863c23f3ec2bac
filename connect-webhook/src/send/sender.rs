//! One attempt, and the small loop over attempts for hosts without a queue.

use std::fmt;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, StatusCode};
use tokio::time::Instant;

use super::destination::Destination;
use super::message::Message;
use super::schedule::later;
use super::transport::{Answer, Failure, Outgoing, Transport};
use super::verdict::{Policy, Situation, Verdict, failing_since};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::timer::{Timer, TokioTimer};

/// Standard Webhooks advise 15 to 30 s: receivers that work before they answer get a chance, and a hanging
/// one does not hold up the worker for long.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Enough of an answer to tell a customer what went wrong.
const SNIPPET_BYTES: usize = 1024;

/// Sends messages. Clones share the transport.
///
/// The [module](super) has an example.
#[derive(Clone)]
pub struct Sender {
    transport: Arc<dyn Transport>,
    policy: Policy,
    timeout: Duration,
    user_agent: HeaderValue,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
    seed: u64,
}

impl Sender {
    /// A sender with the default [`Policy`], a time-out of 20 s, the system's clock and tokio's timer.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            policy: Policy::default(),
            timeout: TIMEOUT,
            user_agent: HeaderValue::from_static(concat!("connect-webhook/", env!("CARGO_PKG_VERSION"))),
            clock: Arc::new(SystemClock),
            timer: Arc::new(TokioTimer),
            seed: 0,
        }
    }

    /// Sets when to retry, to give up and to disable.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how long one attempt may take, from the DNS lookup to the end of the answer.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Names your service to receivers; `connect-webhook/<version>` if not set.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// Sets the clock of [`Sender::deliver`].
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer of the time-out and of [`Sender::deliver`].
    #[must_use]
    pub fn with_timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// Sets the seed of the jitter, 0 by default. Message, destination and attempt go into it, too, so
    /// messages spread under any seed, and the same attempt gets the same time.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sends once: attempt number `attempt`, counted from 1, signed at `now`. Never fails in another way than
    /// by its verdict.
    ///
    /// A receiver that sent a status and then dawdles over the body beyond the time-out counts as timed out.
    pub async fn attempt(
        &self,
        destination: &Destination,
        message: &Message,
        attempt: u32,
        now: UnixTime,
    ) -> Attempt {
        let known = Situation::new(attempt, now).with_failing_since(destination.failing_since());
        self.attempt_in(known, destination, message).await
    }

    /// Sends until the message is delivered or given up, or the destination is to be disabled, and returns
    /// the last attempt.
    ///
    /// **Volatile**: the default schedule takes three days, and a restart forgets the message. For hosts
    /// without a durable queue and for messages that may be lost; the [module](super#surviving-a-restart)
    /// says how to keep them.
    pub async fn deliver(&self, destination: &Destination, message: &Message) -> Attempt {
        let mut failing_since = destination.failing_since();
        let mut number = 1;
        loop {
            let known = Situation::new(number, self.clock.now()).with_failing_since(failing_since);
            let attempt = self.attempt_in(known, destination, message).await;
            let Verdict::RetryAt { at, .. } = attempt.verdict else { return attempt };
            failing_since = attempt.failing_since;
            number = number.saturating_add(1);
            let seconds = at.0.saturating_sub(self.clock.now().0);
            if let Ok(seconds @ 1..) = u64::try_from(seconds) {
                self.timer.sleep(Duration::from_secs(seconds)).await;
            }
        }
    }

    /// `known.now` is the beginning.
    async fn attempt_in(&self, known: Situation, destination: &Destination, message: &Message) -> Attempt {
        let signed = destination.signing().sign(destination.url(), message, known.now);
        let begun = Instant::now();
        let result = match signed {
            Ok((url, mut headers, body)) => {
                headers.insert(USER_AGENT, self.user_agent.clone());
                self.post(Outgoing::new(url, headers, body)).await
            }
            Err(error) => Err(Failure::Unsigned(error)),
        };
        let elapsed = begun.elapsed();

        let situation = Situation { now: later(known.now, elapsed), ..known };
        let mut rng = fastrand::Rng::with_seed(self.seed_of(known.attempt, destination, message));
        let verdict = self.policy.decide(&situation, &result, &mut rng);
        let attempt = Attempt::new(&situation, verdict, result, elapsed);
        attempt.log(destination, message);
        attempt
    }

    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
        let mut answer = pin!(self.transport.post(outgoing));
        let mut deadline = self.timer.sleep(self.timeout);
        poll_fn(|cx| {
            // The answer first: what is here has arrived in time.
            if let Poll::Ready(result) = answer.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            deadline.as_mut().poll(cx).map(|()| Err(Failure::TimedOut { after: self.timeout }))
        })
        .await
    }

    /// The generator's seed: not kept anywhere, so the hash may change with the version of Rust.
    fn seed_of(&self, attempt: u32, destination: &Destination, message: &Message) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, attempt, destination.url(), message.id()).hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

/// What came of one attempt: what a delivery log shows, and what a queue has to write down.
#[non_exhaustive]
#[derive(Clone)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What happens next.
    pub verdict: Verdict,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// Why there was none.
    pub failure: Option<Failure>,
    /// How long it took.
    pub elapsed: Duration,
    /// The first kilobyte of the answer, as text. Show it to the destination's owner only: it is the
    /// receiver's own, and may echo anything. `Debug` leaves it out.
    pub snippet: String,
    /// Since when the destination fails every time; write it to the destination, and give it back with
    /// [`Destination::with_failing_since`]. As it was before if the message was given up unsent.
    pub failing_since: Option<UnixTime>,
}

impl Attempt {
    fn new(
        situation: &Situation,
        verdict: Verdict,
        result: Result<Answer, Failure>,
        elapsed: Duration,
    ) -> Self {
        let (status, failure, snippet) = match result {
            Ok(answer) => (Some(answer.status), None, snippet(&answer.body)),
            Err(failure) => (None, Some(failure), String::new()),
        };
        let failing_since = failing_since(situation, &verdict);
        Self { number: situation.attempt, verdict, status, failure, elapsed, snippet, failing_since }
    }

    fn log(&self, destination: &Destination, message: &Message) {
        if self.verdict == Verdict::Delivered {
            tracing::debug!(
                id = message.id(),
                origin = %destination.origin(),
                attempt = self.number,
                elapsed_ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
                "webhook delivered"
            );
        } else {
            tracing::info!(
                id = message.id(),
                origin = %destination.origin(),
                attempt = self.number,
                elapsed_ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
                status = self.status.map(|status| status.as_u16()),
                failure = self.failure.as_ref().map(tracing::field::display),
                verdict = ?self.verdict,
                "webhook not delivered"
            );
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("verdict", &self.verdict)
            .field("status", &self.status)
            .field("failure", &self.failure)
            .field("elapsed", &self.elapsed)
            .field("snippet_bytes", &self.snippet.len())
            .field("failing_since", &self.failing_since)
            .finish()
    }
}

/// The beginning as text. What is not UTF-8 becomes marks of three bytes each, so the cut comes after that.
fn snippet(body: &[u8]) -> String {
    let beginning = body.get(..SNIPPET_BYTES).unwrap_or(body);
    let mut text = String::from_utf8_lossy(beginning).into_owned();
    while text.len() > SNIPPET_BYTES {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_bounded_whatever_it_holds() {
        assert_eq!(snippet(b"no such hook"), "no such hook");
        for body in [vec![b'x'; 5000], vec![0xff; 5000], "é".repeat(5000).into_bytes()] {
            assert!((SNIPPET_BYTES - 3..=SNIPPET_BYTES).contains(&snippet(&body).len()));
        }
    }
}
