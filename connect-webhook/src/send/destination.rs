//! Where messages go: a customer's URL and the secrets that sign for it.
//!
//! Every destination has a secret of its own, so that no customer can sign for another. To change it, put the
//! new one first and keep the old one until receivers had time to follow, usually a day: all valid secrets
//! sign, and a receiver accepts any.

use std::borrow::Cow;

use secrecy::SecretString;
use url::Url;

use super::error::SetupError;
use super::signature::Signing;
use crate::clock::UnixTime;
use crate::scheme::Scheme;
use crate::schemes;

/// A receiver of messages.
///
/// Whether its address may be reached is the [`Guard`](super::Guard)'s to say, which refuses plain http
/// unless it is told otherwise.
///
/// ```
/// use connect_webhook::UnixTime;
/// use connect_webhook::send::Destination;
/// let new = "whsec_bmV3IHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl".into();
/// let old = "whsec_b2xkIHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl".into();
/// let destination = Destination::new("https://customer.example/hooks?key=1", &new)?
///     .with_old_secret(&old, UnixTime(1_750_086_400))?;
/// assert_eq!(destination.origin(), "https://customer.example");
/// # Ok::<(), connect_webhook::send::SetupError>(())
/// ```
#[derive(Clone)]
pub struct Destination {
    url: Url,
    signing: Signing,
    failing_since: Option<UnixTime>,
}

impl Destination {
    /// A destination with its present secret, `whsec_` and the base64 of 24 to 64 bytes.
    pub fn new(url: &str, secret: &SecretString) -> Result<Self, SetupError> {
        Self::signed_by(&schemes::STANDARD_WEBHOOKS, url, secret)
    }

    /// As [`Destination::new`], for a receiver that expects the signatures of another scheme: one of the
    /// built-in rows, or one of your own. The secret has that scheme's form.
    ///
    /// ```
    /// use connect_webhook::schemes;
    /// use connect_webhook::send::Destination;
    /// let like_github = Destination::signed_by(&schemes::GITHUB, "https://ci.example/hook", &"s3cret".into())?;
    /// # Ok::<(), connect_webhook::send::SetupError>(())
    /// ```
    pub fn signed_by(
        scheme: impl Into<Cow<'static, Scheme>>,
        url: &str,
        secret: &SecretString,
    ) -> Result<Self, SetupError> {
        let mut url = Url::parse(url).map_err(|_| SetupError::Url { reason: "is not a URL" })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(SetupError::Url { reason: "is neither https nor http" });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SetupError::Url { reason: "holds a user name or password" });
        }
        url.set_fragment(None);
        Ok(Self { url, signing: Signing::new(scheme.into(), secret)?, failing_since: None })
    }

    /// Signs with a former secret, too, up to and including `not_after`.
    pub fn with_old_secret(mut self, secret: &SecretString, not_after: UnixTime) -> Result<Self, SetupError> {
        self.signing.add(secret, Some(not_after))?;
        Ok(self)
    }

    /// Since when nothing but failures came back, as the last [`Attempt`](super::Attempt) told. `None` (the
    /// default) if the last attempt was delivered, or there was none.
    #[must_use]
    pub fn with_failing_since(mut self, failing_since: Option<UnixTime>) -> Self {
        self.failing_since = failing_since;
        self
    }

    /// The address, which may hold secrets of the customer in its path and query string.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Scheme, host and port: what may be shown in logs.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Since when nothing but failures came back.
    pub fn failing_since(&self) -> Option<UnixTime> {
        self.failing_since
    }

    pub(super) fn signing(&self) -> &Signing {
        &self.signing
    }
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Destination")
            .field("origin", &self.origin())
            .field("signing", &self.signing)
            .field("failing_since", &self.failing_since)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_without_credentials_are_destinations() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        for url in [
            "",
            "customer.example",
            "ftp://customer.example",
            "file:///x",
            "https://",
            "https://a:b@c.example",
        ] {
            assert!(matches!(Destination::new(url, &secret), Err(SetupError::Url { .. })), "{url}");
        }
        let destination = Destination::new("https://customer.example/a?b#c", &secret).unwrap();
        assert_eq!(destination.url().as_str(), "https://customer.example/a?b");
    }
}
