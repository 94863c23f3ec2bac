//! What travels with a call: tenant, deadline, options. In the request, never in task-locals, so it survives `spawn`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use tokio::time::Instant;

use crate::error::Sent;
use crate::retry::RetryPolicy;

/// Tenant, deadline and options of one call.
///
/// ```
/// use connect_core::Context;
/// let context = Context::for_tenant("acme");
/// assert_eq!(context.tenant(), "acme");
/// assert_eq!(Context::default().tenant(), "default");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context {
    tenant: Option<Arc<str>>,
    deadline: Option<Instant>,
    retry: Option<RetryPolicy>,
    progress: Arc<Progress>,
}

impl Context {
    /// A context for one tenant of the host program.
    pub fn for_tenant(tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::default() }
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

    /// The retry policy of this call, where it differs from the client's.
    pub fn retry(&self) -> Option<RetryPolicy> {
        self.retry
    }

    pub(crate) fn set_retry(&mut self, policy: RetryPolicy) {
        self.retry = Some(policy);
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// A copy for another operation of the same caller: its own count of attempts.
    pub(crate) fn for_next_operation(&self) -> Self {
        Self { progress: Arc::default(), ..self.clone() }
    }
}

/// How far an operation has come. The outer layers read it when they give up on the inner ones, so that even a deadline
/// can say how many attempts there were and whether one of them may have been applied.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    sent: AtomicU8,
    unsettled: AtomicBool,
}

impl Progress {
    pub(crate) fn begin_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// From here on the transport has the request: until it answers, anything may have happened.
    pub(crate) fn set_sent(&self, sent: Sent) {
        let code = match sent {
            Sent::No => 0,
            Sent::Maybe => 1,
            Sent::Yes => 2,
        };
        self.sent.store(code, Ordering::Relaxed);
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// An attempt that may have been applied is followed by another one. What that one proves about itself proves
    /// nothing about the first.
    pub(crate) fn set_unsettled(&self) {
        self.unsettled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> Sent {
        match self.sent.load(Ordering::Relaxed) {
            _ if self.is_unsettled() => Sent::Maybe,
            0 => Sent::No,
            1 => Sent::Maybe,
            _ => Sent::Yes,
        }
    }
}
