//! The fake Jira's search: its language, its pages, and its index that lags behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod jira_support;

use std::time::Duration;

use connect_testkit::{FakeJira, Reply};
use jira_support::{SEARCH, START, get, jira, new_issue, post};
use serde_json::{Value, json};

fn keys(reply: &Reply) -> Vec<String> {
    let answer = reply.json();
    let issues = answer["issues"].as_array().unwrap();
    issues.iter().map(|issue| issue["key"].as_str().unwrap().to_owned()).collect()
}

async fn find(jira: &FakeJira, jql: &str) -> Vec<String> {
    keys(&post(jira, SEARCH, json!({ "jql": jql, "fields": ["key"] })).await)
}

async fn create(jira: &FakeJira, labels: Value) {
    let mut new = new_issue("x");
    new["fields"]["labels"] = labels;
    assert_eq!(post(jira, "/issue", new).await.status, 201);
}

#[tokio::test]
async fn clauses_select_and_are_joined() {
    let jira = jira().await;
    create(&jira, json!(["alert", "db"])).await;
    create(&jira, json!(["alert"])).await;
    jira.add_issue("WEB", "elsewhere");
    jira.transition("OPS-2", "Done");
    let cases: [(&str, &[&str]); 9] = [
        ("project = \"OPS\" ORDER BY key", &["OPS-1", "OPS-2"]),
        ("project = ops ORDER BY key DESC", &["OPS-2", "OPS-1"]),
        ("labels = \"alert\" AND labels = \"db\"", &["OPS-1"]),
        ("labels = \"nobody\"", &[]),
        ("project = \"OPS\" and status = 'done'", &["OPS-2"]),
        ("project = \"WEB\" AND labels = \"alert\"", &[]),
        ("key = \"WEB-1\"", &["WEB-1"]),
        ("key = ops-1", &["OPS-1"]),
        ("status = \"To Do\" ORDER BY created ASC", &["OPS-1", "WEB-1"]),
    ];
    for (jql, expected) in cases {
        assert_eq!(find(&jira, jql).await, expected, "{jql}");
    }
}

#[tokio::test]
async fn keys_are_ordered_by_number_and_creation_is_newest_first() {
    let jira = jira().await;
    for number in 1..=11 {
        jira.add_issue("OPS", &format!("Issue {number}"));
        jira.advance_clock(Duration::from_secs(1));
    }
    let up: Vec<String> = (1..=11).map(|number| format!("OPS-{number}")).collect();
    let down: Vec<String> = up.iter().rev().cloned().collect();
    assert_eq!(find(&jira, "project = OPS ORDER BY key ASC").await, up);
    assert_eq!(find(&jira, "project = OPS ORDER BY created ASC").await, up);
    assert_eq!(find(&jira, "project = OPS ORDER BY created").await, down);
    assert_eq!(find(&jira, "project = OPS").await, down);
}

#[tokio::test]
async fn an_issue_is_its_id_unless_fields_are_wanted() {
    let jira = jira().await;
    create(&jira, json!(["alert"])).await;
    let id = jira.issues("OPS")[0].id.clone();
    let bare = post(&jira, SEARCH, json!({ "jql": "project = OPS" })).await.json();
    assert_eq!(bare, json!({ "issues": [{ "id": id }], "isLast": true }));

    let body = json!({ "jql": "project = OPS", "fields": ["labels", "status"] });
    let issue = post(&jira, SEARCH, body).await.json()["issues"][0].clone();
    assert_eq!(issue["key"], "OPS-1");
    assert_eq!(issue["fields"].as_object().unwrap().keys().collect::<Vec<_>>(), ["labels", "status"]);

    let all = post(&jira, SEARCH, json!({ "jql": "project = OPS", "fields": ["*all"] })).await.json();
    assert_eq!(all["issues"][0], get(&jira, "/issue/OPS-1").await.json());
}

#[tokio::test]
async fn pages_follow_each_other_by_token() {
    let jira = jira().await;
    for number in 1..=7 {
        jira.add_issue("OPS", &format!("Issue {number}"));
    }
    let mut body = json!({ "jql": "project = OPS ORDER BY key", "fields": ["key"], "maxResults": 3 });
    let mut pages = Vec::new();
    loop {
        let page = post(&jira, SEARCH, body.clone()).await;
        pages.push(keys(&page));
        let answer = page.json();
        assert_eq!(answer.get("total"), None);
        assert_eq!(answer["isLast"].as_bool().unwrap(), answer.get("nextPageToken").is_none());
        let Some(token) = answer.get("nextPageToken") else { break };
        body["nextPageToken"] = token.clone();
        // Whatever happens in between, nothing is read twice.
        jira.transition("OPS-3", "Done");
    }
    assert_eq!(pages, [vec!["OPS-1", "OPS-2", "OPS-3"], vec!["OPS-4", "OPS-5", "OPS-6"], vec!["OPS-7"]]);
}

#[tokio::test]
async fn a_full_last_page_has_no_token() {
    let jira = jira().await;
    for _ in 0..50 {
        jira.add_issue("OPS", "x");
    }
    let page = post(&jira, SEARCH, json!({ "jql": "project = OPS" })).await.json();
    assert_eq!(page["issues"].as_array().unwrap().len(), 50);
    assert_eq!((&page["isLast"], page.get("nextPageToken")), (&json!(true), None));
}

#[tokio::test]
async fn pages_are_smaller_when_fields_are_wanted() {
    let jira = jira().await;
    for _ in 0..120 {
        jira.add_issue("OPS", "x");
    }
    for (fields, wanted, expected) in
        [(json!([]), json!(null), 50), (json!([]), json!(5000), 120), (json!(["summary"]), json!(5000), 100)]
    {
        let body = json!({ "jql": "project = OPS", "fields": fields, "maxResults": wanted });
        let page = post(&jira, SEARCH, body).await.json();
        assert_eq!(page["issues"].as_array().unwrap().len(), expected, "{fields}");
    }
}

#[tokio::test]
async fn a_token_belongs_to_its_query_and_dies_after_a_week() {
    let jira = jira().await;
    jira.add_issue("OPS", "x");
    jira.add_issue("OPS", "y");
    let first = post(&jira, SEARCH, json!({ "jql": "project = OPS", "maxResults": 1 })).await.json();
    let token = &first["nextPageToken"];
    let with = |jql: &str, token: &Value| json!({ "jql": jql, "nextPageToken": token });
    assert_eq!(post(&jira, SEARCH, with("project = OPS", token)).await.status, 200);
    for body in [
        with("project = \"OPS\"", token),
        with("project = OPS", &json!("bm8=")),
        with("project = OPS", &json!("?")),
        with("project = OPS", &json!(7)),
    ] {
        assert_eq!(post(&jira, SEARCH, body.clone()).await.status, 400, "{body}");
    }
    jira.advance_clock(Duration::from_secs(7 * 86_400));
    assert_eq!(post(&jira, SEARCH, with("project = OPS", token)).await.status, 400);
}

#[tokio::test]
async fn unbounded_and_unsupported_queries_are_refused_by_name() {
    let jira = jira().await;
    let cases = [
        (json!({}), "restriction"),
        (json!({ "jql": "" }), "restriction"),
        (json!({ "jql": "ORDER BY created DESC" }), "restriction"),
        (json!({ "jql": 7 }), "string"),
        (json!({ "jql": "project = OPS OR labels = x" }), "`OR`"),
        (json!({ "jql": "summary ~ \"x\"" }), "`summary`"),
        (json!({ "jql": "labels IN (a, b)" }), "`IN`"),
        (json!({ "jql": "project = OPS ORDER BY rank" }), "`rank`"),
        (json!({ "jql": "project = IF" }), "reserved"),
        (json!({ "jql": "project = NOPE" }), "`project`"),
        (json!({ "jql": "key = \"OPS-9\"" }), "`key`"),
        (json!({ "jql": "status = Gone" }), "`status`"),
        (json!({ "jql": "project = OPS", "maxResults": 0 }), "`maxResults`"),
        (json!({ "jql": "project = OPS", "fields": "key" }), "`fields`"),
        (json!({ "jql": "project = OPS", "reconcileIssues": ["1"] }), "`reconcileIssues`"),
        (json!({ "jql": "project = OPS", "reconcileIssues": vec![1; 51] }), "`reconcileIssues`"),
        (json!({ "jql": "project = OPS", "properties": ["a", "b", "c", "d", "e", "f"] }), "`properties`"),
    ];
    for (body, expected) in cases {
        let refused = post(&jira, SEARCH, body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
        let message = refused.json()["errorMessages"][0].as_str().unwrap().to_owned();
        assert!(message.contains(expected), "{message} for {body}");
    }
}

#[tokio::test]
async fn a_fresh_issue_is_read_at_once_and_found_after_the_lag() {
    let builder = FakeJira::builder().start_time(START).search_lag(Duration::from_millis(29_500));
    let jira = builder.start().await.unwrap();
    let key = jira.add_issue("OPS", "Fresh");
    create(&jira, json!(["fresh"])).await;
    for jql in ["project = OPS", "labels = fresh", "key = OPS-1"] {
        assert!(find(&jira, jql).await.is_empty(), "{jql}");
    }
    assert_eq!(get(&jira, &format!("/issue/{key}")).await.status, 200);

    jira.advance_clock(Duration::from_secs(29));
    assert!(find(&jira, "project = OPS").await.is_empty());
    jira.advance_clock(Duration::from_secs(1));
    assert_eq!(find(&jira, "project = OPS").await, ["OPS-2", "OPS-1"]);
}

#[tokio::test]
async fn reconciled_issues_are_found_in_spite_of_the_lag() {
    let builder = FakeJira::builder().start_time(START).search_lag(Duration::from_secs(3600));
    let jira = builder.start().await.unwrap();
    jira.add_issue("OPS", "One");
    jira.add_issue("OPS", "Two");
    jira.add_issue("WEB", "Three");
    let ids: Vec<u64> = ["OPS", "WEB"]
        .iter()
        .flat_map(|project| jira.issues(project))
        .map(|issue| issue.id.parse().unwrap())
        .collect();
    let body = |ids: &[u64]| json!({ "jql": "project = OPS", "fields": ["key"], "reconcileIssues": ids });
    assert_eq!(keys(&post(&jira, SEARCH, body(&ids[1..2])).await), ["OPS-2"]);
    // Being reconciled does not make an issue match.
    assert_eq!(keys(&post(&jira, SEARCH, body(&ids)).await), ["OPS-2", "OPS-1"]);
}

#[tokio::test]
async fn an_unknown_field_of_the_search_is_recorded_as_a_problem() {
    let jira = jira().await;
    post(&jira, SEARCH, json!({ "jql": "project = OPS", "startAt": 0 })).await;
    post(&jira, SEARCH, json!({ "jql": "project = OPS", "fields": ["summary"] })).await;
    let requests = jira.requests();
    assert_eq!(requests[0].operation.as_deref(), Some("searchAndReconsileIssuesUsingJqlPost"));
    assert!(requests[0].problems[0].contains("`startAt`"));
    assert!(requests[1].problems.is_empty());
}
