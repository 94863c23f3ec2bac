//! What a reconciler remembers between passes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connect_core::Cursor;
use serde::{Deserialize, Serialize};

use super::tally::Tally;

/// How far the deliveries of one hook have been looked at, and which of them are still to be recovered.
///
/// Serialisable, so that any [`WatermarkStore`](super::WatermarkStore) can keep it; it holds GUIDs, ids, names of events
/// and times, and no payload. Losing it is no harm: the next pass looks three days back.
///
/// ```
/// use connect_github::redelivery::Watermark;
/// let watermark: Watermark = serde_json::from_str("{}")?;
/// assert_eq!((watermark.through(), watermark.open()), (None, 0));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watermark {
    /// Every delivery up to here has been looked at: seconds since 1970, by GitHub's clock.
    pub(super) through: Option<i64>,
    /// A listing that was cut short, by a rate limit or by its number of pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scan: Option<Scan>,
    /// Failed deliveries by GUID.
    pub(super) open: BTreeMap<String, Open>,
}

/// A listing under way, from the newest delivery back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scan {
    /// It ends at the first delivery that is older.
    pub(super) until: i64,
    pub(super) newest: Option<i64>,
    pub(super) cursor: Option<Cursor>,
    pub(super) tally: Tally,
}

/// A delivery of which no attempt has succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) delivery_id: i64,
    pub(super) event: String,
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    pub(super) asked: usize,
    pub(super) asked_at: Option<i64>,
    /// Lost or given up; remembered until it is listed no more, so that it is reported once.
    pub(super) closed: bool,
}

impl Scan {
    /// Keeps the tally small: of an endless list of failures the oldest, and the watermark will wait before the others.
    pub(super) fn trim(&mut self, most: usize) {
        // Now and then is enough, and cheaper than at each of them.
        if self.tally.0.len() <= most.saturating_mul(2) {
            return;
        }
        let mut ages: Vec<(i64, String)> =
            self.tally.0.iter().map(|(guid, attempts)| (attempts.first_at, guid.clone())).collect();
        ages.sort();
        for (first_at, guid) in ages.into_iter().skip(most) {
            self.newest = self.newest.min(Some(first_at));
            self.tally.0.remove(&guid);
        }
    }
}

impl Watermark {
    /// Every delivery up to this moment, by GitHub's clock, has been looked at; `None` before the first complete pass.
    pub fn through(&self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.through?.unsigned_abs());
        if self.through? < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// How many deliveries are still to be recovered.
    pub fn open(&self) -> usize {
        self.open.values().filter(|open| !open.closed).count()
    }

    pub(super) fn note_ask(&mut self, guid: &str, now: i64) {
        if let Some(open) = self.open.get_mut(guid) {
            open.asked += 1;
            open.asked_at = Some(now);
        }
    }

    pub(super) fn close(&mut self, guid: &str) {
        if let Some(open) = self.open.get_mut(guid) {
            open.closed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Attempt;
    use super::*;

    #[test]
    fn a_tally_keeps_the_oldest_and_the_watermark_waits_before_the_others() {
        let mut scan = Scan { until: 0, newest: Some(1_000), cursor: None, tally: Tally::default() };
        for at in (1..=1_000).rev() {
            let (id, guid, event) = (at, format!("g{at}"), "push".to_owned());
            scan.tally.add(Attempt { id, guid, at, event, is_redelivery: false, succeeded: false });
            scan.trim(10);
            assert!(scan.tally.0.len() <= 20);
        }
        scan.trim(4);
        let mut kept: Vec<i64> = scan.tally.0.values().map(|attempts| attempts.first_at).collect();
        kept.sort_unstable();
        assert_eq!((kept, scan.newest), (vec![1, 2, 3, 4], Some(5)));
    }
}
