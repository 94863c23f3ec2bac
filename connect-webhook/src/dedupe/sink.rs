//! A sink that lets each delivery through once.
//!
//! The order is what matters: claim, hand on, and only then remember. A delivery that the inner sink did not
//! take is new when it comes again; one whose sender hung up half way, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{Claim, Dedupe, DedupeKey, MemoryDedupe, Repeat};
use crate::delivery::Delivery;
use crate::sink::{Acceptance, Sink, SinkError};
use crate::verified::Verified;

/// When to come back for a delivery that somebody is busy with: sinks are done, or cancelled, by then.
const IN_PROGRESS: Duration = Duration::from_secs(5);

/// Asks a [`Dedupe`] before it hands a delivery to the sink inside.
///
/// ```
/// use connect_webhook::{Acceptance, Deduplicating, Delivery, Router, Sink, Trust, Verified};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), connect_webhook::SinkError> {
/// let router = Router::new().on_any("github", async |delivery: Verified<Delivery>| Ok(println!("{}", delivery.id)));
/// let sink = Deduplicating::new(router);
///
/// let delivery = Verified::trust(Delivery::new("default", "github", "72d3162e", "{}"), Trust::Test);
/// assert_eq!(sink.accept(delivery.clone()).await?, Acceptance::Accepted);
/// assert_eq!(sink.accept(delivery).await?, Acceptance::Duplicate);
/// # Ok(())
/// # }
/// ```
///
/// A delivery that came before is a [`Duplicate`](Acceptance::Duplicate), one that somebody is busy with
/// [`Busy`](Acceptance::Busy). Answers are not remembered: where the first answer was the sink's own
/// ([`Acceptance::Answer`]) and got lost on its way, the sender's next try is answered as a duplicate, without it. The age of what is remembered counts by the deliveries' own times of arrival.
#[derive(Debug)]
pub struct Deduplicating<S, D = MemoryDedupe> {
    sink: S,
    dedupe: D,
    tally: Tally,
}

/// How many deliveries came again, and how; from [`Deduplicating::repeats`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    /// As they had come before.
    pub same: u64,
    /// With another body under the same id: a warning in the log each time.
    pub other_body: u64,
    /// With the same signed bytes under another id: a warning in the log each time.
    pub other_id: u64,
    /// While the first was being dealt with.
    pub in_progress: u64,
}

#[derive(Debug, Default)]
struct Tally {
    same: AtomicU64,
    other_body: AtomicU64,
    other_id: AtomicU64,
    in_progress: AtomicU64,
}

impl<S: Sink> Deduplicating<S> {
    /// Remembers in memory, by the defaults of [`MemoryDedupe`].
    pub fn new(sink: S) -> Self {
        Self::with_dedupe(sink, MemoryDedupe::default())
    }
}

impl<S: Sink, D: Dedupe> Deduplicating<S, D> {
    /// Remembers by this.
    pub fn with_dedupe(sink: S, dedupe: D) -> Self {
        Self { sink, dedupe, tally: Tally::default() }
    }

    /// How many deliveries came again since this was made.
    pub fn repeats(&self) -> Repeats {
        let Tally { same, other_body, other_id, in_progress } = &self.tally;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Repeats {
            same: read(same),
            other_body: read(other_body),
            other_id: read(other_id),
            in_progress: read(in_progress),
        }
    }

    fn duplicate(&self, key: &DedupeKey, repeat: Repeat) -> Acceptance {
        let (tenant, source) = (&*key.tenant, &*key.source);
        // The id may be the sender's text, hence `?`, which escapes it.
        let id = &key.id;
        let counter = match repeat {
            Repeat::Same => &self.tally.same,
            Repeat::OtherBody => {
                tracing::warn!(
                    tenant,
                    source,
                    ?id,
                    "an id came again with another body; only the first was taken"
                );
                &self.tally.other_body
            }
            Repeat::OtherId => {
                tracing::warn!(
                    tenant,
                    source,
                    ?id,
                    "a delivery came again under a new id; it was captured on its way, or the sender repeats itself"
                );
                &self.tally.other_id
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Acceptance::Duplicate
    }
}

#[async_trait]
impl<S: Sink, D: Dedupe> Sink for Deduplicating<S, D> {
    async fn accept(&self, delivery: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        let key = DedupeKey::of(&delivery);
        match self.dedupe.begin(&key, delivery.received_at).await? {
            Claim::New => {}
            Claim::Duplicate(repeat) => return Ok(self.duplicate(&key, repeat)),
            Claim::InProgress => {
                self.tally.in_progress.fetch_add(1, Ordering::Relaxed);
                return Ok(Acceptance::Busy { retry_after: IN_PROGRESS });
            }
        }
        let mut guard = Guard { dedupe: &self.dedupe, key: &key, armed: true };
        let answer = self.sink.accept(delivery).await;
        let taken =
            matches!(answer, Ok(Acceptance::Accepted | Acceptance::Duplicate | Acceptance::Answer { .. }));
        let ended = if taken { self.dedupe.commit(&key).await } else { self.dedupe.release(&key).await };
        guard.armed = false;
        if let Err(error) = ended {
            // The answer of the sink counts: what it took must not be asked for again.
            tracing::warn!(taken, %error, "what became of a delivery could not be remembered");
        }
        answer
    }
}

/// Gives a claim up when its future is dropped, or panics, before the claim has ended.
struct Guard<'a, D: Dedupe> {
    dedupe: &'a D,
    key: &'a DedupeKey,
    armed: bool,
}

impl<D: Dedupe> Drop for Guard<'_, D> {
    fn drop(&mut self) {
        if self.armed {
            self.dedupe.abandon(self.key);
        }
    }
}
