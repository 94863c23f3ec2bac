//! The client over real HTTP. No timing is asserted.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_slack::{
    Config, Connector, Context, ErrorKind, Problem, RetryAdvice, Sent, Slack, auth, chat, conversations,
};
use futures_util::TryStreamExt;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client(server: &MockServer) -> Slack {
    let config = Config::default().with_seed(1);
    Slack::builder()
        .token("xoxb-canary")
        .base_url(&format!("{}/api/", server.uri()))
        .config(config)
        .build()
        .unwrap()
}

fn ok(body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn a_message_goes_out_as_json_with_charset_and_the_token_in_the_header() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/chat.postMessage"))
        .and(header("authorization", "Bearer xoxb-canary"))
        .and(header("content-type", "application/json; charset=utf-8"))
        .and(body_json(json!({"channel": "C1", "text": "hi"})))
        .respond_with(ok(
            json!({"ok": true, "channel": "C1", "ts": "1700000000.000100", "message": {"text": "hi"}}),
        ))
        .expect(1)
        .mount(&server)
        .await;
    let posted = client(&server).send(chat::PostMessage::new("C1").text("hi")).await.unwrap();
    assert_eq!((posted.ts.as_str(), posted.message.text.as_str()), ("1700000000.000100", "hi"));
}

#[tokio::test]
async fn a_post_answered_500_is_not_sent_twice_and_says_it_may_have_been_applied() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(500)).expect(1).mount(&server).await;
    let error = client(&server).send(chat::PostMessage::new("C1").text("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unavailable, Sent::Maybe));
    assert_eq!(error.retry(), RetryAdvice::CheckFirst);
    assert!(error.to_string().contains("may have been applied"), "{error}");
}

#[tokio::test]
async fn a_post_answered_fatal_error_under_http_200_is_not_sent_twice_either() {
    let server = MockServer::start().await;
    let answer = ok(json!({"ok": false, "error": "fatal_error"}));
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server).send(chat::PostMessage::new("C1").text("hi")).await.unwrap_err();
    assert_eq!(error.sent(), Sent::Maybe);
}

#[tokio::test]
async fn a_post_answered_200_without_slacks_envelope_is_not_a_success() {
    for body in ["<html>", "{}"] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200).set_body_string(body);
        Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
        let error = client(&server).send(chat::PostMessage::new("C1").text("hi")).await.unwrap_err();
        assert_eq!(error.retry(), RetryAdvice::CheckFirst, "{body}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_under_http_200_is_an_error_with_its_code() {
    let server = MockServer::start().await;
    let answer =
        ok(json!({"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"}))
            .insert_header("x-slack-req-id", "abc");
    Mock::given(method("POST")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server).send(chat::PostMessage::new("C1").text("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.request_id()), (ErrorKind::Forbidden, Some("abc")));
    assert_eq!(error.details::<Problem>().unwrap().error.as_deref(), Some("missing_scope"));
    assert!(error.to_string().contains("the token needs chat:write"), "{error}");
}

#[tokio::test]
async fn lists_follow_cursors_to_the_end() {
    let server = MockServer::start().await;
    let page = |id: &str, next: &str| {
        ok(
            json!({"ok": true, "channels": [{"id": id, "name": "x"}], "response_metadata": {"next_cursor": next}}),
        )
    };
    Mock::given(path("/api/conversations.list"))
        .and(query_param_is_missing("cursor"))
        .respond_with(page("C1", "dGVhbTpDMg=="))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/api/conversations.list"))
        .and(query_param("cursor", "dGVhbTpDMg=="))
        .respond_with(page("C2", ""))
        .expect(1)
        .mount(&server)
        .await;
    let all: Vec<_> = client(&server).stream(conversations::List::new()).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>(), ["C1", "C2"]);
}

#[tokio::test]
async fn an_identity_has_the_user_id_and_names_the_workspace() {
    let server = MockServer::start().await;
    let answer = ok(
        json!({"ok": true, "team": "Acme", "team_id": "T1", "user": "hub", "user_id": "U1", "bot_id": "B1"}),
    );
    Mock::given(path("/api/auth.test")).respond_with(answer).mount(&server).await;
    let slack = client(&server);
    let identity = slack.validate_credentials(&Context::default()).await.unwrap();
    assert_eq!((identity.subject.as_str(), identity.account.as_deref()), ("U1", Some("hub in Acme")));
    assert_eq!(slack.send(auth::Test::new()).await.unwrap().bot_id.as_deref(), Some("B1"));
}

#[tokio::test]
async fn a_revoked_token_is_an_auth_error_without_the_token() {
    let server = MockServer::start().await;
    let answer = ok(json!({"ok": false, "error": "token_revoked"}));
    Mock::given(path("/api/auth.test")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server).validate_credentials(&Context::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error:#} {error:?}").contains("canary"));
}

#[test]
fn a_missing_token_is_named() {
    let error = Slack::from_vars(|_| None).unwrap_err();
    assert!(error.to_string().starts_with("SLACK_BOT_TOKEN is not set"), "{error}");
    assert_eq!(Slack::builder().build().unwrap_err().kind(), ErrorKind::Config);
}
