//! Idempotency keys: one per operation, shared by all its attempts, unlike any other.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::seed;

/// Makes keys from two seeds and a count: 128 bits as 32 hexadecimal digits.
///
/// Two seeds, because 64 bits are too few to tell the keys of all clients of all programs apart.
#[derive(Debug)]
pub(crate) struct Keys {
    seeds: [u64; 2],
    made: AtomicU64,
}

impl Keys {
    pub(crate) fn new(seeds: [u64; 2]) -> Self {
        Self { seeds, made: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let [first, second] = self.seeds.map(|seed| seed::generator(seed, number).u64(..));
        format!("{first:016x}{second:016x}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_differ_within_a_client_and_between_clients() {
        let clients = [Keys::new([1, 1]), Keys::new([1, 2]), Keys::new([u64::MAX, 1])];
        let keys: HashSet<String> = clients.iter().flat_map(|keys| (0..1_000).map(|_| keys.next())).collect();
        assert_eq!(keys.len(), 3_000);
        assert!(keys.iter().all(|key| key.len() == 32));
    }
}
