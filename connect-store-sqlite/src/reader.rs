//! Threads that read, each with a read-only connection: in WAL mode they wait for no writer and no writer waits for them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::Fault;
use crate::job::Message;
use crate::session::Session;

/// How many threads read. Two, so that one long list does not hold up everybody else; reads are rare beside writes.
pub(crate) const THREADS: usize = 2;

/// The way to the reading threads. They end when this is dropped, or when they are told to.
pub(crate) struct Readers {
    jobs: Sender<Message>,
}

impl Readers {
    /// Starts one thread per connection; the receivers hear when they have ended.
    pub(crate) fn start(connections: Vec<Connection>) -> Result<(Self, Vec<oneshot::Receiver<()>>), Fault> {
        let (jobs, inbound) = channel();
        let inbound = Arc::new(Mutex::new(inbound));
        let mut endings = Vec::new();
        for connection in connections {
            let (ended, ending) = oneshot::channel();
            endings.push(ending);
            let inbound = Arc::clone(&inbound);
            thread::Builder::new()
                .name("connect-store-reader".to_owned())
                .spawn(move || {
                    work(&connection, &inbound);
                    drop(inbound);
                    drop(connection);
                    drop(ended);
                })
                .map_err(|error| {
                    Fault::unavailable(format!("no thread for the store: {error}; allow more threads"))
                })?;
        }
        Ok((Self { jobs }, endings))
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), Fault> {
        self.jobs.send(message).map_err(|_| Fault::closed())
    }
}

fn next(inbound: &Mutex<Receiver<Message>>) -> Option<Message> {
    inbound.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn work(connection: &Connection, inbound: &Mutex<Receiver<Message>>) {
    let session = Session::new(connection);
    while let Some(Message::Job(mut job)) = next(inbound) {
        // A transaction, so that a list and its total show the same moment.
        let begun = session.run("BEGIN", ());
        if begun.is_ok() {
            job.run(&session);
            let _ = session.run("COMMIT", ());
        }
        job.answer(begun.map(drop).map_err(Fault::from));
    }
}
