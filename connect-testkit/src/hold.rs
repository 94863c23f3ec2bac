//! A gate that keeps answers back until the test opens it: a slow provider without a sleep.
//!
//! A fault plan puts requests behind the gate, before or after they were carried out. The test waits until they
//! are there, looks at what the client does meanwhile, and opens the gate; what comes later passes at once.
//! A gate whose last handle is dropped is open, so that a failed test does not hang.
//! Not for a real slow answer: see [`On::delay`](crate::On::delay).

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, Default)]
struct State {
    open: bool,
    reached: usize,
}

/// A gate for held requests; clones are the same gate.
///
/// ```
/// use connect_testkit::{FakeSlack, Hold, post};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let slack = FakeSlack::start().await?;
/// let hold = Hold::new();
/// slack.faults().on("auth.test").hold_answer(&hold);
///
/// let url = format!("{}auth.test", slack.url());
/// let call = tokio::spawn(async move { post(&url, &[("accept", "*/*")], "").await });
/// hold.reached(1).await;
/// assert!(!call.is_finished(), "the provider did its work and says nothing");
/// hold.release();
/// assert_eq!(call.await.expect("the call does not panic")?.status, 200);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Hold(watch::Sender<State>);

impl Default for Hold {
    fn default() -> Self {
        Self::new()
    }
}

impl Hold {
    /// A closed gate.
    pub fn new() -> Self {
        Self(watch::Sender::new(State::default()))
    }

    /// Opens the gate for those who wait and for everybody after them.
    pub fn release(&self) {
        self.0.send_modify(|state| state.open = true);
    }

    /// Waits until this many requests have come to the gate, those that it let through included.
    ///
    /// It waits for ever if that never happens: wrap it in `tokio::time::timeout`.
    pub async fn reached(&self, count: usize) {
        // The sender is `self`, so the channel cannot close while this waits.
        let _ = self.0.subscribe().wait_for(|state| state.reached >= count).await;
    }

    /// Comes to the gate and waits until it is open; it keeps no handle while it waits.
    pub(crate) async fn pass(self) {
        let mut state = self.0.subscribe();
        self.0.send_modify(|state| state.reached += 1);
        drop(self);
        // An error says that nobody is left to open it.
        let _ = state.wait_for(|state| state.open).await;
    }
}
