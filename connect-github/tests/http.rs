//! The client over real HTTP. No timing is asserted.
#![cfg(feature = "issues")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_github::{Config, Connector, Context, ErrorKind, GitHub, Problem, Sent, issues};
use futures_util::TryStreamExt;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client(server: &MockServer) -> GitHub {
    let config = Config::default().with_user_agent("hub-test").with_seed(1);
    GitHub::builder().token("ghp_canary").base_url(&server.uri()).config(config).build().unwrap()
}

fn issue(number: u64) -> serde_json::Value {
    json!({
        "id": 1000 + number, "node_id": "I_1", "number": number, "title": format!("Issue {number}"), "state": "open",
        "body": null, "user": {"id": 5, "login": "mona", "type": "User"}, "labels": [{"name": "bug"}],
        "comments": 0, "html_url": format!("https://github.example/octo/hello/issues/{number}"),
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
    })
}

#[tokio::test]
async fn every_request_names_client_version_and_media_type() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/repos/octo/hello/issues/7"))
        .and(header("authorization", "Bearer ghp_canary"))
        .and(header("accept", "application/vnd.github+json"))
        .and(header("x-github-api-version", "2022-11-28"))
        .and(header("user-agent", "hub-test"))
        .respond_with(ResponseTemplate::new(200).set_body_json(issue(7)))
        .expect(1)
        .mount(&server)
        .await;
    let issue = client(&server).send(issues::Get::new("octo", "hello", 7)).await.unwrap();
    assert_eq!((issue.number, issue.user.unwrap().login.as_str()), (7, "mona"));
}

#[tokio::test]
async fn a_created_issue_carries_only_what_was_set() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/repos/octo/hello/issues"))
        .and(body_json(json!({"title": "T", "labels": ["bug"]})))
        .respond_with(ResponseTemplate::new(201).set_body_json(issue(8)))
        .expect(1)
        .mount(&server)
        .await;
    let created =
        client(&server).send(issues::Create::new("octo", "hello", "T").labels(["bug"])).await.unwrap();
    assert_eq!(created.number, 8);
}

#[tokio::test]
async fn lists_follow_links_under_the_base_url_with_the_credential() {
    let server = MockServer::start().await;
    let next = format!("<{}/repositories/1/issues?page=2>; rel=\"next\"", server.uri());
    Mock::given(path("/repos/octo/hello/issues"))
        .and(query_param("per_page", "100"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!([issue(1), issue(2)])).insert_header("link", next),
        )
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/repositories/1/issues"))
        .and(query_param("page", "2"))
        .and(header("authorization", "Bearer ghp_canary"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([issue(3)])))
        .expect(1)
        .mount(&server)
        .await;
    let all: Vec<_> =
        client(&server).stream(issues::ListForRepo::new("octo", "hello")).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|issue| issue.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn post_answered_502_is_not_sent_twice() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(502)).expect(1).mount(&server).await;
    let comment = issues::CreateComment::new("octo", "hello", 7, "hi");
    let error = client(&server).send(comment).await.unwrap_err();
    assert_eq!(error.sent(), Sent::Maybe);
    assert!(error.to_string().contains("may have been applied"), "{error}");
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong_with_which_field() {
    let server = MockServer::start().await;
    let body = json!({
        "message": "Validation Failed", "documentation_url": "https://docs.github.example/rest", "status": "422",
        "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]
    });
    let answer = ResponseTemplate::new(422).set_body_json(body).insert_header("x-github-request-id", "AB:12");
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let error = client(&server).send(issues::Create::new("octo", "hello", "")).await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::Invalid, Some("AB:12")));
    assert_eq!(
        error.to_string(),
        "github issues/create: Validation Failed; Issue.title: missing_field (HTTP 422, request id AB:12)"
    );
    assert_eq!(error.details::<Problem>().unwrap().errors[0].field.as_deref(), Some("title"));
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_an_auth_error_without_the_token() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(401).set_body_json(json!({"message": "Bad credentials"}));
    Mock::given(path("/user")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server).validate_credentials(&Context::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error:#} {error:?}").contains("canary"));
}

#[tokio::test]
async fn an_identity_has_the_stable_id_and_the_login() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"id": 5, "login": "mona", "type": "User"}));
    Mock::given(path("/user")).respond_with(answer).mount(&server).await;
    let identity = client(&server).validate_credentials(&Context::default()).await.unwrap();
    assert_eq!((identity.subject.as_str(), identity.account.as_deref()), ("5", Some("mona")));
}

#[tokio::test]
async fn html_where_json_was_expected_is_a_decode_error_with_the_status() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_string("<html>"))
        .mount(&server)
        .await;
    let error = client(&server).send(issues::Get::new("o", "r", 1)).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Decode, 200));
}

#[test]
fn variables_configure_the_client_and_mistakes_name_them() {
    let vars = |url: &'static str| {
        move |name: &str| match name {
            "GITHUB_TOKEN" => Some("ghp_canary".to_owned()),
            "GITHUB_API_URL" => Some(url.to_owned()),
            _ => None,
        }
    };
    let github = GitHub::from_vars(vars("https://ghes.example/api/v3")).unwrap();
    assert!(format!("{github:?}").contains("ghes.example"));
    let error = GitHub::from_vars(vars("ghes.example")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = format!("{error:#}");
    assert!(text.contains("GITHUB_API_URL") && !text.contains("canary"), "{text}");
    GitHub::from_vars(|_| None).unwrap();
}
