//! The fake Jira creates and shows issues as Jira does, and knows who is asking.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod jira_support;

use connect_testkit::{FakeJira, send};
use http::Method;
use jira_support::{START, attempt, basic, document, get, jira, new_issue, post};
use serde_json::{Value, json};

#[tokio::test]
async fn a_created_issue_can_be_read_back_by_id_and_by_key() {
    let jira = jira().await;
    let new = json!({
        "fields": {
            "project": { "key": "OPS" },
            "issuetype": { "name": "Bug" },
            "summary": "Disk full",
            "description": document("On the third node"),
            "labels": ["storage", "urgent"],
            "customfield_10042": 7,
            "assignee": { "id": "account-of-mona" },
        },
        "properties": [{ "key": "origin", "value": { "run": 1 } }],
    });
    let created = post(&jira, "/issue", new).await;
    assert_eq!(created.status, 201);
    let (id, key) = (created.json()["id"].as_str().unwrap().to_owned(), "OPS-1");
    let link = format!("{}/rest/api/3/issue/{id}", jira.url());
    assert_eq!(created.json(), json!({ "id": id, "key": key, "self": link }));

    let issue = get(&jira, &format!("/issue/{id}")).await.json();
    assert_eq!(get(&jira, "/issue/ops-1").await.json(), issue);
    let expected = [
        ("/id", json!(id)),
        ("/key", json!(key)),
        ("/fields/summary", json!("Disk full")),
        ("/fields/description", document("On the third node")),
        ("/fields/labels", json!(["storage", "urgent"])),
        ("/fields/project/key", json!("OPS")),
        ("/fields/issuetype/name", json!("Bug")),
        ("/fields/status/name", json!("To Do")),
        ("/fields/status/statusCategory/key", json!("new")),
        ("/fields/creator/accountId", json!(jira.account_id())),
        ("/fields/assignee/accountId", json!("account-of-mona")),
        ("/fields/customfield_10042", json!(7)),
        ("/fields/created", json!("2023-11-14T22:13:20.000+0000")),
        ("/fields/comment/total", json!(0)),
    ];
    for (pointer, value) in expected {
        assert_eq!(issue.pointer(pointer), Some(&value), "{pointer}");
    }

    let held = &jira.issues("OPS")[0];
    assert_eq!((held.key.as_str(), held.id.as_str(), held.created_at), (key, id.as_str(), START));
    assert_eq!((held.issue_type.as_str(), held.status.as_str()), ("Bug", "To Do"));
    assert_eq!(held.description, document("On the third node"));
    assert_eq!(held.properties["origin"], json!({ "run": 1 }));
    assert_eq!((jira.count("createIssue"), jira.count("getIssue"), jira.count("*")), (1, 2, 3));
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_new_issue_is_said_at_once() {
    let jira = jira().await;
    let wrong = json!({ "fields": { "description": "text", "labels": ["a b"], "sumary": "typo" } });
    let refused = post(&jira, "/issue", wrong).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errorMessages"], json!([]));
    let errors = refused.json()["errors"].as_object().unwrap().clone();
    let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
    assert_eq!(fields, ["description", "issuetype", "labels", "project", "sumary", "summary"]);
    assert!(errors["description"].as_str().unwrap().contains("not a string"));
    assert!(jira.issues("OPS").is_empty());
}

#[tokio::test]
async fn each_wrong_field_is_refused_by_name() {
    let jira = jira().await;
    let cases = [
        ("project", json!({ "key": "NOPE" })),
        ("project", json!("OPS")),
        ("issuetype", json!({ "name": "Wish" })),
        ("summary", json!("  ")),
        ("summary", json!("two\nlines")),
        ("summary", json!("x".repeat(256))),
        ("summary", json!(7)),
        ("description", json!({ "type": "doc", "version": 1, "content": [{ "type": "text", "text": "x" }] })),
        ("labels", json!("one")),
        ("labels", json!([1])),
    ];
    for (field, value) in cases {
        let mut new = new_issue("fine");
        new["fields"][field] = value.clone();
        let refused = post(&jira, "/issue", new).await;
        assert_eq!(refused.status, 400, "{field} {value}");
        let errors = refused.json()["errors"].as_object().unwrap().clone();
        assert_eq!(errors.keys().collect::<Vec<_>>(), [field], "{value}");
    }
    assert!(jira.issues("OPS").is_empty());
}

#[tokio::test]
async fn wrong_bodies_are_refused_and_change_nothing() {
    let jira = jira().await;
    for body in ["{", "[]", "", "{}", r#"{"fields":[]}"#, r#"{"fields":{},"properties":7}"#] {
        let reply = attempt(&jira, Method::POST, "/issue", body).await.unwrap();
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["errorMessages"][0].is_string(), "{body}");
    }
    let (url, basic) = (format!("{}/rest/api/3/issue", jira.url()), basic(&jira));
    let body = new_issue("fine").to_string();
    let untyped = send(Method::POST, &url, &[("authorization", basic)], body).await.unwrap();
    assert_eq!(untyped.status, 415);
    assert!(jira.issues("OPS").is_empty());
}

#[tokio::test]
async fn only_the_wanted_fields_are_shown() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let names = |reply: Value| -> Vec<String> {
        reply["fields"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    for query in ["fields=summary,status", "fields=summary&fields=status", "fields=status%2C%20summary"] {
        let issue = get(&jira, &format!("/issue/{key}?{query}")).await.json();
        assert_eq!(names(issue), ["status", "summary"], "{query}");
    }
    let most = names(get(&jira, &format!("/issue/{key}?fields=-comment")).await.json());
    assert!(most.contains(&"labels".to_owned()) && !most.contains(&"comment".to_owned()));
    let bare = get(&jira, &format!("/issue/{key}?fields=key")).await.json();
    assert_eq!((&bare["key"], bare.get("fields")), (&json!(key), None));
}

#[tokio::test]
async fn an_unknown_issue_is_404_in_every_operation() {
    let jira = jira().await;
    for path in ["/issue/OPS-9", "/issue/10", "/issue/OPS-9/comment", "/issue/OPS-9/transitions"] {
        let reply = get(&jira, path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.json()["errors"], json!({}), "{path}");
        assert!(reply.json()["errorMessages"][0].is_string(), "{path}");
    }
    for path in ["/issue/OPS-9/comment", "/issue/OPS-9/transitions"] {
        assert_eq!(post(&jira, path, json!({})).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn properties_are_set_read_and_shown_with_the_issue() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    let path = format!("/issue/{key}/properties/flow%2Fstate");
    assert_eq!(get(&jira, &path).await.status, 404);
    for (body, status) in [("{\"step\":1}", 201), ("[2]", 200)] {
        let reply = attempt(&jira, Method::PUT, &path, body).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.len()), (status, 0));
    }
    assert_eq!(get(&jira, &path).await.json(), json!({ "key": "flow/state", "value": [2] }));
    let shown = get(&jira, &format!("/issue/{key}?fields=summary&properties=flow%2Fstate,other")).await;
    assert_eq!(shown.json()["properties"], json!({ "flow/state": [2] }));
    assert!(jira.requests().iter().all(|request| request.problems.is_empty()));
}

#[tokio::test]
async fn the_account_behind_the_token_is_known() {
    let jira = FakeJira::builder().email("ops@example.org").account_id("acc-1").start().await.unwrap();
    let user = get(&jira, "/myself").await.json();
    assert_eq!(user["accountId"], "acc-1");
    assert_eq!(user["emailAddress"], "ops@example.org");
    assert_eq!(user["active"], true);
    assert_eq!(jira.count("getCurrentUser"), 1);
}

#[tokio::test]
async fn only_the_right_email_and_token_are_accepted() {
    let jira = jira().await;
    let url = format!("{}/rest/api/3/myself", jira.url());
    let basic = basic(&jira);
    let bearer = format!("Bearer {}", jira.token());
    for wrong in ["Basic bm86cGU=", &bearer, "Basic", &basic[..basic.len() - 4]] {
        let reply = send(Method::GET, &url, &[("authorization", wrong)], "").await.unwrap();
        assert_eq!(reply.status, 401, "{wrong}");
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{wrong}");
    }
    let nobody = send(Method::GET, &url, &[("accept", "*/*")], "").await.unwrap();
    assert_eq!(nobody.status, 401);
    assert!(nobody.json()["errorMessages"][0].is_string());
    assert!(jira.requests().iter().all(|request| !request.authorized));
    let right = send(Method::GET, &url, &[("authorization", basic.replacen("Basic", "basic", 1))], "").await;
    assert_eq!(right.unwrap().status, 200);
    assert!(jira.requests().last().unwrap().authorized);
}

#[tokio::test]
async fn every_answer_carries_jiras_headers() {
    let jira = jira().await;
    let reply = get(&jira, "/myself").await;
    let expected = [
        ("content-type", "application/json;charset=UTF-8"),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("x-ratelimit-limit", "100"),
        ("x-ratelimit-remaining", "99"),
        ("x-ratelimit-reset", "2023-11-14T22:13:21Z"),
        ("x-ratelimit-nearlimit", "false"),
    ];
    for (name, value) in expected {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    let trace = reply.header("atl-traceid").unwrap();
    assert_eq!(trace.len(), 32);
    let missing = get(&jira, "/nowhere").await;
    assert_ne!(missing.header("atl-traceid"), Some(trace));
    assert!(missing.header("x-ratelimit-limit").is_some());
}

#[tokio::test]
async fn what_is_not_there_is_404_and_a_wrong_method_is_405() {
    let jira = jira().await;
    let key = jira.add_issue("OPS", "One");
    for path in ["/nowhere", "/issue/", "/search"] {
        assert_eq!(get(&jira, path).await.status, 404, "{path}");
    }
    assert_eq!(attempt(&jira, Method::PATCH, &format!("/issue/{key}"), "{}").await.unwrap().status, 405);
    assert!(jira.requests().iter().all(|request| request.operation.is_none()));
}

#[tokio::test]
async fn a_site_lives_under_the_prefix_of_the_gateway() {
    let jira = FakeJira::builder().path_prefix("ex/jira/CLOUD-ID/").start().await.unwrap();
    assert!(jira.url().ends_with("/ex/jira/CLOUD-ID"));
    let user = get(&jira, "/myself").await;
    assert_eq!(user.status, 200);
    assert!(user.json()["self"].as_str().unwrap().starts_with(jira.url()));
    let outside = format!("{}/rest/api/3/myself", jira.url().trim_end_matches("/ex/jira/CLOUD-ID"));
    let reply = send(Method::GET, &outside, &[("authorization", basic(&jira))], "").await.unwrap();
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn what_the_fake_would_ignore_is_recorded_as_a_problem() {
    let jira = jira().await;
    let mut new = new_issue("One");
    new["udpate"] = json!({});
    post(&jira, "/issue?notify=true", new).await;
    get(&jira, "/issue/OPS-1?expand=changelog").await;
    get(&jira, "/issue/OPS-1?fields=summary").await;
    let problems: Vec<Vec<String>> = jira.requests().into_iter().map(|request| request.problems).collect();
    assert!(problems[0][0].contains("`notify`") && problems[0][1].contains("`udpate`"), "{problems:?}");
    assert!(problems[1][0].contains("`expand`"), "{problems:?}");
    assert!(problems[2].is_empty(), "{problems:?}");
}

#[tokio::test]
async fn credentials_of_two_fakes_differ_and_are_not_printed() {
    let (one, two) = (FakeJira::start().await.unwrap(), FakeJira::start().await.unwrap());
    assert_ne!(one.token(), two.token());
    assert_ne!(one.email(), two.email());
    assert_ne!(one.webhook_secret(), two.webhook_secret());
    assert!(one.token().contains("fake"));
    let secret = "canary-secret";
    let builder = FakeJira::builder().token(secret).webhook_secret(secret);
    assert!(!format!("{builder:?}").contains(secret));
    let fake = builder.start().await.unwrap();
    get(&fake, "/myself").await;
    let printed = format!("{fake:?} {:?}", fake.requests());
    assert!(!printed.contains(secret) && !printed.contains(basic(&fake).trim_start_matches("Basic ")));
}
