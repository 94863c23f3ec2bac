//! What checks do to a store, and what they expect of it each time.

use std::time::Duration;

use super::difference::{Checked, Difference, exactly, found, same};
use crate::clock::Timestamp;
use crate::dead_letter::{DeadLetter, Replayed};
use crate::envelope::Envelope;
use crate::inbox::{
    Attempt, AttemptEnd, Claim, ClaimRequest, Ended, EventId, EventRecord, Held, Receipt, State,
};
use crate::log::LogRow;
use crate::store::Store;

/// So many seconds into the check. Not on a whole second, because a store must keep microseconds.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_001 + seconds * 1_000_000)
}

pub(super) fn event(tenant: &str, key: &str) -> Envelope {
    Envelope::new(tenant, "github", "push", key, "{}")
}

pub(super) async fn accept<S: Store>(
    store: &S,
    tenant: &str,
    key: &str,
    now: Timestamp,
) -> Result<EventId, Difference> {
    accept_envelope(store, event(tenant, key), now).await
}

pub(super) async fn accept_envelope<S: Store>(
    store: &S,
    envelope: Envelope,
    now: Timestamp,
) -> Result<EventId, Difference> {
    let what = format!("{envelope:?}");
    match store.accept(envelope, now).await? {
        Receipt::Accepted(id) => Ok(id),
        Receipt::Duplicate(id, _) => Err(Difference(format!("a new event was taken for event {id}: {what}"))),
    }
}

/// Replays a dead letter that can be replayed.
pub(super) async fn replay<S: Store>(
    store: &S,
    tenant: &str,
    id: EventId,
    now: Timestamp,
) -> Result<EventId, Difference> {
    match store.replay(tenant, id, now).await? {
        Replayed::As(copy) => Ok(copy),
        other => Err(Difference(format!("a dead letter was not replayed: {other:?}"))),
    }
}

/// Claims with leases of a minute and room for everybody.
pub(super) async fn claim<S: Store>(
    store: &S,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Claim>, Difference> {
    let until = now + Duration::from_secs(60);
    Ok(store.claim(ClaimRequest { now, until, most, per_tenant: 1000 }).await?)
}

pub(super) async fn claim_one<S: Store>(store: &S, now: Timestamp) -> Result<Claim, Difference> {
    let [claim] = exactly("claims", claim(store, now, 2).await?)?;
    Ok(claim)
}

pub(super) fn ids(claims: &[Claim]) -> Vec<EventId> {
    claims.iter().map(|claim| claim.lease.event).collect()
}

pub(super) fn tenants(claims: &[Claim]) -> Vec<&str> {
    let mut tenants: Vec<_> = claims.iter().map(|claim| &*claim.lease.tenant).collect();
    tenants.sort_unstable();
    tenants
}

pub(super) fn end(at: Timestamp, ended: Ended) -> AttemptEnd {
    let (class, message) = match ended {
        Ended::Done | Ended::Skipped => ("", "went well"),
        Ended::Retry { .. } => ("busy", "come back later"),
        Ended::Dead => ("broken", "it cannot be done"),
    };
    AttemptEnd { at, ended, class: class.to_owned(), message: message.to_owned(), target: "slack".to_owned() }
}

pub(super) async fn finish<S: Store>(store: &S, claim: &Claim, now: Timestamp, ended: Ended) -> Checked {
    same("finishing a lease that is held", store.finish(&claim.lease, end(now, ended)).await?, Held::Yes)
}

/// Accepts an event and brings it to its end. Nothing else may be due.
pub(super) async fn ended<S: Store>(
    store: &S,
    tenant: &str,
    key: &str,
    now: Timestamp,
    ended: Ended,
) -> Result<EventId, Difference> {
    let id = accept(store, tenant, key, now).await?;
    let claim = claim_one(store, now).await?;
    same("the event claimed", claim.lease.event, id)?;
    finish(store, &claim, now, ended).await?;
    Ok(id)
}

pub(super) async fn record<S: Store>(
    store: &S,
    tenant: &str,
    id: EventId,
) -> Result<EventRecord, Difference> {
    found("the event", store.event(tenant, id).await?)
}

pub(super) async fn letter<S: Store>(store: &S, tenant: &str, id: EventId) -> Result<DeadLetter, Difference> {
    found("the dead letter", store.dead_letter(tenant, id).await?)
}

/// Everything of an event and its row in the log, to be compared.
#[derive(Debug, PartialEq)]
pub(super) struct Whole {
    id: EventId,
    envelope: Envelope,
    state: State,
    times: (Timestamp, Timestamp),
    attempts: Vec<Attempt>,
    replay_of: Option<EventId>,
    row: Option<LogRow>,
}

pub(super) async fn whole<S: Store>(store: &S, tenant: &str, id: EventId) -> Result<Whole, Difference> {
    let row = store.log_row(tenant, id).await?;
    let EventRecord { id, envelope, state, run_at, accepted_at, attempts, replay_of } =
        record(store, tenant, id).await?;
    Ok(Whole { id, envelope, state, times: (run_at, accepted_at), attempts, replay_of, row })
}

pub(super) fn attempt(number: u32, started: Timestamp, ended: Option<Timestamp>, outcome: &str) -> Attempt {
    let (class, message) = match outcome {
        "retry" => ("busy", "come back later"),
        "dead" => ("broken", "it cannot be done"),
        "done" | "skipped" => ("", "went well"),
        _ => ("", ""),
    };
    let (outcome, class, message) = (outcome.to_owned(), class.to_owned(), message.to_owned());
    Attempt { number, started, ended, outcome, class, message }
}

/// The row of an [`event`] that has not been tried.
pub(super) fn pending(id: EventId, accepted: Timestamp) -> LogRow {
    LogRow { target: String::new(), ..row(id, accepted, "pending", "", Duration::ZERO) }
}

/// The row of an [`event`] after an attempt with this [`end`].
pub(super) fn row(id: EventId, accepted: Timestamp, status: &str, class: &str, duration: Duration) -> LogRow {
    LogRow {
        event: id,
        source: "github".to_owned(),
        target: "slack".to_owned(),
        event_type: "push".to_owned(),
        status: status.to_owned(),
        class: class.to_owned(),
        at: accepted,
        duration,
    }
}
