//! The embedded store of `connect-flow` and `connect-oauth`: one SQLite file that keeps events, effects, dead letters,
//! mappings and the log, and, with the feature `tokens`, the sealed tokens of connections.
//!
//! For programs on one machine, as one process or as a few that share the file on a local disk. Not for a file on a
//! network share: SQLite's write-ahead log needs shared memory.
//!
//! ```
//! use connect_flow::inbox::{ClaimRequest, Inbox};
//! use connect_flow::{Envelope, Timestamp};
//! use connect_store_sqlite::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), connect_flow::StoreError> {
//! let store = SqliteStore::open(":memory:")?; // or "sqlite:hub.db"
//! let (now, until) = (Timestamp::from_micros(0), Timestamp::from_micros(60_000_000));
//! store.accept(Envelope::new("acme", "github", "push", "delivery-1", "{}"), now).await?;
//!
//! let claims = store.claim(ClaimRequest { now, until, most: 16, per_tenant: 8 }).await?;
//! assert_eq!(claims[0].envelope.dedupe_key, "delivery-1");
//! store.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//! - When a method returns, what it did is on the disk: `synchronous=FULL`, one `fsync` for all that waits at that moment.
//! - Each method is one transaction, or nothing. A caller that stops waiting does no harm: the work is done or not done.
//! - Two processes on one file never hold the same lease, and no token is ever used twice.
//! - A claim costs what it yields: the length of a tenant's queue does not matter, and every tenant gets its turn.
//!
//! # When the disk is full
//! Writes fail with [`StoreErrorKind::Full`](connect_flow::StoreErrorKind::Full) and nothing of them is stored; a webhook
//! is then answered with a 503 and its sender comes again. Reads go on. Once there is space, so do writes: nothing needs
//! to be restarted. Ending an event takes space too, so events that were handled meanwhile run again after their lease.
//!
//! # Files
//! Beside `hub.db` stand `hub.db-wal` and `hub.db-shm` while it is open. They belong to it: a copy without them lacks the
//! newest events (`sqlite3 hub.db ".backup copy.db"` takes everything). A file that is not a store, is damaged, or was
//! written by a newer version is refused when it is opened, and not changed.

mod claim;
mod dead_letter;
mod effect;
mod error;
mod inbox;
mod job;
mod location;
mod log;
#[cfg(feature = "tokens")]
mod login;
mod mapping;
mod reader;
mod rows;
mod schema;
mod session;
mod store;
#[cfg(feature = "tokens")]
mod token;
mod writer;

pub use store::{Builder, SqliteStore};
