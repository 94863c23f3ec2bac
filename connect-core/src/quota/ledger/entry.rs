//! One bucket in the books.

use std::time::Duration;

use tokio::time::Instant;

use super::line::{Line, Pause, Place};
use super::{Grant, Settled};
use crate::api::Verdict;
use crate::deadline::after;
use crate::quota::draws::{Bucket, Rule};
use crate::quota::gauge::Gauge;
use crate::quota::server_view::{Spent, Witness};
use crate::quota::spending::Sure;

/// A reply that is lost may be counted as much later as this, at the most.
const LONGEST_TRIP: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) bucket: Bucket,
    pub(super) gauge: Gauge,
    pub(super) in_flight: u64,
    pub(super) pause: Pause,
    pub(super) line: Line,
    pub(super) claim: Option<Claim>,
    /// The longest round trip, slowly forgotten.
    pub(super) trip: Duration,
    /// Waiting or running: such an entry stays.
    pub(super) users: u32,
    pub(super) used_at: Instant,
}

/// What is kept for somebody who is sent from line to line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) place: Place,
    pub(super) cost: u64,
}

pub(super) fn is_refusal(verdict: Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::RateLimited { .. }))
}

impl Entry {
    pub(super) fn new(bucket: Bucket, rule: Rule, now: Instant) -> Self {
        Self {
            bucket,
            gauge: Gauge::new(rule, now),
            in_flight: 0,
            pause: Pause::default(),
            line: Line::default(),
            claim: None,
            trip: Duration::ZERO,
            users: 0,
            used_at: now,
        }
    }

    /// Goes by this rule from now on. Of another kind, once nothing is on its way.
    pub(super) fn adopt(&mut self, rule: Rule, now: Instant) {
        if !self.gauge.adopt(rule) && self.in_flight == 0 {
            self.gauge = Gauge::new(rule, now);
        }
    }

    pub(super) fn settle(
        &mut self,
        cost: u64,
        grant: &Grant,
        next_number: u64,
        how: &Settled<'_>,
        now: Instant,
    ) {
        let (seen, charged) = match how {
            Settled::Unsent => (None, None),
            Settled::Lost => (None, Some(Sure::No)),
            Settled::Answered { seen, verdict, is_free, trip, is_well } => {
                let seen = seen.figures().find(|figure| figure.bucket == self.bucket);
                self.trip = (*trip).max(self.trip - self.trip / 16).min(LONGEST_TRIP);
                if let Gauge::Server(view) = &mut self.gauge {
                    view.took(*trip);
                    if seen.is_none() && *is_well {
                        view.has_no_figures();
                    }
                }
                let is_charged = !is_refusal(*verdict) && !*is_free;
                // An answer that shows no figures may come from somewhere before the one who counts.
                let sure = if seen.is_some() { Sure::Yes } else { Sure::No };
                (seen, is_charged.then_some(sure))
            }
        };
        let is_well = matches!(how, Settled::Answered { verdict, .. } if !is_refusal(*verdict));
        self.pause.end(grant.number, is_well, now);
        match (&mut self.gauge, how) {
            (Gauge::Server(view), _) => {
                view.spend(Spent { cost, number: grant.number, charged }, now);
                if let Some(seen) = seen {
                    let by = Witness {
                        number: grant.number,
                        sent_at: grant.at,
                        in_flight: self.in_flight,
                        next_number,
                    };
                    view.see(seen, by, now);
                }
            }
            (Gauge::Published(_) | Gauge::Spacing(_), Settled::Unsent) => {}
            // It may still be under way to the one who counts.
            (Gauge::Published(log), Settled::Lost) => log.charge(cost, after(now, self.trip)),
            // Whether a refusal counts is known to the provider alone.
            (Gauge::Published(log), Settled::Answered { .. }) => log.charge(cost, now),
            (Gauge::Spacing(_), _) => {}
        }
    }

    pub(super) fn memory(&self, now: Instant) -> Duration {
        self.gauge.memory().max(self.pause.rest(now))
    }
}
