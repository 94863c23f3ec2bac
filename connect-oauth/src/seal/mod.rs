//! Tokens at rest: sealed by a [`Seal`], bound to where they lie.
//!
//! Every value is encrypted together with its place: tenant, connection and field. A row that is copied to another
//! tenant does not open, so a wrong `WHERE` clause leaks nothing. There is no plaintext fallback: without a `Seal` there
//! is no coordinator.
//!
//! [`KeyRing`] (feature `seal`) is XChaCha20-Poly1305 under a list of keys. A host with a key management service
//! implements [`Seal`] with it. [`make_check`] and [`verify_check`] notice wrong keys at the start, not at the first call.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use connect_core::Error;
use zeroize::Zeroizing;

mod check;
#[cfg(feature = "seal")]
mod envelope;
#[cfg(feature = "seal")]
mod key;
#[cfg(feature = "seal")]
mod key_ring;
mod refusal;

pub use self::check::{CHECK_FIELD, CHECK_PLACE, make_check, verify_check};
#[cfg(feature = "seal")]
pub use self::key_ring::{KEYS_VARIABLE, KeyRing};
pub use self::refusal::Refusal;

/// Where a sealed value lies. Part of what is authenticated, never of what is stored.
///
/// ```
/// use connect_oauth::seal::Place;
/// let place = Place::new("acme", "jira", "tokens");
/// assert_ne!(place.associated_data(), Place::new("acm", "ejira", "tokens").associated_data());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// Which of the tenant's connections.
    pub connection: &'a str,
    /// Which of the connection's values.
    pub field: &'a str,
}

impl<'a> Place<'a> {
    /// A place.
    pub fn new(tenant: &'a str, connection: &'a str, field: &'a str) -> Self {
        Self { tenant, connection, field }
    }

    /// The three parts as one unambiguous sequence of bytes: each behind its length.
    pub fn associated_data(&self) -> Vec<u8> {
        let parts = [self.tenant, self.connection, self.field];
        let mut data = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// What came out of a seal: wiped from memory when it is dropped, and not shown by `Debug`.
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    /// For implementors of [`Seal`].
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The value itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("bytes", &self.0.len()).finish()
    }
}

/// Encrypts what is stored, and decrypts it at the same place only.
///
/// Asynchronous, so that a key management service can do it.
#[async_trait]
pub trait Seal: Send + Sync + 'static {
    /// Encrypts a value for its place, under the current key.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](connect_core::ErrorKind::Unavailable) if the key cannot be reached now.
    async fn seal(&self, place: Place<'_>, value: &[u8]) -> Result<Bytes, Error>;

    /// Decrypts a value of this place.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](connect_core::ErrorKind::Config) if the key is missing or another one, if the value lay
    /// somewhere else, or if it was changed; the message says which of them is known.
    async fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error>;

    /// Is it sealed under the current key? If not, a rewrap seals it again.
    fn is_current(&self, sealed: &[u8]) -> bool;
}
