//! The receiving side as one service: request in, response out.
//!
//! A [`Receiver`] does everything between the socket and your [`Sink`], in an order that makes junk cheap:
//!
//! 1. unknown endpoint: 404; over its rate limit: 429
//! 2. a method that neither deliveries nor handshakes use: 405; announced length over the cap: 413
//! 3. handshakes that the head alone makes are answered here
//! 4. a missing header or a hopeless timestamp: 401, before the body is read
//! 5. read the body: over the cap 413, too slow 408
//! 6. verify the raw bytes: 401, with the same answer whatever the reason
//! 7. find the JSON (a form's `payload`), its id and event type: 400, or 415 for another content type
//! 8. a signed handshake is answered here
//! 9. the sink decides: the scheme's 2xx or an answer of its own once it returned, 503 or 429 with
//!    `Retry-After` if it could not
//!
//! [`Outcome`](crate::Outcome) lists the statuses, which can be set per endpoint. It works with any server that
//! speaks `http` types; features `axum` and `hyper` mount it, [`lambda`](crate::lambda) takes events of
//! serverless platforms. It starts no task and has no queue: a delivery is the sink's the moment it is
//! accepted. Where the body is already at hand, use [`Receiver::receive_bytes`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, Response, request};
use http_body::Body;

use crate::answer::{Refusal, Success};
use crate::body::{ReadError, read};
use crate::clock::{Clock, UnixTime};
use crate::counters::{Counters, Tally};
use crate::delivery::Delivery;
use crate::diagnose;
use crate::endpoint::Endpoint;
use crate::error::VerifyError;
use crate::facts::Facts;
use crate::handshake::{after, before};
use crate::incoming::Incoming;
use crate::sink::{Acceptance, Sink, SinkError};
use crate::timer::Timer;
use crate::verified::Verified;
use crate::verify::Verification;

mod builder;
mod payload;

pub use builder::ReceiverBuilder;
pub(crate) use payload::payload;

/// Receives deliveries for any number of endpoints. Cheap to clone; clones share everything, counters
/// included.
///
/// See the [crate's page](crate) for a complete example.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
    timer: Option<Arc<dyn Timer>>,
}

struct Shared {
    /// By tenant, then by source: looked up without building a key.
    endpoints: HashMap<Arc<str>, HashMap<Arc<str>, Endpoint>>,
    sink: Box<dyn Sink>,
    clock: Box<dyn Clock>,
    read_timeout: Duration,
    tally: Tally,
}

impl Receiver {
    /// Starts a receiver: give it at least one endpoint and a sink.
    pub fn builder() -> ReceiverBuilder {
        ReceiverBuilder::new()
    }

    /// Handles one request for `source` of `tenant`, which the host takes from its URL.
    pub async fn receive<B: Body>(&self, tenant: &str, source: &str, request: Request<B>) -> Response<Bytes> {
        let Some(endpoint) = self.endpoint(tenant, source) else {
            return self.unknown(tenant, source);
        };
        let (parts, body) = request.into_parts();
        let result = self
            .handle(endpoint, &parts, async |limit| {
                let deadline = || Some(self.timer.as_ref()?.sleep(self.shared.read_timeout));
                read(body, limit, deadline).await
            })
            .await;
        self.conclude(endpoint, result)
    }

    /// As [`Receiver::receive`], with tenant and source from the request's own path: `/webhooks/{source}` for
    /// tenant `default`, or `/webhooks/{tenant}/{source}`, percent-decoded. Any other path is answered 404.
    ///
    /// ```
    /// # async fn any_server(receiver: connect_webhook::Receiver) {
    /// // With the body that your server hands out:
    /// let request = http::Request::post("/webhooks/acme/github").body("{}".to_owned()).unwrap();
    /// let response = receiver.receive_at_path(request).await;
    /// # }
    /// ```
    pub async fn receive_at_path<B: Body>(&self, request: Request<B>) -> Response<Bytes> {
        // The names outlive the request that `receive` takes apart.
        let path = request.uri().clone();
        match crate::path::endpoint(path.path()) {
            Some((tenant, source)) => self.receive(&tenant, &source, request).await,
            None => self.unknown("", path.path()),
        }
    }

    /// As [`Receiver::receive`], for hosts that already hold the whole body.
    ///
    /// ```
    /// # async fn at_hand(receiver: connect_webhook::Receiver, request: http::Request<bytes::Bytes>) {
    /// let (parts, body) = request.into_parts();
    /// let response = receiver.receive_bytes("default", "github", &parts, body).await;
    /// # }
    /// ```
    pub async fn receive_bytes(
        &self,
        tenant: &str,
        source: &str,
        parts: &request::Parts,
        body: Bytes,
    ) -> Response<Bytes> {
        let Some(endpoint) = self.endpoint(tenant, source) else {
            return self.unknown(tenant, source);
        };
        let result =
            self.handle(endpoint, parts, async |limit| {
                if body.len() > limit { Err(ReadError::TooLarge) } else { Ok(body) }
            })
            .await;
        self.conclude(endpoint, result)
    }

    /// How many requests ended how, since this receiver was built.
    pub fn counters(&self) -> Counters {
        self.shared.tally.snapshot()
    }

    /// Gives the receiver a timer unless it has one.
    #[cfg(any(feature = "axum", feature = "hyper"))]
    pub(crate) fn with_default_timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer.get_or_insert_with(|| Arc::new(timer));
        self
    }

    /// Tenant and source of every endpoint.
    #[cfg(feature = "axum")]
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&str, &str)> {
        let endpoints = self.shared.endpoints.values().flat_map(HashMap::values);
        endpoints.map(|endpoint| (&*endpoint.tenant, &*endpoint.source))
    }

    fn endpoint(&self, tenant: &str, source: &str) -> Option<&Endpoint> {
        self.shared.endpoints.get(tenant)?.get(source)
    }

    /// Steps 1 to 5 of the module's list. `read` reads the body, up to as many bytes.
    async fn handle(
        &self,
        endpoint: &Endpoint,
        parts: &request::Parts,
        read: impl AsyncFnOnce(usize) -> Result<Bytes, ReadError>,
    ) -> Result<Success, Refusal> {
        let now = self.shared.clock.now();
        admit(endpoint, parts, now)?;
        if let Some(response) = before::by_head(endpoint, parts, now).await? {
            return Ok(Success::Handshake(response));
        }
        if !endpoint.delivers_by(&parts.method) {
            return Err(Refusal::Method);
        }
        let early = endpoint.verifier.precheck(&parts.headers, now).err();
        let may_introduce_itself = before::may_be_in_body(endpoint, parts, now);
        let limit = match early {
            Some(error) if !may_introduce_itself => return Err(Refusal::Unverified(error)),
            Some(_) => endpoint.body_limit.min(before::MAX_BODY_BYTES),
            None => endpoint.body_limit,
        };
        let body = read(limit).await.map_err(Refusal::Read)?;
        if may_introduce_itself {
            if let Some(response) = before::by_body(endpoint, &body, now).await? {
                return Ok(Success::Handshake(response));
            }
            if let Some(error) = early {
                return Err(Refusal::Unverified(error));
            }
        }
        self.process(endpoint, parts, body, now).await
    }

    /// Steps 6 to 9 of the module's list.
    async fn process(
        &self,
        endpoint: &Endpoint,
        parts: &request::Parts,
        body: Bytes,
        now: UnixTime,
    ) -> Result<Success, Refusal> {
        let (verifier, headers) = (&endpoint.verifier, &parts.headers);
        let scheme = verifier.scheme();
        let url =
            if scheme.needs_url() { Cow::Owned(verifier.url_of(&parts.uri)) } else { Cow::Borrowed("") };
        let incoming = Incoming::post(headers, &body).with_method(&parts.method).with_url(&url);
        let verification = verify(endpoint, &incoming, now).await?;
        let payload = payload(scheme, &parts.method, parts.uri.query().unwrap_or_default(), headers, &body)
            .map_err(Refusal::Payload)?;
        let finder = &verifier.inner().finder;
        let facts = finder.read(headers, &body, &payload).map_err(Refusal::Payload)?;
        let Facts { id, event, ordering_key, handshake } = facts;
        if let Some(response) =
            after::answer(endpoint, headers, &payload, &handshake, verification.key_index).await?
        {
            return Ok(Success::Handshake(response));
        }
        drop(handshake);
        let event = after::event_name(scheme.challenge, headers).map(str::to_owned).or(event);
        let replay_key = id
            .as_ref()
            .and_then(|_| verifier.replay_key(&incoming, event.as_deref(), verification.signed_at));
        let id = id.unwrap_or_else(|| verifier.fallback_id(&incoming, now));
        let delivery = Delivery {
            tenant: Arc::clone(&endpoint.tenant),
            source: Arc::clone(&endpoint.source),
            scheme: Arc::clone(&endpoint.scheme),
            id,
            replay_key,
            event,
            ordering_key,
            content_type: text(headers, CONTENT_TYPE),
            headers: finder.kept(headers),
            body,
            payload,
            received_at: now,
            key_index: verification.key_index,
        };
        tracing::debug!(?delivery, "webhook verified");
        match self.shared.sink.accept(Verified::new(delivery)).await {
            Ok(Acceptance::Accepted) => Ok(Success::Accepted),
            Ok(Acceptance::Duplicate) => Ok(Success::Duplicate),
            Ok(Acceptance::Answer { status, content_type, body }) if status.is_success() => {
                Ok(Success::Answered { status, content_type, body })
            }
            Ok(Acceptance::Answer { .. }) => Err(Refusal::Sink(SinkError::new(
                "it answered with a status that is not 2xx; return `Busy` or an error to refuse a delivery",
            ))),
            Ok(Acceptance::Busy { retry_after }) => Err(Refusal::Busy(retry_after)),
            Ok(Acceptance::OverQuota { retry_after }) => Err(Refusal::OverQuota(retry_after)),
            Err(error) => Err(Refusal::Sink(error)),
        }
    }

    fn conclude(&self, endpoint: &Endpoint, result: Result<Success, Refusal>) -> Response<Bytes> {
        let Endpoint { tenant, source, .. } = endpoint;
        match result {
            Ok(success) => {
                let code = success.code();
                self.shared.tally.add(code);
                tracing::debug!(%tenant, %source, code, "webhook answered");
                success.into_response(endpoint)
            }
            Err(refusal) => {
                self.shared.tally.add(refusal.code());
                refusal.log(tenant, source, || endpoint.warnings.allows(self.shared.clock.now()));
                refusal.into_response(Some(endpoint))
            }
        }
    }

    /// The answer to a URL that names no endpoint.
    pub(crate) fn unknown(&self, tenant: &str, source: &str) -> Response<Bytes> {
        self.refuse(Refusal::UnknownEndpoint, tenant, source)
    }

    /// The answer to what does not even reach an endpoint.
    pub(crate) fn refuse(&self, refusal: Refusal, tenant: &str, source: &str) -> Response<Bytes> {
        self.shared.tally.add(refusal.code());
        refusal.log(tenant, source, || true);
        refusal.into_response(None)
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<_> = self.shared.endpoints.values().flat_map(HashMap::values).collect();
        f.debug_struct("Receiver")
            .field("endpoints", &endpoints)
            .field("read_timeout", &self.timer.as_ref().map(|_| self.shared.read_timeout))
            .finish_non_exhaustive()
    }
}

/// What costs nothing to find out: too many requests, a method nobody uses, a body that is announced too large.
fn admit(endpoint: &Endpoint, parts: &request::Parts, now: UnixTime) -> Result<(), Refusal> {
    if let Some(bucket) = &endpoint.bucket
        && !bucket.take(now)
    {
        if endpoint.warnings.allows(now) {
            tracing::warn!(tenant = %endpoint.tenant, source = %endpoint.source, "over the rate limit");
        }
        return Err(Refusal::RateLimited);
    }
    let announced =
        parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let is_too_large = |bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > endpoint.body_limit);
    if endpoint.delivers_by(&parts.method) && announced.is_some_and(is_too_large) {
        return Err(Refusal::Read(ReadError::TooLarge));
    }
    Ok(())
}

/// Verifies; says in the log what would have matched, if it is something usual and has not been said a moment
/// ago.
async fn verify(
    endpoint: &Endpoint,
    incoming: &Incoming<'_>,
    now: UnixTime,
) -> Result<Verification, Refusal> {
    let verifier = &endpoint.verifier;
    #[cfg(feature = "asymmetric")]
    verifier.ready(incoming, now).await.map_err(Refusal::Keys)?;
    let result = verifier.verify_request(incoming, now);
    if let Err(error) = &result {
        let is_mismatch = matches!(
            error,
            VerifyError::SignatureMismatch | VerifyError::BodyHashMismatch | VerifyError::QshMismatch
        );
        if is_mismatch
            && incoming.body.len() <= diagnose::MAX_BODY_BYTES
            && endpoint.hints.allows(now)
            && let Some(diagnosis) = verifier.diagnose(incoming, now)
        {
            tracing::warn!(tenant = %endpoint.tenant, source = %endpoint.source, "{diagnosis}");
        }
    }
    result.map_err(Refusal::Unverified)
}

fn text(headers: &HeaderMap, name: http::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
