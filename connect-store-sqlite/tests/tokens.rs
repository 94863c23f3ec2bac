//! Tokens and logins, for one process and for several.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use connect_core::auth::store::{LoginStore, Swap, TakenLogin, TokenRecord, TokenStore};
use connect_core::clock::{SystemClock, WallClock};
use connect_core::simulation::token_store::{check_logins, check_tokens};
use connect_core::{Error, ErrorKind, RetryAdvice};
use connect_store_sqlite::SqliteStore;
use futures_util::future::join_all;
use rusqlite::Connection;
use support::Folder;

const MINUTE: Duration = Duration::from_secs(60);

fn second(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Two processes whose machine's clock stands at second 1000.
fn two_with_a_clock(folder: &Folder) -> (SqliteStore, SqliteStore, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(1000));
    let open = || {
        let clock = Arc::clone(&seconds);
        SqliteStore::builder(&folder.file())
            .with_clock(move || second(clock.load(Ordering::Relaxed)))
            .open()
            .expect("a store")
    };
    (open(), open(), Arc::clone(&seconds))
}

fn change(folder: &Folder, sql: &str) {
    Connection::open(folder.file()).and_then(|file| file.execute_batch(sql)).expect("a change");
}

/// All that an operator may get to read of an error.
fn everything_said(error: &Error) -> String {
    let mut said = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        said += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_a_file_keeps_all_promises() {
    let folder = Folder::new();
    check_tokens(Arc::new(folder.open())).await;
    check_logins(Arc::new(folder.open())).await;
}

#[tokio::test]
async fn the_store_in_memory_keeps_all_promises() {
    let store = Arc::new(SqliteStore::open(":memory:").unwrap());
    check_tokens(store.clone()).await;
    check_logins(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_swap_in_turn_and_never_hold_the_same_lease() {
    let folder = Folder::new();
    let stores = [folder.open(), folder.open()];
    let inside = Arc::new(AtomicU32::new(0));
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (store, inside) = (stores[worker % 2].clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let mut versions = Vec::new();
                while versions.len() < 50 {
                    let Some(fence) = store.lease("k", MINUTE).await.unwrap() else {
                        tokio::task::yield_now().await;
                        continue;
                    };
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold one lease");
                    let version = store.load("k").await.unwrap().map(|stored| stored.version);
                    match store.compare_and_swap("k", version, TokenRecord::new("x")).await.unwrap() {
                        Swap::Stored(version) => versions.push(version),
                        Swap::Conflict(won) => panic!("nobody else may write: {won:?}"),
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    store.release("k", fence).await.unwrap();
                }
                versions
            })
        })
        .collect();
    let mut versions = Vec::new();
    for worker in workers {
        versions.extend(worker.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn versions_fences_and_used_logins_survive_a_restart() {
    let folder = Folder::new();
    let store = folder.open();
    let later = SystemClock.now() + MINUTE;
    assert_eq!(store.compare_and_swap("k", None, TokenRecord::new("a")).await.unwrap(), Swap::Stored(1));
    let first = TokenStore::lease(&store, "k", MINUTE).await.unwrap().unwrap();
    store.release("k", first).await.unwrap();
    LoginStore::begin(&store, "l", "x".into(), later).await.unwrap();
    assert_eq!(store.take("l").await.unwrap(), TakenLogin::Fresh("x".into()));
    store.close().await;

    let store = folder.open();
    assert_eq!(store.compare_and_swap("k", Some(1), TokenRecord::new("b")).await.unwrap(), Swap::Stored(2));
    assert!(store.lease("k", MINUTE).await.unwrap().unwrap() > first);
    assert_eq!(store.take("l").await.unwrap(), TakenLogin::Used);
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_loses_nothing() {
    let store = SqliteStore::open(":memory:").unwrap();
    assert_eq!(store.compare_and_swap("k", None, TokenRecord::new("a")).await.unwrap(), Swap::Stored(1));
    store.limit_pages(1).await.unwrap();
    let large = TokenRecord::new("canary".repeat(200_000));
    let error = store.compare_and_swap("k", Some(1), large.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!everything_said(&error).contains("canary"), "{error:?}");
    assert!(error.to_string().contains("free space"), "{error}");
    assert_eq!(store.load("k").await.unwrap().unwrap().version, 1);
    store.limit_pages(1 << 20).await.unwrap();
    assert_eq!(store.compare_and_swap("k", Some(1), large).await.unwrap(), Swap::Stored(2));
}

#[tokio::test]
async fn a_lease_ends_by_the_clock_for_other_processes_too() {
    let folder = Folder::new();
    let (one, two, clock) = two_with_a_clock(&folder);
    let first = one.lease("k", MINUTE).await.unwrap().unwrap();
    clock.store(1059, Ordering::Relaxed);
    assert_eq!(two.lease("k", MINUTE).await.unwrap(), None);
    assert!(one.extend("k", first, MINUTE).await.unwrap());
    clock.store(1118, Ordering::Relaxed);
    assert_eq!(two.lease("k", MINUTE).await.unwrap(), None, "it was extended");
    clock.store(1119, Ordering::Relaxed);
    assert!(!one.extend("k", first, MINUTE).await.unwrap(), "it has ended");
    let second = two.lease("k", MINUTE).await.unwrap().unwrap();
    assert!(second > first);
    one.release("k", first).await.unwrap();
    assert!(!one.extend("k", first, MINUTE).await.unwrap());
    assert!(two.extend("k", second, Duration::MAX).await.unwrap(), "a late release ends nobody else's lease");
    clock.store(u64::from(u32::MAX), Ordering::Relaxed);
    assert_eq!(one.lease("k", MINUTE).await.unwrap(), None);
}

#[tokio::test]
async fn logins_expire_by_the_clock_and_used_ones_are_remembered_for_an_hour() {
    let folder = Folder::new();
    let (one, two, clock) = two_with_a_clock(&folder);
    for key in ["used", "late", "again"] {
        one.begin(key, "x".into(), second(1600)).await.unwrap();
    }
    assert_eq!(two.take("used").await.unwrap(), TakenLogin::Fresh("x".into()));
    clock.store(1600, Ordering::Relaxed);
    assert_eq!(one.take("used").await.unwrap(), TakenLogin::Used);
    assert_eq!(one.take("late").await.unwrap(), TakenLogin::Unknown);
    assert_eq!(one.begin("used", "y".into(), second(2200)).await.unwrap_err().kind(), ErrorKind::Conflict);
    one.begin("again", "y".into(), second(2200)).await.unwrap();
    assert_eq!(two.take("again").await.unwrap(), TakenLogin::Fresh("y".into()));
    clock.store(1600 + 3600, Ordering::Relaxed);
    assert_eq!(one.take("used").await.unwrap(), TakenLogin::Unknown);
}

#[tokio::test]
async fn a_begin_sweeps_a_few_logins_that_are_over() {
    let folder = Folder::new();
    let (store, _, clock) = two_with_a_clock(&folder);
    store.begin("used", "x".into(), second(1600)).await.unwrap();
    store.take("used").await.unwrap();
    for number in 0..250 {
        store.begin(&number.to_string(), "x".into(), second(1600)).await.unwrap();
    }
    clock.store(1600, Ordering::Relaxed);
    let file = Connection::open(folder.file()).unwrap();
    for (round, left) in [(0, 152), (1, 53), (2, 4), (3, 5)] {
        store.begin(&format!("new {round}"), "x".into(), second(9000)).await.unwrap();
        let rows = file.query_row("SELECT count(*) FROM logins", (), |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(rows, left, "the used one is still remembered");
    }
}

#[tokio::test]
async fn a_flood_of_logins_ends_at_a_limit_and_used_ones_make_room() {
    let folder = Folder::new();
    let (store, _, _) = two_with_a_clock(&folder);
    change(
        &folder,
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
         INSERT INTO logins SELECT 'flood ' || n, x'00', 1600000000 FROM numbers",
    );
    let error = store.begin("k", "x".into(), second(1600)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, RetryAdvice::Later));
    assert!(error.to_string().contains("try again"), "{error}");
    store.take("flood 7").await.unwrap();
    store.begin("k", "x".into(), second(1600)).await.unwrap();
    assert_eq!(store.take("k").await.unwrap(), TakenLogin::Fresh("x".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_that_take_one_login_one_gets_it() {
    let folder = Folder::new();
    let stores = [folder.open(), folder.open()];
    let later = SystemClock.now() + MINUTE;
    for round in 0..20 {
        let key = round.to_string();
        stores[round % 2].begin(&key, "x".into(), later).await.unwrap();
        let takers = (0..12).map(|taker| {
            let (store, key) = (stores[taker % 2].clone(), key.clone());
            tokio::spawn(async move { store.take(&key).await.unwrap() })
        });
        let taken: Vec<_> = join_all(takers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(taken.iter().filter(|taken| matches!(taken, TakenLogin::Fresh(_))).count(), 1);
        assert_eq!(taken.iter().filter(|taken| **taken == TakenLogin::Used).count(), 11);
    }
}

#[tokio::test]
async fn a_file_that_somebody_else_writes_to_is_unavailable_until_they_are_done() {
    let folder = Folder::new();
    let store = SqliteStore::builder(&folder.file()).with_busy_timeout(Duration::ZERO).open().unwrap();
    let holder = Connection::open(folder.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.compare_and_swap("k", None, TokenRecord::new("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, RetryAdvice::Later));
    assert!(error.to_string().contains("try again later"), "{error}");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.compare_and_swap("k", None, TokenRecord::new("a")).await.unwrap(), Swap::Stored(1));
}

#[tokio::test]
async fn a_record_that_cannot_be_understood_is_an_error_and_nothing_of_it_is_shown() {
    for garbage in ["state = 'canary'", "sealed = 'canary'", "version = 'canary'", "refresh_by = 'canary'"] {
        let folder = Folder::new();
        let store = folder.open();
        let record = TokenRecord::new("canary").with_refresh_by(second(1));
        assert_eq!(store.compare_and_swap("canary", None, record).await.unwrap(), Swap::Stored(1));
        change(&folder, &format!("PRAGMA ignore_check_constraints = ON; UPDATE tokens SET {garbage}"));
        let swapped = store.compare_and_swap("canary", Some(1), TokenRecord::new("canary")).await;
        for error in [
            store.load("canary").await.unwrap_err(),
            store.walk(None, 1).await.unwrap_err(),
            swapped.map(drop).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Config, RetryAdvice::Never), "{garbage}");
            assert!(error.to_string().contains("restore a backup"), "{error}");
            assert!(!everything_said(&error).contains("canary"), "{garbage}: {error:?}");
        }
    }
}
