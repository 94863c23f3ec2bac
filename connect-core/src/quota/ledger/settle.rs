//! What the end of a call teaches: figures, pauses, and what a refusal closes.

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::{Entry, is_refusal};
use super::line::Pause;
use super::{Before, Grant, Ledger, Settled};
use crate::api::Verdict;
use crate::quota::draws::Bucket;
use crate::quota::gauge::Gauge;
use crate::quota::model::{Observation, Observations};
use crate::quota::server_view::Witness;

/// The longest pause that a failing server's hint is good for.
const LONGEST_OUTAGE: Duration = Duration::from_secs(60);

impl Ledger {
    /// An admitted call has ended. Yields what was closed because of it: `None` is the whole account.
    pub(crate) fn settle(
        &mut self,
        grant: &Grant,
        how: &Settled<'_>,
        now: Instant,
        wake: &mut Vec<Waker>,
    ) -> Vec<(Option<Bucket>, Duration)> {
        let mut closed = Vec::new();
        self.running = self.running.saturating_sub(1);
        let next_number = self.admissions;
        if let Settled::Answered { seen, .. } = how {
            // Figures of buckets that this call did not draw on.
            for figure in seen.figures() {
                let entry = self.entries.find(&figure.bucket, None, now);
                if !grant.wanted.each().iter().any(|want| want.entry == entry) {
                    self.see(entry, figure, grant, now);
                    self.wake_first(Before::Bucket(entry), wake);
                }
            }
        }
        for want in grant.wanted.each() {
            let Some(entry) = self.entries.get_mut(want.entry) else { continue };
            entry.in_flight = entry.in_flight.saturating_sub(want.cost);
            entry.users = entry.users.saturating_sub(1);
            entry.used_at = now;
            entry.settle(want.cost, grant, next_number, how, now);
            self.wake_first(Before::Bucket(want.entry), wake);
        }
        let is_well = matches!(how, Settled::Answered { verdict, .. } if !is_refusal(*verdict));
        self.pause.end(grant.number, is_well, now);
        if let Settled::Answered { seen, verdict, .. } = how {
            for (bucket, wait) in seen.pauses() {
                self.close(bucket.as_ref(), *wait, now);
                closed.push((bucket.clone(), *wait));
            }
            if let Some(first) = seen.back_off() {
                closed.push((None, self.pause.refuse_from(first, now)));
            }
            self.obey(grant, seen, *verdict, now, &mut closed);
        }
        self.wake_first(Before::Gate, wake);
        closed
    }

    /// What an answer closes by its verdict.
    fn obey(
        &mut self,
        grant: &Grant,
        seen: &Observations,
        verdict: Option<Verdict>,
        now: Instant,
        closed: &mut Vec<(Option<Bucket>, Duration)>,
    ) {
        let hint = match verdict {
            Some(Verdict::RateLimited { retry_after }) => retry_after,
            Some(Verdict::Transient { retry_after: Some(wait) }) => {
                // Said of a failing server, which may be one of many: heard by everybody, but not for hours.
                for want in grant.wanted.each() {
                    if let Some(entry) = self.entries.get_mut(want.entry) {
                        let wait = wait.min(LONGEST_OUTAGE);
                        entry.pause.extend(wait, now);
                        closed.push((Some(entry.bucket.clone()), wait));
                    }
                }
                return;
            }
            _ => return,
        };
        let is_used_up = |entry: &Entry| {
            seen.figures().any(|figure| figure.remaining == 0 && figure.bucket == entry.bucket)
        };
        let drawn_on = grant.wanted.each();
        // Where the answer shows which bucket it was, be it one that nobody thought of, the others stay open; else all of
        // them may have been it.
        let is_shown = seen.figures().any(|figure| figure.remaining == 0)
            || seen.pauses().iter().any(|(bucket, _)| bucket.is_some());
        let is_only_spacing = drawn_on.iter().all(|want| {
            self.entries.get(want.entry).is_some_and(|entry| matches!(entry.gauge, Gauge::Spacing(_)))
        });
        for want in drawn_on {
            let Some(entry) = self.entries.get_mut(want.entry) else { continue };
            // A distance is kept or it is not: something else refused it, if there is anything else.
            let is_spacing = matches!(entry.gauge, Gauge::Spacing(_)) && !is_only_spacing;
            if (is_shown && !is_used_up(entry)) || is_spacing {
                continue;
            }
            let wait = entry.pause.refuse(hint, now);
            closed.push((Some(entry.bucket.clone()), wait));
        }
        if closed.is_empty() && !is_shown {
            closed.push((None, self.pause.refuse(hint, now)));
        }
    }

    /// A figure from elsewhere: a warm start.
    pub(crate) fn tell(&mut self, figure: &Observation, now: Instant, wake: &mut Vec<Waker>) {
        let entry = self.entries.find(&figure.bucket, None, now);
        let next_number = self.admissions;
        if let Some(Entry { gauge: Gauge::Server(view), in_flight, used_at, .. }) =
            self.entries.get_mut(entry)
        {
            let by = Witness { number: next_number, sent_at: now, in_flight: *in_flight, next_number };
            view.see(figure, by, now);
            *used_at = now;
        }
        self.wake_first(Before::Bucket(entry), wake);
    }

    /// Closes a bucket, or the whole account, for everybody; afterwards one goes first.
    pub(crate) fn close(&mut self, bucket: Option<&Bucket>, wait: Duration, now: Instant) {
        self.pause_of(bucket, now, |pause| pause.extend(wait, now));
    }

    /// The same, by somebody who knows that it is open afterwards.
    pub(crate) fn hold(&mut self, bucket: Option<&Bucket>, wait: Duration, now: Instant) {
        self.pause_of(bucket, now, |pause| pause.hold(wait, now));
    }

    fn pause_of(&mut self, bucket: Option<&Bucket>, now: Instant, act: impl FnOnce(&mut Pause)) {
        match bucket {
            None => act(&mut self.pause),
            Some(bucket) => {
                let entry = self.entries.find(bucket, None, now);
                if let Some(entry) = self.entries.get_mut(entry) {
                    act(&mut entry.pause);
                }
            }
        }
    }

    fn see(&mut self, entry: u32, figure: &Observation, grant: &Grant, now: Instant) {
        let next_number = self.admissions;
        if let Some(Entry { gauge: Gauge::Server(view), in_flight, used_at, .. }) =
            self.entries.get_mut(entry)
        {
            let by = Witness { number: grant.number, sent_at: grant.at, in_flight: *in_flight, next_number };
            view.see(figure, by, now);
            *used_at = now;
        }
    }
}
