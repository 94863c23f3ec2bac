//! From a client's error to what the engine does: try again, look first, or give up.

use connect_core::{Error, ErrorKind, RetryAdvice, Sent};
use connect_flow::Failure;
use connect_flow::step::StepError;

/// A failed read: nothing outside changed.
pub(super) fn of_read(error: &Error) -> Failure {
    let (class, message) = (error.kind().name(), error.to_string());
    match (error.retry(), error.kind()) {
        (RetryAdvice::After(wait), _) => Failure::retry(class, message).after(wait),
        // A person may mend these while the event waits: a new token, an invitation to the channel.
        (_, ErrorKind::Auth | ErrorKind::Forbidden) => Failure::retry(class, message),
        (RetryAdvice::Never, _) => Failure::permanent(class, message),
        _ => Failure::retry(class, message),
    }
}

/// A failed write: did it happen?
pub(super) fn of_write(error: &Error) -> StepError {
    if error.sent() == Sent::Maybe || error.retry() == RetryAdvice::CheckFirst {
        // Whatever kind it is, the next attempt looks before it does anything.
        return StepError::unknown(Failure::retry(error.kind().name(), error.to_string()));
    }
    StepError::not_done(of_read(error))
}

/// A payload that is not what its event type promises will not change by itself.
pub(super) fn of_payload(error: impl std::fmt::Display) -> Failure {
    Failure::permanent("payload", error.to_string())
}
