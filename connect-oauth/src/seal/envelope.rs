//! What sealed bytes look like.
//!
//! ```text
//! 1 byte   version
//! 1 byte   length of the key's id
//! n bytes  the key's id
//! 24 bytes nonce
//! rest     ciphertext and its tag of 16 bytes
//! ```
//!
//! Everything before the nonce is the header. It is authenticated together with the place.

use super::key::is_key_id;
use super::{Place, Refusal};

/// XChaCha20 takes 24 bytes: enough that random ones never meet, whatever is sealed under one key.
pub(super) const NONCE: usize = 24;

const VERSION: u8 = 1;
const TAG: usize = 16;

/// Sealed bytes, taken apart.
pub(super) struct Envelope<'a> {
    pub(super) key_id: &'a str,
    pub(super) nonce: &'a [u8; NONCE],
    /// Ciphertext and tag.
    pub(super) body: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(super) fn read(sealed: &'a [u8]) -> Result<Self, Refusal> {
        Self::split(sealed).ok_or(Refusal::NotSealed)
    }

    fn split(sealed: &'a [u8]) -> Option<Self> {
        let [VERSION, length, rest @ ..] = sealed else { return None };
        let (id, rest) = rest.split_at_checked(usize::from(*length))?;
        let (nonce, body) = rest.split_first_chunk()?;
        // The id is shown in errors, so foreign bytes must not pass for one.
        let key_id = std::str::from_utf8(id).ok().filter(|id| is_key_id(id))?;
        (body.len() >= TAG).then_some(Self { key_id, nonce, body })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut sealed = header(self.key_id);
        sealed.reserve_exact(NONCE + self.body.len());
        sealed.extend_from_slice(self.nonce);
        sealed.extend_from_slice(self.body);
        sealed
    }
}

/// What is authenticated besides the value: how it was sealed, and where it lies.
pub(super) fn associated_data(key_id: &str, place: Place<'_>) -> Vec<u8> {
    // Unambiguous: the header says how long it is.
    let mut data = header(key_id);
    data.extend_from_slice(&place.associated_data());
    data
}

fn header(key_id: &str) -> Vec<u8> {
    let length = u8::try_from(key_id.len()).expect("the id of a key has at most 32 bytes");
    let mut header = vec![VERSION, length];
    header.extend_from_slice(key_id.as_bytes());
    header
}
