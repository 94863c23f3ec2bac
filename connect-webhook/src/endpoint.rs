//! One address at which one provider delivers for one tenant.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};

use crate::error::BuildError;
use crate::handshake;
use crate::limit::{Bucket, Throttle};
use crate::outcome::{Outcome, Statuses};
use crate::registration::{ConfirmSubscription, Registration, SecretSink};
use crate::verify::Verifier;

/// A tenant, a source name and the verifier for what arrives there; an entry of a
/// [`Receiver`](crate::Receiver).
///
/// ```
/// use connect_webhook::{Endpoint, Verifier, schemes};
/// # fn main() -> Result<(), connect_webhook::BuildError> {
/// let verifier = Verifier::new(&schemes::STRIPE, ["whsec_s3cret".into()])?;
/// let endpoint =
///     Endpoint::new("default", "stripe", verifier).with_body_limit(1024 * 1024).with_rate_limit(100, 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Endpoint {
    pub(crate) tenant: Arc<str>,
    pub(crate) source: Arc<str>,
    pub(crate) scheme: Arc<str>,
    pub(crate) verifier: Verifier,
    pub(crate) body_limit: usize,
    pub(crate) statuses: Statuses,
    /// The methods for `Allow`: those of deliveries, then those of the handshake.
    pub(crate) allow: HeaderValue,
    pub(crate) bucket: Option<Arc<Bucket>>,
    pub(crate) registration: Option<Registration>,
    pub(crate) secret_sink: Option<Arc<dyn SecretSink>>,
    pub(crate) confirmation: Option<Arc<dyn ConfirmSubscription>>,
    /// For the warning about the rate limit, and for hints about wrong signatures.
    pub(crate) warnings: Arc<Throttle>,
    pub(crate) hints: Arc<Throttle>,
}

impl Endpoint {
    /// An endpoint with the scheme's body cap and the default [statuses](Outcome), without a rate limit.
    ///
    /// `source` is what the URL names, usually the scheme's name. Choose another one to receive from two
    /// installations of one provider; it is part of the dedupe key.
    pub fn new(tenant: impl Into<Arc<str>>, source: impl Into<Arc<str>>, verifier: Verifier) -> Self {
        let scheme = verifier.scheme();
        let methods = scheme.methods.iter().map(|name| &**name);
        let methods: Vec<_> = methods.chain(handshake::methods(scheme.challenge).iter().copied()).collect();
        Self {
            tenant: tenant.into(),
            source: source.into(),
            scheme: Arc::from(&*scheme.name),
            body_limit: scheme.body_limit_bytes,
            statuses: Statuses::new(scheme.acknowledge),
            // A name that cannot stand in a header cannot be a method either.
            allow: HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static("POST")),
            bucket: None,
            registration: None,
            secret_sink: None,
            confirmation: None,
            warnings: Arc::new(Throttle::new()),
            hints: Arc::new(Throttle::new()),
            verifier,
        }
    }

    /// Sets the largest body in bytes; a larger one is answered 413, which most providers do not retry.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets the status for one way a request can end. Refusals must stay 4xx or 5xx and successes 2xx, or the
    /// receiver is not built.
    #[must_use]
    pub fn with_status(mut self, outcome: Outcome, status: StatusCode) -> Self {
        self.statuses.set(outcome, status);
        self
    }

    /// Sets the status for everything that does not verify, 401 by default: short for
    /// [`with_status`](Self::with_status) with [`Outcome::Unverified`].
    #[must_use]
    pub fn with_refusal_status(self, status: StatusCode) -> Self {
        self.with_status(Outcome::Unverified, status)
    }

    /// Sets how many requests are taken, good or bad: `per_second` on average, and `burst` at once after a
    /// quiet time. Beyond that senders get 429 with `Retry-After`, before their body is read. A burst smaller
    /// than `per_second` is raised to it. No limit by default.
    ///
    /// Forged requests count, too, so a flood of junk makes genuine deliveries wait. Not for providers that do
    /// not come again after a 429, as GitHub does not: what is refused would be lost.
    #[must_use]
    pub fn with_rate_limit(mut self, per_second: u32, burst: u32) -> Self {
        self.bucket = Some(Arc::new(Bucket::new(per_second, burst)));
        self
    }

    /// Sets the gate for handshakes that nobody signs: Asana, Notion, Azure Event Grid. Without one they are
    /// refused.
    #[must_use]
    pub fn with_registration(mut self, registration: Registration) -> Self {
        self.registration = Some(registration);
        self
    }

    /// Sets what keeps the secret that a handshake hands over: Asana, Notion. One secret per endpoint: give
    /// every webhook at such a provider an endpoint of its own.
    #[must_use]
    pub fn with_secret_sink(mut self, sink: impl SecretSink + 'static) -> Self {
        self.secret_sink = Some(Arc::new(sink));
        self
    }

    /// Sets what confirms subscriptions: AWS SNS. Without it a subscription is logged, for you to confirm by
    /// hand.
    #[must_use]
    pub fn with_confirmation(mut self, confirmation: impl ConfirmSubscription + 'static) -> Self {
        self.confirmation = Some(Arc::new(confirmation));
        self
    }

    /// Whether deliveries come with this method.
    pub(crate) fn delivers_by(&self, method: &Method) -> bool {
        self.verifier.scheme().methods.iter().any(|name| *name == method.as_str())
    }

    /// What no receiver may be built with.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        self.statuses.check()?;
        let scheme = self.verifier.scheme();
        let missing = |call, reason| BuildError::Missing { scheme: scheme.name.to_string(), call, reason };
        if scheme.needs_url() && !self.verifier.has_public_url() {
            return Err(missing(
                ".public_url(..)",
                "the address the provider calls, which it signs and which no request can be trusted to name",
            ));
        }
        if self.registration.is_some()
            && self.secret_sink.is_none()
            && handshake::hands_over_secret(scheme.challenge)
        {
            return Err(missing(
                ".with_secret_sink(..)",
                "a place that keeps the secret its handshake hands over, or the next start would not know it",
            ));
        }
        match &self.bucket {
            Some(bucket) if bucket.per_second() == 0 => Err(BuildError::RateLimit),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("tenant", &self.tenant)
            .field("source", &self.source)
            .field("verifier", &self.verifier)
            .field("body_limit", &self.body_limit)
            .field("bucket", &self.bucket)
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}
