//! The store in memory: the suite of all stores, and its bounds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use bytes::Bytes;
use connect_flow::conformance;
use connect_flow::dead_letter::Replayed;
use connect_flow::inbox::{AttemptEnd, Claim, ClaimRequest, Ended, EventId, Held};
use connect_flow::memory::Limits;
use connect_flow::store::StoreErrorKind;
use connect_flow::{
    DeadLetters, Envelope, Inbox, Log, MemoryStore, Receipt, Repeat, Slice, StoreError, Timestamp,
};
use futures_util::FutureExt;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const LATER: Timestamp = Timestamp::from_micros(1_700_000_060_000_000);

fn event(key: &str, body: &'static [u8]) -> Envelope {
    Envelope::new("acme", "github", "push", key, body)
}

async fn accept(store: &MemoryStore, key: &str) -> EventId {
    let Receipt::Accepted(id) = store.accept(event(key, b"{}"), NOW).await.unwrap() else {
        panic!("`{key}` was taken for a duplicate");
    };
    id
}

async fn claim(store: &MemoryStore) -> Claim {
    let request = ClaimRequest { now: NOW, until: LATER, most: 1, per_tenant: 100 };
    store.claim(request).await.unwrap().pop().unwrap()
}

async fn finish(store: &MemoryStore, claim: &Claim, ended: Ended) {
    let (class, message, target) = ("class".to_owned(), "message".to_owned(), "target".to_owned());
    let end = AttemptEnd { at: NOW, ended, class, message, target };
    assert_eq!(store.finish(&claim.lease, end).await.unwrap(), Held::Yes);
}

async fn ended(store: &MemoryStore, key: &str, ended: Ended) -> EventId {
    let id = accept(store, key).await;
    finish(store, &claim(store).await, ended).await;
    id
}

fn is_full<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    assert!(error.to_string().contains("raise its limits"), "{error}");
}

#[tokio::test]
async fn the_store_in_memory_is_a_store() {
    conformance::run(|| async { MemoryStore::default() }).await;
}

#[tokio::test]
#[should_panic(expected = "each_key_is_stored_once_per_tenant_and_source: the store failed")]
async fn a_store_that_differs_is_told_by_the_name_of_the_check() {
    conformance::run(|| async { MemoryStore::new(Limits::default().with_events(1)) }).await;
}

#[tokio::test]
async fn a_full_store_refuses_new_events_and_knows_old_ones() {
    let store = MemoryStore::new(Limits::default().with_events(2));
    let first = accept(&store, "1").await;
    accept(&store, "2").await;
    is_full(store.accept(event("3", b"{}"), NOW).await);
    assert_eq!(store.accept(event("1", b"{}"), NOW).await.unwrap(), Receipt::Duplicate(first, Repeat::Same));

    // A lease makes no room, an end does.
    let claim = claim(&store).await;
    is_full(store.accept(event("3", b"{}"), NOW).await);
    finish(&store, &claim, Ended::Skipped).await;
    accept(&store, "3").await;
}

#[tokio::test]
async fn bytes_of_unfinished_bodies_are_bounded_but_a_single_event_always_fits() {
    let store = MemoryStore::new(Limits::default().with_bytes(10));
    store.accept(event("huge", b"more than ten bytes"), NOW).await.unwrap();
    is_full(store.accept(event("empty", b""), NOW).await);
    finish(&store, &claim(&store).await, Ended::Done).await;

    store.accept(event("five", b"12345"), NOW).await.unwrap();
    // A form's payload is a second copy.
    let mut form = event("form", b"123");
    form.payload = Bytes::from_static(b"456");
    is_full(store.accept(form.clone(), NOW).await);
    form.payload = form.body.clone();
    store.accept(form, NOW).await.unwrap();
    store.accept(event("two", b"12"), NOW).await.unwrap();
    is_full(store.accept(event("one", b"1"), NOW).await);
}

#[tokio::test]
async fn a_replay_needs_room_too() {
    let store = MemoryStore::new(Limits::default().with_events(1));
    let dead = ended(&store, "1", Ended::Dead).await;
    accept(&store, "2").await;
    is_full(store.replay("acme", dead, NOW).await);
    assert_eq!(store.dead_letter("acme", dead).await.unwrap().unwrap().replayed_as, None);
    finish(&store, &claim(&store).await, Ended::Done).await;
    assert!(matches!(store.replay("acme", dead, NOW).await.unwrap(), Replayed::As(_)));
}

#[tokio::test]
async fn the_oldest_ended_events_go_with_their_keys_and_dead_letters_are_counted_apart() {
    let store = MemoryStore::new(Limits::default().with_ended(2));
    let dead = ended(&store, "dead", Ended::Dead).await;
    let first = ended(&store, "1", Ended::Done).await;
    let second = ended(&store, "2", Ended::Skipped).await;
    let third = ended(&store, "3", Ended::Done).await;
    assert!(store.event("acme", first).await.unwrap().is_none());
    assert_eq!(store.accept(event("2", b"{}"), NOW).await.unwrap(), Receipt::Duplicate(second, Repeat::Same));
    assert_eq!(store.accept(event("3", b"{}"), NOW).await.unwrap(), Receipt::Duplicate(third, Repeat::Same));
    ended(&store, "1", Ended::Dead).await;
    ended(&store, "4", Ended::Dead).await;
    assert_eq!(store.dead_letters("acme", Slice::default()).await.unwrap().total, 2);
    assert!(store.dead_letter("acme", dead).await.unwrap().is_none());
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.done, counts.skipped, counts.dead), (1, 1, 2));
}

#[tokio::test]
async fn bytes_of_ended_bodies_are_bounded_and_the_last_one_stays() {
    let store = MemoryStore::new(Limits::default().with_bytes(10));
    for key in ["1", "2", "3"] {
        store.accept(event(key, b"12345"), NOW).await.unwrap();
        finish(&store, &claim(&store).await, Ended::Done).await;
    }
    assert_eq!(store.counts().await.unwrap().done, 2);
    store.accept(event("huge", b"more than ten bytes"), NOW).await.unwrap();
    finish(&store, &claim(&store).await, Ended::Done).await;
    assert_eq!(store.counts().await.unwrap().done, 1);
    let duplicate = store.accept(event("huge", b"{}"), NOW).await.unwrap();
    assert!(matches!(duplicate, Receipt::Duplicate(..)));
}

#[tokio::test]
async fn the_log_keeps_the_newest_rows_and_those_of_unfinished_events() {
    let store = MemoryStore::new(Limits::default().with_events(2).with_ended(2));
    let request = ClaimRequest { now: NOW, until: LATER, most: 1, per_tenant: 100 };
    let waiting = accept(&store, "waiting").await;
    let held = store.claim(request).await.unwrap();
    for key in ["1", "2", "3", "4", "5"] {
        ended(&store, key, Ended::Done).await;
    }
    let rows = store.log("acme", Slice::default()).await.unwrap().rows;
    let ids: Vec<_> = rows.iter().map(|row| row.event.0).collect();
    assert_eq!(ids, [6, 5, 4, waiting.0]);
    assert_eq!(held.len(), 1);
}

#[tokio::test]
async fn turns_go_round_the_tenants_from_claim_to_claim() {
    let store = MemoryStore::default();
    for tenant in ["a", "b", "c"] {
        for key in ["1", "2", "3"] {
            let event = Envelope::new(tenant, "github", "push", key, "{}");
            store.accept(event, NOW).await.unwrap();
        }
    }
    let mut served = String::new();
    for _ in 0..5 {
        let request = ClaimRequest { now: NOW, until: LATER, most: 2, per_tenant: 100 };
        for claim in store.claim(request).await.unwrap() {
            served.push_str(&claim.lease.tenant);
        }
    }
    assert_eq!(served, "abcabcabc");
}

#[test]
fn threads_share_a_store() {
    let store = MemoryStore::default();
    let accepted = |number: usize| {
        let key = (number % 100).to_string();
        let receipt = store.accept(event(&key, b"{}"), NOW).now_or_never().unwrap().unwrap();
        usize::from(matches!(receipt, Receipt::Accepted(_)))
    };
    let claimed = || {
        let request = ClaimRequest { now: NOW, until: LATER, most: 3, per_tenant: 1000 };
        store.claim(request).now_or_never().unwrap().unwrap().len()
    };
    let (accepted, claimed) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| (0..200).fold((0, 0), |(a, c), number| (a + accepted(number), c + claimed())))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    assert_eq!((accepted, claimed), (100, 100));
}

#[tokio::test]
async fn debug_shows_counts_and_no_contents() {
    let store = MemoryStore::default();
    store.accept(event("secret-key", b"secret-body"), NOW).await.unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("pending: 1") && !shown.contains("secret"), "{shown}");
}
