//! How the tests of the fake Jira talk to it.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_testkit::{FakeJira, Reply, send};
use http::Method;
use serde_json::{Value, json};

pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const SEARCH: &str = "/search/jql";

/// A fake with a clock that stands still and the empty project `OPS`.
pub(crate) async fn jira() -> FakeJira {
    let jira = FakeJira::builder().start_time(START).start().await.unwrap();
    jira.add_project("OPS");
    jira
}

pub(crate) fn basic(jira: &FakeJira) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", jira.email(), jira.token())))
}

/// Sends to a path below `/rest/api/3`.
pub(crate) async fn attempt(
    jira: &FakeJira,
    method: Method,
    path: &str,
    body: &str,
) -> std::io::Result<Reply> {
    let basic = basic(jira);
    let headers = [("authorization", basic.as_str()), ("content-type", "application/json")];
    send(method, &format!("{}/rest/api/3{path}", jira.url()), &headers, body.to_owned()).await
}

pub(crate) async fn get(jira: &FakeJira, path: &str) -> Reply {
    attempt(jira, Method::GET, path, "").await.unwrap()
}

pub(crate) async fn post(jira: &FakeJira, path: &str, body: Value) -> Reply {
    attempt(jira, Method::POST, path, &body.to_string()).await.unwrap()
}

pub(crate) fn new_issue(summary: &str) -> Value {
    json!({ "fields": { "project": { "key": "OPS" }, "issuetype": { "name": "Task" }, "summary": summary } })
}

pub(crate) fn document(text: &str) -> Value {
    let text = json!({ "type": "text", "text": text });
    json!({ "type": "doc", "version": 1, "content": [{ "type": "paragraph", "content": [text] }] })
}
