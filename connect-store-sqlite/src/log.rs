//! The integration log: one row per event, written by the jobs that store the event and end its attempts.

use async_trait::async_trait;
use connect_flow::clock::Timestamp;
use connect_flow::envelope::Envelope;
use connect_flow::inbox::{AttemptEnd, EventId, Lease};
use connect_flow::log::{Log, LogRow};
use connect_flow::store::{Listed, Slice, StoreError};
use rusqlite::{Result as SqlResult, Row};

use crate::SqliteStore;
use crate::rows;
use crate::session::Session;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event, source, target, event_type, status, class, at, changed_at FROM log WHERE tenant = ?1 ",
            $rest
        )
    };
}

fn row(row: &Row<'_>) -> SqlResult<LogRow> {
    let at = rows::time(row, 6)?;
    Ok(LogRow {
        event: EventId(row.get(0)?),
        source: row.get(1)?,
        target: row.get(2)?,
        event_type: row.get(3)?,
        status: row.get(4)?,
        class: row.get(5)?,
        at,
        duration: rows::time(row, 7)?.since(at),
    })
}

/// The row of an event that is being stored.
pub(crate) fn open(
    session: &Session<'_>,
    event: EventId,
    envelope: &Envelope,
    now: Timestamp,
) -> SqlResult<()> {
    let row = LogRow::pending(event, envelope, now);
    session.run(
        "INSERT INTO log (tenant, event, source, target, event_type, status, class, at, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        (
            &*envelope.tenant,
            event.0,
            row.source,
            row.target,
            row.event_type,
            row.status,
            row.class,
            row.at.as_micros(),
        ),
    )?;
    Ok(())
}

/// The row of an event whose attempt ends.
pub(crate) fn update(session: &Session<'_>, lease: &Lease, end: &AttemptEnd) -> SqlResult<()> {
    session.run(
        "UPDATE log SET status = ?3, class = ?4, target = CASE ?5 WHEN '' THEN target ELSE ?5 END, changed_at = ?6
         WHERE tenant = ?1 AND event = ?2",
        (&*lease.tenant, lease.event.0, end.ended.status(), &end.class, &end.target, end.at.as_micros()),
    )?;
    Ok(())
}

/// By the partial index of ended events: its condition stands here word for word, or SQLite would not use it.
const SWEEP: &str = "
    DELETE FROM log WHERE (tenant, event) IN (
        SELECT tenant, event FROM log INDEXED BY log_ended
        WHERE status IN ('ok', 'skipped', 'dead') AND at < ?1 ORDER BY at, event LIMIT ?2)";

#[async_trait]
impl Log for SqliteStore {
    async fn log(&self, tenant: &str, slice: Slice) -> Result<Listed<LogRow>, StoreError> {
        let tenant = tenant.to_owned();
        let (limit, offset) = rows::bounds(slice);
        self.read(move |session| {
            let rows = session.all(
                select!("ORDER BY event DESC LIMIT ?2 OFFSET ?3"),
                (&tenant, limit, offset),
                row,
            )?;
            let total = session.number("SELECT count(*) FROM log WHERE tenant = ?1", [&tenant])?;
            Ok(Listed { rows, total: rows::count(total) })
        })
        .await
    }

    async fn log_row(&self, tenant: &str, event: EventId) -> Result<Option<LogRow>, StoreError> {
        let tenant = tenant.to_owned();
        self.read(move |session| Ok(session.one(select!("AND event = ?2"), (tenant, event.0), row)?)).await
    }

    async fn sweep_log(&self, before: Timestamp, most: u32) -> Result<u32, StoreError> {
        self.write(move |session| {
            let swept = session.run(SWEEP, (before.as_micros(), most))?;
            if swept > 0 {
                session.shrink()?;
            }
            Ok(u32::try_from(swept).unwrap_or(u32::MAX))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::Connection;

    use super::*;
    use crate::schema;

    #[test]
    fn a_sweep_seeks_what_is_old_and_nothing_else() {
        let connection = Connection::open_in_memory().unwrap();
        schema::set_up(&connection, Duration::ZERO).unwrap();
        schema::prepare(&connection, true).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {SWEEP}")).unwrap();
        let plan: Vec<String> =
            statement.query_map((1, 2), |row| row.get(3)).unwrap().collect::<SqlResult<_>>().unwrap();
        assert!(
            plan.iter().any(|line| line.contains("SEARCH") && line.contains("log_ended (at<?)")),
            "{plan:?}"
        );
        for line in &plan {
            assert!(!line.starts_with("SCAN") && !line.contains("TEMP B-TREE"), "{plan:?}");
        }
    }
}
