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
use crate::pointer::{Pointer, Scalar, extract, find};
use crate::scheme::{Grammar, Part, Scheme, Source, TimestampRule};

mod check;
mod grammar;
mod url;
mod window;

use check::check;
pub(crate) use grammar::form;
use grammar::{Seen, pairs, read_signatures};
pub(crate) use url::unescaped;
pub(crate) use window::{check_window, read_time, window};

/// How many values of the body a signature and its base may name: kept on the stack.
const MAX_SIGNED_VALUES: usize = 4;

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
            *slot = form::scalar(incoming.body, name);
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
                    // Asked first: most of them are missing, and an error would be made for each.
                    if claims.incoming.headers.contains_key(name) {
                        any = true;
                        let text = only(claims.incoming.headers, name)?;
                        read_signatures(scheme, text, &mut seen, &mut each);
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
    /// string.
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
