//! What a host asks of any provider: who am I there, is it healthy, what can it do.
//!
//! Only these cold questions are dynamic, so that a host keeps connectors by name in a [`Registry`](crate::Registry);
//! typed calls stay on the concrete client.

use std::time::Duration;

use async_trait::async_trait;

use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::quota::QuotaStatus;

/// A way to authenticate.
///
/// Tells a host which settings to ask its operator for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// Works without credentials, with fewer rights.
    Anonymous,
    /// A token in the `Authorization` header.
    Bearer,
    /// A user name or e-mail address with a password or API token.
    Basic,
    /// The id of an app and the private key that it signs with.
    SigningKey,
    /// A person who logs in (OAuth), with the id and secret of an app.
    Login,
}

/// What a provider crate is.
///
/// Static: the same for every client of the crate.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Short name: `github`.
    pub id: &'static str,
    /// The provider's name as people write it.
    pub name: &'static str,
    /// Version of the provider crate.
    pub version: &'static str,
    /// Ways to authenticate.
    pub auth: &'static [AuthKind],
    /// Scopes that the crate's operations ask for, in the provider's spelling; a host shows them to who grants them.
    pub scopes: &'static [&'static str],
    /// The rows of the crate's operations, where it lists them.
    pub operations: &'static [Operation],
    /// The provider's page about its API.
    pub docs: &'static str,
}

impl Descriptor {
    /// A descriptor.
    pub const fn new(
        id: &'static str,
        name: &'static str,
        version: &'static str,
        auth: &'static [AuthKind],
        docs: &'static str,
    ) -> Self {
        Self { id, name, version, auth, scopes: &[], operations: &[], docs }
    }

    /// Adds the scopes.
    ///
    /// ```
    /// use connect_core::{AuthKind, Descriptor};
    /// const WEATHER: Descriptor =
    ///     Descriptor::new("weather", "Weather", "1.0.0", &[AuthKind::Bearer], "https://weather.example/docs")
    ///         .with_scopes(&["stations:read"]);
    /// assert_eq!(WEATHER.scopes, ["stations:read"]);
    /// ```
    #[must_use]
    pub const fn with_scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Adds the rows of the operations.
    #[must_use]
    pub const fn with_operations(mut self, operations: &'static [Operation]) -> Self {
        self.operations = operations;
        self
    }
}

/// Who a credential is.
///
/// For an echo filter (skip what we did ourselves), and to show an operator which account is connected.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The provider's id.
    pub issuer: String,
    /// The account's stable id at the provider.
    pub subject: String,
    /// The account's readable name.
    pub account: Option<String>,
    /// The account's e-mail address, if the provider shows it.
    pub email: Option<String>,
    /// Did the provider check that address?
    pub email_verified: Option<bool>,
}

impl Identity {
    /// An identity by its provider and stable id.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), ..Self::default() }
    }

    /// Adds the account's readable name.
    #[must_use]
    pub fn with_account(mut self, account: Option<impl Into<String>>) -> Self {
        self.account = account.map(Into::into);
        self
    }

    /// Adds the account's e-mail address.
    #[must_use]
    pub fn with_email(mut self, email: Option<impl Into<String>>) -> Self {
        self.email = email.map(Into::into);
        self
    }

    /// Adds whether the provider checked that address.
    ///
    /// ```
    /// use connect_core::Identity;
    /// let ada = Identity::new("github", "1").with_email(Some("ada@acme.example")).with_email_verified(Some(true));
    /// assert_eq!(ada.email_verified, Some(true));
    /// ```
    #[must_use]
    pub fn with_email_verified(mut self, verified: Option<bool>) -> Self {
        self.email_verified = verified;
        self
    }
}

/// How a provider is, as seen by one call with these credentials.
///
/// Three-valued, because "slow down" is neither up nor down.
#[non_exhaustive]
#[derive(Debug)]
pub enum Health {
    /// It answered.
    Up {
        /// How long the answer took, waits included.
        latency: Duration,
    },
    /// It answered, but not as it should.
    Degraded {
        /// One line for an operator.
        why: String,
    },
    /// It cannot be used.
    Down {
        /// What stands in the way.
        error: Error,
    },
}

impl Health {
    /// Judges by the result of one cheap call.
    pub fn of<T>(result: Result<T, Error>, latency: Duration) -> Self {
        match result {
            Ok(_) => Self::Up { latency },
            Err(error) if error.kind() == ErrorKind::RateLimited => Self::Degraded { why: error.to_string() },
            Err(error) => Self::Down { error },
        }
    }
}

/// A provider as a host sees it.
///
/// ```
/// use std::sync::Arc;
/// use connect_core::{Connector, Context, Health};
/// async fn report(connectors: &[Arc<dyn Connector>]) {
///     for connector in connectors {
///         match connector.health(&Context::default()).await {
///             Health::Up { latency } => println!("{}: up, {latency:?}", connector.descriptor().id),
///             other => println!("{}: {other:?}", connector.descriptor().id),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Connector: Send + Sync {
    /// What it is.
    fn descriptor(&self) -> &'static Descriptor;

    /// Asks the provider who the credentials are.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if they are not accepted; whatever else a call can fail with.
    async fn validate_credentials(&self, cx: &Context) -> Result<Identity, Error>;

    /// Asks the provider one cheap question.
    async fn health(&self, cx: &Context) -> Health;

    /// What is left of the account's quotas, and who waits for them. Asks nobody.
    fn quota(&self, cx: &Context) -> Vec<QuotaStatus>;
}
