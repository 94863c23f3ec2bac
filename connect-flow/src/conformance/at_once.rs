//! Things done at once. With a runtime of several threads they really are.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use super::actions::{accept, at, ended, event, finish, letter};
use super::difference::{Difference, exactly, found, same};
use super::mappings::mapping;
use crate::dead_letter::Replayed;
use crate::inbox::{ClaimRequest, Counts, Ended, Receipt, Repeat};
use crate::mapping::{Linked, MappingFilter};
use crate::store::{Slice, Store};

/// How many do the same thing at once: more than a store has connections.
const CROWD: usize = 16;

/// Does something `CROWD` times at once.
async fn at_once<T, F, Fut>(act: F) -> Result<Vec<T>, Difference>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Result<T, Difference>> + Send + 'static,
{
    let calls: Vec<_> = (0..CROWD).map(|number| tokio::spawn(act(number))).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.map_err(|error| Difference(format!("a call did not come back: {error}")))??);
    }
    Ok(results)
}

/// One sender gets the receipt of the new event, the others that of the duplicate.
pub async fn one_key_accepted_at_once_is_stored_once<S: Store>(store: &Arc<S>) -> Result<(), Difference> {
    let receipts = at_once(|_| {
        let store = Arc::clone(store);
        async move { Ok(store.accept(event("a", "1"), at(0)).await?) }
    })
    .await?;
    let (new, others): (Vec<_>, Vec<_>) =
        receipts.into_iter().partition(|receipt| matches!(receipt, Receipt::Accepted(_)));
    let [new] = exactly("receipts of a new event", new)?;
    let (Receipt::Accepted(id) | Receipt::Duplicate(id, _)) = new;
    same("the other receipts", others, vec![Receipt::Duplicate(id, Repeat::Same); CROWD - 1])?;
    same("events", store.counts().await?, Counts { pending: 1, ..Counts::default() })
}

/// A captured delivery sent again under many ids at once: one event, whichever comes first.
pub async fn one_replay_key_accepted_at_once_is_stored_once<S: Store>(
    store: &Arc<S>,
) -> Result<(), Difference> {
    let receipts = at_once(|number| {
        let store = Arc::clone(store);
        let mut captured = event("a", &number.to_string());
        captured.replay_key = Some("signature:1".to_owned());
        async move { Ok(store.accept(captured, at(0)).await?) }
    })
    .await?;
    let (new, others): (Vec<_>, Vec<_>) =
        receipts.into_iter().partition(|receipt| matches!(receipt, Receipt::Accepted(_)));
    let [new] = exactly("receipts of a new event", new)?;
    let (Receipt::Accepted(id) | Receipt::Duplicate(id, _)) = new;
    same("the other receipts", others, vec![Receipt::Duplicate(id, Repeat::OtherId); CROWD - 1])?;
    same("events", store.counts().await?, Counts { pending: 1, ..Counts::default() })
}

/// No event goes to two workers, none is passed over, and the limit of a tenant holds.
pub async fn events_claimed_at_once_are_leased_once<S: Store>(store: &Arc<S>) -> Result<(), Difference> {
    for tenant in ["a", "b", "c", "d"] {
        for key in 0..30 {
            accept(store.as_ref(), tenant, &key.to_string(), at(0)).await?;
        }
    }
    let claims = at_once(|_| {
        let store = Arc::clone(store);
        async move {
            let mut claims = Vec::new();
            loop {
                let ask = ClaimRequest { now: at(1), until: at(61), most: 3, per_tenant: 20 };
                let some = store.claim(ask).await?;
                if some.is_empty() {
                    return Ok(claims);
                }
                claims.extend(some);
            }
        }
    })
    .await?;
    let claims = claims.concat();
    for tenant in ["a", "b", "c", "d"] {
        let leases = claims.iter().filter(|claim| &*claim.lease.tenant == tenant).count();
        same(&format!("leases of `{tenant}`"), leases, 20)?;
    }
    let events: HashSet<_> = claims.iter().map(|claim| claim.lease.event).collect();
    same("events leased", events.len(), claims.len())?;
    for claim in &claims {
        same("the attempt", (claim.attempt, claim.expiries), (1, 0))?;
        finish(store.as_ref(), claim, at(2), Ended::Done).await?;
    }
    same("counts", store.counts().await?, Counts { pending: 40, done: 80, ..Counts::default() })
}

/// One copy, however many people press the button.
pub async fn a_dead_letter_replayed_at_once_runs_once<S: Store>(store: &Arc<S>) -> Result<(), Difference> {
    let id = ended(store.as_ref(), "a", "1", at(0), Ended::Dead).await?;
    let replays = at_once(|_| {
        let store = Arc::clone(store);
        async move { Ok(store.replay("a", id, at(1)).await?) }
    })
    .await?;
    let (new, others): (Vec<_>, Vec<_>) =
        replays.into_iter().partition(|replayed| matches!(replayed, Replayed::As(_)));
    same("copies", new.len(), 1)?;
    let copy = found("the copy", letter(store.as_ref(), "a", id).await?.replayed_as)?;
    same("who made the copy", new, vec![Replayed::As(copy)])?;
    same("who was told of it", others, vec![Replayed::Already(copy); CROWD - 1])?;
    same("events", store.counts().await?, Counts { pending: 1, dead: 1, ..Counts::default() })
}

/// One link, and the others are told of it.
pub async fn things_linked_at_once_have_one_partner<S: Store>(store: &Arc<S>) -> Result<(), Difference> {
    let links = at_once(|number| {
        let store = Arc::clone(store);
        let mapping = mapping(("slack", "C1"), ("jira", &format!("OPS-{number}")), at(0));
        async move { Ok(store.link("a", mapping).await?) }
    })
    .await?;
    let new = links.iter().filter(|linked| **linked == Linked::New).count();
    let mut listed = store.mappings("a", &MappingFilter::default(), Slice::default()).await?;
    same("links", (new, listed.total), (1, 1))?;
    let one = found("the link", listed.rows.pop())?;
    let told = links.iter().filter(|linked| **linked == Linked::Conflict(one.clone())).count();
    same("those that were told of it", told, CROWD - 1)
}
