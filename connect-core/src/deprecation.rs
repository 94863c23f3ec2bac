//! What a provider says about the end of an operation: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).
//!
//! Every answer is looked at: the observer hears of it ([`Event::Deprecated`](crate::event::Event)), and a client logs one
//! warning for each operation.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName};

use crate::page::link;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Names of raw calls are the host's: they may be many.
const MOST_WARNINGS: usize = 256;

/// An operation is going away.
///
/// ```
/// use connect_core::{Deprecation, HeaderMap, HeaderValue};
/// let mut headers = HeaderMap::new();
/// headers.insert("deprecation", HeaderValue::from_static("@1688169599"));
/// headers.insert("link", HeaderValue::from_static("<https://docs.example/old>; rel=\"deprecation\""));
/// let deprecation = Deprecation::of(&headers).expect("both headers are there");
/// assert_eq!(deprecation.page.as_deref(), Some("https://docs.example/old"));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when nobody should use it; `None` if the provider says only that it is so.
    pub since: Option<SystemTime>,
    /// When it will stop to work, if the provider says so.
    pub sunset: Option<SystemTime>,
    /// The page about it.
    pub page: Option<String>,
}

impl Deprecation {
    /// What the headers of an answer say; `None` if they say nothing, as almost always.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (deprecation, sunset) = (headers.get(DEPRECATION), headers.get(SUNSET));
        if deprecation.is_none() && sunset.is_none() {
            return None;
        }
        let moment = |value: Option<&http::HeaderValue>| moment(value?.to_str().ok()?.trim());
        // A structured `?0`, or the older `false`, says the contrary.
        let is_denied =
            deprecation.is_some_and(|value| matches!(value.as_bytes().trim_ascii(), b"?0" | b"false"));
        if is_denied && sunset.is_none() {
            return None;
        }
        let page = ["deprecation", "sunset"].iter().find_map(|relation| link::target(headers, relation));
        Some(Self { since: moment(deprecation), sunset: moment(sunset), page: page.map(str::to_owned) })
    }
}

/// `@1688169599` (RFC 9745), or a date as HTTP writes it (RFC 8594 and the drafts before).
fn moment(text: &str) -> Option<SystemTime> {
    if let Some(epoch) = text.strip_prefix('@') {
        return SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(epoch.parse().ok()?));
    }
    httpdate::parse_http_date(text).ok()
}

/// Which operations a client has warned of.
#[derive(Debug, Default)]
pub(crate) struct Warned(Mutex<HashSet<String>>);

impl Warned {
    /// Logs it, once per operation.
    #[cold]
    pub(crate) fn warn(&self, service: &'static str, operation: &str, deprecation: &Deprecation) {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= MOST_WARNINGS || !warned.insert(operation.to_owned()) {
            return;
        }
        drop(warned);
        let sunset = deprecation.sunset.map(httpdate::fmt_http_date);
        let page = deprecation.page.as_deref();
        tracing::warn!(
            service,
            operation,
            sunset,
            page,
            "the provider says that this operation is going away"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(pairs: &[(&'static str, &'static str)]) -> Option<Deprecation> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Deprecation::of(&headers)
    }

    fn at(epoch: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(epoch))
    }

    #[test]
    fn dates_come_in_three_ways() {
        assert_eq!(of(&[("deprecation", "@784111777")]).unwrap().since, at(784_111_777));
        let dated = of(&[("deprecation", "Sun, 06 Nov 1994 08:49:37 GMT")]).unwrap();
        assert_eq!(dated.since, at(784_111_777));
        let bare = of(&[("deprecation", "true"), ("sunset", "Sun, 06 Nov 1994 08:49:37 GMT")]).unwrap();
        assert_eq!((bare.since, bare.sunset), (None, at(784_111_777)));
    }

    #[test]
    fn the_page_is_that_of_the_deprecation_among_other_links() {
        let links = r#"<https://a/2>; rel="next", <https://docs/old>; rel="deprecation"; type="text/html""#;
        let found = of(&[("deprecation", "true"), ("link", links)]).unwrap();
        assert_eq!(found.page.as_deref(), Some("https://docs/old"));
    }

    #[test]
    fn silence_and_denial_are_no_deprecation_and_nonsense_has_no_date() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("deprecation", "?0")]), None);
        assert_eq!(of(&[("deprecation", "false")]), None);
        assert_eq!(of(&[("deprecation", "@99999999999999999999")]).unwrap().since, None);
        assert_eq!(of(&[("sunset", "soon")]).unwrap().sunset, None);
    }
}
