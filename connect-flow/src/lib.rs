//! From a verified webhook to effects that happen once: inbox, worker, effect journal, dead letters, mappings, log.
//!
//! | module | what |
//! |---|---|
//! | [`envelope`] | the event as it is stored: tenant, source, dedupe key, raw bytes |
//! | [`store`] | what a store is: [`inbox`], [`effect`], [`dead_letter`], [`mapping`], [`log`] |
//! | [`memory`] | a store in memory, for tests: **volatile**, what it holds is gone when the process ends |
//! | [`handler`] | what a program does with an event |
//! | `router` | a `Router` of `connect-webhook` as a handler |
//! | [`step`] | effects outside, each of which happens once as far as the other side allows |
//! | [`worker`] | leases events, runs handlers, retries by [`schedule`], gives up into the dead letters |
//! | [`sink`] | puts what `connect-webhook` received into an inbox |
//! | `conformance` | the suite that every store must pass (feature `conformance`) |
//!
//! # What is promised
//! - An event is as safe as the store makes it when [`Inbox::accept`] returns; each dedupe key is stored once.
//! - Handlers run **at least once**: again after a failure, after a panic, and after the death of the process.
//! - An effect outside is done once if it can be looked for ([`step::Policy::Probe`]) or if doing it twice does no harm;
//!   otherwise its author chooses between perhaps twice and perhaps not at all. Nothing can promise more.
//! - Whoever lost a lease can change nothing any more.
//! - The integration log says what became of each event: both are written in one transaction.

pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod dead_letter;
pub mod effect;
pub mod envelope;
pub mod handler;
pub mod inbox;
pub mod log;
pub mod mapping;
pub mod memory;
mod router;
pub mod schedule;
pub mod sink;
pub mod step;
pub mod store;
pub mod worker;

pub use clock::{Clock, SystemClock, Timestamp};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use effect::Effects;
pub use envelope::Envelope;
pub use handler::{Failure, Handled, Handler};
pub use inbox::{EventId, Inbox, Receipt, Repeat};
pub use log::{Log, LogRow};
pub use mapping::{Mapping, Mappings};
pub use memory::MemoryStore;
pub use schedule::Schedule;
pub use sink::InboxSink;
pub use step::{Cx, Policy};
pub use store::{Listed, Slice, Store, StoreError, StoreErrorKind};
pub use worker::{RunningWorker, Worker};
