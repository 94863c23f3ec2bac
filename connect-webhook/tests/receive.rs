//! The receiver: what reaches the sink, what every other request is answered.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use connect_webhook::{
    Acceptance, BuildError, Endpoint, Receiver, SinkError, UnixTime, Verifier, schemes, sign,
};
use http::{Method, Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::Full;
use support::{Memory, NOW, SECRET, receiver, receiver_at, signed, signed_at, text, verifier, with};

const PUSH: &str = r#"{"action":"opened","issue":{"node_id":"I_1","title":"naïve"},"number":7}"#;

/// A body in pieces that counts how often it was asked for one.
struct Pieces {
    pieces: Vec<Bytes>,
    asked: Arc<AtomicUsize>,
    /// Breaks off instead of ending.
    broken: bool,
}

impl Pieces {
    fn new(pieces: impl IntoIterator<Item = Bytes>) -> (Self, Arc<AtomicUsize>) {
        let mut pieces: Vec<_> = pieces.into_iter().collect();
        pieces.reverse();
        let asked = Arc::new(AtomicUsize::new(0));
        (Self { pieces, asked: Arc::clone(&asked), broken: false }, asked)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let piece = self.pieces.pop();
        Poll::Ready(match piece {
            Some(piece) => Some(Ok(Frame::data(piece))),
            None if self.broken => Some(Err("connection reset")),
            None => None,
        })
    }
}

fn in_pieces(body: &str, size: usize) -> (Request<Pieces>, Arc<AtomicUsize>) {
    let (pieces, asked) = Pieces::new(body.as_bytes().chunks(size).map(Bytes::copy_from_slice));
    (signed(&schemes::GITHUB, body).map(|_| pieces), asked)
}

#[tokio::test]
async fn a_signed_delivery_reaches_the_sink_with_everything_known_about_it() {
    let sink = Arc::new(Memory::default());
    let request = with(signed(&schemes::GITHUB, PUSH), "content-type", "application/json; charset=utf-8");
    let request = with(with(request, "x-github-event", "issues"), "x-github-delivery", "72d3162e");
    let request = with(request, "authorization", "Bearer not-to-be-kept");
    let response = receiver(&schemes::GITHUB, Arc::clone(&sink)).receive("default", "github", request).await;

    assert_eq!((response.status(), text(&response)), (StatusCode::ACCEPTED, r#"{"status":"accepted"}"#));
    let delivery = sink.last();
    assert_eq!((&*delivery.tenant, &*delivery.source, &*delivery.scheme), ("default", "github", "github"));
    assert_eq!((&*delivery.id, delivery.event.as_deref()), ("72d3162e", Some("issues")));
    assert_eq!(delivery.action().as_deref(), Some("opened"));
    assert_eq!(delivery.ordering_key.as_deref(), Some("I_1"));
    assert_eq!(delivery.content_type.as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!((&delivery.body[..], &delivery.payload[..]), (PUSH.as_bytes(), PUSH.as_bytes()));
    assert_eq!((delivery.received_at, delivery.key_index), (NOW, 0));
    assert_eq!(delivery.headers["x-github-event"], "issues");
    assert!(!delivery.headers.contains_key("authorization"));
    assert!(!delivery.headers.contains_key("x-hub-signature-256"));
    assert_eq!(delivery.json::<serde_json::Value>().unwrap()["number"], 7);
}

#[tokio::test]
async fn wrong_signature_is_401_and_reaches_no_sink() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::GITHUB, Arc::clone(&sink));
    let mut forged = signed(&schemes::GITHUB, PUSH);
    *forged.body_mut() = Full::from("{}");
    let response = receiver.receive("default", "github", forged).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(sink.count(), 0);
    assert_eq!(receiver.counters().refused("signature_mismatch"), 1);
}

#[tokio::test]
async fn every_reason_gives_the_same_401() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::SLACK, Arc::clone(&sink));
    let good = || signed(&schemes::SLACK, "{}");
    let mut missing = good();
    missing.headers_mut().remove("x-slack-signature");
    let mut untimed = good();
    untimed.headers_mut().remove("x-slack-request-timestamp");
    let requests = [
        ("missing_header", missing),
        ("missing_header", untimed),
        ("no_matching_scheme", with(good(), "x-slack-signature", "v1=00")),
        ("signature_mismatch", with(good(), "x-slack-signature", "v0=00")),
        ("invalid_timestamp", with(good(), "x-slack-request-timestamp", "now")),
        ("timestamp_too_old", signed_at(&schemes::SLACK, "{}", UnixTime(NOW.0 - 301))),
        ("timestamp_in_future", signed_at(&schemes::SLACK, "{}", UnixTime(NOW.0 + 301))),
    ];
    let mut bodies = Vec::new();
    for (code, request) in requests {
        let before = receiver.counters().refused(code);
        let response = receiver.receive("default", "slack", request).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{code}");
        assert_eq!(receiver.counters().refused(code), before + 1, "{code}");
        bodies.push((response.headers().clone(), response.into_body()));
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(sink.count(), 0);
}

#[tokio::test]
async fn slack_timestamp_301_s_old_is_401() {
    for (age, expected) in [(300, StatusCode::OK), (301, StatusCode::UNAUTHORIZED)] {
        let request = signed_at(&schemes::SLACK, "{}", UnixTime(NOW.0 - age));
        let response = receiver(&schemes::SLACK, Arc::default()).receive("default", "slack", request).await;
        assert_eq!(response.status(), expected);
    }
}

#[tokio::test]
async fn hopeless_requests_are_refused_before_the_body_is_read() {
    let receiver = receiver(&schemes::SLACK, Arc::default());
    for request in [
        Request::post("/"),
        Request::post("/").header("x-slack-signature", "v0=00"),
        Request::post("/").header("x-slack-signature", "v0=00").header("x-slack-request-timestamp", "17"),
    ] {
        let (body, asked) = Pieces::new([Bytes::from("{}")]);
        let response = receiver.receive("default", "slack", request.body(body).unwrap()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn oversized_body_is_413_before_it_is_read() {
    let endpoint = || Endpoint::new("default", "github", verifier(&schemes::GITHUB)).with_body_limit(100);
    let sink = Arc::new(Memory::default());
    let receiver = receiver_at(endpoint(), Arc::clone(&sink));

    // Announced: not even asked for.
    let (mut request, asked) = in_pieces(&"x".repeat(101), 10);
    request.headers_mut().insert("content-length", 101.into());
    let response = receiver.receive("default", "github", request).await;
    assert_eq!((response.status(), asked.load(Ordering::Relaxed)), (StatusCode::PAYLOAD_TOO_LARGE, 0));

    // Known to the server: the same.
    let response = receiver.receive("default", "github", signed(&schemes::GITHUB, &"x".repeat(101))).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);

    // Not announced, or announced wrongly: given up at the cap.
    for announced in [None, Some(10)] {
        let (mut request, asked) = in_pieces(&"x".repeat(1000), 10);
        announced.map(|bytes: u64| request.headers_mut().insert("content-length", bytes.into()));
        let response = receiver.receive("default", "github", request).await;
        assert_eq!((response.status(), asked.load(Ordering::Relaxed)), (StatusCode::PAYLOAD_TOO_LARGE, 11));
    }

    // Exactly the cap is fine.
    let exact = format!("\"{}\"", "x".repeat(98));
    let response = receiver.receive("default", "github", in_pieces(&exact, 7).0).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!((sink.count(), receiver.counters().refused("too_large")), (1, 4));
}

#[tokio::test]
async fn a_body_in_many_pieces_is_the_same_body() {
    for size in [1, 2, 7, 1000] {
        let sink = Arc::new(Memory::default());
        let (request, _) = in_pieces(PUSH, size);
        let response =
            receiver(&schemes::GITHUB, Arc::clone(&sink)).receive("default", "github", request).await;
        assert_eq!((response.status(), &sink.last().body[..]), (StatusCode::ACCEPTED, PUSH.as_bytes()));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let receiver = receiver(&schemes::GITHUB, Arc::default());
    let (mut request, _) = in_pieces(PUSH, 5);
    request.body_mut().broken = true;
    let response = receiver.receive("default", "github", request).await;
    assert_eq!((response.status(), receiver.counters().refused("interrupted")), (StatusCode::BAD_REQUEST, 1));
}

#[tokio::test]
async fn unknown_endpoints_are_404_and_other_methods_405() {
    let receiver = receiver(&schemes::GITHUB, Arc::default());
    for (tenant, source) in [("default", "gitlab"), ("acme", "github"), ("", ""), ("default", "github\n")] {
        let response = receiver.receive(tenant, source, signed(&schemes::GITHUB, "{}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let mut request = signed(&schemes::GITHUB, "{}");
        *request.method_mut() = method;
        let response = receiver.receive("default", "github", request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "POST");
    }
    let counters = receiver.counters();
    assert_eq!((counters.refused("unknown_endpoint"), counters.refused("method_not_allowed")), (4, 5));
}

#[tokio::test]
async fn a_signature_header_with_two_values_is_400() {
    let receiver = receiver(&schemes::GITHUB, Arc::default());
    let mut request = signed(&schemes::GITHUB, "{}");
    request.headers_mut().append("x-hub-signature-256", "sha256=00".parse().unwrap());
    let response = receiver.receive("default", "github", request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_400_once_it_is_verified() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::GITHUB, Arc::clone(&sink));
    for body in ["", "{", "{} {}", "Hello, World!"] {
        let response = receiver.receive("default", "github", signed(&schemes::GITHUB, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let unsigned = with(signed(&schemes::GITHUB, body), "x-hub-signature-256", "sha256=00");
        assert_eq!(receiver.receive("default", "github", unsigned).await.status(), StatusCode::UNAUTHORIZED);
    }
    let binary = b"{\"a\":\"\xff\"}";
    let mut request = Request::post("/").body(Full::<Bytes>::from(&binary[..])).unwrap();
    *request.headers_mut() = sign(&schemes::GITHUB, &SECRET.into(), binary, NOW).unwrap();
    let response = receiver.receive("default", "github", request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!((sink.count(), receiver.counters().refused("malformed_payload")), (0, 5));
}

#[tokio::test]
async fn content_types_other_than_json_are_415() {
    let receiver = receiver(&schemes::JIRA, Arc::default());
    for (content_type, expected) in [
        ("application/json", StatusCode::ACCEPTED),
        ("Application/JSON ; charset=UTF-8", StatusCode::ACCEPTED),
        ("application/cloudevents+json", StatusCode::ACCEPTED),
        ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/jsonp", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/form-data; boundary=x", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        // Jira sends no forms.
        ("application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = with(signed(&schemes::JIRA, "{}"), "content-type", content_type);
        let response = receiver.receive("default", "jira", request).await;
        assert_eq!(response.status(), expected, "{content_type}");
    }
}

#[tokio::test]
async fn busy_sink_answers_503_with_retry_after() {
    let busy = Ok(Acceptance::Busy { retry_after: Duration::from_millis(2500) });
    let receiver = receiver(&schemes::JIRA, Memory::answering(busy));
    let response = receiver.receive("default", "jira", signed(&schemes::JIRA, "{}")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "3");
    assert_eq!(receiver.counters().refused("busy"), 1);
}

#[tokio::test]
async fn a_failing_sink_answers_503_and_tells_the_sender_nothing() {
    let error = SinkError::new("disk /dev/sda1 is full").with_retry_after(Duration::from_secs(60));
    let receiver = receiver(&schemes::JIRA, Memory::answering(Err(error)));
    let response = receiver.receive("default", "jira", signed(&schemes::JIRA, "{}")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "60");
    assert!(!text(&response).contains("sda1"));
    assert_eq!((receiver.counters().refused("sink_error"), receiver.counters().accepted), (1, 0));
}

#[tokio::test]
async fn a_duplicate_is_answered_like_a_success() {
    let receiver = receiver(&schemes::GITHUB, Memory::answering(Ok(Acceptance::Duplicate)));
    let response = receiver.receive("default", "github", signed(&schemes::GITHUB, "{}")).await;
    assert_eq!((response.status(), text(&response)), (StatusCode::ACCEPTED, r#"{"status":"duplicate"}"#));
    assert_eq!((receiver.counters().duplicate, receiver.counters().accepted), (1, 0));
}

#[tokio::test]
async fn slack_is_acknowledged_with_an_empty_200() {
    let response = receiver(&schemes::SLACK, Arc::default())
        .receive("default", "slack", signed(&schemes::SLACK, "{}"))
        .await;
    assert_eq!((response.status(), text(&response)), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_delivery_without_an_id_gets_one_from_its_body_and_signature() {
    let sink = Arc::new(Memory::default());
    let receiver = receiver(&schemes::SLACK, Arc::clone(&sink));
    let mut ids = Vec::new();
    let upper = signed(&schemes::SLACK, "{}");
    let spelt = upper.headers()["x-slack-signature"].to_str().unwrap().to_uppercase().replace("V0=", "v0=");
    for request in [
        signed(&schemes::SLACK, "{}"),
        // A captured request, sent again in another spelling.
        with(upper, "x-slack-signature", &spelt),
        signed_at(&schemes::SLACK, "{}", UnixTime(NOW.0 - 1)),
        signed(&schemes::SLACK, "[]"),
    ] {
        receiver.receive("default", "slack", request).await;
        ids.push(sink.last().id);
    }
    assert!(ids[0].starts_with("body:") && ids[0].len() == 5 + 64, "{}", ids[0]);
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0] != ids[2] && ids[0] != ids[3] && ids[2] != ids[3]);
}

#[tokio::test]
async fn ids_and_event_types_come_from_where_the_scheme_says() {
    let sink = Arc::new(Memory::default());
    let slack = receiver(&schemes::SLACK, Arc::clone(&sink));
    for (body, id, event, ordering_key) in [
        (
            r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message","channel":"C1"}}"#,
            Some("Ev1"),
            Some("message"),
            Some("C1"),
        ),
        (r#"{"type":"app_rate_limited","team_id":"T1"}"#, None, Some("app_rate_limited"), None),
        (
            r#"{"event":{"type":"channel_created","channel":{"id":"C1"}}}"#,
            None,
            Some("channel_created"),
            None,
        ),
        (r#"{"type":7}"#, None, Some("7"), None),
        ("[]", None, None, None),
    ] {
        slack.receive("default", "slack", signed(&schemes::SLACK, body)).await;
        let delivery = sink.last();
        assert_eq!(Some(&*delivery.id).filter(|id| !id.starts_with("body:")), id, "{body}");
        assert_eq!((delivery.event.as_deref(), delivery.ordering_key.as_deref()), (event, ordering_key));
    }
    let body = r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10001"}}"#;
    let request = with(signed(&schemes::JIRA, body), "x-atlassian-webhook-identifier", "11c4bd61");
    receiver(&schemes::JIRA, Arc::clone(&sink)).receive("default", "jira", request).await;
    let delivery = sink.last();
    assert_eq!((&*delivery.id, delivery.event.as_deref()), ("11c4bd61", Some("jira:issue_updated")));
    assert_eq!(delivery.ordering_key.as_deref(), Some("10001"));
}

#[tokio::test]
async fn tenants_and_sources_have_secrets_of_their_own() {
    let sink = Arc::new(Memory::default());
    let endpoint = |tenant: &str, source: &str, secret: &str| {
        Endpoint::new(tenant, source, Verifier::new(&schemes::GITHUB, [secret.into()]).unwrap())
    };
    let receiver = Receiver::builder()
        .endpoint(endpoint("acme", "github", SECRET))
        .endpoint(endpoint("acme", "github-enterprise", "another"))
        .endpoint(endpoint("globex", "github", "a third"))
        .sink(Arc::clone(&sink))
        .build()
        .unwrap();
    for (tenant, source, expected) in
        [("acme", "github", 202), ("acme", "github-enterprise", 401), ("globex", "github", 401)]
    {
        let response = receiver.receive(tenant, source, signed(&schemes::GITHUB, "{}")).await;
        assert_eq!(response.status(), expected, "{tenant} {source}");
    }
    assert_eq!((&*sink.last().tenant, sink.count()), ("acme", 1));
}

#[tokio::test]
async fn the_refusal_status_can_be_set_per_endpoint() {
    let endpoint =
        |status| Endpoint::new("default", "github", verifier(&schemes::GITHUB)).with_refusal_status(status);
    let receiver = receiver_at(endpoint(StatusCode::FORBIDDEN), Arc::default());
    let response =
        receiver.receive("default", "github", Request::post("/").body("{}".to_owned()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let fails_open = Receiver::builder().endpoint(endpoint(StatusCode::OK)).sink(Memory::default()).build();
    assert!(matches!(fails_open, Err(BuildError::RefusalStatus { status: 200 })));
}

#[test]
fn an_incomplete_receiver_is_not_built() {
    let endpoint = || Endpoint::new("default", "github", verifier(&schemes::GITHUB));
    let no_sink = Receiver::builder().endpoint(endpoint()).build();
    assert!(matches!(no_sink, Err(BuildError::NoSink)));
    let no_endpoint = Receiver::builder().sink(Memory::default()).build();
    assert!(matches!(no_endpoint, Err(BuildError::NoEndpoint)));
    let twice = Receiver::builder().endpoint(endpoint()).endpoint(endpoint()).sink(Memory::default()).build();
    assert!(matches!(twice, Err(BuildError::DuplicateEndpoint { .. })));
}

#[tokio::test]
async fn a_body_at_hand_goes_the_same_way() {
    let sink = Arc::new(Memory::default());
    let endpoint = Endpoint::new("default", "github", verifier(&schemes::GITHUB)).with_body_limit(100);
    let receiver = receiver_at(endpoint, Arc::clone(&sink));
    let (parts, _) = signed(&schemes::GITHUB, PUSH).into_parts();
    for (source, body, expected) in [
        ("github", Bytes::from(PUSH), 202),
        ("github", Bytes::from("{}"), 401),
        ("github", Bytes::from("x".repeat(101)), 413),
        ("gitlab", Bytes::from(PUSH), 404),
    ] {
        let response = receiver.receive_bytes("default", source, &parts, body).await;
        assert_eq!(response.status(), expected);
    }
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn every_refusal_says_what_to_do_in_one_line_of_json() {
    let receiver = receiver(&schemes::GITHUB, Arc::default());
    let good = || signed(&schemes::GITHUB, "{");
    let mut get = good();
    *get.method_mut() = Method::GET;
    let requests = [
        get,
        good(),
        with(good(), "content-type", "text/html"),
        with(good(), "content-length", "999999999"),
        with(good(), "x-hub-signature-256", "sha256=00"),
    ];
    for request in requests {
        let response = receiver.receive("default", "github", request).await;
        let error: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert!(error["error"].as_str().unwrap().contains("s"), "{error}");
        assert!(!text(&response).contains('\n'));
        assert_eq!(response.headers()["content-type"], "application/json");
    }
    assert_eq!(receiver.counters().refused_total(), 5);
}

#[test]
fn receiving_can_be_spawned_and_shared() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn spawnable<T: Send>(_: T) {}
    let receiver = receiver(&schemes::GITHUB, Arc::default());
    check(&receiver);
    spawnable(receiver.receive("default", "github", signed(&schemes::GITHUB, "{}")));
}

#[cfg(feature = "asymmetric")]
#[tokio::test]
async fn keys_that_cannot_be_had_are_a_warning_once_in_a_while() {
    use connect_webhook::keys::{FetchError, FetchKeys, Keys};

    struct Down;

    #[connect_webhook::async_trait]
    impl FetchKeys for Down {
        async fn fetch(&self, _: &str) -> Result<bytes::Bytes, FetchError> {
            Err(FetchError::new("down"))
        }
    }

    let verifier = connect_webhook::Verifier::builder(&schemes::PAYPAL).webhook_id("W").keys(Keys::new(Down));
    let endpoint = connect_webhook::Endpoint::new("default", "paypal", verifier.build().unwrap());
    let receiver = support::receiver_at(endpoint, Arc::default());
    let (log, _guard) = support::Log::capture();
    for number in 0..5 {
        let request = http::Request::post("/")
            .header("paypal-transmission-id", "1")
            .header("paypal-transmission-time", "2025-06-15T15:06:40Z")
            .header("paypal-transmission-sig", "AAAA")
            .header("paypal-cert-url", format!("https://api.paypal.com/v1/notifications/certs/{number}"))
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let response = receiver.receive_bytes("default", "paypal", &parts, "{}".into()).await;
        assert_eq!(response.status(), 503);
    }
    let lines = |level: &str| {
        let text = log.text();
        text.lines().filter(|line| line.contains(level) && line.contains("webhook not verified")).count()
    };
    assert_eq!((lines("WARN"), lines("DEBUG")), (1, 4), "{}", log.text());
}
