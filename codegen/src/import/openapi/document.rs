//! The description, and what its references point at.

use serde_json::Value;

use crate::import::ImportError;

const SCHEMAS: &str = "#/components/schemas/";

/// The description.
#[derive(Clone, Copy)]
pub(super) struct Document<'a>(pub(super) &'a Value);

/// More references in a row than any sane document has: they go round in a circle.
const MOST_HOPS: usize = 32;

impl<'a> Document<'a> {
    /// What stands where references lead to, if this is one.
    pub(super) fn resolve(self, node: &'a Value) -> Result<&'a Value, ImportError> {
        let mut here = node;
        for _ in 0..MOST_HOPS {
            let Some(reference) = reference(here) else { return Ok(here) };
            here = self.target(reference)?;
        }
        Err(ImportError::Reference(format!("{} (in a circle)", reference(here).unwrap_or_default())))
    }

    /// What one reference points at.
    pub(super) fn target(self, reference: &str) -> Result<&'a Value, ImportError> {
        // A fragment is a JSON pointer behind a `#`, and may be percent-encoded; only braces and spaces occur.
        let pointer = reference
            .strip_prefix('#')
            .map(|pointer| pointer.replace("%7B", "{").replace("%7D", "}").replace("%20", " "));
        pointer
            .and_then(|pointer| self.0.pointer(&pointer))
            .ok_or_else(|| ImportError::Reference(reference.to_owned()))
    }

    /// The named schemas.
    pub(super) fn schemas(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.pointer("/components/schemas").and_then(Value::as_object).into_iter().flatten()
    }

    /// One of them.
    pub(super) fn schema(self, name: &str) -> Option<&'a Value> {
        self.0.get("components")?.get("schemas")?.get(name)
    }
}

/// The reference that this node is.
pub(super) fn reference(node: &Value) -> Option<&str> {
    node.get("$ref").and_then(Value::as_str)
}

/// The name of the schema that a reference points at, if it points at a named one.
pub(super) fn schema_name(reference: &str) -> Option<String> {
    let name = reference.strip_prefix(SCHEMAS)?;
    (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
}

/// The list of texts at a key; empty if there is none.
pub(super) fn texts<'a>(node: &'a Value, key: &str) -> Vec<&'a str> {
    node.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Is this flag set?
pub(super) fn flag(node: &Value, key: &str) -> bool {
    node.get(key).and_then(Value::as_bool) == Some(true)
}
