//! One of several shapes: the provider says neither which nor how to tell, so the value itself must show it.
//!
//! Trying one shape after the other takes the first that happens to fit, and with tolerant models nearly everything fits.
//! So the shapes are told apart by data: the kind of JSON value, words that only one shape has in a field (`"type":
//! "dir"`), and how many of a shape's promised and known fields are there.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{..}`
    Object,
    /// `[..]`
    List,
    /// `".."`
    Text,
    /// A number.
    Number,
    /// `true`, `false`
    Flag,
}

/// How one shape of a [`Union`] is recognised.
///
/// Written by the generator; [`Union`] has an example.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The kind of value.
    pub kind: Kind,
    /// Fields whose text is one of these words, or it is not this shape.
    pub words: &'static [(&'static str, &'static [&'static str])],
    /// Fields that the shape promises.
    pub required: &'static [&'static str],
    /// Other fields that it may have.
    pub optional: &'static [&'static str],
}

impl Variant {
    /// Any value of a kind.
    pub const fn of(kind: Kind) -> Self {
        Self { kind, words: &[], required: &[], optional: &[] }
    }
}

/// One of several shapes. JSON only, because a value is looked at before it is read.
///
/// ```
/// use connect_model::{Kind, RawValue, Union, Value, Variant};
///
/// #[derive(Debug, PartialEq)]
/// enum Id { Number(i64), Text(String), Unknown(Value) }
///
/// impl Union for Id {
///     const VARIANTS: &'static [Variant] = &[Variant::of(Kind::Number), Variant::of(Kind::Text)];
///
///     fn read(variant: Option<usize>, value: &RawValue) -> Result<Self, serde_json::Error> {
///         Ok(match variant {
///             Some(0) => Self::Number(serde_json::from_str(value.get())?),
///             Some(1) => Self::Text(serde_json::from_str(value.get())?),
///             _ => Self::Unknown(serde_json::from_str(value.get())?),
///         })
///     }
/// }
/// connect_model::unions!(Id);
///
/// let ids: Vec<Id> = serde_json::from_str(r#"[1, "a", true]"#)?;
/// assert_eq!(ids, [Id::Number(1), Id::Text("a".into()), Id::Unknown(true.into())]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Union: Sized {
    /// The shapes.
    const VARIANTS: &'static [Variant];

    /// Reads a value as the shape that was recognised, or as one that nobody knows.
    ///
    /// # Errors
    /// serde_json's, for a field of another type.
    fn read(variant: Option<usize>, value: &RawValue) -> Result<Self, serde_json::Error>;
}

/// Implements `Deserialize` for [unions](crate::Union).
#[macro_export]
macro_rules! unions {
    ($($union:ident),* $(,)?) => {$(
        impl<'de> $crate::Deserialize<'de> for $union {
            fn deserialize<D: $crate::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::deserialize_union(deserializer)
            }
        }
    )*};
}

/// Reads one of several shapes.
///
/// # Errors
/// The deserializer's, for a field of another type than the recognised shape has.
pub fn deserialize_union<'de, T: Union, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    // Owned, because a reader's deserializer has nothing to borrow from.
    let value = Box::<RawValue>::deserialize(deserializer)?;
    T::read(recognise(T::VARIANTS, &value), &value).map_err(|error| {
        // Its line and column count from where the value begins; the outer deserializer knows better.
        let text = error.to_string();
        D::Error::custom(text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text))
    })
}

/// The shape that fits best; the first of equals.
fn recognise(variants: &[Variant], value: &RawValue) -> Option<usize> {
    let kind = match value.get().as_bytes().first()? {
        b'{' => Kind::Object,
        b'[' => Kind::List,
        b'"' => Kind::Text,
        b't' | b'f' => Kind::Flag,
        b'n' => return None,
        _ => Kind::Number,
    };
    let candidates = || variants.iter().enumerate().filter(|(_, variant)| variant.kind == kind);
    if kind != Kind::Object {
        return candidates().next().map(|(at, _)| at);
    }
    let object = Object::read(value)?;
    let mut best: Option<(usize, (usize, usize))> = None;
    for (at, variant) in candidates() {
        let Some(score) = object.score(variant) else { continue };
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}

/// The fields of an object, not read any further.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    fn read(value: &'a RawValue) -> Option<Self> {
        let fields: std::collections::BTreeMap<String, &'a RawValue> =
            serde_json::from_str(value.get()).ok()?;
        Some(Self(fields.into_iter().collect()))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// `None` if it cannot be this shape; else the better the bigger: words that fit, then fields that fit less fields
    /// that are promised and missing or that the shape does not know.
    fn score(&self, variant: &Variant) -> Option<(usize, usize)> {
        for (name, words) in variant.words {
            let text: String = serde_json::from_str(self.get(name)?.get()).ok()?;
            if !words.contains(&text.as_str()) {
                return None;
            }
        }
        let promised = variant.required.iter().filter(|name| self.get(name).is_some()).count();
        let known = variant.optional.iter().filter(|name| self.get(name).is_some()).count();
        let missing = variant.required.len() - promised;
        // Nothing of it, or less than half of what it promises: another shape, which nobody has told us of.
        let has_none = promised + known == 0 && variant.required.len() + variant.optional.len() > 0;
        if has_none || 2 * missing > variant.required.len() {
            return None;
        }
        let foreign = self.0.len().saturating_sub(promised + known);
        Some((variant.words.len(), (2 * (promised + known) + 1024).saturating_sub(2 * missing + foreign)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: &[Variant] = &[
        Variant {
            kind: Kind::Object,
            words: &[("type", &["file"])],
            required: &["type", "size"],
            optional: &[],
        },
        Variant {
            kind: Kind::Object,
            words: &[("type", &["dir"])],
            required: &["type"],
            optional: &["entries"],
        },
        Variant { kind: Kind::Object, words: &[], required: &["id", "login"], optional: &["name"] },
        Variant { kind: Kind::Object, words: &[], required: &["id", "slug"], optional: &["name"] },
        Variant::of(Kind::Text),
    ];

    #[test]
    fn shapes_are_told_apart_by_kind_words_and_fields() {
        let cases = [
            (r#"{"type": "file", "size": 1}"#, Some(0)),
            (r#"{"type": "dir", "size": 1}"#, Some(1)),
            (r#"{"type": "brand_new", "id": 1, "slug": "s"}"#, Some(3)),
            (r#"{"id": 1, "login": "l", "name": "n"}"#, Some(2)),
            (r#"{"brand": 1, "new": "n"}"#, None),
            ("{}", None),
            (r#"{"id": 1, "slug": "l", "name": "n"}"#, Some(3)),
            (r#""text""#, Some(4)),
            ("7", None),
            ("null", None),
        ];
        for (text, expected) in cases {
            let value: Box<RawValue> = serde_json::from_str(text).unwrap();
            assert_eq!(recognise(SHAPES, &value), expected, "{text}");
        }
    }
}
