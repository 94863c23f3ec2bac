//! Work for a thread of the store, and the answer to whoever waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::Fault;
use crate::session::Session;

/// What a thread is told.
pub(crate) enum Message {
    /// Do this.
    Job(Box<dyn Job>),
    /// End.
    Close,
}

/// Work whose answer is given later, when it is certain.
pub(crate) trait Job: Send {
    /// Does the work; yields whether it may stay.
    fn run(&mut self, session: &Session<'_>) -> bool;

    /// Tells whoever waits. `certain` is what became of the work of all jobs together.
    fn answer(self: Box<Self>, certain: Result<(), Fault>);
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, Fault>>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

/// A job, and where its answer will come.
pub(crate) fn job<T, F>(work: F) -> (Message, oneshot::Receiver<Result<T, Fault>>)
where
    T: Send + 'static,
    F: FnOnce(&Session<'_>) -> Result<T, Fault> + Send + 'static,
{
    let (answer, waiting) = oneshot::channel();
    (Message::Job(Box::new(Task { work: Some(work), result: None, answer })), waiting)
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Session<'_>) -> Result<T, Fault> + Send,
{
    fn run(&mut self, session: &Session<'_>) -> bool {
        // Nobody waits any more: a claim, say, would lease events to nobody.
        if self.answer.is_closed() {
            return false;
        }
        // Safe to go on after a panic: the savepoint undoes the rows, and a session lends nothing across calls.
        let done = self.work.take().map(|work| catch_unwind(AssertUnwindSafe(|| work(session))));
        let result = match done {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(Fault::panicked()),
        };
        let stays = result.is_ok();
        self.result = Some(result);
        stays
    }

    fn answer(self: Box<Self>, certain: Result<(), Fault>) {
        let result = match (self.result, certain) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(all)) => Err(all),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(Fault::closed()),
        };
        // Fails only if nobody waits, which is nobody's loss.
        let _ = self.answer.send(result);
    }
}
