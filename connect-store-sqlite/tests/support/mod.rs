//! A folder for each test, gone when the test is.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use connect_flow::inbox::{AttemptEnd, ClaimRequest, Ended};
use connect_flow::{Envelope, Timestamp};
use connect_store_sqlite::SqliteStore;

static FOLDERS: AtomicU64 = AtomicU64::new(0);

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("connect-store-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The path of the store in it.
    pub(crate) fn file(&self) -> String {
        self.0.join("store.db").to_str().expect("a path in UTF-8").to_owned()
    }

    pub(crate) fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.file()).expect("a store")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub(crate) fn event(tenant: &str, key: impl Into<String>) -> Envelope {
    Envelope::new(tenant, "github", "push", key, r#"{"a":1}"#)
}

/// Claims at a second, for a minute.
pub(crate) fn claim(seconds: i64, most: usize) -> ClaimRequest {
    ClaimRequest { now: at(seconds), until: at(seconds + 60), most, per_tenant: 1_000 }
}

pub(crate) fn end(seconds: i64, ended: Ended) -> AttemptEnd {
    let target = "slack".to_owned();
    AttemptEnd { at: at(seconds), ended, class: String::new(), message: String::new(), target }
}
