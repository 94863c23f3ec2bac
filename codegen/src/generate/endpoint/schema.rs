//! JSON Schema of an operation's arguments: one flat object, for tools and for calls by name.

use serde_json::{Map, Value, json};

use super::argument::{Argument, Place};
use super::input::resolved;
use crate::facts::{Facts, Type};

/// How deep a schema goes; below, anything is allowed.
const DEEPEST: usize = 6;

pub(super) fn of(arguments: &[Argument], facts: &Facts) -> String {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in arguments {
        let mut schema = shape(&argument.shape, facts, 0);
        if argument.nullable {
            schema = nullable(schema);
        }
        if let (Value::Object(schema), Some(default)) = (&mut schema, &argument.provider_default) {
            schema.insert("default".to_owned(), default.clone());
        }
        if argument.required {
            required.push(argument.name.clone());
        }
        if argument.until.is_some()
            && let Value::Object(schema) = &mut schema
        {
            schema.insert("deprecated".to_owned(), true.into());
        }
        debug_assert!(argument.place != Place::Body || argument.name == "body", "a whole body is called so");
        properties.insert(argument.name.clone(), schema);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".to_owned(), required.into());
    }
    schema.to_string()
}

fn shape(of: &Type, facts: &Facts, depth: usize) -> Value {
    if depth > DEEPEST {
        return json!({});
    }
    match of {
        Type::Any => json!({}),
        Type::Text | Type::Bytes => json!({"type": "string"}),
        Type::Secret => json!({"type": "string", "writeOnly": true}),
        Type::Time => json!({"type": "string", "format": "date-time"}),
        Type::Link => json!({"type": "string", "format": "uri"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Number => json!({"type": "number"}),
        Type::Flag => json!({"type": "boolean"}),
        Type::Words(words) => json!({"type": "string", "enum": words}),
        Type::List(item) => json!({"type": "array", "items": shape(item, facts, depth + 1)}),
        Type::Map(value) => json!({"type": "object", "additionalProperties": shape(value, facts, depth + 1)}),
        Type::Null(inner) => nullable(shape(inner, facts, depth)),
        Type::Ref(_) => shape(resolved(of, facts), facts, depth + 1),
        Type::OneOf(variants) => {
            json!({"anyOf": variants.iter().map(|variant| shape(variant, facts, depth + 1)).collect::<Vec<_>>()})
        }
        Type::Object(fields) => {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|field| (field.name.clone(), shape(&field.shape, facts, depth + 1)))
                .collect();
            let required: Vec<&String> =
                fields.iter().filter(|field| field.required).map(|field| &field.name).collect();
            let mut schema = json!({"type": "object", "properties": properties});
            if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
                schema.insert("required".to_owned(), json!(required));
            }
            schema
        }
    }
}

fn nullable(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields)
            if fields.get("type").is_some_and(Value::is_string) && !fields.contains_key("enum") =>
        {
            let kind = fields.remove("type").unwrap_or_default();
            fields.insert("type".to_owned(), json!([kind, "null"]));
            Value::Object(fields)
        }
        Value::Object(fields) if fields.is_empty() => Value::Object(fields),
        other => json!({"anyOf": [other, {"type": "null"}]}),
    }
}
