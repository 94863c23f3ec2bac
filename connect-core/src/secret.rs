//! A credential that nobody prints or stores by accident.
//!
//! [`Secret`] wraps [`secrecy::SecretString`]: zeroized on drop, redacted in `Debug` and in `Serialize`. The value is
//! reachable only through [`Secret::expose`], so a search for `expose` lists every place that reads a credential.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// What stands in place of a secret wherever something is printed or serialised.
pub const REDACTED: &str = "[redacted]";

/// A token, password or key. Prints and serialises as `[redacted]`.
///
/// ```
/// use connect_core::Secret;
/// let token = Secret::new("ghp_example");
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert_eq!(token.expose(), "ghp_example");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the value; the memory is zeroized when the last use is dropped.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself: for the place that puts it on the wire, and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Nothing but white space? Such a secret is a configuration mistake everywhere.
    pub fn is_blank(&self) -> bool {
        self.expose().trim().is_empty()
    }
}

impl Default for Secret {
    /// An empty one: what a field of an answer is when the provider left it out.
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl PartialEq for Secret {
    /// Not in constant time: for values of one's own, not for what a stranger sent.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_serialize_show_no_value() {
        let secret = Secret::new("canary-1");
        assert!(!format!("{secret:?}").contains("canary"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
    }

    #[test]
    fn deserializes_from_configuration() {
        let secret: Secret = serde_json::from_str("\"canary-2\"").unwrap();
        assert_eq!(secret.expose(), "canary-2");
    }
}
