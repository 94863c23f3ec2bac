//! Which items of a batch are done, so that another try of the batch leaves them out.
//!
//! Remembered in memory, for the last 1,024 batches that are not done as a whole: a restart forgets them and
//! handlers run again. They must bear that anyway.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::delivery::Delivery;

/// Batches that fail in part are rare; a thousand at a time is an outage.
const MOST_BATCHES: usize = 1024;

/// Tenant, source, id. The hash of the payload tells whether it is still the same batch.
type Batch = (Arc<str>, Arc<str>, String, [u8; 32]);

#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Batches>);

#[derive(Debug, Default)]
struct Batches {
    done: HashMap<Batch, (u64, HashSet<usize>)>,
    /// With the number each got: one that was forgotten and came again stands here twice.
    order: VecDeque<(u64, Batch)>,
    last: u64,
}

impl Progress {
    pub(super) fn batch(delivery: &Delivery) -> Batch {
        let hash = Sha256::digest(&delivery.payload).into();
        (Arc::clone(&delivery.tenant), Arc::clone(&delivery.source), delivery.id.clone(), hash)
    }

    pub(super) fn is_done(&self, batch: &Batch, item: usize) -> bool {
        self.lock().done.get(batch).is_some_and(|(_, done)| done.contains(&item))
    }

    pub(super) fn done(&self, batch: &Batch, item: usize) {
        let mut batches = self.lock();
        if let Some((_, done)) = batches.done.get_mut(batch) {
            done.insert(item);
            return;
        }
        batches.last += 1;
        let number = batches.last;
        batches.order.push_back((number, batch.clone()));
        batches.done.insert(batch.clone(), (number, HashSet::from([item])));
        batches.forget_surplus();
    }

    pub(super) fn forget(&self, batch: &Batch) {
        self.lock().done.remove(batch);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Batches> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batches {
    fn forget_surplus(&mut self) {
        while self.done.len() > MOST_BATCHES
            && let Some((number, batch)) = self.order.pop_front()
        {
            if self.done.get(&batch).is_some_and(|(known, _)| *known == number) {
                self.done.remove(&batch);
            }
        }
        // What was forgotten otherwise leaves its place behind.
        if self.order.len() > 2 * MOST_BATCHES {
            let done = &self.done;
            self.order.retain(|(number, batch)| done.get(batch).is_some_and(|(known, _)| known == number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_batches_are_remembered() {
        let progress = Progress::default();
        let batch = |number: usize| Progress::batch(&Delivery::new("t", "s", number.to_string(), "[]"));
        for number in 0..3 * MOST_BATCHES {
            progress.done(&batch(number), 0);
            if number % 2 == 0 {
                progress.forget(&batch(number));
            }
        }
        let batches = progress.lock();
        assert!(batches.done.len() <= MOST_BATCHES && batches.order.len() <= 2 * MOST_BATCHES);
        drop(batches);
        assert!(progress.is_done(&batch(3 * MOST_BATCHES - 1), 0));
        assert!(!progress.is_done(&batch(3 * MOST_BATCHES - 2), 0) && !progress.is_done(&batch(1), 0));
    }

    #[test]
    fn another_payload_under_the_same_id_is_another_batch() {
        let progress = Progress::default();
        let batch = |payload: &'static str| Progress::batch(&Delivery::new("t", "s", "1", payload));
        progress.done(&batch("[1]"), 0);
        assert!(progress.is_done(&batch("[1]"), 0) && !progress.is_done(&batch("[2]"), 0));
    }
}
