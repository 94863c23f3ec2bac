//! The same two Rust servers without their sockets: what the receiver adds, to the nanosecond and the allocation.
//!
//! The servers' processor time is mostly the kernel's, and noisy. Here a request goes straight into the router, whole,
//! and the answer is dropped.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use connect_webhook::{UnixTime, schemes, sign};
use http::{HeaderValue, Request, StatusCode};
use tokio::runtime::Runtime;
use tower::Service;

use crate::ingestion::delivery::{Event, PATH, SECRET};
use crate::webhooks::alternate::Rounds;
use crate::webhooks::{EVENTS, server};
use crate::{Failure, allocations};

const ROUNDS: usize = 41;

/// About a millisecond's worth.
const CALLS: u32 = 300;

/// The last table.
pub(crate) fn table() -> Result<String, Failure> {
    let mut text = String::from(
        "\nThe routers alone, without sockets; nanoseconds per request, making the request included.\n\n\
         | body | connect | bare axum, ring | difference | allocations | bare's |\n|---|---|---|---|---|---|\n",
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Routers are called by `&mut`, one after the other.
    let (mut connect, mut bare) = (server::connect()?, server::bare());
    for event in &EVENTS {
        eprintln!("receiving without sockets: {}", event.name);
        let template = request(event)?;
        allocations::rest();
        let rounds = Rounds::measure(
            ROUNDS,
            || nanoseconds(&runtime, &mut connect, &template),
            || nanoseconds(&runtime, &mut bare, &template),
        )?;
        writeln!(
            text,
            "| {} bytes, `{}` | {} | {} | {} | {} | {} |",
            event.body.len(),
            event.name,
            rounds.ours(),
            rounds.theirs(),
            rounds.difference(),
            allocations_of(&runtime, &mut connect, &template)?,
            allocations_of(&runtime, &mut bare, &template)?,
        )?;
    }
    Ok(text)
}

/// With the headers that GitHub sends.
fn request(event: &Event) -> Result<Request<Bytes>, Failure> {
    let mut request = Request::post(PATH).body(Bytes::from_static(event.body.as_bytes()))?;
    *request.headers_mut() = sign(&schemes::GITHUB, &SECRET.into(), event.body.as_bytes(), UnixTime(0))?;
    let length = event.body.len().to_string();
    let headers = [
        ("host", "127.0.0.1:8080"),
        ("user-agent", "GitHub-Hookshot/0c1d2e3"),
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-github-event", event.name),
        ("x-github-hook-id", "292430182"),
        ("x-github-hook-installation-target-id", "724712"),
        ("x-github-hook-installation-target-type", "repository"),
    ];
    for (name, value) in headers {
        request.headers_mut().insert(name, HeaderValue::from_str(value)?);
    }
    Ok(request)
}

async fn call(router: &mut Router, template: &Request<Bytes>) -> Result<(), Failure> {
    let response = router.call(template.clone().map(Body::from)).await?;
    if black_box(&response).status() != StatusCode::ACCEPTED {
        return Err(format!("a delivery was refused: {}", response.status()).into());
    }
    Ok(())
}

fn nanoseconds(runtime: &Runtime, router: &mut Router, template: &Request<Bytes>) -> Result<f64, Failure> {
    runtime.block_on(async {
        let start = Instant::now();
        for _ in 0..CALLS {
            call(router, template).await?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS))
    })
}

/// Of one request less what making it allocates.
fn allocations_of(runtime: &Runtime, router: &mut Router, template: &Request<Bytes>) -> Result<u64, Failure> {
    runtime.block_on(async {
        let before = allocations::so_far();
        call(router, template).await?;
        let called = allocations::so_far();
        drop(black_box(template.clone().map(Body::from)));
        let made = allocations::so_far();
        Ok(called.since(before).count - made.since(called).count)
    })
}
