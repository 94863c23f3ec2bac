//! An event as it is stored and handled: who sent it to whom, how to recognise it again, and its raw bytes.
//!
//! The bytes are kept as received, so that a signature could be checked again and nothing is lost in translation.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use connect_webhook::{Delivery, Trust, UnixTime, Verified};

/// The layout of [`Envelope`]; stored with each one, so that a later version can read an older one.
///
/// | version | what it brought |
/// |---|---|
/// | 1 | everything but what follows |
/// | 2 | [`Envelope::replay_key`], [`Envelope::scheme`] |
pub const SCHEMA_VERSION: u16 = 2;

/// One event. `Debug` shows sizes, not contents.
///
/// [`Worker`](crate::Worker) and [`MemoryStore`](crate::MemoryStore) show it at work.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The layout: [`SCHEMA_VERSION`].
    pub schema_version: u16,
    /// Whose event it is.
    pub tenant: Arc<str>,
    /// Who sent it: `github`, `slack`, `jira`.
    pub source: Arc<str>,
    /// How the body is to be read, where the source has a name of its own (`line` for `line-eu`); else the source again.
    pub scheme: Arc<str>,
    /// What happened, in the sender's words; empty if it does not say.
    pub event_type: String,
    /// What makes it the same event again; unique per tenant and source.
    pub dedupe_key: String,
    /// What makes it the same request again under another dedupe key, for senders that do not sign theirs: unique per
    /// tenant and source, too. `None` where the dedupe key is enough.
    pub replay_key: Option<String>,
    /// Where whoever handed it in wants it to go: `jira`; empty if it does not say, as webhooks never do.
    pub target: String,
    /// What the event is about (an issue's id, say). Kept for hosts; the worker does not order by it: handlers look at
    /// the state of things, not at the order of events.
    pub ordering_key: Option<String>,
    /// The media type of `body`, as received.
    pub content_type: Option<String>,
    /// The raw bytes, as received and signed.
    pub body: Bytes,
    /// The JSON inside: `body` itself, or the field `payload` of a form.
    pub payload: Bytes,
    /// The W3C trace context it came with.
    pub trace_parent: Option<String>,
    /// When it arrived, in seconds since 1970.
    pub received_at_seconds: i64,
}

impl Envelope {
    /// An event with a JSON body, received at the epoch; for tests and for events that come by other ways than a
    /// webhook.
    pub fn new(
        tenant: impl Into<Arc<str>>,
        source: impl Into<Arc<str>>,
        event_type: impl Into<String>,
        dedupe_key: impl Into<String>,
        body: impl Into<Bytes>,
    ) -> Self {
        let body = body.into();
        let source = source.into();
        Self {
            schema_version: SCHEMA_VERSION,
            tenant: tenant.into(),
            scheme: Arc::clone(&source),
            source,
            event_type: event_type.into(),
            dedupe_key: dedupe_key.into(),
            replay_key: None,
            target: String::new(),
            ordering_key: None,
            content_type: Some("application/json".to_owned()),
            payload: body.clone(),
            body,
            trace_parent: None,
            received_at_seconds: 0,
        }
    }
}

impl Envelope {
    /// The way back: the delivery that this was, for handlers of a `connect-webhook` router. Of its headers only the trace
    /// context was kept: those that the scheme keeps ([`Delivery::headers`]) are gone, so a handler that reads them has to
    /// run in the sink.
    pub fn delivery(&self) -> Verified<Delivery> {
        let mut delivery = Delivery::new(
            Arc::clone(&self.tenant),
            Arc::clone(&self.source),
            self.dedupe_key.clone(),
            self.body.clone(),
        );
        delivery.scheme = Arc::clone(&self.scheme);
        delivery.replay_key.clone_from(&self.replay_key);
        delivery.event = Some(self.event_type.clone()).filter(|event| !event.is_empty());
        delivery.ordering_key.clone_from(&self.ordering_key);
        delivery.content_type.clone_from(&self.content_type);
        delivery.payload = self.payload.clone();
        delivery.received_at = UnixTime(self.received_at_seconds);
        // What was a header once still fits into one.
        if let Some(value) = self.trace_parent.as_ref().and_then(|text| text.parse().ok()) {
            delivery.headers.insert("traceparent", value);
        }
        Verified::trust(delivery, Trust::Stored)
    }
}

impl From<Verified<Delivery>> for Envelope {
    fn from(verified: Verified<Delivery>) -> Self {
        let delivery = verified.into_inner();
        let trace_parent =
            delivery.headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            schema_version: SCHEMA_VERSION,
            tenant: delivery.tenant,
            source: delivery.source,
            scheme: delivery.scheme,
            event_type: delivery.event.unwrap_or_default(),
            dedupe_key: delivery.id,
            replay_key: delivery.replay_key,
            target: String::new(),
            ordering_key: delivery.ordering_key,
            content_type: delivery.content_type,
            body: delivery.body,
            payload: delivery.payload,
            trace_parent,
            received_at_seconds: delivery.received_at.0,
        }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("tenant", &self.tenant)
            .field("source", &self.source)
            .field("event_type", &self.event_type)
            .field("dedupe_key", &self.dedupe_key)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
