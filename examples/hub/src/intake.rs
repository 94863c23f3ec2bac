//! From a verified delivery to a stored event: what the provider leaves open is settled here.
//!
//! Slack's shortcuts carry no event id, so the message they are about names them. Slack's legacy `token` is a credential
//! of the app inside the payload: it is blanked before anything is stored.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use connect_flow::{Clock, Envelope, InboxSink, Store};
use connect_slack::webhook::MessageAction;
use connect_webhook::{Acceptance, Delivery, Sink, SinkError, Verified};
use serde::Deserialize;

/// Stores what the receiver verified.
pub(crate) struct Intake(InboxSink);

impl Intake {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self(InboxSink::new(store, clock))
    }
}

#[async_trait]
impl Sink for Intake {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let mut event = Envelope::from(delivery);
        if &*event.source == "slack" {
            if event.event_type == "message_action" {
                name_shortcut(&mut event);
            }
            blank_token(&mut event);
        }
        self.0.put(event).await
    }
}

fn name_shortcut(event: &mut Envelope) {
    // A payload of another shape keeps its own key; the flow will refuse it by name.
    if let Ok(action) = serde_json::from_slice::<MessageAction>(&event.payload) {
        event.dedupe_key = format!("{}:{}:{}", action.team.id, action.channel.id, action.message.ts);
    }
}

/// Overwrites the token with as many asterisks, in the payload and in the raw body. The signature was checked before.
fn blank_token(event: &mut Envelope) {
    #[derive(Deserialize)]
    struct Legacy {
        token: Option<String>,
    }
    let Ok(Legacy { token: Some(token) }) = serde_json::from_slice(&event.payload) else { return };
    if token.is_empty() {
        return;
    }
    event.payload = without(&event.payload, token.as_bytes());
    event.body = without(&event.body, token.as_bytes());
}

fn without(bytes: &Bytes, secret: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) =
        bytes.get(at..).and_then(|rest| rest.windows(secret.len()).position(|part| part == secret))
    {
        let start = at + found;
        if let Some(part) = bytes.get_mut(start..start + secret.len()) {
            part.fill(b'*');
        }
        at = start + secret.len();
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slacks_token_is_in_neither_body_nor_payload() {
        let payload = r#"{"type":"message_action","token":"canary1","x":"canary1"}"#;
        let mut event = Envelope::new("default", "slack", "message_action", "1", payload);
        event.body = Bytes::from(format!("payload={}", payload.replace('"', "%22")));
        blank_token(&mut event);
        for bytes in [&event.payload, &event.body] {
            assert!(!String::from_utf8_lossy(bytes).contains("canary1"));
        }
        assert!(serde_json::from_slice::<serde_json::Value>(&event.payload).is_ok());
    }

    #[test]
    fn a_shortcut_is_named_by_its_message() {
        let payload = r#"{"team":{"id":"T1"},"channel":{"id":"C1"},"user":{"id":"U1","name":"a","username":"a"},
            "message":{"ts":"1.2","text":"x"}}"#;
        let mut event = Envelope::new("default", "slack", "message_action", "body:abc", payload);
        name_shortcut(&mut event);
        assert_eq!(event.dedupe_key, "T1:C1:1.2");
    }
}
