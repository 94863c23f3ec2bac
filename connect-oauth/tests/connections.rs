//! Tokens that refresh once, whatever goes wrong meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connect_core::auth::store::{
    Fence, MemoryTokenStore, StoredToken, Swap, TokenRecord, TokenState, TokenStore,
};
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Api, Client, Credentials, Error, ErrorKind, Raw, Response, Verdict};
use connect_oauth::seal::KeyRing;
use connect_oauth::{ConnectionId, Connections, ConnectionsBuilder, NeedsReauth, OAuth, Tokens};
use connect_testkit::FakeAuthorization;
use connect_testkit::authorization::Rotation;
use futures_util::future::join_all;
use serde_json::json;
use support::{Clock, START, app, expired, key, keys, preset, problem};

fn id() -> ConnectionId {
    ConnectionId::new("fake", "acme", "crm")
}

async fn fake(rotation: Rotation) -> FakeAuthorization {
    FakeAuthorization::builder().rotation(rotation).start().await.unwrap()
}

/// What one process has: its own app and its own connections, over a store that others share.
async fn process(fake: &FakeAuthorization, store: &Arc<MemoryTokenStore>, clock: &Clock) -> Connections {
    let oauth = app(fake, json!({})).clock(clock.read()).build().unwrap();
    Connections::builder(store.clone(), keys()).app(oauth).clock(clock.read()).open().await.unwrap()
}

/// A connection whose access token has expired, and the refresh token that is still good.
async fn connect_expired(fake: &FakeAuthorization, connections: &Connections) -> String {
    let (access, refresh) = fake.issue(fake.client_id(), &["read"]);
    connections.connect(&id(), expired(&access, &refresh)).await.unwrap();
    refresh
}

fn needs_reauth(error: &Error) -> bool {
    error.details::<NeedsReauth>().is_some_and(|details| details.id == id())
}

#[tokio::test]
async fn many_callers_in_several_processes_refresh_once_and_the_tokens_are_stored_first() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let processes = join_all((0..4).map(|_| process(&fake, &store, &clock))).await;
    let old = connect_expired(&fake, &processes[0]).await;

    let callers = processes.iter().flat_map(|process| {
        let cache = process.tokens(&id()).unwrap();
        (0..50).map(move |_| cache.get())
    });
    let mut seen: Vec<String> =
        join_all(callers).await.into_iter().map(|token| token.unwrap().value().expose().to_owned()).collect();
    seen.dedup();
    assert_eq!(seen.len(), 1, "everybody has the same token");
    assert!(fake.is_alive(&seen[0]));
    assert_eq!((fake.refreshes(), fake.count("token/refresh_token"), fake.reuses()), (1, 1, 0));
    let stored = processes[1].stored(&id()).await.unwrap();
    assert_eq!(stored.access.expose(), seen[0]);
    assert!(fake.honours(stored.refresh.unwrap().expose()) && !fake.honours(&old));
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_a_newer_one_is_taken_as_it_is() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let (one, two) = (process(&fake, &store, &clock).await, process(&fake, &store, &clock).await);
    connect_expired(&fake, &one).await;
    let caches = [one.tokens(&id()).unwrap(), two.tokens(&id()).unwrap()];
    let before = [caches[0].get().await.unwrap(), caches[1].get().await.unwrap()];
    assert_eq!(fake.refreshes(), 1);
    for (cache, token) in caches.iter().zip(&before) {
        cache.invalidate(token.generation());
    }
    let after = join_all(caches.iter().map(|cache| cache.get())).await;
    let after: Vec<_> = after.into_iter().map(|token| token.unwrap().value().expose().to_owned()).collect();
    assert_eq!(after[0], after[1]);
    assert_ne!(after[0], before[0].value().expose());
    assert_eq!(
        (fake.refreshes(), fake.reuses()),
        (2, 0),
        "the second process read what the first had stored"
    );
}

#[tokio::test]
async fn a_grant_that_is_gone_needs_a_person_at_once_and_is_never_tried_again() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let told = Arc::new(AtomicU32::new(0));
    let oauth = app(&fake, json!({})).clock(clock.read()).build().unwrap();
    let counter = Arc::clone(&told);
    let connections = Connections::builder(store.clone(), keys())
        .app(oauth)
        .clock(clock.read())
        .on_needs_reauth(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        })
        .open()
        .await
        .unwrap();
    let refresh = connect_expired(&fake, &connections).await;
    assert!(fake.withdraw(&refresh));

    let error = connections.tokens(&id()).unwrap().get().await.unwrap_err();
    assert!(needs_reauth(&error), "{error}");
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(connections.status(&id()).await.unwrap().unwrap().state, TokenState::NeedsReauth);
    let other = process(&fake, &store, &clock).await;
    for connections in [&connections, &other] {
        for _ in 0..3 {
            assert!(connections.tokens(&id()).unwrap().get().await.is_err());
        }
    }
    assert_eq!((fake.count("token/refresh_token"), told.load(Ordering::SeqCst)), (1, 1));

    // A person logs in again, in the other process; that one knows at once.
    let (access, refresh) = fake.issue(fake.client_id(), &["read"]);
    other.connect(&id(), expired(&access, &refresh)).await.unwrap();
    let fresh = other.tokens(&id()).unwrap().get().await.unwrap();
    assert!(fake.is_alive(fresh.value().expose()));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_had_again_where_the_provider_has_a_leeway() {
    // Atlassian: ten minutes.
    let leeway = Rotation::Leeway(Duration::from_secs(600));
    let (fake, clock, store) = (fake(leeway).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let row = json!({"rotation": {"leeway": {"seconds": 600}}});
    let oauth = app(&fake, row).clock(clock.read()).build().unwrap();
    let connections =
        Connections::builder(store, keys()).app(oauth).clock(clock.read()).open().await.unwrap();
    connect_expired(&fake, &connections).await;
    fake.faults().on("token/refresh_token").drop_after_send();
    let token = connections.tokens(&id()).unwrap().get().await.unwrap();
    assert!(fake.is_alive(token.value().expose()));
    let stored = connections.stored(&id()).await.unwrap();
    assert!(fake.honours(stored.refresh.unwrap().expose()));
}

#[tokio::test]
async fn an_answer_that_was_lost_costs_the_grant_where_reuse_is_theft_and_says_so_in_one_call() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let connections = process(&fake, &store, &clock).await;
    let refresh = connect_expired(&fake, &connections).await;
    fake.faults().on("token/refresh_token").drop_after_send();
    let error = connections.tokens(&id()).unwrap().get().await.unwrap_err();
    assert!(needs_reauth(&error), "{error}");
    assert!(!fake.honours(&refresh));
    assert_eq!(fake.count("token/refresh_token"), 2, "asked once more, and no more");
}

#[tokio::test]
async fn a_refusal_is_not_believed_when_somebody_else_has_stored_another_grant() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let (one, two) = (process(&fake, &store, &clock).await, process(&fake, &store, &clock).await);
    let old = connect_expired(&fake, &one).await;
    let hold = connect_testkit::Hold::default();
    fake.faults().on("token/refresh_token").hold_request(&hold);
    let waiting = tokio::spawn({
        let cache = one.tokens(&id()).unwrap();
        async move { cache.get().await }
    });
    hold.reached(1).await;
    // While its request is on the way, a person logs in again and the old grant ends.
    let (access, refresh) = fake.issue(fake.client_id(), &["read"]);
    let now = clock.now();
    let fresh = Tokens::new(access.as_str(), now)
        .with_refresh(refresh)
        .with_expires_at(now + Duration::from_secs(3600));
    two.connect(&id(), fresh).await.unwrap();
    fake.withdraw(&old);
    hold.release();
    assert_eq!(waiting.await.unwrap().unwrap().value().expose(), access);
    assert_eq!(one.status(&id()).await.unwrap().unwrap().state, TokenState::Active);
}

#[tokio::test]
async fn failures_that_pass_leave_the_grant_alone() {
    for fault in ["invalid_client", "temporarily_unavailable", "brand_new_word"] {
        let (fake, clock, store) =
            (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
        let connections = process(&fake, &store, &clock).await;
        let refresh = connect_expired(&fake, &connections).await;
        fake.faults().on("token/refresh_token").oauth_error(fault).always();
        let error = connections.tokens(&id()).unwrap().get().await.unwrap_err();
        assert!(!needs_reauth(&error), "{fault}: {error}");
        assert_eq!(connections.status(&id()).await.unwrap().unwrap().state, TokenState::Active);
        fake.faults().clear();
        assert!(fake.honours(&refresh));
        let again = process(&fake, &store, &clock).await.tokens(&id()).unwrap().get().await.unwrap();
        assert!(fake.is_alive(again.value().expose()));
    }
}

#[tokio::test]
async fn tokens_that_would_die_unused_are_refreshed_once_by_whoever_looks() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let row = json!({"lifetimes": {"refresh-idle-seconds": 1000}});
    let oauth = app(&fake, row).clock(clock.read()).build().unwrap();
    let open = || Connections::builder(store.clone(), keys()).app(oauth.clone()).clock(clock.read()).open();
    let (one, two) = (open().await.unwrap(), open().await.unwrap());
    let gone = ConnectionId::new("fake", "acme", "gone");
    for id in [id(), gone.clone()] {
        let (access, refresh) = fake.issue(fake.client_id(), &["read"]);
        if id == gone {
            fake.withdraw(&refresh);
        }
        let tokens = Tokens::new(access, clock.now()).with_refresh(refresh);
        one.connect(&id, tokens.with_expires_at(clock.now() + Duration::from_secs(3600))).await.unwrap();
    }
    assert!(one.refresh_idle(10).await.unwrap().refreshed.is_empty(), "not yet");
    clock.advance(Duration::from_secs(501));
    let (first, second) = tokio::join!(one.refresh_idle(10), two.refresh_idle(10));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.refreshed.contains(&id()) || second.refreshed.contains(&id()));
    assert_eq!((fake.refreshes(), fake.reuses()), (1, 0));
    assert_eq!(one.status(&gone).await.unwrap().unwrap().state, TokenState::NeedsReauth);
    let later = one.refresh_idle(10).await.unwrap();
    assert!(later.refreshed.is_empty() && later.failed.is_empty() && !later.has_more);
}

#[tokio::test]
async fn a_record_copied_to_another_tenant_does_not_open() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let connections = process(&fake, &store, &clock).await;
    connect_expired(&fake, &connections).await;
    let row = store.load(&id().to_string()).await.unwrap().unwrap().record;
    for other in [ConnectionId::new("fake", "evil", "crm"), ConnectionId::new("fake", "acme", "other")] {
        let _ = store.compare_and_swap(&other.to_string(), None, row.clone()).await.unwrap();
        let error = connections.tokens(&other).unwrap().get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(connections.stored(&other).await.is_err());
    }
    assert_eq!(fake.count("token/refresh_token"), 0);
}

fn ring(ids: &[&str]) -> Arc<KeyRing> {
    let number = |id: &str| key(id.bytes().last().unwrap_or_default());
    let ring = KeyRing::new(ids[0], &number(ids[0])).unwrap();
    let ring = ids[1..].iter().fold(ring, |ring, id| ring.with_older(id, &number(id)).unwrap());
    Arc::new(ring)
}

#[tokio::test]
async fn a_key_is_rotated_while_refreshes_go_on_and_a_wrong_one_stops_the_start() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let oauth = app(&fake, json!({})).clock(clock.read()).build().unwrap();
    let open = |keys: Arc<KeyRing>| -> ConnectionsBuilder {
        Connections::builder(store.clone(), keys).app(oauth.clone()).clock(clock.read())
    };
    let old = open(ring(&["k1"])).open().await.unwrap();
    for number in 0..250 {
        let (access, refresh) = fake.issue(fake.client_id(), &[]);
        let id = ConnectionId::new("fake", "acme", number.to_string());
        old.connect(&id, expired(&access, &refresh)).await.unwrap();
    }
    let error = open(ring(&["k2"])).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("k1"), "{error}");

    let new = open(ring(&["k2", "k1"])).open().await.unwrap();
    let rolled_back = open(ring(&["k1"])).open().await.unwrap_err();
    assert!(rolled_back.to_string().contains("k2"), "{rolled_back}");
    let mut progress = Vec::new();
    let busy = join_all((0..20).map(|number| {
        let cache = new.tokens(&ConnectionId::new("fake", "acme", number.to_string())).unwrap();
        async move { cache.get().await }
    }));
    let (rewrapped, refreshed) = tokio::join!(new.rewrap(|seen| progress.push(seen)), busy);
    let rewrapped = rewrapped.unwrap();
    assert!(rewrapped.is_complete() && rewrapped.seen == 250, "{rewrapped:?}");
    assert!(refreshed.iter().all(Result::is_ok));
    assert_eq!(
        progress.iter().filter(|seen| **seen == 250).count(),
        2,
        "a pass that does it, and one that finds nothing"
    );
    assert!(progress.len() >= 6, "{progress:?}");
    assert_eq!(new.rewrap(|_| ()).await.unwrap().rewrapped, 0);
    assert!(new.list(None, 1000).await.unwrap().iter().all(|status| status.is_sealed_under_current_key));

    // Who has not heard of the new key does not start any more, and not after the old one is gone either.
    assert!(open(ring(&["k1"])).open().await.is_err());
    let without_the_old = open(ring(&["k2"])).open().await.unwrap();
    let last =
        without_the_old.tokens(&ConnectionId::new("fake", "acme", "249")).unwrap().get().await.unwrap();
    assert!(fake.is_alive(last.value().expose()));
    assert_eq!(fake.reuses(), 0);
}

#[tokio::test]
async fn a_connection_that_is_given_back_is_gone_at_the_provider_and_here() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let connections = process(&fake, &store, &clock).await;
    let refresh = connect_expired(&fake, &connections).await;
    connections.disconnect(&id()).await.unwrap();
    assert!(!fake.honours(&refresh));
    assert!(needs_reauth(&connections.stored(&id()).await.unwrap_err()));
    assert!(store.load(&id().to_string()).await.unwrap().unwrap().record.sealed.is_empty());
    let nobody = ConnectionId::new("fake", "acme", "nobody");
    assert!(connections.tokens(&nobody).unwrap().get().await.unwrap_err().to_string().contains("log in"));
    let no_app = ConnectionId::new("other", "acme", "crm");
    assert_eq!(connections.tokens(&no_app).unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn somebody_elses_connections_are_left_to_those_who_have_the_app() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let row = json!({"lifetimes": {"refresh-idle-seconds": 1000}});
    let ours = app(&fake, row.clone()).clock(clock.read()).build().unwrap();
    let mut theirs_row = row;
    theirs_row["id"] = "theirs".into();
    let theirs = app(&fake, theirs_row).clock(clock.read()).build().unwrap();
    let both = Connections::builder(store.clone(), keys()).app(ours.clone()).app(theirs).clock(clock.read());
    let both = both.open().await.unwrap();
    for (number, app) in ["theirs", "theirs", "theirs", "fake"].into_iter().enumerate() {
        let (access, refresh) = fake.issue(fake.client_id(), &[]);
        let tokens = Tokens::new(access, clock.now()).with_refresh(refresh);
        both.connect(&ConnectionId::new(app, "acme", number.to_string()), tokens).await.unwrap();
    }
    clock.advance(Duration::from_secs(501));
    let mine =
        Connections::builder(store.clone(), keys()).app(ours).clock(clock.read()).open().await.unwrap();
    let done = mine.refresh_idle(1).await.unwrap();
    assert_eq!((done.refreshed.len(), done.failed.len()), (1, 0), "{done:?}");
    assert_eq!(both.refresh_idle(10).await.unwrap().refreshed.len(), 3, "and they were not put off");
}

#[tokio::test]
async fn a_refresh_token_goes_to_no_other_server_than_its_own() {
    let (fake, other) = (fake(Rotation::ReuseDetected).await, FakeAuthorization::start().await.unwrap());
    let (clock, store) = (Clock::new(), Arc::new(MemoryTokenStore::default()));
    let connections = process(&fake, &store, &clock).await;
    let oauth = app(&fake, json!({})).clock(clock.read()).build().unwrap();
    let (_, refresh) = fake.issue(fake.client_id(), &[]);
    let tokens = oauth.refresh(&support::secret(&refresh)).await.unwrap();
    connections.connect(&id(), tokens).await.unwrap();
    clock.advance(Duration::from_secs(7200));
    // The same app with a variable filled in another way.
    let elsewhere = process(&other, &store, &clock).await;
    let error = elsewhere.tokens(&id()).unwrap().get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(elsewhere.disconnect(&id()).await.is_err());
    assert_eq!(other.requests().len(), 0);
    assert!(connections.tokens(&id()).unwrap().get().await.is_ok());
}

/// The provider whose resource the tokens are for.
enum Resource {}

impl Api for Resource {
    const ID: &'static str = "resource";
    const BASE_URL: &'static str = "https://resource.example";
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        Verdict::from_status(response)
    }
}

#[tokio::test]
async fn a_client_goes_on_when_its_token_is_refused_and_says_when_a_person_is_needed() {
    let (fake, clock, store) =
        (fake(Rotation::ReuseDetected).await, Clock::new(), Arc::new(MemoryTokenStore::default()));
    let connections = process(&fake, &store, &clock).await;
    connect_expired(&fake, &connections).await;
    let client = Client::<Resource>::builder()
        .base_url(fake.url())
        .credentials(Credentials::tokens(connections.tokens(&id()).unwrap()))
        .build()
        .unwrap();
    let ask = || client.send(Raw::<Resource, serde_json::Value>::get("/resource").unwrap());
    ask().await.unwrap();
    assert_eq!(fake.refreshes(), 1);

    // It ends for the provider, and by our clock it should not: one refusal, one refresh, and the call goes on.
    fake.advance_clock(Duration::from_secs(3601));
    ask().await.unwrap();
    assert_eq!((fake.refreshes(), fake.reuses()), (2, 0));

    let refresh = connections.stored(&id()).await.unwrap().refresh.unwrap();
    assert!(fake.withdraw(refresh.expose()));
    let error = ask().await.unwrap_err();
    assert!(needs_reauth(&error), "{error:#}");
    assert_eq!(error.kind(), ErrorKind::Auth);
}

// From here on in memory and in paused time.

/// A store that fails when it is told to.
#[derive(Default)]
struct Shaky {
    store: MemoryTokenStore,
    failures: AtomicU32,
    writes: Mutex<Vec<tokio::time::Instant>>,
    extended: AtomicU64,
}

#[async_trait]
impl TokenStore for Shaky {
    async fn load(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        self.store.load(key).await
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        record: TokenRecord,
    ) -> Result<Swap, Error> {
        self.writes.lock().unwrap().push(tokio::time::Instant::now());
        let fails =
            self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails.is_ok() {
            return Err(Error::new(ErrorKind::Unavailable, "the disk is full"));
        }
        self.store.compare_and_swap(key, expected, record).await
    }

    async fn lease(&self, key: &str, ttl: Duration) -> Result<Option<Fence>, Error> {
        self.store.lease(key, ttl).await
    }

    async fn extend(&self, key: &str, fence: Fence, ttl: Duration) -> Result<bool, Error> {
        self.extended.fetch_add(1, Ordering::SeqCst);
        self.store.extend(key, fence, ttl).await
    }

    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error> {
        self.store.release(key, fence).await
    }

    async fn due(&self, by: SystemTime, limit: usize) -> Result<Vec<String>, Error> {
        self.store.due(by, limit).await
    }

    async fn walk(&self, after: Option<&str>, limit: usize) -> Result<Vec<(String, StoredToken)>, Error> {
        self.store.walk(after, limit).await
    }
}

fn granted(access: &str, refresh: &str) -> Answer {
    let answer =
        json!({"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 3600});
    Answer::json(200, answer.to_string())
}

async fn scripted(store: &Arc<Shaky>, answers: Vec<Answer>) -> (Connections, Scripted) {
    let (script, clock) = (Scripted::new(answers), Clock::new());
    let oauth = OAuth::builder(preset("https://login.example", json!({})))
        .client_id("app")
        .transport(script.clone())
        .clock(clock.read())
        .build()
        .unwrap();
    let open = Connections::builder(store.clone(), keys()).app(oauth).clock(clock.read()).open();
    (open.await.unwrap(), script)
}

#[tokio::test(start_paused = true)]
async fn tokens_that_no_store_takes_are_kept_until_one_does_and_nobody_uses_the_old_ones_meanwhile() {
    let store = Arc::new(Shaky::default());
    let (connections, script) = scripted(&store, vec![granted("new", "next")]).await;
    connections.connect(&id(), expired("old", "first")).await.unwrap();
    store.failures.store(2, Ordering::SeqCst);
    let token = connections.tokens(&id()).unwrap().get().await.unwrap();
    assert_eq!(token.value().expose(), "new", "a short failure is waited out");
    assert_eq!(script.requests().len(), 1);

    let store = Arc::new(Shaky::default());
    let (connections, script) = scripted(&store, vec![granted("new", "next")]).await;
    let (other, other_script) = scripted(&store, vec![]).await;
    connections.connect(&id(), expired("old", "first")).await.unwrap();
    store.failures.store(60, Ordering::SeqCst);
    let cache = connections.tokens(&id()).unwrap();
    let error = cache.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "nothing is handed out that is not stored: {error}");
    // The lease is kept up all the while, so whoever comes waits for the new tokens.
    let waiting = other.tokens(&id()).unwrap().get();
    assert_eq!(waiting.await.unwrap().value().expose(), "new");
    connections.settle().await;
    assert_eq!(cache.get().await.unwrap().value().expose(), "new");
    assert_eq!(connections.stored(&id()).await.unwrap().refresh.unwrap().expose(), "next");
    assert_eq!(
        (script.requests().len(), other_script.requests().len()),
        (1, 0),
        "the refresh token was used once"
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_refresh_that_is_cut_off_loses_nothing() {
    let store = Arc::new(Shaky::default());
    let slow = granted("new", "next").after(Duration::from_secs(5));
    let (connections, script) = scripted(&store, vec![slow]).await;
    connections.connect(&id(), expired("old", "first")).await.unwrap();
    let stored = store.load(&id().to_string()).await.unwrap().unwrap();
    let due = stored.record.with_refresh_by(SystemTime::UNIX_EPOCH);
    let _ = store.compare_and_swap(&id().to_string(), Some(stored.version), due).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), connections.refresh_idle(10)).await.is_err());
    connections.settle().await;
    assert_eq!(connections.stored(&id()).await.unwrap().access.expose(), "new");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nothing_renews_is_given_up_after_two_refusals_and_not_after_one() {
    let store = Arc::new(Shaky::default());
    let (connections, _) = scripted(&store, vec![]).await;
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
    connections.connect(&id(), Tokens::new("for ever", then)).await.unwrap();
    let cache = connections.tokens(&id()).unwrap();
    for (pause, state) in [(0, TokenState::Active), (30, TokenState::Active), (60, TokenState::NeedsReauth)] {
        tokio::time::advance(Duration::from_secs(pause)).await;
        cache.reset();
        let token = cache.get().await.unwrap();
        cache.invalidate(token.generation());
        assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Auth);
        assert_eq!(connections.status(&id()).await.unwrap().unwrap().state, state, "after {pause} s more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_died_with_the_lease_holds_nobody_up_for_longer_than_the_lease() {
    let store = Arc::new(Shaky::default());
    let (connections, _) = scripted(&store, vec![granted("new", "next")]).await;
    connections.connect(&id(), expired("old", "first")).await.unwrap();
    let dead = store.lease(&id().to_string(), Duration::from_secs(20)).await.unwrap();
    assert!(dead.is_some());
    let begun = tokio::time::Instant::now();
    assert_eq!(connections.tokens(&id()).unwrap().get().await.unwrap().value().expose(), "new");
    assert!((20..22).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_exchange_keeps_its_lease_and_nobody_else_begins_one() {
    let store = Arc::new(Shaky::default());
    let slow = granted("new", "next").after(Duration::from_secs(28));
    let (one, script) = scripted(&store, vec![slow]).await;
    let (two, other_script) = scripted(&store, vec![]).await;
    one.connect(&id(), expired("old", "first")).await.unwrap();
    let (first, second) = tokio::join!(one.tokens(&id()).unwrap().get(), two.tokens(&id()).unwrap().get());
    assert_eq!(first.unwrap().value().expose(), "new");
    assert_eq!(second.unwrap().value().expose(), "new");
    assert_eq!((script.requests().len(), other_script.requests().len()), (1, 0));
    assert!(store.extended.load(Ordering::SeqCst) >= 4, "28 s with a lease of 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_cancels_no_exchange() {
    let store = Arc::new(Shaky::default());
    let slow = granted("new", "next").after(Duration::from_secs(5));
    let (connections, script) = scripted(&store, vec![slow]).await;
    connections.connect(&id(), expired("old", "first")).await.unwrap();
    let cache = connections.tokens(&id()).unwrap();
    let gone = tokio::time::timeout(Duration::from_secs(1), cache.get()).await;
    assert!(gone.is_err());
    tokio::time::sleep(Duration::from_secs(10)).await; // paused time
    assert_eq!(connections.stored(&id()).await.unwrap().access.expose(), "new");
    assert_eq!(cache.get().await.unwrap().value().expose(), "new");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_cannot_be_refreshed_serves_to_its_end_and_then_needs_a_person() {
    let store = Arc::new(Shaky::default());
    let (connections, script) = scripted(&store, vec![]).await;
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
    let alive = Tokens::new("alive", then).with_expires_at(then + Duration::from_secs(30));
    connections.connect(&id(), alive).await.unwrap();
    assert_eq!(connections.tokens(&id()).unwrap().get().await.unwrap().value().expose(), "alive");
    let ended = Tokens::new("ended", then - Duration::from_secs(60)).with_expires_at(then);
    let other = ConnectionId::new("fake", "acme", "ended");
    connections.connect(&other, ended).await.unwrap();
    let error = connections.tokens(&other).unwrap().get().await.unwrap_err();
    assert!(error.details::<NeedsReauth>().is_some(), "{error}");
    assert_eq!(script.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_carries_the_providers_words_and_no_token() {
    let store = Arc::new(Shaky::default());
    let refusal = json!({"error": "invalid_client", "error_description": "canary-first is not yours"});
    let (connections, _) = scripted(&store, vec![Answer::json(401, refusal.to_string())]).await;
    connections.connect(&id(), expired("canary-access", "canary-first")).await.unwrap();
    let error = connections.tokens(&id()).unwrap().get().await.unwrap_err();
    assert_eq!(problem(&error), connect_oauth::ErrorCode::InvalidClient);
    let shown = format!("{error:#} {error:?} {connections:?}");
    assert!(!shown.contains("canary"), "{shown}");
}
