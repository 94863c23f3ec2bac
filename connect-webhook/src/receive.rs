//! The receiving side as one service: request in, response out.
//!
//! A [`Receiver`] does everything between the socket and your [`Sink`], in an order that makes junk cheap:
//!
//! 1. unknown endpoint: 404; not `POST`: 405; announced length over the cap: 413
//! 2. a missing header or a hopeless timestamp: 401, before the body is read
//! 3. read the body: over the cap 413, too slow 408
//! 4. verify the raw bytes: 401, with the same answer whatever the reason
//! 5. find the JSON (a form's `payload`), its id and event type: 400, or 415 for another content type
//! 6. a handshake is answered here
//! 7. the sink decides: the scheme's 2xx once it returned, 503 with `Retry-After` if it could not
//!
//! It works with any server that speaks `http` types; feature `axum` mounts it. It starts no task and has no
//! queue: a delivery is the sink's the moment it is accepted. Where the body is already at hand (serverless),
//! use [`Receiver::receive_bytes`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, Response, request};
use http_body::Body;

use crate::answer::{Refusal, Success};
use crate::body::{ReadError, read};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::counters::{Counters, Tally};
use crate::delivery::Delivery;
use crate::endpoint::Endpoint;
use crate::error::{BuildError, PayloadError};
use crate::form;
use crate::plan::{Facts, fallback_id};
use crate::scheme::FormRule;
use crate::sink::{Acceptance, Sink};
use crate::timer::Timer;
use crate::verified::Verified;

/// How long a body may take by default. Providers send from memory; the slowest give up after 10 to 30 s.
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(10);

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
        ReceiverBuilder {
            endpoints: Vec::new(),
            sink: None,
            clock: Box::new(SystemClock),
            timer: None,
            read_timeout: DEFAULT_READ_TIMEOUT,
        }
    }

    /// Handles one request for `source` of `tenant`, which the host takes from its URL.
    pub async fn receive<B: Body>(&self, tenant: &str, source: &str, request: Request<B>) -> Response<Bytes> {
        let Some(endpoint) = self.endpoint(tenant, source) else {
            return self.unknown(tenant, source);
        };
        let now = self.shared.clock.now();
        let (parts, body) = request.into_parts();
        let result = async {
            admit(endpoint, &parts, now)?;
            let deadline = self.timer.as_ref().map(|timer| timer.sleep(self.shared.read_timeout));
            let body = read(body, endpoint.body_limit, deadline).await.map_err(Refusal::Read)?;
            self.process(endpoint, &parts.headers, body, now).await
        };
        let result = result.await;
        self.conclude(endpoint, result)
    }

    /// As [`Receiver::receive`], for hosts that already hold the whole body.
    ///
    /// ```
    /// # async fn lambda(receiver: connect_webhook::Receiver, request: http::Request<bytes::Bytes>) {
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
        let now = self.shared.clock.now();
        let result = async {
            admit(endpoint, parts, now)?;
            if body.len() > endpoint.body_limit {
                return Err(Refusal::Read(ReadError::TooLarge));
            }
            self.process(endpoint, &parts.headers, body, now).await
        };
        let result = result.await;
        self.conclude(endpoint, result)
    }

    /// How many requests ended how, since this receiver was built.
    pub fn counters(&self) -> Counters {
        self.shared.tally.snapshot()
    }

    /// Gives the receiver a timer unless it has one.
    #[cfg(feature = "axum")]
    pub(crate) fn with_default_timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer.get_or_insert_with(|| Arc::new(timer));
        self
    }

    fn endpoint(&self, tenant: &str, source: &str) -> Option<&Endpoint> {
        self.shared.endpoints.get(tenant)?.get(source)
    }

    /// Steps 4 to 7 of the module's list.
    async fn process(
        &self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        body: Bytes,
        now: UnixTime,
    ) -> Result<Success, Refusal> {
        let verifier = &endpoint.verifier;
        let verification = verifier.verify(headers, &body, now).map_err(Refusal::Unverified)?;
        let scheme = verifier.scheme();
        let payload = payload(scheme.form, headers, &body).map_err(Refusal::Payload)?;
        let facts = verifier.plan().facts(scheme, headers, &payload).map_err(Refusal::Payload)?;
        let Facts { id, event, ordering_key, challenge } = facts;
        if let Some(challenge) = challenge {
            return Ok(Success::Handshake(challenge));
        }
        let id = match id {
            Some(id) => id,
            None => {
                let signature = verifier.plan().presented(scheme, headers).map_err(Refusal::Unverified)?;
                fallback_id(&body, &signature)
            }
        };
        let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        let delivery = Delivery {
            tenant: Arc::clone(&endpoint.tenant),
            source: Arc::clone(&endpoint.source),
            scheme: Arc::clone(&endpoint.scheme),
            id,
            event,
            ordering_key,
            content_type: text(CONTENT_TYPE),
            headers: verifier.plan().kept(headers),
            body,
            payload,
            received_at: now,
            key_index: verification.key_index,
        };
        tracing::debug!(?delivery, "webhook verified");
        match self.shared.sink.accept(Verified::new(delivery)).await {
            Ok(Acceptance::Accepted) => Ok(Success::Accepted),
            Ok(Acceptance::Duplicate) => Ok(Success::Duplicate),
            Ok(Acceptance::Busy { retry_after }) => Err(Refusal::Busy(retry_after)),
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
                success.into_response(endpoint.verifier.scheme())
            }
            Err(refusal) => {
                self.shared.tally.add(refusal.code());
                refusal.log(tenant, source);
                refusal.into_response(endpoint.refusal_status)
            }
        }
    }

    fn unknown(&self, tenant: &str, source: &str) -> Response<Bytes> {
        let refusal = Refusal::UnknownEndpoint;
        self.shared.tally.add(refusal.code());
        refusal.log(tenant, source);
        refusal.into_response(http::StatusCode::UNAUTHORIZED)
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

/// Steps 1 and 2 of the module's list: what needs no body.
fn admit(endpoint: &Endpoint, parts: &request::Parts, now: UnixTime) -> Result<(), Refusal> {
    if parts.method != Method::POST {
        return Err(Refusal::Method);
    }
    let announced =
        parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > endpoint.body_limit))
    {
        return Err(Refusal::Read(ReadError::TooLarge));
    }
    endpoint.verifier.precheck(&parts.headers, now).map_err(Refusal::Unverified)
}

/// The JSON a body stands for. A body without a content type is taken for JSON.
fn payload(form: FormRule, headers: &HeaderMap, body: &Bytes) -> Result<Bytes, PayloadError> {
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return Ok(body.clone()) };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/json" => Ok(body.clone()),
        other if other.ends_with("+json") => Ok(body.clone()),
        "application/x-www-form-urlencoded" => form::payload(form, body),
        _ => Err(PayloadError::UnsupportedContentType),
    }
}

/// Collects what a [`Receiver`] needs; from [`Receiver::builder`].
#[must_use]
pub struct ReceiverBuilder {
    endpoints: Vec<Endpoint>,
    sink: Option<Box<dyn Sink>>,
    clock: Box<dyn Clock>,
    timer: Option<Arc<dyn Timer>>,
    read_timeout: Duration,
}

impl ReceiverBuilder {
    /// Adds an endpoint. Tenant and source together must be unique.
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Sets where verified deliveries go; an `Arc` of a sink is a sink, too.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Sets the clock, [`SystemClock`] by default.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Sets the timer of the read time-out. Without one a body may take forever.
    pub fn timer(mut self, timer: impl Timer + 'static) -> Self {
        self.timer = Some(Arc::new(timer));
        self
    }

    /// Sets how long reading a body may take, 10 s by default. Needs a [`timer`](Self::timer).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Checks that everything is there.
    pub fn build(self) -> Result<Receiver, BuildError> {
        let sink = self.sink.ok_or(BuildError::NoSink)?;
        if self.endpoints.is_empty() {
            return Err(BuildError::NoEndpoint);
        }
        let mut endpoints: HashMap<Arc<str>, HashMap<Arc<str>, Endpoint>> = HashMap::new();
        for endpoint in self.endpoints {
            if !endpoint.refusal_status.is_client_error() {
                return Err(BuildError::RefusalStatus { status: endpoint.refusal_status.as_u16() });
            }
            let (tenant, source) = (Arc::clone(&endpoint.tenant), Arc::clone(&endpoint.source));
            let sources = endpoints.entry(tenant).or_default();
            if let Some(earlier) = sources.insert(source, endpoint) {
                return Err(BuildError::DuplicateEndpoint {
                    tenant: earlier.tenant.to_string(),
                    source_name: earlier.source.to_string(),
                });
            }
        }
        let (clock, read_timeout) = (self.clock, self.read_timeout);
        let shared = Arc::new(Shared { endpoints, sink, clock, read_timeout, tally: Tally::default() });
        Ok(Receiver { shared, timer: self.timer })
    }
}

impl fmt::Debug for ReceiverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("endpoints", &self.endpoints)
            .field("read_timeout", &self.read_timeout)
            .finish_non_exhaustive()
    }
}
