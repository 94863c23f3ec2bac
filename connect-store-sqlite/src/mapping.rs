//! Mappings. Two unique keys make them unique in both directions, and serve the look-ups from either side.

use async_trait::async_trait;
use connect_flow::mapping::{Linked, Mapping, MappingFilter, Mappings};
use connect_flow::store::{Listed, Slice, StoreError};
use rusqlite::{Result as SqlResult, Row};

use crate::SqliteStore;
use crate::error::Fault;
use crate::rows;
use crate::session::Session;

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT source_service, source_id, target_service, target_id, created_at FROM mappings WHERE tenant = ?1 ",
            $rest
        )
    };
}

/// The list and its total, for one way to find the rows. Every statement has the same parameters.
macro_rules! search {
    ($found:literal) => {
        (
            select!(concat!($found, " ORDER BY created_at DESC, id DESC LIMIT ?6 OFFSET ?7")),
            concat!(
                "SELECT count(*) FROM mappings WHERE tenant = ?1 ",
                $found,
                " AND coalesce(?6, ?7, 0) IS NOT NULL"
            ),
        )
    };
}

/// By the first thing: its unique key finds it.
const BY_SOURCE: (&str, &str) = search!(
    "AND source_service = ?2 AND source_id = ?3
     AND (?4 IS NULL OR target_service = ?4) AND (?5 IS NULL OR target_id = ?5)"
);
/// By the second thing.
const BY_TARGET: (&str, &str) = search!(
    "AND target_service = ?4 AND target_id = ?5
     AND (?2 IS NULL OR source_service = ?2) AND (?3 IS NULL OR source_id = ?3)"
);
/// By anything else: all of the tenant's are looked at.
const BY_LOOKING: (&str, &str) = search!(
    "AND (?2 IS NULL OR source_service = ?2) AND (?3 IS NULL OR source_id = ?3)
     AND (?4 IS NULL OR target_service = ?4) AND (?5 IS NULL OR target_id = ?5)"
);

fn mapping(row: &Row<'_>) -> SqlResult<Mapping> {
    Ok(Mapping {
        source_service: row.get(0)?,
        source_id: row.get(1)?,
        target_service: row.get(2)?,
        target_id: row.get(3)?,
        created_at: rows::time(row, 4)?,
    })
}

#[async_trait]
impl Mappings for SqliteStore {
    async fn link(&self, tenant: &str, mapping: Mapping) -> Result<Linked, StoreError> {
        let tenant = tenant.to_owned();
        self.write(move |session| link(session, &tenant, &mapping)).await
    }

    async fn mappings(
        &self,
        tenant: &str,
        filter: &MappingFilter,
        slice: Slice,
    ) -> Result<Listed<Mapping>, StoreError> {
        let (tenant, filter) = (tenant.to_owned(), filter.clone());
        let (limit, offset) = rows::bounds(slice);
        self.read(move |session| {
            let MappingFilter { source_service, source_id, target_service, target_id } = &filter;
            let (list, total) = match (source_service, source_id, target_service, target_id) {
                (Some(_), Some(_), _, _) => BY_SOURCE,
                (_, _, Some(_), Some(_)) => BY_TARGET,
                _ => BY_LOOKING,
            };
            let params = (&tenant, source_service, source_id, target_service, target_id, limit, offset);
            let rows = session.all(list, params, mapping)?;
            Ok(Listed { rows, total: rows::count(session.number(total, params)?) })
        })
        .await
    }
}

fn link(session: &Session<'_>, tenant: &str, wanted: &Mapping) -> Result<Linked, Fault> {
    let Mapping { source_service, source_id, target_service, target_id, created_at } = wanted;
    let of_source = session.one(
        select!("AND source_service = ?2 AND source_id = ?3 AND target_service = ?4"),
        (tenant, source_service, source_id, target_service),
        mapping,
    )?;
    let of_target = || {
        session.one(
            select!("AND target_service = ?2 AND target_id = ?3 AND source_service = ?4"),
            (tenant, target_service, target_id, source_service),
            mapping,
        )
    };
    let known = match of_source {
        Some(known) => Some(known),
        None => of_target()?,
    };
    if let Some(known) = known {
        let same = known.source_id == *source_id && known.target_id == *target_id;
        return Ok(if same { Linked::Same } else { Linked::Conflict(known) });
    }
    session.run(
        "INSERT INTO mappings (tenant, source_service, source_id, target_service, target_id, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (tenant, source_service, source_id, target_service, target_id, created_at.as_micros()),
    )?;
    Ok(Linked::New)
}
