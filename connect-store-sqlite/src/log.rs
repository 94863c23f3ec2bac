//! The integration log: one row per event, replaced as the event comes further.

use std::time::Duration;

use async_trait::async_trait;
use connect_flow::inbox::EventId;
use connect_flow::log::{Log, LogRow};
use connect_flow::store::{Listed, Slice, StoreError};
use rusqlite::{Result as SqlResult, Row};

use crate::SqliteStore;
use crate::rows;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event, source, target, event_type, status, class, at, duration_micros FROM log WHERE tenant = ?1 ",
            $rest
        )
    };
}

fn row(row: &Row<'_>) -> SqlResult<LogRow> {
    Ok(LogRow {
        event: EventId(row.get(0)?),
        source: row.get(1)?,
        target: row.get(2)?,
        event_type: row.get(3)?,
        status: row.get(4)?,
        class: row.get(5)?,
        at: rows::time(row, 6)?,
        duration: Duration::from_micros(rows::count(row.get(7)?)),
    })
}

#[async_trait]
impl Log for SqliteStore {
    async fn record(&self, tenant: &str, row: LogRow) -> Result<(), StoreError> {
        let tenant = tenant.to_owned();
        self.write(move |session| {
            // Word of the acceptance may come after word of the end, and then is no news.
            session.run(
                "INSERT INTO log (tenant, event, source, target, event_type, status, class, at, duration_micros)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (tenant, event) DO UPDATE SET source = excluded.source, target = excluded.target,
                     event_type = excluded.event_type, status = excluded.status, class = excluded.class,
                     at = excluded.at, duration_micros = excluded.duration_micros
                 WHERE excluded.status <> 'pending' OR log.status = 'pending'",
                (
                    tenant,
                    row.event.0,
                    row.source,
                    row.target,
                    row.event_type,
                    row.status,
                    row.class,
                    row.at.as_micros(),
                    i64::try_from(row.duration.as_micros()).unwrap_or(i64::MAX),
                ),
            )?;
            Ok(())
        })
        .await
    }

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
}
