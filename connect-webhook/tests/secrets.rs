//! Nothing that can be printed shows a secret, a signature or a body.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use connect_webhook::{
    Acceptance, Endpoint, Scheme, Signer, SinkError, Trust, UnixTime, Verified, Verifier, schemes,
};
use http::Request;
use http_body_util::Full;
use secrecy::ExposeSecret;
use support::{Log, Memory, NOW, receiver_at, sample, with};

const SECRET: &str = "canary-secret-4711";
const BODY: &str = r#"{"type":"x","password":"canary-body-4711"}"#;

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(|error| format!("{error} {error:?} {error:#?}\n")).collect()
}

/// Every run of hexadecimal or base64 in the signed headers, the query and the body that only signing put there.
fn signatures(scheme: &Scheme, request: &Request<Bytes>) -> Vec<String> {
    let unsigned = sample::unsigned(scheme);
    let mut texts: Vec<String> = Vec::new();
    for (name, value) in request.headers() {
        if !unsigned.headers().contains_key(name) {
            texts.push(value.to_str().unwrap().to_owned());
        }
    }
    if request.body() != unsigned.body() {
        texts.push(String::from_utf8(request.body().to_vec()).unwrap());
    }
    let is_code = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let before = format!("{:?}", unsigned.body());
    texts
        .iter()
        .flat_map(|text| text.split(|c| !is_code(c)))
        // A prefix such as `sha256=` is no secret.
        .map(|run| run.trim_end_matches('=').rsplit('=').next().unwrap_or_default().to_owned())
        .filter(|run| run.contains(|c: char| c.is_ascii_digit()))
        .filter(|run| run.len() >= 24 && !run.starts_with("msg_") && !before.contains(run.as_str()))
        .collect()
}

#[tokio::test]
async fn debug_and_errors_show_no_secret() {
    let (log, _guard) = Log::capture();

    let mut shown = String::new();
    let mut canaries = Vec::new();
    for scheme in schemes::ALL.iter().copied().filter(|scheme| !sample::is_unsignable(scheme)) {
        let (secret, other) = (sample::secret(scheme), sample::other_secret(scheme));
        canaries.push(secret.expose_secret().to_owned());
        canaries.push(other.expose_secret().to_owned());
        let with_secret = |secret| sample::builder(scheme).secret(sample::verifying_secret(scheme, secret));
        let verifier = with_secret(&other).secret(sample::verifying_secret(scheme, &secret)).build().unwrap();
        let signer = Signer::new(scheme, &secret).unwrap();
        let good = sample::signed(scheme, NOW);
        let forged = sample::sign(scheme, &other, sample::unsigned(scheme), UnixTime(17)).unwrap();
        let stale = sample::sign(scheme, &secret, sample::unsigned(scheme), UnixTime(7)).unwrap();
        for request in [&good, &forged, &stale] {
            canaries.extend(signatures(scheme, request));
        }
        shown += &format!("{scheme:?} {verifier:?} {verifier:#?} {signer:?} {:?}", with_secret(&secret));
        // `http` itself hides a value that is marked sensitive.
        shown += &format!("{:?}", good.headers());

        let mut tampered = good.clone();
        *tampered.body_mut() = Bytes::from(BODY);
        let mut doubled = good.clone();
        let names: Vec<_> = good.headers().keys().cloned().collect();
        for name in &names {
            doubled.headers_mut().append(name, "other".parse().unwrap());
        }
        let mut odd = good.clone();
        for name in &names {
            let value = format!("~{}", good.headers()[name].to_str().unwrap());
            odd.headers_mut().insert(name, value.parse().unwrap());
        }
        let bare = sample::unsigned(scheme);

        let sink = Memory::answering(Err(SinkError::new("full")));
        sink.answers.lock().unwrap().push(Ok(Acceptance::Accepted));
        let receiver = receiver_at(Endpoint::new("default", "source", verifier.clone()), Arc::clone(&sink));
        for request in [&good, &good, &forged, &stale, &tampered, &doubled, &odd, &bare] {
            if let Err(error) = sample::check(&verifier, request, NOW) {
                shown += &with_causes(&error);
            }
            let plain = with(request.clone().map(Full::new), "content-type", "text/plain");
            for request in [request.clone().map(Full::new), plain] {
                let response = receiver.receive("default", "source", request).await;
                shown += &format!("{response:?}");
            }
        }
        shown += &format!("{receiver:?} {:?}", receiver.counters());
        if sink.count() > 0 {
            let delivery = sink.last();
            shown += &format!("{delivery:?} {:?}", Verified::trust(delivery.clone(), Trust::Test));
            shown += &format!("{:?}", delivery.json::<u8>().unwrap_err().to_string());
        }
    }
    // Whitespace at an end, so that the warning about it is written, too.
    let padded = format!("{SECRET}\n");
    shown += &format!("{:?}", Verifier::new(&schemes::GITHUB, [padded.as_str().into()]).unwrap());
    for secrets in [vec![], vec![SECRET, ""]] {
        let error = Verifier::new(&schemes::GITHUB, secrets.into_iter().map(Into::into)).unwrap_err();
        shown += &with_causes(&error);
    }

    let logged = log.text();
    for expected in ["whitespace", "signature_mismatch", "webhook verified", "webhook not taken"] {
        assert!(logged.contains(expected), "the log was not captured: {expected}\n{logged}");
    }
    assert!(canaries.len() > 200, "{}", canaries.len());
    for canary in [SECRET, "canary-body"].into_iter().chain(canaries.iter().map(String::as_str)) {
        assert!(!shown.contains(canary), "{canary} in:\n{shown}");
        assert!(!logged.contains(canary), "{canary} in the log:\n{logged}");
    }
}
