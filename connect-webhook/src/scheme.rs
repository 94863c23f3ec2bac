//! How a provider signs its webhooks, as data.
//!
//! A [`Scheme`] says where the signature stands, what it covers, how old it may be, how to find the dedupe id
//! and the event type, and how to answer. It holds no secret and no code, so it can be written in TOML or
//! JSON: a new provider needs no release of this crate. The built-in rows are in [`schemes`](crate::schemes);
//! take one of those before writing your own. [`Scheme::new`] starts from the most common construction:
//! hexadecimal HMAC-SHA256 over the raw body.
//!
//! Not for providers whose rule is a program (sorted form fields, certificates, JWTs): those need code.
//!
//! A scheme is checked when a [`Verifier`](crate::Verifier) is built from it. Unknown fields are refused when
//! a scheme is deserialised, because a misspelt `timestamp` would switch replay protection off without a
//! word.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Text that is borrowed in the built-in rows and owned in rows read from a file.
pub type Text = Cow<'static, str>;

/// The body cap of a scheme that names none: generous for JSON events, small enough to hold in memory.
pub const DEFAULT_BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// One provider's rules.
///
/// ```
/// use connect_webhook::scheme::{Grammar, Locator, Scheme};
///
/// // In code:
/// let mut scheme = Scheme::new("acme", "X-Acme-Signature");
/// scheme.grammar = Grammar::Prefixed("sha256=".into());
/// scheme.id = vec![Locator::Json("/id".into())].into();
///
/// // The same from a configuration file:
/// let read: Scheme = serde_json::from_str(r#"{
///     "name": "acme",
///     "signature": { "header": "X-Acme-Signature" },
///     "grammar": { "prefixed": "sha256=" },
///     "id": [{ "json": "/id" }]
/// }"#)?;
/// assert_eq!(read, scheme);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Short lower-case name, such as `github`; appears in logs and in [`Delivery::scheme`](crate::Delivery).
    pub name: Text,
    /// How the signature is computed.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Where the sender puts the signature.
    pub signature: Source,
    /// What surrounds the signature there.
    #[serde(default)]
    pub grammar: Grammar,
    /// How the signature bytes are written as text.
    #[serde(default)]
    pub encoding: Encoding,
    /// What is signed, in order. Must contain [`Part::Body`].
    #[serde(default = "body_alone")]
    pub base: Cow<'static, [Part]>,
    /// The signed timestamp and how far it may be off. `None`: the provider signs none, and replay protection
    /// rests on the dedupe id alone.
    #[serde(default)]
    pub timestamp: Option<TimestampRule>,
    /// Where the dedupe id stands; the first hit wins.
    #[serde(default)]
    pub id: Cow<'static, [Locator]>,
    /// Where the event type stands; the first hit wins.
    #[serde(default)]
    pub event: Cow<'static, [Locator]>,
    /// Which object the event is about, for hosts that handle one object's events in order; the first hit
    /// wins.
    #[serde(default)]
    pub ordering_key: Cow<'static, [Locator]>,
    /// Request headers worth keeping with the delivery. They are not signed: good for logs, not for
    /// decisions.
    #[serde(default)]
    pub keep_headers: Cow<'static, [Text]>,
    /// What a form-encoded body means.
    #[serde(default)]
    pub form: FormRule,
    /// The handshake the provider makes before or between events.
    #[serde(default)]
    pub challenge: Challenge,
    /// Bodies beyond this size are refused with 413. The provider's own limit, where it publishes one.
    #[serde(default = "default_body_limit")]
    pub body_limit_bytes: usize,
    /// The success status the provider expects (2xx).
    #[serde(default = "accepted")]
    pub acknowledge: u16,
    /// The body of that answer.
    #[serde(default)]
    pub acknowledge_body: AcknowledgeBody,
}

impl Scheme {
    /// Hexadecimal HMAC-SHA256 over the raw body in header `signature_header`; JSON bodies up to 1 MiB;
    /// answer 202.
    pub fn new(name: impl Into<Text>, signature_header: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            algorithm: Algorithm::default(),
            signature: Source::Header(signature_header.into()),
            grammar: Grammar::default(),
            encoding: Encoding::default(),
            base: body_alone(),
            timestamp: None,
            id: Cow::Borrowed(&[]),
            event: Cow::Borrowed(&[]),
            ordering_key: Cow::Borrowed(&[]),
            keep_headers: Cow::Borrowed(&[]),
            form: FormRule::default(),
            challenge: Challenge::default(),
            body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES,
            acknowledge: accepted(),
            acknowledge_body: AcknowledgeBody::default(),
        }
    }
}

/// So that [`Verifier::new`](crate::Verifier::new) takes a row of the table without copying it.
impl From<&'static Scheme> for Cow<'static, Scheme> {
    fn from(scheme: &'static Scheme) -> Self {
        Cow::Borrowed(scheme)
    }
}

/// So that [`Verifier::new`](crate::Verifier::new) takes a scheme read from a file.
impl From<Scheme> for Cow<'static, Scheme> {
    fn from(scheme: Scheme) -> Self {
        Cow::Owned(scheme)
    }
}

fn body_alone() -> Cow<'static, [Part]> {
    Cow::Borrowed(&[Part::Body])
}

fn default_body_limit() -> usize {
    DEFAULT_BODY_LIMIT_BYTES
}

fn accepted() -> u16 {
    202
}

/// How a signature is computed. The secret's UTF-8 text is the key.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC (RFC 2104) with this hash.
    Hmac(Hash),
}

impl Default for Algorithm {
    fn default() -> Self {
        Self::Hmac(Hash::Sha256)
    }
}

/// The hash inside an [`Algorithm`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hash {
    /// SHA-256, 32 bytes.
    #[default]
    Sha256,
}

/// Where a signed value stands in the request.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The whole value of this header. Names are case-insensitive.
    Header(Text),
}

/// What surrounds the signature in its place.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grammar {
    /// The value is the signature and nothing else.
    #[default]
    Bare,
    /// A fixed prefix, compared exactly, then the signature: `sha256=757107ea...`.
    Prefixed(Text),
}

/// How signature bytes are written as text.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal. Both cases are accepted, since bytes are compared and not text; lower case is written.
    #[default]
    Hex,
}

/// One piece of the signed bytes.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Fixed text.
    Literal(Text),
    /// The timestamp exactly as it was received. Needs [`timestamp`](field@Scheme::timestamp).
    Timestamp,
    /// The raw body bytes.
    Body,
}

/// Where the signed timestamp stands and how far it may be from the present.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampRule {
    /// Where it stands.
    pub source: Source,
    /// What it counts.
    #[serde(default)]
    pub unit: TimestampUnit,
    /// The oldest accepted age, in seconds. Covers clock skew and network delay; a retry is signed afresh.
    pub past_seconds: u32,
    /// How far ahead of our clock it may be, in seconds.
    pub future_seconds: u32,
}

impl TimestampRule {
    /// Seconds in header `header`, at most `window_seconds` away from now in either direction.
    pub fn header(header: impl Into<Text>, window_seconds: u32) -> Self {
        Self {
            source: Source::Header(header.into()),
            unit: TimestampUnit::Seconds,
            past_seconds: window_seconds,
            future_seconds: window_seconds,
        }
    }
}

/// What a timestamp counts.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampUnit {
    /// Seconds since 1970.
    #[default]
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Where to find a value in a delivery: an id, an event type, an ordering key.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locator {
    /// The value of this header. Most schemes do not sign their headers.
    Header(Text),
    /// A string or number at this JSON pointer (RFC 6901) of the payload, such as `/event/type`.
    Json(Text),
}

/// What a body of type `application/x-www-form-urlencoded` means.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormRule {
    /// The provider sends none: answer 415.
    #[default]
    Refuse,
    /// The JSON payload is the value of the field `payload`. A form without it is answered 400.
    PayloadField,
    /// As [`FormRule::PayloadField`], but a form without that field becomes a JSON object of its fields,
    /// every value a string; of a repeated field the first value counts. Slack's slash commands are such
    /// forms.
    PayloadFieldOrFields,
}

/// A handshake that is answered here and never reaches the sink.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// The provider makes none.
    #[default]
    None,
    /// A signed payload of `"type": "url_verification"`; the answer is its `challenge` as plain text.
    SlackUrlVerification,
}

/// The body of a success answer.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcknowledgeBody {
    /// `{"status":"accepted"}` or `{"status":"duplicate"}`: visible in the provider's delivery log.
    #[default]
    Status,
    /// Nothing, for providers that give a meaning to the answer's body.
    Empty,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn every_row_survives_a_round_trip_through_json() {
        for scheme in schemes::ALL {
            let text = serde_json::to_string(scheme).unwrap();
            let back: Scheme = serde_json::from_str(&text).unwrap();
            assert_eq!(&&back, scheme, "{text}");
        }
    }

    #[test]
    fn a_misspelt_field_is_refused_instead_of_switching_protection_off() {
        let text = r#"{"name":"x","signature":{"header":"X-Sig"},"timestmp":{}}"#;
        let error = serde_json::from_str::<Scheme>(text).unwrap_err();
        assert!(error.to_string().contains("timestmp"), "{error}");
    }
}
