//! From a receiver's sink through the store to a router's handlers. Paused time: no test waits.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_flow::clock::TokioClock;
use connect_flow::inbox::{EventRecord, State};
use connect_flow::{EventId, Inbox, InboxSink, MemoryStore, Store, Timestamp, Worker};
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
