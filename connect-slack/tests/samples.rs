//! Official samples of answers, values blanked, decode into the models, and what is in them lands in typed fields: from
//! Slack's own SDK, in a folder that `.ci/run` names when it is there.
#![cfg(all(feature = "by-name", feature = "serialize"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;

use connect_core::{Decoding, HeaderMap, Response, StatusCode};
use connect_slack::CATALOG;
use serde_json::{Map, Value};

#[path = "../../connect-github/tests/coverage/mod.rs"]
mod coverage;

/// Of the values in all samples, so many in a hundred land in a typed field.
const WANTED_PERCENT: f64 = 97.0;

/// About the call and not in the answer: the stack reads them.
const ENVELOPE: &[&str] = &["ok", "error", "errors", "warning", "needed", "provided", "deprecated_argument"];

/// Left open on purpose (`api/share.toml` says why): Block Kit, and what is the app's own.
const OPEN: &[&str] = &[
    "attachments",
    "blocks",
    "description_blocks",
    "event_payload",
    "inputs",
    "manifest",
    "payload",
    "rich_text",
    "title_blocks",
];

/// Takes out what is not judged: what is in open fields, and blank texts where filled-up samples have them for numbers of pixels.
fn prune(sample: &mut Value) {
    match sample {
        Value::Array(items) => items.iter_mut().for_each(prune),
        Value::Object(fields) => {
            fields.retain(|name, value| !((name.ends_with("_w") || name.ends_with("_h")) && value == ""));
            for (_, value) in fields.iter_mut().filter(|(name, _)| OPEN.contains(&name.as_str())) {
                *value = match value {
                    Value::Array(_) => Value::Array(Vec::new()),
                    Value::Object(_) => Value::Object(Map::new()),
                    _ => continue,
                };
            }
            fields.values_mut().for_each(prune);
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the folder named by CONNECT_SLACK_SAMPLES"]
fn every_official_sample_decodes_and_lands_in_typed_fields() {
    #[expect(clippy::disallowed_methods, reason = "the folder is named by the script")]
    let folder = std::path::PathBuf::from(std::env::var("CONNECT_SLACK_SAMPLES").unwrap());
    let mut coverage = coverage::Coverage::default();
    let (mut all, mut without, mut refused) = (0, 0, Vec::new());
    let mut drift = BTreeMap::<String, Vec<&str>>::new();
    for entry in CATALOG.entries() {
        let name = &*entry.operation.name;
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.json"))) else {
            without += 1;
            continue;
        };
        all += 1;
        let mut sample: Value = serde_json::from_str(&text).unwrap();
        let fields = sample.as_object_mut().unwrap();
        fields.retain(|field, _| !ENVELOPE.contains(&field.as_str()));
        prune(&mut sample);
        let decode = entry.decode.unwrap();
        let mut cx = Decoding::default();
        match decode(answer(&sample), &mut cx) {
            Ok(typed) => {
                let again = |value: &Value| decode(answer(value), &mut Decoding::default()).ok();
                coverage.add(name, &sample, &typed, &again);
            }
            Err(error) => refused.push((name, error.to_string())),
        }
        for field in cx.drift {
            drift.entry(field).or_default().push(name);
        }
    }

    let (values, landed) = coverage.counts();
    println!("{} of {all} samples decode; {without} methods have none", all - refused.len());
    println!(
        "{landed} of {values} values land in typed fields: {:.2} % {:?}",
        coverage.percent(),
        coverage.fates()
    );
    for (place, fate, count) in coverage.lost(20) {
        println!("  {count:4} {fate:?} {place}");
    }
    let mut drift: Vec<_> = drift.into_iter().collect();
    drift.sort_by_key(|(_, methods)| std::cmp::Reverse(methods.len()));
    println!("{} promised fields are missing somewhere", drift.len());
    for (field, methods) in drift.iter().take(20) {
        println!("  {:4} {field} ({})", methods.len(), methods[0]);
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(coverage.percent() >= WANTED_PERCENT);
}

fn answer(body: &Value) -> Response {
    Response::new(StatusCode::OK, HeaderMap::new(), body.to_string())
}
