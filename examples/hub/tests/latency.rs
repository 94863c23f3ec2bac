//! How long an event takes from acceptance to the end of its handling, with healthy fakes: 100 events a second for ten
//! seconds, every one a signed delivery, a durable commit and a Slack message. Prints the figures; `--ignored`, because it
//! takes real time and the figure is the machine's.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Stdio;
use std::time::Duration;

use connect_flow::inbox::Inbox;
use connect_flow::{Log, Slice};
use connect_store_sqlite::SqliteStore;
use connect_testkit::{FakeSlack, GitHubDelivery};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{MissedTickBehavior, interval};

const EVENTS: u32 = 1_000;
const PER_SECOND: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten seconds of real time"]
async fn accepted_to_handled_at_100_events_a_second() {
    let folder = std::env::temp_dir().join(format!("connect-latency-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = folder.join("hub.sqlite");
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C1", "pulls");
    let mut child = Command::new(env!("CARGO_BIN_EXE_connect-hub"))
        .args(["--bind", "127.0.0.1:0", "--db"])
        .arg(&database)
        .env_clear()
        .env("GITHUB_WEBHOOK_SECRET", "s3cret")
        .env("SLACK_BOT_TOKEN", slack.token())
        .env("SLACK_API_URL", slack.url())
        .env("CONNECT_SLACK_CHANNEL", "C1")
        .env("CONNECT_LOG", "error")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().expect("the hub starts");
        if let Some(rest) = line.strip_prefix("listening on ") {
            break format!("{}/webhooks/github", rest.split(' ').next().unwrap());
        }
    };

    let mut tick = interval(Duration::from_secs(1) / PER_SECOND);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..EVENTS {
        tick.tick().await;
        let pull =
            GitHubDelivery::pull_request("opened").repository("octo", "hello").number(u64::from(number));
        let (delivery, url) = (pull.sign("s3cret"), url.clone());
        sending.spawn(async move { assert_eq!(delivery.deliver_to(&url).await.unwrap().status, 202) });
    }
    while let Some(sent) = sending.join_next().await {
        sent.unwrap();
    }
    let store = SqliteStore::open(&database.to_string_lossy()).unwrap();
    let mut took: Vec<Duration> = loop {
        let counts = store.counts().await.unwrap();
        let rows = store.log("default", Slice { offset: 0, limit: EVENTS }).await.unwrap().rows;
        if counts.done == u64::from(EVENTS) && rows.iter().all(|row| row.status == "ok") {
            break rows.into_iter().map(|row| row.duration).collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    took.sort_unstable();
    let (p50, p99, most) = (took[took.len() / 2], took[took.len() * 99 / 100], took[took.len() - 1]);
    println!(
        "{EVENTS} events at {PER_SECOND}/s, accepted to handled: p50 {p50:?}, p99 {p99:?}, longest {most:?}"
    );
    assert_eq!(slack.messages("C1").len(), took.len());
    child.kill().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
