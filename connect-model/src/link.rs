//! Addresses, kept as text: parsing six to thirteen URLs in every object is what makes other clients slow.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// An address as the provider wrote it. It reads like a string; [`Link::to_url`] parses it.
///
/// ```
/// let link: connect_model::Link = serde_json::from_str(r#""https://github.com/octo/hello""#)?;
/// assert!(link.ends_with("/hello"));
/// assert_eq!(format!("{link}"), "https://github.com/octo/hello");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Link(String);

impl Link {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }

    /// The address, parsed. Templates (`https://.../{sha}`) are no URLs before they are filled.
    ///
    /// # Errors
    /// What is wrong with it.
    #[cfg(feature = "url")]
    pub fn to_url(&self) -> Result<url::Url, url::ParseError> {
        url::Url::parse(&self.0)
    }
}

impl Deref for Link {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Link {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Link {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Link {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.0
    }
}

impl PartialEq<str> for Link {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Link {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
