//! What is kept, and what is refused when it cannot be kept.

mod support;

use connect_flow::dead_letter::DeadLetters;
use connect_flow::effect::{Begun, Effects};
use connect_flow::inbox::{Ended, Held, Inbox, Receipt, Repeat, State};
use connect_flow::{Envelope, Log, Slice, StoreErrorKind};
use futures_util::future::join_all;
use support::{Folder, at, claim, end, event};

#[tokio::test]
async fn everything_survives_closing_and_opening() {
    let folder = Folder::new();
    let store = folder.open();
    let Receipt::Accepted(done) = store.accept(event("acme", "1"), at(1)).await.unwrap() else { panic!() };
    let Receipt::Accepted(dead) = store.accept(event("acme", "2"), at(2)).await.unwrap() else { panic!() };
    let Receipt::Accepted(held) = store.accept(event("acme", "3"), at(3)).await.unwrap() else { panic!() };
    let claims = store.claim(claim(10, 3)).await.unwrap();
    assert_eq!(store.begin(&claims[0].lease, "create", "k", at(11)).await.unwrap(), Begun::First);
    let result = bytes::Bytes::from_static(b"OPS-7");
    assert_eq!(
        store.complete(&claims[0].lease, "create", "k", result.clone(), at(12)).await.unwrap(),
        Held::Yes
    );
    assert_eq!(store.finish(&claims[0].lease, end(13, Ended::Done)).await.unwrap(), Held::Yes);
    assert_eq!(store.finish(&claims[1].lease, end(13, Ended::Dead)).await.unwrap(), Held::Yes);
    store.close().await;

    let store = folder.open();
    assert_eq!(store.event("acme", done).await.unwrap().unwrap().state, State::Done);
    assert_eq!(store.dead_letter("acme", dead).await.unwrap().unwrap().event.attempts.len(), 1);
    assert_eq!(
        store.accept(event("acme", "1"), at(20)).await.unwrap(),
        Receipt::Duplicate(done, Repeat::Same)
    );
    // The lease goes on for whoever still has it.
    assert_eq!(claims[2].lease.event, held);
    assert_eq!(store.begin(&claims[2].lease, "create", "k", at(21)).await.unwrap(), Begun::Done(result));
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = Folder::new();
    let store = folder.open();
    let other = store.clone();
    store.close().await;
    let write = other.accept(event("acme", "1"), at(1)).await.unwrap_err();
    let read = other.counts().await.unwrap_err();
    assert_eq!((write.kind(), read.kind()), (StoreErrorKind::Unavailable, StoreErrorKind::Unavailable));
    other.close().await;
}

#[tokio::test]
async fn writes_that_wait_together_are_committed_together() {
    let folder = Folder::new();
    let store = folder.open();
    let before = store.commits();
    let receipts = join_all((0..500).map(|n| store.accept(event("acme", n.to_string()), at(1)))).await;
    assert!(receipts.into_iter().all(|receipt| matches!(receipt, Ok(Receipt::Accepted(_)))));
    let commits = store.commits() - before;
    println!("500 accepts took {commits} commits");
    assert!(commits < 250, "{commits}");
    assert_eq!(store.counts().await.unwrap().pending, 500);
}

#[tokio::test]
async fn callers_that_stop_waiting_do_no_harm() {
    let folder = Folder::new();
    let store = folder.open();
    for n in 0..50 {
        let accept = store.accept(event("acme", n.to_string()), at(1));
        // Polled once: the job is on its way, and nobody waits for the answer.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, accept).await;
    }
    for n in 0..50 {
        store.accept(event("acme", n.to_string()), at(1)).await.unwrap();
    }
    assert_eq!(store.counts().await.unwrap().pending, 50);
}

#[tokio::test]
async fn a_full_disk_stores_nothing_and_works_again_once_there_is_space() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(event("acme", "first"), at(1)).await.unwrap();
    store.limit_pages(1).await.unwrap();
    let large = |key: &str| Envelope::new("acme", "github", "push", key, vec![b'x'; 200_000]);

    let error = store.accept(large("large"), at(2)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
    assert!(error.to_string().contains("free space"), "{error}");
    assert_eq!(store.counts().await.unwrap().pending, 1);

    store.limit_pages(1_000_000).await.unwrap();
    assert!(matches!(store.accept(large("large"), at(3)).await.unwrap(), Receipt::Accepted(_)));
    assert_eq!(store.counts().await.unwrap().pending, 2);
}

#[tokio::test]
async fn on_a_full_disk_whoever_heard_no_is_not_stored_and_whoever_heard_yes_is() {
    let folder = Folder::new();
    let store = folder.open();
    store.limit_pages(60).await.unwrap();
    let accepts = (0..100).map(|n| {
        store.accept(Envelope::new("acme", "github", "push", n.to_string(), vec![b'x'; 10_000]), at(1))
    });
    let answers = join_all(accepts).await;
    let stored = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    assert!(stored < 100);
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(error.kind(), StoreErrorKind::Full | StoreErrorKind::Unavailable), "{error:?}");
    }
    assert_eq!(store.counts().await.unwrap().pending, stored);
    assert_eq!(store.log("acme", Slice::default()).await.unwrap().total, stored, "the log says the same");
}

#[tokio::test]
async fn the_log_costs_no_commit_of_its_own() {
    let folder = Folder::new();
    let store = folder.open();
    let before = store.commits();
    let Receipt::Accepted(id) = store.accept(event("acme", "1"), at(1)).await.unwrap() else { panic!() };
    assert_eq!(store.log_row("acme", id).await.unwrap().unwrap().status, "pending");
    let claim = store.claim(claim(2, 1)).await.unwrap().remove(0);
    assert_eq!(store.finish(&claim.lease, end(3, Ended::Dead)).await.unwrap(), Held::Yes);
    assert_eq!(store.log_row("acme", id).await.unwrap().unwrap().status, "dead");
    store.replay("acme", id, at(4)).await.unwrap();
    assert_eq!(store.log("acme", Slice::default()).await.unwrap().total, 2);
    assert_eq!(store.commits() - before, 4, "accept, claim, finish, replay");
}

#[tokio::test]
async fn an_end_that_is_not_stored_is_not_in_the_log() {
    let folder = Folder::new();
    let store = folder.open();
    let Receipt::Accepted(id) = store.accept(event("acme", "1"), at(1)).await.unwrap() else { panic!() };
    let claim = store.claim(claim(2, 1)).await.unwrap().remove(0);
    store.limit_pages(1).await.unwrap();
    let mut long = end(3, Ended::Dead);
    long.message = "x".repeat(200_000);
    let error = store.finish(&claim.lease, long).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
    assert_eq!(store.event("acme", id).await.unwrap().unwrap().state, State::Leased);
    assert_eq!(store.log_row("acme", id).await.unwrap().unwrap().status, "pending");
}

#[tokio::test]
async fn sweeping_gives_pages_back_to_the_disk() {
    let folder = Folder::new();
    let store = folder.open();
    for n in 0..20 {
        let large = Envelope::new("acme", "github", "push", n.to_string(), vec![b'x'; 100_000]);
        store.accept(large, at(1)).await.unwrap();
    }
    for claim in store.claim(claim(2, 20)).await.unwrap() {
        assert_eq!(store.finish(&claim.lease, end(3, Ended::Done)).await.unwrap(), Held::Yes);
    }
    assert_eq!(store.sweep(at(100), 15).await.unwrap(), 15);
    assert_eq!(store.sweep(at(100), 15).await.unwrap(), 5);
    store.close().await;
    assert!(std::fs::metadata(folder.file()).unwrap().len() < 1_500_000);
}
