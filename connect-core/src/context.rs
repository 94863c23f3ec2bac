//! What travels with a call: tenant, deadline, priority, options. In the request, never in task-locals, so it survives
//! `spawn`.

use std::sync::Arc;

use tokio::time::Instant;

use crate::event::Event;
use crate::progress::Progress;
use crate::retry::RetryPolicy;

/// Who goes first when a quota is short. Strict: nobody of a lower class is admitted while a higher one waits for the
/// same bucket.
///
/// Three classes, because hosts have people who wait, events that wait, and backfills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody is looking at a screen.
    Interactive,
    /// The usual.
    #[default]
    Normal,
    /// Backfills, prefetching, reconciliation.
    Background,
}

/// Tenant, deadline and options of one call.
///
/// ```
/// use connect_core::{Context, Priority};
/// let context = Context::for_tenant("acme").with_priority(Priority::Background);
/// assert_eq!(context.tenant(), "acme");
/// assert_eq!(Context::default().tenant(), "default");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context {
    tenant: Option<Arc<str>>,
    deadline: Option<Instant>,
    priority: Priority,
    /// Apart, because few calls have one, and a context is copied for every attempt.
    retry: Option<Arc<RetryPolicy>>,
    host_retries: bool,
    streams: bool,
    takes_stale: bool,
    progress: Arc<Progress>,
}

impl Context {
    /// A context for one tenant of the host program.
    pub fn for_tenant(tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::default() }
    }

    /// Sets who goes first when a quota is short.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Says that the host sends a failed call again itself: this family then sends it once, so that attempts do not
    /// multiply. A refused token is still renewed.
    #[must_use]
    pub fn host_retries(mut self) -> Self {
        self.host_retries = true;
        self
    }

    /// Takes an old answer out of the [cache](crate::cache) rather than none. It is marked: [`Source::Stale`](crate::Source).
    #[must_use]
    pub fn with_stale(mut self) -> Self {
        self.takes_stale = true;
        self
    }

    /// Whose call it is; `default` in a program without tenants.
    pub fn tenant(&self) -> &str {
        self.tenant.as_deref().unwrap_or("default")
    }

    /// When the whole operation must be over, waits and body included.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Sets the deadline; the earlier one wins.
    pub fn limit_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(self.deadline.map_or(deadline, |known| known.min(deadline)));
    }

    /// Who goes first when a quota is short.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// The retry policy of this call, where it differs from the client's.
    pub fn retry(&self) -> Option<RetryPolicy> {
        if self.host_retries { Some(RetryPolicy::never()) } else { self.retry.as_deref().copied() }
    }

    /// Is the answer's body handed over as a stream, instead of being collected?
    pub fn streams(&self) -> bool {
        self.streams
    }

    /// Is an old answer out of the cache better than none?
    pub fn takes_stale(&self) -> bool {
        self.takes_stale
    }

    /// Tells whoever listens to this operation what happens. The event is made only if somebody does.
    pub fn note(&self, event: impl FnOnce() -> Event) {
        self.progress.note(event);
    }

    pub(crate) fn set_retry(&mut self, policy: RetryPolicy) {
        self.retry = Some(Arc::new(policy));
    }

    pub(crate) fn set_priority(&mut self, priority: Priority) {
        self.priority = priority;
    }

    pub(crate) fn set_streams(&mut self) {
        self.streams = true;
    }

    pub(crate) fn set_takes_stale(&mut self) {
        self.takes_stale = true;
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    pub(crate) fn set_progress(&mut self, progress: Arc<Progress>) {
        self.progress = progress;
    }

    /// A count of attempts of its own, unless it has one already: that of a request sent again is not its own.
    pub(crate) fn begin_operation(&mut self) {
        if Arc::get_mut(&mut self.progress).is_none() {
            self.progress = Arc::default();
        }
    }

    /// A copy for another operation of the same caller: its own count of attempts.
    pub(crate) fn for_next_operation(&self) -> Self {
        Self { progress: Arc::default(), ..self.clone() }
    }
}
