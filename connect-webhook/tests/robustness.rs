//! Nothing from outside makes it panic: odd bytes in headers and bodies, from one seed.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use connect_webhook::{Scheme, UnixTime, schemes, sign};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use support::{Memory, NOW, SECRET, receiver, verifier};

const NAMES: [&str; 9] = [
    "x-hub-signature-256",
    "x-hub-signature",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-github-delivery",
    "x-github-event",
    "x-atlassian-webhook-identifier",
    "content-type",
    "content-length",
];

const SNIPPETS: [&[u8]; 18] = [
    b"",
    b"sha256=",
    b"v0=",
    b"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    b"\xff\xfe",
    b"99999999999999999999",
    b"1750000000",
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"payload=%7B%7D",
    b"payload=%",
    b"&&==%zz",
    b"{\"type\":\"url_verification\",\"challenge\":\"x\"}",
    b"{\"event\":{\"type\":[[[[{\"a\":1e999}]]]]}}",
    b"{\"a\":\"\\ud800\"}",
    b"[",
    b"\xef\xbb\xbf{}",
    b"18446744073709551616",
];

fn some(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..4) {
        0 => random.choice(SNIPPETS).unwrap().to_vec(),
        1 => [*random.choice(&SNIPPETS).unwrap(), random.choice(SNIPPETS).unwrap()].concat(),
        2 => (0..random.usize(..80)).map(|_| random.u8(..)).collect(),
        _ => (0..random.usize(..80)).map(|_| random.u8(b' '..=b'~')).collect(),
    }
}

async fn send(scheme: &'static Scheme, headers: HeaderMap, body: Vec<u8>) -> http::Response<Bytes> {
    let mut request = Request::post("/").body(Full::<Bytes>::from(body)).unwrap();
    *request.headers_mut() = headers;
    receiver(scheme, Arc::new(Memory::default())).receive("default", &scheme.name, request).await
}

#[tokio::test]
async fn arbitrary_requests_are_refused_without_a_panic() {
    let mut random = fastrand::Rng::with_seed(4711);
    for _ in 0..10_000 {
        let mut headers = HeaderMap::new();
        for _ in 0..random.usize(..6) {
            if let Ok(value) = HeaderValue::from_bytes(&some(&mut random)) {
                headers.append(HeaderName::from_static(random.choice(NAMES).unwrap()), value);
            }
        }
        let body = some(&mut random);
        let now = UnixTime(random.i64(..));
        for scheme in schemes::ALL {
            assert!(verifier(scheme).verify(&headers, &body, now).is_err());
            let _ = verifier(scheme).precheck(&headers, now);
            let response = send(scheme, headers.clone(), body.clone()).await;
            assert!(response.status().is_client_error(), "{}", response.status());
        }
    }
}

#[tokio::test]
async fn arbitrary_signed_bodies_are_taken_or_refused_without_a_panic() {
    let mut random = fastrand::Rng::with_seed(4712);
    let mut taken = 0;
    for _ in 0..5_000 {
        let body = some(&mut random);
        for scheme in schemes::ALL {
            let mut headers = sign(scheme, &SECRET.into(), &body, NOW).unwrap();
            if let Ok(value) = HeaderValue::from_bytes(&some(&mut random)) {
                headers.insert("content-type", value.clone());
                headers.insert("x-github-delivery", value);
            }
            let status = send(scheme, headers, body.clone()).await.status();
            assert!(status.is_success() || status.is_client_error(), "{status}");
            assert_ne!(status, 401, "it was signed");
            taken += usize::from(status.is_success());
        }
    }
    assert!(taken > 100, "{taken}");
}
