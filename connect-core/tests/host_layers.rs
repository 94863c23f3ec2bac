//! A host's own tower layers, outside and inside of ours.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use connect_core::breaker::{Breaker, BreakerLayer, BreakerPolicy, BreakerState};
use connect_core::classify::ClassifyLayer;
use connect_core::quota::{
    AdmitLayer, Bucket, Draws, Observations, QuotaConfig, QuotaModel, QuotaPilot, Rule,
};
use connect_core::retry::RetryLayer;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Error, Head, HeaderMap, Operation, Request, Response, RetryPolicy, StatusCode, Verdict};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use weather::{Ask, builder};

#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

#[derive(Clone)]
struct Counted<S>(S, Arc<AtomicU32>);

impl<S> Layer<S> for Count {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted(inner, Arc::clone(&self.0))
    }
}

impl<S: Service<Request>> Service<Request> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_layer_sees_the_operation_and_an_attempt_layer_each_attempt() {
    let transport = Scripted::new([Answer::status(502), Answer::status(502), Answer::json(200, "{}")]);
    let (outside, inside) = (Count::default(), Count::default());
    let client =
        builder(&transport).operation_layer(outside.clone()).attempt_layer(inside.clone()).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    assert_eq!((outside.0.load(Ordering::Relaxed), inside.0.load(Ordering::Relaxed)), (1, 3));
}

/// A host's own service that fails every third time.
#[tokio::test(start_paused = true)]
async fn our_retry_breaker_and_quota_serve_a_hosts_own_service() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let host = service_fn(move |_request: Request| {
        let fails = counted.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let status = if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        async move { Ok::<_, Error>(Response::new(status, HeaderMap::new(), "42")) }
    });
    let pilot = QuotaPilot::new(TenASecond, QuotaConfig::default());
    let breaker = Breaker::new(BreakerPolicy::default());
    let mut service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::default(), 7))
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(AdmitLayer::new(pilot.clone()))
        .layer(ClassifyLayer::new(Verdict::from_status))
        .service(host);
    let begun = Instant::now();
    for _ in 0..25 {
        let request = Request::builder(&Ask::read().0).build().unwrap();
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let attempts = calls.load(Ordering::Relaxed);
    assert!((37..=38).contains(&attempts), "{attempts}");
    assert!(begun.elapsed() >= Duration::from_secs(3), "ten a second: {:?}", begun.elapsed());
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(pilot.status()[0].in_flight, 0);
}

struct TenASecond;

impl QuotaModel for TenASecond {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        let window = Duration::from_secs(1);
        Draws::none().and(Bucket::new("calls"), 1, Rule::Published { limit: 10, window })
    }

    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}
