//! The client over real HTTP. No timing is asserted.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_jira::{
    Config, Connector, Context, ErrorKind, Jira, Problem, Sent, adf, issue_comments, issue_search, issues,
};
use futures_util::TryStreamExt;
use serde_json::json;
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client(server: &MockServer) -> Jira {
    Jira::builder()
        .base_url(&format!("{}/ex/jira/1", server.uri()))
        .api_token("hub@example.com", "canary")
        .config(Config::default().with_seed(1))
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_issue_is_created_below_the_base_urls_path_with_basic_credentials() {
    let server = MockServer::start().await;
    let fields = json!({"project": {"key": "OPS"}, "summary": "S", "description": adf::text("T")});
    Mock::given(method("POST"))
        .and(path("/ex/jira/1/rest/api/3/issue"))
        .and(header("authorization", "Basic aHViQGV4YW1wbGUuY29tOmNhbmFyeQ=="))
        .and(body_partial_json(json!({"fields": fields})))
        .respond_with(
            ResponseTemplate::new(201).set_body_json(json!({"id": "10", "key": "OPS-7", "self": "x"})),
        )
        .expect(1)
        .mount(&server)
        .await;
    let created = client(&server).send(issues::CreateIssue::new(fields)).await.unwrap();
    assert_eq!(created.key, "OPS-7");
}

#[tokio::test]
async fn a_post_answered_500_is_not_sent_twice() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(500)).expect(1).mount(&server).await;
    let comment = issue_comments::AddComment::new("OPS-7", adf::text("hi"));
    let error = client(&server).send(comment).await.unwrap_err();
    assert_eq!(error.sent(), Sent::Maybe);
}

#[tokio::test]
async fn a_search_goes_on_by_token_in_the_body_until_the_last_page() {
    let server = MockServer::start().await;
    let page = |key: &str, more: serde_json::Value| {
        let mut body = json!({"issues": [{"id": "1", "key": key, "fields": {"summary": "S"}}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ResponseTemplate::new(200).set_body_json(body)
    };
    Mock::given(path("/ex/jira/1/rest/api/3/search/jql"))
        .and(body_partial_json(json!({"jql": "project = \"OPS\"", "nextPageToken": "t2"})))
        .respond_with(page("OPS-2", json!({"isLast": true, "nextPageToken": "stale"})))
        .expect(1)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(path("/ex/jira/1/rest/api/3/search/jql"))
        .and(body_partial_json(json!({"jql": "project = \"OPS\""})))
        .respond_with(page("OPS-1", json!({"isLast": false, "nextPageToken": "t2"})))
        .expect(1)
        .mount(&server)
        .await;
    let search = issue_search::Search::new("project = \"OPS\"");
    let all: Vec<_> = client(&server).stream(search).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|issue| issue.key.as_str()).collect::<Vec<_>>(), ["OPS-1", "OPS-2"]);
}

#[tokio::test]
async fn a_refusal_names_the_fields_and_keeps_the_trace_id() {
    let server = MockServer::start().await;
    let body = json!({"errorMessages": [], "errors": {"summary": "You must specify a summary."}});
    let answer = ResponseTemplate::new(400).set_body_json(body).insert_header("atl-traceid", "abc");
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let error = client(&server).send(issues::CreateIssue::new(json!({}))).await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::Invalid, Some("abc")));
    assert!(error.to_string().contains("summary: You must specify"), "{error}");
    assert!(error.details::<Problem>().unwrap().errors.contains_key("summary"));
}

#[tokio::test]
async fn a_transition_answers_204() {
    let server = MockServer::start().await;
    Mock::given(path("/ex/jira/1/rest/api/3/issue/OPS-7/transitions"))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    client(&server).send(issues::DoTransition::new("OPS-7", "31")).await.unwrap();
}

#[tokio::test]
async fn an_identity_has_the_account_id() {
    let server = MockServer::start().await;
    let body =
        json!({"accountId": "5b10", "displayName": "Mia", "emailAddress": "mia@example.com", "active": true});
    Mock::given(path("/ex/jira/1/rest/api/3/myself"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(&server)
        .await;
    let identity = client(&server).validate_credentials(&Context::default()).await.unwrap();
    assert_eq!((identity.subject.as_str(), identity.email.as_deref()), ("5b10", Some("mia@example.com")));
}

#[test]
fn each_missing_variable_is_named() {
    let all = [
        ("JIRA_BASE_URL", "https://x.example"),
        ("JIRA_EMAIL", "a@example.com"),
        ("JIRA_API_TOKEN", "canary"),
    ];
    for missing in all.map(|(name, _)| name) {
        let lookup = |name: &str| {
            all.iter()
                .find(|(known, _)| *known == name && name != missing)
                .map(|(_, value)| (*value).to_owned())
        };
        let error = Jira::from_vars(lookup).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{missing} is not set")), "{error}");
    }
    Jira::from_vars(|name| {
        all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
    .unwrap();
    assert_eq!(
        Jira::builder().api_token("a@example.com", "t").build().unwrap_err().kind(),
        ErrorKind::Config
    );
}
