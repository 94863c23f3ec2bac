//! Tokens and their leases, for `connect-oauth`. What is sealed stays sealed: the store never sees a secret.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connect_core::Error;
use connect_core::auth::store::{Fence, StoredToken, Swap, TokenRecord, TokenState, TokenStore};
use rusqlite::types::Type;
use rusqlite::{Error as SqlError, Result as SqlResult, Row};

use crate::SqliteStore;
use crate::error::{Fault, core_error};
use crate::session::Session;

/// States as they stand in rows.
const STATES: [(TokenState, &str); 2] =
    [(TokenState::Active, "active"), (TokenState::NeedsReauth, "needs_reauth")];

/// A page of the walk. `$from` says where it begins; one statement for both would read the whole table each time.
macro_rules! page {
    ($from:literal) => {
        concat!(
            "SELECT key, version, sealed, state, expires_at, refresh_by FROM tokens WHERE ",
            $from,
            " ORDER BY key LIMIT ?2"
        )
    };
}

const FIRST_PAGE: &str = page!("?1 IS NULL");
const PAGE_AFTER: &str = page!("key > ?1");

const DUE: &str =
    "SELECT key FROM tokens WHERE state = 'active' AND refresh_by <= ?1 ORDER BY refresh_by, key LIMIT ?2";

/// Microseconds since 1970. A time before that is 1970, and one after 292,000 years is their end.
pub(crate) fn micros(time: SystemTime) -> i64 {
    whole_micros(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

pub(crate) fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn time(micros: Option<i64>) -> Option<SystemTime> {
    let since = Duration::from_micros(u64::try_from(micros?).unwrap_or_default());
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// The columns `version, sealed, state, expires_at, refresh_by`, from this one on.
fn stored(row: &Row<'_>, first: usize) -> SqlResult<StoredToken> {
    let mut record = TokenRecord::new(row.get::<_, Vec<u8>>(first + 1)?);
    let named: String = row.get(first + 2)?;
    let Some((state, _)) = STATES.into_iter().find(|(_, name)| *name == named) else {
        return Err(SqlError::InvalidColumnType(first + 2, "state".to_owned(), Type::Text));
    };
    record.state = state;
    record.expires_at = time(row.get(first + 3)?);
    record.refresh_by = time(row.get(first + 4)?);
    Ok(StoredToken::new(row.get::<_, i64>(first)?.unsigned_abs(), record))
}

fn load(session: &Session<'_>, key: &str) -> Result<Option<StoredToken>, Fault> {
    let sql = "SELECT version, sealed, state, expires_at, refresh_by FROM tokens WHERE key = ?1";
    Ok(session.one(sql, [key], |row| stored(row, 0))?)
}

fn swap(
    session: &Session<'_>,
    key: &str,
    expected: Option<u64>,
    record: &TokenRecord,
) -> Result<Swap, Fault> {
    let held = load(session, key)?;
    let version = held.as_ref().map(|stored| stored.version);
    if version != expected {
        return Ok(Swap::Conflict(held));
    }
    let version = version.unwrap_or(0).saturating_add(1);
    let Some((_, state)) = STATES.into_iter().find(|(state, _)| *state == record.state) else {
        return Err(Fault::corrupt(
            "nothing was stored: this version of the store does not know the state of the record; \
             use one version of all crates",
        ));
    };
    session.run(
        "INSERT INTO tokens (key, version, sealed, state, expires_at, refresh_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (key) DO UPDATE SET version = ?2, sealed = ?3, state = ?4, expires_at = ?5, refresh_by = ?6",
        (
            key,
            i64::try_from(version).unwrap_or(i64::MAX),
            &*record.sealed,
            state,
            record.expires_at.map(micros),
            record.refresh_by.map(micros),
        ),
    )?;
    Ok(Swap::Stored(version))
}

#[async_trait]
impl TokenStore for SqliteStore {
    async fn load(&self, key: &str) -> Result<Option<StoredToken>, Error> {
        let key = key.to_owned();
        self.read(move |session| load(session, &key)).await.map_err(core_error)
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        record: TokenRecord,
    ) -> Result<Swap, Error> {
        let key = key.to_owned();
        self.write(move |session| swap(session, &key, expected, &record)).await.map_err(core_error)
    }

    async fn lease(&self, key: &str, ttl: Duration) -> Result<Option<Fence>, Error> {
        let (key, clock) = (key.to_owned(), self.clock());
        self.write(move |session| {
            let now = micros(clock.now());
            session.run("DELETE FROM token_leases WHERE ends_at <= ?1", [now])?;
            let fence = session.one(
                "INSERT INTO token_leases (key, ends_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING fence",
                (&key, now.saturating_add(whole_micros(ttl))),
                |row| row.get::<_, i64>(0),
            )?;
            Ok(fence.map(|fence| Fence::new(fence.unsigned_abs())))
        })
        .await
        .map_err(core_error)
    }

    async fn extend(&self, key: &str, fence: Fence, ttl: Duration) -> Result<bool, Error> {
        let (key, clock) = (key.to_owned(), self.clock());
        self.write(move |session| {
            let now = micros(clock.now());
            let changed = session.run(
                "UPDATE token_leases SET ends_at = ?3 WHERE key = ?1 AND fence = ?2 AND ends_at > ?4",
                (&key, number(fence), now.saturating_add(whole_micros(ttl)), now),
            )?;
            Ok(changed == 1)
        })
        .await
        .map_err(core_error)
    }

    async fn release(&self, key: &str, fence: Fence) -> Result<(), Error> {
        let key = key.to_owned();
        self.write(move |session| {
            session.run("DELETE FROM token_leases WHERE key = ?1 AND fence = ?2", (&key, number(fence)))?;
            Ok(())
        })
        .await
        .map_err(core_error)
    }

    async fn due(&self, by: SystemTime, limit: usize) -> Result<Vec<String>, Error> {
        self.read(move |session| Ok(session.all(DUE, (micros(by), most(limit)), |row| row.get(0))?))
            .await
            .map_err(core_error)
    }

    async fn walk(&self, after: Option<&str>, limit: usize) -> Result<Vec<(String, StoredToken)>, Error> {
        let after = after.map(str::to_owned);
        self.read(move |session| {
            let sql = if after.is_some() { PAGE_AFTER } else { FIRST_PAGE };
            Ok(session.all(sql, (&after, most(limit)), |row| Ok((row.get(0)?, stored(row, 1)?)))?)
        })
        .await
        .map_err(core_error)
    }
}

/// A fence as SQLite counts.
fn number(fence: Fence) -> i64 {
    i64::try_from(fence.get()).unwrap_or(i64::MAX)
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn neither_the_walk_nor_what_is_due_reads_the_whole_table() {
        let store = SqliteStore::open(":memory:").unwrap();
        for (sql, by) in [(PAGE_AFTER, "PRIMARY KEY (key>?)"), (DUE, "INDEX tokens_due (refresh_by<?)")] {
            let planned = store.read(move |session| {
                let mut statement = session.connection().prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let lines = statement.query_map(("a", 1), |row| row.get::<_, String>(3))?;
                Ok(lines.collect::<SqlResult<Vec<_>>>()?)
            });
            let plan = planned.await.unwrap();
            assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
            assert!(plan[0].starts_with("SEARCH") && plan[0].ends_with(by), "{plan:?}");
        }
    }
}
