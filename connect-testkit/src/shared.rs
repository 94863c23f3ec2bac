//! State that several tasks read and change, locked only inside a closure.
//!
//! The closure is synchronous, so the lock cannot be held across an `.await`: the mistake does not compile.
//! Not for anything that waits; a poisoned lock is taken over, because a failed test must not hide the
//! assertion that failed first.

use std::sync::{Arc, Mutex, PoisonError};

pub(crate) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
