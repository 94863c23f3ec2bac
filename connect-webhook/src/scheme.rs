//! How a provider signs its webhooks, as data.
//!
//! A [`Scheme`] says where the signature stands, what it covers, how old it may be, how to find the dedupe id
//! and the event type, and how to answer. It holds no secret and no code, so it can be written in TOML or
//! JSON: a new provider needs no release of this crate. The built-in rows are in [`schemes`](crate::schemes);
//! take one of those before writing your own. [`Scheme::new`] starts from the most common construction:
//! hexadecimal HMAC-SHA256 over the raw body.
//!
//! Nine providers sign by a rule that no data describes (sorted form fields, certificates, JWTs). Theirs are
//! rows too, with [`Algorithm::Code`] naming the rule, so that everything else about them is data like the
//! rest.
//!
//! A scheme is checked when a [`Verifier`](crate::Verifier) is built from it. Unknown fields are refused when
//! a scheme is deserialised, because a misspelt `timestamp` would switch replay protection off without a
//! word.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Text that is borrowed in the built-in rows and owned in rows read from a file.
pub type Text = Cow<'static, str>;

/// Several of something, borrowed in the built-in rows and owned in rows read from a file.
pub type List<T> = Cow<'static, [T]>;

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
    /// The provider's page that this row is taken from.
    #[serde(default)]
    pub docs: Text,
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
    /// How the secret's text becomes a key.
    #[serde(default)]
    pub secret: SecretForm,
    /// What is signed, in order. Without [`Part::Body`] the row must say `covers_body = false`.
    #[serde(default = "body_alone")]
    pub base: List<Part>,
    /// Whether the signature proves the body. `false` for tokens, and for providers that sign only a
    /// timestamp: then whoever reads one delivery on its way can put another body under its signature.
    #[serde(default = "yes")]
    pub covers_body: bool,
    /// The provider has something better by now: refused unless
    /// [`allow_weak`](crate::VerifierBuilder::allow_weak) is called.
    #[serde(default)]
    pub weak: bool,
    /// Two events may have the same body, byte by byte, as notices that only say "something changed" have.
    /// Without an id, such deliveries are told apart by when they came; and an equal body is no sign of a
    /// replay.
    #[serde(default)]
    pub bodies_repeat: bool,
    /// The event types of which the same is true where it is not true of all.
    #[serde(default)]
    pub bodies_repeat_in: List<Text>,
    /// The signed timestamp and how far it may be off. `None`: the provider signs none, and replay protection
    /// rests on the dedupe id alone.
    #[serde(default)]
    pub timestamp: Option<TimestampRule>,
    /// Percent escapes, such as `%3A`, that the sender decodes in the URL before it signs it. Both forms are
    /// tried.
    #[serde(default)]
    pub url_escapes: List<Text>,
    /// The methods of a delivery, `POST` alone by default. With `GET` among them a delivery may have no body: its
    /// payload is `null`, or the query as an object where the provider sends [`FormRule::Fields`].
    #[serde(default = "post_alone")]
    pub methods: List<Text>,
    /// Where the dedupe id stands; the first hit wins. In a batch, JSON pointers count from each item.
    #[serde(default)]
    pub id: List<Locator>,
    /// Where the event type stands; the first hit wins. In a batch, JSON pointers count from each item.
    #[serde(default)]
    pub event: List<Locator>,
    /// Which object the event is about, for hosts that handle one object's events in order; the first hit
    /// wins. In a batch, JSON pointers count from each item.
    #[serde(default)]
    pub ordering_key: List<Locator>,
    /// Where in the payload the array stands whose items are events of their own; empty text means the
    /// payload itself. A payload that has no array there is one event.
    #[serde(default)]
    pub batch: Option<Text>,
    /// Request headers worth keeping with the delivery. They are not signed: good for logs, not for
    /// decisions.
    #[serde(default)]
    pub keep_headers: List<Text>,
    /// Content types that hold JSON although they do not say so, such as `text/plain`.
    #[serde(default)]
    pub json_types: List<Text>,
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
            docs: Cow::Borrowed(""),
            algorithm: Algorithm::default(),
            signature: Source::Header(signature_header.into()),
            grammar: Grammar::default(),
            encoding: Encoding::default(),
            secret: SecretForm::default(),
            base: body_alone(),
            covers_body: true,
            weak: false,
            bodies_repeat: false,
            bodies_repeat_in: Cow::Borrowed(&[]),
            timestamp: None,
            url_escapes: Cow::Borrowed(&[]),
            methods: post_alone(),
            id: Cow::Borrowed(&[]),
            event: Cow::Borrowed(&[]),
            ordering_key: Cow::Borrowed(&[]),
            batch: None,
            keep_headers: Cow::Borrowed(&[]),
            json_types: Cow::Borrowed(&[]),
            form: FormRule::default(),
            challenge: Challenge::default(),
            body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES,
            acknowledge: accepted(),
            acknowledge_body: AcknowledgeBody::default(),
        }
    }

    /// Whether verifying takes the URL that the sender called, and so a
    /// [`public_url`](crate::VerifierBuilder::public_url).
    pub fn needs_url(&self) -> bool {
        let by_code = [Code::Twilio, Code::Mandrill, Code::Contentful, Code::AtlassianConnect];
        self.base.contains(&Part::Url)
            || matches!(self.algorithm, Algorithm::Code(code) if by_code.contains(&code))
    }

    /// Whether verifying takes secrets of the host. If not, it takes the provider's public keys, which are
    /// fetched: see the module `keys`.
    pub fn needs_secret(&self) -> bool {
        let by_keys = [Code::AwsSns, Code::PayPal, Code::GooglePubSub];
        !matches!(self.algorithm, Algorithm::Code(code) if by_keys.contains(&code))
    }

    /// Whether the signature covers the dedupe id. If not, whoever has captured a delivery can send it again
    /// under another id, and only [`Delivery::replay_key`](crate::Delivery::replay_key) tells.
    pub fn signs_id(&self) -> bool {
        self.id.iter().all(|locator| match locator {
            Locator::Header(name) => self.base.iter().any(|part| match part {
                Part::Header(signed) => signed.eq_ignore_ascii_case(name),
                Part::FirstHeader(signed) => signed.iter().any(|signed| signed.eq_ignore_ascii_case(name)),
                _ => false,
            }),
            Locator::Json(_) | Locator::Form(_) => self.covers_body,
        })
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

fn body_alone() -> List<Part> {
    Cow::Borrowed(&[Part::Body])
}

fn post_alone() -> List<Text> {
    Cow::Borrowed(&[Cow::Borrowed("POST")])
}

fn default_body_limit() -> usize {
    DEFAULT_BODY_LIMIT_BYTES
}

fn accepted() -> u16 {
    202
}

fn yes() -> bool {
    true
}

/// How a signature is computed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC (RFC 2104) with this hash.
    Hmac(Hash),
    /// A plain hash of text that contains the secret. Weaker than HMAC by construction.
    Digest(Hash),
    /// No signature: the sender repeats the secret itself, compared in constant time.
    Token,
    /// Ed25519 (RFC 8032), strict. The secret is the public key. Needs feature `ed25519`.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, signature in DER. The secret is the public key as SPKI. Needs feature
    /// `asymmetric`.
    EcdsaP256Sha256,
    /// A rule that is a program.
    Code(Code),
}

impl Default for Algorithm {
    fn default() -> Self {
        Self::Hmac(Hash::Sha256)
    }
}

/// The rules that are programs, one file each.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// HMAC-SHA1 over the URL and the sorted form fields, or the URL with the body's hash in its query.
    Twilio,
    /// HMAC-SHA1 over the URL and the sorted form fields.
    Mandrill,
    /// HMAC-SHA256 over eight fields of each item.
    AdyenPayments,
    /// HMAC-SHA256 over a canonical request with a list of signed headers.
    Contentful,
    /// A JWT, HS256, with a hash of method, path and query.
    AtlassianConnect,
    /// RSA over the fields of the message, certificate by URL. Needs feature `asymmetric`.
    AwsSns,
    /// RSA over ids, time and the body's CRC-32, certificate by URL. Needs feature `asymmetric`.
    #[serde(rename = "paypal")]
    PayPal,
    /// A JWT, RS256, keys by URL. Needs feature `asymmetric`.
    #[serde(rename = "google_pubsub")]
    GooglePubSub,
    /// A shared text in each item; JWTs beside encrypted content, which need feature `asymmetric`.
    MicrosoftGraph,
}

/// The hash inside an [`Algorithm`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hash {
    /// SHA-1, 20 bytes. Sound inside HMAC, and still what some providers use.
    Sha1,
    /// SHA-256, 32 bytes.
    #[default]
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

/// Where a value stands in the request.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The whole value of this header. Names are case-insensitive.
    Header(Text),
    /// The first of these headers that is there.
    FirstHeader(List<Text>),
    /// Every one of these headers that is there, each with a signature of its own. Signatures only.
    EveryHeader(List<Text>),
    /// The string or number at this JSON pointer (RFC 6901) of the body.
    Json(Text),
    /// This field of a form-encoded body.
    Form(Text),
    /// The value under this key in the header of the signature, which has the grammar [`Grammar::Pairs`].
    /// Timestamps only.
    Pair(Text),
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
    /// Keys and values, such as `t=1750000000,v1=8af8...,v1=96a0...`. Blanks round a pair are ignored, and so
    /// are unknown keys.
    Pairs {
        /// What stands between two pairs, such as `,`.
        separator: char,
        /// The key of a signature, such as `v1`. It may come several times; one that matches is enough.
        signature: Text,
    },
    /// Versions and signatures, separated by blanks: `v1,Zzlw... v1a,/YWC...`. Other versions are ignored.
    Versions(Text),
}

/// How signature bytes are written as text.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal. Both cases are accepted, since bytes are compared and not text; lower case is written.
    #[default]
    Hex,
    /// Base64 with the standard alphabet; padding is written, and may be missing.
    Base64,
    /// As it is. For tokens.
    Text,
}

/// How the text of a secret becomes a key.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretForm {
    /// Is cut off if it is there, such as `whsec_`.
    pub prefix: Text,
    /// How the rest is written. [`Encoding::Text`]: the UTF-8 text itself is the key.
    pub encoding: Encoding,
    /// The fewest bytes of a key, at least 1.
    pub least_bytes: usize,
    /// The most bytes of a key, where the provider sets a limit.
    pub most_bytes: Option<usize>,
}

impl Default for SecretForm {
    fn default() -> Self {
        Self { prefix: Cow::Borrowed(""), encoding: Encoding::Text, least_bytes: 1, most_bytes: None }
    }
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
    /// The value of this header.
    Header(Text),
    /// The value of the first of these headers that is there.
    FirstHeader(List<Text>),
    /// The method in upper case.
    Method,
    /// The URL that the sender called, as the sender knows it. Needs a
    /// [`public_url`](crate::VerifierBuilder::public_url).
    Url,
    /// The string or number at this JSON pointer of the body.
    Json(Text),
    /// This field of a form-encoded body.
    Form(Text),
    /// The secret itself. Only for [`Algorithm::Digest`].
    Secret,
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
    /// A date and a time with an offset, as in RFC 3339: `2025-06-15T15:06:40.634Z`.
    Rfc3339,
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
    /// A field of the form-encoded body.
    Form(Text),
}

/// What a body of type `application/x-www-form-urlencoded` means.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormRule {
    /// The provider sends none: answer 415.
    #[default]
    Refuse,
    /// The JSON payload is the value of this field. A form without it is answered 400.
    Field(Text),
    /// As [`FormRule::Field`], but a form without that field becomes a JSON object of its fields, every value
    /// a string; of a repeated field the first value counts. Slack's slash commands are such forms.
    FieldOrFields(Text),
    /// The form becomes a JSON object of its fields; of a repeated field the first value counts.
    Fields,
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
    /// A signed payload of `"event": "endpoint.url_validation"`; the answer is `payload.plainToken` and its
    /// HMAC under the secret.
    ZoomUrlValidation,
    /// A signed payload of `"type": 1`; the answer is the same. Application events (`"type": 0`) get an empty
    /// 204.
    DiscordPing,
    /// A signed delivery of message type `webhook_callback_verification`; the answer is its `challenge`.
    TwitchVerification,
    /// A GET with `hub.mode=subscribe` and our verify token; the answer is its `hub.challenge`.
    MetaSubscribe,
    /// A GET with the shared token and `X-Okta-Verification-Challenge`; the answer repeats it as JSON.
    OktaVerification,
    /// A POST that hands us the secret in `X-Hook-Secret`; the answer repeats the header. Only while the
    /// endpoint's registration is open.
    AsanaHookSecret,
    /// A GET with `challenge` in its query; the answer repeats it as plain text.
    DropboxChallenge,
    /// A POST with `validationToken` in its query; the answer repeats it as plain text.
    GraphValidation,
    /// A signed message of type `SubscriptionConfirmation`: the host fetches its `SubscribeURL`.
    SnsSubscription,
    /// A first POST with `verification_token`, which becomes the secret. Only while the endpoint's
    /// registration is open.
    NotionVerificationToken,
    /// A POST of event type `SubscriptionValidation`, answered with its `validationCode`, or OPTIONS with
    /// `WebHook-Request-Origin`. Only while the endpoint's registration is open.
    AzureEventGrid,
    /// Signed and unsigned empty deliveries: 200 or 401, neither with a body.
    XeroIntentToReceive,
    /// HEAD, to see whether anybody is there: 200.
    HeadProbe,
}

/// The body of a success answer.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcknowledgeBody {
    /// `{"status":"accepted"}` or `{"status":"duplicate"}`: visible in the provider's delivery log.
    #[default]
    Status,
    /// Nothing, for providers that give a meaning to the answer's body.
    Empty,
    /// This plain text.
    Text(Text),
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
