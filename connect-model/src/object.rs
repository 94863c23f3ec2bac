//! An object, field by field: one table of names and one `match`, instead of a derived visitor.
//!
//! Half the compile time of a derived `Deserialize`, because everything but the `match` is compiled once; as fast to run,
//! because providers send fields in the order of their description, which is where the search begins.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{drift, tolerance};

/// How many fields a model can have. The largest of GitHub's has 130.
const MOST_FIELDS: usize = 256;
const WORDS: usize = MOST_FIELDS / 64;

/// A field as the provider spells it.
///
/// The front page shows a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    name: &'static str,
    is_required: bool,
}

impl Field {
    /// The provider promises it: missing, or `null`, it is [drift](crate::drift).
    pub const fn required(name: &'static str) -> Self {
        Self { name, is_required: true }
    }

    /// May be missing or `null`.
    pub const fn optional(name: &'static str) -> Self {
        Self { name, is_required: false }
    }

    /// The provider's spelling.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// An object of a provider. Its `Deserialize` is made by [`models!`](crate::models).
///
/// The front page shows one.
pub trait Model: Default {
    /// The name of the type, for the report of drift.
    const NAME: &'static str;
    /// Its fields, in the provider's order.
    const FIELDS: &'static [Field];

    /// Reads the value of the field at this place of the table; `false` if it was `null`.
    ///
    /// # Errors
    /// The deserializer's, for a value of another type.
    fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error>;

    /// Which fields must be there. Computed when the program is compiled.
    #[doc(hidden)]
    const REQUIRED: [u64; WORDS] = required_of(Self::FIELDS);
}

const fn required_of(fields: &[Field]) -> [u64; WORDS] {
    assert!(fields.len() <= MOST_FIELDS, "a model has at most 256 fields");
    let mut mask = [0; WORDS];
    let mut at = 0;
    while at < fields.len() {
        if fields[at].is_required {
            mask[at / 64] |= 1 << (at % 64);
        }
        at += 1;
    }
    mask
}

/// Implements `Deserialize` for [models](crate::Model).
///
/// The front page has an example.
#[macro_export]
macro_rules! models {
    ($($model:ident),* $(,)?) => {$(
        impl<'de> $crate::Deserialize<'de> for $model {
            fn deserialize<D: $crate::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::deserialize(deserializer)
            }
        }
    )*};
}

/// Reads an object.
///
/// # Errors
/// The deserializer's: no object, or a field of another type.
pub fn deserialize<'de, T: Model, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<fn() -> T>);

impl<'de, T: Model> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut model = T::default();
        let mut lacking = T::REQUIRED;
        let mut next = 0;
        let is_tolerant = tolerance::is_on();
        while let Some(field) = map.next_key_seed(Name { fields: T::FIELDS, next })? {
            let Some(field) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let is_there = if is_tolerant {
                let value = map.next_value::<Box<RawValue>>()?;
                tolerance::read(&mut model, field, &value)
            } else {
                map.next_value_seed(Slot { model: &mut model, field })?
            };
            if is_there {
                lacking[field / 64] &= !(1 << (field % 64));
            }
            next = field + 1;
        }
        if lacking != [0; WORDS] {
            note(T::NAME, T::FIELDS, &lacking);
        }
        Ok(model)
    }
}

#[cold]
fn note(model: &'static str, fields: &'static [Field], lacking: &[u64; WORDS]) {
    for (at, field) in fields.iter().enumerate() {
        if lacking[at / 64] & (1 << (at % 64)) != 0 {
            drift::note(model, field.name);
        }
    }
}

/// The place of a name in the table: looked for where the last one was found, onwards and round.
struct Name {
    fields: &'static [Field],
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        let next = self.next.min(self.fields.len());
        let (before, after) = self.fields.split_at(next);
        let found = after.iter().position(|field| field.name == name).map(|at| at + next);
        Ok(found.or_else(|| before.iter().position(|field| field.name == name)))
    }
}

struct Slot<'a, T> {
    model: &'a mut T,
    field: usize,
}

impl<'de, T: Model> DeserializeSeed<'de> for Slot<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        self.model.read(self.field, value)
    }
}

/// Reads a value into a plain field; `false`, and the field as it was, for `null`.
///
/// # Errors
/// The deserializer's, for a value of another type.
pub fn required<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    slot: &mut T,
    value: D,
) -> Result<bool, D::Error> {
    value.deserialize_option(Plain(slot))
}

struct Plain<'a, T>(&'a mut T);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Plain<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_none<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        *self.0 = T::deserialize(value)?;
        Ok(true)
    }
}

/// Reads a value into an optional field; `false` for `null`.
///
/// # Errors
/// The deserializer's, for a value of another type.
pub fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    slot: &mut Option<T>,
    value: D,
) -> Result<bool, D::Error> {
    *slot = Option::deserialize(value)?;
    Ok(slot.is_some())
}

/// Passes over a value.
///
/// # Errors
/// The deserializer's, for what is no value at all.
pub fn skip<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Pair {
        left: i64,
        right: Option<i64>,
        children: Vec<Pair>,
    }

    impl Model for Pair {
        const NAME: &'static str = "Pair";
        const FIELDS: &'static [Field] =
            &[Field::required("left"), Field::optional("right"), Field::optional("children")];

        fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {
            match field {
                0 => required(&mut self.left, value),
                1 => optional(&mut self.right, value),
                2 => required(&mut self.children, value),
                _ => skip(value),
            }
        }
    }
    models!(Pair);

    fn read(text: &str) -> (Result<Pair, serde_json::Error>, Vec<String>) {
        drift::watch(|| serde_json::from_str(text))
    }

    #[test]
    fn fields_come_in_any_order_and_unknown_ones_are_skipped() {
        let (pair, drift) = read(r#"{"x": [{"left": {}}], "right": 2, "y": null, "left": 1}"#);
        assert_eq!(pair.unwrap(), Pair { left: 1, right: Some(2), children: Vec::new() });
        assert!(drift.is_empty());
    }

    #[test]
    fn what_is_missing_or_null_is_the_default_and_drift_once_for_each_field() {
        let (pair, drift) = read(r#"{"left": null, "children": [{}, {"right": 1}]}"#);
        let pair = pair.unwrap();
        assert_eq!((pair.left, pair.children.len(), pair.children[1].right), (0, 2, Some(1)));
        assert_eq!(drift, ["Pair.left"]);
    }

    #[test]
    fn a_wrong_type_is_an_error() {
        for text in [r#"{"left": "1"}"#, r#"{"right": {}}"#, "[]", "null", "7", r#"{"children": {}}"#] {
            assert!(read(text).0.is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_tolerated_costs_its_field_and_nothing_else() {
        let tolerated = |text: &str| drift::watch(|| crate::tolerate(|| serde_json::from_str::<Pair>(text)));
        let (pair, drift) = tolerated(r#"{"left": "1", "children": [{"right": {}, "left": 2}], "right": 3}"#);
        let pair = pair.unwrap();
        assert_eq!((pair.left, pair.right, pair.children.len(), pair.children[0].left), (0, Some(3), 1, 2));
        assert_eq!(drift, ["Pair.left", "Pair.right"]);
        for text in ["[]", "null", "7", r#"{"left": 1"#, r#"{"left": [}"#] {
            assert!(tolerated(text).0.is_err(), "{text}");
        }
        assert!(read(r#"{"left": "1"}"#).0.is_err(), "it is over");
    }

    #[test]
    fn what_is_tolerated_is_not_read_without_end() {
        let deep = r#"{"children": ["#.repeat(10_000) + &"]}".repeat(10_000);
        let (pair, drift) = drift::watch(|| crate::tolerate(|| serde_json::from_str::<Pair>(&deep)));
        assert!(pair.is_ok());
        assert!(drift.contains(&"Pair.children".to_owned()));
    }

    #[test]
    fn a_doubled_field_is_the_last_one() {
        assert_eq!(read(r#"{"left": 1, "left": 2}"#).0.unwrap().left, 2);
    }
}
