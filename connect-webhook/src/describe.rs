//! What a request says about itself, for hosts that verify without a [`Receiver`](crate::Receiver).

use bytes::Bytes;

use crate::clock::UnixTime;
use crate::facts::Facts;
use crate::handshake::after::event_name;
use crate::incoming::Incoming;
use crate::receive::payload;
use crate::verify::Verifier;

/// A request's dedupe id, event type and ordering key, from [`Verifier::describe`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// As [`Delivery::id`](crate::Delivery::id): store nothing twice under one id.
    pub id: String,
    /// As [`Delivery::event`](crate::Delivery::event).
    pub event: Option<String>,
    /// As [`Delivery::ordering_key`](crate::Delivery::ordering_key).
    pub ordering_key: Option<String>,
}

impl Verifier {
    /// Id, event type and ordering key of a request that has verified and came at `now`. Never fails: of a payload that cannot
    /// be read, only the headers tell.
    ///
    /// ```
    /// use connect_webhook::{Incoming, UnixTime, Verifier, schemes, sign};
    /// let verifier = Verifier::new(&schemes::GITHUB, ["s3cret".into()])?;
    /// let mut headers = sign(&schemes::GITHUB, &"s3cret".into(), b"{}", UnixTime(0))?;
    /// headers.insert("x-github-delivery", "72d3162e".parse().unwrap());
    /// headers.insert("x-github-event", "push".parse().unwrap());
    ///
    /// let incoming = Incoming::post(&headers, b"{}");
    /// verifier.verify_request(&incoming, UnixTime(0)).unwrap();
    /// let description = verifier.describe(&incoming, UnixTime(0));
    /// assert_eq!((&*description.id, description.event.as_deref()), ("72d3162e", Some("push")));
    /// # Ok::<(), connect_webhook::BuildError>(())
    /// ```
    pub fn describe(&self, incoming: &Incoming<'_>, now: UnixTime) -> Description {
        let finder = &self.inner().finder;
        let body = Bytes::copy_from_slice(incoming.body);
        let payload = payload(self.scheme(), incoming.method, incoming.query(), incoming.headers, &body)
            .unwrap_or_default();
        let read = |payload| finder.read(incoming.headers, incoming.body, payload);
        let Facts { id, event, ordering_key, .. } =
            read(&payload).or_else(|_| read(b"null")).unwrap_or_default();
        let event = event_name(self.scheme().challenge, incoming.headers).map(str::to_owned).or(event);
        let id = id.unwrap_or_else(|| self.fallback_id(incoming, now));
        Description { id, event, ordering_key }
    }
}
