//! Dead letters and replays. A replay is a new event with the old one's key and `copy` counted up, so that the key stays
//! taken by the original and deliveries of it are still duplicates.

use async_trait::async_trait;
use connect_flow::clock::Timestamp;
use connect_flow::dead_letter::{DeadLetter, DeadLetters, Replayed};
use connect_flow::inbox::EventId;
use connect_flow::store::{Listed, Slice, StoreError};
use rusqlite::{Result as SqlResult, Row};

use crate::error::Fault;
use crate::rows::{self, AFTER_RECORD, envelope_columns, record_columns};
use crate::session::Session;
use crate::{SqliteStore, inbox};

/// Dead letters with their events; the letter's columns are renamed where an event has the same ones.
macro_rules! letters {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            record_columns!(),
            ", class, message, died_at, replayed_as
             FROM (SELECT event, tenant AS owner, class, message, died_at, replayed_as FROM dead_letters) AS letter
             JOIN events ON events.id = letter.event ",
            $rest
        )
    };
}

fn letter(row: &Row<'_>) -> SqlResult<DeadLetter> {
    let (class, message) = (row.get(AFTER_RECORD)?, row.get(AFTER_RECORD + 1)?);
    let mut letter = DeadLetter::new(rows::record(row)?, class, message, rows::time(row, AFTER_RECORD + 2)?);
    letter.replayed_as = row.get::<_, Option<i64>>(AFTER_RECORD + 3)?.map(EventId);
    Ok(letter)
}

fn with_attempts(session: &Session<'_>, mut letter: DeadLetter) -> SqlResult<DeadLetter> {
    letter.event = rows::with_attempts(session, letter.event)?;
    Ok(letter)
}

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn dead_letters(&self, tenant: &str, slice: Slice) -> Result<Listed<DeadLetter>, StoreError> {
        let tenant = tenant.to_owned();
        let (limit, offset) = rows::bounds(slice);
        self.read(move |session| {
            let letters = session.all(
                letters!("WHERE owner = ?1 ORDER BY died_at DESC, event DESC LIMIT ?2 OFFSET ?3"),
                (&tenant, limit, offset),
                letter,
            )?;
            let rows =
                letters.into_iter().map(|letter| with_attempts(session, letter)).collect::<SqlResult<_>>()?;
            let total = session.number("SELECT count(*) FROM dead_letters WHERE tenant = ?1", [&tenant])?;
            Ok(Listed { rows, total: rows::count(total) })
        })
        .await
    }

    async fn dead_letter(&self, tenant: &str, event: EventId) -> Result<Option<DeadLetter>, StoreError> {
        let tenant = tenant.to_owned();
        self.read(move |session| {
            let found =
                session.one(letters!("WHERE event = ?1 AND owner = ?2"), (event.0, &tenant), letter)?;
            Ok(found.map(|letter| with_attempts(session, letter)).transpose()?)
        })
        .await
    }

    async fn replay(&self, tenant: &str, event: EventId, now: Timestamp) -> Result<Replayed, StoreError> {
        let tenant = tenant.to_owned();
        self.write(move |session| replay(session, &tenant, event, now)).await
    }
}

fn replay(session: &Session<'_>, tenant: &str, event: EventId, now: Timestamp) -> Result<Replayed, Fault> {
    let letter = session.one(
        "SELECT replayed_as, (SELECT state FROM events WHERE id = replayed_as)
         FROM dead_letters WHERE event = ?1 AND tenant = ?2",
        (event.0, tenant),
        |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?)),
    )?;
    match letter {
        None => return Ok(Replayed::Unknown),
        // A copy that is not there any more was dealt with and swept.
        Some((Some(copy), state)) if state.as_deref() != Some("dead") => {
            return Ok(Replayed::Already(EventId(copy)));
        }
        Some(_) => {}
    }
    let original = session.one(
        concat!("SELECT ", envelope_columns!(), " FROM events WHERE id = ?1"),
        [event.0],
        rows::envelope,
    )?;
    let Some((envelope, _)) = original else { return Ok(Replayed::Unknown) };
    let copy = session.number(
        "SELECT max(copy) + 1 FROM events WHERE tenant = ?1 AND source = ?2 AND dedupe_key = ?3",
        (&*envelope.tenant, &*envelope.source, &envelope.dedupe_key),
    )?;
    let Some(id) = inbox::insert(session, &envelope, copy, Some(event), now)? else {
        return Err(Fault::corrupt("the store counts the replays of an event wrongly: restore a backup"));
    };
    session.run("UPDATE dead_letters SET replayed_as = ?2 WHERE event = ?1", (event.0, id.0))?;
    Ok(Replayed::As(id))
}
