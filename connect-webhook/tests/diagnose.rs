//! What the log says about a signature that does not match.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect_webhook::{Endpoint, FixedClock, Receiver, Signer, Verifier, schemes};
use http::{Request, StatusCode};
use http_body_util::Full;
use support::{Log, Memory, NOW, SECRET, signed, verifier};

const HINT: &str = "the signature matches";

#[tokio::test]
async fn a_rewritten_body_is_refused_and_explained_once_in_ten_seconds() {
    let (log, _guard) = Log::capture();
    let (sink, clock) = (Arc::new(Memory::default()), Arc::new(FixedClock::new(NOW)));
    let endpoint = |source: &str| Endpoint::new("default", source, verifier(&schemes::GITHUB));
    let receiver = Receiver::builder()
        .endpoint(endpoint("one"))
        .endpoint(endpoint("two"))
        .sink(Arc::clone(&sink))
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    let rewritten = || signed(&schemes::GITHUB, r#"{"a":1}"#).map(|_| Full::<Bytes>::from("{\"a\": 1}"));
    let hints = async |source: &str| {
        let response = receiver.receive("default", source, rewritten()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        log.text().matches(HINT).count()
    };
    assert_eq!(hints("one").await, 1);
    assert_eq!(hints("one").await, 1);
    assert_eq!(hints("two").await, 2, "every endpoint has its own");
    clock.advance(Duration::from_secs(10));
    assert_eq!(hints("one").await, 3);
    assert_eq!(sink.count(), 0, "a hint never accepts");
    assert!(!log.text().contains(r#""a""#), "the body is not logged");
}

#[tokio::test]
async fn a_large_body_is_not_looked_into() {
    let (log, _guard) = Log::capture();
    let large = format!("[\"{}\"]", "x".repeat(64 * 1024));
    let spaced = format!(" {large}");
    let request = signed(&schemes::GITHUB, &large).map(|_| Full::<Bytes>::from(spaced));
    let receiver = support::receiver(&schemes::GITHUB, Arc::default());
    receiver.receive("default", "github", request).await;
    assert!(log.text().contains("signature_mismatch") && !log.text().contains(HINT));
}

#[tokio::test]
async fn another_host_in_the_request_is_a_hint_and_never_trusted() {
    let (log, _guard) = Log::capture();
    let verifier =
        Verifier::builder(&schemes::SQUARE).secret(SECRET.into()).public_url("https://old.example").build();
    let endpoint = Endpoint::new("default", "square", verifier.unwrap());
    let receiver = support::receiver_at(endpoint, Arc::default());
    let request = Request::post("https://new.example/square").body(Bytes::from("{}")).unwrap();
    let secret = SECRET.into();
    let mut request =
        Signer::new(&schemes::SQUARE, &secret).unwrap().sign(request, NOW).unwrap().map(Full::<Bytes>::from);
    *request.uri_mut() = "/square".parse().unwrap();
    request.headers_mut().insert("host", "new.example".parse().unwrap());
    let response = receiver.receive("default", "square", request).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(log.text().contains("correct the public URL"), "{}", log.text());
}
