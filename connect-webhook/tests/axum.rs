//! The axum adapter, without a socket.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![cfg(feature = "axum")]

mod support;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use connect_webhook::axum::router;
use connect_webhook::{Endpoint, FixedClock, Receiver, schemes};
use http::{Method, Request, StatusCode};
use support::{Memory, NOW, signed, verifier};
use tower::ServiceExt;

fn app(sink: &Arc<Memory>) -> axum::Router {
    let endpoint = |tenant: &str| Endpoint::new(tenant, "github", verifier(&schemes::GITHUB));
    let receiver = Receiver::builder()
        .endpoint(endpoint("default"))
        .endpoint(endpoint("acme"))
        .sink(Arc::clone(sink))
        .clock(FixedClock::new(NOW))
        .build()
        .unwrap();
    router(receiver)
}

fn request(path: &str, body: &str) -> Request<Body> {
    let mut request = signed(&schemes::GITHUB, body).map(Body::new);
    *request.uri_mut() = path.parse().unwrap();
    request
}

#[tokio::test]
async fn both_paths_reach_their_tenant() {
    for (path, tenant) in [("/webhooks/github", "default"), ("/webhooks/acme/github", "acme")] {
        let sink = Arc::new(Memory::default());
        let response = app(&sink).oneshot(request(path, "{}")).await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!((&body[..], &*sink.last().tenant), (&br#"{"status":"accepted"}"#[..], tenant));
    }
}

#[tokio::test]
async fn the_endpoints_cap_counts_and_not_axums_two_megabytes() {
    let sink = Arc::new(Memory::default());
    let large = format!("\"{}\"", "x".repeat(3 * 1024 * 1024));
    let response = app(&sink).oneshot(request("/webhooks/github", &large)).await.unwrap();
    assert_eq!((response.status(), sink.last().body.len()), (StatusCode::ACCEPTED, large.len()));
    let larger = "x".repeat(25 * 1024 * 1024 + 1);
    let response = app(&sink).oneshot(request("/webhooks/github", &larger)).await.unwrap();
    assert_eq!((response.status(), sink.count()), (StatusCode::PAYLOAD_TOO_LARGE, 1));
}

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405() {
    let sink = Arc::new(Memory::default());
    for path in ["/webhooks/gitlab", "/webhooks/globex/github", "/webhooks/%FF", "/webhooks", "/"] {
        let status = app(&sink).oneshot(request(path, "{}")).await.unwrap().status();
        assert!([StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&status), "{path}: {status}");
    }
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let mut request = request("/webhooks/github", "{}");
        *request.method_mut() = method;
        let response = app(&sink).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "POST");
    }
    assert_eq!(sink.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_without_a_timer_gets_tokios() {
    let sink = Arc::new(Memory::default());
    let silent = Body::new(http_body_util::StreamBody::new(futures_pending()));
    let request = request("/webhooks/github", "{}").map(|_| silent);
    let response = app(&sink).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

/// A stream that never yields.
fn futures_pending()
-> impl futures_util::Stream<Item = Result<http_body::Frame<bytes::Bytes>, std::io::Error>> {
    futures_util::stream::pending()
}
