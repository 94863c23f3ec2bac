//! The signature algorithms there are here: each with a key pair, none with a shared secret.

use std::fmt;

/// A signature algorithm of RFC 7518 or RFC 8037.
///
/// `none` and the HMAC ones (HS256 ...) are left out, so that nobody can allow them: a public key would be the secret of
/// a forged token.
///
/// ```
/// use connect_oauth::jwt::Algorithm;
/// assert_eq!(Algorithm::from_name("RS256"), Some(Algorithm::Rs256));
/// assert_eq!(Algorithm::from_name("HS256"), None);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA, PKCS#1 v1.5, SHA-256. What every OpenID provider can do.
    Rs256,
    /// RSA, PKCS#1 v1.5, SHA-384.
    Rs384,
    /// RSA, PKCS#1 v1.5, SHA-512.
    Rs512,
    /// RSA, PSS, SHA-256.
    Ps256,
    /// RSA, PSS, SHA-384.
    Ps384,
    /// RSA, PSS, SHA-512.
    Ps512,
    /// ECDSA on P-256, SHA-256.
    Es256,
    /// ECDSA on P-384, SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

use Algorithm as A;

/// The names of the wire. RFC 9864 gave EdDSA's curve a name of its own; the first name of each is the one we write.
const NAMES: &[(&str, Algorithm)] = &[
    ("RS256", A::Rs256),
    ("RS384", A::Rs384),
    ("RS512", A::Rs512),
    ("PS256", A::Ps256),
    ("PS384", A::Ps384),
    ("PS512", A::Ps512),
    ("ES256", A::Es256),
    ("ES384", A::Es384),
    ("EdDSA", A::EdDsa),
    ("Ed25519", A::EdDsa),
];

impl Algorithm {
    /// The algorithm of this name, exactly as the standard spells it.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its name in a token's header: `RS256`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, algorithm)| *algorithm == self).map_or("", |(name, _)| name)
    }

    /// How long its signatures are, where that does not depend on the key.
    pub(crate) fn signature_length(self) -> Option<usize> {
        match self {
            Self::Es256 | Self::EdDsa => Some(64),
            Self::Es384 => Some(96),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (name, algorithm) in NAMES {
            assert_eq!(Algorithm::from_name(name), Some(*algorithm));
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
        }
        assert_eq!(Algorithm::EdDsa.to_string(), "EdDSA");
    }

    #[test]
    fn shared_secrets_and_no_signature_have_no_name() {
        for name in ["none", "None", "NONE", "HS256", "HS384", "HS512", "rs256", "RS256 ", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
