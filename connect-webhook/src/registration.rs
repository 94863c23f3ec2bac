//! When an endpoint lets a provider introduce itself: the gate in front of handshakes that nobody signs.
//!
//! Asana and Notion hand over the signing secret in an unsigned request, and Azure Event Grid validates a URL
//! with one. Whoever finds the address could send the same, and plant a secret of their own. So these
//! handshakes are answered only while the host expects one: it holds a [`Registration`], opens it right before
//! it creates the webhook at the provider, and the gate shuts itself after the first success. Closed is the
//! default, and a closed gate answers like a failed verification.
//!
//! The secret goes to the host's [`SecretSink`] first, and only when that has returned it becomes live and
//! the handshake is answered: a provider is never told "yes" about a secret that the next restart would lose.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::sink::SinkError;

/// The gate of one endpoint. Cheap to clone; clones are the same gate.
///
/// ```
/// use connect_webhook::{
///     Endpoint, Registration, SecretSink, SecretString, SinkError, UnixTime, Verifier, async_trait, schemes,
/// };
///
/// struct Vault;
///
/// #[async_trait]
/// impl SecretSink for Vault {
///     async fn store(&self, tenant: &str, source: &str, secret: SecretString) -> Result<(), SinkError> {
///         // Write it where the next start of the program finds it.
///         Ok(())
///     }
/// }
///
/// let registration = Registration::closed();
/// let verifier = Verifier::builder(&schemes::ASANA).await_secret().build()?;
/// let endpoint =
///     Endpoint::new("default", "asana", verifier).with_registration(registration.clone()).with_secret_sink(Vault);
///
/// // Right before the webhook is created at Asana:
/// let now = UnixTime(1_750_000_000);
/// registration.open_until(UnixTime(now.0 + 60));
/// assert!(registration.is_open(now));
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registration(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    until: Option<UnixTime>,
    /// A handshake is on its way to the secret sink: a second one at the same time finds the gate closed.
    is_claimed: bool,
}

impl Registration {
    /// A gate that is closed until [`open_until`](Self::open_until).
    pub fn closed() -> Self {
        Self::default()
    }

    /// Opens the gate for one handshake, up to and including `until`. A minute is plenty: providers make the
    /// handshake while the call that creates the webhook is still under way.
    pub fn open_until(&self, until: UnixTime) {
        self.state().until = Some(until);
    }

    /// Closes the gate. A handshake that is just being stored is still finished.
    pub fn close(&self) {
        self.state().until = None;
    }

    /// Whether a handshake would be answered now.
    pub fn is_open(&self, now: UnixTime) -> bool {
        self.state().is_open(now)
    }

    /// Lets one handshake through, if the gate is open.
    pub(crate) fn claim(&self, now: UnixTime) -> Option<Claim> {
        let mut state = self.state();
        if !state.is_open(now) {
            return None;
        }
        state.is_claimed = true;
        Some(Claim(self.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_open(&self, now: UnixTime) -> bool {
        !self.is_claimed && self.until.is_some_and(|until| now <= until)
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("open_until", &self.state().until).finish_non_exhaustive()
    }
}

/// A handshake that is let through. Dropped without success, also by a sender that hangs up, it leaves the gate
/// as it was.
#[derive(Debug)]
pub(crate) struct Claim(Registration);

impl Claim {
    /// The handshake succeeded: the gate shuts.
    pub(crate) fn succeed(self) {
        self.0.close();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.state().is_claimed = false;
    }
}

/// Keeps the secrets that providers hand over. See [`Registration`] for an example.
#[async_trait]
pub trait SecretSink: Send + Sync {
    /// Stores the secret of an endpoint durably, in place of the one before. The handshake is answered after
    /// this returned; an error is answered 503, and the provider tries again with a new secret or gives up.
    /// Must be safe to cancel, like [`Sink::accept`](crate::Sink::accept).
    async fn store(&self, tenant: &str, source: &str, secret: SecretString) -> Result<(), SinkError>;
}

#[async_trait]
impl<S: SecretSink + ?Sized> SecretSink for Arc<S> {
    async fn store(&self, tenant: &str, source: &str, secret: SecretString) -> Result<(), SinkError> {
        (**self).store(tenant, source, secret).await
    }
}

/// Confirms subscriptions at AWS SNS, which wants a URL fetched; this crate makes no requests of its own.
///
/// ```
/// use connect_webhook::{ConfirmSubscription, SinkError, async_trait};
///
/// struct Fetch;
///
/// #[async_trait]
/// impl ConfirmSubscription for Fetch {
///     async fn confirm(&self, url: &str) -> Result<(), SinkError> {
///         // GET `url` with your HTTP client, without following redirects; any 2xx will do.
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait ConfirmSubscription: Send + Sync {
    /// Fetches `url` with a GET. It comes from a verified message of an allowed topic and its host is Amazon's.
    /// It confirms whoever fetches it: keep it out of logs. An error is answered 503, and SNS tries again.
    async fn confirm(&self, url: &str) -> Result<(), SinkError>;
}

#[async_trait]
impl<C: ConfirmSubscription + ?Sized> ConfirmSubscription for Arc<C> {
    async fn confirm(&self, url: &str) -> Result<(), SinkError> {
        (**self).confirm(url).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    #[test]
    fn a_gate_is_closed_until_it_is_opened_and_shuts_after_its_time() {
        let gate = Registration::closed();
        assert!(!gate.is_open(NOW));
        gate.open_until(NOW);
        assert!(gate.clone().is_open(NOW) && !gate.is_open(UnixTime(NOW.0 + 1)));
        gate.close();
        assert!(!gate.is_open(NOW));
    }

    #[test]
    fn one_handshake_passes_at_a_time_and_one_in_all() {
        let gate = Registration::closed();
        gate.open_until(NOW);
        let first = gate.claim(NOW).unwrap();
        assert!(gate.claim(NOW).is_none());
        drop(first);
        gate.claim(NOW).expect("a failed handshake leaves the gate open").succeed();
        assert!(gate.claim(NOW).is_none());
    }
}
