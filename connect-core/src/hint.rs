//! What a server says about waiting: `Retry-After` and epochs, read by the server's own clock.
//!
//! A wrong clock on this machine must not matter, so absolute times are turned into durations with the answer's `Date`
//! header. Absurd numbers are cut to a year; what cannot be read counts as no hint.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::deadline::LONGEST_WAIT;

/// The wait a server asks for in `Retry-After` (RFC 9110, 10.2.3): whole seconds, seconds with a fraction as some servers
/// write them, or an HTTP date relative to the answer's own `Date`.
///
/// ```
/// use std::time::Duration;
/// use connect_core::{HeaderMap, HeaderValue, hint};
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", HeaderValue::from_static("7"));
/// assert_eq!(hint::retry_after(&headers), Some(Duration::from_secs(7)));
/// ```
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are still a number: a very large one.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)).min(LONGEST_WAIT));
    }
    if let Some(wait) = with_fraction(text) {
        return Some(wait.min(LONGEST_WAIT));
    }
    Some(since_date(headers, httpdate::parse_http_date(text).ok()?)?.min(LONGEST_WAIT))
}

/// `1.5`: digits on both sides, so that `NaN`, `1e9` and `.5` stay what they are.
fn with_fraction(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.')?;
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    // Digits that do not fit are still a number: a very large one.
    let seconds = whole.parse().unwrap_or(u64::MAX).min(LONGEST_WAIT.as_secs());
    let part: f64 = format!("0.{fraction}").parse().ok()?;
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_secs_f64(part)))
}

/// How long until a Unix time in seconds, by the server's clock; zero if it has passed, `None` without a `Date` header.
pub fn until_epoch(headers: &HeaderMap, epoch_seconds: u64) -> Option<Duration> {
    let moment = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(epoch_seconds))?;
    Some(since_date(headers, moment)?.min(LONGEST_WAIT))
}

fn since_date(headers: &HeaderMap, moment: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(moment.duration_since(date).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(retry_after: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        headers
    }

    #[test]
    fn hostile_retry_after_values_are_clamped_or_ignored() {
        let parse = |text: &str| retry_after(&headers(text, None));
        assert_eq!(parse("0"), Some(Duration::ZERO));
        assert_eq!(parse(" 17 "), Some(Duration::from_secs(17)));
        assert_eq!(parse("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(parse("99999999999999999999999999"), Some(LONGEST_WAIT));
        assert_eq!(parse("1.5"), Some(Duration::from_millis(1_500)));
        assert_eq!(parse("99999999999999999999999999.999999999999"), Some(LONGEST_WAIT));
        for odd in [
            "",
            ".",
            "1.",
            ".5",
            "1.5.5",
            "-1.5",
            "-1",
            "1e9",
            "NaN",
            "soon",
            "+5",
            "0x10",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn dates_are_read_by_the_servers_clock() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let parse = |text: &str| retry_after(&headers(text, now));
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("Sun, 06 Nov 9994 08:49:37 GMT"), Some(LONGEST_WAIT));
        let epoch = |seconds| until_epoch(&headers("0", now), seconds);
        assert_eq!(epoch(784_111_777 + 90), Some(Duration::from_secs(90)));
        assert_eq!(epoch(0), Some(Duration::ZERO));
        assert!(epoch(u64::MAX).is_none_or(|wait| wait == LONGEST_WAIT));
        assert_eq!(until_epoch(&headers("0", None), 1), None);
    }
}
