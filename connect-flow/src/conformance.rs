//! The suite that every store must pass, for authors of stores.
//!
//! A store is what the traits of [`store`](crate::store) promise, and what they promise is written down here as code: one
//! check per behaviour, named by a sentence. Turn on the feature `conformance` for your tests only, and run it in one:
//!
//! ```
//! use connect_flow::{MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! conformance::run(|| async { MemoryStore::default() }).await;
//! # }
//! ```
//!
//! The function makes a fresh, empty store for every check; a store on a disk gets a folder of its own each time, and a
//! store on a server a schema. [`run`] goes through all checks before it panics with what differed. A single check can
//! be run by its name while you work on it: it yields the [`Difference`].
//!
//! Checks bring their own times, somewhere in 2023 and not on a whole second; they never wait, and need a tokio runtime
//! only for those that do things at once. Where the traits leave a choice, so do the checks: which tenant comes first
//! in a round, when claims of other processes take their turns, and whether the log keeps rows of events that were swept.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;

use crate::clock::Timestamp;
use crate::dead_letter::{DeadLetter, Replayed};
use crate::effect::Begun;
use crate::envelope::Envelope;
use crate::inbox::{
    Attempt, AttemptEnd, Claim, ClaimRequest, Counts, Ended, EventId, EventRecord, Held, Lease, Receipt,
    State,
};
use crate::log::LogRow;
use crate::mapping::{Linked, Mapping, MappingFilter};
use crate::store::{Slice, Store, StoreError};

/// What a check expected and did not find.
///
/// From the checks; [`run`] prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Difference(String);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Difference {}

impl From<StoreError> for Difference {
    fn from(error: StoreError) -> Self {
        Self(format!("the store failed: {error:?}"))
    }
}

type Checked = Result<(), Difference>;

/// Runs all checks, each on a fresh store.
///
/// # Panics
/// If a store differs from what is promised: with the name of each check that failed, and what differed.
pub async fn run<S, F, Fut>(make: F)
where
    S: Store,
    F: Fn() -> Fut,
    Fut: Future<Output = S>,
{
    let mut differences = Vec::new();
    macro_rules! checks {
        ($($check:ident)*) => {
            $(
                let store = Arc::new(make().await);
                if let Err(difference) = $check::<S>(&store).await {
                    differences.push(format!("{}: {difference}", stringify!($check)));
                }
            )*
        };
    }
    checks! {
        each_key_is_stored_once_per_tenant_and_source
        keys_are_compared_byte_by_byte
        an_envelope_comes_back_exactly
        an_event_waits_for_its_time
        the_oldest_event_of_a_tenant_comes_first
        tenants_take_turns
        claims_of_one_event_reach_every_tenant
        a_tenant_has_no_more_leases_than_allowed
        an_expired_lease_is_claimed_again
        an_expired_lease_may_still_finish
        an_extended_lease_lasts
        a_lost_lease_changes_nothing
        an_ended_event_has_no_lease
        an_attempt_counts_from_its_claim
        a_released_event_was_never_claimed
        a_retry_waits_for_its_time
        panics_are_counted
        a_dead_letter_keeps_the_whole_chain
        dead_letters_are_listed_newest_first
        a_replay_is_a_linked_copy
        a_replay_runs_again_only_after_it_died
        a_replay_finds_the_effects_that_are_done
        an_effect_is_begun_once
        an_effect_is_known_by_tenant_step_and_key
        an_effect_stays_as_long_as_an_event_that_knows_it
        mappings_are_unique_in_both_directions
        mappings_are_listed_by_filter
        the_log_has_one_row_per_event
        the_log_never_goes_back_to_pending
        sweeping_forgets_only_old_ended_events
        sweeping_goes_in_small_batches
        a_swept_key_may_come_again
        sweeping_a_replay_leaves_its_original
        the_next_due_time_is_the_earliest
        counts_follow_the_events
        arrivals_are_notified
        a_foreign_tenant_sees_nothing
        a_foreign_lease_changes_nothing
        one_key_accepted_at_once_is_stored_once
        events_claimed_at_once_are_leased_once
        a_dead_letter_replayed_at_once_runs_once
        things_linked_at_once_have_one_partner
    }
    #[expect(clippy::panic, reason = "this is test code for other crates: panicking is how a test fails")]
    if !differences.is_empty() {
        panic!("the store differs in {} points:\n{}", differences.len(), differences.join("\n"));
    }
}

// What checks are made of.

fn same<T: PartialEq + fmt::Debug>(what: &str, found: T, expected: T) -> Checked {
    if found == expected {
        return Ok(());
    }
    Err(Difference(format!("{what}:\n  found    {found:?}\n  expected {expected:?}")))
}

fn holds(what: &str, holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(Difference(format!("not so: {what}"))) }
}

fn found<T>(what: &str, value: Option<T>) -> Result<T, Difference> {
    value.ok_or_else(|| Difference(format!("not found: {what}")))
}

fn exactly<T, const N: usize>(what: &str, values: Vec<T>) -> Result<[T; N], Difference> {
    values
        .try_into()
        .map_err(|values: Vec<T>| Difference(format!("{what}: found {}, expected {N}", values.len())))
}

/// So many seconds into the check. Not on a whole second, because a store must keep microseconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_001 + seconds * 1_000_000)
}

fn event(tenant: &str, key: &str) -> Envelope {
    Envelope::new(tenant, "github", "push", key, "{}")
}

async fn accept<S: Store>(store: &S, tenant: &str, key: &str, now: Timestamp) -> Result<EventId, Difference> {
    accept_envelope(store, event(tenant, key), now).await
}

async fn accept_envelope<S: Store>(
    store: &S,
    envelope: Envelope,
    now: Timestamp,
) -> Result<EventId, Difference> {
    let what = format!("{envelope:?}");
    match store.accept(envelope, now).await? {
        Receipt::Accepted(id) => Ok(id),
        Receipt::Duplicate(id) => Err(Difference(format!("a new event was taken for event {id}: {what}"))),
    }
}

/// Replays a dead letter that can be replayed.
async fn replay<S: Store>(
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
async fn claim<S: Store>(store: &S, now: Timestamp, most: usize) -> Result<Vec<Claim>, Difference> {
    let until = now + Duration::from_secs(60);
    Ok(store.claim(ClaimRequest { now, until, most, per_tenant: 1000 }).await?)
}

async fn claim_one<S: Store>(store: &S, now: Timestamp) -> Result<Claim, Difference> {
    let [claim] = exactly("claims", claim(store, now, 2).await?)?;
    Ok(claim)
}

fn ids(claims: &[Claim]) -> Vec<EventId> {
    claims.iter().map(|claim| claim.lease.event).collect()
}

fn tenants(claims: &[Claim]) -> Vec<&str> {
    let mut tenants: Vec<_> = claims.iter().map(|claim| &*claim.lease.tenant).collect();
    tenants.sort_unstable();
    tenants
}

fn end(at: Timestamp, ended: Ended) -> AttemptEnd {
    let (class, message) = match ended {
        Ended::Done | Ended::Skipped => ("", "went well"),
        Ended::Retry { .. } => ("busy", "come back later"),
        Ended::Dead => ("broken", "it cannot be done"),
    };
    AttemptEnd { at, ended, class: class.to_owned(), message: message.to_owned() }
}

async fn finish<S: Store>(store: &S, claim: &Claim, now: Timestamp, ended: Ended) -> Checked {
    same("finishing a lease that is held", store.finish(&claim.lease, end(now, ended)).await?, Held::Yes)
}

/// Accepts an event and brings it to its end. Nothing else may be due.
async fn ended<S: Store>(
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

async fn record<S: Store>(store: &S, tenant: &str, id: EventId) -> Result<EventRecord, Difference> {
    found("the event", store.event(tenant, id).await?)
}

async fn letter<S: Store>(store: &S, tenant: &str, id: EventId) -> Result<DeadLetter, Difference> {
    found("the dead letter", store.dead_letter(tenant, id).await?)
}

/// Everything of a record, to be compared.
fn whole(record: EventRecord) -> impl PartialEq + fmt::Debug {
    let EventRecord { id, envelope, state, run_at, accepted_at, attempts, replay_of } = record;
    (id, envelope, state, run_at, accepted_at, attempts, replay_of)
}

fn attempt(number: u32, started: Timestamp, ended: Option<Timestamp>, outcome: &str) -> Attempt {
    let (class, message) = match outcome {
        "retry" => ("busy", "come back later"),
        "dead" => ("broken", "it cannot be done"),
        "done" | "skipped" => ("", "went well"),
        _ => ("", ""),
    };
    let (outcome, class, message) = (outcome.to_owned(), class.to_owned(), message.to_owned());
    Attempt { number, started, ended, outcome, class, message }
}

/// All that a lease allows, refused.
async fn refused<S: Store>(store: &S, why: &str, lease: &Lease, now: Timestamp) -> Checked {
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

/// Leaves one effect begun and one done, the state that [`effects_are_untouched`] expects.
async fn leave_effects<S: Store>(store: &S, lease: &Lease, now: Timestamp) -> Checked {
    same("begin", store.begin(lease, "step", "begun", now).await?, Begun::First)?;
    same("begin", store.begin(lease, "step", "done", now).await?, Begun::First)?;
    let result = Bytes::from_static(b"OPS-7");
    same("complete", store.complete(lease, "step", "done", result, now).await?, Held::Yes)
}

async fn effects_are_untouched<S: Store>(
    store: &S,
    lease: &Lease,
    since: Timestamp,
    now: Timestamp,
) -> Checked {
    let begun = store.begin(lease, "step", "begun", now).await?;
    same("the effect that was begun", begun, Begun::Again { since })?;
    let done = store.begin(lease, "step", "done", now).await?;
    same("the effect that was done", done, Begun::Done(Bytes::from_static(b"OPS-7")))?;
    same("an effect that nobody began", store.begin(lease, "step", "new", now).await?, Begun::First)
}

// The inbox.

/// The same key again is a duplicate, in whatever state the event is; another tenant's or source's is not.
pub async fn each_key_is_stored_once_per_tenant_and_source<S: Store>(store: &S) -> Result<(), Difference> {
    let first = accept(store, "a", "1", at(0)).await?;
    let mut again = event("a", "1");
    again.body = Bytes::from_static(b"another body");
    same("the key again", store.accept(again, at(1)).await?, Receipt::Duplicate(first))?;

    let second = accept(store, "b", "1", at(2)).await?;
    let mut other = event("a", "1");
    other.source = "jira".into();
    let third = accept_envelope(store, other, at(3)).await?;
    holds("ids rise with arrival", first < second && second < third)?;
    same("the first body stays", record(store, "a", first).await?.envelope.body, Bytes::from_static(b"{}"))?;

    let duplicate = Receipt::Duplicate(first);
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
        holds(&format!("`{key}` is a duplicate"), matches!(again, Receipt::Duplicate(_)))?;
    }
    Ok(())
}

/// Bytes that are no text, a payload that is not the body, what is set and what is not: as it was handed in.
pub async fn an_envelope_comes_back_exactly<S: Store>(store: &S) -> Result<(), Difference> {
    let mut full = Envelope::new("te'nant", "sl\u{e4}ck", "It's \u{1f980}\n", "k\"ey", "");
    full.schema_version = 7;
    full.ordering_key = Some("C1/1.5".to_owned());
    full.content_type = Some("application/x-www-form-urlencoded; charset=UTF-8".to_owned());
    full.body = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    full.payload = Bytes::from_static(b"{\"a\":\"\\u0000\"}\0\xff");
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
    let before = whole(record(store, "a", id).await?);

    refused(store, "a lost lease", &lost, at(61)).await?;
    let forged = Lease { token: holder.lease.token.wrapping_add(1), ..holder.lease.clone() };
    refused(store, "a token that was never given", &forged, at(61)).await?;
    let nowhere = Lease { event: EventId(id.0 + 1000), ..holder.lease.clone() };
    refused(store, "an event that is not there", &nowhere, at(61)).await?;

    let after = whole(record(store, "a", id).await?);
    same("the event", format!("{after:?}"), format!("{before:?}"))?;
    holds("the event is as it was", before == after)?;
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
        let before = whole(record(store, "a", id).await?);
        refused(store, &format!("after {ended:?}"), &claim.lease, at(2)).await?;
        holds("the event is as it was", before == whole(record(store, "a", id).await?))?;
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

// Dead letters.

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
    same("the key of a dead event", store.accept(event("a", "1"), at(80)).await?, Receipt::Duplicate(id))?;
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
    same("the key again", store.accept(event("a", "1"), at(101)).await?, Receipt::Duplicate(id))?;
    finish(store, &claim, at(102), Ended::Done).await?;
    same("the key after the replay", store.accept(event("a", "1"), at(103)).await?, Receipt::Duplicate(id))?;
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

// Effects.

/// An intent stays until it is completed or taken back; a result stays.
pub async fn an_effect_is_begun_once<S: Store>(store: &S) -> Result<(), Difference> {
    accept(store, "a", "1", at(0)).await?;
    let first = claim_one(store, at(0)).await?.lease;
    same("first", store.begin(&first, "step", "key", at(1)).await?, Begun::First)?;
    same("taken back", store.withdraw(&first, "step", "key").await?, Held::Yes)?;
    same("after that", store.begin(&first, "step", "key", at(2)).await?, Begun::First)?;
    same("again", store.begin(&first, "step", "key", at(3)).await?, Begun::Again { since: at(2) })?;

    let second = claim_one(store, at(60)).await?.lease;
    same(
        "by the next attempt",
        store.begin(&second, "step", "key", at(61)).await?,
        Begun::Again { since: at(2) },
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
    same("again", store.begin(&second.lease, "step", "key", at(2)).await?, Begun::Again { since: at(1) })?;
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

// Mappings.

fn mapping(source: (&str, &str), target: (&str, &str), created: Timestamp) -> Mapping {
    Mapping {
        source_service: source.0.to_owned(),
        source_id: source.1.to_owned(),
        target_service: target.0.to_owned(),
        target_id: target.1.to_owned(),
        created_at: created,
    }
}

/// A thing has one partner per service; who asks for another is told of the one.
pub async fn mappings_are_unique_in_both_directions<S: Store>(store: &S) -> Result<(), Difference> {
    let first = mapping(("slack", "C1"), ("jira", "OPS-7"), at(1));
    same("new", store.link("a", first.clone()).await?, Linked::New)?;
    let later = Mapping { created_at: at(2), ..first.clone() };
    same("the same again", store.link("a", later).await?, Linked::Same)?;

    let source_taken = mapping(("slack", "C1"), ("jira", "OPS-8"), at(3));
    same("the source is taken", store.link("a", source_taken).await?, Linked::Conflict(first.clone()))?;
    let target_taken = mapping(("slack", "C2"), ("jira", "OPS-7"), at(4));
    same("the target is taken", store.link("a", target_taken).await?, Linked::Conflict(first.clone()))?;

    let free = [
        mapping(("slack", "C2"), ("jira", "OPS-8"), at(5)),
        mapping(("slack", "C1"), ("github", "7"), at(6)),
        mapping(("teams", "C1"), ("jira", "OPS-7"), at(7)),
        mapping(("slack", "c1"), ("jira", "ops-7"), at(8)),
    ];
    for mapping in &free {
        same(&format!("{mapping:?}"), store.link("a", mapping.clone()).await?, Linked::New)?;
    }
    let both_taken = store.link("a", mapping(("slack", "C1"), ("jira", "OPS-8"), at(9))).await?;
    holds("a conflict with two is a conflict", matches!(both_taken, Linked::Conflict(_)))?;
    same("another tenant's", store.link("b", first.clone()).await?, Linked::New)?;

    let listed = store.mappings("a", &MappingFilter::default(), Slice::default()).await?;
    let expected: Vec<_> = free.into_iter().rev().chain([first]).collect();
    same("all of them", listed.rows, expected)?;
    same("how many", listed.total, 5)
}

/// Everything that is set must fit; newest first, in slices, with how many fit.
pub async fn mappings_are_listed_by_filter<S: Store>(store: &S) -> Result<(), Difference> {
    for number in 0..6_i64 {
        let (source, target) = if number % 2 == 0 { ("slack", "jira") } else { ("github", "slack") };
        let id = format!("x{number}");
        same("link", store.link("a", mapping((source, &id), (target, &id), at(number))).await?, Linked::New)?;
    }
    let filter = |source_service: Option<&str>,
                  source_id: Option<&str>,
                  target_service: Option<&str>,
                  target_id: Option<&str>| {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        MappingFilter {
            source_service: owned(source_service),
            source_id: owned(source_id),
            target_service: owned(target_service),
            target_id: owned(target_id),
        }
    };
    let cases: [(MappingFilter, u64, u32, &[&str], u64); 13] = [
        (filter(None, None, None, None), 0, 50, &["x5", "x4", "x3", "x2", "x1", "x0"], 6),
        (filter(None, None, None, None), 1, 2, &["x4", "x3"], 6),
        (filter(None, None, None, None), 5, 2, &["x0"], 6),
        (filter(None, None, None, None), 6, 2, &[], 6),
        (filter(None, None, None, None), 0, 0, &[], 6),
        (filter(Some("slack"), None, None, None), 0, 50, &["x4", "x2", "x0"], 3),
        (filter(Some("slack"), None, None, None), 1, 1, &["x2"], 3),
        (filter(None, None, Some("slack"), None), 0, 50, &["x5", "x3", "x1"], 3),
        (filter(None, Some("x3"), None, None), 0, 50, &["x3"], 1),
        (filter(None, None, None, Some("x4")), 0, 50, &["x4"], 1),
        (filter(Some("slack"), Some("x2"), Some("jira"), Some("x2")), 0, 50, &["x2"], 1),
        (filter(Some("slack"), Some("x3"), None, None), 0, 50, &[], 0),
        (filter(Some("SLACK"), None, None, None), 0, 50, &[], 0),
    ];
    for (filter, offset, limit, expected, total) in cases {
        let listed = store.mappings("a", &filter, Slice { offset, limit }).await?;
        let found: Vec<_> = listed.rows.iter().map(|mapping| &*mapping.target_id).collect();
        same(
            &format!("{filter:?} from {offset}, at most {limit}"),
            (found, listed.total),
            (expected.to_vec(), total),
        )?;
    }
    Ok(())
}

// The log.

fn row(event: EventId, status: &str) -> LogRow {
    LogRow {
        event,
        source: "github".to_owned(),
        target: "slack".to_owned(),
        event_type: "push".to_owned(),
        status: status.to_owned(),
        class: if status == "retry" { "busy".to_owned() } else { String::new() },
        at: at(0),
        duration: Duration::from_micros(1_234_567),
    }
}

/// Written again it is replaced; newest event first, in slices, with how many there are.
pub async fn the_log_has_one_row_per_event<S: Store>(store: &S) -> Result<(), Difference> {
    let mut accepted = Vec::new();
    for key in 0..4 {
        accepted.push(accept(store, "a", &key.to_string(), at(0)).await?);
    }
    let [first, second, third, fourth] = exactly("events", accepted)?;
    same("a row that was not written", store.log_row("a", first).await?, None)?;
    // In another order than they came in.
    for id in [third, first, fourth, second] {
        store.record("a", row(id, "retry")).await?;
    }
    let mut changed = row(second, "ok");
    changed.target = "jira".to_owned();
    changed.source = "gitlab".to_owned();
    changed.event_type = "merge".to_owned();
    changed.at = at(2);
    changed.duration = Duration::from_secs(86_400 * 365);
    store.record("a", changed.clone()).await?;

    same("the row of one event", store.log_row("a", second).await?, Some(changed.clone()))?;
    let all = [row(fourth, "retry"), row(third, "retry"), changed, row(first, "retry")];
    for (offset, limit, rows) in
        [(0, 50, 0..4), (0, 1, 0..1), (1, 2, 1..3), (3, 2, 3..4), (4, 2, 4..4), (0, 0, 0..0)]
    {
        let listed = store.log("a", Slice { offset, limit }).await?;
        let expected = all.get(rows).unwrap_or_default().to_vec();
        same(&format!("rows from {offset}, at most {limit}"), (listed.rows, listed.total), (expected, 4))?;
    }
    Ok(())
}

/// Word of the acceptance may come after word of the end.
pub async fn the_log_never_goes_back_to_pending<S: Store>(store: &S) -> Result<(), Difference> {
    let id = accept(store, "a", "1", at(0)).await?;
    store.record("a", row(id, "pending")).await?;
    same("the first word", store.log_row("a", id).await?, Some(row(id, "pending")))?;
    for status in ["retry", "ok", "dead", "skipped", "retry"] {
        store.record("a", row(id, status)).await?;
        store.record("a", LogRow { target: String::new(), ..row(id, "pending") }).await?;
        same("the last word", store.log_row("a", id).await?, Some(row(id, status)))?;
    }
    same("rows", store.log("a", Slice::default()).await?.total, 1)
}

// Housekeeping.

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

/// The original keeps its key and its chain, and is not replayed again: its replay went well.
pub async fn sweeping_a_replay_leaves_its_original<S: Store>(store: &S) -> Result<(), Difference> {
    let id = ended(store, "a", "1", at(0), Ended::Dead).await?;
    let copy = replay(store, "a", id, at(10)).await?;
    let claim = claim_one(store, at(10)).await?;
    finish(store, &claim, at(11), Ended::Done).await?;
    same("sweep", store.sweep(at(100), 10).await?, 1)?;
    same("the copy", store.event("a", copy).await?.map(|record| record.id), None)?;
    same("the original's key", store.accept(event("a", "1"), at(101)).await?, Receipt::Duplicate(id))?;
    same("the original's attempts", letter(store, "a", id).await?.event.attempts.len(), 1)?;
    same("replay again", store.replay("a", id, at(102)).await?, Replayed::Already(copy))
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

// Tenants.

/// Every method that names a tenant sees that tenant's rows only.
pub async fn a_foreign_tenant_sees_nothing<S: Store>(store: &S) -> Result<(), Difference> {
    let dead = ended(store, "ours", "dead", at(0), Ended::Dead).await?;
    let done = ended(store, "ours", "done", at(0), Ended::Done).await?;
    let leased = accept(store, "ours", "leased", at(0)).await?;
    claim_one(store, at(0)).await?;
    let ours = mapping(("slack", "C1"), ("jira", "OPS-7"), at(1));
    same("the link", store.link("ours", ours.clone()).await?, Linked::New)?;
    store.record("ours", row(dead, "dead")).await?;
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

    // What others write stays theirs. A store may refuse a row about an event that they do not have.
    let theirs = Mapping { target_id: "OPS-8".to_owned(), ..ours.clone() };
    same("their link", store.link("theirs", theirs.clone()).await?, Linked::New)?;
    let _ = store.record("theirs", row(dead, "ok")).await;
    same("our row", store.log_row("ours", dead).await?, Some(row(dead, "dead")))?;
    let log = store.log("ours", Slice::default()).await?;
    same("our log", (log.rows, log.total), (vec![row(dead, "dead")], 1))?;
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
    let before = whole(record(store, "ours", id).await?);
    for tenant in ["theirs", "", "OURS", "ours "] {
        let forged = Lease { tenant: tenant.into(), ..claim.lease.clone() };
        refused(store, &format!("a lease of `{tenant}`"), &forged, at(2)).await?;
    }
    holds("the event is as it was", before == whole(record(store, "ours", id).await?))?;
    same("the end of the lease", store.next_due().await?, Some(at(60)))?;
    effects_are_untouched(store, &claim.lease, at(1), at(3)).await?;

    accept(store, "theirs", "1", at(4)).await?;
    let theirs = claim_one(store, at(4)).await?;
    leave_effects(store, &theirs.lease, at(5)).await?;
    finish(store, &claim, at(6), Ended::Done).await?;
    same("their event", record(store, "theirs", theirs.lease.event).await?.state, State::Leased)
}

// Things done at once. With a runtime of several threads they really are.

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
    let (Receipt::Accepted(id) | Receipt::Duplicate(id)) = new;
    same("the other receipts", others, vec![Receipt::Duplicate(id); CROWD - 1])?;
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
