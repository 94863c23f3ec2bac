//! What several test files need: a sink that remembers, a receiver at a fixed time, signed requests.

#![allow(dead_code, reason = "every test file uses another part")]

pub(crate) mod sample;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connect_webhook::{
    Acceptance, Delivery, Endpoint, FixedClock, Receiver, Scheme, Sink, SinkError, UnixTime, Verified,
    Verifier, async_trait, sign,
};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;

pub(crate) const NOW: UnixTime = UnixTime(1_750_000_000);
pub(crate) const SECRET: &str = "It's a Secret to Everybody";

/// Keeps what it is given; answers what it was told to.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) taken: Mutex<Vec<Delivery>>,
    pub(crate) answers: Mutex<Vec<Result<Acceptance, SinkError>>>,
}

impl Memory {
    pub(crate) fn answering(answer: Result<Acceptance, SinkError>) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), answers: Mutex::new(vec![answer]) })
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> Delivery {
        self.taken.lock().unwrap().last().cloned().expect("the sink was not reached")
    }
}

#[async_trait]
impl Sink for Memory {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        self.taken.lock().unwrap().push(delivery.into_inner());
        self.answers.lock().unwrap().pop().unwrap_or(Ok(Acceptance::Accepted))
    }
}

pub(crate) fn verifier(scheme: &'static Scheme) -> Verifier {
    Verifier::new(scheme, [SECRET.into()]).unwrap()
}

/// A receiver at [`NOW`] with one endpoint, `default` and the scheme's name.
pub(crate) fn receiver(scheme: &'static Scheme, sink: Arc<Memory>) -> Receiver {
    receiver_at(Endpoint::new("default", &*scheme.name, verifier(scheme)), sink)
}

pub(crate) fn receiver_at(endpoint: Endpoint, sink: Arc<Memory>) -> Receiver {
    Receiver::builder().endpoint(endpoint).sink(sink).clock(FixedClock::new(NOW)).build().unwrap()
}

/// A correctly signed JSON request, made at [`NOW`].
pub(crate) fn signed(scheme: &Scheme, body: &str) -> Request<Full<Bytes>> {
    signed_at(scheme, body, NOW)
}

pub(crate) fn signed_at(scheme: &Scheme, body: &str, now: UnixTime) -> Request<Full<Bytes>> {
    let mut request = Request::post("/").body(Full::from(body.to_owned())).unwrap();
    *request.headers_mut() = sign(scheme, &SECRET.into(), body.as_bytes(), now).unwrap();
    request
}

pub(crate) fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

pub(crate) fn headers<const N: usize>(pairs: [(&'static str, &str); N]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value.parse().unwrap());
    }
    headers
}

pub(crate) fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

/// Everything that is logged while its guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
