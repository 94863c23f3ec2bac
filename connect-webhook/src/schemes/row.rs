//! How a row is written: it starts as what most providers do, and says only how it differs.

use std::borrow::Cow::Borrowed;
use std::mem;

use crate::scheme::{
    AcknowledgeBody, Algorithm, Challenge, Code, DEFAULT_BODY_LIMIT_BYTES, Encoding, FormRule, Grammar, Hash,
    List, Locator, Part, Scheme, SecretForm, Source, Text, TimestampRule, TimestampUnit,
};

const POST: List<Text> = Borrowed(&[Borrowed("POST")]);

/// Hexadecimal HMAC-SHA256 over the raw body, answered 202: the same as [`Scheme::new`].
pub(super) const fn row(name: &'static str, signature_header: &'static str) -> Scheme {
    Scheme {
        name: Borrowed(name),
        docs: Borrowed(""),
        algorithm: Algorithm::Hmac(Hash::Sha256),
        signature: Source::Header(Borrowed(signature_header)),
        grammar: Grammar::Bare,
        encoding: Encoding::Hex,
        secret: SecretForm {
            prefix: Borrowed(""),
            encoding: Encoding::Text,
            least_bytes: 1,
            most_bytes: None,
        },
        base: Borrowed(&[Part::Body]),
        covers_body: true,
        weak: false,
        bodies_repeat: false,
        bodies_repeat_in: Borrowed(&[]),
        timestamp: None,
        url_escapes: Borrowed(&[]),
        methods: POST,
        id: Borrowed(&[]),
        event: Borrowed(&[]),
        ordering_key: Borrowed(&[]),
        batch: None,
        keep_headers: Borrowed(&[]),
        json_types: Borrowed(&[]),
        form: FormRule::Refuse,
        challenge: Challenge::None,
        body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES,
        acknowledge: 202,
        acknowledge_body: AcknowledgeBody::Status,
    }
}

/// The sender repeats the secret in this header.
pub(super) const fn token(name: &'static str, header: &'static str) -> Scheme {
    let mut scheme = row(name, header);
    scheme.algorithm = Algorithm::Token;
    scheme.encoding = Encoding::Text;
    put(&mut scheme.base, Borrowed(&[]));
    scheme.covers_body = false;
    scheme
}

/// HTTP's Basic authentication; the secret is `user:password`.
pub(super) const fn basic(name: &'static str) -> Scheme {
    token(name, "Authorization").prefix("Basic ").encoding(Encoding::Base64)
}

/// A rule that is a program, in [`code`](crate::code).
pub(super) const fn code(name: &'static str, signature_header: &'static str, rule: Code) -> Scheme {
    let mut scheme = row(name, signature_header);
    scheme.algorithm = Algorithm::Code(rule);
    scheme
}

/// The timestamp is a header.
pub(super) const fn at_header(header: &'static str) -> Source {
    Source::Header(Borrowed(header))
}

/// The timestamp is a pair of the signature's own header.
pub(super) const fn at_pair(key: &'static str) -> Source {
    Source::Pair(Borrowed(key))
}

/// What a row says. `Scheme { id, ..row }` would be the shorter way, but a constant expression cannot drop
/// the fields that are replaced; [`put`] forgets them instead, which loses nothing, for they are borrowed.
impl Scheme {
    pub(super) const fn docs(mut self, url: &'static str) -> Self {
        put(&mut self.docs, Borrowed(url));
        self
    }

    pub(super) const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub(super) const fn signature(mut self, source: Source) -> Self {
        put(&mut self.signature, source);
        self
    }

    pub(super) const fn prefix(mut self, prefix: &'static str) -> Self {
        put(&mut self.grammar, Grammar::Prefixed(Borrowed(prefix)));
        self
    }

    pub(super) const fn pairs(mut self, separator: char, signature: &'static str) -> Self {
        put(&mut self.grammar, Grammar::Pairs { separator, signature: Borrowed(signature) });
        self
    }

    pub(super) const fn versions(mut self, version: &'static str) -> Self {
        put(&mut self.grammar, Grammar::Versions(Borrowed(version)));
        self
    }

    pub(super) const fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    pub(super) const fn secret(
        mut self,
        prefix: &'static str,
        encoding: Encoding,
        least_bytes: usize,
    ) -> Self {
        let form = SecretForm { prefix: Borrowed(prefix), encoding, least_bytes, most_bytes: None };
        put(&mut self.secret, form);
        self
    }

    pub(super) const fn most_secret_bytes(mut self, most: usize) -> Self {
        self.secret.most_bytes = Some(most);
        self
    }

    pub(super) const fn base(mut self, parts: &'static [Part]) -> Self {
        put(&mut self.base, Borrowed(parts));
        self
    }

    pub(super) const fn without_body(mut self) -> Self {
        self.covers_body = false;
        self
    }

    pub(super) const fn weak(mut self) -> Self {
        self.weak = true;
        self
    }

    pub(super) const fn bodies_repeat_in(mut self, events: &'static [Text]) -> Self {
        put(&mut self.bodies_repeat_in, Borrowed(events));
        self
    }

    pub(super) const fn bodies_repeat(mut self) -> Self {
        self.bodies_repeat = true;
        self
    }

    /// The same window in both directions: a signature from the future is as odd as an old one.
    pub(super) const fn timestamp(
        mut self,
        source: Source,
        unit: TimestampUnit,
        window_seconds: u32,
    ) -> Self {
        let rule =
            TimestampRule { source, unit, past_seconds: window_seconds, future_seconds: window_seconds };
        put(&mut self.timestamp, Some(rule));
        self
    }

    pub(super) const fn url_escapes(mut self, escapes: &'static [Text]) -> Self {
        put(&mut self.url_escapes, Borrowed(escapes));
        self
    }

    pub(super) const fn methods(mut self, methods: &'static [Text]) -> Self {
        put(&mut self.methods, Borrowed(methods));
        self
    }

    pub(super) const fn id(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.id, Borrowed(locators));
        self
    }

    pub(super) const fn event(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.event, Borrowed(locators));
        self
    }

    pub(super) const fn ordering_key(mut self, locators: &'static [Locator]) -> Self {
        put(&mut self.ordering_key, Borrowed(locators));
        self
    }

    pub(super) const fn batch(mut self, pointer: &'static str) -> Self {
        put(&mut self.batch, Some(Borrowed(pointer)));
        self
    }

    pub(super) const fn keep_headers(mut self, names: &'static [Text]) -> Self {
        put(&mut self.keep_headers, Borrowed(names));
        self
    }

    pub(super) const fn json_types(mut self, types: &'static [Text]) -> Self {
        put(&mut self.json_types, Borrowed(types));
        self
    }

    pub(super) const fn form(mut self, rule: FormRule) -> Self {
        put(&mut self.form, rule);
        self
    }

    pub(super) const fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    pub(super) const fn body_limit_mib(mut self, mib: usize) -> Self {
        self.body_limit_bytes = mib * 1024 * 1024;
        self
    }

    pub(super) const fn acknowledge(mut self, status: u16, body: AcknowledgeBody) -> Self {
        self.acknowledge = status;
        put(&mut self.acknowledge_body, body);
        self
    }
}

/// Replaces a value without dropping the old one.
const fn put<T>(slot: &mut T, value: T) {
    mem::forget(mem::replace(slot, value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_starts_as_what_the_constructor_gives() {
        assert_eq!(row("x", "X-Sig"), Scheme::new("x", "X-Sig"));
    }
}
