//! One received event, as the sink gets it.
//!
//! A [`Delivery`] keeps the raw body, which is what was signed and what a store should keep, next to the JSON
//! payload, which is what handlers read; the two share memory unless the body was a form. Decode with
//! [`Delivery::json`]. Its `Debug` shows sizes instead of bodies, so that a delivery can be logged.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::encoding::hex;
use crate::error::PayloadError;
use crate::pointer::{Pointer, find};

/// A webhook delivery. Receivers hand it out as [`Verified<Delivery>`](crate::Verified).
///
/// Deduplicate by `tenant`, `source` and `id` together: two endpoints of one provider may use the same id.
///
/// ```
/// use connect_webhook::{Delivery, Trust, Verified};
///
/// #[derive(serde::Deserialize)]
/// struct Push { r#ref: String }
///
/// let mut delivery = Delivery::new("default", "github", "72d3162e", r#"{"ref":"refs/heads/main"}"#);
/// delivery.event = Some("push".to_owned());
/// let delivery = Verified::trust(delivery, Trust::Test);
/// assert_eq!(delivery.json::<Push>()?.r#ref, "refs/heads/main");
/// # Ok::<(), connect_webhook::PayloadError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Whose delivery this is, as the endpoint was registered.
    pub tenant: Arc<str>,
    /// Which endpoint of the tenant received it; usually the scheme's name.
    pub source: Arc<str>,
    /// The scheme's name: tells how to read the payload where a source has a name of its own.
    pub scheme: Arc<str>,
    /// The dedupe id: the provider's own where the scheme knows one, else `body:` and the lower-case
    /// hexadecimal SHA-256 of the body followed by the signature bytes. Equal for every retry of one event.
    /// GitHub and Jira do not sign theirs, so somebody who captured a delivery can send it again under a new
    /// id: see [`Delivery::replay_key`].
    pub id: String,
    /// What recognises a captured delivery that comes again under another id: equal for the same body, signed at
    /// the same time if the provider signs one. `None` where the id is signed, or where the scheme says that
    /// equal bodies are different events ([`bodies_repeat`](field@crate::Scheme::bodies_repeat)).
    ///
    /// Take a second delivery with the same tenant, source and replay key for a duplicate, as
    /// [`Deduplicating`](crate::Deduplicating) and the inbox of connect-flow do.
    pub replay_key: Option<String>,
    /// The event type in the provider's spelling, such as `issues` or `jira:issue_created`. `None` if the
    /// delivery names none, as Slack's slash commands do.
    pub event: Option<String>,
    /// The object the event is about, for handling one object's events in order.
    pub ordering_key: Option<String>,
    /// The content type of the raw body.
    pub content_type: Option<String>,
    /// The headers that the scheme keeps. They are not signed.
    pub headers: HeaderMap,
    /// The raw body, exactly as it was signed.
    pub body: Bytes,
    /// The JSON payload, well-formed when a receiver made this: the body itself, or what its form stood for.
    pub payload: Bytes,
    /// When the request arrived.
    pub received_at: UnixTime,
    /// Which of the verifier's secrets matched.
    pub key_index: usize,
}

impl Delivery {
    /// A delivery with a JSON body, for the way back from a store and for tests. Every field is public: set
    /// what differs. Receivers make theirs from a request.
    pub fn new(
        tenant: impl Into<Arc<str>>,
        source: impl Into<Arc<str>>,
        id: impl Into<String>,
        body: impl Into<Bytes>,
    ) -> Self {
        let source = source.into();
        let body = body.into();
        Self {
            tenant: tenant.into(),
            scheme: Arc::clone(&source),
            source,
            id: id.into(),
            replay_key: None,
            event: None,
            ordering_key: None,
            content_type: None,
            headers: HeaderMap::new(),
            payload: body.clone(),
            body,
            received_at: UnixTime::default(),
            key_index: 0,
        }
    }

    /// The payload, decoded.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PayloadError> {
        // One UTF-8 check up front is cheaper than one per string.
        let text = std::str::from_utf8(&self.payload).map_err(|_| PayloadError::NotUtf8)?;
        serde_json::from_str(text).map_err(PayloadError::Json)
    }

    /// The payload's `action`, which narrows a GitHub event (`issues` + `opened`). Reads through the payload
    /// on every call.
    pub fn action(&self) -> Option<String> {
        let action = Pointer::parse("/action")?;
        find(&self.payload, &action).map(|found| found.as_str().to_owned())
    }

    /// Lower-case hexadecimal SHA-256 of the raw body, computed on every call.
    ///
    /// Equal ids with different hashes are a conflict, or a provider that counts its attempts in the body.
    pub fn body_sha256(&self) -> String {
        hex(&Sha256::digest(&self.body))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("tenant", &self.tenant)
            .field("source", &self.source)
            .field("scheme", &self.scheme)
            .field("id", &self.id)
            .field("event", &self.event)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .field("payload_bytes", &self.payload.len())
            .field("received_at", &self.received_at)
            .field("key_index", &self.key_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_a_string_at_the_top() {
        let cases = [
            (r#"{"action":"opened"}"#, Some("opened")),
            (r#"{"issue":{"action":"x"}}"#, None),
            (r#"{"action":null}"#, None),
            ("not JSON", None),
        ];
        for (body, expected) in cases {
            assert_eq!(Delivery::new("t", "s", "i", body).action().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn debug_shows_sizes_instead_of_bodies() {
        let shown = format!("{:?}", Delivery::new("t", "s", "i", "{\"password\":\"hunter2\"}"));
        assert!(shown.contains("body_bytes: 22") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_decode_error_quotes_no_value_in_its_own_text() {
        let delivery = Delivery::new("t", "s", "i", "\"hunter2\"");
        let error = delivery.json::<u32>().unwrap_err();
        assert!(!error.to_string().contains("hunter2") && error.to_string().contains("line 1"), "{error}");
    }
}
