//! Atlassian Connect: a JSON web token in `Authorization: JWT <token>`, or in the query as `jwt`, signed with
//! the `sharedSecret` of the installation.
//!
//! HS256 and nothing else, whatever the token names. The signature is checked before any claim; then the
//! times, with 30 s for clocks that differ, `iss` if the verifier has an
//! [`issuer`](crate::VerifierBuilder::issuer), and `qsh`: the hash of method, path and query. The body is not
//! covered. A token without `qsh`, or with the `context-qsh` that Atlassian gives to pages in a browser, would
//! fit any request and is refused.
//!
//! The path counts from the app's base URL. The path of the
//! [`public_url`](crate::VerifierBuilder::public_url) may be a part of that base URL, or may not, so both
//! readings are tried. Atlassian's servers sort the query as it is escaped and its library for Node as it
//! reads, so both orders are tried too.
//!
//! Not for the callbacks `installed` and `uninstalled` of apps with signed installation: their tokens are
//! RS256, under a key that Atlassian publishes.

use base64::Engine;
use http::header::AUTHORIZATION;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::*;
use crate::encoding::{BASE64_URL, hex};
use crate::form;
use crate::jwt::Token;

/// For clocks that differ, at a token's beginning.
const LEEWAY_SECONDS: u32 = 30;
const LIFE_SECONDS: u64 = 180;

const ALGORITHM: &str = "HS256";

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let url = cx.url()?;
    let text = presented(&cx.incoming)?;
    let token = parse(&text)?;
    let signature = Signature::new(&token.signature);
    let key_index = cx.matching(|key| signs(key, &signature, &[token.signed.as_bytes()]))?;
    token.check_times(cx.now, LEEWAY_SECONDS)?;
    let settings = &cx.inner.settings;
    if settings.issuer.is_some() && settings.issuer.as_deref() != token.text("iss") {
        return Err(VerifyError::ClaimMismatch { claim: "iss" });
    }
    let (path, query) = path_and_query(url);
    let prefix = settings.public_url.as_deref().map_or("", |url| path_and_query(url).0);
    let qsh = token.text("qsh").ok_or(VerifyError::QshMismatch)?;
    let method = cx.incoming.method.as_str();
    let fits = paths(path, prefix)
        .any(|path| queries(query).iter().any(|query| qsh == request_hash(method, path, query)));
    if !fits {
        return Err(VerifyError::QshMismatch);
    }
    Ok(Verification::new(key_index, token.time("iat")))
}

/// What a token in a header tells before the body is read. Without one, it may stand in the query.
pub(super) fn precheck(headers: &HeaderMap, now: UnixTime) -> Result<(), VerifyError> {
    match in_header(headers)? {
        Some(text) => parse(text)?.check_times(now, LEEWAY_SECONDS),
        None => Ok(()),
    }
}

/// The token of a request, unproven.
pub(super) fn presented(incoming: &Incoming<'_>) -> Result<String, VerifyError> {
    if let Some(text) = in_header(incoming.headers)? {
        return Ok(text.to_owned());
    }
    // A parameter of that name that is no token is somebody else's.
    form::parameter(incoming.query(), "jwt")
        .filter(|text| text.bytes().filter(|byte| *byte == b'.').count() == 2)
        .ok_or(VerifyError::MissingHeader { header: AUTHORIZATION })
}

/// Makes a token of 180 s. The claims of a token that stands in the header already are kept, such as `iss`, so
/// that a captured delivery can be signed anew.
pub(super) fn sign(
    scheme: &Scheme,
    key: &Key,
    request: &mut Request<Bytes>,
    url: &str,
    now: UnixTime,
) -> Result<(), BuildError> {
    let seconds = u64::try_from(now.0).map_err(|_| BuildError::TimeBeforeEpoch)?;
    let (path, query) = path_and_query(url);
    let query = queries(query).into_iter().next().unwrap_or_default();
    let mut claims = earlier_claims(request.headers()).unwrap_or_default();
    claims.entry("iss").or_insert_with(|| "connect-webhook".into());
    claims.insert("iat".to_owned(), seconds.into());
    claims.insert("exp".to_owned(), seconds.saturating_add(LIFE_SECONDS).into());
    claims.insert("qsh".to_owned(), request_hash(request.method().as_str(), path, &query).into());
    let header = format!(r#"{{"typ":"JWT","alg":"{ALGORITHM}"}}"#);
    let signed =
        format!("{}.{}", BASE64_URL.encode(header), BASE64_URL.encode(Value::Object(claims).to_string()));
    let signature = tag(key, &[signed.as_bytes()]).map(|tag| BASE64_URL.encode(tag.as_bytes()));
    let value = format!("JWT {signed}.{}", signature.unwrap_or_default());
    set_header(scheme, request, AUTHORIZATION.as_str(), &value)
}

fn parse(text: &str) -> Result<Token<'_>, VerifyError> {
    let form = || "JWT <token>".to_owned();
    let token = Token::parse(text)
        .ok_or_else(|| VerifyError::MalformedHeader { header: AUTHORIZATION, form: form() })?;
    if token.algorithm == ALGORITHM {
        return Ok(token);
    }
    Err(VerifyError::NoMatchingScheme { form: format!("{}, {ALGORITHM}", form()) })
}

fn in_header(headers: &HeaderMap) -> Result<Option<&str>, VerifyError> {
    let value = match plan::only(headers, &AUTHORIZATION) {
        Err(VerifyError::MissingHeader { .. }) => return Ok(None),
        value => std::str::from_utf8(value?).unwrap_or_default(),
    };
    // Other kinds of credentials are for the proxy in front.
    let (kind, token) = value.split_once(' ').unwrap_or_default();
    Ok(kind.eq_ignore_ascii_case("JWT").then(|| token.trim()))
}

fn earlier_claims(headers: &HeaderMap) -> Option<Map<String, Value>> {
    let claims = in_header(headers).ok()??.split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL.decode(claims).ok()?).ok()
}

/// The path as it is, and counted from the end of `prefix`.
fn paths<'u>(path: &'u str, prefix: &str) -> impl Iterator<Item = &'u str> {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    // Only whole segments: `/app` is no prefix of `/apple`.
    let relative = rest.filter(|rest| *rest != path && (rest.is_empty() || rest.starts_with('/')));
    [Some(path), relative].into_iter().flatten()
}

/// The query without the token, in both orders.
fn queries(query: &str) -> [String; 2] {
    let mut read: Vec<(Vec<u8>, Vec<u8>)> = form::fields(query.as_bytes())
        .map(|(name, value)| (form::decode(name), form::decode(value)))
        .filter(|(name, _)| name != b"jwt")
        .collect();
    read.sort();
    let escape = |bytes: &[u8]| percent_encoding::percent_encode(bytes, UNRESERVED).to_string();
    let mut escaped: Vec<(String, String)> =
        read.iter().map(|(name, value)| (escape(name), escape(value))).collect();
    let as_read = joined(&escaped);
    escaped.sort();
    [joined(&escaped), as_read]
}

/// Sorted pairs as a query in which a name stands once, before all its values.
fn joined(pairs: &[(String, String)]) -> String {
    let group = |pairs: &[(String, String)]| {
        let name = pairs.first().map(|(name, _)| name.as_str()).unwrap_or_default();
        let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        format!("{name}={}", values.join(","))
    };
    pairs.chunk_by(|one, other| one.0 == other.0).map(group).collect::<Vec<_>>().join("&")
}

fn request_hash(method: &str, path: &str, query: &str) -> String {
    // An `&` of the path would move the border between path and query.
    let path = path.replace('&', "%26");
    let path = path.strip_suffix('/').unwrap_or(&path);
    let path = if path.is_empty() { "/" } else { path };
    hex(&Sha256::digest(format!("{}&{path}&{query}", method.to_ascii_uppercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_sorted_escaped_and_without_the_token() {
        let cases = [
            ("", "", ""),
            ("jwt=zzz", "", ""),
            ("user_id=abc&b=2&a=x%20y&a=1&jwt=zzz", "a=1,x%20y&b=2&user_id=abc", ""),
            ("q=a+b&q=a%2Cb&&e", "e=&q=a%20b,a%2Cb", ""),
            ("x=!'()*~-._", "x=%21%27%28%29%2A~-._", ""),
            ("a%5B=1&aB=2", "a%5B=1&aB=2", "aB=2&a%5B=1"),
            ("%C3%A4=%FF%zz", "%C3%A4=%FF%25zz", ""),
        ];
        for (query, by_escapes, as_read) in cases {
            let as_read = if as_read.is_empty() { by_escapes } else { as_read };
            assert_eq!(queries(query), [by_escapes, as_read], "{query}");
        }
    }

    #[test]
    fn the_path_is_tried_from_the_host_and_from_the_public_url() {
        for (path, prefix, expected) in [
            ("/a/b", "/", &["/a/b"][..]),
            ("/a/b", "", &["/a/b"]),
            ("/a/b", "/a", &["/a/b", "/b"]),
            ("/a/b", "/a/", &["/a/b", "/b"]),
            ("/a", "/a", &["/a", ""]),
            ("/apple", "/app", &["/apple"]),
        ] {
            assert_eq!(paths(path, prefix).collect::<Vec<_>>(), expected, "{path} {prefix}");
        }
    }

    #[test]
    fn the_canonical_request_is_that_of_atlassians_library() {
        let sha = |text: &str| hex(&Sha256::digest(text));
        for (method, path, query, canonical) in [
            ("POST", "/plugins/hook", "a=1", "POST&/plugins/hook&a=1"),
            ("get", "/a&b=c/", "", "GET&/a%26b=c&"),
            ("GET", "", "", "GET&/&"),
            ("GET", "/", "", "GET&/&"),
            ("GET", "//", "", "GET&/&"),
        ] {
            assert_eq!(request_hash(method, path, query), sha(canonical), "{canonical}");
        }
    }
}
