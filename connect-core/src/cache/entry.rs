//! One kept answer: when it may be kept, whom it fits, and what a 304 makes of it.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    SET_COOKIE, TRANSFER_ENCODING, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::{add, forbids_storing};
use crate::api::Verdict;
use crate::request::Request;
use crate::response::{Response, Source};

/// Of one message or one connection, or secret: not part of what is kept.
const NOT_KEPT: [HeaderName; 3] = [CONNECTION, SET_COOKIE, TRANSFER_ENCODING];

/// First byte of the stored form.
const FORMAT: u8 = 1;

/// A kept answer. `Debug` shows no header values and no body.
///
/// Opaque to a [`CacheStore`](super::CacheStore), which writes it with [`CacheEntry::to_bytes`].
#[derive(Clone)]
pub struct CacheEntry {
    headers: HeaderMap,
    body: Bytes,
    variant: Variant,
}

/// The request headers that `Vary` names, and a digest of their values: they may be private.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Variant {
    names: Vec<String>,
    digest: [u8; 32],
}

impl Variant {
    /// `None` if the answer fits no other request (`Vary: *`).
    fn new(response: &HeaderMap, request: &HeaderMap) -> Option<Self> {
        let mut names = Vec::new();
        for value in response.get_all(VARY) {
            for name in value.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                if name == "*" {
                    return None;
                }
                names.push(name.to_ascii_lowercase());
            }
        }
        let digest = digest(&names, request);
        Some(Self { names, digest })
    }

    fn fits(&self, request: &HeaderMap) -> bool {
        self.digest == digest(&self.names, request)
    }
}

fn digest(names: &[String], request: &HeaderMap) -> [u8; 32] {
    if names.is_empty() {
        return [0; 32];
    }
    let mut digest = Sha256::new();
    for name in names {
        add(&mut digest, name.as_bytes());
        for value in request.get_all(name.as_str()) {
            add(&mut digest, value.as_bytes());
        }
    }
    digest.finalize().into()
}

impl CacheEntry {
    /// The answer as it will be kept; `None` if it must not be.
    pub(super) fn of(request: &Request, response: &Response, max_bytes: usize) -> Option<Self> {
        let headers = response.headers();
        let has_validator = headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED);
        let is_storable = response.status() == StatusCode::OK
            && response.verdict() == Some(Verdict::Success)
            && !response.is_streamed()
            && has_validator
            && is_whole(response)
            && !forbids_storing(headers);
        if !is_storable {
            return None;
        }
        let variant = Variant::new(headers, request.headers())?;
        let mut headers = headers.clone();
        for name in NOT_KEPT {
            headers.remove(name);
        }
        let entry = Self { headers, body: response.body().clone(), variant };
        (entry.size() <= max_bytes).then_some(entry)
    }

    /// Was it the answer to a request with the same varied headers?
    pub(super) fn fits(&self, request: &Request) -> bool {
        self.variant.fits(request.headers())
    }

    /// Asks the provider whether it is still good.
    pub(super) fn add_conditions(&self, request: &mut Request) {
        for (validator, condition) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
            if let Some(value) = self.headers.get(validator) {
                request.insert_header(condition, value.clone());
            }
        }
    }

    /// The entry after a 304: its body, and the newer headers (RFC 9111, 3.2). Those about the body stay: the 304 has
    /// none.
    pub(super) fn updated(&self, not_modified: &HeaderMap) -> Self {
        let mut entry = self.clone();
        for name in not_modified.keys() {
            if name.as_str().starts_with("content-") || name == VARY || NOT_KEPT.contains(name) {
                continue;
            }
            entry.headers.remove(name);
            for value in not_modified.get_all(name) {
                entry.headers.append(name.clone(), value.clone());
            }
        }
        entry
    }

    /// Headers may have grown, and the provider may have changed its mind.
    pub(super) fn may_stay(&self, max_bytes: usize) -> bool {
        self.size() <= max_bytes && !forbids_storing(&self.headers)
    }

    /// The answer to a call.
    pub(super) fn answer(&self, source: Source) -> Response {
        Response::new(StatusCode::OK, self.headers.clone(), self.body.clone())
            .with_verdict(Verdict::Success)
            .with_source(source)
    }

    /// How much memory it takes, about.
    pub fn size(&self) -> usize {
        /// What the maps round it take per header, by the sizes of their parts.
        const PER_HEADER: usize = 64;
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + PER_HEADER);
        headers.sum::<usize>() + self.body.len() + size_of::<Self>()
    }

    /// The entry as bytes, for a store outside of this process.
    pub fn to_bytes(&self) -> Bytes {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let head =
            Head { headers: self.headers.iter().filter_map(text).collect(), variant: self.variant.clone() };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(head.len() + self.body.len() + 9);
        bytes.put_u8(FORMAT);
        bytes.put_u64_le(u64::try_from(head.len()).unwrap_or(u64::MAX));
        bytes.put_slice(&head);
        bytes.put_slice(&self.body);
        bytes.freeze()
    }

    /// The entry out of [`CacheEntry::to_bytes`]; `None` for anything else, and for the format of another version.
    pub fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let (_, rest) = bytes.split_first().filter(|(format, _)| **format == FORMAT)?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let head: Head = serde_json::from_slice(rest.get(..length)?).ok()?;
        let mut headers = HeaderMap::new();
        for (name, value) in head.headers {
            headers.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        let body = bytes.slice_ref(rest.get(length..)?);
        Some(Self { headers, body, variant: head.variant })
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    headers: Vec<(String, String)>,
    variant: Variant,
}

impl fmt::Debug for CacheEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheEntry")
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Is the body as long as announced? A transport that decodes a body takes the announcement away, or leaves the coding
/// that says the lengths differ.
fn is_whole(response: &Response) -> bool {
    let headers = response.headers();
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.trim().parse().ok());
    headers.contains_key(CONTENT_ENCODING)
        || announced.is_none_or(|length: usize| length == response.body().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Operation, Safety};
    use http::Method;

    const GET: Operation = Operation::new("get", Method::GET, "/x", Safety::Safe);

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn request(language: &str) -> Request {
        Request::builder(&GET).header(http::header::ACCEPT_LANGUAGE, language).build().unwrap()
    }

    fn keep(status: u16, pairs: &[(&'static str, &'static str)]) -> Option<CacheEntry> {
        let response = Response::new(StatusCode::from_u16(status).unwrap(), headers(pairs), "body");
        CacheEntry::of(&request("de"), &response.with_verdict(Verdict::Success), 10_000)
    }

    const TAG: (&str, &str) = ("etag", "\"1\"");

    #[test]
    fn only_whole_successful_answers_with_a_validator_are_kept() {
        assert!(keep(200, &[TAG]).is_some());
        assert!(keep(200, &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]).is_some());
        assert!(keep(200, &[TAG, ("content-length", "4")]).is_some());
        assert!(keep(200, &[TAG, ("content-length", "7"), ("content-encoding", "gzip")]).is_some());
        let refused: [&[_]; 5] = [
            &[],
            &[TAG, ("content-length", "400")],
            &[TAG, ("cache-control", "private, no-store")],
            &[TAG, ("vary", "*")],
            &[TAG, ("vary", "accept, *")],
        ];
        for pairs in refused {
            assert!(keep(200, pairs).is_none(), "{pairs:?}");
        }
        for status in [201, 203, 206, 304] {
            assert!(keep(status, &[TAG]).is_none(), "{status}");
        }
        let answer = || Response::new(StatusCode::OK, headers(&[TAG]), "body");
        assert!(CacheEntry::of(&request("de"), &answer(), 10_000).is_none(), "no verdict");
        let refusal = answer().with_verdict(Verdict::Refused);
        assert!(CacheEntry::of(&request("de"), &refusal, 10_000).is_none(), "a failure under status 200");
        let success = answer().with_verdict(Verdict::Success);
        assert!(CacheEntry::of(&request("de"), &success, 10).is_none(), "too big");
    }

    #[test]
    fn an_entry_fits_requests_with_the_same_varied_headers_only() {
        let entry = keep(200, &[TAG, ("vary", "Accept-Language, X-Other")]).unwrap();
        assert!(entry.fits(&request("de")));
        assert!(!entry.fits(&request("fr")));
        assert!(!entry.fits(&Request::builder(&GET).build().unwrap()));
        assert!(keep(200, &[TAG]).unwrap().fits(&request("fr")));
    }

    #[test]
    fn a_304_brings_newer_headers_and_not_those_of_its_missing_body() {
        let entry = keep(200, &[TAG, ("content-type", "application/json"), ("x-left", "5")]).unwrap();
        let newer = headers(&[("x-left", "4"), ("content-type", "text/html"), ("etag", "\"2\"")]);
        let updated = entry.updated(&newer);
        assert!(updated.may_stay(10_000) && !updated.may_stay(10));
        assert_eq!(updated.headers["x-left"], "4");
        assert_eq!(updated.headers["content-type"], "application/json");
        assert_eq!(
            (updated.headers["etag"].clone(), updated.body),
            (HeaderValue::from_static("\"2\""), entry.body.clone())
        );
        assert!(!entry.updated(&headers(&[("cache-control", "no-store")])).may_stay(10_000));
    }

    #[test]
    fn bytes_bring_an_entry_back_and_other_bytes_do_not() {
        let entry = keep(200, &[TAG, ("vary", "accept-language"), ("set-cookie", "canary")]).unwrap();
        let bytes = entry.to_bytes();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
        let back = CacheEntry::from_bytes(&bytes).unwrap();
        assert_eq!((&back.headers, &back.body, &back.variant), (&entry.headers, &entry.body, &entry.variant));
        for cut in 0..bytes.len() - 4 {
            assert!(CacheEntry::from_bytes(&bytes.slice(..cut)).is_none(), "{cut}");
        }
        let mut hostile = vec![FORMAT];
        hostile.extend_from_slice(&u64::MAX.to_le_bytes());
        assert!(CacheEntry::from_bytes(&Bytes::from(hostile)).is_none());
    }
}
