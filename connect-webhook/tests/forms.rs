//! Form-encoded deliveries: signed as raw forms, read as JSON.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use connect_webhook::{Scheme, schemes};
use http::{Request, StatusCode};
use http_body_util::Full;
use support::{Memory, receiver, signed, with};

fn form(scheme: &Scheme, body: &str) -> Request<Full<Bytes>> {
    with(signed(scheme, body), "content-type", "application/x-www-form-urlencoded")
}

#[tokio::test]
async fn form_encoded_github_delivery_verifies_over_the_raw_form() {
    let sink = Arc::new(Memory::default());
    let body = "payload=%7B%22action%22%3A%22opened%22%2C%22issue%22%3A%7B%22title%22%3A%22a+b%2Bc%22%7D%7D";
    let request = with(form(&schemes::GITHUB, body), "x-github-event", "issues");
    let response = receiver(&schemes::GITHUB, Arc::clone(&sink)).receive("default", "github", request).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let delivery = sink.last();
    assert_eq!(delivery.body, body, "the raw form is what was signed");
    assert_eq!(delivery.payload, r#"{"action":"opened","issue":{"title":"a b+c"}}"#);
    assert_eq!(delivery.action().as_deref(), Some("opened"));
}

#[tokio::test]
async fn a_github_form_without_payload_is_400() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::GITHUB, Arc::clone(&sink));
    for body in ["", "a=b", "payload", "payload=", "payload=%7B", "payload=%FF", "Payload=%7B%7D"] {
        let response = receiver.receive("default", "github", form(&schemes::GITHUB, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!((sink.count(), receiver.counters().refused("malformed_payload")), (0, 7));
}

#[tokio::test]
async fn slack_interactivity_is_the_payload_field() {
    let sink = Arc::new(Memory::default());
    let body = "payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%221.2%22%7D";
    receiver(&schemes::SLACK, Arc::clone(&sink))
        .receive("default", "slack", form(&schemes::SLACK, body))
        .await;
    let delivery = sink.last();
    assert_eq!(delivery.event.as_deref(), Some("block_actions"));
    assert!(delivery.id.starts_with("body:"));
}

#[tokio::test]
async fn a_slash_command_becomes_an_object_of_its_fields() {
    #[derive(serde::Deserialize)]
    struct Command {
        command: String,
        text: String,
    }
    let sink = Arc::new(Memory::default());
    let body = "command=%2Fdeploy&text=now+please&user_id=U1";
    let response = receiver(&schemes::SLACK, Arc::clone(&sink))
        .receive("default", "slack", form(&schemes::SLACK, body))
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let delivery = sink.last();
    let Command { command, text } = delivery.json().unwrap();
    assert_eq!((&*command, &*text), ("/deploy", "now please"));
    assert_eq!(delivery.event, None);
}
