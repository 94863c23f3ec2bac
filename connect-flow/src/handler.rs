//! What a program does with an event.
//!
//! A handler may run again for the same event: after a failure, after a panic, after the death of the process. What it
//! does outside goes through [`Cx::step`], which keeps a repetition from doing it twice.

use std::time::Duration;

use async_trait::async_trait;

use crate::envelope::Envelope;
use crate::step::Cx;

/// How an event was dealt with. The words go into logs and tables: one line, no contents of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Something was done.
    Done(String),
    /// Nothing is done about events of this kind.
    Skipped(String),
}

/// Why an event could not be dealt with, and what is to become of it.
///
/// ```
/// use std::time::Duration;
/// use connect_flow::Failure;
/// let later = Failure::retry("rate_limited", "Slack is busy").after(Duration::from_secs(30));
/// let never = Failure::permanent("payload", "the payload is not JSON");
/// assert!(!later.is_permanent() && never.is_permanent());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    class: String,
    message: String,
    permanent: bool,
    after: Option<Duration>,
}

impl Failure {
    /// A failure that may pass: the event's time comes again by the schedule.
    pub fn retry(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class: class.into(), message: message.into(), permanent: false, after: None }
    }

    /// A failure that will not pass: the event is given up at once.
    pub fn permanent(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class: class.into(), message: message.into(), permanent: true, after: None }
    }

    /// Not before this much time has passed, whatever the schedule says.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = Some(wait);
        self
    }

    /// A word for counters: `rate_limited`, `panic`.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// One line for an operator.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Is it given up at once?
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// The shortest wait before the next attempt, if the failure names one.
    pub fn shortest_wait(&self) -> Option<Duration> {
        self.after
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Deals with events.
///
/// [`Worker`](crate::Worker) has an example.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Deals with one event. A panic counts as a failed attempt.
    ///
    /// # Errors
    /// [`Failure`]: the event is tried again, or given up.
    async fn handle(&self, event: &Envelope, cx: &Cx) -> Result<Handled, Failure>;

    /// Where events of this kind go to, for the integration log; empty if nowhere in particular. A panic counts as empty.
    fn target(&self, _event: &Envelope) -> &str {
        ""
    }
}
