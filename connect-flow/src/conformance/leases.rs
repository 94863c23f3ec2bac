//! What a lease allows, for how long, and how an attempt ends.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;

use super::actions::{accept, at, attempt, claim, claim_one, end, finish, ids, record, whole};
use super::difference::{Checked, Difference, exactly, holds, same};
use super::effects::{effects_are_untouched, leave_effects};
use crate::clock::Timestamp;
use crate::effect::Begun;
use crate::inbox::{AttemptEnd, Counts, Ended, EventId, Held, Lease, State};
use crate::store::{Slice, Store};

/// All that a lease allows, refused.
pub(super) async fn refused<S: Store>(store: &S, why: &str, lease: &Lease, now: Timestamp) -> Checked {
    let later = now + Duration::from_secs(3600);
    same(&format!("{why}: extend"), store.extend(lease, later).await?, Held::Lost)?;
    for ended in [Ended::Done, Ended::Skipped, Ended::Retry { at: now }, Ended::Dead] {
        let what = format!("{why}: finish as {ended:?}");
        same(&what, store.finish(lease, end(now, ended)).await?, Held::Lost)?;
    }
    same(&format!("{why}: release"), store.release(lease, now).await?, Held::Lost)?;
    for key in ["begun", "done", "new"] {
        let what = |verb: &str| format!("{why}: {verb} `{key}`");
        let result = Bytes::from_static(b"forged");
        same(&what("begin"), store.begin(lease, "step", key, now).await?, Begun::Lost)?;
        same(&what("complete"), store.complete(lease, "step", key, result, now).await?, Held::Lost)?;
        same(&what("withdraw"), store.withdraw(lease, "step", key).await?, Held::Lost)?;
    }
    Ok(())
}

/// From the moment the lease ends, and the attempt that ended without a word counts.
pub async fn an_expired_lease_is_claimed_again<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let mut tokens = HashSet::new();
    for number in 1..=4_u32 {
        let now = i64::from(number) * 60;
        let early = Timestamp::from_micros(at(now).as_micros() - 1);
        if number > 1 {
            same("claims a microsecond early", claim(store, early, 10).await?.len(), 0)?;
        }
        let claim = claim_one(store, at(now)).await?;
        same("the event", claim.lease.event, id)?;
        same("the attempt", claim.attempt, number)?;
        same("expiries", claim.expiries, number - 1)?;
        same("panics", claim.panics, 0)?;
        holds("a token is given once", tokens.insert(claim.lease.token))?;
    }
    let stored = record(store, "a", id).await?;
    same("the state", stored.state, State::Leased)?;
    let told: Vec<_> = stored
        .attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.started, attempt.ended, &*attempt.outcome))
        .collect();
    let expired = |number: i64| (number as u32, at(number * 60), None, "expired");
    same("the attempts", told, vec![expired(1), expired(2), expired(3), (4, at(240), None, "")])
}

/// As long as nobody claimed the event: the work was done, only late.
pub async fn an_expired_lease_may_still_finish<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    same("begin, late", store.begin(&claim.lease, "step", "key", at(100)).await?, Begun::First)?;
    let result = Bytes::from_static(b"1");
    same("complete, late", store.complete(&claim.lease, "step", "key", result, at(101)).await?, Held::Yes)?;
    finish(store, &claim, at(102), Ended::Done).await?;
    let stored = record(store, "a", id).await?;
    same("the state", stored.state, State::Done)?;
    same("the attempts", stored.attempts, vec![attempt(1, at(0), Some(at(102)), "done")])?;

    // The same holds for keeping it.
    accept(store, "a", "2", at(200)).await?;
    let second = claim_one(store, at(200)).await?;
    same("extend, late", store.extend(&second.lease, at(400)).await?, Held::Yes)?;
    same("claims of what was kept", self::claim(store, at(399), 10).await?.len(), 0)
}

/// Until its new end, and no longer.
pub async fn an_extended_lease_lasts<S: Store>(store: &S) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?;
    same("extend", store.extend(&first.lease, at(100)).await?, Held::Yes)?;
    same("extend again", store.extend(&first.lease, at(120)).await?, Held::Yes)?;
    same("claims before the new end", claim(store, at(119), 10).await?.len(), 0)?;
    let second = claim_one(store, at(120)).await?;
    same("the attempt", (second.attempt, second.expiries), (2, 1))
}

/// After somebody else claimed the event, everything its first holder says is refused.
pub async fn a_lost_lease_changes_nothing<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let lost = claim_one(store, at(0)).await?.lease;
    leave_effects(store, &lost, at(1)).await?;
    let holder = claim_one(store, at(60)).await?;
    let before = whole(store, "a", id).await?;

    refused(store, "a lost lease", &lost, at(61)).await?;
    let forged = Lease { token: holder.lease.token.wrapping_add(1), ..holder.lease.clone() };
    refused(store, "a token that was never given", &forged, at(61)).await?;
    let nowhere = Lease { event: EventId(id.0 + 1000), ..holder.lease.clone() };
    refused(store, "an event that is not there", &nowhere, at(61)).await?;

    same("the event", whole(store, "a", id).await?, before)?;
    same("dead letters", store.dead_letters("a", Slice::default()).await?.total, 0)?;
    same("the end of the lease", store.next_due().await?, Some(at(120)))?;
    effects_are_untouched(store, &holder.lease, at(1), at(62)).await?;
    finish(store, &holder, at(63), Ended::Done).await
}

/// A lease ends with its attempt, however that ended.
pub async fn an_ended_event_has_no_lease<S: Store>(store: &S) -> Result<(), Difference> {
    let ends = [Ended::Done, Ended::Skipped, Ended::Retry { at: at(1000) }, Ended::Dead];
    for (number, ended) in ends.into_iter().enumerate() {
        let id = accept(store, "a", &number.to_string(), at(0)).await?;
        let claim = claim_one(store, at(0)).await?;
        finish(store, &claim, at(1), ended.clone()).await?;
        let before = whole(store, "a", id).await?;
        refused(store, &format!("after {ended:?}"), &claim.lease, at(2)).await?;
        same("the event", whole(store, "a", id).await?, before)?;
    }
    accept(store, "b", "1", at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    same("release", store.release(&claim.lease, at(1)).await?, Held::Yes)?;
    refused(store, "after the release", &claim.lease, at(2)).await?;
    let expected = Counts { pending: 2, leased: 0, done: 1, skipped: 1, dead: 1 };
    same("counts", store.counts().await?, expected)
}

/// Whatever becomes of it: so an event that kills its process is given up one day.
pub async fn an_attempt_counts_from_its_claim<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let fresh = record(store, "a", id).await?;
    same("before any claim", (fresh.state, fresh.run_at, fresh.attempts), (State::Pending, at(0), vec![]))?;
    let claim = claim_one(store, at(7)).await?;
    same("the attempt", (claim.attempt, claim.expiries, claim.panics), (1, 0, 0))?;
    let leased = record(store, "a", id).await?;
    same(
        "while it runs",
        (leased.state, leased.attempts),
        (State::Leased, vec![attempt(1, at(7), None, "")]),
    )?;
    finish(store, &claim, at(9), Ended::Skipped).await?;
    let skipped = record(store, "a", id).await?;
    same("the state", skipped.state, State::Skipped)?;
    same("the attempts", skipped.attempts, vec![attempt(1, at(7), Some(at(9)), "skipped")])
}

/// The attempt does not count, and the event keeps its place before younger ones.
pub async fn a_released_event_was_never_claimed<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let younger = accept(store, "a", "2", at(1)).await?;
    for _ in 0..3 {
        let [claim] = exactly("claims", claim(store, at(2), 1).await?)?;
        same("the event", (claim.lease.event, claim.attempt, claim.expiries), (id, 1, 0))?;
        same("release", store.release(&claim.lease, at(3)).await?, Held::Yes)?;
        let released = record(store, "a", id).await?;
        same("after the release", (released.state, released.attempts), (State::Pending, vec![]))?;
    }
    // What happened before the released claim stays.
    same("both are due", ids(&claim(store, at(4), 10).await?), vec![id, younger])?;
    let [again] = exactly("claims", claim(store, at(64), 1).await?)?;
    same("the attempt after an expiry", (again.lease.event, again.attempt, again.expiries), (id, 2, 1))?;
    same("release", store.release(&again.lease, at(65)).await?, Held::Yes)?;
    let [last] = exactly("claims", claim(store, at(66), 1).await?)?;
    same("the attempt after the release", (last.lease.event, last.attempt, last.expiries), (id, 2, 1))
}

/// And the attempts before it stay.
pub async fn a_retry_waits_for_its_time<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?;
    finish(store, &first, at(1), Ended::Retry { at: at(30) }).await?;
    let waiting = record(store, "a", id).await?;
    same("while it waits", (waiting.state, waiting.run_at), (State::Pending, at(30)))?;
    same("accepted at", waiting.accepted_at, at(0))?;
    same("claims too early", claim(store, at(29), 10).await?.len(), 0)?;
    let second = claim_one(store, at(30)).await?;
    same("the attempt", (second.attempt, second.expiries, second.panics), (2, 0, 0))?;
    finish(store, &second, at(31), Ended::Done).await?;
    let attempts = vec![attempt(1, at(0), Some(at(1)), "retry"), attempt(2, at(30), Some(at(31)), "done")];
    same("the attempts", record(store, "a", id).await?.attempts, attempts)?;
    same("dead letters", store.dead_letters("a", Slice::default()).await?.total, 0)
}

/// By the class `panic` of the attempts before, whatever else happened between them.
pub async fn panics_are_counted<S: Store>(store: &S) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    for (number, (class, panics)) in
        (1..).zip([("panic", 0), ("busy", 1), ("panic", 1), ("panics", 2), ("", 2)])
    {
        let claim = claim_one(store, at(0)).await?;
        same("the attempt", (claim.attempt, claim.panics, claim.expiries), (number, panics, 0))?;
        let end = AttemptEnd { class: class.to_owned(), ..end(at(0), Ended::Retry { at: at(0) }) };
        same("finish", store.finish(&claim.lease, end).await?, Held::Yes)?;
    }
    Ok(())
}
