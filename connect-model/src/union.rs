//! One of several shapes: the provider says neither which nor how to tell, so the value itself must show it.
//!
//! Trying one shape after the other takes the first that happens to fit, and with tolerant models nearly everything fits.
//! So the shapes are told apart by data: the kind of JSON value, words that only one shape has in a field (`"type":
//! "dir"`), and how many of a shape's promised and known fields are there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
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

/// One of several shapes. JSON only, because objects of several shapes are looked at before they are read.
///
/// ```
/// use connect_model::{Deserialize, Deserializer, Kind, Union, Value, Variant};
///
/// #[derive(Debug, PartialEq)]
/// enum Id { Number(i64), Text(String), Unknown(Value) }
///
/// impl Union for Id {
///     const VARIANTS: &'static [Variant] = &[Variant::of(Kind::Number), Variant::of(Kind::Text)];
///
///     fn read<'de, D: Deserializer<'de>>(variant: Option<usize>, value: D) -> Result<Self, D::Error> {
///         Ok(match variant {
///             Some(0) => Self::Number(Deserialize::deserialize(value)?),
///             Some(1) => Self::Text(Deserialize::deserialize(value)?),
///             _ => Self::Unknown(Deserialize::deserialize(value)?),
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
    /// The deserializer's, for a field of another type.
    fn read<'de, D: Deserializer<'de>>(variant: Option<usize>, value: D) -> Result<Self, D::Error>;
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
    if !looks_into_objects(T::VARIANTS) {
        return deserializer.deserialize_any(ByKind(PhantomData));
    }
    // Owned, because a reader's deserializer has nothing to borrow from.
    let value = Box::<RawValue>::deserialize(deserializer)?;
    let mut json = serde_json::Deserializer::from_str(value.get());
    T::read(recognise(T::VARIANTS, &value), &mut json).map_err(|error| {
        // Its line and column count from where the value begins; the outer deserializer knows better.
        let text = error.to_string();
        D::Error::custom(text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text))
    })
}

/// Is there more than one shape of objects, or one that not every object has?
const fn looks_into_objects(variants: &[Variant]) -> bool {
    let (mut at, mut objects) = (0, 0);
    while at < variants.len() {
        if matches!(variants[at].kind, Kind::Object) {
            objects += 1;
            let Variant { words, required, optional, .. } = &variants[at];
            if objects > 1 || !words.is_empty() || !required.is_empty() || !optional.is_empty() {
                return true;
            }
        }
        at += 1;
    }
    false
}

/// Reads shapes that differ by their kind alone, as the value comes: nothing is kept to be read a second time.
struct ByKind<T>(PhantomData<fn() -> T>);

fn of_kind(variants: &[Variant], kind: Kind) -> Option<usize> {
    variants.iter().position(|variant| variant.kind == kind)
}

impl<'de, T: Union> Visitor<'de> for ByKind<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of any shape")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<T, E> {
        T::read(of_kind(T::VARIANTS, Kind::Flag), value.into_deserializer())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        T::read(of_kind(T::VARIANTS, Kind::Number), value.into_deserializer())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        T::read(of_kind(T::VARIANTS, Kind::Number), value.into_deserializer())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<T, E> {
        T::read(of_kind(T::VARIANTS, Kind::Number), value.into_deserializer())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<T, E> {
        T::read(of_kind(T::VARIANTS, Kind::Text), value.into_deserializer())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        T::read(None, ().into_deserializer())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::read(of_kind(T::VARIANTS, Kind::List), SeqAccessDeserializer::new(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::read(of_kind(T::VARIANTS, Kind::Object), MapAccessDeserializer::new(object))
    }
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

    #[derive(Debug, PartialEq)]
    enum Any {
        Number(f64),
        Flag(bool),
        Text(String),
        List(Vec<i64>),
        Object(std::collections::BTreeMap<String, i64>),
        Unknown(serde_json::Value),
    }

    impl Union for Any {
        const VARIANTS: &'static [Variant] = &[
            Variant::of(Kind::Number),
            Variant::of(Kind::Flag),
            Variant::of(Kind::Text),
            Variant::of(Kind::List),
            Variant::of(Kind::Object),
        ];

        fn read<'de, D: Deserializer<'de>>(variant: Option<usize>, value: D) -> Result<Self, D::Error> {
            Ok(match variant {
                Some(0) => Self::Number(Deserialize::deserialize(value)?),
                Some(1) => Self::Flag(Deserialize::deserialize(value)?),
                Some(2) => Self::Text(Deserialize::deserialize(value)?),
                Some(3) => Self::List(Deserialize::deserialize(value)?),
                Some(4) => Self::Object(Deserialize::deserialize(value)?),
                _ => Self::Unknown(Deserialize::deserialize(value)?),
            })
        }
    }
    crate::unions!(Any);

    #[test]
    fn shapes_that_differ_by_kind_are_read_as_they_come() {
        let text = r#"[7, -7, 0.5, true, "a\nb", [1, 2], {"x": 1}, null]"#;
        let read: Vec<Any> = serde_json::from_str(text).unwrap();
        let expected = [
            Any::Number(7.0),
            Any::Number(-7.0),
            Any::Number(0.5),
            Any::Flag(true),
            Any::Text("a\nb".into()),
            Any::List(vec![1, 2]),
            Any::Object([("x".to_owned(), 1)].into()),
            Any::Unknown(serde_json::Value::Null),
        ];
        assert_eq!(read, expected);
        assert_eq!(serde_json::from_reader::<_, Vec<Any>>(text.as_bytes()).unwrap(), expected);
        let error = serde_json::from_str::<Vec<Any>>(r#"[[1, "2"]]"#).unwrap_err();
        assert_eq!((error.line(), error.column()), (1, 8), "{error}");
    }
}
