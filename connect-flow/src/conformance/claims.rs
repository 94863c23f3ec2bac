//! Which events are claimed, and in which order.

use std::collections::HashSet;

use super::actions::{accept, at, claim, finish, ids, tenants};
use super::difference::{Difference, exactly, holds, same};
use crate::clock::Timestamp;
use crate::inbox::{ClaimRequest, Ended};
use crate::store::Store;

/// An event is due from the moment it was accepted, to the microsecond, and is leased once.
pub async fn an_event_waits_for_its_time<S: Store>(store: &S) -> Result<(), Difference> {
    same("claims from an empty store", claim(store, at(0), 10).await?.len(), 0)?;
    let id = accept(store, "a", "1", at(5)).await?;
    let before = Timestamp::from_micros(at(5).as_micros() - 1);
    same("claims a microsecond early", claim(store, before, 10).await?.len(), 0)?;
    same("claims of none", claim(store, at(5), 0).await?.len(), 0)?;
    same("claims in time", ids(&claim(store, at(5), 10).await?), vec![id])?;
    same("claims of what is leased", claim(store, at(6), 10).await?.len(), 0)
}

/// By the time they are due, then by arrival.
pub async fn the_oldest_event_of_a_tenant_comes_first<S: Store>(store: &S) -> Result<(), Difference> {
    let mut accepted = Vec::new();
    for (key, seconds) in [("1", 30), ("2", 10), ("3", 20), ("4", 10), ("5", 40)] {
        accepted.push(accept(store, "a", key, at(seconds)).await?);
    }
    let [first, second, third, fourth, _] = exactly("events", accepted)?;
    same("the first claim", ids(&claim(store, at(30), 3).await?), vec![second, fourth, third])?;
    same("the second claim", ids(&claim(store, at(30), 3).await?), vec![first])
}

/// A claim takes one event of each tenant before it takes the second of any.
pub async fn tenants_take_turns<S: Store>(store: &S) -> Result<(), Difference> {
    let mut loud = Vec::new();
    for key in 0..20 {
        loud.push(accept(store, "loud", &key.to_string(), at(0)).await?);
    }
    for (tenant, events) in [("few", 2), ("one", 1), ("some", 3)] {
        for key in 0..events {
            accept(store, tenant, &key.to_string(), at(1)).await?;
        }
    }
    let first = claim(store, at(2), 6).await?;
    // One round of four tenants, and two of the three that have a second event.
    let mut round = tenants(&first);
    round.dedup();
    same("tenants served by six leases", round, vec!["few", "loud", "one", "some"])?;
    same("leases", first.len(), 6)?;
    for tenant in ["few", "loud", "some"] {
        let leases = first.iter().filter(|claim| &*claim.lease.tenant == tenant).count();
        holds(&format!("`{tenant}` got one or two leases of six"), leases == 1 || leases == 2)?;
    }
    let rest = claim(store, at(2), 100).await?;
    same("leases in all", first.len() + rest.len(), 26)?;
    let order: Vec<_> = ids(&first).into_iter().chain(ids(&rest)).filter(|id| loud.contains(id)).collect();
    same("events of one tenant, in order", order, loud)
}

/// However many events one tenant has, and however small the claims are.
pub async fn claims_of_one_event_reach_every_tenant<S: Store>(store: &S) -> Result<(), Difference> {
    for key in 0..20 {
        accept(store, "a", &key.to_string(), at(0)).await?;
    }
    accept(store, "b", "1", at(1)).await?;
    accept(store, "c", "1", at(1)).await?;
    let mut served = HashSet::new();
    for _ in 0..6 {
        let [claim] = exactly("claims", claim(store, at(2), 1).await?)?;
        served.insert(claim.lease.tenant.to_string());
        finish(store, &claim, at(2), Ended::Done).await?;
    }
    holds(
        &format!("six claims of one event reach all three tenants; they reached {served:?}"),
        served.len() == 3,
    )
}

/// Leases that run count, from whichever claim; leases that expired do not.
pub async fn a_tenant_has_no_more_leases_than_allowed<S: Store>(store: &S) -> Result<(), Difference> {
    for key in 0..5 {
        accept(store, "a", &key.to_string(), at(0)).await?;
    }
    accept(store, "b", "1", at(0)).await?;
    let ask = |now: i64| ClaimRequest { now: at(now), until: at(now + 60), most: 10, per_tenant: 2 };
    let first = store.claim(ask(0)).await?;
    same("the first claim", tenants(&first), vec!["a", "a", "b"])?;
    same("the claim of a tenant at its limit", store.claim(ask(1)).await?.len(), 0)?;

    let ours: Vec<_> = first.iter().filter(|claim| &*claim.lease.tenant == "a").collect();
    let [one, two] = exactly("leases of `a`", ours)?;
    finish(store, one, at(2), Ended::Done).await?;
    let third = store.claim(ask(3)).await?;
    same("the claim after one ended", third.len(), 1)?;

    // The second of `a` and the one of `b` expire, the third of `a` does not.
    let fourth = store.claim(ask(61)).await?;
    same("the claim after one expired", tenants(&fourth), vec!["a", "b"])?;
    let again = fourth.iter().find(|claim| &*claim.lease.tenant == "a").map(|claim| claim.lease.event);
    same("the event whose lease expired", again, Some(two.lease.event))
}
