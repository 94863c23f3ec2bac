//! Which App it is.

use std::fmt;

/// The client ID of a GitHub App (`Iv23...`, recommended by GitHub), or its app id (a number). Both stand on the App's
/// settings page; neither is a secret.
///
/// ```
/// use connect_github::app::AppId;
/// assert_eq!(AppId::from(4242).as_str(), "4242");
/// assert_eq!(AppId::from(" Iv1.example ").to_string(), "Iv1.example");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppId(String);

impl AppId {
    /// As it stands in the token that the App signs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AppId {
    fn from(id: &str) -> Self {
        Self(id.trim().to_owned())
    }
}

impl From<String> for AppId {
    fn from(id: String) -> Self {
        Self::from(id.as_str())
    }
}

impl From<u64> for AppId {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
