//! Device logins at the fake authorization server: pending, too fast, decided, expired.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use std::time::Duration;

use authorization_support::{FORM, JSON, body, builder, form, server, text, token};
use connect_testkit::authorization::Shape;
use connect_testkit::{FakeAuthorization, Reply, post};
use serde_json::json;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const INTERVAL: Duration = Duration::from_secs(5);

async fn begin(server: &FakeAuthorization) -> Reply {
    let body = body(server, "none", &[("scope", "read")]);
    post(&format!("{}/device/code", server.url()), &[FORM, JSON], body).await.unwrap()
}

async fn poll(server: &FakeAuthorization, begun: &Reply) -> Reply {
    token(server, GRANT, &[("device_code", &text(begun, "device_code"))]).await
}

async fn error(server: &FakeAuthorization, begun: &Reply) -> String {
    let reply = poll(server, begun).await;
    assert_eq!(reply.status, 400);
    text(&reply, "error")
}

#[tokio::test]
async fn a_device_login_waits_for_the_person_and_gives_its_tokens_once() {
    let server = server().await;
    let begun = begin(&server).await;
    assert_eq!((&begun.json()["expires_in"], &begun.json()["interval"]), (&json!(900), &json!(5)));
    assert!(text(&begun, "verification_uri_complete").ends_with(&text(&begun, "user_code")));
    assert_eq!(error(&server, &begun).await, "authorization_pending");
    assert!(server.approve(&text(&begun, "user_code")));
    assert!(!server.approve(&text(&begun, "user_code")), "a decision is made once");
    let tokens = poll(&server, &begun).await;
    assert_eq!((tokens.status.as_u16(), text(&tokens, "scope")), (200, "read".to_owned()));
    assert!(server.honours(&text(&tokens, "refresh_token")));
    assert_eq!(error(&server, &begun).await, "invalid_grant");
    assert_eq!((server.count("device/code"), server.count("token/device_code")), (1, 3));
}

#[tokio::test]
async fn a_poll_that_comes_too_fast_makes_the_interval_five_seconds_longer() {
    let server = server().await;
    let begun = begin(&server).await;
    assert_eq!(error(&server, &begun).await, "authorization_pending");
    server.advance_clock(Duration::from_secs(4));
    assert_eq!(error(&server, &begun).await, "slow_down");
    server.advance_clock(INTERVAL);
    assert_eq!(error(&server, &begun).await, "slow_down", "it is ten seconds now");
    server.advance_clock(INTERVAL * 3);
    assert_eq!(error(&server, &begun).await, "authorization_pending");
}

#[tokio::test]
async fn a_refused_or_forgotten_device_login_says_so() {
    let server = server().await;
    let (refused, forgotten) = (begin(&server).await, begin(&server).await);
    assert!(server.deny(&text(&refused, "user_code")));
    assert_eq!(error(&server, &refused).await, "access_denied");
    server.advance_clock(Duration::from_secs(900));
    assert_eq!(error(&server, &forgotten).await, "expired_token");
    assert!(!server.approve(&text(&forgotten, "user_code")));
    assert_eq!(text(&token(&server, GRANT, &[("device_code", "unknown")]).await, "error"), "invalid_grant");
}

#[tokio::test]
async fn github_takes_the_id_alone_and_tells_the_new_interval() {
    let server = builder().shape(Shape::GitHub).start().await.unwrap();
    let id = form(&[("client_id", server.client_id())]);
    let begun = post(&format!("{}/device/code", server.url()), &[FORM, JSON], id).await.unwrap();
    let code = text(&begun, "device_code");
    let body = form(&[("client_id", server.client_id()), ("grant_type", GRANT), ("device_code", &code)]);
    let mut errors = Vec::new();
    for _ in 0..2 {
        let reply = post(&server.token_url(), &[FORM, JSON], body.clone()).await.unwrap();
        assert_eq!(reply.status, 200);
        errors.push((reply.json()["error"].clone(), reply.json()["interval"].clone()));
    }
    assert_eq!(errors, [(json!("authorization_pending"), json!(null)), (json!("slow_down"), json!(10))]);
}
