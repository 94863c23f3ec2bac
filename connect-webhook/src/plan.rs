//! A scheme, checked and made ready: header names parsed, JSON pointers split, contradictions refused.
//!
//! Built once per verifier. Everything here reads a request by the plan and decides nothing:
//! [`Plan::presented`] and [`Plan::timestamp`] find what the sender claims, [`Plan::facts`] finds the id and
//! the event type. Nothing on the path of a valid signature allocates.

use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::error::{BuildError, PayloadError, VerifyError};
use crate::handshake;
use crate::key::{MAX_SIGNATURE_BYTES, Signature};
use crate::pointer::{MAX_POINTERS, Pointer, extract};
use crate::scheme::{Encoding, Grammar, Locator, Part, Scheme, Source, TimestampRule, TimestampUnit};

/// Longer ids are not believed: an id header is unsigned and becomes a key in somebody's database.
const MAX_ID_BYTES: usize = 256;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Plan {
    signature: HeaderName,
    timestamp: Option<HeaderName>,
    keep: Vec<HeaderName>,
    id: Vec<Slot>,
    event: Vec<Slot>,
    ordering_key: Vec<Slot>,
    /// What [`Slot::Json`] points into; the handshake's pointers come last.
    pointers: Vec<Pointer>,
    handshake_from: usize,
}

/// A [`Locator`], ready to use.
#[derive(Debug)]
enum Slot {
    Header(HeaderName),
    Json(usize),
}

/// The timestamp a sender claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    /// As received: this is what is signed.
    pub(crate) text: &'a [u8],
    pub(crate) time: UnixTime,
}

/// What a payload and its headers say about themselves.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) ordering_key: Option<String>,
    /// The answer, if this is a handshake.
    pub(crate) challenge: Option<String>,
}

impl Plan {
    /// Checks a scheme.
    pub(crate) fn compile(scheme: &Scheme) -> Result<Self, BuildError> {
        let unusable = |reason: &str| BuildError::InvalidScheme {
            scheme: scheme.name.to_string(),
            reason: reason.to_owned(),
        };
        let header = |name: &str| {
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| unusable(&format!("`{name}` is not a header name; correct it")))
        };
        let source = |Source::Header(name): &Source| header(name);

        if scheme.name.trim().is_empty() {
            return Err(unusable("it has no name; give it one"));
        }
        if !scheme.base.contains(&Part::Body) {
            return Err(unusable("the signature does not cover the body; add `body` to `base`"));
        }
        if scheme.base.contains(&Part::Timestamp) != scheme.timestamp.is_some() {
            return Err(unusable(
                "a timestamp counts only if it is signed; \
                 set both `timestamp` in `base` and a `timestamp` rule, or neither",
            ));
        }
        if scheme.body_limit_bytes == 0 {
            return Err(unusable("`body_limit_bytes` is 0; set the largest body to accept"));
        }
        if !(200..300).contains(&scheme.acknowledge) {
            return Err(unusable("`acknowledge` is not a success status; use 200, 202 or 204"));
        }

        let mut pointers = Vec::new();
        let mut pointer = |text: &str| {
            let pointer = Pointer::parse(text)
                .ok_or_else(|| unusable(&format!("JSON pointer `{text}` does not start with `/`; add it")))?;
            pointers.push(pointer);
            Ok(pointers.len() - 1)
        };
        let mut slots = |locators: &[Locator]| {
            let slot = |locator: &Locator| match locator {
                Locator::Header(name) => header(name).map(Slot::Header),
                Locator::Json(text) => pointer(text).map(Slot::Json),
            };
            locators.iter().map(slot).collect::<Result<Vec<_>, BuildError>>()
        };
        let (id, event) = (slots(&scheme.id)?, slots(&scheme.event)?);
        let ordering_key = slots(&scheme.ordering_key)?;
        for text in handshake::pointers(scheme.challenge) {
            pointer(text)?;
        }
        if pointers.len() > MAX_POINTERS {
            return Err(unusable("it names more than 64 JSON pointers; leave some out"));
        }
        Ok(Self {
            signature: source(&scheme.signature)?,
            timestamp: scheme.timestamp.as_ref().map(|rule| source(&rule.source)).transpose()?,
            keep: {
                let mut keep =
                    scheme.keep_headers.iter().map(|name| header(name)).collect::<Result<Vec<_>, _>>()?;
                // The W3C trace context, so that one trace spans the sender, the inbox and the handler.
                keep.push(HeaderName::from_static("traceparent"));
                keep
            },
            id,
            event,
            ordering_key,
            handshake_from: pointers.len() - handshake::pointers(scheme.challenge).len(),
            pointers,
        })
    }

    /// The signature a sender presents, decoded.
    pub(crate) fn presented(&self, scheme: &Scheme, headers: &HeaderMap) -> Result<Signature, VerifyError> {
        let value = only(headers, &self.signature)?;
        let malformed =
            || VerifyError::MalformedHeader { header: self.signature.clone(), form: form(scheme) };
        let text = match &scheme.grammar {
            Grammar::Bare => value,
            Grammar::Prefixed(prefix) => value.strip_prefix(prefix.as_bytes()).ok_or_else(malformed)?,
        };
        match scheme.encoding {
            Encoding::Hex => unhex(text).ok_or_else(malformed),
        }
    }

    /// The timestamp a sender claims, or `None` for schemes without one.
    pub(crate) fn timestamp<'h>(
        &self,
        scheme: &Scheme,
        headers: &'h HeaderMap,
    ) -> Result<Option<Stamp<'h>>, VerifyError> {
        let (Some(header), Some(rule)) = (&self.timestamp, &scheme.timestamp) else { return Ok(None) };
        let text = only(headers, header)?;
        // Digits only: no sign, blank or fraction, which readers understand differently. 15 digits cannot
        // overflow.
        let value = match text.len() {
            1..=15 if text.iter().all(u8::is_ascii_digit) => {
                text.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'))
            }
            _ => return Err(VerifyError::BadTimestamp { header: header.clone() }),
        };
        let seconds = match rule.unit {
            TimestampUnit::Seconds => value,
            TimestampUnit::Milliseconds => value / 1000,
        };
        Ok(Some(Stamp { text, time: UnixTime(seconds) }))
    }

    /// The names and values a sender sets: of the signature, and of the timestamp if the scheme has one.
    pub(crate) fn sender_headers(&self) -> (&HeaderName, Option<&HeaderName>) {
        (&self.signature, self.timestamp.as_ref())
    }

    /// The id, the event type and the handshake of a JSON payload. Fails if the payload is not JSON.
    pub(crate) fn facts(
        &self,
        scheme: &Scheme,
        headers: &HeaderMap,
        payload: &[u8],
    ) -> Result<Facts, PayloadError> {
        let mut values = extract(payload, &self.pointers)?;
        let handshake = values.get_mut(self.handshake_from..).unwrap_or_default();
        let challenge = handshake::answer(scheme.challenge, handshake)?;
        let text = |slot: &Slot| {
            let text = match slot {
                Slot::Header(name) => headers.get(name)?.to_str().ok()?,
                Slot::Json(index) => values.get(*index)?.as_deref()?,
            };
            let usable = !text.trim().is_empty() && text.len() <= MAX_ID_BYTES;
            usable.then(|| text.to_owned())
        };
        Ok(Facts {
            id: self.id.iter().find_map(text),
            event: self.event.iter().find_map(text),
            ordering_key: self.ordering_key.iter().find_map(text),
            challenge,
        })
    }

    /// The headers the scheme wants kept.
    pub(crate) fn kept(&self, headers: &HeaderMap) -> HeaderMap {
        let present = |name: &HeaderName| Some((name.clone(), headers.get(name)?.clone()));
        self.keep.iter().filter_map(present).collect()
    }
}

/// How far the timestamp may be from `now`.
pub(crate) fn check_window(rule: &TimestampRule, signed: UnixTime, now: UnixTime) -> Result<(), VerifyError> {
    let age_seconds = now.0.saturating_sub(signed.0);
    if age_seconds > i64::from(rule.past_seconds) {
        return Err(VerifyError::TimestampTooOld { age_seconds, limit_seconds: rule.past_seconds });
    }
    let ahead_seconds = age_seconds.saturating_neg();
    if ahead_seconds > i64::from(rule.future_seconds) {
        return Err(VerifyError::TimestampInFuture { ahead_seconds, limit_seconds: rule.future_seconds });
    }
    Ok(())
}

/// The dedupe id of a delivery that names none: equal for a copy of the same request, and only for that.
///
/// The signature is part of it because a scheme that signs a timestamp may send equal bodies for different
/// events (a slash command typed twice); the decoded bytes, because one signature can be spelt in several
/// ways and a captured request must not become a new one by upper-casing it.
pub(crate) fn fallback_id(body: &[u8], signature: &Signature) -> String {
    let digest = Sha256::new().chain_update(body).chain_update(signature.as_bytes()).finalize();
    format!("body:{}", hex(&digest))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The value of a header, which may be repeated only with the same value.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h [u8], VerifyError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().ok_or_else(|| VerifyError::MissingHeader { header: name.clone() })?;
    if values.any(|value| value != first) {
        return Err(VerifyError::DuplicateHeader { header: name.clone() });
    }
    Ok(first.as_bytes())
}

/// `None` if the text is not hexadecimal. Text that is too long for any signature ends up as one that never
/// matches.
fn unhex(text: &[u8]) -> Option<Signature> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let mut bytes = [0; MAX_SIGNATURE_BYTES];
    for (index, [high, low]) in pairs.iter().enumerate() {
        let byte = nibble(*high)? << 4 | nibble(*low)?;
        if let Some(slot) = bytes.get_mut(index) {
            *slot = byte;
        }
    }
    Signature::new(bytes.get(..pairs.len()).unwrap_or_default())
}

/// For an error's text: what the signature header should look like.
fn form(scheme: &Scheme) -> String {
    let Encoding::Hex = scheme.encoding;
    match &scheme.grammar {
        Grammar::Bare => "<hex>".to_owned(),
        Grammar::Prefixed(prefix) => format!("{prefix}<hex>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn hexadecimal_survives_a_round_trip_in_both_cases() {
        let bytes: Vec<u8> = (0..32).map(|byte| byte * 8 + 7).collect();
        let text = hex(&bytes);
        for text in [text.to_uppercase(), text] {
            assert_eq!(unhex(text.as_bytes()).unwrap().as_bytes(), bytes);
        }
        for text in ["0", "0g", "+1", " 1", "\u{ff11}"] {
            assert!(unhex(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(unhex("00".repeat(65).as_bytes()).unwrap().as_bytes().is_empty());
    }

    #[test]
    fn contradictions_are_refused_with_a_remedy() {
        let slack = || schemes::SLACK.clone();
        let github = || schemes::GITHUB.clone();
        let cases: [(Scheme, &str); 8] = [
            (Scheme { name: "".into(), ..github() }, "no name"),
            (Scheme { base: vec![Part::Literal("x".into())].into(), ..github() }, "cover the body"),
            (Scheme { timestamp: None, ..slack() }, "timestamp"),
            (Scheme { base: vec![Part::Body].into(), ..slack() }, "timestamp"),
            (Scheme { signature: Source::Header("a b".into()), ..github() }, "header name"),
            (Scheme { id: vec![Locator::Json("id".into())].into(), ..github() }, "start with `/`"),
            (Scheme { body_limit_bytes: 0, ..github() }, "body_limit_bytes"),
            (Scheme { acknowledge: 302, ..github() }, "acknowledge"),
        ];
        for (scheme, expected) in cases {
            let error = Plan::compile(&scheme).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn windows_saturate() {
        let rule = TimestampRule::header("x", 300);
        for (signed, now) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, i64::MIN)] {
            assert!(check_window(&rule, UnixTime(signed), UnixTime(now)).is_err());
        }
    }

    #[test]
    fn milliseconds_are_understood() {
        let mut scheme = schemes::SLACK.clone();
        scheme.timestamp.as_mut().unwrap().unit = TimestampUnit::Milliseconds;
        let plan = Plan::compile(&scheme).unwrap();
        let headers =
            [(plan.timestamp.clone().unwrap(), "1750000000999".parse().unwrap())].into_iter().collect();
        let stamp = plan.timestamp(&scheme, &headers).unwrap().unwrap();
        assert_eq!((stamp.time, stamp.text), (UnixTime(1_750_000_000), b"1750000000999".as_slice()));
    }

    #[test]
    fn an_id_that_is_blank_or_huge_is_not_an_id() {
        let plan = Plan::compile(&schemes::GITHUB).unwrap();
        for (value, expected) in [(" ", None), (&*"x".repeat(257), None), ("x", Some("x"))] {
            let mut headers = HeaderMap::new();
            headers.insert("x-github-delivery", value.parse().unwrap());
            let facts = plan.facts(&schemes::GITHUB, &headers, b"{}").unwrap();
            assert_eq!(facts.id.as_deref(), expected);
        }
    }
}
