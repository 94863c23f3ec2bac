//! The addresses a client may talk to, fixed when it is built.
//!
//! Credentials go to these origins and to no other, on every code path: first requests, absolute next-page links,
//! redirects. Plain `http` is accepted for loopback addresses only, so a typing error cannot send a token in the clear.

use url::{Host, Url};

use crate::error::{Error, ErrorKind};
use crate::operation::Origin;

/// The base URL of each [`Origin`] of one client.
///
/// ```
/// use connect_core::{Origin, Origins, Url};
/// let origins = Origins::new("https://github.example.com/api/v3/")?;
/// assert_eq!(origins.join(Origin::Api, "/user")?.as_str(), "https://github.example.com/api/v3/user");
/// assert!(origins.contains(&Url::parse("https://github.example.com/api/v3/user?page=2").unwrap()));
/// assert!(!origins.contains(&Url::parse("https://github.example.com.evil.example/").unwrap()));
/// assert!(Origins::new("http://github.example.com").is_err());
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Origins {
    bases: Vec<(Origin, Base)>,
}

#[derive(Clone, Debug)]
struct Base {
    url: Url,
    /// The URL without its closing slash: a path is appended to it and the whole is parsed once.
    prefix: String,
}

impl Origins {
    /// One origin, the API. A path in the URL is kept (`/api/v3`, `/ex/jira/{cloudId}`).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if it is not an absolute `https` URL (or `http` to a loopback address), or if it carries
    /// a user name, a query or a fragment.
    pub fn new(api: &str) -> Result<Self, Error> {
        Ok(Self { bases: vec![(Origin::Api, Base::parse(api)?)] })
    }

    /// Adds the base URL of another role, or replaces it.
    ///
    /// # Errors
    /// As [`Origins::new`].
    pub fn with(mut self, origin: Origin, base: &str) -> Result<Self, Error> {
        let base = Base::parse(base)?;
        self.bases.retain(|(known, _)| *known != origin);
        self.bases.push((origin, base));
        Ok(self)
    }

    /// The base URL of a role.
    pub fn base(&self, origin: Origin) -> Option<&Url> {
        self.find(origin).map(|base| &base.url)
    }

    /// The URL of a path (and query) below a role's base URL. The path must be percent-encoded already and start
    /// with a slash; [`RequestBuilder`](crate::RequestBuilder) makes such paths.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if this client has no such origin; [`ErrorKind::Invalid`] if the result is no URL.
    pub fn join(&self, origin: Origin, path_and_query: &str) -> Result<Url, Error> {
        let base = self.find(origin).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("no base URL for {origin:?} is configured: add it to the builder"),
            )
        })?;
        // Without the slash the text would run into the host: `https://api.example.com@evil.example/`.
        if !path_and_query.starts_with('/') {
            return Err(Error::new(ErrorKind::Invalid, "the path must start with a slash"));
        }
        // Scheme and host were parsed when the client was built.
        let mut url = base.url.clone();
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        match base.url.path().trim_end_matches('/') {
            "" => url.set_path(path),
            below => url.set_path(&[below, path].concat()),
        }
        if query.is_some() {
            url.set_query(query);
        }
        // `/../` would climb out of the base path, for example into another tenant of a gateway.
        if !url.as_str().starts_with(&base.prefix) {
            return Err(Error::new(ErrorKind::Invalid, "the path leads out of the base URL"));
        }
        Ok(url)
    }

    /// Is the URL on one of the configured origins (scheme, host and port)?
    pub fn contains(&self, url: &Url) -> bool {
        self.bases.iter().any(|(_, base)| {
            base.url.scheme() == url.scheme()
                && base.url.host() == url.host()
                && base.url.port_or_known_default() == url.port_or_known_default()
        })
    }

    /// Is any of them `https`?
    pub fn uses_tls(&self) -> bool {
        self.bases.iter().any(|(_, base)| base.url.scheme() == "https")
    }

    fn find(&self, origin: Origin) -> Option<&Base> {
        self.bases.iter().find(|(known, _)| *known == origin).map(|(_, base)| base)
    }
}

impl Base {
    fn parse(text: &str) -> Result<Self, Error> {
        // The text itself is not repeated: somebody may have pasted credentials into it.
        let fail = |why: &str| {
            Error::new(
                ErrorKind::Config,
                format!("the base URL {why}; use one like https://api.example.com (a path is allowed)"),
            )
        };
        let url = Url::parse(text.trim()).map_err(|_| fail("cannot be parsed"))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(fail("is plain http to a host that is not this machine")),
            _ => return Err(fail("is neither https nor http")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(fail("carries a user name or password: pass credentials to the builder instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(fail("carries a query or a fragment"));
        }
        let prefix = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, prefix })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_base_urls_that_could_leak_or_never_work() {
        let cases = [
            "",
            "api.github.com",
            "ftp://api.github.com",
            "http://api.github.com",
            "http://127.0.0.1.evil.example",
            "https://user:pw@api.github.com",
            "https://api.github.com?x=1",
            "https://api.github.com#x",
        ];
        for case in cases {
            let error = Origins::new(case).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{case}");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
    }

    #[test]
    fn plain_http_works_on_loopback_only() {
        for case in ["http://127.0.0.1:5001", "http://localhost", "http://[::1]:80/api/v3"] {
            assert!(Origins::new(case).is_ok(), "{case}");
        }
    }

    #[test]
    fn keeps_the_path_of_the_base_url() {
        for case in ["https://x.example/ex/jira/1", "https://x.example/ex/jira/1/"] {
            let url = Origins::new(case).unwrap().join(Origin::Api, "/rest/api/3/myself").unwrap();
            assert_eq!(url.as_str(), "https://x.example/ex/jira/1/rest/api/3/myself");
        }
    }

    #[test]
    fn a_path_cannot_lead_out_of_the_base_url() {
        let origins = Origins::new("https://x.example/ex/jira/1").unwrap();
        for path in ["@evil.example/x", "user", "", "/../2/x", "/a/../../../x", "/%2e%2e/2"] {
            let error = origins.join(Origin::Api, path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{path}");
        }
        assert!(origins.join(Origin::Api, "//evil.example/x").unwrap().host_str() == Some("x.example"));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origins = Origins::new("https://api.github.com").unwrap();
        let inside = |text: &str| origins.contains(&Url::parse(text).unwrap());
        assert!(inside("https://api.github.com/repositories/1/issues?page=2"));
        assert!(inside("https://api.github.com:443/x"));
        assert!(!inside("https://api.github.com:8443/x"));
        assert!(!inside("http://api.github.com/x"));
        assert!(!inside("https://api.github.com.evil.example/x"));
    }

    #[test]
    fn a_missing_origin_is_a_configuration_error() {
        let error = Origins::new("https://a.example").unwrap().join(Origin::Uploads, "/x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
