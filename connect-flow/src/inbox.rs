//! Where events wait for a worker, and how a worker holds one.
//!
//! An event is stored once per (tenant, source, dedupe key), and once per (tenant, source, replay key) if it has one: a
//! captured delivery that comes again under another id is a duplicate as long as the first one is remembered. A worker *claims* events: each claim is a lease that ends by
//! itself, and counts as an attempt from that moment, so that an event that kills its process still ends in the dead
//! letters. Whoever holds a lease proves it with the lease's token: after it expired and somebody else claimed the event,
//! everything the first holder says about it is refused ([`Held::Lost`]).

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::envelope::Envelope;
use crate::store::StoreError;

pub use connect_webhook::Repeat;

/// The number a store gives to an event; rises with arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub i64);

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of an event that was handed in. Both mean "you may forget it": a sender gets a 2xx for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored now.
    Accepted(EventId),
    /// It was stored already, as this event; how it differs from that one.
    Duplicate(EventId, Repeat),
}

/// Where an event is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for its time.
    Pending,
    /// A worker has it.
    Leased,
    /// Dealt with.
    Done,
    /// Given up: see the dead letters.
    Dead,
    /// Looked at, nothing to do.
    Skipped,
}

impl State {
    /// The state as it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }

    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Leased, Self::Done, Self::Dead, Self::Skipped]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// Proof of a claim: which event, whose, and the token that fences off earlier holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The event's tenant.
    pub tenant: Arc<str>,
    /// The event.
    pub event: EventId,
    /// Unlike that of any other claim of this event.
    pub token: i64,
}

/// Is the lease still ours?
#[must_use = "what a lost lease says must not be believed"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Yes, and what was asked is done. Also after it expired, as long as nobody claimed the event since.
    Yes,
    /// No: it expired and the event was claimed again or ended. Nothing was changed.
    Lost,
}

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest {
    /// Now: events are eligible if their time came, or their lease ended, at this moment or before.
    pub now: Timestamp,
    /// When the leases end: from this moment on, the events may be claimed again.
    pub until: Timestamp,
    /// How many events at most.
    pub most: usize,
    /// How many events of one tenant may be leased at the same time. Leases that expired do not count: their holders are
    /// gone.
    pub per_tenant: usize,
}

/// A claimed event.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Proof.
    pub lease: Lease,
    /// The event, with the dedupe key it first came with.
    pub envelope: Envelope,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How many earlier attempts ended without a word: the lease expired.
    pub expiries: u32,
    /// How many earlier attempts panicked: they ended with the class `panic`.
    pub panics: u32,
    /// The event this one replays.
    pub replay_of: Option<EventId>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Dealt with.
    Done,
    /// Nothing to do.
    Skipped,
    /// Failed; the event's time comes again.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// Given up: the event becomes a dead letter.
    Dead,
}

impl Ended {
    /// The status that the integration log gives to the event.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Done => "ok",
            Self::Skipped => "skipped",
            Self::Retry { .. } => "retry",
            Self::Dead => "dead",
        }
    }
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEnd {
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    pub ended: Ended,
    /// A word for counters; empty for a success.
    pub class: String,
    /// One line for people.
    pub message: String,
    /// Where the event went to, for the integration log; empty leaves what the log says.
    pub target: String,
}

/// One attempt at an event, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it was claimed.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, or if its process died.
    pub ended: Option<Timestamp>,
    /// `done`, `skipped`, `retry`, `dead`, `expired`; empty while it runs.
    pub outcome: String,
    /// A word for counters.
    pub class: String,
    /// One line for people.
    pub message: String,
}

/// An event as it is stored.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct EventRecord {
    /// The number.
    pub id: EventId,
    /// The event.
    pub envelope: Envelope,
    /// Where it is in its life.
    pub state: State,
    /// When its time comes, while it is pending.
    pub run_at: Timestamp,
    /// When it was stored.
    pub accepted_at: Timestamp,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// The event this one replays.
    pub replay_of: Option<EventId>,
}

impl EventRecord {
    /// A record; for stores.
    pub fn new(
        id: EventId,
        envelope: Envelope,
        state: State,
        run_at: Timestamp,
        accepted_at: Timestamp,
    ) -> Self {
        Self { id, envelope, state, run_at, accepted_at, attempts: Vec::new(), replay_of: None }
    }
}

/// How many events are in which state, over all tenants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for their time.
    pub pending: u64,
    /// With a worker.
    pub leased: u64,
    /// Dealt with.
    pub done: u64,
    /// Looked at, nothing to do.
    pub skipped: u64,
    /// Given up.
    pub dead: u64,
}

/// Keeps events until they are dealt with.
///
/// A trait, because programs in memory, in one process with a file, and in many with a server all need the same.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores an event; when this returns, the event is as safe as this store makes it. Its row in the integration log,
    /// `pending`, is written in the same transaction.
    ///
    /// An event with the tenant, source and dedupe key (compared byte by byte) of one that is stored is a duplicate,
    /// whatever state that one is in: the first one stays as it is, and so does the log. So is one with its replay key.
    /// The receipt tells a copy from an event that shares the dedupe key and not the body, and from one that shares
    /// nothing but the replay key; the dedupe key says more, should the two be of different events.
    ///
    /// # Errors
    /// The event was not stored.
    async fn accept(&self, envelope: Envelope, now: Timestamp) -> Result<Receipt, StoreError>;

    /// Leases eligible events, round by round over the tenants that have some. Within a tenant, what was due first comes
    /// first, then what arrived first. The turns go on from claim to claim, so that claims of one event reach every
    /// tenant too. The log says what it said before.
    ///
    /// # Errors
    /// Nothing was leased.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError>;

    /// Keeps a lease until later.
    ///
    /// # Errors
    /// The lease ends when it would have.
    async fn extend(&self, lease: &Lease, until: Timestamp) -> Result<Held, StoreError>;

    /// Ends an attempt and the lease. The row in the integration log is written in the same transaction: its status, class
    /// and target, and the time since the acceptance. With [`Ended::Dead`], so is the dead letter.
    ///
    /// # Errors
    /// Nothing was changed; the lease goes on until it expires.
    async fn finish(&self, lease: &Lease, end: AttemptEnd) -> Result<Held, StoreError>;

    /// Gives an event back as if it had not been claimed: the event keeps its time, and so its place before younger ones;
    /// the attempt does not count; the log says what it said before.
    ///
    /// # Errors
    /// The lease goes on until it expires.
    async fn release(&self, lease: &Lease, now: Timestamp) -> Result<Held, StoreError>;

    /// One event of a tenant.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn event(&self, tenant: &str, id: EventId) -> Result<Option<EventRecord>, StoreError>;

    /// How many events are in which state.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// When the next pending event is due or the next lease ends, whichever is sooner, over all tenants: a worker sleeps
    /// until then.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Forgets ended events (done and skipped) that were accepted before a time, but not at it, the oldest first and at
    /// most `most` of them. Yields how many.
    ///
    /// With an event go its dedupe key, which may come again, its attempts, and the effects that no other event began.
    /// Its row in the log stays until [`Log::sweep_log`](crate::log::Log::sweep_log); a replay's original stays as well.
    ///
    /// # Errors
    /// Nothing was forgotten.
    async fn sweep(&self, before: Timestamp, most: u32) -> Result<u32, StoreError>;

    /// Notified when an event is stored, replayed, given back or to be tried again in this process, so that a worker need
    /// not poll for it.
    fn arrivals(&self) -> Arc<Notify>;
}
