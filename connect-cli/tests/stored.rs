//! `connect call` with the tokens of a connection that somebody logged in to.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use connect_oauth::seal::KeyRing;
use connect_oauth::{ConnectionId, Connections, OAuth, Preset, Tokens};
use connect_store_sqlite::SqliteStore;
use connect_testkit::FakeGitHub;

mod terminal;
use terminal::{Said, terminal};

const KEYS: &str = "k1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

const GET: &[&str] =
    &["call", "github", "issues/get", "--args", r#"{"owner":"octo","repo":"hello","issue_number":1}"#];

/// A file of tokens, with the connection `github/default/work` in it.
struct Store(PathBuf);

impl Store {
    async fn new(token: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("connect-stored-{}-{number}.db", std::process::id()));
        let keys = KeyRing::from_vars(|name| (name == "CONNECT_SEAL_KEYS").then(|| KEYS.to_owned())).unwrap();
        let app = OAuth::builder(Preset::find("github").unwrap())
            .client_id("id")
            .client_secret("s")
            .build()
            .unwrap();
        let store = SqliteStore::open(file.to_str().unwrap()).unwrap();
        let connections =
            Connections::builder(Arc::new(store), Arc::new(keys)).app(app).open().await.unwrap();
        let work = ConnectionId::new("github", "default", "work");
        connections.connect(&work, Tokens::new(token, SystemTime::UNIX_EPOCH)).await.unwrap();
        Self(file)
    }

    async fn call(&self, fake: &FakeGitHub, more_vars: &[(&str, &str)], more: &[&str]) -> Said {
        let file = self.0.to_str().unwrap();
        let vars =
            [("CONNECT_SEAL_KEYS", KEYS), ("CONNECT_DATABASE_URL", file), ("GITHUB_API_URL", fake.url())];
        terminal(&[&vars, more_vars].concat(), "", &[GET, more].concat()).await
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

const APP: &[(&str, &str)] = &[("GITHUB_CLIENT_ID", "id"), ("GITHUB_CLIENT_SECRET", "s")];

async fn fake() -> FakeGitHub {
    let fake = FakeGitHub::builder().token("canary-stored").start().await.unwrap();
    fake.add_issue("octo", "hello", "Title");
    fake
}

#[tokio::test]
async fn a_connection_is_used_by_its_name() {
    let fake = fake().await;
    let store = Store::new("canary-stored").await;
    // The one that is named wins over the environment's token.
    let vars = [APP, &[("GITHUB_TOKEN", "another")]].concat();
    let said = store.call(&fake, &vars, &["--name", "work", "--explain"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fake.requests()[0].credential(), Some("canary-stored"));
    assert!(!said.err.contains("canary"), "{}", said.err);
}

#[tokio::test]
async fn what_is_missing_for_it_is_named() {
    let fake = fake().await;
    let store = Store::new("canary-stored").await;
    let without_app = store.call(&fake, &[], &["--name", "work"]).await;
    assert_eq!(without_app.code, 2);
    assert!(without_app.err.contains("GITHUB_CLIENT_ID"), "{}", without_app.err);
    let unknown = store.call(&fake, APP, &["--name", "home"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("no connection github/default/home"), "{}", unknown.err);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn without_a_name_the_environments_token_goes_first() {
    let fake = fake().await;
    let store = Store::new("canary-stored").await;
    let said = store.call(&fake, &[APP, &[("GITHUB_TOKEN", "canary-stored")]].concat(), &[]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    // There is none called `github`: GitHub is asked without a token, and that is said.
    let said = store.call(&fake, APP, &[]).await;
    assert!(said.err.contains("no connection github/default/github"), "{}", said.err);
    assert_eq!(fake.requests()[1].credential(), None);
}
