//! The quota pilot: uses all of what a provider allows, and asks for no more.
//!
//! Other clients run into a limit and then wait. The pilot knows what is left before it sends: from the provider's own
//! figures less what is on its way, or from a log of what was sent where the provider publishes its limits and shows no
//! figures. Whoever finds a bucket closed waits in line, first come, first served within each
//! [`Priority`](crate::Priority), and learns at once if the wait would be longer than it can wait.
//!
//! | file | what |
//! |---|---|
//! | [`Draws`], [`Bucket`], [`Rule`] | what a call draws on |
//! | [`QuotaModel`], [`HeaderModel`] | who knows that: one per provider |
//! | `gauge` | what is known of a bucket: server view, send log, spacing; pure |
//! | `spending`, `probe` | what a lost reply may have cost; who goes first |
//! | `ledger` | buckets, queues and the gate of one account; pure, without a clock |
//! | [`QuotaPilot`] | the ledger behind its lock, shared by all clients of an account |
//! | [`AdmitLayer`] | the tower layer: takes its turn before an attempt, learns from each answer |
//! | [`QuotaStore`] | shares quotas between processes |
//!
//! # What holds
//! - A call takes all its draws and a place among the account's running requests, or nothing.
//! - A waiter stands in one line, that of the first bucket that is closed to it, so nobody waits behind somebody who
//!   waits for something else. Only the first of a line watches for its opening: a hundred thousand waiters cost a hundred
//!   thousand wake-ups and no more.
//! - A dropped waiter leaves its line; a dropped attempt gives its place back, and keeps what it may have spent.
//! - After a reset, a pause, or at the very beginning, one request goes first, and the others wait for what its answer
//!   says; after two seconds without one, the next tries.
//! - A refusal closes the bucket that its answer shows as used up, else all that the call drew on, for everybody; one
//!   without a hint closes it for a second, the next for two, up to a minute.
//! - A lost reply counts as spent until a later figure proves that the provider did not charge it.
//! - A waiter that needs two scarce buckets is not sent from line to line for ever: what it finds is kept for it.
//! - If somebody else draws on the same account, a margin is kept, and the last of it is used one request at a time.

mod admit;
mod draws;
mod gauge;
mod header_model;
mod ledger;
mod model;
mod pilot;
mod probe;
mod send_log;
mod server_view;
mod spacing;
mod spending;
mod store;

pub use admit::{Admit, AdmitFuture, AdmitLayer};
pub use draws::{Bucket, Draw, Draws, Rule};
pub use header_model::HeaderModel;
pub use model::{Observation, Observations, QuotaModel};
pub use pilot::{QuotaConfig, QuotaPilot, QuotaStatus};
pub use store::{MemoryQuotaStore, QuotaStore, Taken};
