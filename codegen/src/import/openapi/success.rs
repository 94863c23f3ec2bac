//! Which responses of an operation are answers, and not errors.

use serde_json::Value;

use super::document::{Document, reference};
use super::operation::essence;
use crate::import::ImportError;

/// Words in the description or the schema's name of a response that is an error.
const ERRORS: [&str; 5] = ["error", "fail", "problem", "unexpected", "exception"];

/// The status of each success or redirect, and what it is. An operation that names none succeeds with its `default`,
/// unless that is plainly an error.
pub(super) fn successes<'a>(
    document: Document<'a>,
    operation: &'a Value,
) -> Result<Vec<(u16, &'a Value)>, ImportError> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let mut found = Vec::new();
    for (status, response) in responses.into_iter().flatten() {
        if let Some(status) = success(status) {
            found.push((status, document.resolve(response)?));
        }
    }
    if let Some(default) = responses.and_then(|responses| responses.get("default"))
        && found.is_empty()
    {
        let response = document.resolve(default)?;
        if !is_error(default, response) {
            found.push((200, response));
        }
    }
    Ok(found)
}

/// The status of a success or a redirect. 304 is no answer but the cache's.
fn success(status: &str) -> Option<u16> {
    match status {
        "2XX" | "2xx" => Some(200),
        "3XX" | "3xx" => Some(302),
        "304" => None,
        status => status.parse().ok().filter(|status| (200..400).contains(status)),
    }
}

fn is_error(named: &Value, response: &Value) -> bool {
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        ERRORS.iter().any(|word| text.contains(word))
    };
    let content = response.get("content").and_then(Value::as_object);
    reference(named).is_some_and(says)
        || response.get("description").and_then(Value::as_str).is_some_and(says)
        || content.into_iter().flatten().any(|(media, described)| {
            says(essence(media)) || described.get("schema").and_then(reference).is_some_and(says)
        })
}
