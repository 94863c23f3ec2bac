//! Attaches the credential to each attempt, and only to requests for the client's own origins.
//!
//! The header is made once when the client is built, marked sensitive, and never enters the request's shared head. This
//! first cut knows static credentials; a refused one is reported as [`ErrorKind::Auth`], never sent again.

use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use tower::{Layer, Service};

use crate::error::{Error, ErrorKind};
use crate::origins::Origins;
use crate::request::Request;
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

    /// The header to send.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an empty secret, or one that no header can carry (a line break from a file, say).
    pub(crate) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
        let (name, text) = match self {
            Self::Anonymous => return Ok(None),
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", filled(token)?)),
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
        let mut value = HeaderValue::try_from(text).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "the credential has characters a header cannot carry; look for a line break at its end",
            )
        })?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
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
        }
    }
}

/// Puts [`Auth`] round a service.
///
/// Fails to build rather than to send: an unusable credential is found at start-up.
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Shared>);

struct Shared {
    header: Option<(HeaderName, HeaderValue)>,
    origins: Arc<Origins>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl AuthLayer {
    /// These credentials, for these origins.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an empty secret, or one that no header can carry.
    pub fn new(credentials: &Credentials, origins: Arc<Origins>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared { header: credentials.header()?, origins })))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, shared: Arc::clone(&self.0) }
    }
}

/// Attaches the credential to each attempt.
///
/// See the [module](self) for where it never goes.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S: Service<Request>> Service<Request> for Auth<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        if let Some((name, value)) = &self.shared.header
            && request.url().is_some_and(|url| self.shared.origins.contains(url))
        {
            request.set_credential(name.clone(), value.clone());
        }
        self.inner.call(request)
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
