//! Reads a few values out of a JSON text in one pass.
//!
//! An id and an event type are wanted from payloads of up to 25 MB. Parsing those into a tree would cost
//! several times their size in memory, so this walks the text, keeps the strings and numbers at the wanted
//! pointers, and checks on the way that the whole text is well-formed. Not for decoding payloads: that is
//! serde's job.

use std::fmt::{self, Write};

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::PayloadError;

/// Which pointers are still possible, one bit each; 64 is far beyond what any scheme names.
type Mask = u64;
pub(crate) const MAX_POINTERS: usize = Mask::BITS as usize;

/// A JSON pointer (RFC 6901), split and unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    key: String,
    /// The same as a place in an array, if it can be one.
    index: Option<usize>,
}

impl Pointer {
    /// `None` if the text neither is empty nor starts with `/`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let segment = |text: &str| {
            let key = text.replace("~1", "/").replace("~0", "~");
            // `01` and `+1` are keys and no places.
            let index = key.parse().ok().filter(|index: &usize| index.to_string() == key);
            Segment { key, index }
        };
        Some(Self(text.strip_prefix('/')?.split('/').map(segment).collect()))
    }
}

/// A string or a number of a JSON text. Borrowed where the text has no escapes; a number stands in place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'j> {
    Borrowed(&'j str),
    Owned(String),
    Number(Digits),
}

impl Scalar<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
            Self::Number(digits) => digits.as_str(),
        }
    }
}

/// A number as text, without an allocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Digits {
    bytes: [u8; 32],
    length: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        // Only whole strings are written into it.
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Puts the strings and numbers at `pointers` into `found`, in their order. The last of several equal keys
/// counts, as in serde_json. At most [`MAX_POINTERS`] pointers are looked at.
pub(crate) fn extract<'j>(
    json: &'j [u8],
    pointers: &[Pointer],
    found: &mut [Option<Scalar<'j>>],
) -> Result<(), PayloadError> {
    let text = std::str::from_utf8(json).map_err(|_| PayloadError::NotUtf8)?;
    let active = (0..pointers.len().min(MAX_POINTERS)).fold(0, |mask, index| mask | bit(index));
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Walk { pointers, active, depth: 0, found }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(PayloadError::Json)
}

/// The string or number at one pointer; `None` also if the text is no JSON.
pub(crate) fn find<'j>(json: &'j [u8], pointer: &Pointer) -> Option<Scalar<'j>> {
    let mut found = [None];
    extract(json, std::slice::from_ref(pointer), &mut found).ok()?;
    let [found] = found;
    found
}

fn bit(index: usize) -> Mask {
    1 << index
}

/// Visits the value at `depth`, reached along the `active` pointers.
struct Walk<'a, 'j> {
    pointers: &'a [Pointer],
    active: Mask,
    depth: usize,
    found: &'a mut [Option<Scalar<'j>>],
}

/// The pointers that go on through a segment.
fn follow(pointers: &[Pointer], active: Mask, depth: usize, goes_on: impl Fn(&Segment) -> bool) -> Mask {
    pointers
        .iter()
        .take(MAX_POINTERS)
        .enumerate()
        .filter(|(index, pointer)| active & bit(*index) != 0 && pointer.0.get(depth).is_some_and(&goes_on))
        .fold(0, |mask, (index, _)| mask | bit(index))
}

impl<'j> Walk<'_, 'j> {
    fn each_active(&mut self, mut visit: impl FnMut(&Pointer, &mut Option<Scalar<'j>>)) {
        let slots = self.pointers.iter().take(MAX_POINTERS).zip(self.found.iter_mut()).enumerate();
        for (_, (pointer, slot)) in slots.filter(|(index, _)| self.active & bit(*index) != 0) {
            visit(pointer, slot);
        }
    }

    fn capture<E>(mut self, value: impl Fn() -> Scalar<'j>) -> Result<(), E> {
        let depth = self.depth;
        self.each_active(|pointer, slot| {
            if pointer.0.len() == depth {
                *slot = Some(value());
            }
        });
        Ok(())
    }

    fn number<E>(self, value: impl fmt::Display) -> Result<(), E> {
        self.capture(|| {
            let mut digits = Digits { bytes: [0; 32], length: 0 };
            match write!(digits, "{value}") {
                Ok(()) => Scalar::Number(digits),
                // Floats can be longer.
                Err(_) => Scalar::Owned(value.to_string()),
            }
        })
    }
}

impl<'j> DeserializeSeed<'j> for Walk<'_, 'j> {
    type Value = ();

    fn deserialize<D: Deserializer<'j>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.active == 0 {
            return serde::Deserialize::deserialize(deserializer).map(|IgnoredAny| ());
        }
        // A key that comes again replaces what the earlier one held.
        self.each_active(|_, slot| *slot = None);
        deserializer.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Walk<'_, 'j> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { pointers, active, depth, found } = self;
        while let Some(active) = map.next_key_seed(Key { pointers, active, depth })? {
            map.next_value_seed(Walk { pointers, active, depth: depth + 1, found: &mut *found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { pointers, active, depth, found } = self;
        for index in 0_usize.. {
            let active = follow(pointers, active, depth, |segment| segment.index == Some(index));
            let item = Walk { pointers, active, depth: depth + 1, found: &mut *found };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, value: &'j str) -> Result<(), E> {
        self.capture(|| Scalar::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.capture(|| Scalar::Owned(value.to_owned()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a key without copying it and answers which pointers go on through it.
struct Key<'a> {
    pointers: &'a [Pointer],
    active: Mask,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Mask;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Mask, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Mask;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Mask, E> {
        Ok(follow(self.pointers, self.active, self.depth, |segment| segment.key == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str, pointer: &str) -> Option<String> {
        let mut found = [None];
        extract(json.as_bytes(), &[Pointer::parse(pointer).unwrap()], &mut found).unwrap();
        let [found] = found;
        found.map(|scalar| scalar.as_str().to_owned())
    }

    #[test]
    fn values_are_found_as_serde_json_finds_them() {
        let cases = [
            (r#"{"a":{"b":"x"}}"#, "/a/b", Some("x")),
            (r#"{"a":{"b":"\u0078\n"}}"#, "/a/b", Some("x\n")),
            (r#"{"a":{"b":17}}"#, "/a/b", Some("17")),
            (r#"{"a":-3}"#, "/a", Some("-3")),
            (r#"{"a":1.5}"#, "/a", Some("1.5")),
            (r#"[{"id":1},{"id":2}]"#, "/1/id", Some("2")),
            (r#"{"a/b":{"c~d":"x"}}"#, "/a~1b/c~0d", Some("x")),
            (r#"{"":"x"}"#, "/", Some("x")),
            (r#""x""#, "", Some("x")),
            (r#"{"a":"first","a":"last"}"#, "/a", Some("last")),
            (r#"{"a":{"b":"first"},"a":null}"#, "/a/b", None),
            (r#"{"a":null,"b":true,"c":{},"d":[]}"#, "/a", None),
            (r#"{"b":true}"#, "/b", None),
            (r#"{"c":{}}"#, "/c", None),
            (r#"{"d":["x"]}"#, "/d", None),
            (r#"{"a":"x"}"#, "/a/b", None),
            ("{}", "/a", None),
            ("null", "/a", None),
        ];
        for (json, pointer, expected) in cases {
            assert_eq!(one(json, pointer).as_deref(), expected, "{json} {pointer}");
        }
    }

    #[test]
    fn broken_json_is_an_error_even_where_nothing_is_wanted() {
        for json in ["", " ", "{", "{\"a\":}", "{} x", "{\"b\":[1,}", "\u{feff}{}", "{'a':1}"] {
            let result = extract(json.as_bytes(), &[Pointer::parse("/a").unwrap()], &mut [None]);
            assert!(matches!(result, Err(PayloadError::Json(_))), "{json:?}");
        }
        assert!(matches!(extract(b"{\"b\":\"\xff\"}", &[], &mut []), Err(PayloadError::NotUtf8)));
    }

    #[test]
    fn deep_nesting_is_no_stack_overflow() {
        let json = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let _ = extract(json.as_bytes(), &[Pointer::parse("/0/0/0").unwrap()], &mut [None]);
        let _ = extract(json.as_bytes(), &[Pointer::parse(&"/0".repeat(1000)).unwrap()], &mut [None]);
    }

    #[test]
    fn a_pointer_starts_with_a_slash() {
        assert_eq!(Pointer::parse("event/type"), None);
    }
}
