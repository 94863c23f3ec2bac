//! How a client reaches the network: through a proxy, and trusting whom.
//!
//! Proxies of the environment are ignored unless a host asks for them: they would carry even loopback traffic, and a
//! credential in clear text to whoever can set a variable.

use std::fmt;

use url::Url;

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// A proxy for http and https. Its credentials are kept apart from its address and never printed.
///
/// Made by [`Config::with_proxy`]; understood by the reqwest transport.
#[derive(Clone)]
pub struct Proxy {
    address: Url,
    credentials: Option<(String, Secret)>,
}

impl Proxy {
    /// A proxy by its URL, `http` or `https`, with user name and password in it where it wants some.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for anything else. The URL is not repeated: there may be a password in it.
    pub fn new(url: &str) -> Result<Self, Error> {
        let fail = |why| {
            let message = format!("the proxy URL {why}; use one like http://proxy.example.com:3128");
            Error::new(ErrorKind::Config, message)
        };
        let mut address = Url::parse(url.trim()).map_err(|_| fail("cannot be parsed"))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(fail("is neither http nor https"));
        }
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8().map(|text| text.into_owned())
        };
        let credentials = match (address.username(), address.password()) {
            ("", None) => None,
            (user, password) => {
                let user = decode(user).map_err(|_| fail("has a user name that is not UTF-8"))?;
                let password = decode(password.unwrap_or_default())
                    .map_err(|_| fail("has a password that is not UTF-8"))?;
                Some((user, Secret::new(password)))
            }
        };
        // Both setters fail for URLs without a host only, which no http URL is.
        if address.set_username("").and_then(|()| address.set_password(None)).is_err() {
            return Err(fail("has no host"));
        }
        Ok(Self { address, credentials })
    }

    /// Its address, without credentials.
    pub fn address(&self) -> &Url {
        &self.address
    }

    #[cfg(feature = "transport-reqwest")]
    pub(crate) fn for_reqwest(&self) -> Result<reqwest::Proxy, Error> {
        let proxy = reqwest::Proxy::all(self.address.clone()).map_err(|error| {
            Error::new(ErrorKind::Config, "the proxy URL cannot be used").with_source(error.without_url())
        })?;
        let proxy = match &self.credentials {
            Some((user, password)) => proxy.basic_auth(user, password.expose()),
            None => proxy,
        };
        // This machine is no place to go through a proxy for.
        Ok(proxy.no_proxy(reqwest::NoProxy::from_string("localhost, 127.0.0.0/8, ::1")))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address.as_str())
            .field("credentials", &self.credentials.as_ref().map(|(_, password)| password))
            .finish()
    }
}

/// Certificates to trust beside the system's: PEM, one or several in a row. `Debug` shows the length.
///
/// A type of its own, so that a printed configuration stays readable.
#[derive(Clone)]
pub struct RootCertificates(Vec<u8>);

impl RootCertificates {
    /// Takes the text; what is no certificate is found when the client is built.
    pub fn from_pem(pem: impl Into<Vec<u8>>) -> Self {
        Self(pem.into())
    }

    #[cfg(any(
        feature = "native-tls",
        all(feature = "__rustls", any(feature = "transport-reqwest", feature = "transport-hyper"))
    ))]
    pub(crate) fn as_pem(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootCertificates({} bytes)", self.0.len())
    }
}

impl Config {
    /// Sends everything through a proxy, except to this machine. The reqwest transport does; hyper's refuses to be built.
    ///
    /// ```
    /// use connect_core::Config;
    /// let config = Config::default().with_proxy("http://user:canary@proxy.example.com:3128")?;
    /// assert!(!format!("{config:?}").contains("canary"));
    /// assert!(Config::default().with_proxy("proxy.example.com").is_err());
    /// # Ok::<(), connect_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a URL that is not `http` or `https`.
    pub fn with_proxy(mut self, url: &str) -> Result<Self, Error> {
        self.proxy = Some(Proxy::new(url)?);
        Ok(self)
    }

    /// Takes the proxy from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), as reqwest reads it,
    /// unless one is set here. Off by default.
    #[must_use]
    pub fn with_proxy_from_env(mut self) -> Self {
        self.proxy_from_env = true;
        self
    }

    /// Trusts these certificates beside the system's: PEM, one or several in a row. Anything else is an error of
    /// [`ClientBuilder::build`](crate::ClientBuilder::build).
    #[must_use]
    pub fn with_root_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(RootCertificates::from_pem(pem));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_that_cannot_work_is_refused_without_repeating_it() {
        for url in ["", "canary", "socks5://canary.example", "http://", "http://a:canary%ff@b.example"] {
            let error = Proxy::new(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            assert!(!format!("{error:#}").contains("canary"), "{error:#}");
        }
    }

    #[test]
    fn credentials_are_decoded_and_never_printed() {
        let proxy = Proxy::new("http://me:can%61ry%3A@proxy.example.com:3128/").unwrap();
        let (user, password) = proxy.credentials.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("me", "canary:"));
        assert_eq!(proxy.address().as_str(), "http://proxy.example.com:3128/");
        assert!(!format!("{proxy:?}").contains("canary"));
    }
}
