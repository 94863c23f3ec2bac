//! From a receiver's sink through the store to a router's handlers. Paused time: no test waits.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_flow::clock::TokioClock;
use connect_flow::inbox::{EventRecord, State};
use connect_flow::{EventId, Inbox, InboxSink, MemoryStore, Store, SystemClock, Timestamp, Worker};
use connect_webhook::{Acceptance, Delivery, HandlerError, Router, Sink, Trust, Verified};

fn delivery(source: &str, id: &str, replay_key: Option<&str>, body: &'static str) -> Verified<Delivery> {
    let mut delivery = Delivery::new("default", source, id, body);
    delivery.event = Some("push".to_owned()).filter(|_| source == "github");
    delivery.replay_key = replay_key.map(str::to_owned);
    Verified::trust(delivery, Trust::Test)
}

async fn over(store: &MemoryStore, id: i64) -> EventRecord {
    loop {
        let record = store.event("default", EventId(id)).await.unwrap().unwrap();
        if matches!(record.state, State::Done | State::Skipped | State::Dead) {
            return record;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_captured_delivery_is_answered_as_a_duplicate_and_runs_once() {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(TokioClock::starting_at(Timestamp::from_micros(1_000_000_000_000)));
    let sink = InboxSink::new(Arc::clone(&store) as Arc<dyn Store>, clock);
    let cases = [
        ("1", Some("r"), Acceptance::Accepted),
        ("1", Some("r"), Acceptance::Duplicate),
        ("2", Some("r"), Acceptance::Duplicate),
        ("2", Some("s"), Acceptance::Accepted),
        ("3", None, Acceptance::Accepted),
    ];
    for (id, replay_key, expected) in cases {
        let answer = sink.accept(delivery("github", id, replay_key, "{}")).await.unwrap();
        assert_eq!(answer, expected, "{id} {replay_key:?}");
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refused_replay_and_another_body_under_an_id_leave_a_warning_and_a_retry_leaves_none() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let sink = InboxSink::new(Arc::new(MemoryStore::default()), Arc::new(SystemClock));
    let cases = [
        ("1", "{}", ""),
        ("1", "{}", ""),
        ("1", r#"{"body":"canary"}"#, "another body"),
        ("2", "{}", "under a new id"),
    ];
    for (id, body, expected) in cases {
        lines.0.lock().unwrap().clear();
        sink.accept(delivery("github", id, Some("signature:canary"), body)).await.unwrap();
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), usize::from(!expected.is_empty()), "{text}");
        assert!(text.contains(expected) && !text.contains("canary"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_with_a_name_of_its_own_is_split_and_routed_by_its_scheme_after_the_store() {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(TokioClock::starting_at(Timestamp::from_micros(1_000_000_000_000)));
    let ran = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new().on("line", "message", {
        let ran = Arc::clone(&ran);
        move |item: Verified<Delivery>| {
            ran.lock().unwrap().push((item.source.to_string(), item.id.clone()));
            async { Ok(()) }
        }
    });
    let body =
        r#"{"events":[{"type":"message","webhookEventId":"1"},{"type":"message","webhookEventId":"2"}]}"#;
    let mut delivery = Delivery::new("default", "line-eu", "x", body);
    delivery.scheme = "line".into();
    let sink = InboxSink::new(Arc::clone(&store) as Arc<dyn Store>, clock.clone());
    sink.accept(Verified::trust(delivery, Trust::Test)).await.unwrap();
    let worker = Worker::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(router)).clock(clock).start();
    assert_eq!(over(&store, 1).await.state, State::Done);
    let expected = ["1", "2"].map(|id| ("line-eu".to_owned(), id.to_owned()));
    assert_eq!(*ran.lock().unwrap(), expected);
    worker.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_tried_again_for_the_items_that_failed() {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(TokioClock::starting_at(Timestamp::from_micros(1_000_000_000_000)));
    let ran = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new()
        .on("github", "push", async |_: Verified<Delivery>| Err(HandlerError::permanent("no")))
        .on_any("line", {
            let ran = Arc::clone(&ran);
            move |item: Verified<Delivery>| {
                let mut ran = ran.lock().unwrap();
                let first = !ran.contains(&item.id);
                ran.push(item.id.clone());
                let fails = item.id == "b" && first;
                async move { if fails { Err(HandlerError::transient("down")) } else { Ok(()) } }
            }
        });
    let sink = InboxSink::new(Arc::clone(&store) as Arc<dyn Store>, clock.clone());
    let body = r#"{"events":[{"webhookEventId":"a"},{"webhookEventId":"b"},{"webhookEventId":"c"}]}"#;
    for delivery in [
        delivery("line", "1", None, body),
        delivery("github", "2", None, "{}"),
        delivery("slack", "3", None, "{}"),
    ] {
        sink.accept(delivery).await.unwrap();
    }
    let worker = Worker::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(router)).clock(clock).start();
    let batch = over(&store, 1).await;
    assert_eq!((batch.state, batch.attempts.len()), (State::Done, 2));
    assert_eq!(*ran.lock().unwrap(), ["a", "b", "c", "b"]);
    assert_eq!(over(&store, 2).await.state, State::Dead);
    assert_eq!(over(&store, 3).await.state, State::Skipped);
    worker.stop(Duration::from_secs(1)).await;
}
