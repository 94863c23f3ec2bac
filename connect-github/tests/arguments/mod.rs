//! Arguments for any operation, made from the JSON Schema of what it takes.
//!
//! The schema says what kind a value is; what the kind leaves open (a pattern, a length) is in tables of samples.

use connect_core::by_name::Entry;
use serde_json::{Map, Value, json};

/// Values that a schema cannot tell.
pub(crate) struct Samples {
    /// By the name of the argument or field, wherever it is: a name and JSON.
    pub(crate) by_name: &'static [(&'static str, &'static str)],
    /// By operation: JSON of an object that is laid over the arguments, where `null` takes one away. An operation with
    /// several rows is called with each of them.
    pub(crate) by_operation: &'static [(&'static str, &'static str)],
}

/// How much is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// What the operation cannot do without.
    Required,
    /// All there is.
    Everything,
}

impl Samples {
    /// The arguments of all calls that an operation deserves. `is_newest` leaves out what newer versions do not know.
    pub(crate) fn of(&self, entry: &Entry, amount: Amount, is_newest: bool) -> Vec<Value> {
        let mut schema = entry.schema();
        if is_newest && let Some(properties) = schema["properties"].as_object_mut() {
            properties.retain(|_, property| property["deprecated"] != true);
        }
        let arguments = self.object(&schema, amount);
        let name = &*entry.operation.name;
        let rows: Vec<_> = self.by_operation.iter().filter(|(operation, _)| *operation == name).collect();
        if rows.is_empty() {
            return vec![arguments];
        }
        rows.into_iter().map(|(_, patch)| laid_over(&arguments, &json(patch))).collect()
    }

    fn object(&self, schema: &Value, amount: Amount) -> Value {
        let required = schema["required"].as_array();
        let is_wanted = |name: &str| {
            amount == Amount::Everything
                || required.is_some_and(|names| names.iter().any(|known| known == name))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut object: Map<String, Value> = properties
            .filter(|(name, _)| is_wanted(name))
            .map(|(name, schema)| (name.clone(), self.value(name, schema, amount)))
            .collect();
        if let Some(values @ Value::Object(_)) = schema.get("additionalProperties") {
            object.insert("key".to_owned(), self.value("key", values, amount));
        }
        Value::Object(object)
    }

    fn value(&self, name: &str, schema: &Value, amount: Amount) -> Value {
        let schema = match schema["anyOf"].as_array() {
            Some(variants) => &variants[0],
            None => schema,
        };
        let kind = match &schema["type"] {
            Value::Array(kinds) => &kinds[0],
            kind => kind,
        };
        if let Some(word) = schema["enum"].get(0) {
            return word.clone();
        }
        if let Some(sample) =
            self.by_name.iter().map(|(known, json)| (known, self::json(json))).find_map(|(known, sample)| {
                (*known == name && (kind.is_null() || is_a(kind, &sample))).then_some(sample)
            })
        {
            return sample;
        }
        match kind.as_str() {
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => json!("2026-01-01T00:00:00Z"),
                Some("uri") => json!("https://example.com/1"),
                _ => json!("one"),
            },
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(true),
            Some("array") => json!([self.value("[]", &schema["items"], amount)]),
            Some("object") => self.object(schema, amount),
            _ => json!("one"),
        }
    }
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("string") => value.is_string(),
        Some("integer" | "number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        _ => value.is_object(),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn laid_over(below: &Value, patch: &Value) -> Value {
    let (Value::Object(below), Value::Object(patch)) = (below, patch) else { return patch.clone() };
    let mut all = below.clone();
    for (name, value) in patch {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Value::Object(all)
}
