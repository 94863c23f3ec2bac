//! What every [`TokenStore`] and [`LoginStore`] must do, as a test for its author: run it against an empty store.
//!
//! ```
//! use std::sync::Arc;
//! use connect_core::auth::store::{MemoryLoginStore, MemoryTokenStore};
//! use connect_core::simulation::token_store;
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! token_store::check_tokens(Arc::new(MemoryTokenStore::default())).await;
//! token_store::check_logins(Arc::new(MemoryLoginStore::default())).await;
//! # });
//! ```

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::auth::store::{LoginStore, StoredToken, Swap, TakenLogin, TokenRecord, TokenState, TokenStore};
use crate::error::ErrorKind;

const MINUTE: Duration = Duration::from_secs(60);

/// Keys that a store may stumble over.
const KEYS: [&str; 9] = [
    "app/acme/jira",
    "app/acme/jira ",
    "APP/ACME/JIRA",
    "app/o'neil/\"x\"",
    "app/%_/*",
    "app/日本/ü",
    "app/\0/\n",
    "a",
    "\u{10ffff}",
];

/// How many at once.
const CROWD: usize = 24;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

/// Checks a [`TokenStore`]. Its leases run on real time, none of which is waited for.
///
/// # Panics
/// Where the store does otherwise, saying what it should have done.
pub async fn check_tokens(store: Arc<dyn TokenStore>) {
    versions(&*store).await;
    records_come_back_as_they_were(&*store).await;
    leases(&*store).await;
    one_swap_of_many_wins(&store).await;
    one_lease_of_many_is_given(&store).await;
    due(&*store).await;
    walk(&*store).await;
}

/// Checks a [`LoginStore`], whose clock must be the real one.
///
/// # Panics
/// Where the store does otherwise, saying what it should have done.
#[allow(clippy::disallowed_methods, reason = "the store under test has the real clock too")]
pub async fn check_logins(store: Arc<dyn LoginStore>) {
    let later = SystemTime::now() + 10 * MINUTE;
    let earlier = SystemTime::now() - MINUTE;
    assert_eq!(store.take("nobody").await.expect("take"), TakenLogin::Unknown);
    for key in KEYS {
        let sealed = Bytes::copy_from_slice(key.as_bytes());
        store.begin(key, sealed.clone(), later).await.expect("begin");
        let twice = store.begin(key, Bytes::new(), later).await.expect_err("a key is begun once");
        assert_eq!(twice.kind(), ErrorKind::Conflict, "a key that is there already is a conflict");
        assert_eq!(store.take(key).await.expect("take"), TakenLogin::Fresh(sealed), "{key}: as it was kept");
        assert_eq!(store.take(key).await.expect("take"), TakenLogin::Used, "{key}: given out once");
    }
    let (long, large) = ("k".repeat(1024), Bytes::from(vec![7; 64 * 1024]));
    store.begin(&long, large.clone(), later).await.expect("begin");
    assert!(
        store.take(&long).await.expect("take") == TakenLogin::Fresh(large),
        "64 KiB under a key of 1 KiB"
    );

    store.begin("expired", Bytes::from_static(b"x"), earlier).await.expect("begin");
    let expired = store.take("expired").await.expect("take");
    assert_eq!(expired, TakenLogin::Unknown, "nothing expired is given out");
    store
        .begin("expired", Bytes::from_static(b"y"), later)
        .await
        .expect("the key of an expired login is free");
    let again = store.take("expired").await.expect("take");
    assert_eq!(again, TakenLogin::Fresh(Bytes::from_static(b"y")), "and what expired is gone");

    store.begin("crowd", Bytes::from_static(b"x"), later).await.expect("begin");
    let takers: Vec<_> = (0..CROWD)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.take("crowd").await.expect("take") })
        })
        .collect();
    let mut fresh = 0;
    for taker in takers {
        fresh += usize::from(matches!(taker.await.expect("no panic"), TakenLogin::Fresh(_)));
    }
    assert_eq!(fresh, 1, "of many who take one login, one gets it");
}

async fn swap(store: &dyn TokenStore, key: &str, expected: Option<u64>, record: TokenRecord) -> u64 {
    match store.compare_and_swap(key, expected, record).await.expect("compare_and_swap") {
        Swap::Stored(version) => version,
        Swap::Conflict(won) => {
            panic_with(&format!("a swap that expects what is there is a conflict with {won:?}"))
        }
    }
}

#[allow(clippy::panic, reason = "a failed check of a test suite")]
fn panic_with(why: &str) -> ! {
    panic!("{why}")
}

async fn versions(store: &dyn TokenStore) {
    assert_eq!(store.load("versions").await.expect("load"), None, "an empty store has nothing");
    let first = swap(store, "versions", None, TokenRecord::new("a")).await;
    let second = swap(store, "versions", Some(first), TokenRecord::new("b")).await;
    assert!(second > first, "versions grow");
    for stale in [None, Some(first), Some(second + 1)] {
        let outcome = store.compare_and_swap("versions", stale, TokenRecord::new("c")).await.expect("swap");
        let won = StoredToken::new(second, TokenRecord::new("b"));
        assert_eq!(outcome, Swap::Conflict(Some(won)), "a conflict brings what is stored");
    }
    let absent = store.compare_and_swap("nothing", Some(1), TokenRecord::new("c")).await.expect("swap");
    assert_eq!(absent, Swap::Conflict(None), "an absent record is a conflict too");
}

async fn records_come_back_as_they_were(store: &dyn TokenStore) {
    let records = [
        TokenRecord::new(Bytes::new()),
        TokenRecord::new((0..=255).cycle().take(64 * 1024).collect::<Vec<u8>>()),
        TokenRecord::new("a").with_state(TokenState::NeedsReauth),
        TokenRecord::new("b").with_expires_at(at(0) + Duration::from_millis(123)).with_refresh_by(at(7)),
    ];
    for key in KEYS {
        let mut version = None;
        for record in &records {
            version = Some(swap(store, key, version, record.clone()).await);
            let stored = store.load(key).await.expect("load");
            let expected = StoredToken::new(version.unwrap_or_default(), record.clone());
            assert_eq!(stored, Some(expected), "{key}: as it was written");
        }
    }
    let long = "k".repeat(1024);
    swap(store, &long, None, TokenRecord::new("long")).await;
    assert!(store.load(&long).await.expect("load").is_some(), "a key of a kilobyte is a key");
}

async fn leases(store: &dyn TokenStore) {
    let lease = |key: &'static str, ttl| async move { store.lease(key, ttl).await.expect("lease") };
    let Some(first) = lease("leases", MINUTE).await else { panic_with("a lease that nobody has is given") };
    assert_eq!(lease("leases", MINUTE).await, None, "a lease is given once");
    assert!(lease("other lease", MINUTE).await.is_some(), "each key has its own");
    assert!(store.extend("leases", first, MINUTE).await.expect("extend"), "its holder may extend it");
    assert!(!store.extend("other lease", first, MINUTE).await.expect("extend"), "and no other key's");
    store.release("leases", first).await.expect("release");
    assert!(!store.extend("leases", first, MINUTE).await.expect("extend"), "what has ended is not extended");
    let Some(second) = lease("leases", Duration::ZERO).await else { panic_with("a released lease is free") };
    assert!(second > first, "fences grow");
    assert!(!store.extend("leases", second, MINUTE).await.expect("extend"), "an ended lease is not extended");
    let Some(third) = lease("leases", MINUTE).await else { panic_with("an ended lease is free") };
    assert!(third > second, "fences grow");
    store.release("leases", first).await.expect("release");
    store.release("leases", second).await.expect("release");
    assert_eq!(lease("leases", MINUTE).await, None, "a late release ends nobody else's lease");
    assert_eq!(store.load("leases").await.expect("load"), None, "a lease is no record");
}

async fn one_swap_of_many_wins(store: &Arc<dyn TokenStore>) {
    let mut version = None;
    for round in 0..4 {
        let writers: Vec<_> = (0..CROWD)
            .map(|writer| {
                let store = Arc::clone(store);
                let record = TokenRecord::new(format!("{round} {writer}"));
                tokio::spawn(
                    async move { store.compare_and_swap("crowd", version, record).await.expect("swap") },
                )
            })
            .collect();
        let mut stored = Vec::new();
        for writer in writers {
            if let Swap::Stored(version) = writer.await.expect("no panic") {
                stored.push(version);
            }
        }
        assert_eq!(stored.len(), 1, "of many who expect one version, one writes");
        version = stored.pop();
    }
}

async fn one_lease_of_many_is_given(store: &Arc<dyn TokenStore>) {
    let askers: Vec<_> = (0..CROWD)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.lease("crowd", MINUTE).await.expect("lease") })
        })
        .collect();
    let mut given = 0;
    for asker in askers {
        given += usize::from(asker.await.expect("no panic").is_some());
    }
    assert_eq!(given, 1, "of many who ask for one lease, one gets it");
}

async fn due(store: &dyn TokenStore) {
    let rows = [
        ("due/c", Some(30)),
        ("due/a", Some(20)),
        ("due/b", Some(10)),
        ("due/never", None),
        ("due/later", Some(99)),
    ];
    for (key, seconds) in rows {
        let mut record = TokenRecord::new("x");
        record.refresh_by = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        swap(store, key, None, record).await;
    }
    let reauth =
        TokenRecord::new("x").with_refresh_by(SystemTime::UNIX_EPOCH).with_state(TokenState::NeedsReauth);
    swap(store, "due/reauth", None, reauth).await;
    let by = SystemTime::UNIX_EPOCH + Duration::from_secs(30);
    assert_eq!(
        store.due(by, 10).await.expect("due"),
        ["due/b", "due/a", "due/c"],
        "active and due, earliest first"
    );
    assert_eq!(store.due(by, 2).await.expect("due"), ["due/b", "due/a"], "and no more than asked for");
    assert!(store.due(by, 0).await.expect("due").is_empty());
    // Renewed, and without a date from now on.
    swap(store, "due/b", Some(1), TokenRecord::new("y")).await;
    assert_eq!(
        store.due(by, 10).await.expect("due"),
        ["due/a", "due/c"],
        "what was renewed is no longer due"
    );
}

async fn walk(store: &dyn TokenStore) {
    let mut walked = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.walk(after.as_deref(), 3).await.expect("walk");
        assert!(page.len() <= 3, "a page is no longer than asked for");
        let Some((last, stored)) = page.last() else { break };
        // Checked here, because a walk that stands still would never end.
        let goes_on = page.first().is_some_and(|(first, _)| after.as_ref().is_none_or(|after| after < first));
        assert!(goes_on, "a page begins behind the last one");
        let loaded = store.load(last).await.expect("load");
        assert_eq!(loaded.as_ref(), Some(stored), "{last}: as it was written");
        // Written in the middle of the walk: again, and new ones where it has been.
        swap(store, last, Some(stored.version), stored.record.clone()).await;
        swap(store, &format!(" {}", walked.len()), None, TokenRecord::new("new")).await;
        after = Some(last.clone());
        walked.extend(page.into_iter().map(|(key, _)| key));
    }
    let in_order = walked.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes());
    assert!(in_order, "in the order of the keys' bytes, each once");
    for key in KEYS {
        assert!(walked.iter().any(|walked| walked == key), "{key} is left out");
    }
    assert_eq!(store.walk(Some("\u{10ffff}\u{10ffff}"), 3).await.expect("walk"), []);
}
