//! Cancellation at every await: a future is dropped after k polls, for all k.
//!
//! In Rust any future may be dropped at any await, and a caller with a time-out does it all the time. What must hold
//! afterwards (no permit lost, nothing sent twice, the client still works) is easy to break and hard to see; with a
//! transport in memory it is cheap to try every single place.
//!
//! ```
//! use connect_core::simulation::cancel::at_every_await;
//! use tokio::sync::Semaphore;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let gate = Semaphore::new(1);
//! let polls = at_every_await(async |cut| {
//!     cut.run(async {
//!         let _permit = gate.acquire().await;
//!         tokio::task::yield_now().await;
//!     })
//!     .await;
//!     if gate.available_permits() == 1 { Ok(()) } else { Err("a permit is lost") }
//! })
//! .await;
//! assert_eq!(polls, Ok(2), "it was tried with 0, 1 and 2 polls, and is done after 2");
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

/// A future that needs more polls than this is not going to end.
const MOST_POLLS: u32 = 100_000;

/// Runs `case` again and again, each time with a [`Cut`] that allows one poll more, until what it runs gets to its end.
/// Returns how many polls that took.
///
/// Time flows between the polls: a poll follows when the future was woken. After 100,000 polls it gives up and returns
/// that number.
///
/// # Errors
/// The first error of `case`, with the number of polls that led to it.
pub async fn at_every_await<E>(
    mut case: impl AsyncFnMut(&mut Cut) -> Result<(), E>,
) -> Result<u32, Cancelled<E>> {
    let mut polls = 0;
    loop {
        let mut cut = Cut { polls, finished: true };
        case(&mut cut).await.map_err(|error| Cancelled { polls, error })?;
        if cut.finished || polls == MOST_POLLS {
            return Ok(polls);
        }
        polls += 1;
    }
}

/// Runs futures, but not to their end.
///
/// Made by [`at_every_await`], one per case.
#[derive(Debug)]
pub struct Cut {
    polls: u32,
    finished: bool,
}

impl Cut {
    /// Polls a future as often as this case allows, and then drops it. `None` if that was before its end.
    pub async fn run<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let output = drop_after(self.polls, future).await;
        self.finished &= output.is_some();
        output
    }

    /// How many polls this case allows.
    pub fn polls(&self) -> u32 {
        self.polls
    }
}

/// What went wrong, and where.
///
/// From [`at_every_await`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled<E> {
    /// After how many polls the future was dropped.
    pub polls: u32,
    /// What the case found then.
    pub error: E,
}

impl<E: fmt::Display> fmt::Display for Cancelled<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dropped after {} polls: {}", self.polls, self.error)
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Cancelled<E> {}

/// Polls a future at most this often, then drops it and yields `None`. Zero polls drop it unpolled.
pub fn drop_after<F: Future>(polls: u32, future: F) -> DropAfter<F> {
    DropAfter { future: Some(future), left: polls }
}

pin_project! {
    /// The future of [`drop_after`].
    #[must_use = "futures do nothing unless polled"]
    pub struct DropAfter<F> {
        #[pin]
        future: Option<F>,
        left: u32,
    }
}

impl<F: Future> Future for DropAfter<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.left > 0
            && let Some(future) = this.future.as_mut().as_pin_mut()
        {
            *this.left -= 1;
            match future.poll(cx) {
                Poll::Ready(output) => return Poll::Ready(Some(output)),
                Poll::Pending if *this.left > 0 => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        this.future.set(None);
        Poll::Ready(None)
    }
}

impl<F> fmt::Debug for DropAfter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DropAfter").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn three_sleeps() -> u8 {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        7
    }

    #[tokio::test(start_paused = true)]
    async fn every_await_gets_its_turn() {
        let mut ended = Vec::new();
        let polls = at_every_await::<()>(async |cut| {
            ended.push(cut.run(three_sleeps()).await);
            Ok(())
        })
        .await;
        assert_eq!(polls, Ok(4));
        assert_eq!(ended, [None, None, None, None, Some(7)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_says_where() {
        let failed = at_every_await(async |cut| {
            cut.run(three_sleeps()).await;
            if cut.polls() == 2 { Err("broken") } else { Ok(()) }
        })
        .await;
        assert_eq!(failed.unwrap_err().to_string(), "dropped after 2 polls: broken");
    }
}
