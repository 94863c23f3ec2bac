//! The journal of effects.

use bytes::Bytes;

use super::actions::{accept, at, claim_one, finish};
use super::difference::{Checked, Difference, same};
use crate::clock::Timestamp;
use crate::effect::Begun;
use crate::inbox::{Ended, Held, Lease};
use crate::store::Store;

/// Leaves one effect begun and one done, the state that [`effects_are_untouched`] expects.
pub(super) async fn leave_effects<S: Store>(store: &S, lease: &Lease, now: Timestamp) -> Checked {
    same("begin", store.begin(lease, "step", "begun", now).await?, Begun::First)?;
    same("begin", store.begin(lease, "step", "done", now).await?, Begun::First)?;
    let result = Bytes::from_static(b"OPS-7");
    same("complete", store.complete(lease, "step", "done", result, now).await?, Held::Yes)
}

pub(super) async fn effects_are_untouched<S: Store>(
    store: &S,
    lease: &Lease,
    since: Timestamp,
    now: Timestamp,
) -> Checked {
    let begun = store.begin(lease, "step", "begun", now).await?;
    same("the effect that was begun", begun, Begun::Again { since, called: since })?;
    let done = store.begin(lease, "step", "done", now).await?;
    same("the effect that was done", done, Begun::Done(Bytes::from_static(b"OPS-7")))?;
    same("an effect that nobody began", store.begin(lease, "step", "new", now).await?, Begun::First)
}

/// An intent stays until it is completed or taken back; a result stays.
pub async fn an_effect_is_begun_once<S: Store>(store: &S) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?.lease;
    same("first", store.begin(&first, "step", "key", at(1)).await?, Begun::First)?;
    same("taken back", store.withdraw(&first, "step", "key").await?, Held::Yes)?;
    same("after that", store.begin(&first, "step", "key", at(2)).await?, Begun::First)?;
    same(
        "again",
        store.begin(&first, "step", "key", at(3)).await?,
        Begun::Again { since: at(2), called: at(2) },
    )?;

    let second = claim_one(store, at(60)).await?.lease;
    same(
        "by the next attempt",
        store.begin(&second, "step", "key", at(61)).await?,
        Begun::Again { since: at(2), called: at(2) },
    )?;
    same("call again", store.call_again(&second, "step", "key", at(62)).await?, Held::Yes)?;
    same("by a lost lease", store.call_again(&first, "step", "key", at(63)).await?, Held::Lost)?;
    same(
        "after the second call",
        store.begin(&second, "step", "key", at(64)).await?,
        Begun::Again { since: at(2), called: at(62) },
    )?;
    same("by the first attempt", store.begin(&first, "step", "key", at(62)).await?, Begun::Lost)?;
    let result = Bytes::from_static(b"\0\xffOPS-7");
    same("complete", store.complete(&second, "step", "key", result.clone(), at(63)).await?, Held::Yes)?;
    same("when it is done", store.begin(&second, "step", "key", at(64)).await?, Begun::Done(result.clone()))?;
    same("taking back what is done", store.withdraw(&second, "step", "key").await?, Held::Yes)?;
    same("it stays done", store.begin(&second, "step", "key", at(65)).await?, Begun::Done(result))?;

    same("taking back what was never begun", store.withdraw(&second, "step", "other").await?, Held::Yes)?;
    same("begin with an empty result", store.begin(&second, "step", "empty", at(66)).await?, Begun::First)?;
    same("complete", store.complete(&second, "step", "empty", Bytes::new(), at(67)).await?, Held::Yes)?;
    let empty = store.begin(&second, "step", "empty", at(68)).await?;
    same("an empty result is a result", empty, Begun::Done(Bytes::new()))?;

    // An intent of an earlier attempt may be taken back by a later one.
    same("begin", store.begin(&second, "step", "third", at(69)).await?, Begun::First)?;
    let third = claim_one(store, at(120)).await?.lease;
    same("taken back later", store.withdraw(&third, "step", "third").await?, Held::Yes)?;
    same("after that", store.begin(&third, "step", "third", at(121)).await?, Begun::First)
}

/// Not by event: what one event did, another of the same tenant finds.
pub async fn an_effect_is_known_by_tenant_step_and_key<S: Store>(store: &S) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?.lease;
    accept(store, "a", "2", at(0)).await?;
    let second = claim_one(store, at(0)).await?.lease;
    accept(store, "b", "1", at(0)).await?;
    let foreign = claim_one(store, at(0)).await?.lease;

    leave_effects(store, &first, at(1)).await?;
    effects_are_untouched(store, &second, at(1), at(2)).await?;
    leave_effects(store, &foreign, at(3)).await?;
    same("another step", store.begin(&first, "other", "done", at(4)).await?, Begun::First)?;
    same("another key", store.begin(&first, "step", "DONE", at(4)).await?, Begun::First)?;
    same("step and key are two words", store.begin(&first, "s", "tepdone", at(4)).await?, Begun::First)
}

/// Sweeping one event takes no effect from another that would then repeat it.
pub async fn an_effect_stays_as_long_as_an_event_that_knows_it<S: Store>(
    store: &S,
) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?;
    accept(store, "a", "2", at(0)).await?;
    let second = claim_one(store, at(0)).await?;
    same("begin", store.begin(&first.lease, "step", "key", at(1)).await?, Begun::First)?;
    same(
        "again",
        store.begin(&second.lease, "step", "key", at(2)).await?,
        Begun::Again { since: at(1), called: at(1) },
    )?;
    let result = Bytes::from_static(b"OPS-7");
    same("complete", store.complete(&first.lease, "step", "key", result.clone(), at(3)).await?, Held::Yes)?;

    finish(store, &first, at(4), Ended::Done).await?;
    same("sweep of the first", store.sweep(at(10), 10).await?, 1)?;
    same("the second", store.begin(&second.lease, "step", "key", at(11)).await?, Begun::Done(result))?;
    finish(store, &second, at(12), Ended::Done).await?;
    same("sweep of the second", store.sweep(at(13), 10).await?, 1)?;
    accept(store, "a", "3", at(20)).await?;
    let third = claim_one(store, at(20)).await?;
    same("the third", store.begin(&third.lease, "step", "key", at(21)).await?, Begun::First)
}
