//! How events, attempts and times stand in rows.

use std::sync::Arc;

use bytes::Bytes;
use connect_flow::clock::Timestamp;
use connect_flow::envelope::Envelope;
use connect_flow::inbox::{Attempt, EventId, EventRecord, State};
use connect_flow::store::Slice;
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};

use crate::session::Session;

/// The columns that [`envelope`] reads.
macro_rules! envelope_columns {
    () => {
        "schema_version, tenant, source, event_type, dedupe_key, ordering_key, content_type, body, payload, \
         trace_parent, received_at_seconds, target, replay_of, replay_key, \
         scheme"
    };
}

/// The columns that [`record`] reads.
macro_rules! record_columns {
    () => {
        concat!(crate::rows::envelope_columns!(), ", events.id, state, run_at, accepted_at")
    };
}

pub(crate) use {envelope_columns, record_columns};

/// The first column after those of a record.
pub(crate) const AFTER_RECORD: usize = 19;

/// An event, and the one it replays.
pub(crate) fn envelope(row: &Row<'_>) -> Result<(Envelope, Option<EventId>)> {
    let body: Bytes = row.get::<_, Vec<u8>>(7)?.into();
    let payload = row.get::<_, Option<Vec<u8>>>(8)?.map(Bytes::from);
    let tenant: Arc<str> = row.get(1)?;
    let source: Arc<str> = row.get(2)?;
    let mut envelope =
        Envelope::new(tenant, source, row.get::<_, String>(3)?, row.get::<_, String>(4)?, body);
    envelope.schema_version = row.get(0)?;
    envelope.ordering_key = row.get(5)?;
    envelope.content_type = row.get(6)?;
    if let Some(payload) = payload {
        envelope.payload = payload;
    }
    envelope.trace_parent = row.get(9)?;
    envelope.received_at_seconds = row.get(10)?;
    envelope.target = row.get(11)?;
    envelope.replay_key = row.get(13)?;
    // Those without one, and those of before there was one, have the source's.
    if let Some(scheme) = row.get::<_, Option<Arc<str>>>(14)? {
        envelope.scheme = scheme;
    }
    Ok((envelope, row.get::<_, Option<i64>>(12)?.map(EventId)))
}

/// An event as it is stored, without its attempts.
pub(crate) fn record(row: &Row<'_>) -> Result<EventRecord> {
    let (envelope, replay_of) = envelope(row)?;
    let id = EventId(row.get(15)?);
    let mut record = EventRecord::new(id, envelope, state(row, 16)?, time(row, 17)?, time(row, 18)?);
    record.replay_of = replay_of;
    Ok(record)
}

/// Adds the attempts.
pub(crate) fn with_attempts(session: &Session<'_>, mut record: EventRecord) -> Result<EventRecord> {
    record.attempts = session.all(
        "SELECT number, started, ended, outcome, class, message FROM attempts WHERE event = ?1 ORDER BY number",
        [record.id.0],
        |row| {
            Ok(Attempt {
                number: row.get(0)?,
                started: time(row, 1)?,
                ended: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_micros),
                outcome: row.get(3)?,
                class: row.get(4)?,
                message: row.get(5)?,
            })
        },
    )?;
    Ok(record)
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

fn state(row: &Row<'_>, column: usize) -> Result<State> {
    let name: String = row.get(column)?;
    State::from_name(&name).ok_or(Error::InvalidColumnType(column, name, Type::Text))
}

/// A count, for callers that have no negative ones.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Limit and offset as SQLite takes them.
pub(crate) fn bounds(slice: Slice) -> (i64, i64) {
    (i64::from(slice.limit), i64::try_from(slice.offset).unwrap_or(i64::MAX))
}
