//! What a client proves with who it is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::account::Account;
use super::authorize::{Authorize, Signing};
use super::cache::TokenCache;
use crate::error::{Error, ErrorKind};
use crate::origins::Origins;
use crate::secret::Secret;

/// Who the client is. `Debug` shows the kind only.
///
/// ```
/// use connect_core::Credentials;
/// let credentials = Credentials::bearer("xoxb-example");
/// assert_eq!(format!("{credentials:?}"), "Bearer([redacted])");
/// ```
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nobody: only what the provider offers to everyone.
    #[default]
    Anonymous,
    /// `Authorization: Bearer <token>` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: Basic <user:password>` (RFC 7617).
    Basic {
        /// The user name or e-mail address.
        user: String,
        /// The password or API token.
        password: Secret,
    },
    /// A header of the provider's own.
    Header(HeaderName, Secret),
    /// `Authorization: Bearer <token>` with a token that is renewed.
    Tokens(TokenCache),
    /// A signature of each request.
    Signed(Signing),
}

impl Credentials {
    /// A bearer token.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::Bearer(token.into())
    }

    /// User name and password, or e-mail address and API token.
    pub fn basic(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// Tokens that are renewed. Clients built with clones of one cache share its token.
    pub fn tokens(cache: TokenCache) -> Self {
        Self::Tokens(cache)
    }

    /// A signature of each request, by the operating system's clock corrected by the provider's;
    /// [`Signing`] has more settings.
    pub fn signed(signer: impl Authorize) -> Self {
        Self::Signed(Signing::new(signer))
    }

    /// Which account they speak for at these origins. Renewed tokens and signatures are told apart by the name the
    /// host gave them, or else by chance.
    pub fn account(&self, origins: &Origins) -> Account {
        let (kind, parts) = match self {
            Self::Anonymous => ("anonymous", ["", ""]),
            Self::Bearer(token) => ("bearer", [token.expose(), ""]),
            Self::Basic { user, password } => ("basic", [user.as_str(), password.expose()]),
            Self::Header(name, secret) => ("header", [name.as_str(), secret.expose()]),
            Self::Tokens(cache) => ("tokens", [cache.account(), ""]),
            Self::Signed(signing) => ("signed", [signing.account(), ""]),
        };
        Account::new(origins, kind, parts)
    }

    /// The header to send with every request; `None` if there is none, or not always the same.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an empty secret, or one that no header can carry (a line break from a file, say).
    pub(crate) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        let (name, text) = match self {
            Self::Anonymous | Self::Tokens(_) | Self::Signed(_) => return Ok(None),
            Self::Bearer(token) => return Ok(Some((AUTHORIZATION, bearer(token)?))),
            Self::Basic { user, password } => {
                if user.is_empty() || user.contains(':') {
                    return Err(Error::new(
                        ErrorKind::Config,
                        "the user name of the credentials is empty or contains a colon",
                    ));
                }
                (AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{user}:{}", filled(password)?))))
            }
            Self::Header(name, secret) => (name.clone(), filled(secret)?.to_owned()),
        };
        Ok(Some((name, sensitive(text)?)))
    }
}

/// The value of an `Authorization` header with this token.
pub(super) fn bearer(token: &Secret) -> Result<HeaderValue, Error> {
    sensitive(format!("Bearer {}", filled(token)?))
}

fn sensitive(text: String) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            "the credential has characters a header cannot carry; look for a line break at its end",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn filled(secret: &Secret) -> Result<&str, Error> {
    if secret.is_blank() {
        return Err(Error::new(
            ErrorKind::Config,
            "the credential is empty: set it, or build an anonymous client",
        ));
    }
    Ok(secret.expose())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Bearer(token) => f.debug_tuple("Bearer").field(token).finish(),
            Self::Basic { password, .. } => f.debug_tuple("Basic").field(password).finish(),
            Self::Header(name, secret) => f.debug_tuple("Header").field(name).field(secret).finish(),
            Self::Tokens(_) => f.write_str("Tokens"),
            Self::Signed(_) => f.write_str("Signed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_credentials_are_found_at_build_time() {
        let cases = [
            Credentials::bearer(""),
            Credentials::bearer(" \n"),
            Credentials::bearer("canary\n"),
            Credentials::basic("", "canary"),
            Credentials::basic("a:b", "canary"),
            Credentials::basic("a@example.com", ""),
        ];
        for case in cases {
            let error = case.header().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error:#} {error:?} {case:?}").contains("canary"));
        }
    }

    #[test]
    fn headers_follow_the_standards() {
        let (name, value) = Credentials::basic("Aladdin", "open sesame").header().unwrap().unwrap();
        assert_eq!((name, value.to_str().unwrap()), (AUTHORIZATION, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert!(value.is_sensitive());
        let (_, value) = Credentials::bearer("t").header().unwrap().unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer t");
        assert!(Credentials::Anonymous.header().unwrap().is_none());
    }
}
