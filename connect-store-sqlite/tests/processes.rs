//! Two stores opened on one file are to each other what two processes are.

mod support;

use std::collections::HashSet;
use std::thread;

use connect_flow::inbox::{Ended, Held, Inbox, Receipt};
use futures_util::future::join_all;
use support::{Folder, at, claim, end, event};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_never_hold_the_same_lease() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    for n in 0..200 {
        let store = if n % 2 == 0 { &one } else { &two };
        store.accept(event(&format!("t{}", n % 7), n.to_string()), at(1)).await.unwrap();
    }
    let claims =
        join_all((0..40).map(|n| if n % 2 == 0 { one.claim(claim(10, 5)) } else { two.claim(claim(10, 5)) }));
    let claims: Vec<_> = claims.await.into_iter().flat_map(Result::unwrap).collect();
    let events: HashSet<_> = claims.iter().map(|claim| claim.lease.event).collect();
    let tokens: HashSet<_> = claims.iter().map(|claim| claim.lease.token).collect();
    assert_eq!((claims.len(), events.len(), tokens.len()), (200, 200, 200));
}

#[tokio::test]
async fn a_lease_that_another_process_took_over_is_lost() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    one.accept(event("acme", "1"), at(1)).await.unwrap();
    let first = one.claim(claim(10, 1)).await.unwrap().remove(0);
    assert!(two.claim(claim(69, 1)).await.unwrap().is_empty());
    let second = two.claim(claim(70, 1)).await.unwrap().remove(0);
    assert_ne!(first.lease.token, second.lease.token);
    assert_eq!((second.attempt, second.expiries), (2, 1));
    assert_eq!(one.finish(&first.lease, end(71, Ended::Done)).await.unwrap(), Held::Lost);
    assert_eq!(two.finish(&second.lease, end(72, Ended::Done)).await.unwrap(), Held::Yes);
}

#[tokio::test]
async fn a_key_is_stored_once_by_two_processes() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    let receipts = join_all((0..100).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.accept(event("acme", (n / 2).to_string()), at(1))
    }));
    let receipts: Vec<_> = receipts.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.iter().filter(|receipt| matches!(receipt, Receipt::Accepted(_))).count(), 50);
}

#[test]
fn many_processes_make_one_new_store() {
    for _ in 0..10 {
        let folder = Folder::new();
        let opened: Vec<_> = thread::scope(|scope| {
            let opening: Vec<_> = (0..6).map(|_| scope.spawn(|| folder.open())).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        assert_eq!(opened.len(), 6);
    }
}
