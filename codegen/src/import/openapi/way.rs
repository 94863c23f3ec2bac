//! What is only sent (`writeOnly`) and what is only received (`readOnly`): a schema on both sides has two shapes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Document, flag, reference};
use crate::import::ImportError;
use crate::import::order::entries;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Way {
    /// To the provider: without what only the provider writes.
    Sent,
    /// From the provider: what only the caller writes need not be there.
    #[default]
    Received,
}

impl Way {
    /// Keywords of what only the other way has.
    const fn other(self) -> &'static str {
        match self {
            Self::Sent => "readOnly",
            Self::Received => "writeOnly",
        }
    }

    /// Does a property belong to the other way?
    pub(super) fn excludes(self, document: Document<'_>, property: &Value) -> Result<bool, ImportError> {
        Ok(flag(property, self.other()) || flag(document.resolve(property)?, self.other()))
    }

    /// The properties of a schema and of all that it is made of which belong to the other way.
    pub(super) fn excluded<'a>(
        self,
        document: Document<'a>,
        schema: &'a Value,
    ) -> Result<BTreeSet<&'a str>, ImportError> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut rest = vec![schema];
        while let Some(schema) = rest.pop() {
            if let Some(reference) = reference(schema) {
                if seen.insert(reference) {
                    rest.push(document.target(reference)?);
                }
                continue;
            }
            for (name, property) in properties(schema) {
                if self.excludes(document, property)? {
                    found.insert(name);
                }
            }
            rest.extend(each(schema, "allOf"));
        }
        Ok(found)
    }
}

/// Does a schema, or anything in it, look different from the two sides?
pub(super) fn differs(document: Document<'_>, schema: &Value) -> Result<bool, ImportError> {
    let mut seen = BTreeSet::new();
    let mut rest = vec![schema];
    while let Some(schema) = rest.pop() {
        if let Some(reference) = reference(schema) {
            let target = document.target(reference)?;
            if seen.insert(reference.to_owned()) {
                rest.push(target);
            }
        }
        for (_, property) in properties(schema) {
            if Way::Sent.excludes(document, property)? || Way::Received.excludes(document, property)? {
                return Ok(true);
            }
            rest.push(property);
        }
        rest.extend(["allOf", "oneOf", "anyOf"].into_iter().flat_map(|key| each(schema, key)));
        rest.extend(["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key)));
    }
    Ok(false)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    entries(schema, "properties").into_iter().map(|(name, property)| (name.as_str(), property))
}

fn each<'v>(schema: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}
