//! What it costs to ask before every attempt, when nobody has to wait: breaker, gate of the account, quota, and reading
//! what the answer says about it.
//!
//! A service that answers at once, with the layers round it and without them. Both sides replay the same request and
//! clone the same answer's head; what is reported is the difference.

use std::fmt::Write;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use connect_core::breaker::{Breaker, BreakerLayer, BreakerPolicy};
use connect_core::quota::{
    AdmitLayer, Bucket, Draws, HeaderModel, Observations, QuotaConfig, QuotaModel, QuotaPilot, Rule,
};
use connect_core::{
    Error, Head, HeaderMap, HeaderName, HeaderValue, Method, Operation, Request, Response, Safety,
    StatusCode, Url, Verdict,
};
use tower::{Layer, Service};

use crate::spread::Spread;
use crate::{Failure, allocations};

const ROUNDS: usize = 41;

/// About a millisecond's worth.
const CALLS: u32 = 2000;

const GOAL: u32 = 200;

const GET: Operation = Operation::new("issues/get", Method::GET, "/repos/o/r/issues/7", Safety::Safe);

/// What GitHub says about its limits, but for how much is left, and the date by which the reset is read. The allowance is
/// bigger than any benchmark.
const HEADERS: [(&str, &str); 5] = [
    ("date", "Thu, 12 Mar 2026 09:14:07 GMT"),
    ("x-ratelimit-limit", "1000000000"),
    ("x-ratelimit-used", "13"),
    ("x-ratelimit-reset", "1773310447"),
    ("x-ratelimit-resource", "core"),
];

/// What GitHub charges a read for, or a write, with the published limits out of reach: nobody waits here.
struct Model {
    figures: HeaderModel,
    writes: bool,
}

impl QuotaModel for Model {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        let primary = Draws::none().and(Bucket::new("core"), 1, Rule::Server);
        if !self.writes {
            return primary;
        }
        let published = Rule::Published { limit: u32::MAX, window: Duration::from_secs(60) };
        primary.and(Bucket::new("points"), 5, published).and(Bucket::new("content"), 1, published)
    }

    fn observe(&self, _sent: &Head, response: &Response, out: &mut Observations) {
        if let Some(seen) = self.figures.read(response.headers(), "core") {
            out.see(seen);
        }
    }
}

const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// Always ready. Counts down what is left, where its answers show that.
#[derive(Clone)]
struct AtOnce {
    headers: HeaderMap,
    remaining: Option<u64>,
}

impl Service<Request> for AtOnce {
    type Response = Response;
    type Error = Error;
    type Future = Ready<Result<Response, Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        drop(request);
        let mut headers = self.headers.clone();
        if let Some(remaining) = &mut self.remaining {
            *remaining -= 1;
            headers.insert(REMAINING, HeaderValue::from(*remaining));
        }
        ready(Ok(Response::new(StatusCode::OK, headers, "{}").with_verdict(Verdict::Success)))
    }
}

/// The quota's part of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let mut text = format!(
        "## Quota, breaker and gate, uncontended\n\n\
         Nanoseconds per call: median (10th..90th percentile of {ROUNDS} rounds); the difference is taken within each \
         round.\n\n\
         | draws on | with the layers | without | difference | goal: at most | allocations |\n|---|---|---|---|---|---|\n"
    );
    let request =
        Request::builder(&GET).build()?.at(Url::parse("https://api.github.com/repos/o/r/issues/7")?);
    let request = request.ok_or("the request has no body, so it can be sent again")?;
    let headers: HeaderMap = HEADERS
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let silent = AtOnce { headers: HeaderMap::new(), remaining: None };
    let telling = AtOnce { headers, remaining: Some(1_000_000_000) };
    // Without a timer nobody could wait, and a benchmark that made somebody wait could not say so.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let _inside = runtime.enter();
    for (label, mut bare, writes) in [
        ("one bucket, the answer shows no figures", silent, false),
        ("one bucket, figures in the answer's headers", telling.clone(), false),
        ("three buckets, figures in the answer's headers", telling, true),
    ] {
        eprintln!("quota: {label}");
        let pilot =
            QuotaPilot::new(Model { figures: HeaderModel::default(), writes }, QuotaConfig::default());
        let mut admitted = BreakerLayer::new(Breaker::new(BreakerPolicy::default()))
            .layer(AdmitLayer::new(pilot.clone()).layer(bare.clone()));
        // The first answer makes the buckets known, and the rest of the warm-up fills the caches.
        nanoseconds(&mut admitted, &request);
        nanoseconds(&mut bare, &request);
        let rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|round| {
                // Who goes first alternates.
                if round % 2 == 0 {
                    let first = nanoseconds(&mut admitted, &request);
                    (first, nanoseconds(&mut bare, &request))
                } else {
                    let first = nanoseconds(&mut bare, &request);
                    (nanoseconds(&mut admitted, &request), first)
                }
            })
            .collect();
        writeln!(
            text,
            "| {label} | {} | {} | {} | {GOAL} | {} |",
            Spread::of(rounds.iter().map(|(with, _)| *with)),
            Spread::of(rounds.iter().map(|(_, without)| *without)),
            Spread::of(rounds.iter().map(|(with, without)| with - without)),
            allocations_of(&mut admitted, &request) - allocations_of(&mut bare, &request),
        )?;
    }
    Ok(text)
}

/// Per call.
fn nanoseconds(
    service: &mut impl Service<Request, Response = Response, Error = Error>,
    request: &Request,
) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        send(service, request);
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn allocations_of(
    service: &mut impl Service<Request, Response = Response, Error = Error>,
    request: &Request,
) -> u64 {
    let before = allocations::so_far();
    send(service, request);
    allocations::so_far().since(before).count
}

/// Polled once: a call that had to wait would be no measurement.
fn send(service: &mut impl Service<Request, Response = Response, Error = Error>, request: &Request) {
    let request = black_box(request).replay().expect("a request without a body can be sent again");
    let mut running = pin!(service.call(request));
    let result = running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(black_box(result), Poll::Ready(Ok(_))), "nobody waits");
}
