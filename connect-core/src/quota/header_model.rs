//! Limits that are told in headers: names as data.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use super::draws::{Bucket, Draws, Rule};
use super::model::{Observation, Observations, QuotaModel};
use crate::hint;
use crate::operation::Operation;
use crate::request::{Head, Request};
use crate::response::Response;

/// A number of seconds beyond this is a point in time and not a span: about 2001.
const EPOCHS_BEGIN: u64 = 1_000_000_000;

/// An epoch beyond this is in milliseconds: as seconds, it would be about 33,700 years ahead.
const MILLISECONDS_BEGIN: u64 = 1_000_000_000_000;

/// The headers of the IETF's draft: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>.
const DRAFT: &str = "ratelimit";
const DRAFT_POLICY: &str = "ratelimit-policy";

/// One bucket for everything, whose figures stand in headers; the model of a client whose provider has none of its own.
/// A provider that sends no such headers has no such limit, as far as anybody can know: only its 429s count.
///
/// A reset may be an epoch, in seconds or milliseconds, or a number of seconds from now; which of them is plain from its
/// size. Where its own headers are absent, the IETF draft's `RateLimit` and `RateLimit-Policy` are read.
///
/// ```
/// use connect_core::quota::HeaderModel;
/// let usual = HeaderModel::default(); // x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset
/// use connect_core::HeaderName;
/// let other = HeaderModel::new(
///     HeaderName::from_static("ratelimit-limit"),
///     HeaderName::from_static("ratelimit-remaining"),
///     HeaderName::from_static("ratelimit-reset"),
/// );
/// # let _ = (usual, other);
/// ```
#[derive(Clone, Debug)]
pub struct HeaderModel {
    limit: HeaderName,
    remaining: HeaderName,
    reset: HeaderName,
}

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

impl Default for HeaderModel {
    fn default() -> Self {
        Self::new(LIMIT, REMAINING, RESET)
    }
}

impl HeaderModel {
    /// By the names of the headers.
    pub fn new(limit: HeaderName, remaining: HeaderName, reset: HeaderName) -> Self {
        Self { limit, remaining, reset }
    }

    /// The figures of an answer, for a bucket that a provider's own model names.
    pub fn read(&self, headers: &HeaderMap, bucket: impl Into<Cow<'static, str>>) -> Option<Observation> {
        let Some(remaining) = number(headers, &self.remaining) else { return draft(headers, bucket) };
        let (resets_in, window) = match number(headers, &self.reset) {
            Some(epoch) if epoch >= EPOCHS_BEGIN => {
                let epoch = if epoch >= MILLISECONDS_BEGIN { epoch.div_ceil(1_000) } else { epoch };
                (hint::until_epoch(headers, epoch), Some(epoch))
            }
            Some(seconds) => (Some(Duration::from_secs(seconds)), None),
            None => (None, None),
        };
        let limit = number(headers, &self.limit);
        Some(Observation { bucket: Bucket::new(bucket), limit, remaining, resets_in, window })
    }
}

/// `"burst";r=9;t=1, "daily";r=4000;t=3600`: of several limits, the one with the least left. Earlier drafts say
/// `limit=100, remaining=50, reset=30`.
fn draft(headers: &HeaderMap, bucket: impl Into<Cow<'static, str>>) -> Option<Observation> {
    let text = headers.get(DRAFT)?.to_str().ok()?;
    if text.contains("remaining=") {
        let remaining = parameter(text, "remaining")?;
        let resets_in = parameter(text, "reset").map(Duration::from_secs);
        let limit = parameter(text, "limit");
        return Some(Observation { limit, resets_in, ..Observation::new(bucket, remaining) });
    }
    let items = text.split(',').filter_map(|item| Some((parameter(item, "r")?, item)));
    let (remaining, item) = items.min_by_key(|(remaining, _)| *remaining)?;
    let name = item.split(';').next().unwrap_or_default().trim();
    let policies = headers.get(DRAFT_POLICY).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let policy =
        policies.split(',').find(|policy| policy.split(';').next().is_some_and(|own| own.trim() == name));
    Some(Observation {
        limit: policy.and_then(|policy| parameter(policy, "q")),
        resets_in: parameter(item, "t").map(Duration::from_secs),
        ..Observation::new(bucket, remaining)
    })
}

fn parameter(text: &str, name: &str) -> Option<u64> {
    text.split([';', ',']).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim().parse().ok())?
    })
}

/// Whole, not negative; what is written with a fraction counts as its whole part. By hand, because every answer has three
/// of them.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.as_bytes().trim_ascii();
    let whole = text.split(|byte| *byte == b'.').next().filter(|digits| !digits.is_empty())?;
    whole.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

const ACCOUNT: &str = "requests";

impl QuotaModel for HeaderModel {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        Draws::none().and(Bucket::new(ACCOUNT), 1, Rule::Server)
    }

    fn observe(&self, _sent: &Head, response: &Response, out: &mut Observations) {
        if let Some(observation) = self.read(response.headers(), ACCOUNT) {
            out.see(observation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(pairs: &[(&'static str, &str)]) -> Option<Observation> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        HeaderModel::default().read(&headers, "core")
    }

    #[test]
    fn an_epoch_is_read_by_the_servers_clock_and_names_the_window() {
        let seen = read(&[
            ("date", "Sun, 09 Sep 2001 01:46:40 GMT"),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1000003600"),
        ])
        .unwrap();
        assert_eq!((seen.limit, seen.remaining), (Some(5000), 4999));
        assert_eq!((seen.resets_in, seen.window), (Some(Duration::from_secs(3600)), Some(1_000_003_600)));
    }

    #[test]
    fn seconds_are_seconds_and_nonsense_is_nothing() {
        let seen = read(&[("x-ratelimit-remaining", "7.9"), ("x-ratelimit-reset", "30")]).unwrap();
        assert_eq!((seen.remaining, seen.resets_in, seen.window), (7, Some(Duration::from_secs(30)), None));
        for odd in ["", "-1", "many", "1e3", "99999999999999999999999"] {
            assert_eq!(read(&[("x-ratelimit-remaining", odd)]), None, "{odd}");
        }
        assert_eq!(read(&[("x-ratelimit-limit", "5000")]), None);
    }

    #[test]
    fn an_epoch_in_milliseconds_is_one_too() {
        let seen = read(&[
            ("date", "Sun, 09 Sep 2001 01:46:40 GMT"),
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset", "1000000030000"),
        ])
        .unwrap();
        assert_eq!((seen.resets_in, seen.window), (Some(Duration::from_secs(30)), Some(1_000_000_030)));
    }

    #[test]
    fn the_drafts_headers_are_read_where_there_are_no_others() {
        let seen = read(&[
            ("ratelimit", r#""daily";r=4000;t=3600, "burst";r=9;t=1"#),
            ("ratelimit-policy", r#""burst";q=10;w=1,"daily";q=5000;w=86400"#),
        ])
        .unwrap();
        assert_eq!((seen.limit, seen.remaining, seen.resets_in), (Some(10), 9, Some(Duration::from_secs(1))));
        let older = read(&[("ratelimit", "limit=100, remaining=50, reset=30")]).unwrap();
        assert_eq!((older.limit, older.remaining), (Some(100), 50));
        for odd in ["", ";;=,", "r", "r=", "r=-1", "remaining=", r#""x";t=9"#] {
            assert_eq!(read(&[("ratelimit", odd)]), None, "{odd}");
        }
    }
}
