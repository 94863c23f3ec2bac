//! The type of an answer: one where one will do, an enum where statuses answer differently.

use std::collections::BTreeSet;

use crate::facts::{self, Operation};
use crate::generate::model::Models;

/// What an endpoint yields.
pub(super) struct Answer {
    /// The Rust type.
    pub(super) output: String,
    /// The body of `decode`.
    pub(super) decode: String,
    /// An enum of its own: name and variants (variant, status, type).
    pub(super) several: Option<(String, Vec<Variant>)>,
    /// Other media types that can be asked for.
    pub(super) media: Vec<String>,
    /// Can it be written as JSON?
    pub(super) is_json: bool,
}

/// One status of several: the variant's name, the status, the type of the body if there is one.
pub(super) type Variant = (&'static str, u16, Option<String>);

const STATUSES: &[(u16, &str)] = &[
    (200, "Ok"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "NonAuthoritative"),
    (204, "NoContent"),
    (205, "ResetContent"),
    (206, "Partial"),
    (207, "MultiStatus"),
];

/// `reserved` are the names that the module has already.
pub(super) fn answer(
    operation: &Operation,
    name: &str,
    models: &Models,
    reserved: &BTreeSet<String>,
) -> Answer {
    let mut media = Vec::new();
    let mut successes: Vec<(u16, Option<String>, &str)> = Vec::new();
    for answer in operation.answers.iter().filter(|answer| (200..300).contains(&answer.status)) {
        let media_type = answer.media.as_deref().unwrap_or_default();
        if successes.iter().any(|(status, ..)| *status == answer.status) {
            media.push(media_type.to_owned());
            continue;
        }
        successes.push((answer.status, body(operation, answer, models), media_type));
    }
    let plain = |output: &str, decode: &str, is_json| Answer {
        output: output.to_owned(),
        decode: decode.to_owned(),
        several: None,
        media: media.clone(),
        is_json,
    };
    let bodies: Vec<&String> = {
        let mut bodies: Vec<&String> = successes.iter().filter_map(|(_, body, _)| body.as_ref()).collect();
        bodies.dedup();
        bodies
    };
    let has_empty = successes.iter().any(|(_, body, _)| body.is_none());
    match bodies.as_slice() {
        // Only redirects: the stack follows them, and what is there comes as it is.
        [] if successes.is_empty()
            && operation.answers.iter().any(|answer| (300..400).contains(&answer.status)) =>
        {
            plain("Bytes", "cx.bytes(&response)", false)
        }
        [] => plain("()", "cx.nothing(&response)", true),
        [body] if !has_empty => {
            let decode = match body.as_str() {
                "String" => "cx.text(&response)",
                "Bytes" => "cx.bytes(&response)",
                _ => "cx.json(&response)",
            };
            plain(body, decode, *body != "Bytes")
        }
        [body] if *body != "Bytes" && *body != "String" => {
            plain(&format!("Option<{body}>"), "cx.optional(&response)", true)
        }
        _ => {
            let name = format!("{name}Output");
            let is_taken = reserved.contains(&name);
            several(&successes, if is_taken { format!("{name}s") } else { name }, media)
        }
    }
}

fn several(successes: &[(u16, Option<String>, &str)], output: String, media: Vec<String>) -> Answer {
    let mut variants: Vec<Variant> = Vec::new();
    for (status, body, _) in successes {
        let variant =
            STATUSES.iter().find(|(known, _)| known == status).map_or("Other", |(_, variant)| variant);
        if !variants.iter().any(|(known, ..)| *known == variant) {
            variants.push((variant, *status, body.clone()));
        }
    }
    let mut decode = "match response.status().as_u16() {\n".to_owned();
    // Whatever status comes unannounced is read as the first.
    let (first, others) = match variants.split_first() {
        Some(split) => split,
        None => {
            return Answer {
                output: "()".to_owned(),
                decode: "cx.nothing(&response)".to_owned(),
                several: None,
                media,
                is_json: true,
            };
        }
    };
    let arm = |variant: &str, body: &Option<String>| match body.as_deref() {
        None => format!("Ok({output}::{variant})"),
        Some("String") => format!("cx.text(&response).map({output}::{variant})"),
        Some("Bytes") => format!("cx.bytes(&response).map({output}::{variant})"),
        Some(_) => format!("cx.json(&response).map({output}::{variant})"),
    };
    for (variant, status, body) in others {
        decode.push_str(&format!("            {status} => {},\n", arm(variant, body)));
    }
    decode.push_str(&format!("            _ => {},\n        }}", arm(first.0, &first.2)));
    let is_json = variants.iter().all(|(_, _, body)| body.as_deref() != Some("Bytes"));
    Answer { output: output.clone(), decode, several: Some((output, variants)), media, is_json }
}

/// The Rust type of a body.
fn body(operation: &Operation, answer: &facts::Answer, models: &Models) -> Option<String> {
    let media = answer.media.as_deref()?;
    if media.contains("json") {
        return models.answer(&operation.op, answer.status);
    }
    Some(if media.starts_with("text/") || media.contains("octocat") {
        "String".to_owned()
    } else {
        "Bytes".to_owned()
    })
}
