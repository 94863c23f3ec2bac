//! Events in, handlers run, nothing lost or doubled while the process lives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connect_flow::handler::{Failure, Handled};
use connect_flow::memory::Limits;
use connect_flow::{Envelope, Handler, Inbox, InboxError, MemoryInbox, Receipt, Worker};

/// Does what the event type says; counts how many ran, and how many ran at the same time.
#[derive(Default)]
struct Obedient {
    ran: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Handler for Obedient {
    async fn handle(&self, envelope: &Envelope) -> Result<Handled, Failure> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        match envelope.event_type.as_str() {
            "panic" => panic!("as asked"),
            "fail" => Err(Failure::new("asked", "as asked")),
            "refused" => Err(Failure::new("asked", "as asked").with_nothing_done(true)),
            "hang" => std::future::pending().await,
            "skip" => Ok(Handled::Skipped("as asked".into())),
            _ => Ok(Handled::Done("as asked".into())),
        }
    }
}

fn event(event_type: &str, key: &str) -> Envelope {
    Envelope::new("default", "github", event_type, key, "{}")
}

#[tokio::test(start_paused = true)]
async fn each_dedupe_key_is_handled_once_per_tenant_and_source() {
    let (inbox, handler) = (Arc::new(MemoryInbox::default()), Arc::new(Obedient::default()));
    let worker = Worker::new(Arc::clone(&inbox), Arc::clone(&handler) as Arc<dyn Handler>).start();
    for _ in 0..3 {
        inbox.accept(event("push", "1")).await.unwrap();
    }
    inbox.accept(Envelope::new("acme", "github", "push", "1", "{}")).await.unwrap();
    inbox.accept(Envelope::new("default", "jira", "push", "1", "{}")).await.unwrap();
    inbox.settled().await;
    assert_eq!(handler.ran.load(Ordering::SeqCst), 3);
    assert_eq!(inbox.counts().duplicates, 2);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_event_only() {
    let inbox = Arc::new(MemoryInbox::default());
    let worker = Worker::new(Arc::clone(&inbox), Arc::new(Obedient::default())).concurrency(1).start();
    for (number, event_type) in ["panic", "fail", "skip", "push"].into_iter().enumerate() {
        inbox.accept(event(event_type, &number.to_string())).await.unwrap();
    }
    inbox.settled().await;
    let counts = inbox.counts();
    assert_eq!((counts.failed, counts.skipped, counts.done), (2, 1, 1));
    assert_eq!(inbox.outcomes()[0].result.as_ref().unwrap_err().class, "panic");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn at_most_the_set_number_of_handlers_runs_at_once() {
    let (inbox, handler) = (Arc::new(MemoryInbox::default()), Arc::new(Obedient::default()));
    let worker =
        Worker::new(Arc::clone(&inbox), Arc::clone(&handler) as Arc<dyn Handler>).concurrency(3).start();
    for number in 0..20 {
        inbox.accept(event("push", &number.to_string())).await.unwrap();
    }
    inbox.settled().await;
    assert_eq!(handler.most.load(Ordering::SeqCst), 3);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_finishes_what_was_taken_in_and_takes_no_more() {
    let (inbox, handler) = (Arc::new(MemoryInbox::default()), Arc::new(Obedient::default()));
    for number in 0..50 {
        inbox.accept(event("push", &number.to_string())).await.unwrap();
    }
    Worker::new(Arc::clone(&inbox), Arc::clone(&handler) as Arc<dyn Handler>).start().stop().await;
    assert_eq!(handler.ran.load(Ordering::SeqCst), 50);
    assert_eq!(inbox.accept(event("push", "new")).await, Err(InboxError::Closing));
    assert!(matches!(inbox.accept(event("push", "1")).await, Ok(Receipt::Duplicate(_))));
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_refuses_and_forgets_nothing() {
    let inbox = MemoryInbox::new(Limits::default().with_waiting(2));
    inbox.accept(event("push", "1")).await.unwrap();
    inbox.accept(event("push", "2")).await.unwrap();
    assert_eq!(inbox.accept(event("push", "3")).await, Err(InboxError::Full { waiting: 2 }));
    assert_eq!(inbox.counts().waiting, 2);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_counted_in_bytes_too() {
    let inbox = MemoryInbox::new(Limits::default().with_waiting_bytes(10));
    let big = |key: &str| Envelope::new("default", "github", "push", key, "123456");
    inbox.accept(big("1")).await.unwrap();
    assert_eq!(inbox.accept(big("2")).await, Err(InboxError::Full { waiting: 1 }));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_failed_without_effect_is_no_duplicate_when_it_comes_again() {
    let (inbox, handler) = (Arc::new(MemoryInbox::default()), Arc::new(Obedient::default()));
    let worker = Worker::new(Arc::clone(&inbox), Arc::clone(&handler) as Arc<dyn Handler>).start();
    for (event_type, runs) in [("refused", 2), ("fail", 3)] {
        for _ in 0..2 {
            inbox.accept(event(event_type, event_type)).await.unwrap();
            inbox.settled().await;
        }
        assert_eq!(handler.ran.load(Ordering::SeqCst), runs, "{event_type}");
    }
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_does_not_keep_the_worker_from_stopping() {
    let inbox = Arc::new(MemoryInbox::default());
    let worker = Worker::new(Arc::clone(&inbox), Arc::new(Obedient::default())).concurrency(1).start();
    for key in ["1", "2", "3"] {
        inbox.accept(event("hang", key)).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert_eq!(worker.stop_within(Duration::from_secs(5)).await, 3, "one was running, two were waiting");
}

#[tokio::test(start_paused = true)]
async fn the_memory_for_dedupe_keys_is_bounded() {
    let inbox = MemoryInbox::new(Limits::default().with_remembered(2));
    for key in ["1", "2", "3"] {
        inbox.accept(event("push", key)).await.unwrap();
    }
    assert!(matches!(inbox.accept(event("push", "3")).await, Ok(Receipt::Duplicate(_))));
    assert!(matches!(inbox.accept(event("push", "1")).await, Ok(Receipt::Accepted(_))));
}

#[test]
fn an_envelopes_debug_shows_no_contents() {
    let envelope = Envelope::new("default", "github", "push", "1", "canary");
    assert!(!format!("{envelope:?}").contains("canary"));
}
