//! Replay protection: a sink that lets each delivery through once, from the receiver on.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use connect_webhook::{
    Acceptance, Claim, Dedupe, DedupeKey, Deduplicating, Delivery, Endpoint, FixedClock, MemoryDedupe,
    Receiver, Repeats, Scheme, Sink, SinkError, Trust, UnixTime, Verified, async_trait, schemes,
};
use support::{Memory, NOW, receiver, signed, verifier, with};

fn delivery(id: &str) -> Verified<Delivery> {
    Verified::trust(Delivery::new("default", "github", id.to_owned(), "{}"), Trust::Test)
}

fn repeats(f: impl FnOnce(&mut Repeats)) -> Repeats {
    let mut repeats = Repeats::default();
    f(&mut repeats);
    repeats
}

/// The replay key that a receiver gives to a GitHub-like request.
async fn received(scheme: &'static Scheme, body: &str, header: (&'static str, &str)) -> Delivery {
    let sink = Arc::new(Memory::default());
    let request = with(signed(scheme, body), header.0, header.1);
    let response = receiver(scheme, Arc::clone(&sink)).receive("default", &scheme.name, request).await;
    assert!(response.status().is_success(), "{}", scheme.name);
    sink.last()
}

#[tokio::test]
async fn a_receiver_gives_a_replay_key_where_neither_id_nor_time_is_signed() {
    let github = async |body, id: &str| received(&schemes::GITHUB, body, ("x-github-delivery", id)).await;
    let first = github("{}", "1").await;
    assert!(first.replay_key.is_some());
    assert_eq!(github("{}", "2").await.replay_key, first.replay_key);
    assert_ne!(github("{ }", "1").await.replay_key, first.replay_key);
    let upper = "757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17";
    assert!(!first.replay_key.unwrap().to_uppercase().contains(upper), "it is no signature");

    let unnamed = received(&schemes::GITHUB, "{}", ("x-github-event", "ping")).await;
    assert_eq!(unnamed.replay_key, None, "the id is the hash already");
    let slack = received(&schemes::SLACK, r#"{"event_id":"Ev1"}"#, ("x-other", "1")).await;
    assert_eq!(slack.replay_key, None, "the time is signed");
}

#[tokio::test]
async fn a_captured_delivery_under_a_new_id_reaches_the_sink_once() {
    let inner = Arc::new(Memory::default());
    let sink = Arc::new(Deduplicating::new(Arc::clone(&inner)));
    let receiver = Receiver::builder()
        .endpoint(Endpoint::new("default", "github", verifier(&schemes::GITHUB)))
        .sink(Arc::clone(&sink))
        .clock(FixedClock::new(NOW))
        .build()
        .unwrap();
    let send = async |body, id| {
        let request = with(signed(&schemes::GITHUB, body), "x-github-delivery", id);
        let response = receiver.receive("default", "github", request).await;
        assert_eq!(response.status(), 202);
        support::text(&response).to_owned()
    };
    let (accepted, duplicate) = (r#"{"status":"accepted"}"#, r#"{"status":"duplicate"}"#);
    assert_eq!(send("{}", "1").await, accepted);
    assert_eq!(send("{}", "1").await, duplicate, "a redelivery keeps its id");
    assert_eq!(send("{}", "2").await, duplicate, "a captured one has another");
    assert_eq!(send("[]", "1").await, duplicate, "two events under one id");
    assert_eq!(send("[]", "3").await, accepted);
    assert_eq!(inner.count(), 2);
    assert_eq!(sink.repeats(), repeats(|all| (all.same, all.other_id, all.other_body) = (1, 1, 1)));
}

#[tokio::test]
async fn what_the_sink_did_not_take_is_new_when_it_comes_again() {
    let answers =
        [Ok(Acceptance::Busy { retry_after: std::time::Duration::ZERO }), Err(SinkError::new("full"))];
    for answer in answers {
        let inner = Memory::answering(answer);
        let sink = Deduplicating::new(Arc::clone(&inner));
        assert_ne!(sink.accept(delivery("1")).await.ok(), Some(Acceptance::Accepted));
        assert_eq!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Accepted);
        assert_eq!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Duplicate);
        assert_eq!(inner.count(), 2);
    }
    let sink = Deduplicating::new(Memory::answering(Ok(Acceptance::answer("text/plain", "hello"))));
    assert!(matches!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Answer { .. }));
    assert_eq!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Duplicate, "it was taken");

    let sink = Deduplicating::new(Memory::answering(Ok(Acceptance::Duplicate)));
    for _ in 0..2 {
        assert_eq!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Duplicate);
    }
    assert_eq!(sink.repeats().same, 1);
}

/// Is ready at the poll after so many.
struct Polls(usize);

impl Future for Polls {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Takes its time, and counts what it took to the end.
#[derive(Default)]
struct Slow(AtomicUsize);

#[async_trait]
impl Sink for Slow {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        Polls(3).await;
        self.0.fetch_add(1, Ordering::Relaxed);
        Polls(2).await;
        Ok(Acceptance::Accepted)
    }
}

/// A store that is not in memory: every answer takes its time.
#[derive(Default)]
struct Far(MemoryDedupe, Mutex<Vec<&'static str>>);

#[async_trait]
impl Dedupe for Far {
    async fn begin(&self, key: &DedupeKey, now: UnixTime) -> Result<Claim, SinkError> {
        Polls(2).await;
        self.0.begin(key, now).await
    }

    async fn commit(&self, key: &DedupeKey) -> Result<(), SinkError> {
        Polls(2).await;
        self.1.lock().unwrap().push("commit");
        self.0.commit(key).await
    }

    async fn release(&self, key: &DedupeKey) -> Result<(), SinkError> {
        self.1.lock().unwrap().push("release");
        self.0.release(key).await
    }

    fn abandon(&self, key: &DedupeKey) {
        self.1.lock().unwrap().push("abandon");
        self.0.abandon(key);
    }
}

#[test]
fn a_delivery_whose_sender_hung_up_at_any_moment_can_come_again() {
    let mut cut_short = 0;
    for polls in 0.. {
        let sink = Deduplicating::with_dedupe(Slow::default(), Far::default());
        let mut cx = Context::from_waker(Waker::noop());
        let finished = {
            let mut accepting = pin!(sink.accept(delivery("1")));
            (0..polls).any(|_| accepting.as_mut().poll(&mut cx).is_ready())
        };
        let again = futures_util::FutureExt::now_or_never(async {
            let mut accepting = pin!(sink.accept(delivery("1")));
            std::future::poll_fn(|cx| {
                loop {
                    if let Poll::Ready(answer) = accepting.as_mut().poll(cx) {
                        return Poll::Ready(answer.unwrap());
                    }
                }
            })
            .await
        })
        .unwrap();
        if finished {
            assert_eq!(again, Acceptance::Duplicate);
            break;
        }
        assert_eq!(again, Acceptance::Accepted, "after {polls} polls");
        cut_short += 1;
    }
    assert!(cut_short > 9, "{cut_short}");
}

#[tokio::test]
async fn a_copy_that_arrives_meanwhile_is_told_to_wait() {
    let sink = Arc::new(Deduplicating::new(Slow::default()));
    let answers = futures_util::future::join_all((0..16).map(|_| sink.accept(delivery("1")))).await;
    let of = |expected: fn(&Acceptance) -> bool| {
        answers.iter().flatten().filter(|answer| expected(answer)).count()
    };
    assert_eq!(of(|answer| *answer == Acceptance::Accepted), 1);
    assert_eq!(of(|answer| matches!(answer, Acceptance::Busy { .. })), 15);
    assert_eq!(sink.repeats(), repeats(|all| all.in_progress = 15));
    assert_eq!(sink.accept(delivery("1")).await.unwrap(), Acceptance::Duplicate);
}

#[test]
fn many_threads_with_one_delivery_are_told_new_once() {
    let dedupe = MemoryDedupe::default();
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (dedupe, taken) = (&dedupe, &taken);
            scope.spawn(move || {
                for number in 0..500 {
                    // Equal ids in even rounds, equal replay keys in odd ones.
                    let odd = number % 2 == 1;
                    let id = if odd { format!("{number}-{thread}") } else { number.to_string() };
                    let mut delivery = delivery(&id).into_inner();
                    delivery.replay_key = odd.then(|| number.to_string());
                    let key = DedupeKey::of(&delivery);
                    let now = |future| futures_util::FutureExt::now_or_never(future);
                    if now(dedupe.begin(&key, NOW)).unwrap().unwrap() == Claim::New {
                        taken.fetch_add(1, Ordering::Relaxed);
                        futures_util::FutureExt::now_or_never(dedupe.commit(&key)).unwrap().unwrap();
                    }
                }
            });
        }
    });
    assert_eq!((taken.into_inner(), dedupe.len()), (500, 500));
}

#[tokio::test]
async fn a_store_that_fails_lets_nothing_through() {
    struct Broken;
    #[async_trait]
    impl Dedupe for Broken {
        async fn begin(&self, _: &DedupeKey, _: UnixTime) -> Result<Claim, SinkError> {
            Err(SinkError::new("down"))
        }
        async fn commit(&self, _: &DedupeKey) -> Result<(), SinkError> {
            Ok(())
        }
        async fn release(&self, _: &DedupeKey) -> Result<(), SinkError> {
            Ok(())
        }
        fn abandon(&self, _: &DedupeKey) {}
    }
    let inner = Arc::new(Memory::default());
    let broken: Arc<dyn Dedupe> = Arc::new(Broken);
    let sink = Deduplicating::with_dedupe(Arc::clone(&inner), broken);
    assert!(sink.accept(delivery("1")).await.is_err());
    assert_eq!(inner.count(), 0);
}
