//! What a verifier knows beside its scheme and its secrets.

use secrecy::SecretString;

/// From [`VerifierBuilder`](crate::VerifierBuilder), which documents each.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Scheme, host and path, without a slash at the end.
    pub(crate) public_url: Option<String>,
    pub(crate) verify_token: Option<SecretString>,
    pub(crate) audience: Option<String>,
    pub(crate) service_account: Option<String>,
    pub(crate) webhook_id: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) topics: Vec<String>,
    /// SHA-1, where a provider still signs with it.
    #[cfg(feature = "asymmetric")]
    pub(crate) allow_weak: bool,
    #[cfg(feature = "asymmetric")]
    pub(crate) keys: Option<crate::keys::Keys>,
}
