//! What every store promises.

mod support;

use std::sync::Mutex;

use connect_flow::conformance;
use connect_store_sqlite::SqliteStore;
use support::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_a_file_keeps_all_promises() {
    let folders = Mutex::new(Vec::new());
    conformance::run(|| async {
        let folder = Folder::new();
        let store = folder.open();
        folders.lock().unwrap().push(folder);
        store
    })
    .await;
}

#[tokio::test]
async fn the_store_in_memory_keeps_all_promises() {
    conformance::run(|| async { SqliteStore::open(":memory:").unwrap() }).await;
}
