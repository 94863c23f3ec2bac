//! A call may be dropped at any await: nothing is lost, and nothing sent twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::probe::{Probe, outcome};
use super::{Subject, Violation};
use crate::simulation::cancel::at_every_await;

/// More than the permits anybody hands out by default (20 at a time), so that one lost per drop is noticed.
const DROPS: u32 = 64;
const FRESH_CALLS: usize = 40;
const WORK: Duration = Duration::from_millis(100);

/// Reads that meet success, failures and limits are dropped at every await, all on one client. Afterwards, with a
/// healthy provider, it serves 40 calls at a time.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn cancelled_calls_leak_nothing<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let healthy = Arc::new(AtomicBool::new(false));
    let answers =
        [subject.success.clone(), subject.failure.clone(), (subject.limited)("1"), subject.success.clone()];
    let probe = {
        let healthy = Arc::clone(&healthy);
        Probe::new(move |before, _| {
            let index = if healthy.load(Ordering::Relaxed) { 0 } else { before % answers.len() };
            answers[index].clone().after(WORK)
        })
    };
    let client = probe.client(subject);
    let mut drops = 0;
    while drops < DROPS {
        let polls = at_every_await(async |cut| {
            let call = outcome(subject, "a read", (subject.read)(&client));
            cut.run(call).await.transpose().map(drop)
        })
        .await
        .map_err(|cancelled| cancelled.error)?;
        // The last round was not dropped; one that needs no poll at all still counts, or this would never end.
        drops += polls.max(1);
    }
    healthy.store(true, Ordering::Relaxed);
    // Breakers close again, limits open.
    sleep(Duration::from_secs(600)).await;
    serves(subject, &client, 1).await?;
    serves(subject, &client, FRESH_CALLS).await
}

/// A write is dropped at every await: it is sent once or not at all, and the client still serves calls.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn cancelled_writes_are_sent_once<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let polls = at_every_await(async |cut| {
        let slow = subject.success.clone().after(WORK);
        let probe = Probe::new(move |_, _| slow.clone());
        let client = probe.client(subject);
        cut.run(outcome(subject, "a write", (subject.write)(&client))).await.transpose()?;
        // Whatever still runs behind the caller's back has its chance now.
        sleep(subject.deadline.saturating_mul(2)).await;
        let times = probe.contacts().len();
        if times > 1 {
            return Err(Violation::new(format!("the write was sent {times} times")));
        }
        serves(subject, &client, 1).await
    })
    .await;
    match polls {
        Ok(_) => Ok(()),
        Err(cancelled) => Err(Violation::new(cancelled.to_string())),
    }
}

async fn serves<C: Send + Sync + 'static>(
    subject: &Subject<C>,
    client: &C,
    calls: usize,
) -> Result<(), Violation> {
    let mut running: JoinSet<_> = (0..calls).map(|_| (subject.read)(client)).collect();
    let all = async {
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let sentence =
                        format!("after calls were dropped, one of {calls} fresh ones failed: {error}");
                    return Err(Violation::new(sentence));
                }
                Err(_) => return Err(Violation::new("after calls were dropped, a fresh one panicked")),
            }
        }
        Ok(())
    };
    match tokio::time::timeout(subject.deadline.saturating_add(Duration::from_secs(1)), all).await {
        Ok(result) => result,
        Err(_) => Err(Violation::new(format!(
            "after calls were dropped, {calls} fresh ones were not served by their deadline"
        ))),
    }
}
