//! Slack: a table of methods (`slack.jsonl`), and one of the shapes of their answers (`slack.api.shapes.jsonl`), which were
//! inferred from official samples.
//!
//! Samples show the same conversation, message or user in hundreds of places, each time with other fields. The caller's
//! [table of shared types](Share) says which places mean the same thing; what was seen there becomes one named type.

mod answer;
mod method;
mod seen;
mod share;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use self::answer::Answers;
use self::method::Method;
pub use self::share::{Share, shares};
use crate::facts::{Answer, Facts, Operation};
use crate::import::{ImportError, parse};

const METHODS: &str = "slack.jsonl";
const SHAPES: &str = "slack.api.shapes.jsonl";

/// Reads the tables of a folder.
///
/// # Errors
/// A file or a line that cannot be read, or a pattern of a shared type that matches nothing.
pub fn slack(folder: &Path, shares: &[Share]) -> Result<Facts, ImportError> {
    let methods = lines(&folder.join(METHODS), |line| serde_json::from_str(line))?;
    read(methods, lines(&folder.join(SHAPES), parse)?, shares)
}

fn read(methods: Vec<Method>, shapes: Vec<Value>, shares: &[Share]) -> Result<Facts, ImportError> {
    let shapes: BTreeMap<&str, &Value> =
        shapes.iter().filter_map(|shape| Some((shape.get("name")?.as_str()?, shape))).collect();
    let typed = method::typed_elsewhere(&methods);
    let mut answers = Answers::new(shares)?;
    let mut facts = Facts::default();
    for method in &methods {
        facts.operations.push(Operation {
            answers: vec![Answer {
                status: 200,
                media: Some("application/json".to_owned()),
                shape: answers.read(method, shapes.get(method.op.as_str()).copied()),
                since: None,
                until: None,
            }],
            ..method.operation(&typed)
        });
    }
    facts.types = answers.into_types()?;
    facts.operations.sort_by(|a, b| a.op.cmp(&b.op));
    Ok(facts)
}

fn lines<T>(path: &Path, parse: fn(&str) -> Result<T, serde_json::Error>) -> Result<Vec<T>, ImportError> {
    let text =
        fs::read_to_string(path).map_err(|source| ImportError::File { path: path.to_owned(), source })?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            parse(line).map_err(|source| ImportError::Line { path: path.to_owned(), line: at + 1, source })
        })
        .collect()
}

#[cfg(test)]
mod tests;
