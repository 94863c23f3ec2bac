//! Events that were given up, and their replays.

use bytes::Bytes;

use super::actions::{
    accept, accept_envelope, at, attempt, claim, claim_one, ended, event, finish, letter, record, replay,
};
use super::difference::{Difference, found, holds, same};
use super::effects::{effects_are_untouched, leave_effects};
use crate::dead_letter::Replayed;
use crate::inbox::{Ended, EventId, Receipt, Repeat, State};
use crate::store::{Slice, Store};

/// The event as it came, every attempt at it, and the last failure's words.
pub async fn a_dead_letter_keeps_the_whole_chain<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    same(
        "dead letters of a live event",
        store.dead_letter("a", id).await?.map(|letter| letter.event.id),
        None,
    )?;
    let first = claim_one(store, at(0)).await?;
    finish(store, &first, at(1), Ended::Retry { at: at(10) }).await?;
    claim_one(store, at(10)).await?;
    let third = claim_one(store, at(70)).await?;
    finish(store, &third, at(75), Ended::Dead).await?;

    let one = letter(store, "a", id).await?;
    let mut listed = store.dead_letters("a", Slice::default()).await?;
    same("dead letters in all", (listed.total, listed.rows.len()), (1, 1))?;
    let listed = found("the listed dead letter", listed.rows.pop())?;
    for letter in [one, listed] {
        same("words", (&*letter.class, &*letter.message), ("broken", "it cannot be done"))?;
        same("died at", letter.died_at, at(75))?;
        same("replayed as", letter.replayed_as, None)?;
        same("the state", (letter.event.id, letter.event.state), (id, State::Dead))?;
        same("the envelope", letter.event.envelope, event("a", "1"))?;
        same("the attempts", letter.event.attempts.len(), 3)?;
        let outcomes: Vec<_> =
            letter.event.attempts.iter().map(|attempt| (attempt.number, &*attempt.outcome)).collect();
        same("the outcomes", outcomes, vec![(1, "retry"), (2, "expired"), (3, "dead")])?;
        let last = letter.event.attempts.last().cloned();
        same("the last attempt", last, Some(attempt(3, at(70), Some(at(75)), "dead")))?;
    }
    same(
        "the key of a dead event",
        store.accept(event("a", "1"), at(80)).await?,
        Receipt::Duplicate(id, Repeat::Same),
    )?;
    same("claims of a dead event", claim(store, at(10_000), 10).await?.len(), 0)
}

/// By the time they died, in slices, with how many there are.
pub async fn dead_letters_are_listed_newest_first<S: Store>(store: &S) -> Result<(), Difference> {
    let mut accepted = Vec::new();
    for key in 0..5 {
        accepted.push(accept(store, "a", &key.to_string(), at(0)).await?);
    }
    accept(store, "b", "1", at(0)).await?;
    let claims = claim(store, at(0), 10).await?;
    // They die in another order than they came in.
    let died = [3, 1, 4, 0, 2];
    for (order, key) in died.into_iter().enumerate() {
        let claim =
            found("a claim", claims.iter().find(|claim| Some(&claim.lease.event) == accepted.get(key)))?;
        finish(store, claim, at(1 + order as i64), Ended::Dead).await?;
    }
    let expected: Vec<_> = died.iter().rev().filter_map(|key| accepted.get(*key).copied()).collect();
    for (offset, limit, rows) in
        [(0, 50, 0..5), (0, 2, 0..2), (2, 2, 2..4), (4, 2, 4..5), (5, 2, 5..5), (0, 0, 0..0)]
    {
        let listed = store.dead_letters("a", Slice { offset, limit }).await?;
        let found: Vec<_> = listed.rows.iter().map(|letter| letter.event.id).collect();
        let expected = expected.get(rows).unwrap_or_default().to_vec();
        same(&format!("dead letters from {offset}, at most {limit}"), found, expected)?;
        same("dead letters in all", listed.total, 5)?;
    }
    same(
        "dead letters of a tenant with a live event",
        store.dead_letters("b", Slice::default()).await?.total,
        0,
    )
}

/// Runs at once as a new event with the same bytes and key; the original stays, and says as what it was replayed.
pub async fn a_replay_is_a_linked_copy<S: Store>(store: &S) -> Result<(), Difference> {
    let mut envelope = event("a", "1");
    envelope.body = Bytes::from_static(b"payload=%00\xff");
    envelope.target = "jira".to_owned();
    envelope.trace_parent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let id = accept_envelope(store, envelope.clone(), at(0)).await?;
    same("replay of a live event", store.replay("a", id, at(1)).await?, Replayed::Unknown)?;
    let claim = claim_one(store, at(2)).await?;
    finish(store, &claim, at(3), Ended::Dead).await?;
    let before = letter(store, "a", id).await?;

    let copy = replay(store, "a", id, at(100)).await?;
    holds("the copy is a new event", copy > id)?;
    let stored = record(store, "a", copy).await?;
    same("the copy's link", stored.replay_of, Some(id))?;
    same("the copy's envelope", stored.envelope, envelope.clone())?;
    same("the copy's times", (stored.run_at, stored.accepted_at), (at(100), at(100)))?;
    same("the copy's life", (stored.state, stored.attempts), (State::Pending, vec![]))?;
    let after = letter(store, "a", id).await?;
    same("the original says", after.replayed_as, Some(copy))?;
    same("the original's state", after.event.state, State::Dead)?;
    same("the original's attempts", after.event.attempts, before.event.attempts)?;

    let claim = claim_one(store, at(100)).await?;
    same("the copy claimed", (claim.lease.event, claim.replay_of, claim.attempt), (copy, Some(id), 1))?;
    same("the copy's key", &*claim.envelope.dedupe_key, "1")?;
    same("the copy's envelope, claimed", claim.envelope.clone(), envelope)?;
    same(
        "the key again",
        store.accept(event("a", "1"), at(101)).await?,
        Receipt::Duplicate(id, Repeat::OtherBody),
    )?;
    finish(store, &claim, at(102), Ended::Done).await?;
    same(
        "the key after the replay",
        store.accept(event("a", "1"), at(103)).await?,
        Receipt::Duplicate(id, Repeat::OtherBody),
    )?;
    same("dead letters", store.dead_letters("a", Slice::default()).await?.total, 1)
}

/// Not while its copy waits or runs, nor when that went well; again if that died too.
pub async fn a_replay_runs_again_only_after_it_died<S: Store>(store: &S) -> Result<(), Difference> {
    let id = ended(store, "a", "1", at(0), Ended::Dead).await?;
    same(
        "an event that is not there",
        store.replay("a", EventId(id.0 + 1000), at(1)).await?,
        Replayed::Unknown,
    )?;
    let first = replay(store, "a", id, at(10)).await?;
    same("while it waits", store.replay("a", id, at(11)).await?, Replayed::Already(first))?;
    let claim = claim_one(store, at(12)).await?;
    same("while it runs", store.replay("a", id, at(13)).await?, Replayed::Already(first))?;
    finish(store, &claim, at(14), Ended::Dead).await?;

    let second = replay(store, "a", id, at(20)).await?;
    holds("the second copy is a new event", second > first)?;
    same("the original says", letter(store, "a", id).await?.replayed_as, Some(second))?;
    let claim = claim_one(store, at(21)).await?;
    same("the second copy's link", (claim.lease.event, claim.replay_of), (second, Some(id)))?;
    finish(store, &claim, at(22), Ended::Done).await?;
    same("after it was done", store.replay("a", id, at(23)).await?, Replayed::Already(second))?;
    same("replay of what was done", store.replay("a", second, at(24)).await?, Replayed::Unknown)?;

    // A copy that died is a dead letter like any other.
    let third = replay(store, "a", first, at(30)).await?;
    let claim = claim_one(store, at(31)).await?;
    same("the third copy's link", (claim.lease.event, claim.replay_of), (third, Some(first)))?;
    finish(store, &claim, at(32), Ended::Skipped).await?;
    same("after it was skipped", store.replay("a", first, at(33)).await?, Replayed::Already(third))
}

/// So it does not repeat what was done outside before the event died.
pub async fn a_replay_finds_the_effects_that_are_done<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    leave_effects(store, &claim.lease, at(1)).await?;
    finish(store, &claim, at(2), Ended::Dead).await?;
    replay(store, "a", id, at(10)).await?;
    let copy = claim_one(store, at(10)).await?;
    effects_are_untouched(store, &copy.lease, at(1), at(11)).await
}
