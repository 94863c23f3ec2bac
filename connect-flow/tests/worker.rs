//! The worker: attempts, leases, effects, dead letters. Paused time: no test waits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connect_flow::clock::TokioClock;
use connect_flow::dead_letter::{DeadLetters, Replayed};
use connect_flow::inbox::{ClaimRequest, Inbox, State};
use connect_flow::step::StepError;
use connect_flow::worker::Options;
use connect_flow::{
    Clock, Cx, Envelope, EventId, Failure, Handled, Handler, Log, MemoryStore, Policy, Receipt,
    RunningWorker, Schedule, Slice, Store, Timestamp, Worker,
};

/// Does what the event type says, and counts.
#[derive(Default)]
struct Obedient {
    runs: AtomicU32,
    effects: AtomicU32,
    now: AtomicU32,
    most: AtomicU32,
}

impl Obedient {
    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    fn effects(&self) -> u32 {
        self.effects.load(Ordering::SeqCst)
    }

    /// Something outside: the first time it happens but nobody hears of it, afterwards it answers.
    async fn effect(&self) -> Result<String, StepError> {
        if self.effects.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(StepError::unknown(Failure::retry("transport", "no answer")));
        }
        Ok("made".to_owned())
    }
}

#[async_trait]
impl Handler for Obedient {
    async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        let key = event.dedupe_key.as_str();
        let settle = Duration::from_secs(60);
        match event.event_type.as_str() {
            "panic" => panic!("as asked"),
            "fail" => Err(Failure::retry("asked", "as asked")),
            "later" if cx.attempt() == 1 => {
                Err(Failure::retry("limit", "later").after(Duration::from_secs(100)))
            }
            "give up" => Err(Failure::permanent("asked", "as asked")),
            "hang" => std::future::pending().await,
            "long" => {
                tokio::time::sleep(Duration::from_secs(200)).await;
                Ok(Handled::Done("at last".into()))
            }
            "skip" => Ok(Handled::Skipped("as asked".into())),
            "probe, there" => {
                let policy = Policy::Probe { look: |_| async { Ok(Some("found".to_owned())) }, settle };
                cx.step("make", key, policy, || self.effect()).await.map(Handled::Done)
            }
            "probe, not there" => {
                let policy = Policy::Probe { look: |_| async { Ok(None) }, settle };
                cx.step("make", key, policy, || self.effect()).await.map(Handled::Done)
            }
            "at least once" => {
                cx.step("make", key, Policy::at_least_once(), || self.effect()).await.map(Handled::Done)
            }
            "at most once" => {
                cx.step("make", key, Policy::at_most_once(), || self.effect()).await.map(Handled::Done)
            }
            "step, then fail" => {
                self.effects.fetch_max(1, Ordering::SeqCst); // the effect answers at once
                cx.step("make", key, Policy::at_most_once(), || self.effect()).await?;
                if cx.attempt() < 3 {
                    Err(Failure::retry("asked", "as asked"))
                } else {
                    Ok(Handled::Done("done".into()))
                }
            }
            "refused" => {
                let refused = || async {
                    if self.effects.fetch_add(1, Ordering::SeqCst) == 0 {
                        return Err(StepError::not_done(Failure::retry("refused", "no")));
                    }
                    Ok("made".to_owned())
                };
                cx.step("make", key, Policy::at_most_once(), refused).await.map(Handled::Done)
            }
            _ => Ok(Handled::Done("as asked".into())),
        }
    }

    fn target(&self, event: &Envelope) -> &str {
        assert!(event.event_type != "lost", "as asked");
        "slack"
    }
}

struct Bench {
    store: Arc<MemoryStore>,
    handler: Arc<Obedient>,
    clock: Arc<TokioClock>,
    options: Options,
}

impl Bench {
    fn new() -> Self {
        let waits = [1, 10, 120].map(Duration::from_secs);
        Self {
            store: Arc::default(),
            handler: Arc::default(),
            clock: Arc::new(TokioClock::starting_at(Timestamp::from_micros(1_000_000_000_000))),
            options: Options::default().with_schedule(Schedule::new(waits)),
        }
    }

    fn start(&self) -> RunningWorker {
        let (store, handler): (Arc<dyn Store>, Arc<dyn Handler>) = (self.store.clone(), self.handler.clone());
        Worker::new(store, handler).clock(self.clock.clone()).options(self.options.clone()).start()
    }

    async fn accept(&self, event_type: &str, key: &str) -> EventId {
        let event = Envelope::new("default", "github", event_type, key, "{}");
        match self.store.accept(event, self.clock.now()).await.unwrap() {
            Receipt::Accepted(id) | Receipt::Duplicate(id, _) => id,
        }
    }

    async fn settled(&self) {
        loop {
            let counts = self.store.counts().await.unwrap();
            if counts.pending + counts.leased == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn outcomes(&self, id: EventId) -> Vec<String> {
        let event = self.store.event("default", id).await.unwrap().unwrap();
        event.attempts.into_iter().map(|attempt| attempt.outcome).collect()
    }

    async fn state(&self, id: EventId) -> State {
        self.store.event("default", id).await.unwrap().unwrap().state
    }

    /// Accepts one event, runs it to its end, and yields it.
    async fn run(&self, event_type: &str) -> EventId {
        let worker = self.start();
        let id = self.accept(event_type, "k").await;
        self.settled().await;
        worker.stop(Duration::from_secs(1)).await;
        id
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_event_is_tried_by_the_schedule_and_then_given_up_with_its_chain() {
    let bench = Bench::new();
    let begun = bench.clock.now();
    let id = bench.run("fail").await;
    assert_eq!(bench.outcomes(id).await, ["retry", "retry", "retry", "dead"]);
    let waited = bench.clock.now().since(begun);
    assert!(waited >= Duration::from_secs(117) && waited < Duration::from_secs(150), "{waited:?}");
    let letter = bench.store.dead_letter("default", id).await.unwrap().unwrap();
    assert_eq!((letter.class.as_str(), letter.event.attempts.len()), ("asked", 4));
    let row = bench.store.log_row("default", id).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.class.as_str(), row.target.as_str()), ("dead", "asked", "slack"));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_given_up_at_once() {
    let bench = Bench::new();
    let id = bench.run("give up").await;
    assert_eq!(bench.outcomes(id).await, ["dead"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_names_a_wait_is_not_tried_before() {
    let bench = Bench::new();
    let begun = bench.clock.now();
    let id = bench.run("later").await;
    assert_eq!(bench.outcomes(id).await, ["retry", "done"]);
    assert!(bench.clock.now().since(begun) >= Duration::from_secs(100));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt_and_three_are_the_end() {
    let bench = Bench::new();
    let id = bench.run("panic").await;
    assert_eq!(bench.outcomes(id).await, ["retry", "retry", "dead"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_deadline() {
    let mut bench = Bench::new();
    bench.options = bench.options.with_deadline(Duration::from_secs(30)).with_schedule(Schedule::new([]));
    let id = bench.run("hang").await;
    let letter = bench.store.dead_letter("default", id).await.unwrap().unwrap();
    assert_eq!(letter.class, "deadline");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_the_lease_of_a_long_attempt() {
    let bench = Bench::new();
    let id = bench.run("long").await;
    assert_eq!((bench.outcomes(id).await, bench.handler.runs()), (vec!["done".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn an_effect_of_unknown_fate_that_is_found_is_not_repeated() {
    let bench = Bench::new();
    let id = bench.run("probe, there").await;
    assert_eq!((bench.outcomes(id).await.len(), bench.handler.effects()), (2, 1));
    assert_eq!(bench.state(id).await, State::Done);
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_is_not_found_is_repeated_only_after_the_settling_time() {
    let bench = Bench::new();
    let begun = bench.clock.now();
    let id = bench.run("probe, not there").await;
    assert_eq!(bench.handler.effects(), 2);
    assert!(bench.clock.now().since(begun) >= Duration::from_secs(60), "it was repeated too early");
    assert_eq!(bench.outcomes(id).await, ["retry", "retry", "done"]);
}

#[tokio::test(start_paused = true)]
async fn at_least_once_repeats_and_at_most_once_asks_a_person() {
    let bench = Bench::new();
    let id = bench.run("at least once").await;
    assert_eq!((bench.handler.effects(), bench.state(id).await), (2, State::Done));

    let bench = Bench::new();
    let id = bench.run("at most once").await;
    assert_eq!((bench.handler.effects(), bench.state(id).await), (1, State::Dead));
    assert_eq!(bench.store.dead_letter("default", id).await.unwrap().unwrap().class, "unknown_effect");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_done_is_skipped_by_later_attempts() {
    let bench = Bench::new();
    let id = bench.run("step, then fail").await;
    assert_eq!((bench.handler.runs(), bench.handler.effects(), bench.state(id).await), (3, 2, State::Done));
}

#[tokio::test(start_paused = true)]
async fn a_refused_effect_is_tried_again_even_at_most_once() {
    let bench = Bench::new();
    let id = bench.run("refused").await;
    assert_eq!((bench.handler.effects(), bench.state(id).await), (2, State::Done));
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_a_new_event_that_keeps_what_was_done() {
    let mut bench = Bench::new();
    bench.options = bench.options.with_schedule(Schedule::new([]));
    let id = bench.run("step, then fail").await;
    assert_eq!(bench.state(id).await, State::Dead);
    let copy = match bench.store.replay("default", id, bench.clock.now()).await.unwrap() {
        Replayed::As(copy) => copy,
        other => panic!("{other:?}"),
    };
    let worker = bench.start();
    bench.settled().await;
    worker.stop(Duration::from_secs(1)).await;
    assert_eq!(
        (bench.handler.runs(), bench.handler.effects()),
        (2, 2),
        "the handler ran again, the effect did not"
    );
    assert_eq!(bench.store.event("default", copy).await.unwrap().unwrap().replay_of, Some(id));
    assert_eq!(bench.outcomes(id).await, ["dead"], "the original keeps its history");
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_process_died_three_times_is_given_up() {
    let bench = Bench::new();
    let id = bench.accept("push", "k").await;
    for _ in 0..3 {
        let now = bench.clock.now();
        let request = ClaimRequest { now, until: now + Duration::from_secs(60), most: 1, per_tenant: 1 };
        assert_eq!(bench.store.claim(request).await.unwrap().len(), 1);
        tokio::time::advance(Duration::from_secs(61)).await;
    }
    let worker = bench.start();
    bench.settled().await;
    worker.stop(Duration::from_secs(1)).await;
    assert_eq!((bench.handler.runs(), bench.state(id).await), (0, State::Dead));
    assert_eq!(bench.outcomes(id).await, ["expired", "expired", "expired", "dead"]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_lease_says_nothing_more() {
    let mut bench = Bench::new();
    // No heartbeat comes before the lease ends, so the event is claimed again while its first handler still runs.
    bench.options = bench.options.with_lease(Duration::from_secs(50), Duration::from_secs(1_000));
    let (worker, id) = (bench.start(), bench.accept("long", "k").await);
    bench.settled().await;
    let outcomes = ["expired", "expired", "expired", "dead"];
    assert_eq!((bench.outcomes(id).await, bench.handler.runs()), (outcomes.map(str::to_owned).to_vec(), 3));
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(bench.outcomes(id).await, outcomes, "handlers that ended late changed nothing");
    worker.stop(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_gives_back_what_does_not_end_in_time_and_counts_no_attempt() {
    let bench = Bench::new();
    let (worker, id) = (bench.start(), bench.accept("hang", "k").await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.state(id).await, State::Leased);
    worker.stop(Duration::from_secs(5)).await;
    assert_eq!((bench.state(id).await, bench.outcomes(id).await), (State::Pending, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn no_more_handlers_run_than_allowed_in_all_and_per_tenant() {
    let mut bench = Bench::new();
    bench.options = bench.options.with_concurrency(5, 2);
    for number in 0..20 {
        bench.accept("push", &number.to_string()).await;
    }
    let worker = bench.start();
    bench.settled().await;
    assert_eq!(bench.handler.most.load(Ordering::SeqCst), 2, "one tenant has its own cap");
    worker.stop(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_log_has_the_last_word_on_every_event() {
    let bench = Bench::new();
    let worker = bench.start();
    for number in 0..20 {
        bench.accept("push", &number.to_string()).await;
    }
    bench.settled().await;
    worker.stop(Duration::from_secs(1)).await;
    let rows = bench.store.log("default", Slice { offset: 0, limit: 100 }).await.unwrap().rows;
    assert_eq!(rows.iter().filter(|row| row.status == "ok").count(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_target_cannot_be_told_ends_all_the_same() {
    let bench = Bench::new();
    let id = bench.run("lost").await;
    let row = bench.store.log_row("default", id).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.target.as_str(), bench.handler.runs()), ("ok", "", 1));
}
