//! What differs between providers, as data: one row per provider, and the same row out of your own TOML.
//!
//! A [`Preset`] says where the endpoints are, how scopes are written, how the client names itself, what happens to
//! refresh tokens, how long things live, and where an answer hides what the standard puts elsewhere. Every row names the
//! pages it was read from. The engine has no branch for any provider; what no row can say is no preset.
//!
//! [`Preset::find`] has the built-in ones; [`Preset::new`] writes one of your own in Rust, and `Preset::from_toml`
//! (feature `toml`) reads them from a file.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

mod build;
mod check;
mod fill;
mod pairs;
mod table;
mod template;
#[cfg(feature = "toml")]
mod toml;

pub use self::table::PRESETS;

/// Text that is static in the built-in table and owned in a row out of a file.
pub type Text = Cow<'static, str>;

/// A list that is static in the built-in table and owned in a row out of a file.
pub type List<T> = Cow<'static, [T]>;

/// One provider's row.
///
/// URLs may have `{variables}` (`https://{domain}/oauth/token`), which [`Preset::with`] fills; a variable with a default
/// need not be. Where a variable stands decides what may fill it: at the very beginning a URL, between `//` and the path
/// a host name, behind that one segment of a path. [`Preset::check`] says whether a row is complete.
///
/// ```
/// use connect_oauth::Preset;
/// let auth0 = Preset::find("auth0").unwrap().with("domain", "acme.eu.auth0.com");
/// assert_eq!(auth0.token_url().unwrap().as_str(), "https://acme.eu.auth0.com/oauth/token");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Preset {
    /// Short name, as commands and files spell it: `atlassian`.
    pub id: Text,
    /// The provider's name as people write it.
    pub name: Text,
    /// Where the browser goes first; absent where there is no such login, or where discovery tells.
    #[serde(default)]
    pub authorize_url: Option<Text>,
    /// Where tokens are fetched; absent where discovery tells.
    #[serde(default)]
    pub token_url: Option<Text>,
    /// Where a device login begins (RFC 8628).
    #[serde(default)]
    pub device_url: Option<Text>,
    /// Where a token is given back (RFC 7009).
    #[serde(default)]
    pub revoke_url: Option<Text>,
    /// The OpenID Connect issuer. With it, whatever URL is absent here comes from its discovery document, and id tokens
    /// must name it.
    #[serde(default)]
    pub issuer: Option<Text>,
    /// Where the keys lie that sign its id tokens; absent where discovery tells, or where there are none.
    #[serde(default)]
    pub jwks_url: Option<Text>,
    /// Where the provider says whose token it is, for an identity without an id token.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// What stands between two scopes.
    #[serde(default)]
    pub scope_separator: ScopeSeparator,
    /// The parameter that carries the scopes of the authorization request: `scope`, Slack's `user_scope`.
    #[serde(default = "scope")]
    pub scope_parameter: Text,
    /// Scopes asked for when the host names none.
    #[serde(default)]
    pub default_scopes: List<Text>,
    /// Scopes without which there is no refresh token, added to whatever is asked for: `offline_access`. A host that
    /// wants a login and nothing after it empties this.
    #[serde(default)]
    pub refresh_scopes: List<Text>,
    /// How the client names itself at the token endpoint.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// How the token endpoint takes its parameters.
    #[serde(default)]
    pub token_body: TokenBody,
    /// Further parameters of the authorization request: `access_type=offline`.
    #[serde(default, with = "pairs")]
    pub authorize_parameters: List<(Text, Text)>,
    /// Does the provider check PKCE? Decides whether it is sent.
    #[serde(default)]
    pub pkce: Pkce,
    /// What happens to a refresh token that is used.
    #[serde(default)]
    pub rotation: Rotation,
    /// How long things live, where the answers do not say.
    #[serde(default)]
    pub lifetimes: Lifetimes,
    /// JSON pointer of the object with the tokens, where it is not the whole answer: Slack's `/authed_user`. An answer
    /// that has nothing there is read as a whole: Slack answers a refresh without the wrapping.
    #[serde(default)]
    pub tokens_pointer: Option<Text>,
    /// What a `{variable}` of the URLs is when the host does not fill it.
    #[serde(default, with = "pairs")]
    pub variables: List<(Text, Text)>,
    /// What surprises people, one sentence each.
    #[serde(default)]
    pub quirks: List<Text>,
    /// The pages this row was read from.
    #[serde(default)]
    pub sources: List<Text>,
}

fn scope() -> Text {
    Cow::Borrowed("scope")
}

/// What stands between two scopes.
///
/// RFC 6749 says a space; some providers say a comma.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeSeparator {
    /// A space, as RFC 6749 says.
    #[default]
    Space,
    /// A comma.
    Comma,
}

/// How the client names itself at the token endpoint (RFC 6749 2.3).
///
/// A client without a secret sends its id in the body under each of them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` among the parameters.
    #[default]
    Body,
    /// The `Authorization: Basic` header.
    Basic,
}

/// How the token endpoint takes its parameters.
///
/// Answers are JSON under each of them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenBody {
    /// As a form, as RFC 6749 says.
    #[default]
    Form,
    /// As a JSON object.
    Json,
}

/// Does the provider check the PKCE verifier (RFC 7636)?
///
/// The challenge is sent under each of them but [`Pkce::OptIn`], since a provider that does not know it ignores it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pkce {
    /// Nothing is documented.
    #[default]
    Undocumented,
    /// It is checked if it was sent.
    Supported,
    /// A login without it is refused.
    Required,
    /// It is not sent: the provider refuses it, or issues tokens of another kind, unless the app is set up for it. A host
    /// whose app is sets the row to [`Pkce::Supported`].
    OptIn,
}

/// What happens to a refresh token that is used.
///
/// Decides whether an exchange whose answer was lost may be sent again.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// Nothing is documented, or a setting of each app decides: taken for single use.
    #[default]
    Unknown,
    /// It stays good, even where the answer brings another one, so an exchange may be sent again.
    None,
    /// It works once. Some providers take a second use for theft and revoke everything.
    SingleUse,
    /// It works once, and again for this long, so that a lost answer can be asked for once more.
    Leeway {
        /// How long, in seconds.
        seconds: u64,
    },
    /// There are no refresh tokens.
    NoRefreshTokens,
}

/// How long things live, in seconds, where the answers do not say.
///
/// Absent means: until it is revoked, or nobody has written it down.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Lifetimes {
    /// An access token's life, if the answer has no `expires_in`.
    pub access_seconds: Option<u64>,
    /// A refresh token that nobody uses dies after so long: it is refreshed before.
    pub refresh_idle_seconds: Option<u64>,
    /// A refresh token dies after so long whatever happens: a person has to log in again.
    pub refresh_absolute_seconds: Option<u64>,
}

/// Where the provider says whose token it is, and where the answer has what.
///
/// JSON pointers (RFC 6901) into the answer. A number at one of them counts as its digits: GitHub's ids are numbers.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// A GET with the access token as bearer.
    pub url: Text,
    /// The account's stable id.
    pub subject: Text,
    /// The account's readable name.
    #[serde(default)]
    pub account: Option<Text>,
    /// The account's e-mail address.
    #[serde(default)]
    pub email: Option<Text>,
    /// Whether that address was checked, a JSON boolean.
    #[serde(default)]
    pub email_verified: Option<Text>,
}

impl Profile {
    /// OpenID Connect's userinfo endpoint (Core 5.3), which every issuer answers alike.
    pub fn userinfo(url: impl Into<Text>) -> Self {
        let claim = |pointer: &'static str| Some(Cow::Borrowed(pointer));
        Self {
            url: url.into(),
            subject: Cow::Borrowed("/sub"),
            account: claim("/name"),
            email: claim("/email"),
            email_verified: claim("/email_verified"),
        }
    }
}
