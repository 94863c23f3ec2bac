//! The grants that need no browser, against a server that speaks as the providers do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Credentials, ErrorKind, Secret, Sent};
use connect_oauth::{ErrorCode, OAuth};
use connect_testkit::FakeAuthorization;
use connect_testkit::authorization::{Rotation, Shape};
use serde_json::json;
use support::{Clock, START, app, preset, problem, secret};
use tokio::time::Instant;

#[tokio::test]
async fn client_credentials_are_sent_as_the_row_says_and_fetched_once_for_many() {
    for row in [json!({}), json!({"client-authentication": "basic"}), json!({"token-body": "json"})] {
        let fake = FakeAuthorization::start().await.unwrap();
        let oauth = app(&fake, row.clone()).build().unwrap();
        let cache = oauth.client_credentials_cache(&["read"]);
        let callers = (0..50).map(|_| cache.get());
        for token in futures_util::future::join_all(callers).await {
            assert!(fake.is_alive(token.unwrap().value().expose()), "{row}");
        }
        assert_eq!(fake.count("token/client_credentials"), 1, "{row}");
    }
}

#[tokio::test]
async fn every_shape_of_refusal_is_typed() {
    for shape in [Shape::Standard, Shape::GitHub, Shape::Slack, Shape::Atlassian] {
        let fake = FakeAuthorization::builder().shape(shape).start().await.unwrap();
        let oauth = app(&fake, json!({})).build().unwrap();
        let error = oauth.refresh(&secret("canary-refresh")).await.unwrap_err();
        assert_eq!(problem(&error), ErrorCode::InvalidGrant, "{shape:?}: {error}");
        assert_eq!(error.kind(), ErrorKind::Auth, "{shape:?}");
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:?}");

        let wrong = app(&fake, json!({})).client_secret("canary-secret").build().unwrap();
        let error = wrong.client_credentials(&[]).await.unwrap_err();
        assert_eq!(problem(&error), ErrorCode::InvalidClient, "{shape:?}: {error}");
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_refresh_that_uses_its_token_up_is_sent_once_and_one_that_does_not_is_repeated() {
    let fake = FakeAuthorization::builder().rotation(Rotation::ReuseDetected).start().await.unwrap();
    let (_, refresh) = fake.issue(fake.client_id(), &[]);
    fake.faults().on("token/refresh_token").drop_after_send();
    let error = app(&fake, json!({})).build().unwrap().refresh(&secret(&refresh)).await.unwrap_err();
    assert_eq!((error.sent(), fake.count("token/refresh_token")), (Sent::Maybe, 1), "{error}");

    let fake = FakeAuthorization::builder().rotation(Rotation::None).start().await.unwrap();
    let (_, refresh) = fake.issue(fake.client_id(), &[]);
    fake.faults().on("token/refresh_token").drop_after_send();
    let oauth = app(&fake, json!({"rotation": "none"})).build().unwrap();
    let tokens = oauth.refresh(&secret(&refresh)).await.unwrap();
    assert!(fake.is_alive(tokens.access.expose()));
    assert_eq!(fake.count("token/refresh_token"), 2);
}

#[tokio::test]
async fn a_servers_clock_does_not_shorten_or_lengthen_a_token() {
    for skew in [-86_400, 86_400] {
        let fake = FakeAuthorization::builder().clock_skew(skew).start().await.unwrap();
        let clock = Clock::new();
        let oauth = app(&fake, json!({})).clock(clock.read()).build().unwrap();
        let tokens = oauth.client_credentials(&[]).await.unwrap();
        assert_eq!(tokens.remaining(clock.now()), Some(Duration::from_secs(3600)), "{skew}");
    }
}

#[tokio::test]
async fn an_assertion_is_exchanged_and_each_needs_a_new_one() {
    let fake = FakeAuthorization::builder().start_time(START).start().await.unwrap();
    let oauth = app(&fake, json!({})).build().unwrap();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let assertion = format!(
        "{}.{}.{}",
        part(json!({"alg": "RS256"})),
        part(json!({"iss": "robot", "aud": fake.token_url(), "exp": START + 180})),
        URL_SAFE_NO_PAD.encode("signature")
    );
    let cache = oauth.jwt_bearer_cache("robot", &["read"], move || {
        let assertion = Secret::new(assertion.clone());
        async move { Ok(assertion) }
    });
    let token = cache.get().await.unwrap();
    assert!(fake.is_alive(token.value().expose()));
    assert_eq!(fake.assertions().len(), 1);
    assert!(format!("{:?}", Credentials::tokens(cache)).len() < 500);

    let error = oauth.jwt_bearer(&secret("canary.not.signed"), &[]).await.unwrap_err();
    assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_revoked_token_is_gone_and_revoking_it_again_is_no_error() {
    let fake = FakeAuthorization::start().await.unwrap();
    let (access, refresh) = fake.issue(fake.client_id(), &[]);
    let oauth = app(&fake, json!({})).build().unwrap();
    oauth.revoke(&secret(&refresh)).await.unwrap();
    assert!(!fake.is_alive(&access) && !fake.honours(&refresh));
    oauth.revoke(&secret(&refresh)).await.unwrap();
}

/// An app whose server is a list of answers.
fn scripted(answers: Vec<Answer>) -> (OAuth, Scripted) {
    let script = Scripted::new(answers);
    let oauth = OAuth::builder(preset("https://login.example", json!({})))
        .client_id("app")
        .transport(script.clone())
        .build()
        .unwrap();
    (oauth, script)
}

fn begun(interval: u64) -> Answer {
    let device = json!({
        "device_code": "canary-device", "user_code": "ABCD-1234", "interval": interval,
        "verification_uri": "https://login.example/device", "expires_in": 900,
    });
    Answer::json(200, device.to_string())
}

fn refused(word: &str) -> Answer {
    Answer::json(400, json!({ "error": word }).to_string())
}

#[tokio::test(start_paused = true)]
async fn a_device_login_keeps_the_pace_it_is_told_and_survives_a_bad_line() {
    let (oauth, script) = scripted(vec![
        begun(5),
        refused("authorization_pending"),
        refused("slow_down"),
        Answer::dropped_connection(),
        refused("authorization_pending"),
        Answer::json(200, json!({"access_token": "canary-access", "token_type": "bearer"}).to_string()),
    ]);
    let start = Instant::now();
    let device = oauth.device_login(&["repo"]).await.unwrap();
    assert_eq!(
        (device.user_code.as_str(), device.verification_uri.as_str()),
        ("ABCD-1234", "https://login.example/device")
    );
    assert!(!format!("{device:?}").contains("canary"));
    let tokens = device.wait().await.unwrap();
    assert_eq!(tokens.scopes, ["repo"]);
    // 5, 5, then 10 for slow_down, then 20 for the broken line, then 20.
    assert_eq!(start.elapsed().as_secs(), 5 + 5 + 10 + 20 + 20);
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_device_login_ends_with_a_no_and_with_its_code() {
    let (oauth, script) = scripted(vec![begun(5), refused("access_denied"), refused("never asked")]);
    let error = oauth.device_login(&[]).await.unwrap().wait().await.unwrap_err();
    assert_eq!((problem(&error), script.unused()), (ErrorCode::AccessDenied, 1));

    let pending = (0..200).map(|_| refused("authorization_pending"));
    let (oauth, _) = scripted(std::iter::once(begun(5)).chain(pending).collect());
    let start = Instant::now();
    let error = oauth.device_login(&[]).await.unwrap().wait().await.unwrap_err();
    assert_eq!(problem(&error), ErrorCode::ExpiredToken);
    assert!(start.elapsed() <= Duration::from_secs(900));

    let (oauth, _) = scripted(vec![begun(5), refused("device_flow_disabled")]);
    let error = oauth.device_login(&[]).await.unwrap().wait().await.unwrap_err();
    assert_eq!((problem(&error), error.kind()), (ErrorCode::DeviceFlowDisabled, ErrorKind::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_hostile_device_answer_cannot_make_us_hammer_or_wait_for_ever() {
    let device = json!({
        "device_code": "d", "user_code": "u", "interval": 0, "verification_uri": "https://login.example/", "expires_in": u64::MAX,
    });
    let answers =
        std::iter::once(Answer::json(200, device.to_string())).chain((0..10).map(|_| refused("slow_down")));
    let (oauth, _) = scripted(answers.chain([refused("access_denied")]).collect());
    let device = oauth.device_login(&[]).await.unwrap();
    assert!(device.expires_in <= Duration::from_secs(24 * 3600));
    let start = Instant::now();
    device.wait().await.unwrap_err();
    assert!(start.elapsed() > Duration::from_secs(60), "each slow_down makes it slower");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_answer_is_an_error_without_its_words() {
    for body in [
        "<html>canary</html>",
        "[\"canary\"]",
        "{\"canary\": ",
        "\"canary\"",
        "{\"access_token\": 5, \"x\": \"canary\"}",
        "",
    ] {
        let (oauth, _) = scripted(vec![Answer::json(200, body)]);
        let error = oauth.refresh(&secret("r")).await.unwrap_err();
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
    }
}
