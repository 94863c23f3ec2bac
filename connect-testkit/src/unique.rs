//! Numbers that are used once in a process: they make credentials and delivery ids unique.
//!
//! A counter rather than randomness, so that a test that starts one fake sees the same ids on every run.
//! Not a source of anything secret: every credential made from it is obviously fake.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

pub(crate) fn number() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A delivery id in the form of a version 4 GUID.
pub(crate) fn guid() -> String {
    format!("fa4e0000-0000-4000-8000-{:012x}", number())
}
