//! Leases events, runs handlers, retries by the schedule, and gives up into the dead letters.
//!
//! An attempt counts from its claim. While a handler runs, its lease is kept by heartbeats; a worker that lost a lease
//! drops the handler and says nothing more about the event. A panic is a failed attempt. An event that panicked or lost
//! its process three times is given up, so that it cannot take the others down with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::{Clock, SystemClock};
use crate::envelope::Envelope;
use crate::handler::{Failure, Handled, Handler};
use crate::inbox::{AttemptEnd, Claim, ClaimRequest, Ended, Held};
use crate::schedule::Schedule;
use crate::step::Cx;
use crate::store::Store;

/// Deaths without a word, and panics, after which an event is given up.
const MOST_DEATHS: u32 = 3;

/// How often a store is asked for work that another process may have brought.
const POLL: Duration = Duration::from_secs(1);

/// How often it is asked for work that is due and was not handed out.
const SHORT_POLL: Duration = Duration::from_millis(50);

/// How a worker works; every value can be set.
///
/// | field | default |
/// |---|---|
/// | `concurrency` | 16 handlers at the same time |
/// | `per_tenant` | 8 of them for one tenant |
/// | `lease` / `heartbeat` | 60 s / 20 s |
/// | `deadline` | 5 min for one attempt |
/// | `schedule` | 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h, 15 h |
/// | `seed` | 0: of the jitter |
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Options {
    /// Handlers that run at the same time.
    pub concurrency: usize,
    /// Handlers that run at the same time for one tenant.
    pub per_tenant: usize,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How often a running handler's lease is renewed.
    pub heartbeat: Duration,
    /// How long one attempt may take.
    pub deadline: Duration,
    /// When a failed event's time comes again.
    pub schedule: Schedule,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 16,
            per_tenant: 8,
            lease: Duration::from_secs(60),
            heartbeat: Duration::from_secs(20),
            deadline: Duration::from_secs(5 * 60),
            schedule: Schedule::default(),
            seed: 0,
        }
    }
}

impl Options {
    /// Sets how many handlers run at the same time, in all and for one tenant.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize, per_tenant: usize) -> Self {
        self.concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        self.per_tenant = per_tenant.max(1);
        self
    }

    /// Sets how long a claim holds, and how often it is renewed.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration, heartbeat: Duration) -> Self {
        self.lease = lease;
        self.heartbeat = heartbeat.max(Duration::from_millis(1));
        self
    }

    /// Sets how long one attempt may take.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets when a failed event's time comes again.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }
}

/// A worker that is about to start.
///
/// ```
/// use std::sync::Arc;
/// use connect_flow::{Cx, Envelope, Failure, Handled, Handler, Inbox, MemoryStore, Policy, SystemClock, Timestamp, Worker};
///
/// struct Print;
/// #[async_trait::async_trait]
/// impl Handler for Print {
///     async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure> {
///         let printed = cx.step("print", &event.dedupe_key, Policy::at_least_once(), || async {
///             println!("{} {}", event.source, event.event_type);
///             Ok("printed".to_owned())
///         });
///         Ok(Handled::Done(printed.await?))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Arc::new(MemoryStore::default());
/// let worker = Worker::new(store.clone(), Arc::new(Print)).start();
/// let event = Envelope::new("default", "github", "push", "delivery-1", "{}");
/// store.accept(event, Timestamp::default()).await.unwrap();
/// while store.counts().await.unwrap().done == 0 {
///     tokio::task::yield_now().await;
/// }
/// worker.stop(std::time::Duration::from_secs(10)).await;
/// # }
/// ```
#[must_use = "a worker does nothing until `start` is called"]
pub struct Worker {
    store: Arc<dyn Store>,
    handler: Arc<dyn Handler>,
    clock: Arc<dyn Clock>,
    options: Options,
}

impl Worker {
    /// Takes events out of this store and hands them to this handler.
    pub fn new(store: Arc<dyn Store>, handler: Arc<dyn Handler>) -> Self {
        Self { store, handler, clock: Arc::new(SystemClock), options: Options::default() }
    }

    /// Goes by another clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Works in another way.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Starts on the current tokio runtime.
    pub fn start(self) -> RunningWorker {
        let (phase, watched) = watch::channel(Phase::Working);
        RunningWorker { phase, task: tokio::spawn(Arc::new(Shared::new(self)).run(watched)) }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A worker at work. Dropping it stops it at once, giving its events back.
///
/// From [`Worker::start`].
#[derive(Debug)]
pub struct RunningWorker {
    phase: watch::Sender<Phase>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Claims nothing more, lets running handlers end within a grace period, then gives their events back: those
    /// attempts do not count.
    pub async fn stop(mut self, grace: Duration) {
        let _ = self.phase.send(Phase::Draining);
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            let _ = self.phase.send(Phase::Ending);
            let _ = self.task.await;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Working,
    /// No new claims.
    Draining,
    /// Running handlers are dropped and their events given back.
    Ending,
}

struct Shared {
    store: Arc<dyn Store>,
    handler: Arc<dyn Handler>,
    clock: Arc<dyn Clock>,
    options: Options,
    attempts: AtomicU64,
}

impl Shared {
    fn new(worker: Worker) -> Self {
        let Worker { store, handler, clock, options } = worker;
        Self { store, handler, clock, options, attempts: AtomicU64::new(0) }
    }

    async fn run(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let permits = Arc::new(Semaphore::new(self.options.concurrency));
        let arrivals = self.store.arrivals();
        let mut running = JoinSet::new();
        while is_working(&phase) {
            while running.try_join_next().is_some() {}
            let arrived = arrivals.notified();
            tokio::pin!(arrived);
            // Registered before the claim, so that an event that comes in between is not missed.
            arrived.as_mut().enable();

            let free = permits.available_permits();
            let (claims, pause) = match if free > 0 { self.claim(free).await } else { Some(Vec::new()) } {
                Some(claims) if !claims.is_empty() => (claims, Duration::ZERO),
                Some(none) if free > 0 => (none, self.pause(!running.is_empty()).await),
                Some(none) => (none, POLL),
                // A store that cannot be asked now is not asked a thousand times a second.
                None => (Vec::new(), POLL),
            };
            if claims.is_empty() {
                tokio::select! {
                    () = &mut arrived, if free > 0 => {}
                    () = tokio::time::sleep(pause) => {}
                    _ = phase.changed() => {}
                    Some(_) = running.join_next() => {}
                }
                continue;
            }
            for claim in claims {
                let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { continue };
                running.spawn(Arc::clone(&self).attempt(claim, permit, phase.clone()));
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// `None` if the store cannot be asked.
    async fn claim(&self, most: usize) -> Option<Vec<Claim>> {
        let now = self.clock.now();
        let request =
            ClaimRequest { now, until: now + self.options.lease, most, per_tenant: self.options.per_tenant };
        let claimed = self.store.claim(request).await;
        claimed.map_err(|error| tracing::error!(error = %error, "no events could be claimed")).ok()
    }

    /// How long nothing will be due, as far as is known.
    async fn pause(&self, is_running: bool) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            // Something is due and yet was not handed out: its tenant is at its cap, and waits for a handler to end.
            Ok(Some(due)) if due <= now && is_running => POLL,
            // Another process has its tenant at its cap, or its time came just now.
            Ok(Some(due)) if due <= now => SHORT_POLL,
            Ok(Some(due)) => due.since(now).clamp(Duration::from_millis(1), POLL),
            Ok(None) | Err(_) => POLL,
        }
    }

    async fn attempt(
        self: Arc<Self>,
        claim: Claim,
        _permit: OwnedSemaphorePermit,
        mut phase: watch::Receiver<Phase>,
    ) {
        let (source, event_type) = (claim.envelope.source.clone(), claim.envelope.event_type.clone());
        let id = claim.lease.event;
        let result = if claim.expiries >= MOST_DEATHS {
            Err(Failure::permanent("lease_expired", "its process died, or hung, again and again"))
        } else {
            tokio::select! {
                result = self.handle(&claim) => match result {
                    Some(result) => result,
                    None => {
                        tracing::warn!(%id, %source, event_type, "the lease was lost; the handler was dropped");
                        return;
                    }
                },
                () = ending(&mut phase) => {
                    if let Err(error) = self.store.release(&claim.lease, self.clock.now()).await {
                        tracing::warn!(%id, error = %error, "an event could not be given back; its lease will expire");
                    }
                    return;
                }
            }
        };
        let end = self.end(&claim, &result);
        match &result {
            Ok(Handled::Done(what)) => tracing::info!(%id, %source, event_type, what, "event handled"),
            Ok(Handled::Skipped(why)) => tracing::info!(%id, %source, event_type, why, "event skipped"),
            Err(failure) => {
                let (attempt, class, status) = (claim.attempt, failure.class(), end.ended.status());
                tracing::warn!(%id, %source, event_type, attempt, class, status, error = %failure, "attempt failed");
            }
        }
        match self.store.finish(&claim.lease, end).await {
            Ok(Held::Yes) => {}
            Ok(Held::Lost) => {
                tracing::warn!(%id, %source, event_type, "the lease was lost before the end was stored")
            }
            Err(error) => {
                tracing::error!(%id, error = %error, "the end of an attempt could not be stored; it will run again")
            }
        }
    }

    /// Runs the handler under its deadline, keeping the lease; `None` if the lease was lost.
    async fn handle(&self, claim: &Claim) -> Option<Result<Handled, Failure>> {
        let cx =
            Cx::new(Arc::clone(&self.store), Arc::clone(&self.clock), claim.lease.clone(), claim.attempt);
        // The handler is only used again through its own `&self`, so a half-done change inside it is its own business;
        // the call itself stands inside too, because it may panic before it yields a future.
        let handling =
            AssertUnwindSafe(async { self.handler.handle(&claim.envelope, &cx).await }).catch_unwind();
        let handling = tokio::time::timeout(self.options.deadline, handling);
        tokio::pin!(handling);
        loop {
            tokio::select! {
                ended = &mut handling => {
                    return match ended {
                        Ok(Ok(Err(failure))) if failure.class() == "lease_lost" => None,
                        Ok(Ok(result)) => Some(result),
                        Ok(Err(_)) => Some(Err(self.panicked(claim))),
                        Err(_) => {
                            let message = format!("no end within {:?}", self.options.deadline);
                            Some(Err(Failure::retry("deadline", message)))
                        }
                    };
                }
                () = tokio::time::sleep(self.options.heartbeat) => {
                    match self.store.extend(&claim.lease, self.clock.now() + self.options.lease).await {
                        Ok(Held::Yes) => {}
                        Ok(Held::Lost) => return None,
                        Err(error) => tracing::warn!(error = %error, "a lease could not be renewed"),
                    }
                }
            }
        }
    }

    fn panicked(&self, claim: &Claim) -> Failure {
        let message = "the handler panicked; its message is in the log";
        if claim.panics + 1 >= MOST_DEATHS {
            return Failure::permanent("panic", message);
        }
        Failure::retry("panic", message)
    }

    /// What becomes of the event.
    fn end(&self, claim: &Claim, result: &Result<Handled, Failure>) -> AttemptEnd {
        let now = self.clock.now();
        let (ended, class, message) = match result {
            Ok(Handled::Done(what)) => (Ended::Done, "", what.as_str()),
            Ok(Handled::Skipped(why)) => (Ended::Skipped, "", why.as_str()),
            Err(failure) => {
                let number = self.attempts.fetch_add(1, Ordering::Relaxed);
                // Weyl sequence: neighbouring attempts get unrelated seeds.
                let seed = self.options.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let random = fastrand::Rng::with_seed(seed).f64();
                let (class, message) = (failure.class(), failure.message());
                match self.options.schedule.wait(claim.attempt, random) {
                    Some(wait) if !failure.is_permanent() => {
                        let wait = wait.max(failure.shortest_wait().unwrap_or_default());
                        (Ended::Retry { at: now + wait }, class, message)
                    }
                    _ => (Ended::Dead, class, message),
                }
            }
        };
        let (class, message, target) = (class.to_owned(), message.to_owned(), self.target(&claim.envelope));
        AttemptEnd { at: now, ended, class, message, target }
    }

    /// Where the event went to. A panic in there must not keep it from its end: it would be claimed again for ever.
    fn target(&self, event: &Envelope) -> String {
        let target = AssertUnwindSafe(|| self.handler.target(event).to_owned());
        catch_unwind(target).unwrap_or_default()
    }
}

/// A dropped sender means that the host let go of the worker.
fn is_working(phase: &watch::Receiver<Phase>) -> bool {
    phase.has_changed().is_ok() && *phase.borrow() == Phase::Working
}

async fn ending(phase: &mut watch::Receiver<Phase>) {
    // An error means that the host let go of the worker: the same.
    let _ = phase.wait_for(|phase| *phase == Phase::Ending).await;
}
