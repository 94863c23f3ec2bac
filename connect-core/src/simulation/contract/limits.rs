//! What a provider says about waiting is obeyed, and cannot be used against the client.

use std::time::Duration;

use tokio::time::sleep;

use super::probe::{Probe, outcome};
use super::{Operate, Subject, Violation};
use crate::error::ErrorKind;
use crate::simulation::Answer;

const HINT: Duration = Duration::from_secs(7);

/// Values that providers have sent, or that somebody who means harm would.
const HOSTILE: [&str; 12] = [
    "0",
    "-1",
    "1e9",
    "NaN",
    "inf",
    "0.5",
    "soon",
    "18446744073709551615",
    "99999999999999999999999999",
    "31536001",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
];

/// After a refusal for the rate limit nothing is sent before `Retry-After` has passed; a write is not lost for it.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn limits_are_obeyed<C: Send + Sync + 'static>(subject: &Subject<C>) -> Result<(), Violation> {
    for (what, operate) in operations(subject) {
        let probe = Probe::first_then((subject.limited)("7"), subject.success.clone());
        let client = probe.client(subject);
        let result = outcome(subject, what, operate(&client)).await?;
        early(what, &probe)?;
        match (result, probe.contacts().len()) {
            (Ok(()), 2..) => {}
            (Ok(()), _) => return Err(Violation::new(format!("{what} took a refusal for a success"))),
            (Err(error), _) if error.kind() == ErrorKind::RateLimited => {}
            (Err(error), _) => {
                let sentence = format!("{what} was refused for the rate limit, but its error says: {error}");
                return Err(Violation::new(sentence));
            }
        }
    }
    Ok(())
}

/// What one call is told about waiting holds for all calls of the client.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn limits_are_shared<C: Send + Sync + 'static>(subject: &Subject<C>) -> Result<(), Violation> {
    let probe = Probe::first_then((subject.limited)("7"), subject.success.clone());
    let client = probe.client(subject);
    let first = tokio::spawn((subject.read)(&client));
    sleep(Duration::from_secs(1)).await;
    let what = "a read begun one second after another one was refused";
    let second = outcome(subject, what, (subject.read)(&client)).await?;
    early(what, &probe)?;
    let first = first.await;
    match second {
        Err(error) if error.kind() != ErrorKind::RateLimited => {
            Err(Violation::new(format!("{what} failed, and not for the rate limit: {error}")))
        }
        _ if first.is_err() => Err(Violation::new("a read that was refused ended in a panic")),
        _ => Ok(()),
    }
}

/// Huge, negative, broken and past values of `Retry-After`: every call ends by its deadline, none panics.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn hostile_hints_end<C: Send + Sync + 'static>(subject: &Subject<C>) -> Result<(), Violation> {
    for hint in HOSTILE {
        let unavailable = Answer::status(503).header("retry-after", hint);
        for answer in [(subject.limited)(hint), unavailable] {
            let answer = answer.header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
            for (what, operate) in operations(subject) {
                let always = answer.clone();
                let probe = Probe::new(move |_, _| always.clone());
                let client = probe.client(subject);
                let what = format!("{what} that was told `Retry-After: {hint}`");
                if outcome(subject, &what, operate(&client)).await?.is_ok() {
                    return Err(Violation::new(format!("{what} took a refusal for a success")));
                }
            }
        }
    }
    Ok(())
}

fn operations<C>(subject: &Subject<C>) -> [(&'static str, &Operate<C>); 2] {
    [("a read", &subject.read), ("a write", &subject.write)]
}

/// Was anything sent too early?
fn early(what: &str, probe: &Probe) -> Result<(), Violation> {
    let contacts = probe.contacts();
    let Some((refused, later)) = contacts.split_first() else {
        return Err(Violation::new(format!("{what} sent nothing at all")));
    };
    match later.iter().map(|contact| contact.at() - refused.at()).find(|waited| *waited < HINT) {
        Some(waited) => Err(Violation::new(format!(
            "{what} was sent {:.3} s after a refusal that asked for {} s",
            waited.as_secs_f64(),
            HINT.as_secs()
        ))),
        None => Ok(()),
    }
}
