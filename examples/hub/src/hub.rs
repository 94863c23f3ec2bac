//! Store, worker and HTTP server, wired together.
//!
//! A webhook's way: route → `Receiver` (caps, signature, handshake) → store → 2xx; later worker → flow. With a database
//! the 2xx means that the event is on disk; without, events are in memory and the start-up line says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use connect_core::{Connector, Context};
use connect_flow::worker::Options;
use connect_flow::{Clock, MemoryStore, RunningWorker, Store, SystemClock, Timestamp, Worker};
use connect_store_sqlite::SqliteStore;
use connect_webhook::{BuildError, Endpoint, Receiver, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::api;
use crate::flow::Flows;
use crate::intake::Intake;
use crate::settings::Settings;

/// How long open requests may take when the hub stops: senders give up after about as long.
const HTTP_GRACE: Duration = Duration::from_secs(10);

/// How long accepted events may take when the hub stops.
const WORKER_GRACE: Duration = Duration::from_secs(30);

/// A hub at work.
pub(crate) struct Hub {
    url: String,
    store: Arc<dyn Store>,
    durability: &'static str,
    /// Absent if no service has a secret to verify webhooks with.
    receiver: Option<Receiver>,
    worker: RunningWorker,
    sweeper: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    stop: oneshot::Sender<()>,
    /// Fakes live as long as the hub.
    _settings: Arc<Settings>,
}

impl Hub {
    pub(crate) async fn start(settings: Settings, bind: SocketAddr) -> Result<Self, Failure> {
        if !bind.ip().is_loopback() && settings.api_token.is_none() {
            return Err(Failure::Usage(format!(
                "{bind} can be reached from outside: set CONNECT_API_TOKEN, or listen on a loopback address"
            )));
        }
        let listener = TcpListener::bind(bind).await.map_err(|error| cannot_listen(bind, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(bind, &error))?;

        let (store, durability): (Arc<dyn Store>, _) = match &settings.database {
            Some(place) => {
                let store = SqliteStore::open(place).map_err(|error| Failure::Failed(error.to_string()))?;
                (Arc::new(store), "disk")
            }
            None => (Arc::new(MemoryStore::default()), "memory"),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let settings = Arc::new(settings);
        let receiver = receiver(&settings, Intake::new(Arc::clone(&store), Arc::clone(&clock)))?;
        let options = Options::default()
            .with_schedule(settings.schedule.clone())
            .with_lease(settings.lease, settings.lease / 3);
        let worker =
            Worker::new(Arc::clone(&store), Arc::new(Flows::new(&settings))).options(options).start();
        announce_identities(&settings);
        let sweeper = tokio::spawn(sweep(Arc::clone(&store)));

        let (stop, stopped) = oneshot::channel();
        let api = api::routes(Arc::clone(&store), clock, settings.api_token.clone());
        let server = tokio::spawn({
            let routes = routes(receiver.clone()).merge(api);
            async move {
                let stopped = async { drop(stopped.await) };
                axum::serve(listener, routes).with_graceful_shutdown(stopped).await
            }
        });
        let url = format!("http://{address}");
        Ok(Self { url, store, durability, receiver, worker, sweeper, server, stop, _settings: settings })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where events are kept.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What a 2xx is worth.
    pub(crate) fn durability(&self) -> &'static str {
        self.durability
    }

    /// How many requests were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.receiver.as_ref().map_or(0, |receiver| receiver.counters().refused_total())
    }

    /// Serves until Ctrl-C or SIGTERM, then stops in order.
    pub(crate) async fn run_until_stopped(self) -> Result<(), Failure> {
        stop_signal().await;
        tracing::info!("stopping: no new events, finishing what was accepted; a second signal ends at once");
        tokio::select! {
            stopped = self.stop() => stopped,
            () = stop_signal() => Err(Failure::Failed("stopped at once: what was running is left to its lease".into())),
        }
    }

    /// Takes no new requests, then finishes what was accepted, both within a grace period.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let refused = self.refused();
        drop(self.stop);
        let served = match tokio::time::timeout(HTTP_GRACE, &mut self.server).await {
            Ok(served) => served,
            Err(_) => {
                tracing::warn!("some connections did not end by themselves and are cut off");
                self.server.abort();
                Ok(Ok(()))
            }
        };
        self.worker.stop(WORKER_GRACE).await;
        self.sweeper.abort();
        if let Ok(counts) = self.store.counts().await {
            let waiting = counts.pending + counts.leased;
            tracing::info!(
                waiting,
                done = counts.done,
                skipped = counts.skipped,
                dead = counts.dead,
                refused,
                "stopped"
            );
            if waiting > 0 && self.durability == "memory" {
                tracing::error!(waiting, "accepted events were not handled in time and are lost");
            }
        }
        match served {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::Failed(format!("the server failed: {error}"))),
            Err(_) => Err(Failure::Failed("the server ended unexpectedly".into())),
        }
    }
}

fn cannot_listen(bind: SocketAddr, error: &std::io::Error) -> Failure {
    let remedy = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "the port is in use: stop the other program, or choose another port with --bind (port 0 picks a free one)"
        }
        std::io::ErrorKind::PermissionDenied => {
            "no permission for this port: choose one above 1023 with --bind"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: choose another with --bind"
        }
        _ => "choose another address with --bind",
    };
    Failure::Failed(format!("cannot listen on {bind}: {remedy}"))
}

/// Every tenant has the endpoints of every service that has a verifier; `None` if no service has one.
fn receiver(settings: &Settings, intake: Intake) -> Result<Option<Receiver>, Failure> {
    let verifiers = [
        ("github", settings.github.as_ref().map(|github| &github.verifier)),
        ("slack", settings.slack.as_ref().and_then(|slack| slack.verifier.as_ref())),
        ("jira", settings.jira.as_ref().and_then(|jira| jira.verifier.as_ref())),
    ];
    let mut builder = Receiver::builder().sink(intake).timer(TokioTimer);
    for tenant in &settings.tenants {
        for (service, verifier) in &verifiers {
            if let Some(verifier) = verifier {
                builder = builder.endpoint(Endpoint::new(tenant.as_str(), *service, (*verifier).clone()));
            }
        }
    }
    match builder.build() {
        Ok(receiver) => Ok(Some(receiver)),
        Err(BuildError::NoEndpoint) => Ok(None),
        Err(other) => Err(Failure::Usage(other.to_string())),
    }
}

fn routes(receiver: Option<Receiver>) -> Router {
    let routes = Router::new().route("/health", get(health));
    let routes = match receiver {
        Some(receiver) => routes.merge(connect_webhook::axum::router(receiver)),
        None => routes,
    };
    routes.fallback(no_route)
}

async fn health() -> Json<Value> {
    Json(json!({"status": "healthy", "service": "connect"}))
}

async fn no_route() -> (StatusCode, Json<Value>) {
    let routes =
        "GET /health, POST /webhooks/{github,slack,jira}, POST /webhooks/{tenant}/{service}, /api/v1/...";
    (StatusCode::NOT_FOUND, Json(json!({"error": format!("no such route; there are {routes}")})))
}

/// Forgets ended events after the retention time, a few at a time, so that nothing else waits long.
async fn sweep(store: Arc<dyn Store>) {
    const RETENTION_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;
    const EVERY: Duration = Duration::from_secs(60);
    const BATCH: u32 = 500;
    loop {
        tokio::time::sleep(EVERY).await;
        let before = Timestamp::from_micros(SystemClock.now().as_micros().saturating_sub(RETENTION_MICROS));
        while let Ok(BATCH) = store.sweep(before, BATCH).await {}
    }
}

/// Asks each real service who the credentials are, and says so in the log: a wrong token is known now, not at the first
/// event. The hub does not wait for it.
fn announce_identities(settings: &Settings) {
    let mut connectors: Vec<Arc<dyn Connector>> = Vec::new();
    if let Some(github) = settings.github.as_ref().filter(|github| github.has_token && github.fake.is_none())
    {
        connectors.push(Arc::new(github.client.clone()));
    }
    if let Some(slack) = settings.slack.as_ref().filter(|slack| slack.fake.is_none()) {
        connectors.push(Arc::new(slack.client.clone()));
    }
    if let Some(jira) = settings.jira.as_ref().filter(|jira| jira.fake.is_none()) {
        connectors.push(Arc::new(jira.client.clone()));
    }
    for connector in connectors {
        tokio::spawn(async move {
            let service = connector.descriptor().id;
            match connector.validate_credentials(&Context::default()).await {
                Ok(identity) => {
                    let account = identity.account.unwrap_or(identity.subject);
                    tracing::info!(service, account, "credentials accepted");
                }
                Err(error) => tracing::warn!(service, error = %error, "credentials could not be checked"),
            }
        });
    }
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // No handler: the default action of SIGTERM still ends the process.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
