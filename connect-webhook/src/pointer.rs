//! Reads a few values out of a JSON text in one pass.
//!
//! An id and an event type are wanted from payloads of up to 25 MB. Parsing those into a tree would cost
//! several times their size in memory, so this walks the text, keeps the strings and numbers at the wanted
//! pointers, and checks on the way that the whole text is well-formed. Not for decoding payloads: that is
//! serde's job.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::PayloadError;

/// Which pointers are still possible, one bit each; 64 is far beyond what any scheme names.
type Mask = u64;
pub(crate) const MAX_POINTERS: usize = Mask::BITS as usize;

/// A JSON pointer (RFC 6901), split and unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// `None` if the text neither is empty nor starts with `/`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let segments = text.strip_prefix('/')?.split('/');
        Some(Self(segments.map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()))
    }
}

/// The strings and numbers at `pointers`, in their order. The last of several equal keys counts, as in
/// serde_json. At most [`MAX_POINTERS`] pointers are looked at.
pub(crate) fn extract(json: &[u8], pointers: &[Pointer]) -> Result<Vec<Option<String>>, PayloadError> {
    let text = std::str::from_utf8(json).map_err(|_| PayloadError::NotUtf8)?;
    let mut found = vec![None; pointers.len()];
    let active = (0..pointers.len().min(MAX_POINTERS)).fold(0, |mask, index| mask | bit(index));
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Walk { pointers, active, depth: 0, found: &mut found }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(PayloadError::Json)?;
    Ok(found)
}

fn bit(index: usize) -> Mask {
    1 << index
}

/// Visits the value at `depth`, reached along the `active` pointers.
struct Walk<'a> {
    pointers: &'a [Pointer],
    active: Mask,
    depth: usize,
    found: &'a mut [Option<String>],
}

impl Walk<'_> {
    /// The pointers that go on through `segment`.
    fn follow(pointers: &[Pointer], active: Mask, depth: usize, segment: &str) -> Mask {
        let goes_on = |pointer: &Pointer| pointer.0.get(depth).is_some_and(|wanted| wanted == segment);
        pointers
            .iter()
            .take(MAX_POINTERS)
            .enumerate()
            .filter(|(index, pointer)| active & bit(*index) != 0 && goes_on(pointer))
            .fold(0, |mask, (index, _)| mask | bit(index))
    }

    fn each_active(&mut self, mut visit: impl FnMut(&Pointer, &mut Option<String>)) {
        let slots = self.pointers.iter().take(MAX_POINTERS).zip(self.found.iter_mut()).enumerate();
        for (_, (pointer, slot)) in slots.filter(|(index, _)| self.active & bit(*index) != 0) {
            visit(pointer, slot);
        }
    }

    fn capture<E>(mut self, value: impl fmt::Display) -> Result<(), E> {
        let depth = self.depth;
        self.each_active(|pointer, slot| {
            if pointer.0.len() == depth {
                *slot = Some(value.to_string());
            }
        });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.active == 0 {
            return serde::Deserialize::deserialize(deserializer).map(|IgnoredAny| ());
        }
        // A key that comes again replaces what the earlier one held.
        self.each_active(|_, slot| *slot = None);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { pointers, active, depth, found } = self;
        while let Some(active) = map.next_key_seed(Key { pointers, active, depth })? {
            map.next_value_seed(Walk { pointers, active, depth: depth + 1, found: &mut *found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { pointers, active, depth, found } = self;
        for index in 0_usize.. {
            let active = Self::follow(pointers, active, depth, &index.to_string());
            let item = Walk { pointers, active, depth: depth + 1, found: &mut *found };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.capture(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.capture(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.capture(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.capture(value)
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
        Ok(Walk::follow(self.pointers, self.active, self.depth, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str, pointer: &str) -> Option<String> {
        extract(json.as_bytes(), &[Pointer::parse(pointer).unwrap()]).unwrap().remove(0)
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
            let result = extract(json.as_bytes(), &[Pointer::parse("/a").unwrap()]);
            assert!(matches!(result, Err(PayloadError::Json(_))), "{json:?}");
        }
        assert!(matches!(extract(b"{\"b\":\"\xff\"}", &[]), Err(PayloadError::NotUtf8)));
    }

    #[test]
    fn deep_nesting_is_no_stack_overflow() {
        let json = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let _ = extract(json.as_bytes(), &[Pointer::parse("/0/0/0").unwrap()]);
        let _ = extract(json.as_bytes(), &[Pointer::parse(&"/0".repeat(1000)).unwrap()]);
    }

    #[test]
    fn a_pointer_starts_with_a_slash() {
        assert_eq!(Pointer::parse("event/type"), None);
    }
}
