//! What is sent: an id and bytes, the same in every attempt.
//!
//! The signature covers the bytes, and receivers recognise copies by the id, so both are fixed once. A
//! message read back from a queue is made again with [`Message::new`] from the stored bytes, never from the
//! event.

use bytes::Bytes;
use http::HeaderValue;
use serde::Serialize;

use super::error::SetupError;

/// From this size on, Standard Webhooks advise against a payload: many receivers and their proxies choke on
/// larger ones.
const ADVISED_BYTES: usize = 20 * 1024;

/// The longest id; receivers store it under a key.
const MAX_ID_BYTES: usize = 255;

/// One message, for any number of attempts and destinations.
///
/// ```
/// use connect_webhook::send::Message;
/// let message = Message::json("msg_1", &serde_json::json!({"type": "invoice.paid"}))?;
/// assert_eq!(message.body().as_ref(), br#"{"type":"invoice.paid"}"#);
///
/// let stored = Message::new("msg_1", "application/json", message.body().clone())?;
/// assert_eq!(stored, message);
/// # Ok::<(), connect_webhook::send::SetupError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    id: HeaderValue,
    content_type: HeaderValue,
    body: Bytes,
}

impl Message {
    /// A message of ready bytes. The id must be the same whenever this message is sent, and another for every
    /// other message.
    pub fn new(id: &str, content_type: &str, body: impl Into<Bytes>) -> Result<Self, SetupError> {
        let body = body.into();
        let id = read_id(id).map_err(|reason| SetupError::MessageId { reason })?;
        let content_type = HeaderValue::from_str(content_type).map_err(|_| SetupError::ContentType)?;
        if content_type.is_empty() {
            return Err(SetupError::ContentType);
        }
        let message = Self { id, content_type, body };
        if message.body.len() > ADVISED_BYTES {
            tracing::warn!(
                id = message.id(),
                bytes = message.body.len(),
                "webhook payload above 20 KB; send less and let the receiver fetch the rest"
            );
        }
        Ok(message)
    }

    /// Writes `event` as JSON, once.
    pub fn json(id: &str, event: &impl Serialize) -> Result<Self, SetupError> {
        let body = serde_json::to_vec(event).map_err(SetupError::Payload)?;
        Self::new(id, "application/json", body)
    }

    /// The id, sent as `webhook-id`.
    pub fn id(&self) -> &str {
        // It was made from visible ASCII.
        self.id.to_str().unwrap_or_default()
    }

    /// The content type.
    pub fn content_type(&self) -> &HeaderValue {
        &self.content_type
    }

    /// The bytes that are signed and sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn id_header(&self) -> &HeaderValue {
        &self.id
    }
}

/// Bodies are the customer's business and not for logs.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The signed text is `id.timestamp.body`: a dot in the id would let one signature stand for two messages.
fn read_id(id: &str) -> Result<HeaderValue, &'static str> {
    if id.is_empty() {
        return Err("is empty");
    }
    if id.len() > MAX_ID_BYTES {
        return Err("is longer than 255 bytes");
    }
    if id.contains('.') {
        return Err("has a dot, which separates the signed parts");
    }
    if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has blanks or characters outside of ASCII");
    }
    HeaderValue::from_str(id).map_err(|_| "cannot stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_cannot_be_signed_are_refused() {
        let long = "x".repeat(256);
        for id in ["", "a.b", "a b", "a\r\nx-evil: 1", "é", long.as_str()] {
            assert!(matches!(Message::json(id, &()), Err(SetupError::MessageId { .. })), "{id}");
        }
        assert!(Message::json(&"x".repeat(255), &()).is_ok());
        assert!(matches!(Message::new("a", "text/plain\n", ""), Err(SetupError::ContentType)));
        assert!(matches!(Message::new("a", "", ""), Err(SetupError::ContentType)));
    }

    #[test]
    fn debug_shows_no_body() {
        let message = Message::json("a", &"canary").unwrap();
        assert!(!format!("{message:?}").contains("canary"));
    }
}
