//! How many requests ended how, since the receiver was built.
//!
//! For a host's status page or metrics endpoint; nothing is exported from here. One atomic addition per
//! request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every way a request can end. Codes of refusals are logged, too, and stay stable.
const CODES: &[&str] = &[
    ACCEPTED,
    DUPLICATE,
    HANDSHAKE,
    "unknown_endpoint",
    "malformed_request",
    "rate_limited",
    "method_not_allowed",
    "registration_closed",
    "wrong_verify_token",
    "too_large",
    "too_slow",
    "interrupted",
    "missing_header",
    "missing_field",
    "malformed_header",
    "no_matching_scheme",
    "bad_encoding",
    "duplicate_header",
    "invalid_timestamp",
    "timestamp_too_old",
    "timestamp_in_future",
    "signature_mismatch",
    "body_hash_mismatch",
    "qsh_mismatch",
    "unknown_key",
    "untrusted_key_url",
    "claim_mismatch",
    "malformed_body",
    "missing_url",
    "no_secret_yet",
    "unsupported_content_type",
    "malformed_payload",
    "busy",
    "over_quota",
    "sink_error",
    "key_fetch_failed",
    "key_unreadable",
    "key_fetches_exhausted",
    "handshake_failed",
    // For codes that somebody forgot to list above.
    "other",
];

pub(crate) const ACCEPTED: &str = "accepted";
pub(crate) const DUPLICATE: &str = "duplicate";
pub(crate) const HANDSHAKE: &str = "handshake";

/// A snapshot, from [`Receiver::counters`](crate::Receiver::counters).
///
/// ```
/// # fn show(receiver: &connect_webhook::Receiver) {
/// let counters = receiver.counters();
/// println!("{} accepted, {} refused", counters.accepted, counters.refused_total());
/// for (code, count) in &counters.refused {
///     println!("{code}: {count}");
/// }
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Deliveries the sink took.
    pub accepted: u64,
    /// Deliveries the sink already had.
    pub duplicate: u64,
    /// Handshakes answered.
    pub handshakes: u64,
    /// Everything that did not get a 2xx, by code, such as `signature_mismatch`, `too_large`,
    /// `malformed_payload`, `busy` or `sink_error`. Codes that never occurred are absent.
    pub refused: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// How many requests were refused with this code.
    pub fn refused(&self, code: &str) -> u64 {
        self.refused.get(code).copied().unwrap_or_default()
    }

    /// How many requests did not get a 2xx.
    pub fn refused_total(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// The counters themselves.
#[derive(Debug)]
pub(crate) struct Tally([AtomicU64; CODES.len()]);

impl Default for Tally {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; CODES.len()])
    }
}

impl Tally {
    pub(crate) fn add(&self, code: &str) {
        let index = CODES.iter().position(|known| *known == code).unwrap_or(CODES.len() - 1);
        if let Some(counter) = self.0.get(index) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> Counters {
        let mut counters = Counters::default();
        for (code, counter) in CODES.iter().zip(&self.0) {
            let count = counter.load(Ordering::Relaxed);
            match *code {
                ACCEPTED => counters.accepted = count,
                DUPLICATE => counters.duplicate = count,
                HANDSHAKE => counters.handshakes = count,
                _ if count == 0 => {}
                code => _ = counters.refused.insert(code, count),
            }
        }
        counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_not_listed_is_still_counted() {
        let tally = Tally::default();
        tally.add("never heard of");
        tally.add(ACCEPTED);
        let counters = tally.snapshot();
        assert_eq!((counters.accepted, counters.refused("other"), counters.refused_total()), (1, 1, 1));
    }
}
