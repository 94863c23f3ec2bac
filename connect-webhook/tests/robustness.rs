//! Nothing from outside makes it panic: odd bytes in headers and bodies, from one seed.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use connect_webhook::scheme::Algorithm;
use connect_webhook::{Endpoint, Incoming, Receiver, Scheme, UnixTime, Verifier, schemes};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use support::{Memory, NOW, receiver_at, sample};

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

/// A receiver for a scheme, whatever it needs.
fn receiver_of(scheme: &Scheme) -> Receiver {
    receiver_at(Endpoint::new("default", "source", sample::verifier(scheme)), Arc::new(Memory::default()))
}

async fn send(receiver: &Receiver, headers: HeaderMap, body: Vec<u8>) -> http::Response<Bytes> {
    let mut request = Request::post("/in?tenant=a%20b&x=1").body(Full::<Bytes>::from(body)).unwrap();
    *request.headers_mut() = headers;
    receiver.receive("default", "source", request).await
}

fn secret_schemes() -> Vec<(&'static Scheme, Verifier, Receiver)> {
    let all = schemes::ALL.iter().filter(|scheme| !sample::is_unsignable(scheme));
    all.map(|scheme| (*scheme, sample::verifier(scheme), receiver_of(scheme))).collect()
}

#[tokio::test]
async fn arbitrary_requests_are_refused_without_a_panic() {
    let mut random = fastrand::Rng::with_seed(4711);
    let schemes = secret_schemes();
    let names: Vec<String> = schemes.iter().flat_map(|(scheme, ..)| headers_of(scheme)).collect();
    for _ in 0..300 {
        let mut headers = HeaderMap::new();
        for _ in 0..random.usize(..12) {
            let name = match random.bool() {
                true => (*random.choice(&NAMES).unwrap()).to_owned(),
                false => random.choice(&names).unwrap().clone(),
            };
            if let Ok(value) = HeaderValue::from_bytes(&some(&mut random)) {
                headers.append(HeaderName::try_from(name).unwrap(), value);
            }
        }
        let body = some(&mut random);
        let now = UnixTime(random.i64(..));
        for (scheme, verifier, receiver) in &schemes {
            let incoming = Incoming::post(&headers, &body).with_url(sample::URL);
            assert!(verifier.verify_request(&incoming, now).is_err(), "{}", scheme.name);
            let _ = verifier.precheck(&headers, now);
            let _ = verifier.describe(&incoming, NOW);
            if let Ok(Some(mut stream)) = verifier.stream(&incoming, now) {
                stream.update(&body);
                assert!(stream.finish().is_err(), "{}", scheme.name);
            }
            let response = send(receiver, headers.clone(), body.clone()).await;
            assert!(response.status().is_client_error(), "{} {}", scheme.name, response.status());
        }
    }
}

/// Every header that a signature of this scheme may stand in, and one it signs.
fn headers_of(scheme: &Scheme) -> Vec<String> {
    sample::signed(scheme, NOW).headers().keys().map(ToString::to_string).collect()
}

#[tokio::test]
async fn arbitrary_signed_bodies_are_taken_or_refused_without_a_panic() {
    let mut random = fastrand::Rng::with_seed(4712);
    let mut taken = 0;
    let schemes = secret_schemes();
    for _ in 0..300 {
        let body = some(&mut random);
        for (scheme, _, receiver) in &schemes {
            let unsigned = Request::post(sample::URL).body(Bytes::from(body.clone())).unwrap();
            let secret = sample::secret(scheme);
            // Some signatures stand in a body that must be JSON, or a form.
            let Ok(request) = sample::sign(scheme, &secret, unsigned, NOW) else { continue };
            let (mut parts, body) = request.into_parts();
            if let Ok(value) = HeaderValue::from_bytes(&some(&mut random))
                && !matches!(scheme.algorithm, Algorithm::Code(_))
            {
                parts.headers.insert("content-type", value.clone());
                parts.headers.insert("x-github-delivery", value);
            }
            let status = send(receiver, parts.headers, body.to_vec()).await.status();
            assert!(status.is_success() || status.is_client_error(), "{status}");
            taken += usize::from(status.is_success());
        }
    }
    assert!(taken > 300, "{taken}");
}

#[test]
fn a_signed_request_with_a_few_bytes_changed_never_panics() {
    let mut random = fastrand::Rng::with_seed(4713);
    for (scheme, verifier, _) in &secret_schemes() {
        let request = sample::signed(scheme, NOW);
        for _ in 0..200 {
            let mut changed = request.clone();
            let names: Vec<_> = changed.headers().keys().cloned().collect();
            if let Some(name) = random.choice(&names) {
                let mut bytes = changed.headers()[name].as_bytes().to_vec();
                mutate(&mut random, &mut bytes);
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    changed.headers_mut().insert(name, value);
                }
            }
            let mut body = changed.body().to_vec();
            if random.bool() {
                mutate(&mut random, &mut body);
            }
            let url = changed.uri().to_string();
            let incoming = Incoming::post(changed.headers(), &body).with_url(&url);
            let _ = verifier.verify_request(&incoming, NOW);
            let _ = verifier.describe(&incoming, NOW);
        }
    }
}

fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        match random.u8(..4) {
            0 if at < bytes.len() => bytes[at] = random.u8(..),
            1 if at < bytes.len() => _ = bytes.remove(at),
            2 => bytes.insert(at, *random.choice(b"=,.;:\"/{}[]%&\0\xff0zA ").unwrap()),
            _ => bytes.truncate(at),
        }
    }
}
