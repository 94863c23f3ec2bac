//! The claims of an id token that passed every check.

use std::fmt;

use connect_core::Identity;
use serde_json::{Map, Value};

/// A verified id token.
///
/// What it says of a person is the provider's word: an e-mail address is theirs only where
/// [`email_verified`](Self::email_verified) says so, and a name is for showing. The stable key of a person is issuer and
/// subject together. `Debug` shows the names of the claims and no values.
///
/// ```
/// use connect_oauth::identity::IdToken;
/// fn greet(token: &IdToken) -> String {
///     format!("Hello {}", token.name().or(token.email()).unwrap_or(token.subject()))
/// }
/// # let _ = greet;
/// ```
#[derive(Clone, PartialEq)]
pub struct IdToken {
    issuer: String,
    subject: String,
    claims: Map<String, Value>,
}

impl IdToken {
    pub(super) fn new(issuer: String, subject: String, claims: Map<String, Value>) -> Self {
        Self { issuer, subject, claims }
    }

    /// Who says so.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The account's stable id at the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The account's e-mail address, if the scopes gave it.
    pub fn email(&self) -> Option<&str> {
        self.text("email")
    }

    /// Did the provider check that address? Apple and Amazon write it as text.
    pub fn email_verified(&self) -> Option<bool> {
        truth(self.claims.get("email_verified")?)
    }

    /// The person's name.
    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    /// The name that the person goes by at the provider. It may change, and be somebody else's tomorrow.
    pub fn preferred_username(&self) -> Option<&str> {
        self.text("preferred_username")
    }

    /// Any claim by its name: Microsoft's `tid`, Google's `hd`.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// All the claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Who the credential is: issuer, subject, account (the preferred user name, or the name) and e-mail address.
    pub fn into_identity(self) -> Identity {
        let account = self.preferred_username().or(self.name()).map(str::to_owned);
        let email = self.email().map(str::to_owned);
        let verified = self.email_verified();
        Identity::new(self.issuer, self.subject)
            .with_account(account)
            .with_email(email)
            .with_email_verified(verified)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.claims.keys().collect();
        f.debug_struct("IdToken").field("claims", &names).finish_non_exhaustive()
    }
}

/// A boolean, also where it is written as text.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}
