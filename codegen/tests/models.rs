//! Models as they are generated: the source, byte by byte, and what it decodes.
//!
//! After a change of the generator, `cargo test -p codegen --test models -- --ignored` writes `tests/model/` anew.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(unexpected_cfgs, reason = "features of a client crate")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use codegen::facts::{Facts, Operation, Type};
use codegen::generate::model::{self as generator, Settings};
use connect_model::{Value, drift};
use serde_json::json;

/// As the client crate has it with all its features.
#[rustfmt::skip]
#[allow(unreachable_pub, dead_code, reason = "public in a client crate")]
mod model {
    mod shared;
    pub use shared::*;
    mod repos;
    pub use repos::*;

    const fn req(name: &'static str) -> connect_model::Field {
        connect_model::Field::required(name)
    }

    const fn opt(name: &'static str) -> connect_model::Field {
        connect_model::Field::optional(name)
    }
}

/// Stands for connect-core's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Secret(String);

impl<'de> connect_model::Deserialize<'de> for Secret {
    fn deserialize<D: connect_model::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

fn files() -> BTreeMap<String, String> {
    let answer = |op: &str, shape: Value| -> Operation {
        serde_json::from_value(json!({
            "op": op, "method": "GET", "path": "/", "docs": format!("https://docs.example.com/{op}"),
            "answers": [{"status": 200, "media": "application/json", "type": shape}],
        }))
        .unwrap()
    };
    let types = json!({
        "issue": {"object": [
            {"n": "id", "t": "integer", "req": true},
            {"n": "body", "t": "text"},
            {"n": "state", "t": {"words": ["open", "closed", "+1", "unknown"]}, "req": true},
            {"n": "labels", "t": {"list": {"one_of": ["text", {"object": [{"n": "name", "t": "text", "req": true}]}]}}, "req": true},
            {"n": "created_at", "t": "time", "req": true},
            {"n": "html_url", "t": "link", "req": true},
            {"n": "parent", "t": {"null": {"ref": "issue"}}, "req": true},
            {"n": "type", "t": {"ref": "issue-type"}},
        ]},
        "issue-type": {"object": [{"n": "name", "t": "text"}, {"n": "weights", "t": {"map": {"one_of": ["integer", "number"]}}}]},
        "content": {"one_of": [{"ref": "file"}, {"ref": "dir"}, {"list": {"ref": "file"}}]},
        "file": {"object": [
            {"n": "type", "t": {"words": ["file"]}, "req": true},
            {"n": "name", "t": "text", "req": true},
            {"n": "token", "t": "secret", "req": true},
        ]},
        "dir": {"object": [
            {"n": "type", "t": {"words": ["dir"]}, "req": true},
            {"n": "name", "t": "text", "req": true},
            {"n": "entries", "t": {"list": {"ref": "content"}}},
        ]},
    });
    let facts = Facts {
        operations: vec![
            answer("issues/get", json!({"ref": "issue"})),
            answer("repos/get-content", json!({"ref": "content"})),
            answer(
                "repos/list-issues",
                json!({"object": [{"n": "items", "t": {"list": {"ref": "issue"}}, "req": true}]}),
            ),
        ],
        types: serde_json::from_value::<BTreeMap<String, Type>>(types).unwrap(),
    };
    let settings = Settings {
        secret: "crate::Secret".to_owned(),
        provider: "Acme".to_owned(),
        names: BTreeMap::new(),
        is_events: false,
    };
    generator::plan(&facts, &settings).unwrap().files()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/model")
}

#[test]
fn the_source_is_the_one_that_is_kept() {
    let files = files();
    let kept = std::fs::read_dir(folder()).unwrap().count();
    assert_eq!(files.len(), kept, "{:?}", files.keys());
    for (name, text) in files {
        assert_eq!(text, std::fs::read_to_string(folder().join(&name)).unwrap(), "{name}");
    }
}

#[test]
#[ignore = "writes the files that the other test compares"]
fn write_the_source_anew() {
    for (name, text) in files() {
        std::fs::write(folder().join(name), text).unwrap();
    }
}

fn read<T: for<'de> connect_model::Deserialize<'de>>(text: &str) -> (T, Vec<String>) {
    let (value, missing) = drift::watch(|| serde_json::from_str(text));
    (value.unwrap(), missing)
}

#[test]
fn a_whole_answer_is_read_without_drift() {
    let (issue, missing) = read::<model::Issue>(
        r#"{"id": 7, "state": "+1", "labels": ["bug", {"name": "ui"}], "created_at": "2011-04-22T13:33:48Z",
            "html_url": "https://example.com/7", "parent": {"id": 6, "parent": null}, "body": null, "new": [1],
            "type": {"weights": {"a": 1, "b": 0.5}}}"#,
    );
    // The parent lacks what it promises; the issue does not.
    assert!(missing.iter().all(|field| field.starts_with("Issue.")), "{missing:?}");
    assert_eq!((issue.id, issue.state, issue.body), (7, model::IssueState::PlusOne, None));
    assert!(matches!(&issue.labels[0], model::IssueLabel::Text(text) if text == "bug"));
    assert!(matches!(&issue.labels[1], model::IssueLabel::Object(label) if label.name == "ui"));
    assert_eq!(issue.created_at.unix_seconds(), Some(1_303_479_228));
    assert!(issue.html_url.ends_with("/7"));
    assert_eq!(issue.parent.map(|parent| parent.id), Some(6));
    assert_eq!(issue.r#type.unwrap().weights["b"], 0.5);
}

#[test]
fn a_missing_promise_is_its_default_and_drift() {
    let (issue, missing) = read::<model::Issue>(r#"{"state": "brand_new", "labels": null}"#);
    assert_eq!((issue.id, issue.labels.len(), issue.parent.is_none()), (0, 0, true));
    assert_eq!(issue.state, model::IssueState::Unknown("brand_new".to_owned()));
    assert_eq!(missing, ["Issue.id", "Issue.labels", "Issue.created_at", "Issue.html_url"]);
    assert_eq!(model::IssueState::from("unknown"), model::IssueState::UnknownWord);
}

#[test]
fn a_union_is_told_apart_by_its_words() {
    let (content, missing) = read::<model::Content>(
        r#"{"type": "dir", "name": "src", "entries": [
            {"type": "file", "name": "a", "token": "t"}, [{"type": "file"}], {"type": "brand_new"}, 7]}"#,
    );
    let model::Content::Dir(dir) = content else { panic!("{content:?}") };
    assert!(matches!(&dir.entries[0], model::Content::File(file) if file.token == Secret("t".to_owned())));
    assert!(matches!(&dir.entries[1], model::Content::List(files) if files.len() == 1));
    assert!(matches!(&dir.entries[2], model::Content::Unknown(value) if value["type"] == "brand_new"));
    assert!(matches!(&dir.entries[3], model::Content::Unknown(Value::Number(_))));
    assert_eq!(missing, ["File.name", "File.token"]);
}

#[test]
fn a_list_is_in_its_envelope() {
    let (list, missing) = read::<model::ReposListIssuesResponse>(r#"{"items": [{"id": 1}]}"#);
    assert_eq!(list.items[0].id, 1);
    assert!(!missing.contains(&"ReposListIssuesResponse.items".to_owned()), "{missing:?}");
}
