//! Stores that an older version made are brought up to date when they are opened.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::time::Duration;

use connect_core::auth::store::{Swap, TokenRecord, TokenStore};
use connect_flow::inbox::{Inbox, Receipt};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use support::{Folder, at, claim, event};

/// The first schema and its checksum: whoever edits it shuts out every store there is.
const START: &str = include_str!("../src/schema/0001_start.sql");
const START_SUM: &str = "cbf8521969c145bcab4af8981f0ed6747cd923a4c7ab95ee8b5d8536f4747b48";

/// How many schemas there are by now.
const NEWEST: i64 = 3;

/// What a version left behind that knew nothing but the first schema, with one event in it.
fn old(folder: &Folder) {
    let file = Connection::open(folder.file()).expect("a file");
    let migration = format!("INSERT INTO migrations VALUES (1, '{START_SUM}');");
    file.execute_batch(&[
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; BEGIN;
         CREATE TABLE migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) WITHOUT ROWID;
         PRAGMA application_id = 1129202516;",
        START,
        &migration,
        "INSERT INTO events (tenant, source, dedupe_key, schema_version, event_type, body, received_at_seconds, target,
                             accepted_at, state, run_at, due_at)
         VALUES ('acme', 'github', 'old', 1, 'push', x'7b7d', 1, '', 1, 'pending', 1, 1);
         COMMIT;",
    ]
    .join("\n"))
    .expect("a store of the first schema");
}

fn schemas(folder: &Folder) -> i64 {
    let file = Connection::open(folder.file()).expect("a file");
    file.query_row("SELECT count(*) FROM migrations", (), |row| row.get(0)).expect("a number")
}

#[test]
fn the_first_schema_was_not_edited() {
    let digest = Sha256::digest(START.replace('\r', ""));
    assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), START_SUM);
}

#[tokio::test]
async fn a_store_of_the_first_schema_keeps_its_events_and_takes_tokens() {
    let folder = Folder::new();
    old(&folder);
    let store = folder.open();
    assert_eq!(schemas(&folder), NEWEST);
    assert!(matches!(store.accept(event("acme", "old"), at(2)).await.unwrap(), Receipt::Duplicate(..)));
    let claims = store.claim(claim(3, 9)).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].envelope.schema_version, &claims[0].envelope.replay_key), (1, &None));
    assert_eq!(&*claims[0].envelope.scheme, "github", "that of the source");
    assert_eq!(store.compare_and_swap("k", None, TokenRecord::new("a")).await.unwrap(), Swap::Stored(1));
    assert!(store.lease("k", Duration::from_secs(60)).await.unwrap().is_some());
    store.close().await;
    folder.open().close().await;
    assert_eq!(schemas(&folder), NEWEST, "brought up to date once");
}

#[tokio::test]
async fn a_store_of_the_first_schema_learns_to_recognise_captured_deliveries() {
    let folder = Folder::new();
    old(&folder);
    let store = folder.open();
    let captured = |key: &str| {
        let mut event = event("acme", key);
        event.replay_key = Some("signature:1".to_owned());
        event
    };
    assert!(matches!(store.accept(captured("new"), at(2)).await.unwrap(), Receipt::Accepted(_)));
    assert!(matches!(store.accept(captured("newer"), at(2)).await.unwrap(), Receipt::Duplicate(..)));
    assert!(matches!(store.accept(event("acme", "newest"), at(2)).await.unwrap(), Receipt::Accepted(_)));
    store.close().await;
}

#[test]
fn many_processes_bring_one_store_up_to_date() {
    let folder = Folder::new();
    old(&folder);
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6).map(|_| scope.spawn(|| folder.open())).collect();
        for opened in opening {
            opened.join().unwrap();
        }
    });
    assert_eq!(schemas(&folder), NEWEST);
}
