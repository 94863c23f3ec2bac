//! Runs a file of test vectors, if there is one: `CONNECT_WEBHOOK_VECTORS=file cargo test --test vectors --
//! --ignored`.
//!
//! The file is JSON: `{"vectors": [{"id", "provider", "secrets", "headers", "body" or "body_b64", "now",
//! "expect"}]}`. `expect` is `valid`, `challenge` (with `response`) or an error code, for which `error_any`
//! lists equals.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use connect_webhook::{Endpoint, FixedClock, Receiver, Scheme, UnixTime, Verifier, schemes};
use http::{HeaderMap, HeaderName, Request};
use http_body_util::Full;
use serde::Deserialize;
use support::Memory;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    provider: String,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_b64: Option<String>,
    #[serde(default)]
    now: i64,
    expect: String,
    #[serde(default)]
    error_any: Vec<String>,
    key_index: Option<usize>,
    event_id: Option<String>,
    event_type: Option<String>,
    response: Option<Answer>,
}

/// A handshake's expected answer.
#[derive(Deserialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

impl Answer {
    fn matches(&self, response: &http::Response<bytes::Bytes>) -> bool {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        response.status() == self.status
            && response.body() == self.body.as_bytes()
            && self.headers.iter().all(|(name, value)| header(name) == Some(value))
            && self.content_type.as_ref().is_none_or(|expected| {
                header("content-type").is_some_and(|found| found.starts_with(expected.as_str()))
            })
    }
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_b64) {
            (_, Some(coded)) => base64::engine::general_purpose::STANDARD.decode(coded).unwrap(),
            (text, None) => text.clone().unwrap_or_default().into_bytes(),
        }
    }

    async fn run(&self, scheme: &'static Scheme) -> Result<(), String> {
        let headers: HeaderMap = self
            .headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let (body, now) = (self.body(), UnixTime(self.now));
        let secrets = self.secrets.iter().map(|secret| secret.as_str().into());
        let verifier = Verifier::new(scheme, secrets);
        let result = match &verifier {
            Ok(verifier) => verifier.verify(&headers, &body, now).map_err(|error| error.code()),
            Err(_) => Err("invalid_secret"),
        };
        match result {
            Err(code) if code == self.expect || self.error_any.iter().any(|other| other == code) => Ok(()),
            Err(code) => Err(format!("{code} instead of {}", self.expect)),
            Ok(_) if self.expect != "valid" && self.expect != "challenge" => {
                Err(format!("valid instead of {}", self.expect))
            }
            Ok(verification) => {
                if self.key_index.is_some_and(|index| index != verification.key_index) {
                    return Err(format!("secret {} matched", verification.key_index));
                }
                self.receive(verifier.map_err(|error| error.to_string())?, headers, body).await
            }
        }
    }

    /// What a receiver makes of it, for vectors that say.
    async fn receive(&self, verifier: Verifier, headers: HeaderMap, body: Vec<u8>) -> Result<(), String> {
        if self.event_id.is_none() && self.event_type.is_none() && self.response.is_none()
            || serde_json::from_slice::<serde_json::Value>(&body).is_err()
        {
            return Ok(());
        }
        let sink = Arc::new(Memory::default());
        let receiver = Receiver::builder()
            .endpoint(Endpoint::new("default", "vector", verifier))
            .sink(Arc::clone(&sink))
            .clock(FixedClock::new(UnixTime(self.now)))
            .build()
            .unwrap();
        let mut request = Request::post("/").body(Full::<bytes::Bytes>::from(body)).unwrap();
        *request.headers_mut() = headers;
        let response = receiver.receive("default", "vector", request).await;
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status()));
        }
        if let Some(expected) = &self.response {
            return if expected.matches(&response) { Ok(()) } else { Err(format!("answered {response:?}")) };
        }
        let delivery = sink.last();
        if self.event_id.as_ref().is_some_and(|id| *id != delivery.id) {
            return Err(format!("id {}", delivery.id));
        }
        if self.event_type.is_some() && self.event_type != delivery.event {
            return Err(format!("event {:?}", delivery.event));
        }
        Ok(())
    }
}

#[tokio::test]
#[ignore = "needs a file of vectors, named by CONNECT_WEBHOOK_VECTORS"]
async fn every_vector_of_a_built_in_scheme_gives_what_it_expects() {
    #[expect(clippy::disallowed_methods, reason = "the one input of this test")]
    let path = std::env::var("CONNECT_WEBHOOK_VECTORS").expect("CONNECT_WEBHOOK_VECTORS names a vector file");
    let file: File = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut run, mut failed) = (0, Vec::new());
    for vector in &file.vectors {
        let Some(scheme) = schemes::named(&vector.provider) else { continue };
        run += 1;
        if let Err(why) = vector.run(scheme).await {
            failed.push(format!("{}: {why}", vector.id));
        }
    }
    println!("{run} vectors, {} passed", run - failed.len());
    assert!(run > 0 && failed.is_empty(), "{failed:#?}");
}
