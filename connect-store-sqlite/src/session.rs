//! One connection with its prepared statements, as jobs see it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rusqlite::{Connection, Params, Result, Row, Statement};

/// A connection, for jobs. Statements are prepared once and kept: preparing costs more than running most of them.
pub(crate) struct Session<'c> {
    connection: &'c Connection,
    prepared: RefCell<HashMap<&'static str, Statement<'c>>>,
    /// Did a job of this batch store or give back an event?
    arrived: Cell<bool>,
}

impl<'c> Session<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, prepared: RefCell::default(), arrived: Cell::new(false) }
    }

    /// Takes the statement out while it runs, so that a job may panic without leaving a borrow behind.
    fn with<T>(&self, sql: &'static str, run: impl FnOnce(&mut Statement<'c>) -> Result<T>) -> Result<T> {
        let kept = self.prepared.borrow_mut().remove(sql);
        let mut statement = match kept {
            Some(statement) => statement,
            None => self.connection.prepare(sql)?,
        };
        let result = run(&mut statement);
        self.prepared.borrow_mut().insert(sql, statement);
        result
    }

    /// Runs a statement that yields no rows; yields how many it changed.
    pub(crate) fn run(&self, sql: &'static str, params: impl Params) -> Result<usize> {
        self.with(sql, |statement| statement.execute(params))
    }

    /// All rows, to the end: a change with `RETURNING` is complete only then.
    pub(crate) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.with(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// The only row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(sql, params, read)?.pop())
    }

    /// The number in the first column of the only row; 0 if there is none.
    pub(crate) fn number(&self, sql: &'static str, params: impl Params) -> Result<i64> {
        Ok(self.one(sql, params, |row| row.get(0))?.unwrap_or(0))
    }

    /// Gives free pages back to the disk, a few at a time so that nobody waits long.
    pub(crate) fn shrink(&self) -> Result<()> {
        self.all("PRAGMA incremental_vacuum(256)", (), |_| Ok(())).map(drop)
    }

    /// The connection itself, for what is not worth keeping.
    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Says that workers have something to look at once this batch is committed.
    pub(crate) fn arrival(&self) {
        self.arrived.set(true);
    }

    /// Was there an arrival since the last call?
    pub(crate) fn take_arrival(&self) -> bool {
        self.arrived.take()
    }
}
