//! A write is sent twice only when the first was proven not sent.

use super::probe::{Probe, outcome};
use super::{Subject, Violation};
use crate::error::Sent;
use crate::simulation::Answer;

/// A write that the provider failed at, or whose answer never came, is sent once, and its error says that it may have
/// been applied.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn failed_writes_are_sent_once<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let troubles = [
        ("answered with the provider's failure", subject.failure.clone()),
        ("answered 502", Answer::status(502)),
        ("whose connection broke", Answer::dropped_connection()),
        ("that is never answered", Answer::silence()),
    ];
    for (trouble, answer) in troubles {
        let probe = Probe::first_then(answer, subject.success.clone());
        let client = probe.client(subject);
        let what = format!("a write {trouble}");
        let result = outcome(subject, &what, (subject.write)(&client)).await?;
        let times = probe.contacts().len();
        if times != 1 {
            return Err(Violation::new(format!("{what} was sent {times} times")));
        }
        match result.map_err(|error| error.sent()) {
            Err(Sent::Maybe) => {}
            Err(sent) => {
                return Err(Violation::new(format!("the error of {what} says sent: {sent:?}, not Maybe")));
            }
            Ok(()) => return Err(Violation::new(format!("{what} was reported as a success"))),
        }
    }
    Ok(())
}

/// A write that never left, because there was no connection, is sent again.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn unsent_writes_are_sent_again<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let probe = Probe::first_then(Answer::refused_connection(), subject.success.clone());
    let client = probe.client(subject);
    let what = "a write without a connection";
    match (outcome(subject, what, (subject.write)(&client)).await?, probe.contacts().len()) {
        (Ok(()), 2) => Ok(()),
        (Ok(()), times) => Err(Violation::new(format!("{what} succeeded after {times} attempts, not 2"))),
        (Err(error), _) => {
            Err(Violation::new(format!("{what} was given up, though nothing was sent: {error}")))
        }
    }
}
