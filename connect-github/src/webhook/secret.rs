//! A secret in a payload: nobody prints or stores it by accident.

use std::fmt;

use connect_model::{Deserialize, Deserializer, Serialize, Serializer};
use connect_webhook::SecretString;

/// What stands in place of a secret wherever something is printed or serialised; connect-core says the same.
const REDACTED: &str = "[redacted]";

/// The secret of a webhook's settings, or a token to clone with. Prints and serialises as `[redacted]`.
///
/// GitHub itself replaces most of them by asterisks. The value is `secrecy`'s: `secret.as_secret_string()`.
///
/// ```
/// let secret: connect_github::webhook::Secret = serde_json::from_str(r#""hunter2""#)?;
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// The value, in the type from which only an explicit `expose_secret` takes it.
    pub fn as_secret_string(&self) -> &SecretString {
        &self.0
    }

    /// The value, in the type from which only an explicit `expose_secret` takes it.
    pub fn into_secret_string(self) -> SecretString {
        self.0
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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|value| Self(SecretString::from(value)))
    }
}
