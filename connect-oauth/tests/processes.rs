//! Two real processes on one SQLite file, and a server that takes the second use of a refresh token for theft.
//!
//! The processes are this test binary run again: [`process_of_callers`] is what they do. The long one is ignored, because
//! it starts a hundred processes; CI runs it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use connect_core::Config;
use connect_core::auth::store::TokenState;
use connect_oauth::{ConnectionId, Connections, NeedsReauth, OAuth, Tokens};
use connect_store_sqlite::SqliteStore;
use connect_testkit::FakeAuthorization;
use connect_testkit::authorization::Rotation;
use futures_util::future::join_all;
use serde_json::json;
use support::{keys, preset};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Set for the processes: the server, the client's id and secret, the file, the connection, how many callers, and the
/// lease in milliseconds.
const JOB: &str = "CONNECT_TEST_JOB";

/// For kills: so short that a survivor waits little.
const SHORT_LEASE: Duration = Duration::from_millis(700);

/// Where nobody dies: so long that no process loses it on the busiest machine.
const LEASE: Duration = Duration::from_secs(20);

fn oauth(url: &str, client: &str, secret: &str) -> OAuth {
    OAuth::builder(preset(url, json!({})))
        .client_id(client)
        .client_secret(secret)
        .config(Config::default())
        .build()
        .unwrap()
}

async fn open(file: &str, oauth: OAuth, lease: Duration) -> Connections {
    let store = Arc::new(SqliteStore::open(file).unwrap());
    Connections::builder(store, keys()).app(oauth).lease(lease).open().await.unwrap()
}

/// Not a test by itself: what each process does. Says `ready`, waits for a line, lets its callers go, and says what each
/// got.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the other tests as a process of its own"]
async fn process_of_callers() {
    let Ok(job) = std::env::var(JOB) else { return };
    let job: Vec<&str> = job.split('|').collect();
    let [url, client, secret, file, connection, callers, lease] = job[..] else {
        panic!("a job has seven parts")
    };
    let lease = Duration::from_millis(lease.parse().unwrap());
    let connections = open(file, oauth(url, client, secret), lease).await;
    let cache = connections.tokens(&ConnectionId::new("fake", "acme", connection)).unwrap();
    println!("\nready");
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await.unwrap();
    let outcomes = join_all((0..callers.parse().unwrap()).map(|_| cache.get())).await;
    for outcome in outcomes {
        match outcome {
            Ok(token) => println!("\ntoken {}", token.value().expose()),
            Err(error) if error.details::<NeedsReauth>().is_some() => println!("\nreauth"),
            Err(error) => println!("\nfailed {error:#}"),
        }
    }
    println!("\nend");
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    async fn start(fake: &FakeAuthorization, file: &str, connection: &str, lease: Duration) -> Self {
        let secret = fake.client_secret().unwrap();
        let (url, client, lease) = (fake.url(), fake.client_id(), lease.as_millis());
        let job = format!("{url}|{client}|{secret}|{file}|{connection}|100|{lease}");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process_of_callers", "--ignored", "--nocapture"])
            .env(JOB, job)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next_line().await.unwrap().expect("it says that it is ready") != "ready" {}
        Self { child, lines }
    }

    async fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"go\n").await.unwrap();
    }

    /// What its callers got.
    async fn outcomes(&mut self) -> Vec<String> {
        let mut outcomes = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            match line.as_str() {
                "end" => break,
                line if ["token ", "reauth", "failed "].iter().any(|word| line.starts_with(word)) => {
                    outcomes.push(line.to_owned());
                }
                _ => {}
            }
        }
        outcomes
    }
}

/// A file that is gone with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("connect-oauth-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> String {
        self.0.join("tokens.db").to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Stores a connection whose access token has expired; yields its refresh token.
async fn connect(connections: &Connections, fake: &FakeAuthorization, connection: &str) -> String {
    let (access, refresh) = fake.issue(fake.client_id(), &[]);
    let then = SystemTime::now() - Duration::from_secs(7200);
    let tokens = Tokens::new(access, then)
        .with_refresh(refresh.as_str())
        .with_expires_at(then + Duration::from_secs(3600));
    connections.connect(&ConnectionId::new("fake", "acme", connection), tokens).await.unwrap();
    refresh
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_callers_in_two_processes_refresh_once_and_nobody_fails() {
    let folder = Folder::new("callers");
    let fake = FakeAuthorization::builder().rotation(Rotation::ReuseDetected).start().await.unwrap();
    fake.faults().on("token/refresh_token").delay(Duration::from_millis(50)).always();
    let connections =
        open(&folder.file(), oauth(fake.url(), fake.client_id(), fake.client_secret().unwrap()), LEASE).await;
    let old = connect(&connections, &fake, "crm").await;
    let mut one = Process::start(&fake, &folder.file(), "crm", LEASE).await;
    let mut two = Process::start(&fake, &folder.file(), "crm", LEASE).await;
    tokio::join!(one.go(), two.go());
    let (first, second) = tokio::join!(one.outcomes(), two.outcomes());
    let outcomes: Vec<_> = first.into_iter().chain(second).collect();
    assert_eq!(outcomes.len(), 200);
    let distinct: HashSet<_> = outcomes.iter().collect();
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    let token = outcomes[0].strip_prefix("token ").unwrap_or_else(|| panic!("{}", outcomes[0]));
    assert!(fake.is_alive(token));
    assert_eq!((fake.refreshes(), fake.count("token/refresh_token"), fake.reuses()), (1, 1, 0));
    assert!(!fake.honours(&old));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "starts a hundred processes and kills half of them; CI runs it"]
async fn a_process_killed_at_any_moment_leaves_a_grant_that_works_or_says_that_it_needs_a_person() {
    let rounds: u64 = std::env::var("CONNECT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(50);
    let seed = std::env::var("CONNECT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
    println!("seed {seed} (CONNECT_SEED replays the moments)");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = Folder::new("kills");
    // Atlassian accepts a used refresh token for ten minutes more: there, no kill may cost the grant.
    let leeway = Rotation::Leeway(Duration::from_secs(600));
    let mut tally = std::collections::BTreeMap::<&str, u32>::new();
    for (name, rotation) in [("reuse is theft", Rotation::ReuseDetected), ("ten minutes of leeway", leeway)] {
        let fake = FakeAuthorization::builder().rotation(rotation).start().await.unwrap();
        fake.faults().on("token/refresh_token").delay(Duration::from_millis(20)).always();
        let app = oauth(fake.url(), fake.client_id(), fake.client_secret().unwrap());
        let connections = open(&folder.file(), app, SHORT_LEASE).await;
        for round in 0..rounds.div_ceil(2) {
            let connection = format!("{name} {round}").replace(' ', "-");
            let id = ConnectionId::new("fake", "acme", connection.as_str());
            connect(&connections, &fake, &connection).await;
            let asked_before = fake.count("token/refresh_token");
            let file = folder.file();
            let (mut victim, mut survivor) = tokio::join!(
                Process::start(&fake, &file, &connection, SHORT_LEASE),
                Process::start(&fake, &file, &connection, SHORT_LEASE),
            );
            // Mostly the victim goes first, so that it is the one with the lease.
            victim.go().await;
            tokio::time::sleep(Duration::from_millis(random.u64(0..4))).await;
            survivor.go().await;
            tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
            victim.child.kill().await.unwrap();
            let outcomes = survivor.outcomes().await;
            assert_eq!(outcomes.len(), 100, "{name} {round}");
            let distinct: HashSet<_> = outcomes.iter().collect();
            assert_eq!(distinct.len(), 1, "{name} {round}: {distinct:?}");
            let stored = connections.status(&id).await.unwrap().unwrap();
            let asked = fake.count("token/refresh_token") - asked_before;
            assert!(asked <= 3, "{name} {round}: asked {asked} times: a loop");
            match outcomes[0].as_str() {
                "reauth" => {
                    assert!(
                        matches!(rotation, Rotation::ReuseDetected),
                        "{round}: with a leeway no kill costs the grant"
                    );
                    assert_eq!(stored.state, TokenState::NeedsReauth, "{name} {round}");
                    // Nothing that was given up would still have worked.
                    let refresh = connections.stored(&id).await.unwrap().refresh.unwrap();
                    assert!(!fake.honours(refresh.expose()), "{name} {round}: given up while it was good");
                    *tally.entry("needs a person: the answer died with its process").or_default() += 1;
                }
                outcome => {
                    let token =
                        outcome.strip_prefix("token ").unwrap_or_else(|| panic!("{name} {round}: {outcome}"));
                    assert!(fake.is_alive(token), "{name} {round}");
                    let refresh = connections.stored(&id).await.unwrap().refresh.unwrap();
                    assert!(fake.honours(refresh.expose()), "{name} {round}: what is stored works");
                    *tally.entry("works").or_default() += 1;
                }
            }
        }
    }
    println!("{rounds} kills: {tally:?}");
}
