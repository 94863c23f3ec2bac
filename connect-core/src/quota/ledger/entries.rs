//! All buckets of an account, found by name, and forgotten when nobody has used them for long.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::Entry;
use crate::quota::draws::{Bucket, Rule};

/// How many buckets are kept, but for those in use.
const MOST_BUCKETS: usize = 10_000;

/// Fewer are not worth looking through.
const FEW_BUCKETS: usize = 64;

#[derive(Debug)]
pub(super) struct Entries {
    all: Vec<Option<Entry>>,
    vacant: Vec<u32>,
    index: HashMap<Bucket, u32>,
    sweep_at: usize,
}

impl Default for Entries {
    fn default() -> Self {
        Self { all: Vec::new(), vacant: Vec::new(), index: HashMap::new(), sweep_at: FEW_BUCKETS }
    }
}

impl Entries {
    pub(super) fn get(&self, place: u32) -> Option<&Entry> {
        self.all.get(place as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Entry> {
        self.all.get_mut(place as usize)?.as_mut()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.all.iter_mut().flatten()
    }

    /// Finds a bucket, or makes it. `rule` is `None` where an answer names the bucket, or a host: who draws on it knows
    /// better.
    pub(super) fn find(&mut self, bucket: &Bucket, rule: Option<Rule>, now: Instant) -> u32 {
        if let Some(place) = self.index.get(bucket) {
            if let (Some(rule), Some(Some(entry))) = (rule, self.all.get_mut(*place as usize)) {
                entry.adopt(rule, now);
            }
            return *place;
        }
        if self.index.len() >= self.sweep_at {
            self.sweep(now);
        }
        let entry = Entry::new(bucket.clone(), rule.unwrap_or(Rule::Server), now);
        let place = match self.vacant.pop() {
            Some(place) => {
                self.all[place as usize] = Some(entry);
                place
            }
            None => {
                self.all.push(Some(entry));
                u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.index.insert(bucket.clone(), place);
        place
    }

    /// Drops what nobody uses and everything known of which is out of date; beyond the bound, what was used longest ago.
    fn sweep(&mut self, now: Instant) {
        let mut idle: Vec<(Instant, u32)> = Vec::new();
        for (place, entry) in (0_u32..).zip(&self.all) {
            let Some(entry) = entry.as_ref().filter(|entry| entry.users == 0 && entry.line.is_empty()) else {
                continue;
            };
            idle.push((entry.used_at, place));
        }
        idle.sort_unstable();
        // An eighth at once: beyond the bound every new bucket would look through all of them otherwise.
        let surplus = match self.index.len().checked_sub(MOST_BUCKETS) {
            Some(above) => above + MOST_BUCKETS / 8,
            None => 0,
        };
        for (rank, (used_at, place)) in idle.into_iter().enumerate() {
            let memory = self.get(place).map_or(Duration::ZERO, |entry| entry.memory(now));
            if rank >= surplus && now.saturating_duration_since(used_at) <= memory {
                continue;
            }
            if let Some(entry) = self.all.get_mut(place as usize).and_then(Option::take) {
                self.index.remove(&entry.bucket);
                self.vacant.push(place);
            }
        }
        self.sweep_at = self.index.len().saturating_mul(2).clamp(FEW_BUCKETS, MOST_BUCKETS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: usize) -> Bucket {
        Bucket::new("posts").part(number.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_uses_is_forgotten_after_two_windows() {
        let rule = Some(Rule::Published { limit: 1, window: Duration::from_secs(60) });
        let now = Instant::now();
        let mut entries = Entries::default();
        for number in 0..FEW_BUCKETS {
            entries.find(&part(number), rule, now);
        }
        let busy = entries.find(&part(0), rule, now);
        entries.get_mut(busy).unwrap().users = 1;
        entries.find(&Bucket::new("new"), rule, now + Duration::from_secs(121));
        assert_eq!(entries.iter_mut().count(), 2, "the one in use and the new one");
        assert_eq!(entries.find(&part(0), rule, now), busy);
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_bound_the_longest_unused_make_room_many_at_once() {
        let now = Instant::now();
        let mut entries = Entries::default();
        for number in 0..3 * MOST_BUCKETS {
            entries.find(&part(number), None, now + Duration::from_millis(number as u64));
        }
        let kept = entries.iter_mut().count();
        assert!(kept <= MOST_BUCKETS && kept > MOST_BUCKETS / 2, "{kept}");
        let newest = part(3 * MOST_BUCKETS - 1);
        assert!(entries.index.contains_key(&newest) && !entries.index.contains_key(&part(0)));
    }
}
