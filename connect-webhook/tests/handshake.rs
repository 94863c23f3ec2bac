//! Slack's URL verification.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;

use connect_webhook::schemes;
use http::StatusCode;
use support::{Memory, receiver, signed, text, with};

const CHALLENGE: &str = r#"{"token":"x","challenge":"3eZbrw1aB<b>","type":"url_verification"}"#;

#[tokio::test]
async fn url_verification_answers_the_challenge_only_when_signed() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::SLACK, Arc::clone(&sink));
    let response = receiver.receive("default", "slack", signed(&schemes::SLACK, CHALLENGE)).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, "3eZbrw1aB<b>"));
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");

    let forged = with(signed(&schemes::SLACK, CHALLENGE), "x-slack-signature", "v0=00");
    let response = receiver.receive("default", "slack", forged).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(!text(&response).contains("3eZbrw1aB"));

    assert_eq!(sink.count(), 0, "a handshake is no event");
    assert_eq!((receiver.counters().handshakes, receiver.counters().accepted), (1, 0));
}

#[tokio::test]
async fn url_verification_without_a_challenge_is_400() {
    for body in [r#"{"type":"url_verification"}"#, r#"{"type":"url_verification","challenge":{}}"#] {
        let response = receiver(&schemes::SLACK, Arc::default())
            .receive("default", "slack", signed(&schemes::SLACK, body))
            .await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn other_providers_do_not_echo_challenges() {
    let sink = Arc::new(Memory::default());
    let request = signed(&schemes::GITHUB, CHALLENGE);
    let response = receiver(&schemes::GITHUB, Arc::clone(&sink)).receive("default", "github", request).await;
    assert_eq!((response.status(), sink.count()), (StatusCode::ACCEPTED, 1));
}
