//! What goes wrong with the fake Jira on request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod jira_support;

use std::io::ErrorKind;
use std::time::Duration;

use http::Method;
use jira_support::{SEARCH, attempt, get, jira, new_issue, post};
use serde_json::json;

#[tokio::test]
async fn a_reached_limit_says_how_long_and_why() {
    let jira = jira().await;
    let wait = Duration::from_secs(30);
    let faults = jira.faults();
    faults.on("createIssue").too_many_requests(wait).then().secondary_limit(wait).then().primary_limit(wait);
    for (reason, limit) in
        [("jira-burst-based", "100"), ("jira-per-issue-on-write", "20"), ("jira-quota-tenant-based", "65000")]
    {
        let reply = post(&jira, "/issue", new_issue("x")).await;
        assert_eq!(reply.status, 429, "{reason}");
        let expected = [
            ("retry-after", "30"),
            ("ratelimit-reason", reason),
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "2023-11-14T22:13:50Z"),
            ("x-ratelimit-nearlimit", "true"),
        ];
        for (name, value) in expected {
            assert_eq!(reply.header(name), Some(value), "{name}");
        }
        assert!(reply.json()["errorMessages"][0].is_string());
        assert!(reply.header("atl-traceid").is_some());
    }
    assert!(jira.issues("OPS").is_empty());
    assert_eq!(post(&jira, "/issue", new_issue("x")).await.status, 201);
    assert_eq!(jira.faults().remaining(), 0);
}

#[tokio::test]
async fn a_dropped_create_leaves_its_issue_behind() {
    let jira = jira().await;
    jira.faults().on("createIssue").drop_after_send();
    let body = new_issue("Once").to_string();
    let error = attempt(&jira, Method::POST, "/issue", &body).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error:?}");
    assert_eq!(jira.issues("OPS").len(), 1);
    assert_eq!(jira.requests()[0].status, None);
    let found = post(&jira, SEARCH, json!({ "jql": "project = OPS" })).await.json();
    assert_eq!(found["issues"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_planned_status_has_jiras_shape() {
    let jira = jira().await;
    let faults = jira.faults();
    faults.on("getCurrentUser").status(500).then().status(401).then().status(502).then().status(429);
    let broken = get(&jira, "/myself").await;
    assert_eq!(broken.status, 500);
    assert_eq!(broken.json(), json!({ "errorMessages": ["Internal Server Error"], "errors": {} }));
    let refused = get(&jira, "/myself").await;
    assert_eq!((refused.status.as_u16(), refused.json()), (401, json!(null)));
    let gateway = get(&jira, "/myself").await;
    assert_eq!(gateway.header("content-type"), Some("text/html; charset=utf-8"));
    let silent = get(&jira, "/myself").await;
    assert_eq!((silent.status.as_u16(), silent.header("retry-after")), (429, None));
    assert_eq!(silent.header("x-ratelimit-remaining"), None);
    assert_eq!(get(&jira, "/myself").await.status, 200);
}

#[tokio::test]
async fn a_gateway_may_hide_a_transition_that_happened() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    jira.faults().on("doTransition").status(504).after_effect();
    let path = format!("/issue/{key}/transitions");
    let reply = post(&jira, &path, json!({ "transition": { "id": "31" } })).await;
    assert_eq!(reply.status, 504);
    assert_eq!(jira.issues("OPS")[0].status, "Done");
}

#[tokio::test]
async fn a_truncated_comment_is_there_all_the_same() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    jira.faults().on("addComment").truncate_body();
    let body = json!({ "body": jira_support::document("once") }).to_string();
    let error = attempt(&jira, Method::POST, &format!("/issue/{key}/comment"), &body).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error:?}");
    assert_eq!(jira.comments(&key).len(), 1);
}

#[tokio::test]
async fn waiting_for_a_request_needs_no_sleep_and_a_stopped_fake_is_gone() {
    let jira = jira().await;
    let ((), one, two) =
        tokio::join!(jira.wait_for("getCurrentUser", 2), get(&jira, "/myself"), get(&jira, "/myself"));
    assert_eq!((one.status, two.status), (http::StatusCode::OK, http::StatusCode::OK));
    let address = jira.url().trim_start_matches("http://").to_owned();
    jira.stop().await;
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
