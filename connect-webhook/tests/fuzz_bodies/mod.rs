//! What the fuzz targets do with their bytes. CI runs the same functions over seeded bytes (`tests/fuzz.rs`), so they
//! are exercised where cargo-fuzz is not.
//!
//! Each takes any bytes and must neither panic nor accept what was not signed.

#![allow(unreachable_pub, reason = "the fuzz targets see it from another crate")]
#![allow(clippy::unwrap_used, reason = "a fuzz target may fail by panicking")]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use connect_webhook::keys::Keys;
use connect_webhook::scheme::{Algorithm, Scheme};
use connect_webhook::{
    Acceptance, Delivery, Endpoint, FixedClock, Incoming, Receiver, Signer, Sink, SinkError, UnixTime,
    Verified, Verifier, async_trait, schemes,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// Takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary.
pub const TARGETS: [(&str, Target); 5] =
    [("headers", headers), ("base_strings", base_strings), ("forms", forms), ("jwt", jwt), ("sns", sns)];

const NOW: UnixTime = UnixTime(1_750_000_000);

/// 32 bytes, so that it is good for every scheme.
const KEY: &str = "30313233343536373839616263646566";

static VERIFIERS: LazyLock<Vec<Verifier>> =
    LazyLock::new(|| schemes::ALL.iter().filter_map(|scheme| verifier(scheme)).collect());

fn verifier(scheme: &'static Scheme) -> Option<Verifier> {
    let builder = Verifier::builder(scheme)
        .allow_weak()
        .public_url("https://hooks.example.com")
        .audience("https://hooks.example.com")
        .service_account("push@example.com")
        .webhook_id("9XL90610J3647323C")
        .topic("arn:aws:sns:us-west-2:123456789012:MyTopic");
    let builder = if scheme.needs_secret() {
        builder.secret(KEY.into())
    } else {
        builder.keys(Keys::fixed([("https://example.com".to_owned(), "{}".to_owned())]))
    };
    // Those with a public key do not take this one.
    builder.build().ok()
}

fn named(name: &str) -> &'static Verifier {
    VERIFIERS.iter().find(|verifier| verifier.scheme().name == name).unwrap()
}

/// Header grammars: each line of the input is the value of the next header of a scheme.
pub fn headers(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let verifier = &VERIFIERS[usize::from(*choice) % VERIFIERS.len()];
    let Some(mut names) = signed_names(verifier.scheme()) else { return };
    names.push(HeaderName::from_static("content-type"));
    let mut headers = HeaderMap::new();
    for (line, name) in data.split(|byte| *byte == b'\n').zip(names.iter().cycle()) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(name, value);
        }
    }
    let incoming = Incoming::post(&headers, data).with_url("https://hooks.example.com/in?a=1");
    assert!(verifier.verify_request(&incoming, NOW).is_err(), "{}", verifier.scheme().name);
    let _ = verifier.precheck(&headers, NOW);
    let _ = verifier.describe(&incoming, NOW);
    let _ = verifier.diagnose(&incoming, NOW);
}

/// The headers that signing sets.
fn signed_names(scheme: &Scheme) -> Option<Vec<HeaderName>> {
    let request = Request::post("https://hooks.example.com/in?a=1").body(Bytes::from_static(b"{}")).unwrap();
    let request = Signer::new(scheme, &KEY.into()).ok()?.sign(request, NOW).ok()?;
    Some(request.headers().keys().cloned().collect())
}

/// Base strings: whatever can be signed verifies, and with one bit of the body changed it does not.
pub fn base_strings(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let scheme = schemes::ALL[usize::from(*choice) % schemes::ALL.len()];
    let Some(verifier) = VERIFIERS.iter().find(|verifier| verifier.scheme().name == scheme.name) else {
        return;
    };
    if matches!(scheme.algorithm, Algorithm::Ed25519) {
        return;
    }
    let (query, body) = data.split_at(data.len() / 4);
    let query: String =
        query.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect();
    let Ok(uri) = format!("https://hooks.example.com/in?{query}").parse::<http::Uri>() else { return };
    let mut request = Request::new(Bytes::copy_from_slice(body));
    (*request.method_mut(), *request.uri_mut()) = (Method::POST, uri);
    let Ok(signer) = Signer::new(scheme, &KEY.into()) else { return };
    let Ok(request) = signer.sign(request, NOW) else { return };
    let url = request.uri().to_string();
    let check = |body: &[u8]| {
        verifier.verify_request(&Incoming::post(request.headers(), body).with_url(&url), NOW).is_ok()
    };
    if !matches!(scheme.algorithm, Algorithm::Code(_)) {
        assert!(check(request.body()), "{}", scheme.name);
    }
    let mut changed = request.body().to_vec();
    if let (Some(byte), true) = (changed.last_mut(), scheme.covers_body) {
        *byte ^= 1;
        assert!(!check(&changed) || matches!(scheme.algorithm, Algorithm::Code(_)), "{}", scheme.name);
    }
}

/// Forms: as bodies that are signed, read and routed.
pub fn forms(data: &[u8]) {
    for name in ["twilio", "mandrill", "mailgun_form", "slack", "github"] {
        let verifier = named(name);
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        for header in signed_names(verifier.scheme()).unwrap_or_default() {
            headers.insert(header, HeaderValue::from_static("AAAA"));
        }
        let incoming = Incoming::post(&headers, data).with_url("https://hooks.example.com/in");
        assert!(verifier.verify_request(&incoming, NOW).is_err(), "{name}");
        let _ = verifier.describe(&incoming, NOW);
        receive(name, data);
    }
}

/// A signed form all the way through a receiver.
fn receive(name: &str, data: &[u8]) {
    let verifier = named(name);
    let request = Request::post("https://hooks.example.com/in")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(data))
        .unwrap();
    let Ok(signer) = Signer::new(verifier.scheme(), &KEY.into()) else { return };
    let Ok(request) = signer.sign(request, NOW) else { return };
    let (mut parts, body) = request.into_parts();
    parts.uri = "/in".parse().unwrap();
    let receiver = Receiver::builder()
        .endpoint(Endpoint::new("default", "fuzz", verifier.clone()))
        .sink(Arc::new(Nothing))
        .clock(FixedClock::new(NOW))
        .build()
        .unwrap();
    let response = now(receiver.receive_bytes("default", "fuzz", &parts, body));
    assert!(response.status().is_success() || response.status().is_client_error());
}

/// JSON web tokens: as a header's, as a query's, and as a body's.
pub fn jwt(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for (name, scheme) in [("atlassian_connect_jwt", "JWT "), ("google_pubsub", "Bearer ")] {
        let verifier = named(name);
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&[scheme.as_bytes(), data].concat()) {
            headers.insert("authorization", value);
        }
        let url = format!("https://hooks.example.com/in?jwt={text}");
        let incoming = Incoming::post(&headers, data).with_url(&url);
        assert!(verifier.verify_request(&incoming, NOW).is_err(), "{name}");
        assert!(now(verifier.ready(&incoming, NOW)).is_ok() || name != "atlassian_connect_jwt");
    }
    let body =
        serde_json::json!({ "value": [{ "clientState": KEY }], "validationTokens": [text] }).to_string();
    let headers = HeaderMap::new();
    let incoming = Incoming::post(&headers, body.as_bytes());
    assert!(named("microsoft_graph").verify_request(&incoming, NOW).is_err());
}

/// Messages of SNS, and what PayPal's headers name.
pub fn sns(data: &[u8]) {
    let verifier = named("aws_sns");
    let headers = HeaderMap::new();
    let incoming = Incoming::post(&headers, data);
    assert!(verifier.verify_request(&incoming, NOW).is_err());
    let _ = now(verifier.ready(&incoming, NOW));
    // The same as the value of every field of a message.
    let text = String::from_utf8_lossy(data);
    for (kind, version) in [("Notification", "1"), ("SubscriptionConfirmation", "2")] {
        let body = serde_json::json!({
            "Type": kind, "SignatureVersion": version, "Message": text, "MessageId": text, "Timestamp": text,
            "TopicArn": text, "Token": text, "SubscribeURL": text, "Signature": text, "SigningCertURL": text,
        });
        let body = body.to_string();
        let incoming = Incoming::post(&headers, body.as_bytes());
        assert!(verifier.verify_request(&incoming, NOW).is_err());
        let _ = now(verifier.ready(&incoming, NOW));
    }
}

struct Nothing;

#[async_trait]
impl Sink for Nothing {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        Ok(Acceptance::Accepted)
    }
}

/// Nothing here waits for anything.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("it waits for nothing"),
    }
}
