//! How the fake authorization server answers with the habits of GitHub, Slack and Atlassian.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use std::time::Duration;

use authorization_support::{FORM, body, builder, code, form, redeem, refresh, server, text};
use connect_testkit::authorization::{Rotation, Shape};
use connect_testkit::{FakeAuthorization, post};
use serde_json::json;

async fn shaped(shape: Shape) -> FakeAuthorization {
    builder().shape(shape).start().await.unwrap()
}

#[tokio::test]
async fn every_shape_says_no_to_a_bad_refresh_token_in_its_own_way() {
    let cases = [
        (Shape::Standard, 400, "invalid_grant"),
        (Shape::GitHub, 200, "bad_refresh_token"),
        (Shape::Slack, 200, "invalid_refresh_token"),
        (Shape::Atlassian, 403, "unauthorized_client"),
    ];
    for (shape, status, error) in cases {
        let reply = refresh(&shaped(shape).await, "unknown").await;
        assert_eq!((reply.status.as_u16(), text(&reply, "error")), (status, error.to_owned()), "{shape:?}");
        let body = reply.json();
        assert_eq!(body.get("ok"), (shape == Shape::Slack).then_some(&json!(false)));
        assert_eq!(body.get("error_uri").is_some(), shape == Shape::GitHub);
        assert_eq!(body.get("error_description").is_some(), shape != Shape::Slack);
        if shape == Shape::Atlassian {
            assert_eq!(text(&reply, "error_description"), "refresh_token is invalid");
        }
    }
}

#[tokio::test]
async fn every_shape_says_no_to_a_bad_code_or_secret_in_its_own_way() {
    let cases = [
        (Shape::Standard, (400, "invalid_grant"), (401, "invalid_client")),
        (Shape::GitHub, (200, "bad_verification_code"), (200, "incorrect_client_credentials")),
        (Shape::Slack, (200, "invalid_code"), (200, "bad_client_secret")),
        (Shape::Atlassian, (403, "invalid_grant"), (401, "invalid_client")),
    ];
    for (shape, for_code, for_client) in cases {
        let server = shaped(shape).await;
        let bad_code = redeem(&server, "unknown").await;
        assert_eq!((bad_code.status.as_u16(), text(&bad_code, "error").as_str()), for_code, "{shape:?}");
        let wrong = form(&[
            ("grant_type", "refresh_token"),
            ("client_id", server.client_id()),
            ("client_secret", "wrong"),
        ]);
        let headers = [FORM, authorization_support::JSON];
        let bad_client = post(&server.token_url(), &headers, wrong).await.unwrap();
        assert_eq!(
            (bad_client.status.as_u16(), text(&bad_client, "error").as_str()),
            for_client,
            "{shape:?}"
        );
    }
}

#[tokio::test]
async fn github_answers_with_a_form_unless_json_is_accepted() {
    let half_a_year = Duration::from_secs(15_811_200);
    let server = builder().shape(Shape::GitHub).refresh_expires_in(half_a_year).start().await.unwrap();
    let (_, token) = server.issue(server.client_id(), &["repo", "user"]);
    let as_json = refresh(&server, &token).await;
    assert_eq!(as_json.json()["scope"], "repo,user");
    assert_eq!(as_json.json()["refresh_token_expires_in"], 15_811_200);
    let again = body(&server, "refresh_token", &[("refresh_token", &text(&as_json, "refresh_token"))]);
    let as_form = post(&server.token_url(), &[FORM], again).await.unwrap();
    assert!(as_form.header("content-type").unwrap().starts_with("application/x-www-form-urlencoded"));
    assert!(as_form.text().contains("scope=repo%2Cuser"), "{}", as_form.text());
}

#[tokio::test]
async fn slack_says_ok_and_has_a_persons_tokens_below_authed_user_at_the_login_only() {
    let server = shaped(Shape::Slack).await;
    let bot = redeem(&server, &code(&server, &[("scope", "chat:write,channels:read")])).await;
    assert_eq!((&bot.json()["ok"], &bot.json()["token_type"]), (&json!(true), &json!("bot")));
    assert_eq!(bot.json()["scope"], "chat:write,channels:read");
    let person = redeem(&server, &code(&server, &[("scope", ""), ("user_scope", "chat:write")])).await;
    assert!(person.json().get("access_token").is_none());
    let tokens = &person.json()["authed_user"];
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("user"), &json!("chat:write")));
    let renewed = refresh(&server, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!((&renewed.json()["ok"], &renewed.json()["token_type"]), (&json!(true), &json!("user")));
    assert!(server.is_alive(&text(&renewed, "access_token")));
}

#[tokio::test]
async fn a_planned_error_has_the_servers_shape() {
    for (shape, status) in
        [(Shape::Standard, 400), (Shape::GitHub, 200), (Shape::Slack, 200), (Shape::Atlassian, 400)]
    {
        let server = shaped(shape).await;
        let (_, token) = server.issue(server.client_id(), &[]);
        let faults = server.faults();
        let wait = Duration::from_secs(30);
        faults.on("token/refresh_token").oauth_error("temporarily_unavailable").then().status(503);
        faults.on("token/refresh_token").status(500).then().too_many_requests(wait);
        let reply = refresh(&server, &token).await;
        assert_eq!(
            (reply.status.as_u16(), text(&reply, "error").as_str()),
            (status, "temporarily_unavailable")
        );
        let gateway = refresh(&server, &token).await;
        assert_eq!(gateway.status, 503);
        assert_eq!(gateway.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(text(&refresh(&server, &token).await, "error"), "server_error");
        let limited = refresh(&server, &token).await;
        assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, Some("30")));
        assert_eq!(server.faults().remaining(), 0);
        assert!(server.honours(&token), "nothing was consumed");
    }
}

#[tokio::test]
async fn the_strictest_habits_are_the_default() {
    assert_eq!((Rotation::default(), Shape::default()), (Rotation::ReuseDetected, Shape::Standard));
    let server = server().await;
    let debug = format!("{server:?} {:?} {:?}", FakeAuthorization::builder(), server.requests());
    assert!(!debug.contains("fake-client-secret"), "{debug}");
}
