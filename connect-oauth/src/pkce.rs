//! Proof Key for Code Exchange, RFC 7636: the code is worth nothing without the verifier that began the login.
//!
//! Always S256, always on: a provider that does not know it ignores it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::{Error, Secret};
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;

/// A fresh verifier.
pub(crate) fn verifier(entropy: &Entropy) -> Result<Secret, Error> {
    entropy.token().map(Secret::new)
}

/// The challenge that goes into the authorization URL.
pub(crate) fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_verifier_has_the_43_characters_that_the_rfc_asks_for_at_least() {
        let verifier = verifier(&Entropy::default()).unwrap();
        assert_eq!(verifier.expose().len(), 43);
        assert!(verifier.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }
}
