//! Private keys that are held here, and sign in this process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use connect_core::{Error, ErrorKind, Secret};
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};

use super::der::Document;
use super::pem::{self, refusal};
use super::{Algorithm, Signer};

/// RFC 7518 3.3.
const LEAST_BITS: usize = 2048;
/// The longest that ring signs with.
const MOST_BITS: usize = 4096;

/// An RSA key: signs RS256.
///
/// What service accounts of Google and connected apps of Salesforce use. It is read from PEM (PKCS#8 or PKCS#1), also on
/// one line with `\n` written out, and from base64 of the whole file or of the DER in it.
///
/// ```no_run
/// use connect_core::Secret;
/// use connect_oauth::jwt::RsaKey;
/// # fn demo(pem: Secret) -> Result<(), connect_core::Error> {
/// let key = RsaKey::new(&pem)?.with_key_id("key-1");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RsaKey {
    pair: Arc<rsa::KeyPair>,
    id: Option<String>,
}

impl RsaKey {
    /// Reads the key.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names what was found instead: an OpenSSH key, an encrypted or public key, an EC key, a
    /// certificate, a modulus that is too short.
    pub fn new(key: &Secret) -> Result<Self, Error> {
        let document = pem::read(key)?;
        let what = match Document::read(&document) {
            Document::Rsa { bits, .. } if bits < LEAST_BITS => {
                return Err(refusal(&format!(
                    "an RSA key of {bits} bits: make one of at least {LEAST_BITS}"
                )));
            }
            Document::Rsa { bits, .. } if bits > MOST_BITS => {
                return Err(refusal(&format!("an RSA key of {bits} bits: make one of at most {MOST_BITS}")));
            }
            Document::Rsa { pkcs1, .. } => {
                let pair = rsa::KeyPair::from_der(pkcs1).map_err(damaged)?;
                return Ok(Self { pair: Arc::new(pair), id: None });
            }
            Document::P256 { .. } | Document::OtherEc => {
                "an EC key, and an RSA key is needed: use EcKey, or another key"
            }
            other => describe(other),
        };
        Err(refusal(what))
    }

    /// Names the key, as the provider does (`kid`; Google's `private_key_id`).
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for RsaKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn key_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    async fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature);
        signed.map_err(|_| cannot_sign())?;
        Ok(signature)
    }
}

/// A key on the curve P-256: signs ES256.
///
/// Apple's and some banks' kind. Read from the same formats as [`RsaKey`], PKCS#8 or SEC1, as long as the public key is
/// in there, which openssl and ssh-keygen see to.
///
/// ```no_run
/// use connect_core::Secret;
/// use connect_oauth::jwt::EcKey;
/// # fn demo(pem: Secret) -> Result<(), connect_core::Error> {
/// let key = EcKey::new(&pem)?.with_key_id("ABC123DEFG");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EcKey {
    pair: Arc<EcdsaKeyPair>,
    id: Option<String>,
}

impl EcKey {
    /// Reads the key.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names what was found instead.
    pub fn new(key: &Secret) -> Result<Self, Error> {
        let document = pem::read(key)?;
        let what = match Document::read(&document) {
            Document::P256 { private, public } => {
                let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
                let pair = EcdsaKeyPair::from_private_key_and_public_key(kind, private, public, &random);
                return Ok(Self { pair: Arc::new(pair.map_err(damaged)?), id: None });
            }
            Document::OtherEc => "an EC key on another curve, or without its public key: P-256 is needed",
            Document::Rsa { .. } => "an RSA key, and an EC key is needed: use RsaKey, or another key",
            other => describe(other),
        };
        Err(refusal(what))
    }

    /// Names the key, as the provider does (`kid`).
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

impl fmt::Debug for EcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for EcKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn key_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    async fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.pair.sign(&SystemRandom::new(), input).map_err(|_| cannot_sign())?;
        Ok(signature.as_ref().to_vec())
    }
}

fn describe(document: Document<'_>) -> &'static str {
    match document {
        Document::EncryptedPrivateKey => pem::ENCRYPTED,
        Document::PublicKey => pem::PUBLIC,
        Document::Certificate => pem::CERTIFICATE,
        Document::RsaPss => "an RSA key for PSS only: make one with `openssl genpkey -algorithm RSA`",
        Document::Ed25519 => "an Ed25519 key: make an RSA or a P-256 key",
        Document::OtherPrivateKey => "of a kind that is not known here: make an RSA or a P-256 key",
        Document::Unknown => pem::UNREADABLE,
        Document::Rsa { .. } | Document::P256 { .. } | Document::OtherEc => "of another kind than is needed",
    }
}

/// The cause is one word (`InconsistentComponents`) and nothing of the key.
fn damaged(cause: ring::error::KeyRejected) -> Error {
    refusal(&format!("damaged ({cause}): take it from its file once more"))
}

fn cannot_sign() -> Error {
    Error::new(ErrorKind::Config, "the key cannot sign: take another one")
}
