//! Waiting, without a runtime inside.
//!
//! A [`Receiver`] bounds how long a sender may take to send its body. It does not know which async runtime it
//! runs on, so the host hands it a [`Timer`]. Feature `tokio` offers `TokioTimer`; any other runtime needs
//! one line. Without a timer there is no read time-out: leave it out only where the server already has one,
//! or where bodies arrive whole (serverless functions, [`Receiver::receive_bytes`]).
//!
//! [`Receiver`]: crate::Receiver
//! [`Receiver::receive_bytes`]: crate::Receiver::receive_bytes

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What [`Timer::sleep`] returns: a future that becomes ready when the time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes futures that wait.
///
/// ```
/// use std::time::Duration;
/// use connect_webhook::{Sleep, Timer};
///
/// struct TokioSleep;
/// impl Timer for TokioSleep {
///     fn sleep(&self, duration: Duration) -> Sleep {
///         Box::pin(tokio::time::sleep(duration))
///     }
/// }
/// ```
pub trait Timer: Send + Sync {
    /// A future that is ready once `duration` has passed.
    fn sleep(&self, duration: Duration) -> Sleep;
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn sleep(&self, duration: Duration) -> Sleep {
        (**self).sleep(duration)
    }
}

/// tokio's timer; must be used inside a tokio runtime with time enabled.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

#[cfg(feature = "tokio")]
impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}
