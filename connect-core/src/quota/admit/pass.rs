//! What an admitted attempt holds, and gives back however it ends.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::SentHead;
use crate::api::Verdict;
use crate::error::{Error, Sent};
use crate::event::Event;
use crate::progress::Progress;
use crate::quota::draws::Bucket;
use crate::quota::ledger::{ACCOUNT, Grant, Settled};
use crate::quota::model::Observations;
use crate::quota::pilot::QuotaPilot;
use crate::request::Request;
use crate::response::Response;

/// An admission. Dropped before its end was told, it gives its place back and keeps what it may have spent.
pub(super) struct Pass {
    pilot: QuotaPilot,
    /// Taken when the end is told.
    grant: Option<Grant>,
    head: SentHead,
    progress: Arc<Progress>,
    begun: Instant,
    /// The number under which the store gave it.
    number: Option<u64>,
}

impl Pass {
    pub(super) fn new(pilot: &QuotaPilot, grant: Grant, request: &Request, now: Instant) -> Self {
        let progress = Arc::clone(request.context().progress());
        // Of this attempt, from here on: what an earlier one has sent is not its doing.
        progress.set_sent(Sent::No);
        Self {
            pilot: pilot.clone(),
            grant: Some(grant),
            head: request.share_head(),
            progress,
            begun: now,
            number: None,
        }
    }

    pub(super) fn set_number(&mut self, number: u64) {
        self.number = Some(number);
    }

    /// The attempt has ended with this.
    pub(super) fn end(&mut self, result: &Result<Response, Error>) {
        let now = Instant::now();
        let mut seen = Observations::default();
        let how = match result {
            Ok(response) => {
                self.pilot.shared_parts().model.observe(&self.head, response, &mut seen);
                self.tell(&seen);
                Settled::Answered {
                    seen: &seen,
                    verdict: response.verdict(),
                    is_free: response.status() == StatusCode::NOT_MODIFIED,
                    is_well: matches!(
                        response.verdict(),
                        Some(Verdict::Success | Verdict::Refused | Verdict::Unauthenticated)
                    ),
                    trip: now.saturating_duration_since(self.begun),
                }
            }
            Err(error) if error.sent() == Sent::No => Settled::Unsent,
            Err(_) => Settled::Lost,
        };
        self.settle(&how, now);
    }

    /// Ends it as if it had never been: the store had no room.
    pub(super) fn undo(&mut self) {
        self.settle(&Settled::Unsent, Instant::now());
    }

    fn settle(&mut self, how: &Settled<'_>, now: Instant) {
        let Some(grant) = self.grant.take() else { return };
        let closed = self.pilot.with(|ledger, wake| ledger.settle(&grant, how, now, wake));
        for (bucket, wait) in &closed {
            self.progress.note(|| Event::QuotaPaused {
                bucket: bucket.as_ref().map_or(ACCOUNT.into(), Bucket::label),
                wait: *wait,
            });
        }
        let (Some(number), Some((store, account))) = (self.number, &self.pilot.shared_parts().store) else {
            return;
        };
        let (sent, figures) = match how {
            Settled::Answered { seen, .. } => (Sent::Yes, Some(seen.figures())),
            Settled::Lost => (Sent::Maybe, None),
            Settled::Unsent => (Sent::No, None),
        };
        // The others hear of the same pauses as we do, those that follow from the verdict included.
        let seen = Observations::of(figures.into_iter().flatten().cloned(), closed);
        let (store, account) = (Arc::clone(store), account.clone());
        // Outside of the request's time: its caller need not wait until the store has heard. Without a runtime (it is
        // ending) the store forgets by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.give_back(&account, number, sent, &seen).await {
                    tracing::warn!(error = %error, "the quota store could not be told of an answer");
                }
            });
        }
    }

    fn tell(&self, seen: &Observations) {
        for figure in seen.figures() {
            self.progress.note(|| Event::QuotaSeen {
                bucket: figure.bucket.label(),
                limit: figure.limit,
                remaining: figure.remaining,
                resets_in: figure.resets_in,
            });
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.grant.is_none() {
            return;
        }
        // Dropped in the middle: what the transport never got was not spent.
        let how = if self.progress.sent() == Sent::No { Settled::Unsent } else { Settled::Lost };
        self.settle(&how, Instant::now());
    }
}
