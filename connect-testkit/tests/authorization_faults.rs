//! A bad day at the fake authorization server: lost answers, answers that wait, and clients that give up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use authorization_support::{attempt, code, form, get, refresh, server, text};
use connect_testkit::{FakeAuthorization, Hold, Reply};

const REFRESH: &str = "token/refresh_token";

fn in_the_background(
    server: &Arc<FakeAuthorization>,
    refresh_token: &str,
) -> tokio::task::JoinHandle<std::io::Result<Reply>> {
    let (server, refresh_token) = (Arc::clone(server), refresh_token.to_owned());
    tokio::spawn(async move { attempt(&server, "refresh_token", &[("refresh_token", &refresh_token)]).await })
}

#[tokio::test]
async fn a_lost_answer_leaves_the_refresh_token_consumed() {
    let server = server().await;
    let (_, token) = server.issue(server.client_id(), &["read"]);
    server.faults().on(REFRESH).drop_after_send();
    let lost = attempt(&server, "refresh_token", &[("refresh_token", &token)]).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::UnexpectedEof, "{lost:?}");
    assert_eq!(server.refreshes(), 1);
    assert!(!server.honours(&token));
    assert_eq!(server.requests()[0].status, None);
}

#[tokio::test]
async fn a_request_lost_on_its_way_leaves_the_refresh_token_good() {
    let server = server().await;
    let (_, token) = server.issue(server.client_id(), &["read"]);
    server.faults().on(REFRESH).drop_before_effect();
    assert!(attempt(&server, "refresh_token", &[("refresh_token", &token)]).await.is_err());
    assert_eq!(server.refreshes(), 0);
    assert_eq!(refresh(&server, &token).await.status, 200);
}

#[tokio::test]
async fn a_gateway_may_hide_a_grant_that_was_consumed() {
    let server = server().await;
    let code = code(&server, &[]);
    server.faults().on("token/authorization_code").status(502).after_effect();
    assert_eq!(authorization_support::redeem(&server, &code).await.status, 502);
    assert_eq!(server.issued().len(), 1);
}

#[tokio::test]
async fn a_held_answer_waits_although_the_grant_is_consumed() {
    let server = Arc::new(server().await);
    let (_, token) = server.issue(server.client_id(), &["read"]);
    let hold = Hold::new();
    server.faults().on(REFRESH).hold_answer(&hold);
    let call = in_the_background(&server, &token);
    hold.reached(1).await;
    assert_eq!((server.refreshes(), call.is_finished()), (1, false));
    hold.release();
    let reply = call.await.unwrap().unwrap();
    assert!(server.honours(&text(&reply, "refresh_token")));
}

#[tokio::test]
async fn a_held_request_is_carried_out_after_the_release_only() {
    let server = Arc::new(server().await);
    let (_, token) = server.issue(server.client_id(), &["read"]);
    let hold = Hold::new();
    server.faults().on(REFRESH).hold_request(&hold);
    let call = in_the_background(&server, &token);
    hold.reached(1).await;
    assert_eq!((server.refreshes(), server.count(REFRESH)), (0, 0));
    assert!(server.honours(&token));
    hold.release();
    assert_eq!(call.await.unwrap().unwrap().status, 200);
    assert_eq!((server.refreshes(), server.count(REFRESH)), (1, 1));
}

#[tokio::test]
async fn a_held_request_is_carried_out_although_its_client_gave_up() {
    let server = Arc::new(server().await);
    let (_, token) = server.issue(server.client_id(), &["read"]);
    let hold = Hold::new();
    server.faults().on(REFRESH).hold_request(&hold);
    let call = in_the_background(&server, &token);
    hold.reached(1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    hold.release();
    server.wait_for(REFRESH, 1).await;
    assert_eq!(server.refreshes(), 1);
    assert!(!server.honours(&token));
}

#[tokio::test]
async fn several_requests_wait_at_one_gate_and_later_ones_pass() {
    let server = Arc::new(server().await);
    let tokens: Vec<String> = (0..3).map(|_| server.issue(server.client_id(), &["read"]).1).collect();
    let hold = Hold::new();
    server.faults().on(REFRESH).hold_answer(&hold).times(3);
    let calls: Vec<_> = tokens.iter().take(2).map(|token| in_the_background(&server, token)).collect();
    hold.reached(2).await;
    hold.release();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(refresh(&server, &tokens[2]).await.status, 200);
    assert_eq!(server.faults().remaining(), 0);
}

#[tokio::test]
async fn a_gate_that_everybody_dropped_is_open() {
    let server = Arc::new(server().await);
    let (_, token) = server.issue(server.client_id(), &["read"]);
    let hold = Hold::new();
    server.faults().on(REFRESH).hold_answer(&hold);
    let call = in_the_background(&server, &token);
    hold.reached(1).await;
    drop(hold);
    assert_eq!(call.await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn a_delayed_answer_comes_after_the_grant_was_consumed() {
    let server = Arc::new(server().await);
    let (_, token) = server.issue(server.client_id(), &["read"]);
    server.faults().on(REFRESH).delay(Duration::from_secs(3600));
    let call = in_the_background(&server, &token);
    server.wait_for(REFRESH, 1).await;
    assert_eq!((server.refreshes(), call.is_finished()), (1, false));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3601)).await;
    assert_eq!(call.await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn every_operation_can_fail() {
    let server = server().await;
    for (operation, path) in [
        ("discovery", "/.well-known/openid-configuration"),
        ("jwks", "/jwks"),
        ("userinfo", "/userinfo"),
        ("resource", "/resource"),
        ("authorize", "/authorize"),
    ] {
        server.faults().on(operation).status(503);
        assert_eq!(get(&server, path, "x").await.status, 503, "{operation}");
    }
    for (operation, path, grant_type) in [
        ("device/code", "/device/code", ""),
        ("revoke", "/revoke", ""),
        ("token", "/token", "password"),
        ("token/client_credentials", "/token", "client_credentials"),
        ("token/device_code", "/token", "urn:ietf:params:oauth:grant-type:device_code"),
        ("token/jwt_bearer", "/token", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
    ] {
        server.faults().on(operation).status(503);
        let body = form(&[("grant_type", grant_type)]);
        let url = format!("{}{path}", server.url());
        let reply = connect_testkit::post(&url, &[authorization_support::FORM], body).await.unwrap();
        assert_eq!(reply.status, 503, "{operation}");
    }
    assert_eq!(server.faults().remaining(), 0);
    assert_eq!(get(&server, "/else", "x").await.status, 404);
}
