//! Nothing that can be printed shows a secret, a signature or a body.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};

use connect_webhook::{
    Acceptance, Endpoint, FixedClock, Receiver, SinkError, Trust, UnixTime, Verified, Verifier, schemes, sign,
};
use http::Request;
use http_body_util::Full;
use support::{Memory, NOW, headers, with};

const SECRET: &str = "canary-secret-4711";
const OTHER: &str = "canary-secret-4712";
const BODY: &str = r#"{"type":"x","password":"canary-body-4711"}"#;

/// Everything written to a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(|error| format!("{error} {error:?} {error:#?}\n")).collect()
}

/// The signature as text, whatever its prefix.
fn signature(headers: &http::HeaderMap, name: &str) -> String {
    headers[name].to_str().unwrap().split('=').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn debug_and_errors_show_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut shown = String::new();
    let mut signatures = Vec::new();
    // Whitespace at an end, so that the warning about it is written, too.
    let padded = format!("{SECRET}\n");

    for scheme in schemes::ALL {
        let (signature_header, source) = match &scheme.signature {
            connect_webhook::scheme::Source::Header(name) => (name.to_ascii_lowercase(), &*scheme.name),
            _ => unreachable!("no other place yet"),
        };
        let verifier = Verifier::new(*scheme, [padded.as_str().into(), SECRET.into()]).unwrap();
        let good = sign(scheme, &SECRET.into(), BODY.as_bytes(), NOW).unwrap();
        let forged = sign(scheme, &OTHER.into(), BODY.as_bytes(), NOW).unwrap();
        let stale = sign(scheme, &SECRET.into(), BODY.as_bytes(), UnixTime(7)).unwrap();
        for headers in [&good, &forged, &stale] {
            signatures.push(signature(headers, &signature_header));
            // `http` itself hides a value that is marked sensitive.
            shown += &format!("{headers:?}");
        }
        shown += &format!("{scheme:?} {verifier:?} {verifier:#?}");

        let mut malformed = good.clone();
        let bare = signatures.last().unwrap().parse().unwrap();
        malformed.insert(http::HeaderName::try_from(&*signature_header).unwrap(), bare);
        let mut doubled = good.clone();
        let name = http::HeaderName::try_from(&*signature_header).unwrap();
        doubled.append(name, forged[&*signature_header].clone());

        let sink = Memory::answering(Err(SinkError::new("full")));
        sink.answers.lock().unwrap().push(Ok(Acceptance::Accepted));
        let receiver = Receiver::builder()
            .endpoint(Endpoint::new("default", source, verifier.clone()))
            .sink(Arc::clone(&sink))
            .clock(FixedClock::new(NOW))
            .build()
            .unwrap();
        for headers in [&good, &good, &forged, &stale, &malformed, &doubled, &headers([])] {
            if let Err(error) = verifier.verify(headers, BODY.as_bytes(), NOW) {
                shown += &with_causes(&error);
            }
            let mut request = Request::post("/").body(Full::<bytes::Bytes>::from(BODY)).unwrap();
            *request.headers_mut() = headers.clone();
            for request in [request.clone(), with(request, "content-type", "text/plain")] {
                let response = receiver.receive("default", source, request).await;
                shown += &format!("{response:?}");
            }
        }
        let delivery = sink.last();
        shown += &format!("{receiver:?} {delivery:?} {:?}", Verified::trust(delivery.clone(), Trust::Test));
        shown += &format!("{:?} {:?}", receiver.counters(), verifier.open(&good, BODY, NOW).map(|_| ()));
        shown += &format!("{:?}", delivery.json::<u8>().unwrap_err().to_string());
    }
    for secrets in [vec![], vec![SECRET, ""]] {
        let error = Verifier::new(&schemes::GITHUB, secrets.into_iter().map(Into::into)).unwrap_err();
        shown += &with_causes(&error);
    }

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["whitespace", "signature_mismatch", "webhook verified", "webhook not taken"] {
        assert!(logged.contains(expected), "the log was not captured: {expected}\n{logged}");
    }
    for canary in [SECRET, OTHER, "canary-body"].into_iter().chain(signatures.iter().map(String::as_str)) {
        assert!(!shown.contains(canary), "{canary} in:\n{shown}");
        assert!(!logged.contains(canary), "{canary} in the log:\n{logged}");
    }
}
