//! Rate limits, statuses, methods, and answers of the sink's own.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use connect_webhook::{
    Acceptance, BuildError, Endpoint, FixedClock, Outcome, Receiver, Signer, SinkError, Verifier, schemes,
};
use http::{HeaderValue, Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Full;
use support::{Memory, NOW, SECRET, receiver, receiver_at, signed, text, verifier, with};

/// A body that must not be read.
struct Untouchable;

impl Body for Untouchable {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        unreachable!("the body was read");
    }
}

fn github(source: &str) -> Endpoint {
    Endpoint::new("default", source, verifier(&schemes::GITHUB))
}

#[tokio::test]
async fn a_flood_on_one_endpoint_is_429_before_its_body_is_read_and_costs_another_nothing() {
    let sink = Arc::new(Memory::default());
    let clock = Arc::new(FixedClock::new(NOW));
    let receiver = Receiver::builder()
        .endpoint(github("flooded").with_rate_limit(10, 20))
        .endpoint(github("quiet").with_rate_limit(10, 20))
        .sink(Arc::clone(&sink))
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    for _ in 0..20 {
        let response = receiver.receive("default", "flooded", signed(&schemes::GITHUB, "{}")).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }
    for _ in 0..100_000 {
        let flood = Request::post("/").body(Untouchable).unwrap();
        let response = receiver.receive("default", "flooded", flood).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["retry-after"], "1");
    }
    let response = receiver.receive("default", "quiet", signed(&schemes::GITHUB, "{}")).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!((sink.count(), receiver.counters().refused("rate_limited")), (21, 100_000));

    clock.advance(Duration::from_secs(1));
    let response = receiver.receive("default", "flooded", signed(&schemes::GITHUB, "{}")).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED, "a second later there is room again");
}

#[test]
fn a_limit_of_zero_is_not_built() {
    let built =
        Receiver::builder().endpoint(github("x").with_rate_limit(0, 10)).sink(Memory::default()).build();
    assert!(matches!(built, Err(BuildError::RateLimit)));
}

#[tokio::test]
async fn the_status_of_every_outcome_can_be_set() {
    let accept = |answer| Memory::answering(answer);
    let retry_after = Duration::from_secs(7);
    let json = || signed(&schemes::GITHUB, "{}");
    let forged = || with(json(), "x-hub-signature-256", "sha256=00");
    let cases = [
        (Outcome::Accepted, 202, 200, json(), Memory::answering(Ok(Acceptance::Accepted))),
        (Outcome::Duplicate, 202, 200, json(), accept(Ok(Acceptance::Duplicate))),
        (Outcome::Duplicate, 202, 204, json(), accept(Ok(Acceptance::Duplicate))),
        (Outcome::Unverified, 401, 404, forged(), Arc::default()),
        (Outcome::Malformed, 400, 422, signed(&schemes::GITHUB, "{"), Arc::default()),
        (Outcome::UnsupportedType, 415, 400, with(json(), "content-type", "text/html"), Arc::default()),
        (Outcome::TooLarge, 413, 400, with(json(), "content-length", "999999999"), Arc::default()),
        (Outcome::Busy, 503, 500, json(), accept(Ok(Acceptance::Busy { retry_after }))),
        (Outcome::Busy, 503, 429, json(), accept(Err(SinkError::new("x").with_retry_after(retry_after)))),
        (Outcome::OverQuota, 429, 503, json(), accept(Ok(Acceptance::OverQuota { retry_after }))),
    ];
    for (outcome, default, chosen, request, sink) in cases {
        let asks_for_patience = matches!(outcome, Outcome::Busy | Outcome::OverQuota);
        let (parts, body) = request.into_parts();
        let answer = sink.answers.lock().unwrap().pop();
        for (endpoint, expected) in [
            (github("github"), default),
            (github("github").with_status(outcome, StatusCode::from_u16(chosen).unwrap()), chosen),
        ] {
            let answer = match &answer {
                Some(Ok(acceptance)) => Ok(acceptance.clone()),
                Some(Err(_)) => Err(SinkError::new("x").with_retry_after(retry_after)),
                None => Ok(Acceptance::Accepted),
            };
            let receiver = receiver_at(endpoint, Memory::answering(answer));
            let request = Request::from_parts(parts.clone(), body.clone());
            let response = receiver.receive("default", "github", request).await;
            assert_eq!(response.status(), expected, "{outcome:?}");
            assert_eq!(
                response.headers().get("retry-after").is_some_and(|value| value == "7"),
                asks_for_patience
            );
            assert_eq!(response.body().is_empty(), expected == 204);
        }
    }
}

#[test]
fn a_status_that_says_the_opposite_is_not_built() {
    for (outcome, status, fits) in [
        (Outcome::Busy, StatusCode::OK, false),
        (Outcome::TooSlow, StatusCode::FOUND, false),
        (Outcome::RateLimited, StatusCode::SERVICE_UNAVAILABLE, true),
        (Outcome::Duplicate, StatusCode::CONFLICT, false),
        (Outcome::Accepted, StatusCode::NO_CONTENT, true),
    ] {
        let built = Receiver::builder()
            .endpoint(github("x").with_status(outcome, status))
            .sink(Memory::default())
            .build();
        assert_eq!(built.is_ok(), fits, "{outcome:?} {status}");
    }
}

#[test]
fn a_scheme_that_signs_its_url_needs_one() {
    let build = |verifier| {
        let endpoint = Endpoint::new("default", "square", verifier);
        Receiver::builder().endpoint(endpoint).sink(Memory::default()).build()
    };
    let without = build(verifier(&schemes::SQUARE));
    assert!(matches!(without, Err(BuildError::Missing { call: ".public_url(..)", .. })));
    let with_url =
        Verifier::builder(&schemes::SQUARE).secret(SECRET.into()).public_url("https://x.example").build();
    assert!(build(with_url.unwrap()).is_ok());
}

#[tokio::test]
async fn a_sink_may_answer_itself_and_only_with_success() {
    let twiml = "<Response><Say>Hello</Say></Response>";
    let receiver = receiver(&schemes::GITHUB, Memory::answering(Ok(Acceptance::answer("text/xml", twiml))));
    let response = receiver.receive("default", "github", signed(&schemes::GITHUB, "{}")).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, twiml));
    assert_eq!(response.headers()["content-type"], "text/xml");
    assert_eq!(receiver.counters().accepted, 1);

    for (status, expected) in [(204, 204), (302, 503), (400, 503), (500, 503)] {
        let answer = Acceptance::Answer {
            status: StatusCode::from_u16(status).unwrap(),
            content_type: HeaderValue::from_static("text/plain"),
            body: Bytes::new(),
        };
        assert!(!format!("{answer:?}").contains("body:"));
        let receiver = support::receiver(&schemes::GITHUB, Memory::answering(Ok(answer)));
        let response = receiver.receive("default", "github", signed(&schemes::GITHUB, "{}")).await;
        assert_eq!(response.status(), expected);
        assert_eq!(response.headers().contains_key("content-type"), expected == 503);
    }
}

#[tokio::test]
async fn deliveries_without_a_body_say_null() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::ZENDESK, Arc::clone(&sink));
    let secret = SECRET.into();
    for (method, body, expected) in [("GET", "", "null"), ("DELETE", "", "null"), ("PUT", "[1]", "[1]")] {
        let request = Request::builder().method(method).uri("/").body(Bytes::from(body)).unwrap();
        let request = Signer::new(&schemes::ZENDESK, &secret).unwrap().sign(request, NOW).unwrap();
        let request = with(request.map(Full::from), "content-type", "application/json");
        let response = receiver.receive("default", "zendesk", request).await;
        assert!(response.status().is_success(), "{method}: {}", text(&response));
        assert_eq!(sink.last().payload, expected);
    }
}
