//! What is forgotten, and what is not.

use super::actions::{
    accept, accept_envelope, at, claim, claim_one, ended, event, finish, letter, record, replay,
};
use super::difference::{Difference, holds, same};
use super::effects::leave_effects;
use super::leases::refused;
use super::mappings::mapping;
use crate::dead_letter::Replayed;
use crate::effect::Begun;
use crate::inbox::{Counts, Ended, Receipt, Repeat, State};
use crate::mapping::{Linked, MappingFilter};
use crate::store::{Slice, Store};

/// Done and skipped, accepted before the time; whatever is not dealt with stays, and so do dead letters.
pub async fn sweeping_forgets_only_old_ended_events<S: Store>(store: &S) -> Result<(), Difference> {
    let done = ended(store, "a", "done", at(0), Ended::Done).await?;
    let skipped = ended(store, "b", "skipped", at(1), Ended::Skipped).await?;
    let dead = ended(store, "a", "dead", at(2), Ended::Dead).await?;
    let retried = ended(store, "a", "retried", at(3), Ended::Retry { at: at(1000) }).await?;
    let leased = accept(store, "a", "leased", at(4)).await?;
    claim_one(store, at(4)).await?;
    let pending = accept(store, "a", "pending", at(5)).await?;
    same("the link", store.link("a", mapping(("s", "1"), ("t", "1"), at(5))).await?, Linked::New)?;

    same("before any was accepted", store.sweep(at(0), 100).await?, 0)?;
    same("exactly before the second", store.sweep(at(1), 100).await?, 1)?;
    same("the first", store.event("a", done).await?.map(|record| record.id), None)?;
    same("the second", record(store, "b", skipped).await?.state, State::Skipped)?;
    same("at most none", store.sweep(at(10_000), 0).await?, 0)?;
    same("the rest", store.sweep(at(10_000), 100).await?, 1)?;
    same("the second, later", store.event("b", skipped).await?.map(|record| record.id), None)?;
    same("nothing is left", store.sweep(at(10_000), 100).await?, 0)?;

    same("counts", store.counts().await?, Counts { pending: 2, leased: 1, dead: 1, ..Counts::default() })?;
    for id in [dead, retried, leased] {
        same("the attempts", record(store, "a", id).await?.attempts.len(), 1)?;
    }
    same("the pending one", record(store, "a", pending).await?.state, State::Pending)?;
    same("dead letters", store.dead_letters("a", Slice::default()).await?.total, 1)?;
    same("mappings", store.mappings("a", &MappingFilter::default(), Slice::default()).await?.total, 1)
}

/// The oldest first, by acceptance.
pub async fn sweeping_goes_in_small_batches<S: Store>(store: &S) -> Result<(), Difference> {
    let mut accepted = Vec::new();
    for (key, seconds) in [("1", 30), ("2", 10), ("3", 50), ("4", 20), ("5", 40)] {
        accepted.push(accept(store, "a", key, at(seconds)).await?);
    }
    for claim in claim(store, at(50), 10).await? {
        finish(store, &claim, at(51), Ended::Done).await?;
    }
    let mut left = Vec::new();
    for batch in [2, 2, 1, 0] {
        same("a batch", store.sweep(at(100), 2).await?, batch)?;
        let mut keys = Vec::new();
        for id in &accepted {
            keys.extend(store.event("a", *id).await?.map(|record| record.envelope.dedupe_key));
        }
        left.push(keys.join(" "));
    }
    same(
        "what was left after each batch",
        left,
        vec!["1 3 5".to_owned(), "3".to_owned(), String::new(), String::new()],
    )
}

/// With its event, its dedupe key, attempts and effects are forgotten.
pub async fn a_swept_key_may_come_again<S: Store>(store: &S) -> Result<(), Difference> {
    let old = accept(store, "a", "1", at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    leave_effects(store, &claim.lease, at(1)).await?;
    finish(store, &claim, at(2), Ended::Done).await?;
    same("sweep", store.sweep(at(10), 10).await?, 1)?;
    refused(store, "after the sweep", &claim.lease, at(11)).await?;

    let new = accept(store, "a", "1", at(20)).await?;
    holds("ids are not used twice", new > old)?;
    let claim = claim_one(store, at(20)).await?;
    same("the attempt", (claim.lease.event, claim.attempt), (new, 1))?;
    same("the attempts", record(store, "a", new).await?.attempts.len(), 1)?;
    for key in ["begun", "done"] {
        same(
            &format!("the effect `{key}`"),
            store.begin(&claim.lease, "step", key, at(21)).await?,
            Begun::First,
        )?;
    }
    Ok(())
}

/// With its event, its replay key is forgotten. A replay's is the original's.
pub async fn a_swept_replay_key_may_come_again<S: Store>(store: &S) -> Result<(), Difference> {
    let captured = |key: &str| {
        let mut event = event("a", key);
        event.replay_key = Some("signature:1".to_owned());
        event
    };
    let old = accept_envelope(store, captured("1"), at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    finish(store, &claim, at(1), Ended::Done).await?;
    same("before", store.accept(captured("2"), at(2)).await?, Receipt::Duplicate(old, Repeat::OtherId))?;
    same("sweep", store.sweep(at(10), 10).await?, 1)?;

    let new = accept_envelope(store, captured("3"), at(20)).await?;
    let claim = claim_one(store, at(20)).await?;
    finish(store, &claim, at(21), Ended::Dead).await?;
    replay(store, "a", new, at(22)).await?;
    let claim = claim_one(store, at(22)).await?;
    finish(store, &claim, at(23), Ended::Done).await?;
    same("sweep the replay", store.sweep(at(30), 10).await?, 1)?;
    same("after it", store.accept(captured("4"), at(31)).await?, Receipt::Duplicate(new, Repeat::OtherId))
}

/// The original keeps its key and its chain, and is not replayed again: its replay went well.
pub async fn sweeping_a_replay_leaves_its_original<S: Store>(store: &S) -> Result<(), Difference> {
    let id = ended(store, "a", "1", at(0), Ended::Dead).await?;
    let copy = replay(store, "a", id, at(10)).await?;
    let claim = claim_one(store, at(10)).await?;
    finish(store, &claim, at(11), Ended::Done).await?;
    same("sweep", store.sweep(at(100), 10).await?, 1)?;
    same("the copy", store.event("a", copy).await?.map(|record| record.id), None)?;
    same(
        "the original's key",
        store.accept(event("a", "1"), at(101)).await?,
        Receipt::Duplicate(id, Repeat::Same),
    )?;
    same("the original's attempts", letter(store, "a", id).await?.event.attempts.len(), 1)?;
    same("replay again", store.replay("a", id, at(102)).await?, Replayed::Already(copy))
}
