//! A scheme, checked and made ready: header names parsed, JSON pointers split, contradictions refused.
//!
//! Built once per verifier. Everything here reads a request by the plan and decides nothing: [`Plan::claims`]
//! finds what the sender claims, [`Plan::presented`] the signatures, [`Plan::feed`] the signed bytes. What a
//! verified payload says about itself is read by [`facts`](crate::facts). Nothing on the path of a valid
//! signature allocates, unless a signed value stands in the body.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use crate::clock::UnixTime;
use crate::encoding::Signature;
use crate::error::{BuildError, VerifyError};
use crate::form;
use crate::incoming::Incoming;
use crate::key::token;
use crate::pointer::{Pointer, Scalar, extract, find};
use crate::rfc3339;
use crate::scheme::{Algorithm, Encoding, Grammar, Part, Scheme, Source, TimestampRule, TimestampUnit};

/// How many values of the body a signature and its base may name: kept on the stack.
const MAX_SIGNED_VALUES: usize = 4;

/// The longest token behind base64, such as HTTP's Basic credentials.
const MAX_TOKEN_BYTES: usize = 1024;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Plan {
    signature: Place,
    timestamp: Option<Place>,
    base: Vec<Piece>,
    /// What [`Place::Json`] counts.
    json: Vec<Pointer>,
    /// What [`Place::Form`] counts.
    form: Vec<String>,
    /// A timestamp inside the signed body: read after the signature has been checked.
    late_timestamp: Option<Pointer>,
}

/// A [`Source`], ready to use.
#[derive(Debug)]
enum Place {
    Header(HeaderName),
    First(Vec<HeaderName>),
    Every(Vec<HeaderName>),
    Json(usize),
    Form(usize),
    Pair(String),
}

/// A [`Part`], ready to use.
#[derive(Debug)]
enum Piece {
    Literal(String),
    Header(Vec<HeaderName>),
    Json(usize),
    Form(usize),
    Timestamp,
    Method,
    Url,
    Secret,
    Body,
}

/// What a sender claims, as far as it must be known before the signature is checked.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) incoming: Incoming<'a>,
    json: [Option<Scalar<'a>>; MAX_SIGNED_VALUES],
    form: [Option<Scalar<'a>>; MAX_SIGNED_VALUES],
    /// When it was signed, unless that stands inside the signed body.
    pub(crate) time: Option<UnixTime>,
}

impl Plan {
    /// Checks a scheme.
    pub(crate) fn compile(scheme: &Scheme) -> Result<Self, BuildError> {
        check(scheme)?;
        let mut plan = Self {
            signature: Place::Form(0),
            timestamp: None,
            base: Vec::with_capacity(scheme.base.len()),
            json: Vec::new(),
            form: Vec::new(),
            late_timestamp: None,
        };
        plan.signature = plan.place(scheme, &scheme.signature)?;
        if let Some(rule) = &scheme.timestamp {
            match &rule.source {
                Source::Json(text) if !scheme.base.contains(&Part::Timestamp) => {
                    plan.late_timestamp = Some(pointer(scheme, text)?);
                }
                source => plan.timestamp = Some(plan.place(scheme, source)?),
            }
        }
        for part in &*scheme.base {
            let piece = match part {
                Part::Literal(text) => Piece::Literal(text.to_string()),
                Part::Header(name) => Piece::Header(vec![header(scheme, name)?]),
                Part::FirstHeader(names) => Piece::Header(headers(scheme, names)?),
                Part::Json(text) => Piece::Json(plan.json(scheme, text)?),
                Part::Form(name) => Piece::Form(plan.form(name)),
                Part::Timestamp => Piece::Timestamp,
                Part::Method => Piece::Method,
                Part::Url => Piece::Url,
                Part::Secret => Piece::Secret,
                Part::Body => Piece::Body,
            };
            plan.base.push(piece);
        }
        if plan.json.len() > MAX_SIGNED_VALUES || plan.form.len() > MAX_SIGNED_VALUES {
            return Err(unusable(scheme, "more than 4 values of the body are signed; sign the body instead"));
        }
        Ok(plan)
    }

    fn place(&mut self, scheme: &Scheme, source: &Source) -> Result<Place, BuildError> {
        Ok(match source {
            Source::Header(name) => Place::Header(header(scheme, name)?),
            Source::FirstHeader(names) => Place::First(headers(scheme, names)?),
            Source::EveryHeader(names) => Place::Every(headers(scheme, names)?),
            Source::Json(text) => Place::Json(self.json(scheme, text)?),
            Source::Form(name) => Place::Form(self.form(name)),
            Source::Pair(key) => Place::Pair(key.to_string()),
        })
    }

    fn json(&mut self, scheme: &Scheme, text: &str) -> Result<usize, BuildError> {
        let pointer = pointer(scheme, text)?;
        let known = self.json.iter().position(|known| *known == pointer);
        Ok(known.unwrap_or_else(|| {
            self.json.push(pointer);
            self.json.len() - 1
        }))
    }

    fn form(&mut self, name: &str) -> usize {
        let known = self.form.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.form.push(name.to_owned());
            self.form.len() - 1
        })
    }

    /// What the sender claims. Fails if a signed value is missing or the timestamp is none.
    pub(crate) fn claims<'a>(
        &self,
        scheme: &Scheme,
        incoming: Incoming<'a>,
    ) -> Result<Claims<'a>, VerifyError> {
        let mut claims = Claims::new(incoming);
        self.read_claims(scheme, &mut claims)?;
        Ok(claims)
    }

    /// As [`Plan::claims`], in place: what is claimed takes some hundred bytes, and moving them takes time.
    pub(crate) fn read_claims(&self, scheme: &Scheme, claims: &mut Claims<'_>) -> Result<(), VerifyError> {
        let incoming = claims.incoming;
        if !self.json.is_empty() {
            extract(incoming.body, &self.json, &mut claims.json).map_err(|_| VerifyError::MalformedBody)?;
        }
        for (name, slot) in self.form.iter().zip(&mut claims.form) {
            *slot = form::field(incoming.body, name).map(Scalar::Owned);
        }
        for piece in &self.base {
            match piece {
                Piece::Header(names) => {
                    first(incoming.headers, names)?;
                }
                Piece::Json(index) if claims.json(*index).is_none() => {
                    return Err(self.missing(scheme, &scheme.base));
                }
                Piece::Form(index) if claims.form(*index).is_none() => {
                    return Err(self.missing(scheme, &scheme.base));
                }
                Piece::Url if incoming.url.is_empty() => return Err(VerifyError::MissingUrl),
                _ => {}
            }
        }
        if let (Some(place), Some(rule)) = (&self.timestamp, &scheme.timestamp) {
            let time = self.timestamp_text(scheme, claims, place).and_then(|text| read_time(rule, text));
            match time {
                Ok(time) => claims.time = Some(time),
                // A request without a signature lacks that first of all.
                Err(error) => return self.presented(scheme, claims, |_| {}).and(Err(error)),
            }
        }
        Ok(())
    }

    /// The time inside a signed body, for schemes that have it there.
    pub(crate) fn late_time(&self, scheme: &Scheme, body: &[u8]) -> Result<Option<UnixTime>, VerifyError> {
        let (Some(pointer), Some(rule)) = (&self.late_timestamp, &scheme.timestamp) else { return Ok(None) };
        let found = find(body, pointer).ok_or_else(|| VerifyError::MissingField { field: place(rule) })?;
        read_time(rule, found.as_str().as_bytes()).map(Some)
    }

    /// Passes every signature on that the sender presents, decoded. Fails if there is none of the right kind.
    pub(crate) fn presented(
        &self,
        scheme: &Scheme,
        claims: &Claims<'_>,
        mut each: impl FnMut(&Signature),
    ) -> Result<(), VerifyError> {
        let mut seen = Seen::default();
        match &self.signature {
            Place::Header(name) => {
                read_signatures(scheme, only(claims.incoming.headers, name)?, &mut seen, &mut each);
            }
            Place::First(names) => {
                read_signatures(scheme, first(claims.incoming.headers, names)?, &mut seen, &mut each);
            }
            Place::Every(names) => {
                let mut any = false;
                for name in names {
                    match only(claims.incoming.headers, name) {
                        Ok(text) => {
                            any = true;
                            read_signatures(scheme, text, &mut seen, &mut each);
                        }
                        Err(VerifyError::MissingHeader { .. }) => {}
                        Err(other) => return Err(other),
                    }
                }
                if let (false, Some(name)) = (any, names.first()) {
                    return Err(VerifyError::MissingHeader { header: name.clone() });
                }
            }
            Place::Json(_) | Place::Form(_) => {
                let text = self
                    .text(claims, &self.signature)
                    .ok_or_else(|| VerifyError::MissingField { field: source(&scheme.signature) })?;
                read_signatures(scheme, text, &mut seen, &mut each);
            }
            Place::Pair(_) => {}
        }
        if seen.decoded {
            return Ok(());
        }
        Err(match (&scheme.grammar, &self.signature) {
            _ if seen.matching => VerifyError::BadEncoding { form: form(scheme) },
            (Grammar::Pairs { .. } | Grammar::Prefixed(_), _) if seen.pairs => {
                VerifyError::NoMatchingScheme { form: form(scheme) }
            }
            (Grammar::Versions(_), _) => VerifyError::NoMatchingScheme { form: form(scheme) },
            (_, Place::Header(name)) => {
                VerifyError::MalformedHeader { header: name.clone(), form: form(scheme) }
            }
            (_, Place::First(names) | Place::Every(names)) if !names.is_empty() => {
                let header = names.first().cloned().unwrap_or(http::header::AUTHORIZATION);
                VerifyError::MalformedHeader { header, form: form(scheme) }
            }
            _ => VerifyError::BadEncoding { form: form(scheme) },
        })
    }

    /// Passes the signed bytes on, piece by piece: bodies may be binary and are never copied into a base
    /// string. With `body` as `None`, only what comes before it.
    pub(crate) fn feed(
        &self,
        scheme: &Scheme,
        claims: &Claims<'_>,
        url: &str,
        secret: &[u8],
        sink: &mut dyn FnMut(&[u8]),
    ) {
        for piece in &self.base {
            self.feed_piece(scheme, piece, claims, url, secret, sink);
        }
    }

    /// The signed bytes before the body, or those after it.
    pub(crate) fn feed_beside_body(
        &self,
        scheme: &Scheme,
        claims: &Claims<'_>,
        url: &str,
        after: bool,
        sink: &mut dyn FnMut(&[u8]),
    ) {
        let is_body = |piece: &Piece| matches!(piece, Piece::Body);
        let split = self.base.iter().position(is_body).unwrap_or(self.base.len());
        let pieces = if after { self.base.get(split + 1..) } else { self.base.get(..split) };
        for piece in pieces.unwrap_or_default() {
            self.feed_piece(scheme, piece, claims, url, &[], sink);
        }
    }

    /// Whether the body can be hashed as it arrives.
    pub(crate) fn can_stream(&self) -> bool {
        let bodies = self.base.iter().filter(|piece| matches!(piece, Piece::Body)).count();
        bodies == 1 && self.json.is_empty() && self.form.is_empty() && self.late_timestamp.is_none()
    }

    fn feed_piece(
        &self,
        scheme: &Scheme,
        piece: &Piece,
        claims: &Claims<'_>,
        url: &str,
        secret: &[u8],
        sink: &mut dyn FnMut(&[u8]),
    ) {
        // What is missing was refused by `claims`.
        match piece {
            Piece::Literal(text) => sink(text.as_bytes()),
            Piece::Header(names) => sink(first(claims.incoming.headers, names).unwrap_or_default()),
            Piece::Json(index) => sink(claims.json(*index).unwrap_or_default()),
            Piece::Form(index) => sink(claims.form(*index).unwrap_or_default()),
            Piece::Timestamp => {
                if let Some(place) = &self.timestamp {
                    sink(self.timestamp_text(scheme, claims, place).unwrap_or_default());
                }
            }
            Piece::Method => sink(claims.incoming.method.as_str().as_bytes()),
            Piece::Url => sink(url.as_bytes()),
            Piece::Secret => sink(secret),
            Piece::Body => sink(claims.incoming.body),
        }
    }

    fn text<'c>(&self, claims: &'c Claims<'_>, place: &Place) -> Option<&'c [u8]> {
        match place {
            Place::Json(index) => claims.json(*index),
            Place::Form(index) => claims.form(*index),
            _ => None,
        }
    }

    fn timestamp_text<'c>(
        &self,
        scheme: &Scheme,
        claims: &'c Claims<'_>,
        place: &Place,
    ) -> Result<&'c [u8], VerifyError> {
        let missing = || VerifyError::MissingField {
            field: scheme.timestamp.as_ref().map(self::place).unwrap_or_default(),
        };
        match place {
            Place::Header(name) => only(claims.incoming.headers, name),
            Place::First(names) => first(claims.incoming.headers, names),
            Place::Pair(key) => {
                let text = match &self.signature {
                    Place::Header(name) => only(claims.incoming.headers, name)?,
                    Place::First(names) => first(claims.incoming.headers, names)?,
                    _ => return Err(missing()),
                };
                let Grammar::Pairs { separator, .. } = &scheme.grammar else { return Err(missing()) };
                let mut found = pairs(text, *separator).filter(|(name, _)| *name == key.as_bytes());
                let malformed = || VerifyError::MalformedHeader {
                    header: self.signature_header().unwrap_or(http::header::AUTHORIZATION),
                    form: form(scheme),
                };
                let (_, value) = found.next().ok_or_else(malformed)?;
                // Two times leave open which one is signed.
                if found.any(|(_, other)| other != value) { Err(malformed()) } else { Ok(value) }
            }
            Place::Json(_) | Place::Form(_) => self.text(claims, place).ok_or_else(missing),
            Place::Every(_) => Err(missing()),
        }
    }

    fn missing(&self, scheme: &Scheme, base: &[Part]) -> VerifyError {
        let field = base.iter().find_map(|part| match part {
            Part::Json(text) | Part::Form(text) => Some(text.to_string()),
            _ => None,
        });
        VerifyError::MissingField { field: field.unwrap_or_else(|| scheme.name.to_string()) }
    }

    /// The header that a sender puts the signature in, if it is one.
    pub(crate) fn signature_header(&self) -> Option<HeaderName> {
        match &self.signature {
            Place::Header(name) => Some(name.clone()),
            Place::First(names) | Place::Every(names) => names.first().cloned(),
            _ => None,
        }
    }

    /// The header that a sender puts the timestamp in, if it is one.
    pub(crate) fn timestamp_header(&self) -> Option<HeaderName> {
        match self.timestamp.as_ref()? {
            Place::Header(name) => Some(name.clone()),
            Place::First(names) => names.first().cloned(),
            _ => None,
        }
    }

    /// The headers that are signed beside the timestamp.
    pub(crate) fn signed_headers(&self) -> impl Iterator<Item = &[HeaderName]> {
        self.base.iter().filter_map(|piece| match piece {
            Piece::Header(names) => Some(&**names),
            _ => None,
        })
    }
}

impl<'a> Claims<'a> {
    pub(crate) fn new(incoming: Incoming<'a>) -> Self {
        const NONE: Option<Scalar<'_>> = None;
        Self { incoming, json: [NONE; MAX_SIGNED_VALUES], form: [NONE; MAX_SIGNED_VALUES], time: None }
    }

    fn json(&self, index: usize) -> Option<&[u8]> {
        self.json.get(index)?.as_ref().map(|scalar| scalar.as_str().as_bytes())
    }

    fn form(&self, index: usize) -> Option<&[u8]> {
        self.form.get(index)?.as_ref().map(|scalar| scalar.as_str().as_bytes())
    }
}

/// What was found on the way to a signature, to say what is wrong.
#[derive(Default)]
struct Seen {
    /// A signature of some kind, whether or not it is the scheme's.
    pairs: bool,
    matching: bool,
    decoded: bool,
}

/// Reads the signatures out of one header or field.
fn read_signatures(scheme: &Scheme, text: &[u8], seen: &mut Seen, each: &mut impl FnMut(&Signature)) {
    let mut one = |text: &[u8]| {
        seen.matching = true;
        if let Some(signature) = decode(scheme, text) {
            seen.decoded = true;
            each(&signature);
        }
    };
    match &scheme.grammar {
        Grammar::Bare => one(text),
        Grammar::Prefixed(prefix) => {
            // The names of HTTP's own authentication schemes have no case.
            let is_any_case = scheme.algorithm == Algorithm::Token && prefix.ends_with(' ');
            let found = text.split_at_checked(prefix.len()).filter(|(start, _)| {
                *start == prefix.as_bytes() || is_any_case && start.eq_ignore_ascii_case(prefix.as_bytes())
            });
            match found {
                Some((_, text)) => one(text),
                None => seen.pairs |= names_a_kind(text),
            }
        }
        Grammar::Pairs { separator, signature } => {
            let mut any = false;
            for (key, value) in pairs(text, *separator) {
                any = true;
                if key == signature.as_bytes() {
                    one(value);
                }
            }
            seen.pairs |= any;
        }
        Grammar::Versions(version) => {
            for entry in text.split(|byte| *byte == b' ') {
                let rest = entry.strip_prefix(version.as_bytes()).and_then(|rest| rest.strip_prefix(b","));
                if let Some(text) = rest {
                    one(text);
                }
            }
        }
    }
}

/// Whether the text is a short name, `=` and more, such as `sha1=00`: a signature of another kind.
fn names_a_kind(text: &[u8]) -> bool {
    const LONGEST_NAME: usize = 15;
    let at = text.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b'=');
    let is_name = |at: &usize| {
        let name = text.get(..*at).unwrap_or_default();
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    at.is_some_and(|at| is_name(&at) && at + 1 < text.len())
}

fn decode(scheme: &Scheme, text: &[u8]) -> Option<Signature> {
    match (scheme.algorithm, scheme.encoding) {
        (Algorithm::Token, Encoding::Base64) => {
            use base64::Engine;
            let mut bytes = [0; MAX_TOKEN_BYTES];
            let length = crate::encoding::BASE64.decode_slice(text, &mut bytes).ok()?;
            Some(Signature::new(&token(bytes.get(..length)?)))
        }
        (Algorithm::Token, _) => Some(Signature::new(&token(text))),
        (_, encoding) => Signature::decode(encoding, text),
    }
}

/// `key=value` by `key=value`, without the blanks round a pair.
fn pairs(text: &[u8], separator: char) -> impl Iterator<Item = (&[u8], &[u8])> {
    let separator = u8::try_from(separator).unwrap_or(b',');
    text.split(move |byte| *byte == separator).filter_map(|pair| {
        let pair = pair.trim_ascii();
        let middle = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair.get(..middle)?, pair.get(middle + 1..)?))
    })
}

/// The value of a header, which may be repeated only with the same value.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h [u8], VerifyError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().ok_or_else(|| VerifyError::MissingHeader { header: name.clone() })?;
    if values.any(|value| value != first) {
        return Err(VerifyError::DuplicateHeader { header: name.clone() });
    }
    Ok(first.as_bytes())
}

/// The value of the first of these headers that is there.
fn first<'h>(headers: &'h HeaderMap, names: &[HeaderName]) -> Result<&'h [u8], VerifyError> {
    let present = names.iter().find(|name| headers.contains_key(*name)).or(names.first());
    // A scheme that names no header was refused.
    present.map_or(Ok(&[]), |name| only(headers, name))
}

pub(crate) fn read_time(rule: &TimestampRule, text: &[u8]) -> Result<UnixTime, VerifyError> {
    let seconds = match rule.unit {
        TimestampUnit::Rfc3339 => rfc3339::parse(text).map(|time| time.0),
        TimestampUnit::Seconds => digits(text),
        TimestampUnit::Milliseconds => digits(text).map(|value| value / 1000),
    };
    seconds.map(UnixTime).ok_or_else(|| VerifyError::BadTimestamp { place: place(rule) })
}

/// Digits only: no sign, blank or fraction, which readers understand differently. 15 digits cannot overflow.
fn digits(text: &[u8]) -> Option<i64> {
    let is_number = (1..=15).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// How far the timestamp may be from `now`.
pub(crate) fn check_window(rule: &TimestampRule, signed: UnixTime, now: UnixTime) -> Result<(), VerifyError> {
    window(signed, now, rule.past_seconds, rule.future_seconds)
}

/// As [`check_window`], for rules in code.
pub(crate) fn window(signed: UnixTime, now: UnixTime, past: u32, future: u32) -> Result<(), VerifyError> {
    let age_seconds = now.0.saturating_sub(signed.0);
    if age_seconds > i64::from(past) {
        return Err(VerifyError::TimestampTooOld { age_seconds, limit_seconds: past });
    }
    let ahead_seconds = age_seconds.saturating_neg();
    if ahead_seconds > i64::from(future) {
        return Err(VerifyError::TimestampInFuture { ahead_seconds, limit_seconds: future });
    }
    Ok(())
}

/// The URL with the scheme's escapes decoded, if that is another one.
pub(crate) fn unescaped<'u>(scheme: &Scheme, url: &'u str) -> Option<Cow<'u, str>> {
    if scheme.url_escapes.is_empty() || !url.contains('%') {
        return None;
    }
    let mut plain = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let known = escape
            .get(..3)
            .filter(|escape| scheme.url_escapes.iter().any(|known| known.eq_ignore_ascii_case(escape)));
        let decoded = known.and_then(|text| u8::from_str_radix(text.get(1..)?, 16).ok());
        let taken = match decoded.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                3
            }
            None => {
                plain.push('%');
                1
            }
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    plain.push_str(rest);
    (plain != url).then_some(Cow::Owned(plain))
}

/// For an error's text: what the signature should look like.
pub(crate) fn form(scheme: &Scheme) -> String {
    let encoding = match scheme.encoding {
        Encoding::Hex => "<hex>",
        Encoding::Base64 => "<base64>",
        Encoding::Text => "<text>",
    };
    match &scheme.grammar {
        Grammar::Bare => encoding.to_owned(),
        Grammar::Prefixed(prefix) => format!("{prefix}{encoding}"),
        Grammar::Pairs { separator, signature } => match &scheme.timestamp {
            Some(TimestampRule { source: Source::Pair(key), .. }) => {
                format!("{key}=<timestamp>{separator}{signature}={encoding}")
            }
            _ => format!("{signature}={encoding}"),
        },
        Grammar::Versions(version) => format!("{version},{encoding}"),
    }
}

/// For an error's text: where the timestamp should be.
fn place(rule: &TimestampRule) -> String {
    source(&rule.source)
}

fn source(source: &Source) -> String {
    match source {
        Source::Header(name) | Source::Json(name) | Source::Form(name) | Source::Pair(name) => {
            name.to_string()
        }
        Source::FirstHeader(names) | Source::EveryHeader(names) => {
            names.first().map(ToString::to_string).unwrap_or_default()
        }
    }
}

fn unusable(scheme: &Scheme, reason: &str) -> BuildError {
    BuildError::InvalidScheme { scheme: scheme.name.to_string(), reason: reason.to_owned() }
}

pub(crate) fn header(scheme: &Scheme, name: &str) -> Result<HeaderName, BuildError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| unusable(scheme, &format!("`{name}` is not a header name; correct it")))
}

fn headers(scheme: &Scheme, names: &[Cow<'static, str>]) -> Result<Vec<HeaderName>, BuildError> {
    if names.is_empty() {
        return Err(unusable(scheme, "a list of headers is empty; name one"));
    }
    names.iter().map(|name| header(scheme, name)).collect()
}

pub(crate) fn pointer(scheme: &Scheme, text: &str) -> Result<Pointer, BuildError> {
    Pointer::parse(text)
        .ok_or_else(|| unusable(scheme, &format!("JSON pointer `{text}` does not start with `/`; add it")))
}

/// What contradicts itself, as a table of conditions and remedies.
fn check(scheme: &Scheme) -> Result<(), BuildError> {
    let is_code = matches!(scheme.algorithm, Algorithm::Code(_));
    let is_token = scheme.algorithm == Algorithm::Token;
    let signs = |part: &Part| scheme.base.contains(part);
    let timestamp = scheme.timestamp.as_ref().map(|rule| &rule.source);
    let timed_body = matches!(timestamp, Some(Source::Json(_))) && signs(&Part::Body);
    let is_pair = matches!(timestamp, Some(Source::Pair(_)));
    let contradictions = [
        (scheme.name.trim().is_empty(), "it has no name; give it one"),
        (
            !is_code && !is_token && signs(&Part::Body) != scheme.covers_body,
            "`covers_body` and `base` contradict each other: the signature does not cover the body unless \
             `body` is in `base`; add it, or set `covers_body = false`",
        ),
        (
            is_token && scheme.covers_body,
            "a token does not cover the body; set `covers_body = false` and an empty `base`",
        ),
        (is_token && !scheme.base.is_empty(), "a token signs nothing; set `base = []`"),
        (
            !is_code && !timed_body && signs(&Part::Timestamp) != scheme.timestamp.is_some(),
            "a timestamp counts only if it is signed; set both `timestamp` in `base` and a `timestamp` rule, or \
             neither",
        ),
        (
            is_pair && !matches!(scheme.grammar, Grammar::Pairs { .. }),
            "a timestamp in a pair needs the grammar `pairs`; set it",
        ),
        (
            matches!(timestamp, Some(Source::EveryHeader(_))),
            "a timestamp stands in one header; use `header` or `first_header`",
        ),
        (
            is_pair && !matches!(scheme.signature, Source::Header(_) | Source::FirstHeader(_)),
            "a timestamp in a pair stands in the one header of the signature; use `header` or `first_header`",
        ),
        (matches!(scheme.signature, Source::Pair(_)), "only a timestamp can be a `pair`; name the header"),
        (
            signs(&Part::Secret) != matches!(scheme.algorithm, Algorithm::Digest(_)),
            "`secret` belongs in `base` for a plain `digest`, and only there",
        ),
        (
            scheme.encoding == Encoding::Text && !is_token && !is_code,
            "a signature is `hex` or `base64`; only a token is `text`",
        ),
        (
            matches!(&scheme.grammar, Grammar::Pairs { separator, signature }
                if !separator.is_ascii() || signature.is_empty()),
            "`pairs` needs an ASCII separator and the key of the signature; set both",
        ),
        (scheme.methods.is_empty(), "it has no `methods`; name one, usually POST"),
        (scheme.body_limit_bytes == 0, "`body_limit_bytes` is 0; set the largest body to accept"),
        (
            !(200..300).contains(&scheme.acknowledge),
            "`acknowledge` is not a success status; use 200, 202 or 204",
        ),
    ];
    match contradictions.into_iter().find(|(is_contradiction, _)| *is_contradiction) {
        Some((_, reason)) => Err(unusable(scheme, reason)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn contradictions_are_refused_with_a_remedy() {
        let slack = || schemes::SLACK.clone();
        let github = || schemes::GITHUB.clone();
        let cases: [(Scheme, &str); 12] = [
            (Scheme { name: "".into(), ..github() }, "no name"),
            (Scheme { base: vec![Part::Literal("x".into())].into(), ..github() }, "cover the body"),
            (Scheme { covers_body: false, ..github() }, "cover the body"),
            (Scheme { timestamp: None, ..slack() }, "timestamp"),
            (Scheme { base: vec![Part::Body].into(), ..slack() }, "timestamp"),
            (Scheme { signature: Source::Header("a b".into()), ..github() }, "header name"),
            (Scheme { signature: Source::Json("id".into()), ..github() }, "start with `/`"),
            (Scheme { signature: Source::FirstHeader(vec![].into()), ..github() }, "is empty"),
            (Scheme { algorithm: Algorithm::Token, ..github() }, "does not cover the body"),
            (Scheme { base: vec![Part::Secret, Part::Body].into(), ..github() }, "digest"),
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
    fn milliseconds_and_dates_are_understood() {
        let mut rule = TimestampRule::header("x", 300);
        for (unit, text, expected) in [
            (TimestampUnit::Seconds, "1750000000", Some(1_750_000_000)),
            (TimestampUnit::Milliseconds, "1750000000999", Some(1_750_000_000)),
            (TimestampUnit::Rfc3339, "2025-06-15T15:06:40Z", Some(1_750_000_000)),
            (TimestampUnit::Seconds, "+1750000000", None),
            (TimestampUnit::Seconds, "1e9", None),
            (TimestampUnit::Milliseconds, "9999999999999999", None),
            (TimestampUnit::Rfc3339, "1750000000", None),
        ] {
            rule.unit = unit;
            assert_eq!(read_time(&rule, text.as_bytes()).ok(), expected.map(UnixTime), "{text}");
        }
    }

    #[test]
    fn only_the_escapes_that_a_scheme_names_are_decoded() {
        let mut scheme = schemes::GITHUB.clone();
        scheme.url_escapes = vec!["%3A".into(), "%2F".into()].into();
        let cases = [
            ("https://x/?u=http%3a%2F%2Fy%20z%", Some("https://x/?u=http://y%20z%")),
            ("https://x/?u=%20", None),
            ("https://x/", None),
        ];
        for (url, expected) in cases {
            assert_eq!(unescaped(&scheme, url).as_deref(), expected);
        }
    }
}
