//! Puts a [`Verifier`] together.

use std::borrow::Cow;
use std::fmt;

use http::Uri;
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::error::BuildError;
use crate::key::Key;
use crate::scheme::{Algorithm, Challenge, Code, Scheme};
use crate::settings::Settings;
use crate::verify::Verifier;

/// Collects what a [`Verifier`] needs; from [`Verifier::builder`].
///
/// ```
/// use connect_webhook::{UnixTime, Verifier, schemes};
///
/// let verifier = Verifier::builder(&schemes::TWILIO)
///     .secret("the account's auth token".into())
///     .secret_until("the one before".into(), UnixTime(1_800_000_000))
///     .public_url("https://hooks.example.com")
///     .build()?;
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[must_use]
pub struct VerifierBuilder {
    scheme: Cow<'static, Scheme>,
    secrets: Vec<(SecretString, Option<UnixTime>)>,
    settings: Settings,
    allow_weak: bool,
    awaits_secret: bool,
}

impl VerifierBuilder {
    pub(crate) fn new(scheme: Cow<'static, Scheme>) -> Self {
        Self {
            scheme,
            secrets: Vec::new(),
            settings: Settings::default(),
            allow_weak: false,
            awaits_secret: false,
        }
    }

    /// Adds a secret: the current one first.
    pub fn secret(mut self, secret: SecretString) -> Self {
        self.secrets.push((secret, None));
        self
    }

    /// Adds a secret that is being retired, good up to and including `not_after`.
    pub fn secret_until(mut self, secret: SecretString, not_after: UnixTime) -> Self {
        self.secrets.push((secret, Some(not_after)));
        self
    }

    /// Sets where the provider calls this endpoint, as the provider knows it: scheme, host, and whatever part
    /// of the path a proxy cuts off. The path and query of each request are put behind it.
    ///
    /// Needed by schemes that sign the URL. It is never taken from the request: `Host` and forwarded headers
    /// are the sender's to choose.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.settings.public_url = Some(url.into());
        self
    }

    /// Sets the token that Meta repeats in its handshake; chosen by you in the app's settings.
    pub fn verify_token(mut self, token: SecretString) -> Self {
        self.settings.verify_token = Some(token);
        self
    }

    /// Sets the audience that a provider's JWT must name: Google Pub/Sub, Microsoft Graph.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = Some(audience.into());
        self
    }

    /// Sets the e-mail address of the service account that Google Pub/Sub pushes as.
    pub fn service_account(mut self, email: impl Into<String>) -> Self {
        self.settings.service_account = Some(email.into());
        self
    }

    /// Sets the id that PayPal gave the webhook; part of what it signs.
    pub fn webhook_id(mut self, id: impl Into<String>) -> Self {
        self.settings.webhook_id = Some(id.into());
        self
    }

    /// Sets who a JWT must come from: the `clientKey` of an Atlassian Connect installation, or the tenant of
    /// Microsoft Graph.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.issuer = Some(issuer.into());
        self
    }

    /// Allows an SNS topic by its ARN. Anyone can make a topic of their own and point it at this endpoint, so
    /// at least one is needed.
    pub fn topic(mut self, arn: impl Into<String>) -> Self {
        self.settings.topics.push(arn.into());
        self
    }

    /// Sets where the provider's public keys come from, for schemes that have no secret.
    #[cfg(feature = "asymmetric")]
    pub fn keys(mut self, keys: crate::keys::Keys) -> Self {
        self.settings.keys = Some(keys);
        self
    }

    /// Allows a scheme that its provider has replaced by a better one, and for AWS SNS the `SignatureVersion` 1 that
    /// topics have until they are set to 2.
    pub fn allow_weak(mut self) -> Self {
        self.allow_weak = true;
        #[cfg(feature = "asymmetric")]
        {
            self.settings.allow_weak = true;
        }
        self
    }

    /// Allows that there is no secret yet, for providers that hand it out in a handshake (Asana, Notion).
    /// Until then nothing verifies.
    pub fn await_secret(mut self) -> Self {
        self.awaits_secret = true;
        self
    }

    /// Checks that everything is there.
    pub fn build(mut self) -> Result<Verifier, BuildError> {
        let scheme = &self.scheme;
        let name = || scheme.name.to_string();
        if scheme.weak && !self.allow_weak {
            return Err(BuildError::WeakScheme { scheme: name() });
        }
        if let Some(url) = &mut self.settings.public_url {
            let is_url = url.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some());
            if !is_url {
                return Err(BuildError::InvalidUrl { scheme: name() });
            }
            url.truncate(url.trim_end_matches('/').len());
        }
        for (is_missing, call, reason) in self.requirements() {
            if is_missing {
                return Err(BuildError::Missing { scheme: name(), call, reason });
            }
        }
        #[cfg(not(feature = "asymmetric"))]
        if !scheme.needs_secret() {
            return Err(crate::key::missing_feature(scheme, "asymmetric"));
        }
        let key = |(index, (secret, not_after)): (usize, (SecretString, Option<UnixTime>))| {
            Key::new(scheme, index, &secret, not_after)
        };
        let keys = self.secrets.into_iter().enumerate().map(key).collect::<Result<Vec<_>, _>>()?;
        if scheme.needs_secret() && keys.is_empty() {
            let is_handed_out =
                matches!(scheme.challenge, Challenge::AsanaHookSecret | Challenge::NotionVerificationToken);
            if !(self.awaits_secret && is_handed_out) {
                return Err(BuildError::NoSecret { scheme: name() });
            }
        }
        Verifier::assemble(self.scheme, self.settings, keys)
    }

    /// What is missing, what to call and why.
    fn requirements(&self) -> impl Iterator<Item = (bool, &'static str, &'static str)> {
        let settings = &self.settings;
        let is = |code| self.scheme.algorithm == Algorithm::Code(code);
        #[cfg(feature = "asymmetric")]
        let no_keys = !self.scheme.needs_secret() && settings.keys.is_none();
        #[cfg(not(feature = "asymmetric"))]
        let no_keys = false;
        [
            (
                is(Code::GooglePubSub) && settings.audience.is_none(),
                ".audience(..)",
                "the audience of the push subscription, or any Google customer could push here",
            ),
            (
                is(Code::GooglePubSub) && settings.service_account.is_none(),
                ".service_account(..)",
                "the service account that pushes, or any Google customer could push here",
            ),
            (is(Code::PayPal) && settings.webhook_id.is_none(), ".webhook_id(..)", "the id PayPal gave it"),
            (
                is(Code::AwsSns) && settings.topics.is_empty(),
                ".topic(..)",
                "the topics to accept, or any AWS customer could publish here",
            ),
            (no_keys, ".keys(..)", "a way to the provider's public keys"),
        ]
        .into_iter()
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("scheme", &self.scheme.name)
            .field("secrets", &self.secrets.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
