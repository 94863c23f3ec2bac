//! Files that are not opened, and what is said about them.

mod support;

use std::fs;
use std::time::Duration;

use connect_flow::StoreErrorKind;
use connect_flow::inbox::{Inbox, Receipt};
use connect_store_sqlite::SqliteStore;
use rusqlite::Connection;
use support::{Folder, at, event};

/// Refused as corrupt, with words that say what to do, and left as it was.
fn is_refused(folder: &Folder, words: &str) {
    let before = fs::read(folder.file()).expect("the file");
    let error = SqliteStore::open(&folder.file()).expect_err("a refusal");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(fs::read(folder.file()).expect("the file"), before);
}

fn change(folder: &Folder, sql: &str) {
    Connection::open(folder.file()).and_then(|file| file.execute_batch(sql)).expect("a change");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = Folder::new();
    folder.open().close().await;
    change(&folder, "INSERT INTO migrations VALUES (1000, 'of the future')");
    is_refused(&folder, "use the newer version");
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let folder = Folder::new();
    folder.open().close().await;
    change(&folder, "UPDATE migrations SET checksum = 'another'");
    is_refused(&folder, "is not the one this version knows");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = Folder::new();
    fs::write(folder.file(), "Dear diary, ".repeat(1_000)).unwrap();
    is_refused(&folder, "not a database");
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let folder = Folder::new();
    folder.open().close().await;
    let mut bytes = fs::read(folder.file()).unwrap();
    bytes[100..4096].fill(0xA5);
    fs::write(folder.file(), bytes).unwrap();
    is_refused(&folder, "restore a backup");
}

#[test]
fn a_database_of_another_program_is_refused() {
    for sql in ["CREATE TABLE notes (text)", "PRAGMA application_id = 7; CREATE TABLE notes (text)"] {
        let folder = Folder::new();
        change(&folder, sql);
        is_refused(&folder, "another program");
    }
}

#[test]
fn a_folder_that_does_not_exist_is_unavailable() {
    let folder = Folder::new();
    let error = SqliteStore::open(&format!("{}/no/store.db", folder.file())).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_locked_file_cannot_be_opened() {
    let folder = Folder::new();
    folder.open().close().await;
    let holder = Connection::open(folder.file()).unwrap();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let error = SqliteStore::builder(&folder.file()).with_busy_timeout(Duration::ZERO).open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("another program holds the file"), "{error}");
}

#[tokio::test]
async fn a_store_that_somebody_else_writes_to_is_unavailable_until_they_are_done() {
    let folder = Folder::new();
    let store = SqliteStore::builder(&folder.file()).with_busy_timeout(Duration::ZERO).open().unwrap();
    let holder = Connection::open(folder.file()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.accept(event("acme", "1"), at(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert_eq!(store.counts().await.unwrap().pending, 0);
    holder.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(store.accept(event("acme", "1"), at(1)).await.unwrap(), Receipt::Accepted(_)));
}
