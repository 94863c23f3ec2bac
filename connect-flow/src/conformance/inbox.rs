//! What the inbox takes, and what it says about itself.

use bytes::Bytes;
use futures_util::FutureExt;

use super::actions::{accept, accept_envelope, at, claim, claim_one, ended, event, finish, record, replay};
use super::difference::{Difference, holds, same};
use crate::envelope::Envelope;
use crate::inbox::{Counts, Ended, Held, Receipt, Repeat};
use crate::store::Store;

/// The same key again is a duplicate, in whatever state the event is; another tenant's or source's is not.
pub async fn each_key_is_stored_once_per_tenant_and_source<S: Store>(store: &S) -> Result<(), Difference> {
    let first = accept(store, "a", "1", at(0)).await?;
    let mut again = event("a", "1");
    again.body = Bytes::from_static(b"another body");
    same("the key again", store.accept(again, at(1)).await?, Receipt::Duplicate(first, Repeat::OtherBody))?;

    let second = accept(store, "b", "1", at(2)).await?;
    let mut other = event("a", "1");
    other.source = "jira".into();
    let third = accept_envelope(store, other, at(3)).await?;
    holds("ids rise with arrival", first < second && second < third)?;
    same("the first body stays", record(store, "a", first).await?.envelope.body, Bytes::from_static(b"{}"))?;

    let duplicate = Receipt::Duplicate(first, Repeat::Same);
    let claims = claim(store, at(10), 10).await?;
    same("the key of a leased event", store.accept(event("a", "1"), at(11)).await?, duplicate)?;
    for claim in &claims {
        finish(store, claim, at(12), Ended::Done).await?;
    }
    same("the key of an ended event", store.accept(event("a", "1"), at(13)).await?, duplicate)?;
    same("events", store.counts().await?, Counts { done: 3, ..Counts::default() })
}

/// Case, trailing blanks and ways to write an umlaut make different keys, and different tenants.
pub async fn keys_are_compared_byte_by_byte<S: Store>(store: &S) -> Result<(), Difference> {
    let keys = ["key", "KEY", "key ", " key", "key\t", "ke\u{301}y", "k\u{e9}y", "", "'; --", "%", "k_y"];
    for key in keys {
        accept(store, "a", key, at(0)).await?;
    }
    for tenant in ["A", "a ", ""] {
        accept(store, tenant, "key", at(0)).await?;
    }
    same("events", store.counts().await?.pending, 14)?;
    for key in keys {
        let again = store.accept(event("a", key), at(1)).await?;
        holds(&format!("`{key}` is a duplicate"), matches!(again, Receipt::Duplicate(..)))?;
    }
    Ok(())
}

/// Whoever captured a delivery can send it again under another id where ids are not signed; the replay key tells, in
/// whatever state the event is. Another tenant's or source's is not the same, and neither are events without one.
pub async fn a_captured_delivery_under_a_new_id_is_a_duplicate<S: Store>(
    store: &S,
) -> Result<(), Difference> {
    let captured = |tenant: &str, key: &str| {
        let mut event = event(tenant, key);
        event.replay_key = Some("signature:1".to_owned());
        event
    };
    let first = accept_envelope(store, captured("a", "1"), at(0)).await?;
    let (same_one, duplicate) =
        (Receipt::Duplicate(first, Repeat::Same), Receipt::Duplicate(first, Repeat::OtherId));
    same("under a new id", store.accept(captured("a", "2"), at(1)).await?, duplicate)?;
    same("under its own id", store.accept(captured("a", "1"), at(1)).await?, same_one)?;
    same("without its replay key", store.accept(event("a", "1"), at(1)).await?, same_one)?;

    accept_envelope(store, captured("b", "1"), at(2)).await?;
    let mut other = captured("a", "1");
    other.source = "jira".into();
    accept_envelope(store, other, at(2)).await?;
    let mut other = captured("a", "3");
    other.replay_key = Some("signature:2".to_owned());
    let third = accept_envelope(store, other, at(2)).await?;
    for key in ["4", "5", "signature:1"] {
        accept(store, "a", key, at(2)).await?;
    }
    let mut both = captured("a", "3");
    same(
        "its id is another event's",
        store.accept(both.clone(), at(3)).await?,
        Receipt::Duplicate(third, Repeat::Same),
    )?;
    both.dedupe_key = "2".to_owned();
    same("a duplicate left no id behind", store.accept(both, at(3)).await?, duplicate)?;

    for claim in claim(store, at(10), 10).await? {
        finish(store, &claim, at(11), Ended::Dead).await?;
    }
    same("of a dead letter", store.accept(captured("a", "6"), at(12)).await?, duplicate)?;
    let copy = replay(store, "a", first, at(13)).await?;
    same(
        "the replay keeps the key",
        record(store, "a", copy).await?.envelope.replay_key.as_deref(),
        Some("signature:1"),
    )?;
    same("of a replayed one", store.accept(captured("a", "7"), at(14)).await?, duplicate)
}

/// A copy of a stored event is nothing to wonder at, another body under its id or its signature under another id is: the
/// receipt tells. Whatever the body, a known replay key under a new id is a replay.
pub async fn a_receipt_says_how_a_duplicate_differs<S: Store>(store: &S) -> Result<(), Difference> {
    let signed = |key: &str, replay_key: &str, body: &'static [u8]| {
        let mut event = event("a", key);
        event.replay_key = Some(replay_key.to_owned());
        (event.body, event.payload) = (Bytes::from_static(body), Bytes::from_static(body));
        event
    };
    let first = accept_envelope(store, signed("1", "x", b"{\"a\":1}"), at(0)).await?;
    let second = accept_envelope(store, signed("2", "y", b"{}"), at(0)).await?;
    for (key, replay_key, body, event, repeat) in [
        ("1", "x", &b"{\"a\":1}"[..], first, Repeat::Same),
        ("1", "z", b"{\"a\":1}", first, Repeat::Same),
        ("1", "x", b"{\"a\":2}", first, Repeat::OtherBody),
        ("1", "x", b"", first, Repeat::OtherBody),
        ("3", "x", b"{\"a\":1}", first, Repeat::OtherId),
        ("3", "x", b"{\"a\":2}", first, Repeat::OtherId),
        // The id of one and the replay key of the other.
        ("2", "x", b"{}", second, Repeat::Same),
        ("2", "x", b"{\"a\":1}", second, Repeat::OtherBody),
    ] {
        let receipt = store.accept(signed(key, replay_key, body), at(1)).await?;
        same(&format!("{key}, {replay_key}, {body:?}"), receipt, Receipt::Duplicate(event, repeat))?;
    }
    same("events", store.counts().await?.pending, 2)
}

/// Bytes that are no text, a payload that is not the body, what is set and what is not: as it was handed in.
pub async fn an_envelope_comes_back_exactly<S: Store>(store: &S) -> Result<(), Difference> {
    let mut full = Envelope::new("te'nant", "sl\u{e4}ck", "It's \u{1f980}\n", "k\"ey", "");
    full.schema_version = 7;
    full.scheme = "sl\u{e4}ck (EU)".into();
    full.replay_key = Some("It's the s\u{e4}me".to_owned());
    full.ordering_key = Some("C1/1.5".to_owned());
    full.content_type = Some("application/x-www-form-urlencoded; charset=UTF-8".to_owned());
    full.body = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    full.payload = Bytes::from_static(b"{\"a\":\"\\u0000\"}\0\xff");
    full.target = "jira".to_owned();
    full.trace_parent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    full.received_at_seconds = -1;
    let mut bare = Envelope::new("t", "s", "", "k", "");
    bare.content_type = None;
    let mut split = Envelope::new("u", "s", "", "k", "body");
    split.payload = Bytes::new();
    split.ordering_key = Some(String::new());

    for envelope in [full, bare, split] {
        let id = accept_envelope(store, envelope.clone(), at(0)).await?;
        let claim = claim_one(store, at(0)).await?;
        let stored = record(store, &envelope.tenant, id).await?;
        for (how, found) in [("claimed", &claim.envelope), ("looked at", &stored.envelope)] {
            // First what a failure shows best; `Debug` of an envelope shows sizes only.
            same(&format!("payload as {how}"), &found.payload, &envelope.payload)?;
            same(&format!("content type as {how}"), &found.content_type, &envelope.content_type)?;
            same(&format!("trace parent as {how}"), &found.trace_parent, &envelope.trace_parent)?;
            same(&format!("ordering key as {how}"), &found.ordering_key, &envelope.ordering_key)?;
            same(&format!("replay key as {how}"), &found.replay_key, &envelope.replay_key)?;
            same(&format!("scheme as {how}"), &found.scheme, &envelope.scheme)?;
            same(&format!("target as {how}"), &found.target, &envelope.target)?;
            same(&format!("version as {how}"), found.schema_version, envelope.schema_version)?;
            same(
                &format!("time of receipt as {how}"),
                found.received_at_seconds,
                envelope.received_at_seconds,
            )?;
            same(&format!("envelope as {how}"), found, &envelope)?;
        }
        same("the lease's tenant", &claim.lease.tenant, &envelope.tenant)?;
        same("accepted at", stored.accepted_at, at(0))?;
        same("claim's replay_of", claim.replay_of, None)?;
    }
    Ok(())
}

/// Of pending events' times and leases' ends, over all tenants.
pub async fn the_next_due_time_is_the_earliest<S: Store>(store: &S) -> Result<(), Difference> {
    same("of an empty store", store.next_due().await?, None)?;
    accept(store, "a", "1", at(50)).await?;
    same("of one event", store.next_due().await?, Some(at(50)))?;
    accept(store, "b", "1", at(20)).await?;
    same("of two events", store.next_due().await?, Some(at(20)))?;
    let first = claim_one(store, at(20)).await?;
    same("of an event and a later lease", store.next_due().await?, Some(at(50)))?;
    let second = claim_one(store, at(50)).await?;
    same("of two leases", store.next_due().await?, Some(at(80)))?;
    same("extend", store.extend(&first.lease, at(130)).await?, Held::Yes)?;
    same("of two leases, one extended", store.next_due().await?, Some(at(110)))?;
    finish(store, &second, at(60), Ended::Retry { at: at(300) }).await?;
    same("of a lease and a later retry", store.next_due().await?, Some(at(130)))?;
    finish(store, &first, at(61), Ended::Done).await?;
    same("of a retry", store.next_due().await?, Some(at(300)))?;
    let third = claim_one(store, at(300)).await?;
    finish(store, &third, at(301), Ended::Dead).await?;
    same("when all are ended", store.next_due().await?, None)
}

/// Over all tenants, each event in one state.
pub async fn counts_follow_the_events<S: Store>(store: &S) -> Result<(), Difference> {
    same("of an empty store", store.counts().await?, Counts::default())?;
    for tenant in ["a", "b"] {
        ended(store, tenant, "done", at(0), Ended::Done).await?;
        let dead = ended(store, tenant, "dead", at(0), Ended::Dead).await?;
        ended(store, tenant, "skipped", at(0), Ended::Skipped).await?;
        ended(store, tenant, "retried", at(0), Ended::Retry { at: at(1000) }).await?;
        accept(store, tenant, "leased", at(0)).await?;
        claim_one(store, at(0)).await?;
        accept(store, tenant, "again", at(500)).await?;
        replay(store, tenant, dead, at(500)).await?;
        store.accept(event(tenant, "done"), at(500)).await?;
    }
    let expected = Counts { pending: 6, leased: 2, done: 2, skipped: 2, dead: 2 };
    same("counts", store.counts().await?, expected)
}

/// When an event is stored or given back: a worker in the same process need not poll.
pub async fn arrivals_are_notified<S: Store>(store: &S) -> Result<(), Difference> {
    let arrivals = store.arrivals();
    macro_rules! notifies {
        ($what:literal, $change:expr) => {{
            // What was stored for nobody in particular.
            while arrivals.notified().now_or_never().is_some() {}
            let arrived = arrivals.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let changed = $change;
            holds(concat!($what, " notifies who waits"), arrived.now_or_never().is_some())?;
            changed
        }};
    }
    let id = notifies!("an acceptance", accept(store, "a", "1", at(0)).await?);
    let claim = claim_one(store, at(0)).await?;
    notifies!("a release", same("release", store.release(&claim.lease, at(1)).await?, Held::Yes)?);
    let claim = claim_one(store, at(1)).await?;
    notifies!("a retry", finish(store, &claim, at(2), Ended::Retry { at: at(3) }).await?);
    let claim = claim_one(store, at(3)).await?;
    finish(store, &claim, at(4), Ended::Dead).await?;
    notifies!("a replay", replay(store, "a", id, at(5)).await?);
    Ok(())
}
