//! Public keys that are not Ed25519: ECDSA on P-256, and RSA with PKCS#1 v1.5 padding, by `ring`.
//!
//! A key says which kind of signature it checks; nothing that a sender writes chooses the algorithm. RSA keys
//! below 2048 bits check nothing. SHA-1 is there only for messages of AWS SNS in `SignatureVersion` 1.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::der;

/// The longest modulus that is kept: 8192 bits, as much as `ring` takes.
const MAX_MODULUS_BYTES: usize = 1024;

/// A public key on P-256, for signatures in DER over SHA-256.
#[derive(Clone)]
pub(crate) struct P256Key(UnparsedPublicKey<[u8; 65]>);

impl P256Key {
    /// `None` unless this is the `SubjectPublicKeyInfo` of such a key in DER.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Self> {
        let point = der::p256_of_spki(der)?.try_into().ok()?;
        Some(Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify(message, signature).is_ok()
    }
}

/// What an RSA signature is a signature of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaHash {
    Sha1,
    Sha256,
}

/// A public RSA key: modulus and exponent, big-endian and without leading zeros.
#[derive(Clone)]
pub(crate) struct RsaKey(RsaPublicKeyComponents<Vec<u8>>);

impl RsaKey {
    /// `None` unless this is an X.509 certificate in DER for an RSA key.
    pub(crate) fn from_certificate(der: &[u8]) -> Option<Self> {
        Self::from_spki(der::spki_of_certificate(der)?)
    }

    /// `None` unless this is the `SubjectPublicKeyInfo` of an RSA key in DER.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Self> {
        let (modulus, exponent) = der::rsa_of_spki(der)?;
        Self::from_components(modulus, exponent)
    }

    /// From the decoded `n` and `e` of a JSON web key; `None` if they cannot be those of an RSA key.
    pub(crate) fn from_components(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        fn significant(number: &[u8]) -> &[u8] {
            // Some issuers write the leading zero that a signed number has.
            number.iter().position(|byte| *byte != 0).and_then(|at| number.get(at..)).unwrap_or_default()
        }
        let (modulus, exponent) = (significant(modulus), significant(exponent));
        let possible = (1..=MAX_MODULUS_BYTES).contains(&modulus.len()) && (1..=8).contains(&exponent.len());
        possible.then(|| Self(RsaPublicKeyComponents { n: modulus.to_vec(), e: exponent.to_vec() }))
    }

    pub(crate) fn verify(&self, hash: RsaHash, message: &[u8], signature: &[u8]) -> bool {
        let parameters = match hash {
            RsaHash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            RsaHash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        self.0.verify(parameters, message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    };

    use super::*;

    /// The fixed head of every P-256 key's `SubjectPublicKeyInfo`.
    const P256_HEAD: &[u8] = &[
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];

    #[test]
    fn a_p256_key_checks_its_own_signatures_only() {
        let random = SystemRandom::new();
        let pair = || {
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap()
        };
        let (pair, other) = (pair(), pair());
        let spki = [P256_HEAD, pair.public_key().as_ref()].concat();
        let key = P256Key::from_spki(&spki).unwrap();
        let signature = pair.sign(&random, b"1750000000{}").unwrap();
        assert!(key.verify(b"1750000000{}", signature.as_ref()));
        assert!(!key.verify(b"1750000001{}", signature.as_ref()));
        assert!(!key.verify(b"1750000000{}", other.sign(&random, b"1750000000{}").unwrap().as_ref()));
        assert!(!key.verify(b"1750000000{}", &[]));

        for length in 0..spki.len() {
            assert!(P256Key::from_spki(&spki[..length]).is_none(), "{length}");
        }
        assert!(P256Key::from_spki(&[&*spki, &[0]].concat()).is_none());
        let mut compressed = spki;
        compressed[P256_HEAD.len()] = 2;
        assert!(P256Key::from_spki(&compressed).is_none());
    }

    #[test]
    fn an_rsa_key_is_the_same_from_certificate_and_components() {
        let pair = RsaKeyPair::from_pkcs8(include_bytes!("../tests/keys/private.pk8")).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"message", &mut signature).unwrap();

        let components: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
        let padded = [&[0, 0], &*components.n].concat();
        for key in [
            RsaKey::from_certificate(include_bytes!("../tests/keys/certificate.der")),
            RsaKey::from_components(&components.n, &components.e),
            RsaKey::from_components(&padded, &components.e),
        ] {
            let key = key.unwrap();
            assert!(key.verify(RsaHash::Sha256, b"message", &signature));
            assert!(!key.verify(RsaHash::Sha256, b"massage", &signature));
            assert!(!key.verify(RsaHash::Sha1, b"message", &signature));
            assert!(!key.verify(RsaHash::Sha256, b"message", &signature[1..]));
        }
    }

    #[test]
    fn numbers_that_are_no_rsa_key_are_none_or_check_nothing() {
        assert!(RsaKey::from_components(&[], &[3]).is_none());
        assert!(RsaKey::from_components(&[0, 0], &[3]).is_none());
        assert!(RsaKey::from_components(&[1; MAX_MODULUS_BYTES + 1], &[3]).is_none());
        assert!(RsaKey::from_components(&[1; 256], &[1; 9]).is_none());
        let short = RsaKey::from_components(&[0xff; 128], &[1, 0, 1]).unwrap();
        assert!(!short.verify(RsaHash::Sha256, b"", &[1; 128]));
    }
}
