//! OpenAPI 3.0 and 3.1, of any provider.
//!
//! The way of a description: its oldest version and every newer one ([`patch`]) is read into facts, schema by schema
//! ([`schema`], [`way`]) and operation by operation ([`operation`], [`style`], [`success`]); examples show the gaps ([`evidence`]); the
//! versions become one ([`versions`]); at last only names that say something stay ([`named`]).

mod document;
mod evidence;
mod extension;
mod named;
mod operation;
mod patch;
mod schema;
mod style;
mod success;
mod versions;
mod way;
mod webhook;

use std::collections::BTreeMap;

use serde_json::Value;

use self::document::Document;
use self::operation::{Operations, Site, operation_id};
use self::schema::Schemas;
pub use self::webhook::{Concept, concepts, events, has_webhooks};
use crate::facts::Facts;
use crate::import::ImportError;

const METHODS: [&str; 7] = ["get", "head", "options", "post", "put", "patch", "delete"];

/// Reads an OpenAPI description.
///
/// # Errors
/// It is another format, or refers to what is not in it.
pub fn openapi(document: &Value) -> Result<Facts, ImportError> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or("no version given");
    if !version.starts_with("3.") || !document.get("paths").is_some_and(Value::is_object) {
        return Err(ImportError::NotOpenApi(version.to_owned()));
    }
    let mut facts = read(document)?;
    for version in patch::versions(document) {
        let mut newer = document.clone();
        patch::apply(&mut newer, &version);
        versions::merge(&mut facts, read(&newer)?, &version);
    }
    named::settle(&mut facts);
    facts.operations.sort_by(|a, b| a.op.cmp(&b.op));
    Ok(facts)
}

/// Reads one version of a description as it stands.
fn read(document: &Value) -> Result<Facts, ImportError> {
    let document = Document(document);
    let reader = Operations { document, schemas: Schemas::new(document) };
    let mut facts = Facts::default();
    let mut examples = Vec::new();
    for (op, site) in named_sites(sites(document)?) {
        let (operation, shown) = reader.read(op, site)?;
        facts.operations.push(operation);
        examples.push(shown);
    }
    facts.types = reader.schemas.into_types()?;
    evidence::mark(&mut facts, &examples);
    Ok(facts)
}

/// All operations, where they stand.
fn sites(document: Document<'_>) -> Result<Vec<Site<'_>>, ImportError> {
    let mut sites = Vec::new();
    for (path, item) in document.0.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let item = document.resolve(item)?;
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) && operation.is_object() {
                sites.push(Site { method, path, item, operation });
            }
        }
    }
    Ok(sites)
}

/// With the name that each has: its own, or its method and path where it has none or shares it with another one.
fn named_sites(sites: Vec<Site<'_>>) -> Vec<(String, Site<'_>)> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for id in sites.iter().filter_map(|site| operation_id(site.operation)) {
        *uses.entry(id).or_default() += 1;
    }
    let name = |site: &Site<'_>| match operation_id(site.operation) {
        Some(id) if uses.get(id) == Some(&1) => id.to_owned(),
        _ => format!("{} {}", site.method.to_ascii_uppercase(), site.path),
    };
    sites.into_iter().map(|site| (name(&site), site)).collect()
}

#[cfg(test)]
mod tests;
