//! JSON Schema of an argument in a few words, for a table.

use serde_json::Value;

/// `text`, `list of text`, `number or null`.
pub(super) fn kind(schema: &Value) -> String {
    let alternatives = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array());
    if let Some(alternatives) = alternatives {
        return either(alternatives.iter().map(kind));
    }
    match schema.get("type") {
        Some(Value::String(name)) => word(name, schema),
        Some(Value::Array(names)) => {
            either(names.iter().filter_map(Value::as_str).map(|name| word(name, schema)))
        }
        _ => "anything".to_owned(),
    }
}

/// Each once, in their order.
fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for kind in kinds {
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    all.join(" or ")
}

fn word(name: &str, schema: &Value) -> String {
    match name {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => match schema.get("items") {
            Some(items) if items.is_object() => format!("list of {}", kind(items)),
            _ => "list".to_owned(),
        },
        other => other.to_owned(), // number, object, null
    }
}

/// The words that are allowed, of a list's items too.
pub(super) fn words(schema: &Value) -> String {
    let allowed = schema.get("enum").or_else(|| schema.get("items")?.get("enum"));
    let allowed = allowed.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    allowed.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// What the provider takes if nothing is given; empty for nothing.
pub(super) fn default(schema: &Value) -> String {
    schema.get("default").map(text).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_read_like_words() {
        let cases = [
            (json!({"type": "string"}), "text"),
            (json!({"type": ["integer", "null"]}), "whole number or null"),
            (json!({"type": "array", "items": {"type": "string"}}), "list of text"),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]}),
                "text or whole number",
            ),
            (json!(true), "anything"),
            (json!({}), "anything"),
        ];
        for (schema, expected) in cases {
            assert_eq!(kind(&schema), expected, "{schema}");
        }
        assert_eq!(words(&json!({"items": {"enum": ["a", "b"]}})), "a, b");
        assert_eq!(default(&json!({"default": 30})), "30");
    }
}
