//! Proof, in the type system, that a value came from the provider.
//!
//! Handlers ask for `Verified<Delivery>`; only a [`Verifier`](crate::Verifier) or
//! [`Receiver`](crate::Receiver) makes one, so a route that forgot to verify does not compile. A value that
//! comes back from your own store was verified when it was received: [`Verified::trust`] says so, and stands
//! out in review. `Verified` is deliberately not `Deserialize`: bytes from outside never become trusted by
//! parsing.

use std::ops::Deref;

/// Why an unverified value may be trusted; the argument of [`Verified::trust`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It was verified before it was stored, and the store is ours.
    Stored,
    /// Something in front verified the sender: a gateway, mutual TLS, a private queue.
    CheckedInFront,
    /// It is a test's own value.
    Test,
}

/// A value whose origin was verified.
///
/// ```
/// use connect_webhook::{Trust, Verified};
///
/// fn handle(number: Verified<u32>) -> u32 { *number + 1 }
///
/// assert_eq!(handle(Verified::trust(41, Trust::Test)), 42);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Only verification calls this.
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    /// Declares a value verified, for the way back from a store and for tests. `reason` documents the call.
    pub fn trust(value: T, reason: Trust) -> Self {
        let _ = reason;
        Self(value)
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A value derived from this one, with the same proof.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Verified<U> {
        Verified(derive(self.0))
    }

    /// As [`Verified::map`], for derivations that can fail, such as decoding.
    pub fn try_map<U, E>(self, derive: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        derive(self.0).map(Verified)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_survives_a_derivation_that_works() {
        let text = Verified::trust("7".to_owned(), Trust::Stored);
        let number: Result<Verified<u8>, _> = text.clone().try_map(|text| text.parse());
        assert_eq!(number.unwrap().into_inner(), 7);
        assert_eq!(text.map(|text| text.len()).into_inner(), 1);
    }
}
