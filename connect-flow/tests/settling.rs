//! An effect whose trace lags is not repeated while its trace may still be on its way.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_flow::clock::TokioClock;
use connect_flow::step::StepError;
use connect_flow::worker::Options;
use connect_flow::{
    Clock, Cx, Envelope, Failure, Handled, Handler, Inbox, MemoryStore, Policy, Schedule, Timestamp, Worker,
};
use tokio::time::Instant;

/// A tracker that fails the first create, applies the second without an answer, and shows what it made after 30 s.
#[derive(Default)]
struct Lagging {
    calls: AtomicUsize,
    made: Mutex<Vec<Instant>>,
}

#[async_trait::async_trait]
impl Handler for Lagging {
    async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
        let look = |_| async {
            let shown = |at: &Instant| at.elapsed() > Duration::from_secs(30);
            Ok(self.made.lock().unwrap().iter().any(shown).then(|| "OPS-1".to_owned()))
        };
        let policy = Policy::Probe { look, settle: Duration::from_secs(60) };
        let create = || async {
            let number = self.calls.fetch_add(1, Ordering::SeqCst);
            if number > 0 {
                self.made.lock().unwrap().push(Instant::now());
            }
            match number {
                0 => Err(StepError::unknown(Failure::retry("unavailable", "it answered 500"))),
                1 => Err(StepError::unknown(Failure::retry("transport", "the answer was lost"))),
                _ => Ok("OPS-2".to_owned()),
            }
        };
        cx.step("create", &event.dedupe_key, policy, create).await.map(Handled::Done)
    }
}

#[tokio::test(start_paused = true)]
async fn the_settling_time_counts_from_the_last_call_and_not_from_the_first() {
    let (store, tracker) = (Arc::new(MemoryStore::default()), Arc::new(Lagging::default()));
    let clock = Arc::new(TokioClock::starting_at(Timestamp::from_micros(1)));
    let schedule = Schedule::new([5, 5, 5, 60].map(Duration::from_secs));
    let worker = Worker::new(store.clone(), tracker.clone())
        .clock(clock.clone())
        .options(Options::default().with_schedule(schedule))
        .start();
    store.accept(Envelope::new("default", "slack", "shortcut", "1", "{}"), clock.now()).await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let counts = store.counts().await.unwrap();
        if counts.done + counts.dead > 0 {
            break;
        }
    }
    worker.stop(Duration::from_secs(1)).await;
    assert_eq!(tracker.made.lock().unwrap().len(), 1, "made once");
}
