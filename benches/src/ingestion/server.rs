//! The Rust servers, each run as a process of its own: what is measured, and what it is measured by.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connect_flow::inbox::Inbox;
use connect_flow::{InboxSink, SystemClock};
use connect_store_sqlite::SqliteStore;
use connect_webhook::{
    Acceptance, Delivery, Endpoint, Receiver, Sink, SinkError, UnixTime, Verified, Verifier, async_trait,
    schemes,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::Failure;
use crate::ingestion::delivery::{PATH, SECRET};

/// Prints the address, then serves until the input ends. Each line of input is answered with how many events the store
/// holds and how many transactions that took.
pub(crate) fn serve(name: &str, file: &str) -> Result<(), Failure> {
    // As `#[tokio::main]` makes it: one worker per core.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let verifier = Verifier::new(&schemes::GITHUB, [SECRET.into()])?;
        let (routes, store) = match name {
            "bare" => (bare(verifier), None),
            "group" | "each" => {
                let store = SqliteStore::open(file)?;
                let inbox = InboxSink::new(Arc::new(store.clone()), Arc::new(SystemClock));
                let routes = match name {
                    "group" => durable(verifier, inbox)?,
                    _ => durable(verifier, OneByOne { inbox, turn: Mutex::new(()) })?,
                };
                (routes, Some(store))
            }
            _ => return Err(format!("no server is called {name}").into()),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let mut asked = BufReader::new(tokio::io::stdin()).lines();
        while asked.next_line().await?.is_some() {
            let store = store.as_ref().ok_or("this server stores nothing")?;
            println!("{} {}", store.counts().await?.pending, store.commits());
        }
        server.abort();
        Ok(())
    })
}

/// What a careful program writes by hand: the same verification, and no more.
fn bare(verifier: Verifier) -> Router {
    Router::new().route(PATH, post(verify)).with_state(Arc::new(verifier))
}

async fn verify(State(verifier): State<Arc<Verifier>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // GitHub signs no time, so any will do.
    match verifier.verify(&headers, &body, UnixTime(0)) {
        Ok(_) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::UNAUTHORIZED,
    }
}

/// As the hub has it: the answer goes out after the commit.
fn durable(verifier: Verifier, sink: impl Sink + 'static) -> Result<Router, Failure> {
    let endpoint = Endpoint::new(connect_webhook::axum::DEFAULT_TENANT, "github", verifier);
    let receiver = Receiver::builder().sink(sink).endpoint(endpoint).build()?;
    Ok(connect_webhook::axum::router(receiver))
}

/// Lets one delivery at a time into the inbox, so that each is a commit of its own: the same store without its group
/// commit, which cannot be switched off.
struct OneByOne {
    inbox: InboxSink,
    turn: Mutex<()>,
}

#[async_trait]
impl Sink for OneByOne {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let _turn = self.turn.lock().await;
        self.inbox.accept(delivery).await
    }
}
