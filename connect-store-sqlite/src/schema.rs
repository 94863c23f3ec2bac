//! Is the file ours, and of which version? Numbered migrations, each with the checksum it was applied with.
//!
//! A file is refused rather than guessed at: one of another program, one written by a newer version, one whose
//! migrations were edited afterwards.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use sha2::{Digest, Sha256};

use crate::error::Fault;

/// `CNCT`: tells a store from every other SQLite file.
const APPLICATION_ID: i64 = 0x434E_4354;

/// In order; a number is an index plus one. Never edit one that was published: add another.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_start.sql"),
    include_str!("schema/0002_tokens.sql"),
    include_str!("schema/0003_replay_keys.sql"),
];

/// How often the switch to the write-ahead log is tried. Each refusal means that another process came further, so this is
/// more processes than ever start together.
const MOST_SWITCHES: usize = 200;

/// Sets what SQLite forgets when a connection closes.
pub(crate) fn set_up(connection: &Connection, busy_timeout: Duration) -> Result<(), Fault> {
    connection.busy_timeout(busy_timeout)?;
    // FULL: each commit reaches the disk before anybody hears of it. Group commit makes that cost no more than NORMAL.
    // 64 MiB: a burst may grow the write-ahead log; the next checkpoint gives the space back.
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA trusted_schema = OFF;",
    )?;
    pragma(connection, "PRAGMA journal_size_limit = 67108864")?;
    Ok(())
}

/// Makes a new file a store, brings an older store up to date, refuses everything else untouched.
pub(crate) fn prepare(connection: &Connection, in_memory: bool) -> Result<(), Fault> {
    if identify(connection)? == Identity::Empty {
        // Works only while the file is empty.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    let mode = write_ahead(connection)?;
    if mode != "wal" && !in_memory {
        return Err(Fault::unavailable(format!(
            "the file system keeps SQLite in journal mode `{mode}`; put the file on a local disk"
        )));
    }
    // Only a store that lacks something is locked for writing.
    if identify(connection)? == Identity::Empty || pending(connection)? {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        if let Err(fault) = migrate(connection) {
            let _ = connection.execute_batch("ROLLBACK");
            return Err(fault);
        }
    }
    Ok(())
}

/// Turns the write-ahead log on, which a file remembers; yields the mode in force.
///
/// While several processes make one new file, SQLite refuses the switch at once instead of waiting (it holds a lock that
/// the others wait for). Taking the lock for writing does wait, and then somebody else may have made the switch.
fn write_ahead(connection: &Connection) -> Result<String, Fault> {
    let switch = || connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0));
    for _ in 0..MOST_SWITCHES {
        match switch() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
            }
            switched => return Ok(switched?),
        }
    }
    Ok(switch()?)
}

#[derive(PartialEq, Eq)]
enum Identity {
    Empty,
    Ours,
}

fn identify(connection: &Connection) -> Result<Identity, Fault> {
    let tables = pragma(connection, "SELECT count(*) FROM sqlite_schema")?;
    let application = pragma(connection, "PRAGMA application_id")?;
    match (application, tables) {
        (APPLICATION_ID, _) => Ok(Identity::Ours),
        (0, 0) => Ok(Identity::Empty),
        _ => Err(Fault::corrupt(
            "the file is a SQLite database of another program; nothing was changed: name another file",
        )),
    }
}

/// Checks what was applied; yields whether something is missing.
fn pending(connection: &Connection) -> Result<bool, Fault> {
    let mut statement = connection.prepare("SELECT version, checksum FROM migrations ORDER BY version")?;
    let applied: Vec<(i64, String)> =
        statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (index, (version, sum)) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(index) else {
            return Err(Fault::corrupt(format!(
                "the store has schema {version}, this version knows {}; nothing was changed: \
                 use the newer version, or restore a backup from before the upgrade",
                MIGRATIONS.len()
            )));
        };
        if i64::try_from(index + 1) != Ok(*version) || checksum(known) != *sum {
            return Err(Fault::corrupt(format!(
                "schema {version} of the store is not the one this version knows; nothing was changed: \
                 use the version that wrote it, or restore a backup"
            )));
        }
    }
    Ok(applied.len() < MIGRATIONS.len())
}

/// Inside a transaction: another process may have done it meanwhile.
fn migrate(connection: &Connection) -> Result<(), Fault> {
    if identify(connection)? == Identity::Empty {
        connection.execute_batch(
            "CREATE TABLE migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) WITHOUT ROWID",
        )?;
        connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    }
    pending(connection)?;
    let applied = pragma(connection, "SELECT count(*) FROM migrations")?;
    for (version, sql) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(applied).unwrap_or(0)) {
        connection.execute_batch(sql)?;
        connection.execute("INSERT INTO migrations VALUES (?1, ?2)", (version, checksum(sql)))?;
    }
    Ok(connection.execute_batch("COMMIT")?)
}

/// Without carriage returns: a checkout that rewrites line ends is still the same migration.
fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace('\r', ""));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pragma(connection: &Connection, sql: &str) -> Result<i64, Fault> {
    Ok(connection.query_row(sql, (), |row| row.get(0))?)
}
