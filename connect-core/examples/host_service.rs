//! Our retry, breaker and quota layers round a service of the host's own: here one that answers out of a table, and fails
//! now and then. No client, no provider, no network.
//!
//! `cargo run -p connect-core --example host_service`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect_core::breaker::{Breaker, BreakerLayer, BreakerPolicy};
use connect_core::classify::ClassifyLayer;
use connect_core::quota::{
    AdmitLayer, Bucket, Draws, Observations, QuotaConfig, QuotaModel, QuotaPilot, Rule,
};
use connect_core::retry::RetryLayer;
use connect_core::{
    Error, Head, HeaderMap, Method, Operation, Request, Response, RetryPolicy, Safety, StatusCode, Verdict,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// The host's service takes ten calls a second, and says so nowhere.
struct TenASecond;

impl QuotaModel for TenASecond {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        let window = Duration::from_secs(1);
        Draws::none().and(Bucket::new("calls"), 1, Rule::Published { limit: 10, window })
    }

    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}

const LOOK_UP: Operation = Operation::new("look-up", Method::GET, "/table/{key}", Safety::Safe);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let calls = Arc::new(AtomicU32::new(0));
    let host = service_fn(move |_request: Request| {
        let fails = calls.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let status = if fails { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        async move { Ok::<_, Error>(Response::new(status, HeaderMap::new(), "42")) }
    });
    let mut service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::default(), 7))
        .layer(BreakerLayer::new(Breaker::new(BreakerPolicy::default())))
        .layer(AdmitLayer::new(QuotaPilot::new(TenASecond, QuotaConfig::default())))
        .layer(ClassifyLayer::new(Verdict::from_status))
        .service(host);

    let begun = tokio::time::Instant::now();
    for number in 0..25 {
        let request = Request::builder(&LOOK_UP).path("key", number).build()?;
        let response = service.ready().await?.call(request).await?;
        println!("{number:>2} {} after {:.2} s", response.status(), begun.elapsed().as_secs_f64());
    }
    Ok(())
}
