//! Official examples of answers decode into the models, and what is in them lands in typed fields: from GitHub's
//! description, in a file that `.ci/run` names when it is there.
#![cfg(all(feature = "by-name", feature = "serialize"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;

use connect_core::{Decoding, HeaderMap, Response, StatusCode};
use connect_github::CATALOG;
use serde_json::Value;

mod coverage;

/// Examples that are no JSON of the kind that GitHub sends, and why.
const BROKEN: &[(&str, &str)] = &[
    ("actions/list-org-variables", "a variable's value is `true`; values are text"),
    ("agents/list-org-variables", "a variable's value is `true`; values are text"),
    ("classroom/get-a-classroom", "`false,` as text for a flag"),
    ("classroom/get-an-assignment", "`12,` and `false,` as text for a number and a flag"),
    (
        "classroom/list-accepted-assignments-for-an-assignment",
        "`12,` and `false,` as text for a number and a flag",
    ),
    ("classroom/list-assignments-for-a-classroom", "`12,` and `false,` as text for a number and a flag"),
    ("classroom/list-classrooms", "`false,` as text for a flag"),
    ("dependabot/repository-access-for-enterprise", "`gravatar_id` is 1"),
    ("dependabot/repository-access-for-org", "`gravatar_id` is 1"),
    ("meta/get", "fingerprints are numbers"),
    ("orgs/list-attestations-bulk", "a list of maps for a map"),
    (
        "repos/list-custom-deployment-rule-integrations",
        "a list of two objects with a field each, for one object with both",
    ),
    ("search/issues-and-pull-requests", "`...` for an item"),
    ("users/list-attestations-bulk", "a list of maps for a map"),
];

/// Of the values in all examples, so many in a hundred land in a typed field.
const WANTED_PERCENT: f64 = 97.0;

#[test]
#[ignore = "needs the file named by CONNECT_GITHUB_DESCRIPTION"]
fn every_official_example_decodes_and_lands_in_typed_fields() {
    #[expect(clippy::disallowed_methods, reason = "the file is named by the script")]
    let path = std::env::var("CONNECT_GITHUB_DESCRIPTION").unwrap();
    let description: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let examples = examples(&description);
    let mut coverage = coverage::Coverage::default();
    let (mut decoded, mut refused, mut drift) = (0, Vec::new(), BTreeMap::<String, Vec<&str>>::new());
    for (operation, status, value) in &examples {
        let decode = CATALOG.find(operation).unwrap().decode.unwrap();
        let mut cx = Decoding::default();
        let mut attempt = |value: &Value| decode(answer(*status, value), &mut cx);
        let mut value = value.clone();
        let mut typed = attempt(&value);
        if typed.is_err() && value.is_object() {
            // Some examples of lists are one item.
            value = Value::Array(vec![value]);
            typed = attempt(&value).or(typed);
        }
        match typed {
            Ok(typed) => {
                decoded += 1;
                let again = |value: &Value| decode(answer(*status, value), &mut Decoding::default()).ok();
                coverage.add(operation, &value, &typed, &again);
            }
            Err(error) => refused.push((*operation, error.to_string())),
        }
        for field in cx.drift {
            drift.entry(field).or_default().push(operation);
        }
    }

    let (all, landed) = coverage.counts();
    println!("{decoded} of {} examples decode", examples.len());
    println!(
        "{landed} of {all} values land in typed fields: {:.2} % {:?}",
        coverage.percent(),
        coverage.fates()
    );
    for (place, fate, count) in coverage.lost(20) {
        println!("  {count:4} {fate:?} {place}");
    }
    let mut drift: Vec<_> = drift.into_iter().collect();
    drift.sort_by_key(|(_, operations)| std::cmp::Reverse(operations.len()));
    println!("{} promised fields are missing somewhere", drift.len());
    for (field, operations) in drift.iter().take(20) {
        println!("  {:4} {field} ({})", operations.len(), operations[0]);
    }
    let surprises: Vec<_> = refused
        .iter()
        .filter(|(operation, _)| !BROKEN.iter().any(|(broken, _)| broken == operation))
        .collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
    for (broken, why) in BROKEN {
        assert!(refused.iter().any(|(operation, _)| operation == broken), "{broken} decodes, although {why}");
    }
    assert!(coverage.percent() >= WANTED_PERCENT);
}

/// The examples of successes: operation, status, value.
fn examples(description: &Value) -> Vec<(&str, u16, Value)> {
    let mut examples = Vec::new();
    let paths = description["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
        let Some(name) = operation["operationId"].as_str() else { continue };
        for (status, described) in operation["responses"].as_object().unwrap() {
            let Some(status) = status.parse().ok().filter(|status| (200..300).contains(status)) else {
                continue;
            };
            let json = &resolved(description, described)["content"]["application/json"];
            let many = json["examples"].as_object().into_iter().flat_map(|examples| examples.values());
            let values =
                many.map(|example| &resolved(description, example)["value"]).chain([&json["example"]]);
            let given = values.filter(|value| !value.is_null());
            for value in given.map(parsed) {
                // Several requests have one and the same answer, and some examples are references to nothing.
                if value.get("$ref").is_none()
                    && !examples.iter().any(|(other, _, known)| *other == name && *known == value)
                {
                    examples.push((name, status, value));
                }
            }
        }
    }
    examples
}

fn resolved<'d>(description: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        // A reference to nothing is `null`, as an example that is not there.
        Some(path) => description.pointer(&path[1..]).unwrap_or(&Value::Null),
        None => value,
    }
}

/// Some examples are JSON text.
fn parsed(example: &Value) -> Value {
    let text = example.as_str().and_then(|text| serde_json::from_str(text).ok());
    text.unwrap_or_else(|| example.clone())
}

fn answer(status: u16, body: &Value) -> Response {
    Response::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body.to_string())
}
