//! Twilio: `X-Twilio-Signature`, base64 of HMAC-SHA1 over the URL and what the body holds.
//!
//! | the request has | signed |
//! |---|---|
//! | `bodySHA256` in its query | the URL alone; the body by its hash in the URL |
//! | a form | the URL, then the sorted fields |
//! | no body | the URL alone |
//! | any other body | nothing that covers it: refused |
//!
//! The last line matters: Twilio's signature of such a request fits every body, so whoever accepts it accepts
//! changed ones.
//!
//! Twilio is not of one mind about the URL. It is tried as it is, without its port and with the standard one,
//! and each of these with `'` in the query written as `%27` or the other way round. Credentials in the URL
//! are signed and stay. There is no timestamp: only the dedupe id tells a replay.

use std::borrow::Cow;

use http::Uri;
use sha2::{Digest, Sha256};

use super::*;
use crate::encoding::hex;
use crate::form;
use crate::scheme::Encoding;

/// The header of the signature.
const SIGNATURE: &str = "x-twilio-signature";

/// The parameter of the query with the body's SHA-256, in hexadecimal.
const BODY_HASH: &str = "bodySHA256";

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let Incoming { headers, body, .. } = cx.incoming;
    let presented = cx.presented()?;
    let url = cx.url()?;
    let body_hash = form::parameter(cx.incoming.query(), BODY_HASH);
    let fields = match &body_hash {
        Some(_) => Vec::new(),
        None if body.is_empty() => Vec::new(),
        None if sorted_form::is_announced(headers) => sorted_form::sorted(body)?,
        None => return Err(VerifyError::MissingField { field: BODY_HASH.to_owned() }),
    };
    let spellings = spellings(url);
    let key_index =
        cx.matching(|key| spellings.iter().any(|url| signs(key, &presented, &[url.as_bytes(), &fields])))?;
    if let Some(text) = body_hash {
        let ours = Signature::new(&Sha256::digest(body));
        let theirs = Signature::decode(Encoding::Hex, text.as_bytes());
        if !theirs.is_some_and(|theirs| equal(&ours, &theirs)) {
            return Err(VerifyError::BodyHashMismatch);
        }
    }
    Ok(Verification::new(key_index, None))
}

/// A body that is no form gets its hash into the query, as Twilio does it.
pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    request: &mut Request<Bytes>,
    url: &str,
) -> Result<(), BuildError> {
    let mut url = Cow::Borrowed(url);
    let mut fields = Vec::new();
    if sorted_form::is_announced(request.headers()) {
        fields = sorted_form::sorted(request.body())
            .map_err(|_| unsignable(scheme, "the form has more fields than any delivery; send fewer"))?;
        // A hash in the query would decide instead of the fields.
        url = with_body_hash(&url, None).into();
    } else if !request.body().is_empty() {
        url = with_body_hash(&url, Some(&hex(&Sha256::digest(request.body())))).into();
    }
    *request.uri_mut() =
        url.parse::<Uri>().map_err(|_| BuildError::InvalidUrl { scheme: scheme.name.to_string() })?;
    let signature = encoded(scheme, key, &[url.as_bytes(), &fields]);
    set_header(scheme, request, SIGNATURE, &signature)
}

/// The URL with this hash of the body in its query, or with none.
fn with_body_hash(url: &str, hash: Option<&str>) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let is_hash = |pair: &str| form::fields(pair.as_bytes()).any(|(name, _)| name == BODY_HASH.as_bytes());
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_hash(pair)).map(str::to_owned);
    let pairs: Vec<String> = kept.chain(hash.map(|hash| format!("{BODY_HASH}={hash}"))).collect();
    if pairs.is_empty() { base.to_owned() } else { format!("{base}?{}", pairs.join("&")) }
}

/// The ways Twilio may have written this URL when it signed it.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = Vec::with_capacity(9);
    for url in ports(url) {
        let (base, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        for query in
            [Cow::Borrowed(query), query.replace('\'', "%27").into(), query.replace("%27", "'").into()]
        {
            let spelling = format!("{base}{query}");
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
    }
    spellings
}

/// The URL as it is, without its port, and with the standard one.
fn ports(url: &str) -> Vec<String> {
    let mut urls = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return urls };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let standard = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    // The colons of credentials and of IPv6 addresses begin no port.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    urls.push(format!("{scheme}://{host}{path}"));
    urls.push(format!("{scheme}://{host}:{standard}{path}"));
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_tried_with_and_without_its_port() {
        let cases = [
            ("https://a.example/x", ["https://a.example/x", "https://a.example:443/x"]),
            ("http://a.example:1234?x", ["http://a.example?x", "http://a.example:80?x"]),
            ("https://u:1@a.example:9/x", ["https://u:1@a.example/x", "https://u:1@a.example:443/x"]),
            ("https://u:p@a.example/x", ["https://u:p@a.example/x", "https://u:p@a.example:443/x"]),
            ("http://[::1]/x:1", ["http://[::1]/x:1", "http://[::1]:80/x:1"]),
            ("http://[::1]:8080/", ["http://[::1]/", "http://[::1]:80/"]),
            ("https://a.example", ["https://a.example", "https://a.example:443"]),
        ];
        for (url, others) in cases {
            let ports = ports(url);
            assert_eq!((&ports[0], &ports[1..]), (&url.to_owned(), &others.map(str::to_owned)[..]));
        }
        assert_eq!(ports("/relative:1"), ["/relative:1"]);
    }

    #[test]
    fn quotes_in_the_query_are_tried_in_both_spellings() {
        let spellings = spellings("https://a.example/o'b?n='%27");
        for query in ["?n='%27", "?n=%27%27", "?n=''"] {
            assert!(spellings.contains(&format!("https://a.example:443/o'b{query}")), "{query}");
        }
        assert_eq!(spellings.len(), 6);
        assert_eq!(super::spellings("https://a.example/o'b").len(), 2);
    }

    #[test]
    fn the_hash_of_the_body_is_put_behind_the_query() {
        for (url, hash, expected) in [
            ("https://a.example/", Some("ff"), "https://a.example/?bodySHA256=ff"),
            ("https://a.example/?x=1", Some("ff"), "https://a.example/?x=1&bodySHA256=ff"),
            ("https://a.example/?bodySHA256=00&x=1", Some("ff"), "https://a.example/?x=1&bodySHA256=ff"),
            ("https://a.example/?bodySHA256=00", None, "https://a.example/"),
        ] {
            assert_eq!(with_body_hash(url, hash), expected);
        }
    }
}
