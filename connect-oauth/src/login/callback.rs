//! The address the browser came back to.

use std::fmt;

use connect_core::{Error, Secret, Url};

use super::refusal::LoginRefusal;

/// Longest query that is looked at. Codes are a few hundred bytes; Microsoft's reach two thousand.
const LONGEST_QUERY: usize = 16 * 1024;

/// What the browser brought back. `Debug` shows none of it.
///
/// ```
/// use connect_oauth::Callback;
/// let whole = Callback::url("https://app.example/callback?code=c&state=s");
/// let behind_a_proxy = Callback::query("code=c&state=s").session("cookie");
/// # drop((whole, behind_a_proxy));
/// ```
#[must_use = "a callback does nothing until `Logins::finish`"]
pub struct Callback {
    url: Option<String>,
    query: String,
    pub(super) session: Option<Secret>,
}

/// What a callback says.
pub(super) struct CallbackAnswer {
    pub(super) state: String,
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) description: Option<String>,
    pub(super) issuer: Option<String>,
}

impl Callback {
    /// The whole address, as the browser had it. It must be the login's redirect URI.
    pub fn url(url: impl Into<String>) -> Self {
        let url = url.into();
        let (url, query) = match url.split_once('?') {
            Some((url, query)) => (url.to_owned(), query.split('#').next().unwrap_or_default().to_owned()),
            None => (url, String::new()),
        };
        Self { url: Some(url), query, session: None }
    }

    /// Only the part behind the `?`, for a host that does not know its own address. Make sure that no other path ends
    /// here.
    pub fn query(query: impl Into<String>) -> Self {
        Self { url: None, query: query.into(), session: None }
    }

    /// The session of the browser that came back, where the login was tied to one.
    pub fn session(mut self, session: impl Into<Secret>) -> Self {
        self.session = Some(session.into());
        self
    }

    pub(super) fn read(&self) -> Result<CallbackAnswer, Error> {
        if self.query.len() > LONGEST_QUERY {
            return Err(LoginRefusal::Malformed.into());
        }
        let pairs: Vec<_> = form_urlencoded::parse(self.query.as_bytes()).collect();
        let one = |wanted: &str| {
            let mut found =
                pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.to_string());
            let first = found.next();
            // RFC 6749 3.1: parameters must not be there twice; which of two states would be the checked one?
            if found.next().is_some() { Err(Error::from(LoginRefusal::Malformed)) } else { Ok(first) }
        };
        Ok(CallbackAnswer {
            state: one("state")?.filter(|state| !state.is_empty()).ok_or(LoginRefusal::Malformed)?,
            code: one("code")?.filter(|code| !code.is_empty()),
            error: one("error")?,
            description: one("error_description")?,
            issuer: one("iss")?,
        })
    }

    /// Is it at the redirect URI: same scheme, host, port, path and own query?
    pub(super) fn is_at(&self, redirect_uri: &str) -> bool {
        let Some(url) = &self.url else { return true };
        let (Ok(at), Ok(expected)) = (Url::parse(url), Url::parse(redirect_uri)) else { return false };
        let own_query_came_back = expected.query_pairs().all(|wanted| {
            form_urlencoded::parse(self.query.as_bytes()).any(|(name, value)| (name, value) == wanted)
        });
        at.origin() == expected.origin() && at.path() == expected.path() && own_query_came_back
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("has_url", &self.url.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_at_its_redirect_uri_or_it_is_foreign() {
        let uri = "https://app.example/callback?flow=1";
        for good in [
            "https://app.example/callback?flow=1&code=c&state=s",
            "https://APP.example:443/callback?code=c&state=s&flow=1#fragment",
        ] {
            assert!(Callback::url(good).is_at(uri), "{good}");
        }
        for bad in [
            "https://app.example/callback?code=c&state=s",
            "https://app.example/callback/?flow=1",
            "https://app.example.evil.example/callback?flow=1",
            "https://app.example:8443/callback?flow=1",
            "http://app.example/callback?flow=1",
            "/callback?flow=1",
            "",
        ] {
            assert!(!Callback::url(bad).is_at(uri), "{bad}");
        }
    }

    #[test]
    fn a_parameter_that_is_there_twice_is_refused() {
        for query in
            ["state=a&state=b", "code=c", "state=&code=c", "state=a&code=c&code=d", "state=a&iss=x&iss=y"]
        {
            assert!(Callback::query(query).read().is_err(), "{query}");
        }
        let long = format!("state=a&code={}", "c".repeat(LONGEST_QUERY));
        assert!(Callback::query(long).read().is_err());
        let read = Callback::query("state=a%20b&code=c+d").read().unwrap();
        assert_eq!((read.state.as_str(), read.code.as_deref()), ("a b", Some("c d")));
    }
}
