//! Tenants see and change nothing of each other's.

use std::time::Duration;

use super::actions::{accept, at, claim_one, ended, finish, letter, pending, record, row, whole};
use super::difference::{Difference, same};
use super::effects::{effects_are_untouched, leave_effects};
use super::leases::refused;
use super::mappings::mapping;
use crate::dead_letter::Replayed;
use crate::inbox::{Ended, Lease, State};
use crate::mapping::{Linked, Mapping, MappingFilter};
use crate::store::{Slice, Store};

/// Every method that names a tenant sees that tenant's rows only.
pub async fn a_foreign_tenant_sees_nothing<S: Store>(store: &S) -> Result<(), Difference> {
    let dead = ended(store, "ours", "dead", at(0), Ended::Dead).await?;
    let done = ended(store, "ours", "done", at(0), Ended::Done).await?;
    let leased = accept(store, "ours", "leased", at(0)).await?;
    claim_one(store, at(0)).await?;
    let ours = mapping(("slack", "C1"), ("jira", "OPS-7"), at(1));
    same("the link", store.link("ours", ours.clone()).await?, Linked::New)?;
    let counts = store.counts().await?;

    for tenant in ["theirs", "", "OURS", "ours ", "%", "our_"] {
        let of = |what: &str| format!("`{tenant}` sees {what}");
        for id in [dead, done, leased] {
            same(&of("an event"), store.event(tenant, id).await?.map(|record| record.id), None)?;
            same(
                &of("a dead letter"),
                store.dead_letter(tenant, id).await?.map(|letter| letter.event.id),
                None,
            )?;
            same(&of("a row of the log"), store.log_row(tenant, id).await?, None)?;
            same(&of("something to replay"), store.replay(tenant, id, at(2)).await?, Replayed::Unknown)?;
        }
        same(&of("dead letters"), store.dead_letters(tenant, Slice::default()).await?.total, 0)?;
        same(&of("rows of the log"), store.log(tenant, Slice::default()).await?.total, 0)?;
        let exact = MappingFilter { source_id: Some("C1".to_owned()), ..MappingFilter::default() };
        for filter in [MappingFilter::default(), exact] {
            let seen = store.mappings(tenant, &filter, Slice::default()).await?;
            same(&of("mappings"), (seen.rows, seen.total), (vec![], 0))?;
        }
    }

    // What others write stays theirs.
    let theirs = Mapping { target_id: "OPS-8".to_owned(), ..ours.clone() };
    same("their link", store.link("theirs", theirs.clone()).await?, Linked::New)?;
    let rows = vec![
        pending(leased, at(0)),
        row(done, at(0), "ok", "", Duration::ZERO),
        row(dead, at(0), "dead", "broken", Duration::ZERO),
    ];
    let log = store.log("ours", Slice::default()).await?;
    same("our log", (log.rows, log.total), (rows, 3))?;
    for (tenant, expected) in [("ours", ours), ("theirs", theirs)] {
        let seen = store.mappings(tenant, &MappingFilter::default(), Slice::default()).await?;
        same("mappings", (seen.rows, seen.total), (vec![expected], 1))?;
    }
    same("counts", store.counts().await?, counts)?;
    same("our dead letter", letter(store, "ours", dead).await?.replayed_as, None)
}

/// A lease with another tenant's name on it is no lease, though event and token are right.
pub async fn a_foreign_lease_changes_nothing<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "ours", "1", at(0)).await?;
    let claim = claim_one(store, at(0)).await?;
    leave_effects(store, &claim.lease, at(1)).await?;
    let before = whole(store, "ours", id).await?;
    for tenant in ["theirs", "", "OURS", "ours "] {
        let forged = Lease { tenant: tenant.into(), ..claim.lease.clone() };
        refused(store, &format!("a lease of `{tenant}`"), &forged, at(2)).await?;
    }
    same("the event", whole(store, "ours", id).await?, before)?;
    same("the end of the lease", store.next_due().await?, Some(at(60)))?;
    effects_are_untouched(store, &claim.lease, at(1), at(3)).await?;

    accept(store, "theirs", "1", at(4)).await?;
    let theirs = claim_one(store, at(4)).await?;
    leave_effects(store, &theirs.lease, at(5)).await?;
    finish(store, &claim, at(6), Ended::Done).await?;
    same("their event", record(store, "theirs", theirs.lease.event).await?.state, State::Leased)
}
