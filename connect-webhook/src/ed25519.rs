//! Ed25519, strictly: small-order keys and signatures in more than one spelling are refused, so that nobody
//! can make a second signature from the first.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// A provider's public key.
#[derive(Clone)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// `None` unless these are the 32 bytes of a usable key.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// Signs with the 32 bytes of a seed, or with the 64 bytes of a seed and its public key. `None` if they are
/// neither.
pub(crate) fn sign(secret: &[u8], message: &[u8]) -> Option<[u8; 64]> {
    let key = match secret.len() {
        32 => SigningKey::from_bytes(secret.try_into().ok()?),
        64 => SigningKey::from_keypair_bytes(secret.try_into().ok()?).ok()?,
        _ => return None,
    };
    Some(key.sign(message).to_bytes())
}
