//! What a program does with an event.

use async_trait::async_trait;

use crate::envelope::Envelope;

/// How an event was dealt with.
///
/// The words go into logs and tables: one line, no contents of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Something was done.
    Done(String),
    /// Nothing is done about events of this kind.
    Skipped(String),
}

/// Why an event could not be dealt with.
///
/// Carries a stable class for counting and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// A word for counters: `rate_limited`, `panic`.
    pub class: String,
    /// One line for an operator.
    pub message: String,
    /// Is it certain that nothing was done? Then the same event may be handed in again.
    pub nothing_done: bool,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class: class.into(), message: message.into(), nothing_done: false }
    }

    /// Says that nothing was done, so that the sender's next delivery of the event is no duplicate.
    #[must_use]
    pub fn with_nothing_done(mut self, nothing_done: bool) -> Self {
        self.nothing_done = nothing_done;
        self
    }
}

/// Deals with events.
///
/// The crate's front page shows one.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Deals with one event. A panic counts as a failure.
    ///
    /// # Errors
    /// [`Failure`]; the event is recorded as failed.
    async fn handle(&self, envelope: &Envelope) -> Result<Handled, Failure>;
}
