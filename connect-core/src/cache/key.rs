//! Which answers are the same question's, and which questions are asked at all.

use std::fmt;

use http::header::{
    ACCEPT, CACHE_CONTROL, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};

use crate::operation::Safety;
use crate::request::Request;

/// Conditions of the endpoint's own: it wants to see the 304, or a part only.
const OWN_CONDITIONS: [HeaderName; 6] =
    [IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE];

/// Names an answer: a digest (SHA-256) of account, method, URL, `Accept` and API version.
///
/// A digest, because the parts are private and a store may be shared. `Display` is hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of what this account asks.
    pub(super) fn new(account: &str, request: &Request) -> Self {
        let url = request.url().map_or(request.path_and_query(), url::Url::as_str);
        let mut digest = Sha256::new();
        for part in [account, request.method().as_str(), url] {
            add(&mut digest, part.as_bytes());
        }
        let headers = request.headers();
        for value in headers.get_all(ACCEPT) {
            add(&mut digest, value.as_bytes());
        }
        // `X-GitHub-Api-Version` and its kin choose another representation, whether or not `Vary` says so.
        for (name, value) in headers.iter().filter(|(name, _)| name.as_str().ends_with("version")) {
            add(&mut digest, name.as_str().as_bytes());
            add(&mut digest, value.as_bytes());
        }
        Self(digest.finalize().into())
    }

    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

/// With its length, so that no two lists of parts run together into the same bytes.
pub(super) fn add(digest: &mut Sha256, part: &[u8]) {
    digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
    digest.update(part);
}

/// Is it a question whose answer may be kept?
pub(super) fn is_cacheable(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::GET
        && request.operation().safety == Safety::Safe
        && !request.context().streams()
        && request.body().as_bytes().is_none()
        && !OWN_CONDITIONS.iter().any(|name| headers.contains_key(name))
        && !forbids_storing(headers)
}

/// `Cache-Control: no-store`, of a request or an answer (RFC 9111, 5.2).
pub(super) fn forbids_storing(headers: &HeaderMap) -> bool {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;

    const GET: Operation = Operation::new("get", Method::GET, "/x", Safety::Safe);

    fn request(header: &'static str, value: &str) -> Request {
        Request::builder(&GET).header(HeaderName::from_static(header), value).build().unwrap()
    }

    #[test]
    fn account_accept_and_api_version_make_another_key() {
        let plain = Request::builder(&GET).build().unwrap();
        let keys = [
            CacheKey::new("a", &plain),
            CacheKey::new("b", &plain),
            CacheKey::new("a", &request("accept", "application/vnd.github.raw+json")),
            CacheKey::new("a", &request("x-github-api-version", "2022-11-28")),
            CacheKey::new("a", &request("x-github-api-version", "2026-03-10")),
        ];
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(CacheKey::new("a", &plain), CacheKey::new("a", &request("x-request-id", "7")));
    }

    #[test]
    fn only_plain_safe_reads_are_cacheable() {
        assert!(is_cacheable(&Request::builder(&GET).build().unwrap()));
        for method in [Method::POST, Method::HEAD, Method::DELETE] {
            let operation = Operation::raw("x", method, "/x").safety(Safety::Safe);
            assert!(!is_cacheable(&Request::builder(&operation).build().unwrap()));
        }
        let own = [
            ("if-none-match", "\"a\""),
            ("if-modified-since", "x"),
            ("range", "bytes=0-1"),
            ("cache-control", "max-age=0, No-Store"),
        ];
        for (name, value) in own {
            assert!(!is_cacheable(&request(name, value)), "{name}");
        }
        let costly = Operation::raw("x", Method::GET, "/x").safety(Safety::Unsafe);
        assert!(!is_cacheable(&Request::builder(&costly).build().unwrap()));
    }
}
