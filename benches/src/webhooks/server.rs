//! The Rust servers, each run as a process of its own, and the routers in them.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connect_webhook::{
    Acceptance, Delivery, Endpoint, Receiver, Sink, SinkError, Verified, Verifier, async_trait, schemes,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

use crate::Failure;
use crate::ingestion::delivery::{PATH, SECRET};
use crate::webhooks::ring;

/// Prints the address, then serves until the input ends.
pub(crate) fn serve(name: &str) -> Result<(), Failure> {
    // As `#[tokio::main]` makes it: one worker per core.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let routes = match name {
            "connect" => connect()?,
            "bare" => bare(),
            _ => return Err(format!("no server is called {name}").into()),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut input = BufReader::new(tokio::io::stdin()).lines();
        while input.next_line().await?.is_some() {}
        server.abort();
        Ok(())
    })
}

/// The receiver as its own router mounts it.
pub(crate) fn connect() -> Result<Router, Failure> {
    let verifier = Verifier::new(&schemes::GITHUB, [SECRET.into()])?;
    let endpoint = Endpoint::new(connect_webhook::axum::DEFAULT_TENANT, "github", verifier);
    let receiver = Receiver::builder().sink(Nowhere).endpoint(endpoint).build()?;
    Ok(connect_webhook::axum::router(receiver))
}

/// What is written by hand: headers and body from axum's extractors, a verification, a status.
pub(crate) fn bare() -> Router {
    Router::new().route(PATH, post(verify))
}

async fn verify(headers: HeaderMap, body: Bytes) -> StatusCode {
    if ring::verify(SECRET, &headers, &body) { StatusCode::ACCEPTED } else { StatusCode::UNAUTHORIZED }
}

/// Takes every delivery and drops it.
struct Nowhere;

#[async_trait]
impl Sink for Nowhere {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        Ok(Acceptance::Accepted)
    }
}
