//! Inbox, worker and HTTP server, wired together.
//!
//! A webhook's way: route → `Receiver` (caps, signature, handshake) → inbox → 2xx; later worker → flow. The inbox is in
//! memory, so what was accepted and not yet handled is lost when the process dies; the start-up line says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use connect_core::{Connector, Context};
use connect_flow::{InboxSink, MemoryInbox, RunningWorker, Worker};
use connect_webhook::{BuildError, Endpoint, Receiver, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Failure;
use crate::flow::Flows;
use crate::settings::Settings;

/// How long open requests may take when the hub stops: senders give up after about as long.
const HTTP_GRACE: Duration = Duration::from_secs(10);

/// How long accepted events may take when the hub stops.
const WORKER_GRACE: Duration = Duration::from_secs(30);

/// A hub at work.
pub(crate) struct Hub {
    url: String,
    inbox: Arc<MemoryInbox>,
    /// Absent if no service has a secret to verify webhooks with.
    receiver: Option<Receiver>,
    worker: RunningWorker,
    server: JoinHandle<std::io::Result<()>>,
    stop: oneshot::Sender<()>,
    /// Fakes live as long as the hub.
    _settings: Arc<Settings>,
}

impl Hub {
    pub(crate) async fn start(settings: Settings, bind: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(bind).await.map_err(|error| cannot_listen(bind, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(bind, &error))?;

        let settings = Arc::new(settings);
        let inbox = Arc::new(MemoryInbox::default());
        let receiver = receiver(&settings, Arc::clone(&inbox))?;
        let worker = Worker::new(Arc::clone(&inbox), Arc::new(Flows::new(&settings))).start();
        announce_identities(&settings);

        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn({
            let routes = routes(receiver.clone());
            async move {
                let stopped = async { drop(stopped.await) };
                axum::serve(listener, routes).with_graceful_shutdown(stopped).await
            }
        });
        let url = format!("http://{address}");
        Ok(Self { url, inbox, receiver, worker, server, stop, _settings: settings })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn inbox(&self) -> &Arc<MemoryInbox> {
        &self.inbox
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
            () = stop_signal() => Err(Failure::Failed("stopped at once: what was still waiting is lost".into())),
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
        let lost = self.worker.stop_within(WORKER_GRACE).await;
        if lost > 0 {
            tracing::error!(
                lost,
                "accepted events were not handled in time and are lost: events are kept in memory"
            );
        }
        let events = self.inbox.counts();
        tracing::info!(
            done = events.done,
            skipped = events.skipped,
            failed = events.failed,
            duplicates = events.duplicates,
            refused,
            "stopped"
        );
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
fn receiver(settings: &Settings, inbox: Arc<MemoryInbox>) -> Result<Option<Receiver>, Failure> {
    let verifiers = [
        ("github", settings.github.as_ref().map(|github| &github.verifier)),
        ("slack", settings.slack.as_ref().and_then(|slack| slack.verifier.as_ref())),
        ("jira", settings.jira.as_ref().and_then(|jira| jira.verifier.as_ref())),
    ];
    let mut builder = Receiver::builder().sink(InboxSink::new(inbox)).timer(TokioTimer);
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
    let routes = "GET /health, POST /webhooks/{github,slack,jira}, POST /webhooks/{tenant}/{service}";
    (StatusCode::NOT_FOUND, Json(json!({"error": format!("no such route; there are {routes}")})))
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
    if let Some(client) = settings.jira.as_ref().and_then(|jira| jira.client.clone()) {
        connectors.push(Arc::new(client));
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
