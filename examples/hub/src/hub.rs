//! Store, worker and HTTP server, wired together.
//!
//! A webhook's way: route → `Receiver` (caps, signature, handshake) → store → 2xx; later worker → flow. With a database
//! the 2xx means that the event is on disk; without, events are in memory and the start-up line says so.

use std::convert::Infallible;
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

/// How long ended events are kept, with their bodies: as long as a dedupe key is known.
const EVENT_DAYS: i64 = 7;

/// How long the log is kept: a quarter, because people ask late and its rows are small.
const LOG_DAYS: i64 = 90;

/// A hub at work.
pub(crate) struct Hub {
    url: String,
    store: Arc<dyn Store>,
    durability: &'static str,
    /// Absent if no service has a secret to verify webhooks with.
    receiver: Option<Receiver>,
    worker: RunningWorker,
    sweeper: JoinHandle<()>,
    /// One for each hook whose failed deliveries are asked for.
    redelivery: Vec<JoinHandle<Infallible>>,
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
        let (store, durability): (Arc<dyn Store>, _) = match &settings.database {
            Some(place) => {
                let store = SqliteStore::open(place).map_err(|error| Failure::Failed(error.to_string()))?;
                (Arc::new(store), if place.ends_with(":memory:") { "memory" } else { "disk" })
            }
            None => (Arc::new(MemoryStore::default()), "memory"),
        };
        Self::start_on(listener, store, durability, settings)
    }

    /// A hub on a listener and a store that are there already.
    fn start_on(
        listener: TcpListener,
        store: Arc<dyn Store>,
        durability: &'static str,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let address = listener.local_addr().map_err(|error| {
            Failure::Failed(format!(
                "where the hub listens is unknown: {error}; choose another address with --bind"
            ))
        })?;
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
        let redelivery = settings.github.as_ref().and_then(|github| {
            Some(github.redelivery.as_ref()?.start(&github.client, settings.database.as_deref()))
        });

        let (stop, stopped) = oneshot::channel();
        let api = api::routes(Arc::clone(&store), clock, settings.api_token.clone(), &settings.tenants);
        let server = tokio::spawn({
            let routes = routes(receiver.clone()).merge(api);
            async move {
                let stopped = async { drop(stopped.await) };
                axum::serve(listener, routes).with_graceful_shutdown(stopped).await
            }
        });
        let url = format!("http://{address}");
        let redelivery = redelivery.unwrap_or_default();
        let _settings = settings;
        Ok(Self { url, store, durability, receiver, worker, sweeper, redelivery, server, stop, _settings })
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
        // Nothing is lost with a pass: the next hub goes on.
        self.redelivery.iter().for_each(JoinHandle::abort);
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

/// Forgets ended events and rows of the log after their retention times, a few at a time, so that nothing else waits
/// long.
async fn sweep(store: Arc<dyn Store>) {
    const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;
    const EVERY: Duration = Duration::from_secs(60);
    const BATCH: u32 = 500;
    loop {
        tokio::time::sleep(EVERY).await;
        let now = SystemClock.now().as_micros();
        let before = |days: i64| Timestamp::from_micros(now.saturating_sub(days * DAY_MICROS));
        while let Ok(BATCH) = store.sweep(before(EVENT_DAYS), BATCH).await {}
        while let Ok(BATCH) = store.sweep_log(before(LOG_DAYS), BATCH).await {}
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;
    use connect_flow::inbox::Counts;
    use connect_flow::{Inbox, Log, Schedule, Slice};
    use connect_testkit::{FakeGitHub, FakeSlack, GitHubDelivery, Reply};
    use futures_util::future::join_all;

    use super::*;
    use crate::settings::{FAKE_CHANNEL, GitHubSettings, SlackSettings};

    /// Far longer than anything here takes; only a hang ends it.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// With 8 KB, so that a few fill the disk.
    fn delivery(number: u64) -> GitHubDelivery {
        let pull = GitHubDelivery::pull_request("opened").repository("octo", "hello").number(number);
        pull.title(format!("change {number}."))
            .body("x".repeat(8_000))
            .delivery_id(format!("delivery-{number}"))
    }

    fn asks_to_come_again(reply: &Reply) {
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (503, Some("5")),
            "{}",
            reply.text()
        );
    }

    /// The dedupe keys of everything that is stored, by way of the log, which has a row of every event.
    async fn stored(store: &SqliteStore) -> BTreeSet<String> {
        let log = store.log("default", Slice { offset: 0, limit: 10_000 }).await.unwrap();
        let mut keys = BTreeSet::new();
        for row in log.rows {
            keys.insert(store.event("default", row.event).await.unwrap().unwrap().envelope.dedupe_key);
        }
        let Counts { pending, leased, done, skipped, dead } = store.counts().await.unwrap();
        assert_eq!(keys.len() as u64, pending + leased + done + skipped + dead);
        keys
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_full_disk_the_hub_answers_503_and_acknowledges_nothing_that_is_not_stored() {
        let folder = std::env::temp_dir().join(format!("connect-hub-full-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = SqliteStore::open(&folder.join("hub.db").to_string_lossy()).unwrap();
        let github = Arc::new(FakeGitHub::start().await.unwrap());
        let slack = Arc::new(FakeSlack::start().await.unwrap());
        let settings = Settings {
            github: Some(GitHubSettings::fake(Arc::clone(&github)).unwrap()),
            slack: Some(SlackSettings::fake(Arc::clone(&slack)).unwrap()),
            jira: None,
            tenants: BTreeSet::from(["default".to_owned()]),
            actions: None,
            database: None,
            api_token: None,
            schedule: Schedule::new([Duration::from_millis(100); 50]),
            settle: Duration::from_millis(100),
            lease: Duration::from_secs(1),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub = Hub::start_on(listener, Arc::new(store.clone()), "disk", settings).unwrap();
        let url = format!("{}/webhooks/github", hub.url());

        // The disk has room for about a dozen. In bursts, so that several share one transaction.
        let size = store.limit_pages(1).await.unwrap();
        store.limit_pages(size + 40).await.unwrap();
        let (mut acknowledged, mut refused) = (BTreeSet::new(), Vec::new());
        for burst in 0..25 {
            let numbers = (0..4).map(|number| burst * 4 + number);
            let replies = join_all(
                numbers.map(async |number| (number, github.deliver(&url, delivery(number)).await.unwrap())),
            );
            for (number, reply) in replies.await {
                if reply.status.is_success() {
                    acknowledged.insert(format!("delivery-{number}"));
                } else {
                    asks_to_come_again(&reply);
                    refused.push(number);
                }
            }
            if !refused.is_empty() {
                break;
            }
        }
        assert!(!acknowledged.is_empty() && !refused.is_empty(), "{acknowledged:?} {refused:?}");
        assert_eq!(stored(&store).await, acknowledged, "what is stored while the disk is full");
        let handed_in = json!({
            "source_service": "github", "target_service": "slack", "event_type": "push",
            "payload": {"text": "x".repeat(500_000)},
        });
        let api = format!("{}/api/v1/integrations", hub.url());
        let json = [("content-type", "application/json")];
        asks_to_come_again(
            &connect_testkit::send(Method::POST, &api, &json, handed_in.to_string()).await.unwrap(),
        );

        // Space again, and nothing is restarted: senders come again, and everything ends.
        store.limit_pages(1_000_000).await.unwrap();
        assert_eq!(stored(&store).await, acknowledged, "what is stored once there is space");
        for number in refused {
            assert_eq!(github.deliver(&url, delivery(number)).await.unwrap().status, 202);
            acknowledged.insert(format!("delivery-{number}"));
        }
        assert_eq!(stored(&store).await, acknowledged, "what is stored in the end");
        let all_done = async {
            while store.counts().await.unwrap().done < acknowledged.len() as u64 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, all_done).await.expect("every event is dealt with");
        assert_eq!(slack.messages(FAKE_CHANNEL).len(), acknowledged.len(), "one message for each");
        hub.stop().await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
