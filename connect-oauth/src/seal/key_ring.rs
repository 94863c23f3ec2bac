//! XChaCha20-Poly1305 under a list of keys.
//!
//! The first key seals, every key opens. To rotate, put a new key in front and leave the old one behind it until nothing
//! is sealed under it any more: a refresh seals under the first key, and a rewrap what nobody refreshes. Nonces are 24 random bytes of the operating
//! system. For keys that must not be in this process's memory, implement [`Seal`] with a key management service.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use connect_core::vars::environment;
use connect_core::{Error, ErrorKind, RetryAdvice, Secret, Vars};
use zeroize::Zeroizing;

use super::envelope::{Envelope, NONCE, associated_data};
use super::key::{Fault, Key, LENGTH};
use super::{Opened, Place, Refusal, Seal};

/// The variable that [`KeyRing::from_env`] reads.
pub const KEYS_VARIABLE: &str = "CONNECT_SEAL_KEYS";

const MEANING: &str = "ID:KEY, like 2026-11:KEY, where KEY is 32 random bytes in base64; make one with `connect auth \
                       new-key` or `openssl rand -base64 32`; older keys follow, each behind a comma";

/// Fills with random bytes. The operating system's, except in tests of this module: a nonce that comes twice under one
/// key opens both values to whoever reads them, so nobody outside may choose.
type Random = fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// A [`Seal`] under keys that this process has.
///
/// ```
/// use connect_oauth::seal::KeyRing;
///
/// let text = "2026-11:mZ0yQk1vJ8T3h5rXc7bLw9sEaDfGgHjKqPnUoIiYtRs=, \
///             2026-01:Zm9yIHRoZSBkb2N1bWVudGF0aW9uIG9ubHksIG5vdCE";
/// let ring = KeyRing::from_text(text)?;
/// assert_eq!(ring.key_ids().collect::<Vec<_>>(), ["2026-11", "2026-01"]);
/// assert_eq!(format!("{ring:?}"), r#"KeyRing { current: "2026-11", older: ["2026-01"] }"#);
/// # Ok::<(), connect_core::Error>(())
/// ```
pub struct KeyRing {
    current: Key,
    older: Vec<Key>,
    random: Random,
}

impl KeyRing {
    /// A ring of one key, which seals and opens. The id is stored with every value: 1 to 32 letters, digits, dots,
    /// hyphens and underscores, such as the month it was made in.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an id of another form, and for a key that is one byte repeated.
    pub fn new(id: &str, key: &[u8; LENGTH]) -> Result<Self, Error> {
        Key::new(id, key).map(Self::of).map_err(|fault| config(format!("the current seal key: {fault}")))
    }

    /// Adds a key that opens what was sealed when it was the current one.
    ///
    /// # Errors
    /// As [`KeyRing::new`]; also for an id or a key that the ring has.
    pub fn with_older(mut self, id: &str, key: &[u8; LENGTH]) -> Result<Self, Error> {
        let added = Key::new(id, key).and_then(|key| self.add(key));
        let number = self.older.len() + 1;
        added.map_err(|fault| config(format!("older seal key {number}: {fault}"))).map(|()| self)
    }

    /// Reads `ID:BASE64,ID:BASE64`: the current key, then older ones. Both alphabets of base64, with and without
    /// padding; white space round the parts does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] saying which key is wrong, and how; nothing of the text is repeated.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(config(format!("there is no seal key: {MEANING}")));
        }
        let count = text.split(',').count();
        let at = |number: usize| move |fault: Fault| config(format!("seal key {number} of {count}: {fault}"));
        let mut entries = text.split(',').map(str::trim);
        let first = entries.next().unwrap_or_default();
        let mut ring = Self::of(Key::read(first).map_err(at(1))?);
        for (number, entry) in (2..).zip(entries) {
            Key::read(entry).and_then(|key| ring.add(key)).map_err(at(number))?;
        }
        Ok(ring)
    }

    /// Reads [`KEYS_VARIABLE`], as [`KeyRing::from_text`] does.
    ///
    /// # Errors
    /// As [`KeyRing::from_text`], naming the variable; and if it is not set or blank, saying how to make a key.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let text = Vars::new(&lookup).required_secret(KEYS_VARIABLE, MEANING)?;
        Self::from_text(text.expose())
            .map_err(|error| config(format!("{KEYS_VARIABLE}: {}", error.message())))
    }

    /// Reads [`KEYS_VARIABLE`] of the process environment.
    ///
    /// # Errors
    /// As [`KeyRing::from_vars`].
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(environment)
    }

    /// Makes a random key, and the text that [`KeyRing::from_text`] reads it from.
    ///
    /// ```
    /// use connect_oauth::seal::KeyRing;
    /// let (ring, text) = KeyRing::generate("2026-11")?;
    /// assert_eq!(ring.key_ids().next(), Some("2026-11"));
    /// KeyRing::from_text(text.expose())?;
    /// # Ok::<(), connect_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an id of another form than [`KeyRing::new`] takes; [`ErrorKind::Unavailable`] if the
    /// operating system has no random bytes.
    pub fn generate(id: &str) -> Result<(Self, Secret), Error> {
        Self::generate_from(id, getrandom::fill)
    }

    fn generate_from(id: &str, random: Random) -> Result<(Self, Secret), Error> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        random(bytes.as_mut_slice()).map_err(no_randomness)?;
        let ring = Self::new(id, &bytes)?;
        let text = ring.current.to_text();
        Ok((ring, text))
    }

    /// The ids of the keys, the current one first: for a status page.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(Key::id)
    }

    fn of(current: Key) -> Self {
        Self { current, older: Vec::new(), random: getrandom::fill }
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn add(&mut self, key: Key) -> Result<(), Fault> {
        if self.keys().any(|other| other.id() == key.id()) {
            return Err("its id is that of a key before it; give every key an id of its own".into());
        }
        // A rotation to the same key looks done and is not.
        if self.keys().any(|other| other.bytes() == key.bytes()) {
            return Err(
                "it is the same as a key before it, under another id; make a new one with `openssl rand \
                        -base64 32`"
                    .into(),
            );
        }
        self.older.push(key);
        Ok(())
    }
}

#[async_trait]
impl Seal for KeyRing {
    async fn seal(&self, place: Place<'_>, value: &[u8]) -> Result<Bytes, Error> {
        let mut nonce = [0; NONCE];
        (self.random)(&mut nonce).map_err(no_randomness)?;
        let key_id = self.current.id();
        let aad = associated_data(key_id, place);
        let body = cipher(&self.current)
            .encrypt(&nonce.into(), Payload { msg: value, aad: &aad })
            .map_err(|_| config("a value is too long to be sealed: store less than 256 GiB in it"))?;
        Ok(Envelope { key_id, nonce: &nonce, body: &body }.write().into())
    }

    async fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        let Envelope { key_id, nonce, body } = Envelope::read(sealed)?;
        let Some(key) = self.keys().find(|key| key.id() == key_id) else {
            return Err(Refusal::UnknownKey { id: key_id.to_owned() }.into());
        };
        let aad = associated_data(key_id, place);
        cipher(key)
            .decrypt(&(*nonce).into(), Payload { msg: body, aad: &aad })
            .map(Opened::new)
            .map_err(|_| Refusal::Failed { id: key_id.to_owned() }.into())
    }

    fn is_current(&self, sealed: &[u8]) -> bool {
        Envelope::read(sealed).is_ok_and(|envelope| envelope.key_id == self.current.id())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<_> = self.older.iter().map(Key::id).collect();
        f.debug_struct("KeyRing").field("current", &self.current.id()).field("older", &older).finish()
    }
}

/// Wipes its own copy of the key on drop (the cipher's feature `zeroize`).
fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

fn config(message: impl Into<Fault>) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn no_randomness(error: getrandom::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the operating system gave no random bytes; nothing was sealed")
        .with_retry(RetryAdvice::Later)
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const PLACE: Place<'static> = Place { tenant: "acme", connection: "jira", field: "tokens" };

    #[test]
    fn the_cipher_wipes_its_key() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<XChaCha20Poly1305>();
        is_wiped::<Zeroizing<[u8; LENGTH]>>();
    }

    #[tokio::test]
    async fn without_randomness_nothing_is_sealed_or_made() {
        let (mut ring, _) = KeyRing::generate("a").unwrap();
        ring.random = |_| Err(getrandom::Error::UNSUPPORTED);
        let sealing = ring.seal(PLACE, b"canary").await.map(drop);
        for result in [sealing, KeyRing::generate_from("a", ring.random).map(drop)] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert_eq!(error.retry(), RetryAdvice::Later);
        }
        let broken = KeyRing::generate_from("a", |_| Ok(())).map(drop).unwrap_err();
        assert_eq!(broken.kind(), ErrorKind::Config, "a source that only gives zeros makes no key");
    }
}
