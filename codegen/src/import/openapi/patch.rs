//! Versions inside one description: GitHub's file describes its oldest version, and newer ones are patches to it.
//!
//! `x-github-breaking-changes` stands at what changes, as a list of `{version, patch}`: a merge patch (RFC 7386) where the
//! patch is an object, steps (RFC 6902) where it is a list.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const CHANGES: &str = "x-github-breaking-changes";

/// The versions that the document has changes for, the oldest first.
pub(super) fn versions(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = vec![document];
    while let Some(node) = rest.pop() {
        match node {
            Value::Array(items) => rest.extend(items),
            Value::Object(object) => {
                for change in object.get(CHANGES).and_then(Value::as_array).into_iter().flatten() {
                    found.extend(version(change).map(str::to_owned));
                }
                rest.extend(object.values());
            }
            _ => {}
        }
    }
    found
}

/// Makes the document that of a version. What is required and not described any more is not required either: a schema's
/// reader passes over such names, so lists of them are left alone, and with them the positions that steps name.
pub(super) fn apply(node: &mut Value, upto: &str) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(|item| apply(item, upto)),
        Value::Object(object) => {
            let changes = object.get(CHANGES).and_then(Value::as_array).cloned().unwrap_or_default();
            for change in changes.iter().filter(|change| version(change).is_some_and(|known| known <= upto)) {
                match change.get("patch") {
                    Some(Value::Object(patch)) => merge(object, patch),
                    Some(Value::Array(steps)) => steps.iter().for_each(|step| take(object, step)),
                    _ => {}
                }
            }
            object.values_mut().for_each(|value| apply(value, upto));
        }
        _ => {}
    }
}

fn version(change: &Value) -> Option<&str> {
    change.get("version").and_then(Value::as_str)
}

fn merge(object: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        match (object.get_mut(key), value) {
            (_, Value::Null) => {
                // Shifts, for the order of fields is the provider's.
                object.remove(key);
            }
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            _ => {
                object.insert(key.clone(), value.clone());
            }
        }
    }
}

fn take(object: &mut Map<String, Value>, step: &Value) {
    let text = |key| step.get(key).and_then(Value::as_str);
    let (Some(verb), Some(path)) = (text("op"), text("path")) else { return };
    let names: Vec<String> =
        path.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let Some((last, way)) = names.split_last() else { return };
    let Some(Value::Object(parent)) = walk(object, way) else { return };
    match (verb, step.get("value")) {
        ("remove", _) => {
            parent.remove(last);
        }
        ("add" | "replace", Some(value)) => {
            parent.insert(last.clone(), value.clone());
        }
        _ => {}
    }
}

fn walk<'v>(object: &'v mut Map<String, Value>, way: &[String]) -> Option<&'v mut Value> {
    let (first, rest) = way.split_first()?;
    let mut here = object.get_mut(first)?;
    for name in rest {
        here = match here {
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?)?,
            Value::Object(object) => object.get_mut(name)?,
            _ => return None,
        };
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_up_to_a_version_are_applied() {
        let document = json!({"s": {
            "x-github-breaking-changes": [
                {"version": "2", "patch": {"properties": {"a": null, "c": {"nullable": false}}}},
                {"version": "2", "patch": [
                    {"op": "remove", "path": "/properties/d~1e"},
                    {"op": "remove", "path": "/required/0"},
                    {"op": "replace", "path": "/oneOf/0/x", "value": 1},
                ]},
                {"version": "3", "patch": {"properties": null}},
            ],
            "properties": {"a": {}, "b": {}, "c": {"type": "string"}, "d/e": {}, "f": {}},
            "required": ["a", "b"],
            "oneOf": [{"x": 0}],
        }});
        assert_eq!(versions(&document).into_iter().collect::<Vec<_>>(), ["2", "3"]);
        let mut second = document;
        apply(&mut second, "2");
        let schema = &second["s"];
        assert_eq!(
            schema["properties"].to_string(),
            r#"{"b":{},"c":{"nullable":false,"type":"string"},"f":{}}"#
        );
        assert_eq!((&schema["required"], &schema["oneOf"][0]["x"]), (&json!(["a", "b"]), &json!(1)));
    }
}
