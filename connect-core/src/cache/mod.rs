//! Answers kept to be asked "is this still good?": conditional requests (RFC 9110, 13) by ETag, per account. Opt-in.
//!
//! A revalidated answer costs the provider little (GitHub counts a 304 to an authenticated request for nothing) and
//! saves the body. Nothing is ever served without asking, except where a call
//! [takes a stale answer](crate::Context::with_stale) and the provider gives none. Not for providers without validators:
//! an answer with neither `ETag` nor `Last-Modified` is never kept.
//!
//! The key is account + method + URL + `Accept` + API version, so nobody gets, or sends the ETag of, what another account
//! was shown; `Vary` is respected on top. Kept are whole answers only: status 200, the provider's verdict a success, as
//! long as it says it is, no `no-store`. Streamed answers and endpoints with conditions of their own pass by.
//!
//! | what | default |
//! |---|---|
//! | answers in a [`MemoryCache`] | 1,000 |
//! | bytes in a [`MemoryCache`] | 32 MiB |
//! | largest answer that is kept | 1 MiB |
//! | time for one question to a [`CacheStore`] | 1 s, then the call goes on without it |
//!
//! ```
//! use connect_core::cache::{CacheLayer, MemoryCache};
//! let memory = MemoryCache::default().with_max_bytes(8 * 1024 * 1024);
//! let layer = CacheLayer::new("sha256:of-host-and-credential", memory);
//! # let _ = layer;
//! ```

mod entry;
mod key;
mod layer;
mod memory;
mod store;

pub use entry::CacheEntry;
pub use key::CacheKey;
pub use layer::{Cache, CacheFuture, CacheLayer};
pub use memory::MemoryCache;
pub use store::CacheStore;
