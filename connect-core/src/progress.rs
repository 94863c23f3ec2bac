//! How far an operation has come, shared by all its attempts.
//!
//! The outer layers read it when they give up on the inner ones, so that even a deadline can say how many attempts there
//! were and whether one of them may have been applied. It also knows who listens.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Sent;
use crate::event::Event;
use crate::observe::{Observer, Scope};
use crate::retry::Stop;

/// One operation's counters, and its listeners.
#[derive(Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    sent: AtomicU8,
    unsettled: AtomicBool,
    token_refused: AtomicBool,
    /// An attempt's own time-out is running, and it never ends after the deadline.
    guarded: AtomicBool,
    stop: AtomicU8,
    token_renewed: AtomicBool,
    /// Milliseconds after which a new token, refused, is sent again; 0 for none.
    token_settling: AtomicU64,
    listeners: Option<Listeners>,
}

struct Listeners {
    scope: Scope,
    started: Instant,
    observer: Option<Arc<dyn Observer>>,
    /// Events with the time since the operation began.
    trace: Option<Mutex<Vec<(Duration, Event)>>>,
}

impl Progress {
    /// Of an operation that somebody listens to.
    pub(crate) fn watched(scope: Scope, observer: Option<Arc<dyn Observer>>, traced: bool) -> Self {
        let trace = traced.then(Mutex::default);
        let is_watched = observer.is_some() || traced;
        let listeners = is_watched.then(|| Listeners { scope, started: Instant::now(), observer, trace });
        Self { listeners, ..Self::default() }
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.listeners.is_some()
    }

    pub(crate) fn note(&self, event: impl FnOnce() -> Event) {
        let Some(listeners) = &self.listeners else { return };
        let event = event();
        if let Some(observer) = &listeners.observer {
            observer.on_event(&listeners.scope, &event);
        }
        if let Some(trace) = &listeners.trace {
            let at = listeners.started.elapsed();
            trace.lock().unwrap_or_else(PoisonError::into_inner).push((at, event));
        }
    }

    /// How long it has taken, where anybody listens.
    pub(crate) fn elapsed(&self) -> Duration {
        self.listeners.as_ref().map(|listeners| listeners.started.elapsed()).unwrap_or_default()
    }

    /// Takes what was recorded out.
    pub(crate) fn take_trace(&self) -> Vec<(Duration, Event)> {
        let trace = self.listeners.as_ref().and_then(|listeners| listeners.trace.as_ref());
        trace.map_or_else(Vec::new, |trace| {
            std::mem::take(&mut *trace.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    pub(crate) fn begin_attempt(&self) {
        let before = self.attempts.fetch_add(1, Ordering::Relaxed);
        self.note(|| Event::AttemptStarted { number: before + 1 });
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

    /// The provider refused the token, and a newer one can be had: the Auth layer says so, Retry acts on it. Once per
    /// operation: a provider that refuses the newer one too means it.
    pub(crate) fn set_token_refused(&self) {
        if self.token_renewed.swap(true, Ordering::Relaxed) {
            return;
        }
        self.token_refused.store(true, Ordering::Relaxed);
        self.note(|| Event::TokenRefused);
    }

    /// The provider refused a token that it may not know everywhere yet: the Auth layer says when to send it again.
    pub(crate) fn set_token_settling(&self, pause: Duration) {
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.token_settling.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn take_token_settling(&self) -> Option<Duration> {
        let millis = self.token_settling.swap(0, Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    pub(crate) fn take_token_refused(&self) -> bool {
        self.token_refused.swap(false, Ordering::Relaxed)
    }

    /// Says that the attempt's time-out watches the clock, so that the deadline need not.
    pub(crate) fn set_guarded(&self, guarded: bool) {
        self.guarded.store(guarded, Ordering::Relaxed);
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded.load(Ordering::Relaxed)
    }

    /// Why Retry handed the last result to the caller.
    pub(crate) fn set_stop(&self, stop: Stop) {
        self.stop.store(stop as u8, Ordering::Relaxed);
    }

    pub(crate) fn stop(&self) -> Stop {
        Stop::from_code(self.stop.load(Ordering::Relaxed))
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

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("attempts", &self.attempts())
            .field("sent", &self.sent())
            .field("watched", &self.is_watched())
            .finish()
    }
}
