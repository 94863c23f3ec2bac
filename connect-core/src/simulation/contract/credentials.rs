//! A credential is shown to nobody and sent to nobody but its provider.

use std::fmt;

use tracing::instrument::WithSubscriber;

use super::log::Log;
use super::probe::{Contact, Probe, outcome};
use super::{Subject, Violation};
use crate::error::Error;
use crate::simulation::Answer;

/// Nothing that the client makes shows its credential: `Debug` of client and requests, `Display` and `Debug` of errors,
/// and all that is logged at any level.
///
/// # Errors
/// A sentence that says where it shows.
pub async fn secrets_are_not_shown<C: fmt::Debug + Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let troubles = [
        subject.success.clone(),
        subject.failure.clone(),
        (subject.limited)("3600"),
        Answer::status(401),
        Answer::status(404),
        Answer::json(200, "no JSON"),
        Answer::dropped_connection(),
        Answer::refused_connection(),
    ];
    for trouble in troubles {
        let probe = Probe::new(move |_, _| trouble.clone());
        let log = Log::default();
        let run = async {
            let client = probe.client(subject);
            let mut texts = vec![("Debug of the client", format!("{client:?}"))];
            for operate in [&subject.read, &subject.write] {
                if let Err(error) = outcome(subject, "an operation", operate(&client)).await? {
                    texts.extend(printed(&error));
                }
            }
            Ok(texts)
        };
        let mut texts = run.with_subscriber(log.clone()).await?;
        texts.push(("the log", log.text()));
        let contacts = probe.contacts();
        texts.extend(contacts.iter().map(|contact| ("Debug of a request", contact.printed.clone())));
        let needles = needles(subject, &contacts)?;
        let shown = texts.iter().find(|(_, text)| needles.iter().any(|needle| text.contains(needle)));
        if let Some((place, _)) = shown {
            return Err(Violation::new(format!("the credential shows in {place}")));
        }
    }
    Ok(())
}

fn printed(error: &Error) -> [(&'static str, String); 3] {
    [
        ("Display of an error", format!("{error}")),
        ("Display of an error with its causes", format!("{error:#}")),
        ("Debug of an error", format!("{error:?}")),
    ]
}

/// What must not show: the canary, and the credentials as they were sent (without `Bearer` and the like).
fn needles<C>(subject: &Subject<C>, contacts: &[Contact]) -> Result<Vec<String>, Violation> {
    let sent = contacts.iter().flat_map(|contact| &contact.secrets);
    let mut needles: Vec<String> =
        sent.filter_map(|value| value.split_whitespace().last().map(str::to_owned)).collect();
    if needles.is_empty() {
        return Err(Violation::new(
            "no credential was ever sent, so nothing is proven: build the client with one",
        ));
    }
    needles.extend(subject.canary.clone());
    Ok(needles)
}

/// A redirect to a foreign host, to a host that only looks like the provider's, or to plain `http` gets no credential,
/// whether or not it is followed.
///
/// # Errors
/// A sentence that says where it went.
pub async fn credentials_stay_home<C: Send + Sync + 'static>(subject: &Subject<C>) -> Result<(), Violation> {
    for status in [301, 302, 303, 307, 308] {
        for to in [foreign, lookalike, in_the_clear] {
            for operate in [&subject.read, &subject.write] {
                let success = subject.success.clone();
                let probe = Probe::new(move |before, contact| match before {
                    0 => Answer::status(status).header("location", &to(&contact.seen.url)),
                    _ => success.clone(),
                });
                let client = probe.client(subject);
                // Followed without a credential, or refused: both are well.
                let _ = outcome(subject, "a redirected operation", operate(&client)).await?;
                abroad(subject, &format!("a redirect ({status})"), &probe)?;
            }
        }
    }
    Ok(())
}

/// Addresses that are not the provider's, made from one that is.
pub(super) fn foreign(_home: &str) -> String {
    "https://foreign.example/elsewhere?page=2".to_owned()
}

pub(super) fn lookalike(home: &str) -> String {
    let host = home.split('/').nth(2).unwrap_or_default();
    format!("https://{host}.foreign.example/elsewhere?page=2")
}

pub(super) fn in_the_clear(home: &str) -> String {
    let host = home.split('/').nth(2).unwrap_or_default();
    format!("http://{host}/elsewhere?page=2")
}

/// Did a credential leave the origin of the first request?
pub(super) fn abroad<C>(subject: &Subject<C>, by: &str, probe: &Probe) -> Result<(), Violation> {
    let contacts = probe.contacts();
    let Some((first, others)) = contacts.split_first() else { return Ok(()) };
    let carries = |contact: &Contact| {
        let headers = contact.seen.headers.values();
        !contact.secrets.is_empty()
            || subject.canary.as_ref().is_some_and(|canary| {
                headers.into_iter().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(canary))
            })
    };
    match others.iter().find(|contact| contact.origin != first.origin && carries(contact)) {
        Some(_) => Err(Violation::new(format!("the credential followed {by} to another origin"))),
        None => Ok(()),
    }
}

/// A refused token is replaced and the request sent once more, with the new one; a second refusal ends the call.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn refused_tokens_are_replaced_once<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let probe = Probe::first_then(Answer::status(401), subject.success.clone());
    let client = probe.client(subject);
    let what = "a write whose token was refused";
    let result = outcome(subject, what, (subject.write)(&client)).await?;
    let contacts = probe.contacts();
    if let Err(error) = result {
        return Err(Violation::new(format!(
            "{what} was given up after {} attempts: {error}",
            contacts.len()
        )));
    }
    if let [first, second] = &*contacts {
        if first.secrets == second.secrets {
            return Err(Violation::new(format!("{what} was sent again with the same token")));
        }
    } else {
        return Err(Violation::new(format!("{what} was sent {} times, not 2", contacts.len())));
    }

    let probe = Probe::new(|_, _| Answer::status(401));
    let client = probe.client(subject);
    let result = outcome(subject, what, (subject.write)(&client)).await?;
    match (result, probe.contacts().len()) {
        (Err(_), ..=2) => Ok(()),
        (Err(_), times) => {
            Err(Violation::new(format!("a write refused for every token was sent {times} times")))
        }
        (Ok(()), _) => Err(Violation::new(format!("{what} was reported as a success"))),
    }
}
