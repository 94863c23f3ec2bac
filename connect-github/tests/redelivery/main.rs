//! The reconciler against a GitHub in memory, in paused time.
#![cfg(feature = "redelivery")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod github;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connect_core::simulation::Answer;
use connect_github::redelivery::{
    FileWatermarks, MemoryWatermarks, Policy, Redelivery, Report, Saved, Stopped, StoredWatermark, Watermark,
    WatermarkStore,
};
use connect_github::{Error, ErrorKind};
use github::{FakeGitHub, Mishap};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn redelivery(github: &FakeGitHub, store: impl WatermarkStore) -> Redelivery {
    let reconciler = Redelivery::of_repo_hook(&github.client(), "octo", "hello", 7);
    reconciler.store(store).clock(github.clock()).seed(7)
}

async fn pass(reconciler: &Redelivery) -> Report {
    reconciler.run_once().await.unwrap()
}

fn guids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("guid-{number:04}")).collect()
}

/// One event a minute, of which some meet a receiver that is down.
async fn minutes(github: &FakeGitHub, numbers: std::ops::Range<usize>) {
    for guid in guids(numbers) {
        github.event(&guid);
        tokio::time::sleep(MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_hour_down_every_failed_delivery_is_asked_for_once_and_in_order() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    minutes(&github, 0..10).await;
    github.receiver(false);
    minutes(&github, 10..70).await;
    github.receiver(true);
    minutes(&github, 70..80).await;

    let first = pass(&reconciler).await;
    assert_eq!((first.seen, first.failed, first.asked, first.open), (80, 60, 60, 60));
    assert_eq!(github.asked(), guids(10..70));
    // Once more while they settle, and once more when they are seen to have arrived.
    assert_eq!(pass(&reconciler).await.recovered, 60);
    tokio::time::sleep(HOUR).await;
    let last = pass(&reconciler).await;
    assert_eq!((last.asked, last.failed, last.open, last.lost.len()), (0, 0, 0, 0));
    assert_eq!(github.asked().len(), 60);
    assert_eq!(github.arrived().into_iter().filter(|(_, times)| *times != 1).count(), 0);
    assert_eq!(github.arrived().len(), 80);
}

#[tokio::test(start_paused = true)]
async fn a_pass_in_quiet_times_costs_one_call() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    minutes(&github, 0..450).await;
    assert_eq!(pass(&reconciler).await.seen, 450);
    assert_eq!(github.listings(), 5);
    for _ in 0..3 {
        tokio::time::sleep(15 * MINUTE).await;
        pass(&reconciler).await;
    }
    assert_eq!(github.listings(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_reported_and_never_asked_for() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.event("before");
    pass(&reconciler).await;
    github.receiver(false);
    tokio::time::sleep(MINUTE).await;
    github.event("too-old");
    tokio::time::sleep(71 * HOUR).await;
    github.event("in-time");
    github.receiver(true);
    // Nobody looked for three days.
    tokio::time::sleep(2 * HOUR).await;
    let report = pass(&reconciler).await;
    assert_eq!((report.asked, report.lost.len()), (1, 1));
    assert_eq!((report.lost[0].guid.as_str(), report.lost[0].event.as_str()), ("too-old", "push"));
    assert!(report.to_string().contains("1 LOST"), "{report}");
    assert_eq!(github.asked(), ["in-time"]);
    assert!(pass(&reconciler).await.lost.is_empty(), "it is reported once");
}

#[tokio::test(start_paused = true)]
async fn what_github_has_no_more_is_reported_as_lost() {
    let github = FakeGitHub::new();
    github.failed_ago("gone", HOUR);
    github.failed_ago("there", HOUR);
    github.after_calls(1, Mishap::Answer(Answer::json(404, r#"{"message":"Not Found"}"#)));
    let report = pass(&redelivery(&github, MemoryWatermarks::default())).await;
    assert_eq!((report.lost.len(), report.asked, report.open), (1, 1, 1));
    assert_eq!(github.asked(), ["there"]);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_listed_late_is_not_overlooked() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.event("newest");
    assert_eq!(pass(&reconciler).await.failed, 0);
    github.failed_ago("late", 5 * MINUTE);
    assert_eq!(pass(&reconciler).await.failed, 1);
    assert_eq!(github.asked(), ["late"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_again_is_asked_for_at_growing_distances_and_given_up_at_last() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.receiver(false);
    github.event("hopeless");
    let mut asks = Vec::new();
    let mut given_up = Vec::new();
    for step in 0..100 * 12 {
        let report = pass(&reconciler).await;
        if report.asked > 0 {
            asks.push(step);
        }
        given_up.extend(report.given_up);
        tokio::time::sleep(5 * MINUTE).await;
    }
    assert_eq!(asks.len(), Policy::default().schedule.len());
    assert!(asks.windows(3).all(|w| w[2] - w[1] > w[1] - w[0]), "{asks:?}");
    assert_eq!(given_up.iter().map(|lost| lost.guid.as_str()).collect::<Vec<_>>(), ["hopeless"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_meets_a_rate_limit_goes_on_where_it_stopped() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.receiver(false);
    minutes(&github, 0..450).await;
    github.receiver(true);
    let limit = Answer::json(403, r#"{"message":"You have exceeded a secondary rate limit"}"#);
    github.after_calls(3, Mishap::Answer(limit.header("retry-after", "600")));
    let report = pass(&reconciler).await;
    assert!(matches!(report.stopped, Some(Stopped::RateLimited(Some(_)))), "{report}");
    assert_eq!((report.seen, report.asked, github.listings()), (300, 0, 3));
    tokio::time::sleep(11 * MINUTE).await;
    let report = pass(&reconciler).await;
    assert_eq!((report.seen, github.listings()), (150, 5));
    assert_eq!((report.failed, report.asked, report.left), (450, 100, 350));
    assert_eq!(github.asked(), guids(0..100));
}

#[tokio::test(start_paused = true)]
async fn a_pass_reads_no_more_pages_than_it_may_and_the_next_goes_on() {
    let github = FakeGitHub::new();
    let policy = Policy::default().with_pages_per_pass(2);
    let reconciler = redelivery(&github, MemoryWatermarks::default()).policy(policy);
    minutes(&github, 0..450).await;
    let stops: Vec<_> = [pass(&reconciler).await, pass(&reconciler).await, pass(&reconciler).await]
        .into_iter()
        .map(|report| (report.seen, report.stopped))
        .collect();
    assert_eq!(stops, [(200, Some(Stopped::Pages)), (200, Some(Stopped::Pages)), (50, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_stored_cursor_that_is_worth_nothing_begins_the_listing_anew() {
    let github = FakeGitHub::new();
    let policy = Policy::default().with_pages_per_pass(1);
    let reconciler = redelivery(&github, MemoryWatermarks::default()).policy(policy);
    minutes(&github, 0..150).await;
    assert_eq!(pass(&reconciler).await.stopped, Some(Stopped::Pages));
    github.after_calls(0, Mishap::Answer(Answer::json(422, r#"{"message":"Invalid cursor"}"#)));
    assert_eq!(pass(&reconciler).await.seen, 100);
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_answer_is_lost_is_not_repeated_at_once_and_repeated_later_if_it_was_not_heard() {
    for (mishap, heard) in [(Mishap::LostAnswer, 1), (Mishap::Answer(Answer::dropped_connection()), 0)] {
        let github = FakeGitHub::new();
        let reconciler = redelivery(&github, MemoryWatermarks::default());
        github.failed_ago("once", HOUR);
        github.after_calls(1, mishap);
        let report = pass(&reconciler).await;
        assert_eq!((report.asked, report.stopped), (0, Some(Stopped::Unavailable)), "the fate is unknown");
        pass(&reconciler).await;
        assert_eq!(github.asked().len(), heard, "it settles first");
        tokio::time::sleep(11 * MINUTE).await;
        pass(&reconciler).await;
        pass(&reconciler).await;
        assert_eq!(github.asked().len(), 1);
        assert_eq!(github.arrived(), BTreeMap::from([("once".to_owned(), 1)]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_an_error_that_says_so() {
    let github = FakeGitHub::new();
    github.after_calls(0, Mishap::Answer(Answer::json(403, r#"{"message":"Resource not accessible"}"#)));
    let error = redelivery(&github, MemoryWatermarks::default()).run_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("repos/list-webhook-deliveries"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_404_for_want_of_a_scope_is_an_error_and_nothing_is_lost() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.failed_ago("one", HOUR);
    // A classic token that may only read hooks lists them; GitHub denies the rest as if it were not there.
    let denied = Answer::json(404, r#"{"message":"Not Found"}"#)
        .header("x-oauth-scopes", "read:repo_hook")
        .header("x-accepted-oauth-scopes", "admin:repo_hook, write:repo_hook");
    github.after_calls(1, Mishap::Answer(denied));
    let error = reconciler.run_once().await.unwrap_err();
    assert!(error.to_string().contains("GitHub would accept admin:repo_hook"), "{error}");
    // The token has its scope now.
    assert_eq!((pass(&reconciler).await.asked, github.asked()), (1, vec!["one".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_told_by_the_next_pass_if_this_one_fails() {
    let github = FakeGitHub::new();
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    github.receiver(false);
    github.event("too-old");
    pass(&reconciler).await;
    tokio::time::sleep(71 * HOUR).await;
    github.event("in-time");
    tokio::time::sleep(2 * HOUR).await;
    github.after_calls(1, Mishap::Answer(Answer::json(403, r#"{"message":"Resource not accessible"}"#)));
    assert_eq!(reconciler.run_once().await.unwrap_err().kind(), ErrorKind::Forbidden);
    let lost = |report: Report| report.lost.into_iter().map(|lost| lost.guid).collect::<Vec<_>>();
    assert_eq!(lost(pass(&reconciler).await), ["too-old"]);
    assert!(lost(pass(&reconciler).await).is_empty(), "once");
}

#[tokio::test(start_paused = true)]
async fn while_a_long_listing_is_under_way_what_is_due_is_asked_for() {
    let github = FakeGitHub::new();
    let policy = Policy::default().with_pages_per_pass(2).with_asks_per_pass(10);
    let reconciler = redelivery(&github, MemoryWatermarks::default()).policy(policy);
    github.receiver(false);
    minutes(&github, 0..100).await;
    github.receiver(true);
    let report = pass(&reconciler).await;
    assert_eq!((report.asked, report.left), (10, 90));
    minutes(&github, 100..600).await;
    // Three passes list; none of them is idle.
    for _ in 0..2 {
        let report = pass(&reconciler).await;
        assert_eq!((report.asked, report.stopped), (10, Some(Stopped::Pages)), "{report}");
    }
    // What was asked for before is not repeated: its success is on a page to come.
    assert_eq!(github.asked(), guids(0..30));
    while pass(&reconciler).await.left > 0 {}
    assert_eq!(github.asked(), guids(0..100));
}

/// A store that dies at its nth write.
struct Crashing {
    inner: MemoryWatermarks,
    writes: AtomicUsize,
    dies_at: usize,
}

#[async_trait]
impl WatermarkStore for Crashing {
    async fn load(&self, key: &str) -> Result<Option<StoredWatermark>, Error> {
        self.inner.load(key).await
    }

    async fn save(&self, key: &str, expected: Option<u64>, watermark: &Watermark) -> Result<Saved, Error> {
        if self.writes.fetch_add(1, Ordering::Relaxed) == self.dies_at {
            return Err(Error::new(ErrorKind::Unavailable, "the process died"));
        }
        self.inner.save(key, expected, watermark).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_ask_and_save_asks_at_most_once_too_often_and_loses_nothing() {
    for dies_at in 0..7 {
        let github = FakeGitHub::new();
        for guid in guids(0..5) {
            github.failed_ago(&guid, HOUR);
        }
        let inner = MemoryWatermarks::default();
        let crashing = Crashing { inner: inner.clone(), writes: AtomicUsize::new(0), dies_at };
        assert_eq!(redelivery(&github, crashing).run_once().await.is_err(), dies_at < 6, "{dies_at}");
        // The successor comes at once: before anything has settled.
        let successor = redelivery(&github, inner);
        pass(&successor).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(pass(&successor).await.open, 0);
        assert!(github.asked().len() <= 6, "{dies_at}: {:?}", github.asked());
        assert_eq!(github.arrived().len(), 5, "{dies_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_dropped_anywhere_loses_nothing_and_asks_at_most_once_too_often() {
    // A call takes 50 ms: one listing and five asks.
    for millis in (0..350).step_by(25) {
        let github = FakeGitHub::new();
        for guid in guids(0..5) {
            github.failed_ago(&guid, HOUR);
        }
        let reconciler = redelivery(&github, MemoryWatermarks::default());
        let _ = tokio::time::timeout(Duration::from_millis(millis), reconciler.run_once()).await;
        pass(&reconciler).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(pass(&reconciler).await.open, 0);
        assert_eq!(github.arrived().len(), 5);
        assert!(github.asked().len() <= 6, "{millis}: {:?}", github.asked());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_at_once_one_gives_way() {
    let github = FakeGitHub::new();
    for guid in guids(0..50) {
        github.failed_ago(&guid, HOUR);
    }
    let store = MemoryWatermarks::default();
    let (one, two) = (redelivery(&github, store.clone()), redelivery(&github, store));
    let (first, second) = tokio::join!(pass(&one), pass(&two));
    let gave_way = [&first, &second].iter().filter(|r| r.stopped == Some(Stopped::OtherProcess)).count();
    assert_eq!(gave_way, 1, "{first}; {second}");
    assert!(github.asked().len() <= 51, "{}", github.asked().len());
    assert_eq!(github.arrived().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn the_runner_recovers_everything_while_the_receiver_comes_and_goes() {
    let github = FakeGitHub::new();
    let passes = Arc::new(Mutex::new(Vec::new()));
    let runner = tokio::spawn(redelivery(&github, MemoryWatermarks::default()).every(15 * MINUTE, {
        let passes = Arc::clone(&passes);
        move |pass| passes.lock().unwrap().push(pass.as_ref().unwrap().clone())
    }));
    for day_part in 0..6 {
        github.receiver(day_part % 2 == 0);
        minutes(&github, day_part * 240..(day_part + 1) * 240).await;
    }
    github.receiver(true);
    tokio::time::sleep(24 * HOUR).await;
    runner.abort();
    assert!(runner.await.unwrap_err().is_cancelled(), "it runs until it is dropped");
    let arrived = github.arrived();
    assert_eq!(arrived.len(), 1440, "every event arrived");
    let passes = passes.lock().unwrap();
    let asked: usize = passes.iter().map(|report| report.asked).sum();
    assert_eq!(asked, github.asked().len());
    // Three outages of four hours: each event is asked for a few times while they last, then once.
    assert!(asked < 720 * 5, "{asked}");
    assert_eq!((passes.last().unwrap().open, passes.last().unwrap().left), (0, 0));
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("connect-redelivery-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_file_keeps_the_watermark_over_a_restart_and_refuses_the_loser() {
    let folder = Folder::new("file");
    let path = folder.0.join("redelivery.json");
    let github = FakeGitHub::new();
    github.failed_ago("one", HOUR);
    let report = pass(&redelivery(&github, FileWatermarks::new(&path))).await;
    assert_eq!((report.asked, report.open), (1, 1));

    let store = FileWatermarks::new(&path);
    let key = "api.github.com/repos/octo/hello/hooks/7";
    let stored = store.load(key).await.unwrap().unwrap();
    assert_eq!((stored.watermark.open(), stored.version), (1, 2));
    assert_eq!(store.save(key, Some(1), &Watermark::default()).await.unwrap(), Saved::Conflict);
    assert_eq!(store.save(key, None, &Watermark::default()).await.unwrap(), Saved::Conflict);
    // Another key is another matter.
    assert_eq!(store.save("other", None, &Watermark::default()).await.unwrap(), Saved::Yes(1));

    let report = pass(&redelivery(&github, FileWatermarks::new(&path))).await;
    assert_eq!((report.asked, report.recovered), (0, 1));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn of_many_writers_of_one_file_each_version_is_won_by_one() {
    let folder = Folder::new("many");
    let store = FileWatermarks::new(folder.0.join("marks.json"));
    let writers = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.save("key", None, &Watermark::default()).await.unwrap() })
    });
    let mut won = 0;
    for writer in writers.collect::<Vec<_>>() {
        won += usize::from(writer.await.unwrap() == Saved::Yes(1));
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_file_that_holds_something_else_is_left_alone_and_the_error_says_what_to_do() {
    let folder = Folder::new("odd");
    let path = folder.0.join("notes.txt");
    std::fs::write(&path, "my notes").unwrap();
    let error = redelivery(&FakeGitHub::new(), FileWatermarks::new(&path)).run_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("remove it"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");

    let nowhere = FileWatermarks::new(folder.0.join("missing").join("marks.json"));
    let error = redelivery(&FakeGitHub::new(), nowhere).run_once().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("check the folder"), "{error}");
}

#[tokio::test]
async fn neither_debug_nor_report_shows_the_token() {
    let github = FakeGitHub::new();
    github.failed_ago("one", HOUR);
    let reconciler = redelivery(&github, MemoryWatermarks::default());
    let report = pass(&reconciler).await;
    for text in [format!("{reconciler:?}"), format!("{report:?}"), report.to_string()] {
        assert!(!text.contains("canary"), "{text}");
    }
}
