//! JSON whose objects keep their order where that says something: the fields of a schema stand in the order in which the
//! provider sends them.
//!
//! serde_json can keep the order of every map, by a feature that a build of the whole workspace would turn on for
//! everybody. So the order of `properties` and `fields` is noted beside them instead, when a document is read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Where the order is noted: no format has a key like this.
pub(super) const NOTE: &str = "\u{1}order";

/// Maps whose order says something.
const ORDERED: &[&str] = &["properties", "fields"];

/// Reads a document.
///
/// # Errors
/// serde_json's, for what is no JSON.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Noted>(text).map(|noted| noted.0)
}

/// The entries of a map below a schema, in the order of the document; those that were added since, last.
pub(super) fn entries<'v>(schema: &'v Value, key: &str) -> Vec<(&'v String, &'v Value)> {
    let Some(map) = schema.get(key).and_then(Value::as_object) else { return Vec::new() };
    let order = schema.get(NOTE).and_then(|order| order.get(key)).and_then(Value::as_array);
    let names: Vec<&str> = order.into_iter().flatten().filter_map(Value::as_str).collect();
    let noted = names.iter().filter_map(|name| map.get_key_value(*name));
    // A map of fields may itself have a field called `properties`, and then a note.
    let others = map.iter().filter(|(name, _)| *name != NOTE && !names.contains(&name.as_str()));
    noted.chain(others).collect()
}

struct Noted(Value);

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(|(value, _)| Self(value))
    }
}

/// A value, and the names in it if it is a map.
struct Named(Value, Vec<Value>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(|(value, names)| Self(value, names))
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = (Value, Vec<Value>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok((Value::Null, Vec::new()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok((flag.into(), Vec::new()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok((number.into(), Vec::new()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok((number.into(), Vec::new()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok((Number::from_f64(number).map_or(Value::Null, Value::Number), Vec::new()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((text.into(), Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Noted(item)) = items.next_element()? {
            list.push(item);
        }
        Ok((Value::Array(list), Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut map, mut names, mut order) = (Map::new(), Vec::new(), Map::new());
        while let Some((name, Named(value, inner))) = entries.next_entry::<String, Named>()? {
            // The order of one is no news.
            if ORDERED.contains(&name.as_str()) && inner.len() > 1 {
                order.insert(name.clone(), Value::Array(inner));
            }
            names.push(Value::String(name.clone()));
            map.insert(name, value);
        }
        if !order.is_empty() {
            map.insert(NOTE.to_owned(), Value::Object(order));
        }
        Ok((Value::Object(map), names))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn fields_keep_the_order_of_the_document_and_new_ones_come_last() {
        let mut schema =
            parse(r#"{"properties": {"z": {}, "a": {"fields": {"y": 1, "b": 2}}, "m": 1.5}}"#).unwrap();
        schema["properties"]["c"] = Value::Null;
        let names = |schema: &Value, key: &str| -> Vec<String> {
            entries(schema, key).into_iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&schema, "properties"), ["z", "a", "m", "c"]);
        assert_eq!(names(&schema["properties"]["a"], "fields"), ["y", "b"]);
        assert_eq!(names(&schema, "gone"), [""; 0]);
        let odd = parse(r#"{"properties": {"properties": {"type": "object", "b": 1}}}"#).unwrap();
        assert_eq!(names(&odd, "properties"), ["properties"]);
        assert!(parse("{").is_err());
    }
}
