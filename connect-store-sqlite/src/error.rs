//! What SQLite says, in the three words that callers of a store react to.
//!
//! Rule: whatever may pass by itself or by waiting is `Unavailable`, lack of space is `Full`, and a file that cannot be
//! understood is `Corrupt`. Every message ends with what to do.

use std::sync::Arc;

use connect_flow::store::{StoreError, StoreErrorKind};
use rusqlite::{Error, ErrorCode};

/// Why a job failed. `Clone`, because a failed commit is the answer to all jobs of its batch.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<Error>>,
}

impl Fault {
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unavailable, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }

    pub(crate) fn closed() -> Self {
        Self::unavailable("the store was closed; open it again")
    }

    pub(crate) fn panicked() -> Self {
        Self::unavailable("the store panicked and undid this change; the panic's message is a bug to report")
    }

    /// Puts what was being done in front of the message.
    pub(crate) fn while_doing(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (kind, advice) = classify(&error);
        Self { kind, message: format!("{error}; {advice}"), source: Some(Arc::new(error)) }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let error = Self::new(fault.kind, fault.message);
        match fault.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// The same for those who know connect-core and not connect-flow.
#[cfg(feature = "tokens")]
pub(crate) fn core_error(error: StoreError) -> connect_core::Error {
    use connect_core::{ErrorKind, RetryAdvice};
    let (kind, retry) = match error.kind() {
        StoreErrorKind::Corrupt => (ErrorKind::Config, RetryAdvice::Never),
        _ => (ErrorKind::Unavailable, RetryAdvice::Later),
    };
    connect_core::Error::new(kind, error.to_string()).with_retry(retry).with_source(error)
}

fn classify(error: &Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Full, Unavailable};
    let Error::SqliteFailure(failure, _) = error else {
        return (
            Corrupt,
            "the store holds what this version cannot read: restore a backup or use the version that wrote it",
        );
    };
    match failure.code {
        ErrorCode::DiskFull => (Full, "nothing was stored: free space on the disk, then try again"),
        ErrorCode::TooBig => (Full, "nothing was stored: it is larger than SQLite takes"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            (Unavailable, "another program holds the file: close it, or try again later")
        }
        ErrorCode::DatabaseCorrupt => (Corrupt, "the file is damaged: restore a backup"),
        ErrorCode::NotADatabase => {
            (Corrupt, "the file is not a database: name another file, or move this one away")
        }
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
            (Unavailable, "check that the folder exists and that it and the file may be written")
        }
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            (Corrupt, "the store does not hold what it should: restore a backup")
        }
        _ => (Unavailable, "nothing was stored: check the disk and the system's log, then try again"),
    }
}
