//! `connect ops` and `connect decode`: what the catalogue knows, without a network.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

mod terminal;
use terminal::{Said, terminal};

async fn ops(words: &[&str]) -> Said {
    terminal(&[], "", &[&["ops"], words].concat()).await
}

async fn decode(input: &str, words: &[&str]) -> Said {
    terminal(&[], input, &[&["decode"], words].concat()).await
}

#[tokio::test]
async fn operations_are_a_table() {
    let said = ops(&["github", "--category", "issues"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    let line = said.out.lines().find(|line| line.starts_with("issues/create ")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells, ["issues/create", "POST", "/repos/{owner}/{repo}/issues", "unsafe", "-"]);
    assert!(said.out.lines().skip(1).all(|line| line.starts_with("issues/")));

    let json = ops(&["slack", "--json"]).await.json();
    let list = json.as_array().unwrap().iter().find(|row| row["name"] == "conversations.list").unwrap();
    assert_eq!((&list["paged"], &list["safety"]), (&json!(true), &json!("safe")));
}

#[tokio::test]
async fn one_operation_tells_what_it_takes() {
    let said = ops(&["github", "issues/create"]).await;
    assert!(said.out.starts_with("issues/create  POST /repos/{owner}/{repo}/issues"), "{}", said.out);
    assert!(said.out.contains("https://docs.github.com/rest/issues/issues#create-an-issue"), "{}", said.out);
    let owner = said.out.lines().find(|line| line.starts_with("owner")).unwrap();
    assert_eq!(owner.split_whitespace().collect::<Vec<_>>(), ["owner", "path", "text", "required"]);

    let list = ops(&["github", "issues/list-for-repo"]).await.out;
    assert!(list.contains("open, closed, all") && list.contains("--pages N"), "{list}");
    let upload = ops(&["github", "repos/upload-release-asset"]).await.out;
    assert!(upload.contains("--body FILE"), "{upload}");

    let json = ops(&["github", "issues/create", "--json"]).await.json();
    assert_eq!(json["schema"]["type"], "object");
    assert!(json["schema"]["required"].as_array().unwrap().contains(&json!("title")));
    assert_eq!(
        json["arguments"][0],
        json!({"name": "owner", "where": "path", "required": true, "secret": false, "sent_by_default": null})
    );
}

#[tokio::test]
async fn a_word_finds_the_operations_that_have_it_in_their_name() {
    let said = ops(&["github", "labels"]).await;
    assert_eq!(said.code, 0);
    assert!(said.out.contains("issues/add-labels") && !said.out.contains("issues/create "), "{}", said.out);
}

#[tokio::test]
async fn what_is_not_there_is_named_with_what_is_near() {
    let cases: &[(&[&str], &str)] = &[
        (&["github", "issues/craete"], "did you mean `issues/create`?"),
        (&["github", "--category", "isues"], "did you mean `issues`?"),
        (&["jira"], "generated client"),
        (&[], "github, slack"),
        (&["github", "issues/get", "more"], "one word too many"),
    ];
    for (words, expected) in cases {
        let said = ops(words).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
    }
}

/// Every argument that a row names is in its schema, and the other way round.
#[tokio::test]
async fn rows_and_schemas_name_the_same_arguments() {
    for catalog in [&connect_github::CATALOG, &connect_slack::CATALOG] {
        for entry in catalog.entries() {
            let schema = entry.schema();
            let mut named: Vec<&str> =
                schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            named.sort_unstable();
            let mut rows: Vec<&str> =
                entry.operation.parameters.iter().map(|parameter| parameter.name).collect();
            rows.sort_unstable();
            assert_eq!(named, rows, "{}", entry.operation.name);
        }
    }
}

#[tokio::test]
async fn an_answer_is_printed_as_its_model_and_drift_is_told() {
    let answer = json!([{"id": 1, "name": "bug"}]).to_string();
    let words = ["github", "--operation", "issues/list-labels-for-repo"];
    let said = decode(&answer, &words).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()[0]["name"], "bug");
    assert!(said.err.contains("Label.color"), "{}", said.err);
    assert!(!said.err.contains("does not know"), "{}", said.err);
    assert_eq!(decode(&answer, &[&words[..], &["--json"]].concat()).await.out.lines().count(), 1);
}

#[tokio::test]
async fn what_the_model_does_not_know_is_told() {
    let answer = r#"[{"id": 1, "name": "bug", "sheen": "high"}]"#;
    let said = decode(answer, &["github", "--operation", "issues/list-labels-for-repo"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("the answer has [].sheen"), "{}", said.err);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_fails_with_its_path() {
    let answer = r#"[{"id": 1, "name": "bug"}, {"id": "canary", "name": "ui"}]"#;
    let said = decode(answer, &["github", "--operation", "issues/list-labels-for-repo"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("[1].id"), "{}", said.err);
    assert!(!said.err.contains("canary"), "{}", said.err);
}

#[tokio::test]
async fn a_refusal_is_no_answer_of_the_model() {
    let said =
        decode(r#"{"ok":false,"error":"channel_not_found"}"#, &["slack", "--operation", "chat.postMessage"])
            .await;
    assert_eq!(said.code, 1);
    assert!(said.err.contains("refusal") && said.err.contains("channel_not_found"), "{}", said.err);
}

#[tokio::test]
async fn the_status_decides_about_the_model() {
    let words = ["github", "--operation", "repos/create-deployment"];
    let accepted = decode(r#"{"message":"queued"}"#, &[&words[..], &["--status", "202"]].concat()).await;
    assert_eq!((accepted.code, accepted.err.as_str()), (0, ""), "{accepted:?}");
    assert_eq!(accepted.json()["message"], "queued");
    for (words, expected) in [
        (&["github", "--operation", "issues/get", "--status", "ok"][..], "--status is no HTTP status"),
        (&["github"], "--operation"),
        (&["github", "--operation", "issues/gett"], "did you mean `issues/get`?"),
    ] {
        let said = decode("{}", words).await;
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(expected), "{}", said.err);
    }
}

#[tokio::test]
async fn a_payload_is_printed_as_its_event() {
    let payload = json!({
        "action": "opened", "issue": {"id": 1, "number": 7, "title": "It rains", "sheen": "high"},
        "repository": {"id": 2, "full_name": "octo/hello", "temp_clone_token": "canary"}, "sender": {"id": 3, "login": "mona"},
    });
    for event in ["issues", "X-GitHub-Event: issues", "Issues"] {
        let said = decode(&payload.to_string(), &["github", "--event", event]).await;
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!((&said.json()["action"], &said.json()["issue"]["number"]), (&json!("opened"), &json!(7)));
        assert!(said.err.contains("Issue.state"), "{}", said.err);
        assert!(said.err.contains("the payload has issue.sheen"), "{}", said.err);
        assert!(!format!("{said:?}").contains("canary"), "{said:?}");
    }
    let said = decode(r#"{"zen": "Rain.", "hook_id": 1}"#, &["github", "--event", "ping", "--json"]).await;
    assert_eq!((said.code, said.out.lines().count()), (0, 1), "{said:?}");
}

#[tokio::test]
async fn a_payload_that_is_none_fails_and_a_misspelt_event_is_named() {
    for payload in ["<html>canary", r#"["canary"]"#, r#"{"action": "canary"#, ""] {
        let said = decode(payload, &["github", "--event", "issues"]).await;
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains("issues") && !said.err.contains("canary"), "{}", said.err);
    }
    for (words, expected) in [
        (&["github", "--event", "isues"][..], "did you mean `issues`?"),
        (&["slack", "--event", "message"], "only GitHub's events"),
        (&["github", "--event", "issues", "--operation", "issues/get"], "one of them"),
        (&["github", "--event", "issues", "--status", "200"], "--status"),
    ] {
        let said = decode("{}", words).await;
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(expected), "{}", said.err);
    }
}
