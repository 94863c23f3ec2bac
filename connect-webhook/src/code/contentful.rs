//! Contentful: `x-contentful-signature`, hexadecimal HMAC-SHA256 over method, path, a list of headers and the
//! body, each on a line of its own.
//!
//! The path is the one of the public URL, escaped once more although it is escaped already, and the query
//! twice more. `x-contentful-signed-headers` names the headers; it must name itself and the timestamp, or
//! either could be exchanged. The timestamp counts milliseconds and may be 30 s away from now, in either
//! direction: Contentful's own limit for the past, and ours for the future.

use http::Method;
use percent_encoding::utf8_percent_encode;

use super::*;
use crate::scheme::{Source, TimestampRule, TimestampUnit};

const SIGNATURE: &str = "x-contentful-signature";
const SIGNED_HEADERS: &str = "x-contentful-signed-headers";
const TIMESTAMP: &str = "x-contentful-timestamp";

const WINDOW: TimestampRule = TimestampRule {
    source: Source::Header(std::borrow::Cow::Borrowed(TIMESTAMP)),
    unit: TimestampUnit::Milliseconds,
    past_seconds: 30,
    future_seconds: 30,
};

/// What JavaScript's `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// What JavaScript's `encodeURI` leaves as it is.
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#');

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let Incoming { headers, method, body, .. } = cx.incoming;
    let presented = cx.presented()?;
    let names = signed_names(headers)?;
    let signed_at = time(headers)?;
    let head = head(method, cx.url()?, headers, &names)?;
    let key_index = cx.matching(|key| signs(key, &presented, &[&head, body]))?;
    plan::check_window(&WINDOW, signed_at, cx.now)?;
    Ok(Verification::new(key_index, Some(signed_at)))
}

/// What the headers alone tell: a list or a time of the wrong form, a time that is too far away.
pub(super) fn precheck(headers: &HeaderMap, now: UnixTime) -> Result<(), VerifyError> {
    signed_names(headers)?;
    plan::check_window(&WINDOW, time(headers)?, now)
}

/// Signs the headers that `x-contentful-signed-headers` names already, or else the content type and all of
/// Contentful's own.
pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    request: &mut Request<Bytes>,
    url: &str,
    now: UnixTime,
) -> Result<(), BuildError> {
    let seconds = u64::try_from(now.0).map_err(|_| BuildError::TimeBeforeEpoch)?;
    let listed =
        request.headers().get(SIGNED_HEADERS).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut names: Vec<String> = match &listed {
        Some(list) => list.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
        None => {
            let names = request.headers().keys().map(HeaderName::as_str);
            let is_own = |name: &&str| *name == "content-type" || name.starts_with("x-contentful-");
            names.filter(is_own).map(str::to_owned).collect()
        }
    };
    names.extend([SIGNED_HEADERS.to_owned(), TIMESTAMP.to_owned()]);
    names.retain(|name| name != SIGNATURE);
    names.sort();
    names.dedup();
    set_header(scheme, request, TIMESTAMP, &seconds.saturating_mul(1000).to_string())?;
    set_header(scheme, request, SIGNED_HEADERS, &names.join(","))?;
    let head = signed_names(request.headers())
        .and_then(|names| head(request.method(), url, request.headers(), &names))
        .map_err(|error| unsignable(scheme, &error.to_string()))?;
    let signature = encoded(scheme, key, &[&head, request.body()]);
    set_header(scheme, request, SIGNATURE, &signature)
}

fn time(headers: &HeaderMap) -> Result<UnixTime, VerifyError> {
    plan::read_time(&WINDOW, plan::only(headers, &HeaderName::from_static(TIMESTAMP))?)
}

/// The names of the signed headers, sorted.
fn signed_names(headers: &HeaderMap) -> Result<Vec<HeaderName>, VerifyError> {
    let header = HeaderName::from_static(SIGNED_HEADERS);
    let list = plan::only(headers, &header)?;
    let names = list.split(|byte| *byte == b',').map(|name| HeaderName::from_bytes(name.trim_ascii()));
    let mut names: Vec<HeaderName> = names.filter_map(Result::ok).collect();
    names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    if [SIGNED_HEADERS, TIMESTAMP].iter().all(|needed| names.iter().any(|name| name == needed)) {
        return Ok(names);
    }
    Err(VerifyError::MalformedHeader { header, form: format!("<name>,...,{SIGNED_HEADERS},{TIMESTAMP}") })
}

/// What is signed before the body.
fn head(
    method: &Method,
    url: &str,
    headers: &HeaderMap,
    names: &[HeaderName],
) -> Result<Vec<u8>, VerifyError> {
    let (path, query) = path_and_query(url);
    let mut head = format!("{method}\n{}", utf8_percent_encode(path, WHOLE)).into_bytes();
    if !query.is_empty() {
        let escaped = utf8_percent_encode(query, COMPONENT).to_string();
        head.extend_from_slice(format!("?{}", utf8_percent_encode(&escaped, WHOLE)).as_bytes());
    }
    for (index, name) in names.iter().enumerate() {
        head.push(if index == 0 { b'\n' } else { b';' });
        head.extend_from_slice(name.as_str().as_bytes());
        head.push(b':');
        if name == SIGNED_HEADERS {
            // Contentful sorts the list before it signs it, however it is sent.
            let list: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
            head.extend_from_slice(list.join(",").as_bytes());
        } else {
            head.extend_from_slice(plan::only(headers, name)?.trim_ascii());
        }
    }
    head.push(b'\n');
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(SIGNED_HEADERS, list), (TIMESTAMP, "1750000000123"), ("x-other", " b ;c")] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn head_of(url: &str, list: &str) -> Result<String, VerifyError> {
        let headers = headers(list);
        let head = head(&Method::PUT, url, &headers, &signed_names(&headers)?)?;
        Ok(String::from_utf8(head).unwrap())
    }

    #[test]
    fn the_query_is_escaped_twice_and_the_path_once() {
        let list = format!("{TIMESTAMP},{SIGNED_HEADERS}");
        for (url, expected) in [
            ("https://app.example.com", "/"),
            ("https://app.example.com?", "/"),
            ("https://app.example.com/a%20b/(c)'?", "/a%2520b/(c)'"),
            ("https://app.example.com/a?x=1&y='%20", "/a?x%253D1%2526y%253D'%252520"),
            ("https://app.example.com/a?x=1?y", "/a?x%253D1%253Fy"),
            ("/a?x", "/a?x"),
        ] {
            let head = head_of(url, &list).unwrap();
            assert_eq!(head.split('\n').nth(1), Some(expected), "{url}");
        }
    }

    #[test]
    fn headers_are_signed_sorted_and_trimmed() {
        let list = format!("X-Other , {TIMESTAMP},{SIGNED_HEADERS},x-other");
        let expected = format!(
            "PUT\n/\n{SIGNED_HEADERS}:{SIGNED_HEADERS},{TIMESTAMP},x-other;{TIMESTAMP}:1750000000123;x-other:b ;c\n"
        );
        assert_eq!(head_of("https://app.example.com/", &list).unwrap(), expected);
    }

    #[test]
    fn a_list_that_leaves_out_itself_or_the_timestamp_is_refused() {
        for list in ["", ",", TIMESTAMP, SIGNED_HEADERS, "x-other", "\u{e4}\u{0}"] {
            let Ok(value) = http::HeaderValue::from_bytes(list.as_bytes()) else { continue };
            let headers = HeaderMap::from_iter([(HeaderName::from_static(SIGNED_HEADERS), value)]);
            assert_eq!(signed_names(&headers).unwrap_err().code(), "malformed_header", "{list}");
        }
        let unsent = format!("{TIMESTAMP},{SIGNED_HEADERS},x-unsent");
        assert_eq!(head_of("/", &unsent).unwrap_err().code(), "missing_header");
    }
}
