//! A store: opening it, handing jobs to its threads, closing it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[cfg(feature = "tokens")]
use connect_core::clock::{SystemClock, WallClock};
use connect_flow::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Notify, oneshot};

use crate::error::Fault;
use crate::job::{Message, job};
use crate::location::Location;
use crate::reader::{self, Readers};
use crate::schema;
use crate::session::Session;
use crate::writer::Writer;

/// A store that is about to be opened, for those who want more than [`SqliteStore::open`].
///
/// ```
/// use std::time::Duration;
/// use connect_store_sqlite::SqliteStore;
/// let store = SqliteStore::builder(":memory:").with_busy_timeout(Duration::from_secs(1)).open()?;
/// # Ok::<(), connect_flow::StoreError>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened before `open` is called"]
pub struct Builder {
    setting: String,
    busy_timeout: Duration,
    #[cfg(feature = "tokens")]
    clock: Arc<dyn WallClock>,
}

impl Builder {
    /// Sets how long to wait while another process writes. Default 5 s: writes take milliseconds, so whoever holds the
    /// file for longer is a backup or a person with a shell.
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Another clock than the operating system's, for the leases of tokens and the ends of logins. Everything else is told
    /// the time.
    #[cfg(feature = "tokens")]
    pub fn with_clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the store, creating the file if there is none. Blocks for some milliseconds.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`](connect_flow::StoreErrorKind::Corrupt) if the file is not a store this version
    /// can read; then it was not changed.
    /// [`StoreErrorKind::Unavailable`](connect_flow::StoreErrorKind::Unavailable) if it is locked or cannot be opened.
    pub fn open(self) -> Result<SqliteStore, StoreError> {
        let store = Location::parse(&self.setting).and_then(|location| open(&location, &self));
        store.map_err(|fault| fault.while_doing("the store cannot be opened").into())
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("setting", &self.setting)
            .field("busy_timeout", &self.busy_timeout)
            .finish_non_exhaustive()
    }
}

/// The embedded store. Clones are handles of the same store; the last one that goes ends its threads.
///
/// The crate's front page shows it at work.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    writer: Writer,
    /// None for a store in memory, which only its one connection sees.
    readers: Option<Readers>,
    endings: Mutex<Option<Endings>>,
    arrivals: Arc<Notify>,
    /// The tenant whose turn was last.
    served: Arc<Mutex<String>>,
    #[cfg(feature = "tokens")]
    clock: Arc<dyn WallClock>,
}

struct Endings {
    readers: Vec<oneshot::Receiver<()>>,
    writer: oneshot::Receiver<()>,
}

fn open(location: &Location, builder: &Builder) -> Result<SqliteStore, Fault> {
    let busy_timeout = builder.busy_timeout;
    let in_memory = *location == Location::Memory;
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let writing = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = match location {
        Location::Memory => Connection::open_in_memory()?,
        Location::File(path) => Connection::open_with_flags(path, writing)?,
    };
    schema::set_up(&connection, busy_timeout)?;
    schema::prepare(&connection, in_memory)?;

    let mut connections = Vec::new();
    if let Location::File(path) = location {
        for _ in 0..reader::THREADS {
            let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            schema::set_up(&connection, busy_timeout)?;
            connections.push(connection);
        }
    }
    let arrivals = Arc::new(Notify::new());
    let (writer, ending) = Writer::start(connection, Arc::clone(&arrivals))?;
    let (readers, readers_ending) = if in_memory {
        (None, Vec::new())
    } else {
        Readers::start(connections).map(|(r, e)| (Some(r), e))?
    };
    let endings = Mutex::new(Some(Endings { readers: readers_ending, writer: ending }));
    let shared = Shared {
        writer,
        readers,
        endings,
        arrivals,
        served: Arc::default(),
        #[cfg(feature = "tokens")]
        clock: Arc::clone(&builder.clock),
    };
    Ok(SqliteStore { shared: Arc::new(shared) })
}

impl SqliteStore {
    /// Opens the store in a file, creating it if there is none: a path, `sqlite:PATH` or `sqlite://PATH`. `:memory:`
    /// is a store that is gone when it is closed, for tests. Blocks for some milliseconds.
    ///
    /// # Errors
    /// As [`Builder::open`].
    pub fn open(path_or_url: &str) -> Result<Self, StoreError> {
        Self::builder(path_or_url).open()
    }

    /// Options for opening a store.
    pub fn builder(path_or_url: &str) -> Builder {
        Builder {
            setting: path_or_url.to_owned(),
            busy_timeout: Duration::from_secs(5),
            #[cfg(feature = "tokens")]
            clock: Arc::new(SystemClock),
        }
    }

    /// Ends the store: what was asked before is still done, then the file is closed. Other handles hear
    /// [`StoreErrorKind::Unavailable`](connect_flow::StoreErrorKind::Unavailable) from then on. Dropping the last
    /// handle does the same, only nobody hears when it is over.
    pub async fn close(self) {
        let endings = self.shared.endings.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(endings) = endings else { return };
        // Readers first: the last connection that closes empties the write-ahead log, and readers may not write.
        if let Some(readers) = &self.shared.readers {
            // One for each, before waiting: any of them may take it.
            for _ in &endings.readers {
                let _ = readers.send(Message::Close);
            }
        }
        for ending in endings.readers {
            let _ = ending.await;
        }
        let _ = self.shared.writer.send(Message::Close);
        let _ = endings.writer.await;
    }

    /// How many transactions this store has committed since it was opened. Fewer than there were writes: what waits
    /// together is committed together.
    pub fn commits(&self) -> u64 {
        self.shared.writer.commits()
    }

    /// Bounds the file, in pages of 4 KiB; yields the bound in force, which is at least the size of the file. For
    /// tests of what a full disk does.
    ///
    /// # Errors
    /// The store is closed.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<u32, StoreError> {
        self.write(move |session| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(session.connection().query_row(&sql, (), |row| row.get(0))?)
        })
        .await
    }

    /// Does a job on the writing thread; yields when it is committed.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Session<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (message, answer) = job(work);
        self.shared.writer.send(message)?;
        Ok(answer.await.unwrap_or_else(|_| Err(Fault::closed()))?)
    }

    /// Does a job on a reading thread.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Session<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (message, answer) = job(work);
        match &self.shared.readers {
            Some(readers) => readers.send(message)?,
            None => self.shared.writer.send(message)?,
        }
        Ok(answer.await.unwrap_or_else(|_| Err(Fault::closed()))?)
    }

    #[cfg(feature = "tokens")]
    /// For jobs, which ask when they run: a job may have waited for its turn.
    pub(crate) fn clock(&self) -> Arc<dyn WallClock> {
        Arc::clone(&self.shared.clock)
    }

    pub(crate) fn notify(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.arrivals)
    }

    pub(crate) fn served(&self) -> Arc<Mutex<String>> {
        Arc::clone(&self.shared.served)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("commits", &self.commits()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use connect_flow::store::StoreErrorKind;

    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_or_fails_is_undone_alone_and_ends_no_thread() {
        let store = SqliteStore::open(":memory:").unwrap();
        let link = |id: &'static str| {
            move |session: &Session<'_>| {
                session.run(
                    "INSERT INTO mappings (tenant, source_service, source_id, target_service, target_id, created_at)
                     VALUES ('acme', 'slack', ?1, 'jira', ?1, 0)",
                    [id],
                )
            }
        };
        let (good, panics, fails, last) = (link("good"), link("panics"), link("fails"), link("last"));
        let (good, panics, fails, last) = tokio::join!(
            store.write(move |session| Ok(good(session)?)),
            store.write(move |session| -> Result<(), Fault> {
                panics(session)?;
                panic!("on purpose")
            }),
            store.write(move |session| -> Result<(), Fault> {
                fails(session)?;
                Err(Fault::unavailable("on purpose"))
            }),
            store.write(move |session| Ok(last(session)?)),
        );
        assert_eq!((good.unwrap(), last.unwrap()), (1, 1));
        assert_eq!(panics.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(fails.unwrap_err().to_string(), "on purpose");
        let stored = store.read(|session| Ok(session.number("SELECT count(*) FROM mappings", ())?)).await;
        assert_eq!(stored.unwrap(), 2);
    }
}
