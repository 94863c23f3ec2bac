//! Where events wait for a worker.

use async_trait::async_trait;

use crate::envelope::Envelope;

/// The number an inbox gives to an event.
///
/// Numbers, not addresses: they survive being logged and asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of an event that was handed in.
///
/// Both mean "you may forget it": a sender gets a 2xx for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the inbox now.
    Accepted(EventId),
    /// It was there already.
    Duplicate(EventId),
}

/// Why an event was not taken. The sender keeps it and tries again.
///
/// Few, because the answer to the sender is the same for all: 503 with `Retry-After`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboxError {
    /// As much as the inbox may hold is waiting.
    #[error("the inbox is full ({waiting} events are waiting): send it again later")]
    Full {
        /// How many events are waiting.
        waiting: usize,
    },
    /// The worker stops; nothing new is taken.
    #[error("the inbox is closing: send it again later")]
    Closing,
}

/// Takes events in. Each (tenant, source, dedupe key) is taken once while it is remembered.
///
/// A trait, because events come from webhooks, from polls and from tests, and stores differ.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Takes an event; when this returns, the event is as safe as this inbox makes it.
    ///
    /// # Errors
    /// [`InboxError`]; the event was not taken.
    async fn accept(&self, envelope: Envelope) -> Result<Receipt, InboxError>;
}
