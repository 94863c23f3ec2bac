//! The promise under fire: `kill -9` at random moments while events come in, again and again on the same file.
//!
//! Afterwards every accepted event has had its effects exactly once: one Jira issue per shortcut, one link in its thread,
//! one Slack message per pull request; and the integration log has the last word on it. `.ci/run` runs it;
//! `CONNECT_KILLS` sets how often, `CONNECT_SEED` replays a run.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use connect_testkit::{FakeGitHub, FakeJira, FakeSlack, GitHubDelivery, SignedDelivery, SlackDelivery, post};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

const CHANNEL: &str = "C1";
const PROJECT: &str = "OPS";

struct World {
    github: FakeGitHub,
    slack: FakeSlack,
    jira: FakeJira,
    database: PathBuf,
}

impl World {
    /// A hub on the one database file, and where it listens.
    async fn start_hub(&self) -> (Child, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_connect-hub"))
            .args(["--bind", "127.0.0.1:0", "--db"])
            .arg(&self.database)
            .env_clear()
            .env("GITHUB_WEBHOOK_SECRET", self.github.webhook_secret())
            .env("SLACK_BOT_TOKEN", self.slack.token())
            .env("SLACK_SIGNING_SECRET", self.slack.signing_secret())
            .env("SLACK_API_URL", self.slack.url())
            .env("CONNECT_SLACK_CHANNEL", CHANNEL)
            .env("JIRA_BASE_URL", self.jira.url())
            .env("JIRA_EMAIL", self.jira.email())
            .env("JIRA_API_TOKEN", self.jira.token())
            .env("CONNECT_JIRA_PROJECT", PROJECT)
            .env("CONNECT_RETRY_SECONDS", "0.05,0.1,0.2,0.4,0.8,1,1,1,1,1,1,1,1,1,1")
            .env("CONNECT_SETTLE_SECONDS", "0.1")
            .env("CONNECT_LEASE_SECONDS", "0.3")
            .env("CONNECT_BREAKER_OPEN", "200ms")
            .env("CONNECT_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line =
                lines.next_line().await.unwrap().expect("the hub starts on the file its predecessor left");
            if let Some(rest) = line.strip_prefix("listening on ") {
                return (child, rest.split(' ').next().unwrap().to_owned());
            }
        }
    }

    /// Event `number`, as its provider would send it: every other one is a pull request.
    fn delivery(&self, number: usize) -> (&'static str, SignedDelivery) {
        if number.is_multiple_of(2) {
            let number = u64::try_from(number).unwrap();
            let pull = GitHubDelivery::pull_request("opened").repository("octo", "hello").number(number);
            return ("github", self.github.sign(pull.title(format!("change {number}."))));
        }
        let text = format!("shortcut {number}.");
        let ts = self.slack.add_message(CHANNEL, &text);
        let shortcut = SlackDelivery::message_action("to_jira").channel(CHANNEL, "pulls").message(&ts, &text);
        ("slack", self.slack.sign(shortcut))
    }
}

/// Sends events until told to stop, each again and again until it is acknowledged; yields how many there were.
async fn send(
    world: Arc<World>,
    hub: watch::Receiver<String>,
    stop: Arc<AtomicBool>,
    next: Arc<AtomicUsize>,
) {
    while !stop.load(Ordering::SeqCst) {
        let (service, delivery) = world.delivery(next.fetch_add(1, Ordering::SeqCst));
        loop {
            let url = format!("{}/webhooks/{service}", *hub.borrow());
            match delivery.deliver_to(&url).await {
                Ok(reply) if reply.status.is_success() => break,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn get(url: &str) -> Value {
    let none: [(&str, &str); 0] = [];
    connect_testkit::send(http_method_get(), url, &none, "").await.unwrap().json()
}

fn http_method_get() -> axum::http::Method {
    axum::http::Method::GET
}

/// Waits until every event is over, replaying what was given up because its process died too often.
async fn finish(hub: &str, database: &Path) -> u64 {
    use connect_flow::inbox::Inbox;
    let store = connect_store_sqlite::SqliteStore::open(&database.to_string_lossy()).unwrap();
    let mut replayed = 0;
    loop {
        let counts = store.counts().await.unwrap();
        if counts.pending + counts.leased > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let letters = get(&format!("{hub}/api/v1/dead-letters?limit=500")).await;
        let open: Vec<&Value> = letters["dead_letters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|letter| letter["replayed_as"].is_null())
            .collect();
        if open.is_empty() {
            return replayed;
        }
        for letter in open {
            let none: [(&str, &str); 0] = [];
            let url = format!("{hub}/api/v1/dead-letters/{}/replay", letter["id"]);
            assert_eq!(post(&url, &none, "").await.unwrap().status, 202, "{letter}");
            replayed += 1;
        }
    }
}

/// The integration log has the last word on every event: no death comes between the two.
async fn check_log(database: &Path) {
    use connect_flow::inbox::Inbox;
    use connect_flow::{Log, Slice};
    let store = connect_store_sqlite::SqliteStore::open(&database.to_string_lossy()).unwrap();
    let counts = store.counts().await.unwrap();
    let rows = store.log("default", Slice { offset: 0, limit: u32::MAX }).await.unwrap().rows;
    let of = |status: &str| rows.iter().filter(|row| row.status == status).count() as u64;
    assert_eq!((of("ok"), of("skipped"), of("dead")), (counts.done, counts.skipped, counts.dead));
    assert_eq!(rows.len() as u64, counts.done + counts.skipped + counts.dead);
}

/// How often each number stands in these texts, as `word NUMBER.`.
fn tally<'a>(texts: impl Iterator<Item = &'a str>, word: &str) -> HashMap<usize, usize> {
    let mut tally = HashMap::new();
    for text in texts {
        if let Some((_, rest)) = text.split_once(word)
            && let Some(number) = rest.split('.').next().and_then(|number| number.parse().ok())
        {
            *tally.entry(number).or_default() += 1;
        }
    }
    tally
}

#[expect(clippy::disallowed_methods, reason = "how often, and with which seed, is said from outside")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes about a minute of real time"]
async fn killed_at_random_moments_nothing_is_lost_and_nothing_doubled() {
    let (kills, seed) = (setting("CONNECT_KILLS", 200), setting("CONNECT_SEED", 4711));
    println!("{kills} kills, seed {seed}");
    let folder = std::env::temp_dir().join(format!("connect-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let world = Arc::new(World {
        github: FakeGitHub::start().await.unwrap(),
        slack: FakeSlack::start().await.unwrap(),
        jira: FakeJira::start().await.unwrap(),
        database: folder.join("hub.sqlite"),
    });
    world.slack.add_channel(CHANNEL, "pulls");
    world.jira.add_project(PROJECT);

    let mut random = fastrand::Rng::with_seed(seed);
    let (mut child, url) = world.start_hub().await;
    let (address, watched) = watch::channel(url);
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let senders: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(send(Arc::clone(&world), watched.clone(), Arc::clone(&stop), Arc::clone(&next)))
        })
        .collect();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.u64(1..200))).await;
        child.kill().await.unwrap(); // SIGKILL
        let (started, url) = world.start_hub().await;
        child = started;
        address.send(url).unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    let sent = next.load(Ordering::SeqCst);
    let replayed =
        tokio::time::timeout(Duration::from_secs(120), finish(&address.borrow().clone(), &world.database))
            .await
            .expect("everything ends");
    child.kill().await.unwrap();
    check_log(&world.database).await;

    let messages = world.slack.messages(CHANNEL);
    let posted: Vec<&str> = messages.iter().map(|message| message.text.as_str()).collect();
    let issues = world.jira.issues(PROJECT);
    let pulls = tally(posted.iter().copied(), "change ");
    let shortcuts = tally(issues.iter().map(|issue| issue.summary.as_str()), "shortcut ");
    let (mut lost, mut doubled) = (0, 0);
    for number in 0..sent {
        let effects = if number.is_multiple_of(2) { &pulls } else { &shortcuts };
        match effects.get(&number).copied().unwrap_or(0) {
            0 => lost += 1,
            1 => {}
            _ => doubled += 1,
        }
    }
    let links = posted.iter().filter(|text| text.starts_with("Created <")).count();
    println!(
        "{kills} kills, {sent} events acknowledged, {} messages, {} issues, {links} links, {replayed} replayed: \
         {lost} lost, {doubled} doubled",
        pulls.len(),
        issues.len(),
    );
    assert_eq!((lost, doubled, links), (0, 0, issues.len()), "seed {seed}");
    std::fs::remove_dir_all(&folder).unwrap();
}
