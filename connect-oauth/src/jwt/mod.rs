//! Signed tokens (RFC 7515, 7519): made for the JWT bearer grant, and checked for [identity](crate::identity).
//!
//! [`Assertion`] is the token that a service account shows instead of a person's consent (RFC 7523). A [`Signer`] signs
//! it: [`RsaKey`] and [`EcKey`] (feature `jwt`) hold the key here, and a host with a key management service implements
//! [`Signer`] with it. [`Jwks`] (feature `identity`) are the public keys of a provider.
//!
//! The cryptography is ring's, which rustls uses as well. The `jsonwebtoken` crate stays out: its version 10 takes its
//! backend from Cargo features, which add up over the whole build of a host, and with both of them on (or none) it
//! panics when the first token is signed. A library should not be what turns one of them on.

mod algorithm;
mod assertion;
mod compact;
#[cfg(feature = "jwt")]
mod der;
#[cfg(feature = "identity")]
mod jwk;
#[cfg(feature = "jwt")]
mod key;
#[cfg(feature = "jwt")]
mod pem;

use async_trait::async_trait;
use connect_core::Error;

pub use self::algorithm::Algorithm;
pub use self::assertion::Assertion;
pub use self::compact::sign_claims;
#[cfg(feature = "identity")]
pub use self::jwk::Jwks;
#[cfg(feature = "identity")]
pub(crate) use self::jwk::{Choice, Jwk};
#[cfg(feature = "jwt")]
pub use self::key::{EcKey, RsaKey};

/// Signs with a private key that may be elsewhere.
///
/// Asynchronous, so that a key management service can do it.
///
/// ```
/// use connect_core::Error;
/// use connect_oauth::jwt::{Algorithm, Signer};
///
/// struct Kms; // holds a client of the service and the name of the key
///
/// #[async_trait::async_trait]
/// impl Signer for Kms {
///     fn algorithm(&self) -> Algorithm {
///         Algorithm::Rs256
///     }
///
///     fn key_id(&self) -> Option<&str> {
///         Some("key-1")
///     }
///
///     async fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Error> {
///         // Here the service signs: RSASSA_PKCS1_V1_5_SHA_256, or whatever it calls RS256.
///         # let _ = input;
///         # Ok(vec![0; 256])
///     }
/// }
/// # let _: &dyn Signer = &Kms;
/// ```
#[async_trait]
pub trait Signer: Send + Sync + 'static {
    /// How it signs.
    fn algorithm(&self) -> Algorithm;

    /// The name under which the provider knows the public key, if it asks for one (`kid`).
    fn key_id(&self) -> Option<&str>;

    /// The signature of these bytes, which are not hashed yet.
    ///
    /// As RFC 7518 wants it: for [`Algorithm::Es256`] the 64 bytes of r and s. Key management services often answer in
    /// DER, which has to be converted.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](connect_core::ErrorKind::Unavailable) if the key cannot be reached now.
    async fn sign(&self, input: &[u8]) -> Result<Vec<u8>, Error>;
}
