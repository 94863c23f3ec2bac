//! The books as operators see them.

use tokio::time::Instant;

use super::Ledger;
use crate::quota::gauge::Gauge;
use crate::quota::pilot::QuotaStatus;

impl Ledger {
    pub(crate) fn status(&mut self, now: Instant) -> Vec<QuotaStatus> {
        let account = QuotaStatus {
            bucket: super::ACCOUNT.to_owned(),
            limit: Some(u64::from(self.concurrency)),
            remaining: Some(u64::from(self.concurrency.saturating_sub(self.running))),
            resets_in: None,
            in_flight: u64::from(self.running),
            waiting: self.line.len(),
            paused_for: self.pause.rest(now),
        };
        let mut all = vec![account];
        for entry in self.entries.iter_mut() {
            let (limit, remaining, resets_in) = match &mut entry.gauge {
                Gauge::Server(view) => view.left(entry.in_flight, now),
                Gauge::Published(log) => {
                    let (limit, left, whole) = log.left(entry.in_flight, now);
                    (Some(limit), Some(left), whole)
                }
                Gauge::Spacing(_) => (None, None, None),
            };
            all.push(QuotaStatus {
                bucket: entry.bucket.name().to_owned(),
                limit,
                remaining,
                resets_in,
                in_flight: entry.in_flight,
                waiting: entry.line.len(),
                paused_for: entry.pause.rest(now),
            });
        }
        all[1..].sort_by(|one, other| one.bucket.cmp(&other.bucket));
        all
    }
}
