//! The one thread that writes, with group commit.
//!
//! What waits when the thread comes round is one transaction: one `fsync` for all of it. There is no timer, so a lone
//! write waits for nobody, and the busier the store the larger its batches. Each job stands in a savepoint of its own: one
//! that fails is undone alone. Answers go out after the commit; if the commit fails, every job of the batch hears so, and
//! nothing of it is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::error::Fault;
use crate::job::{Job, Message};
use crate::session::Session;

/// Jobs per transaction at most. A bound on how long the first of them waits for its answer; at 256 the `fsync` is
/// already a small part of the cost.
const MOST_PER_COMMIT: usize = 256;

/// The way to the writing thread. The thread ends when this is dropped, or when it is told to.
pub(crate) struct Writer {
    jobs: Sender<Message>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the thread; the receiver hears when it has ended.
    pub(crate) fn start(
        connection: Connection,
        arrivals: Arc<Notify>,
    ) -> Result<(Self, oneshot::Receiver<()>), Fault> {
        let (jobs, inbound) = channel();
        let (ended, ending) = oneshot::channel();
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        thread::Builder::new()
            .name("connect-store-writer".to_owned())
            .spawn(move || {
                work(&connection, &inbound, &arrivals, &counter);
                // In this order: what still waits hears that it is over, the file is closed, then whoever closes it.
                drop(inbound);
                drop(connection);
                drop(ended);
            })
            .map_err(|error| {
                Fault::unavailable(format!("no thread for the store: {error}; allow more threads"))
            })?;
        Ok((Self { jobs, commits }, ending))
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), Fault> {
        self.jobs.send(message).map_err(|_| Fault::closed())
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

fn work(connection: &Connection, inbound: &Receiver<Message>, arrivals: &Notify, commits: &AtomicU64) {
    let session = Session::new(connection);
    while let Ok(Message::Job(first)) = inbound.recv() {
        let mut batch = vec![first];
        let mut closing = false;
        while batch.len() < MOST_PER_COMMIT {
            match inbound.try_recv() {
                Ok(Message::Job(job)) => batch.push(job),
                Ok(Message::Close) => {
                    closing = true;
                    break;
                }
                Err(_) => break,
            }
        }
        let certain = commit(&session, &mut batch);
        if certain.is_ok() {
            commits.fetch_add(1, Ordering::Relaxed);
        } else if let Err(fault) = &certain {
            tracing::warn!(jobs = batch.len(), ?fault, "a batch of writes was not stored");
        }
        if session.take_arrival() && certain.is_ok() {
            // All that wait now, and one permit for a worker that is just about to.
            arrivals.notify_waiters();
            arrivals.notify_one();
        }
        for job in batch {
            job.answer(certain.clone());
        }
        if closing {
            break;
        }
    }
}

/// Runs a batch in one transaction.
fn commit(session: &Session<'_>, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    session.run("BEGIN IMMEDIATE", ())?;
    let done = run_all(session, batch).and_then(|()| Ok(session.run("COMMIT", ()).map(drop)?));
    if done.is_err() && !session.connection().is_autocommit() {
        // If this fails as well, the next BEGIN says so.
        let _ = session.run("ROLLBACK", ());
    }
    done
}

fn run_all(session: &Session<'_>, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    for job in batch {
        session.run("SAVEPOINT job", ())?;
        if !job.run(session) {
            // SQLite ends the whole transaction by itself on some errors (disk full, input/output).
            if session.connection().is_autocommit() {
                return Err(Fault::unavailable("another write of the same moment failed; try again"));
            }
            session.run("ROLLBACK TO job", ())?;
        }
        session.run("RELEASE job", ())?;
    }
    Ok(())
}
