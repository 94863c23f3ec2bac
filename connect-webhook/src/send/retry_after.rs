//! When the receiver asks to be left alone until: `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::clock::UnixTime;

/// The wait asked for, in whole seconds or as a date. A date is read by the receiver's own clock where it
/// sends `Date`, and else by ours. What cannot be read is no wish.
pub(super) fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are still a number: a very large one.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = seconds(text)?;
    let date = headers.get(DATE).and_then(|date| seconds(date.to_str().ok()?)).unwrap_or(now.0);
    Some(Duration::from_secs(u64::try_from(until.saturating_sub(date)).unwrap_or(0)))
}

/// An HTTP date as Unix time.
fn seconds(date: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_the_rest_is_ignored() {
        let now = UnixTime(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, date, expected) in [
            ("0", None, Some(0)),
            (" 17 ", None, Some(17)),
            ("99999999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, Some(60)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("Sun, 06 Nov 1994 08:50:00 GMT"), Some(37)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("nonsense"), Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            ("Wed, 01 Jan 1969 00:00:00 GMT", None, None),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
