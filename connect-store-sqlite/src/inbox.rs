//! The inbox: accept, lease, end, forget. Claims have a file of their own.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use connect_flow::clock::Timestamp;
use connect_flow::envelope::Envelope;
use connect_flow::inbox::{
    AttemptEnd, Claim, ClaimRequest, Counts, Ended, EventId, EventRecord, Held, Inbox, Lease, Receipt,
    Repeat, State,
};
use connect_flow::store::StoreError;
use tokio::sync::Notify;

use crate::error::Fault;
use crate::rows::{self, record_columns};
use crate::session::Session;
use crate::{SqliteStore, claim, log};

/// Is the lease held? The first line of everything that a lease allows.
pub(crate) fn holds(session: &Session<'_>, lease: &Lease) -> Result<bool, Fault> {
    let held = session.number(
        "SELECT count(*) FROM events WHERE id = ?1 AND tenant = ?2 AND lease = ?3 AND state = 'leased'",
        (lease.event.0, &*lease.tenant, lease.token),
    )?;
    Ok(held > 0)
}

#[async_trait]
impl Inbox for SqliteStore {
    async fn accept(&self, envelope: Envelope, now: Timestamp) -> Result<Receipt, StoreError> {
        self.write(move |session| accept(session, &envelope, now)).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<Claim>, StoreError> {
        let served = self.served();
        self.write(move |session| {
            let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
            claim::claim(session, &request, &mut served)
        })
        .await
    }

    async fn extend(&self, lease: &Lease, until: Timestamp) -> Result<Held, StoreError> {
        let lease = lease.clone();
        self.write(move |session| {
            if !holds(session, &lease)? {
                return Ok(Held::Lost);
            }
            session.run("UPDATE events SET due_at = ?2 WHERE id = ?1", (lease.event.0, until.as_micros()))?;
            Ok(Held::Yes)
        })
        .await
    }

    async fn finish(&self, lease: &Lease, end: AttemptEnd) -> Result<Held, StoreError> {
        let lease = lease.clone();
        self.write(move |session| finish(session, &lease, &end)).await
    }

    async fn release(&self, lease: &Lease, _now: Timestamp) -> Result<Held, StoreError> {
        let lease = lease.clone();
        self.write(move |session| {
            if !holds(session, &lease)? {
                return Ok(Held::Lost);
            }
            session.run("DELETE FROM attempts WHERE id = ?1", [lease.token])?;
            session.run(
                "UPDATE events SET state = 'pending', due_at = run_at, lease = NULL WHERE id = ?1",
                [lease.event.0],
            )?;
            session.arrival();
            Ok(Held::Yes)
        })
        .await
    }

    async fn event(&self, tenant: &str, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let tenant = tenant.to_owned();
        self.read(move |session| {
            let found = session.one(
                concat!("SELECT ", record_columns!(), " FROM events WHERE id = ?1 AND tenant = ?2"),
                (id.0, tenant),
                rows::record,
            )?;
            Ok(found.map(|record| rows::with_attempts(session, record)).transpose()?)
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(|session| {
            let live = session.number("SELECT count(*) FROM events WHERE due_at IS NOT NULL", ())?;
            let leased = session.number("SELECT count(*) FROM events WHERE state = 'leased'", ())?;
            let ended = |state: State| session.number(ENDED, [state.name()]).map(rows::count);
            Ok(Counts {
                pending: rows::count(live - leased),
                leased: rows::count(leased),
                done: ended(State::Done)?,
                skipped: ended(State::Skipped)?,
                dead: ended(State::Dead)?,
            })
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due = self.read(claim::next_due).await?;
        Ok(due.map(Timestamp::from_micros))
    }

    async fn sweep(&self, before: Timestamp, most: u32) -> Result<u32, StoreError> {
        self.write(move |session| sweep(session, before, most)).await
    }

    fn arrivals(&self) -> Arc<Notify> {
        self.notify()
    }
}

const ENDED: &str = "SELECT count(*) FROM events WHERE due_at IS NULL AND state = ?1";

fn accept(session: &Session<'_>, envelope: &Envelope, now: Timestamp) -> Result<Receipt, Fault> {
    if let Some(id) = insert(session, envelope, 0, None, now)? {
        return Ok(Receipt::Accepted(id));
    }
    // Its id says more than its replay key, should the two be of different events.
    let known = session.number(
        "SELECT coalesce(
            (SELECT id FROM events WHERE tenant = ?1 AND source = ?2 AND dedupe_key = ?3 AND copy = 0),
            (SELECT id FROM events WHERE tenant = ?1 AND source = ?2 AND replay_key = ?4 AND copy = 0))",
        (&*envelope.tenant, &*envelope.source, &envelope.dedupe_key, &envelope.replay_key),
    )?;
    let same_id = session.one(
        "SELECT dedupe_key = ?2, body = ?3 FROM events WHERE id = ?1",
        (known, &envelope.dedupe_key, &*envelope.body),
        |row| Ok(row.get::<_, bool>(0)?.then_some(row.get::<_, bool>(1)?)),
    )?;
    let repeat = match same_id.flatten() {
        Some(true) => Repeat::Same,
        Some(false) => Repeat::OtherBody,
        None => Repeat::OtherId,
    };
    Ok(Receipt::Duplicate(EventId(known), repeat))
}

/// Stores an event that runs at once, with its row in the log; `None` if its key or its replay key is taken.
pub(crate) fn insert(
    session: &Session<'_>,
    envelope: &Envelope,
    copy: i64,
    replay_of: Option<EventId>,
    now: Timestamp,
) -> Result<Option<EventId>, Fault> {
    let payload = Some(&*envelope.payload).filter(|payload| *payload != &*envelope.body);
    let scheme = Some(&*envelope.scheme).filter(|scheme| *scheme != &*envelope.source);
    let id = session.one(
        "INSERT INTO events (tenant, source, dedupe_key, copy, schema_version, event_type, ordering_key, content_type,
                             body, payload, trace_parent, received_at_seconds, target, replay_of, replay_key, scheme,
                             accepted_at, run_at, due_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17, ?17, 'pending')
         ON CONFLICT DO NOTHING RETURNING id",
        rusqlite::params![
            &*envelope.tenant,
            &*envelope.source,
            &envelope.dedupe_key,
            copy,
            envelope.schema_version,
            &envelope.event_type,
            &envelope.ordering_key,
            &envelope.content_type,
            &*envelope.body,
            payload,
            &envelope.trace_parent,
            envelope.received_at_seconds,
            &envelope.target,
            replay_of.map(|id| id.0),
            &envelope.replay_key,
            scheme,
            now.as_micros(),
        ],
        |row| row.get(0).map(EventId),
    )?;
    if let Some(id) = id {
        log::open(session, id, envelope, now)?;
        session.arrival();
    }
    Ok(id)
}

fn finish(session: &Session<'_>, lease: &Lease, end: &AttemptEnd) -> Result<Held, Fault> {
    if !holds(session, lease)? {
        return Ok(Held::Lost);
    }
    let (state, outcome, again) = match end.ended {
        Ended::Done => (State::Done, "done", None),
        Ended::Skipped => (State::Skipped, "skipped", None),
        Ended::Retry { at } => (State::Pending, "retry", Some(at.as_micros())),
        Ended::Dead => (State::Dead, "dead", None),
    };
    let at = end.at.as_micros();
    session.run(
        "UPDATE attempts SET ended = ?2, outcome = ?3, class = ?4, message = ?5 WHERE id = ?1",
        (lease.token, at, outcome, &end.class, &end.message),
    )?;
    session.run(
        "UPDATE events SET state = ?2, due_at = ?3, run_at = coalesce(?3, run_at), lease = NULL WHERE id = ?1",
        (lease.event.0, state.name(), again),
    )?;
    log::update(session, lease, end)?;
    if state == State::Dead {
        session.run(
            "INSERT INTO dead_letters (event, tenant, class, message, died_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (lease.event.0, &*lease.tenant, &end.class, &end.message, at),
        )?;
    }
    if again.is_some() {
        session.arrival();
    }
    Ok(Held::Yes)
}

fn sweep(session: &Session<'_>, before: Timestamp, most: u32) -> Result<u32, Fault> {
    let old: Vec<i64> = session.all(
        "SELECT id FROM (
            SELECT * FROM (SELECT accepted_at, id FROM events INDEXED BY events_ended
                WHERE due_at IS NULL AND state = 'done' AND accepted_at < ?1 ORDER BY accepted_at, id LIMIT ?2)
            UNION ALL
            SELECT * FROM (SELECT accepted_at, id FROM events INDEXED BY events_ended
                WHERE due_at IS NULL AND state = 'skipped' AND accepted_at < ?1 ORDER BY accepted_at, id LIMIT ?2)
        ) ORDER BY accepted_at, id LIMIT ?2",
        (before.as_micros(), most),
        |row| row.get(0),
    )?;
    for id in &old {
        let effects: Vec<i64> =
            session.all("SELECT effect FROM effect_events WHERE event = ?1", [id], |row| row.get(0))?;
        // Its attempts, and what it knows of effects, go with it.
        session.run("DELETE FROM events WHERE id = ?1", [id])?;
        for effect in effects {
            session.run(
                "DELETE FROM effects WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM effect_events WHERE effect = ?1)",
                [effect],
            )?;
        }
    }
    if !old.is_empty() {
        session.shrink()?;
    }
    Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
}
