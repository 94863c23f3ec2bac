//! OpenID Connect and assertions at the fake authorization server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use authorization_support::{START, builder, code, form, get, redeem, refresh, server, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_testkit::{FakeAuthorization, Reply, post};
use serde_json::{Value, json};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn unsigned(claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.fake-signature", encode(&json!({ "alg": "RS256" })), encode(claims))
}

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn assert_with(server: &FakeAuthorization, assertion: &str) -> Reply {
    let body = form(&[("grant_type", JWT_BEARER), ("assertion", assertion)]);
    post(&server.token_url(), &[authorization_support::FORM], body).await.unwrap()
}

#[tokio::test]
async fn discovery_names_every_endpoint_and_the_issuer() {
    let server = server().await;
    let document = get(&server, "/.well-known/openid-configuration", "").await.json();
    assert_eq!(document["issuer"], server.issuer());
    assert_eq!(document["token_endpoint"], server.token_url());
    for name in [
        "authorization_endpoint",
        "device_authorization_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
    ] {
        assert!(document[name].as_str().unwrap().starts_with(server.url()), "{name}");
    }
    assert_eq!(get(&server, "/.well-known/oauth-authorization-server", "").await.json(), document);
    assert_eq!(server.count("discovery"), 2);
    let mixed_up = builder().issuer("https://evil.testkit.example").start().await.unwrap();
    let document = get(&mixed_up, "/.well-known/openid-configuration", "").await.json();
    assert_eq!(document["issuer"], "https://evil.testkit.example");
}

#[tokio::test]
async fn the_key_set_and_the_person_are_what_the_test_hands_in() {
    let server = server().await;
    assert_eq!(get(&server, "/jwks", "").await.json(), json!({ "keys": [] }));
    server.set_jwks(json!({ "keys": [{ "kid": "fake-key-2" }] }));
    assert_eq!(get(&server, "/jwks", "").await.json()["keys"][0]["kid"], "fake-key-2");
    let (access, _) = server.issue(server.client_id(), &["openid"]);
    assert_eq!(get(&server, "/userinfo", &access).await.json()["sub"], "fake-subject-1");
    server.set_userinfo(json!({ "sub": "fake-subject-2", "name": "Sam Example" }));
    assert_eq!(get(&server, "/userinfo", &access).await.json()["name"], "Sam Example");
    assert_eq!(get(&server, "/userinfo", "unknown").await.status, 401);
}

#[tokio::test]
async fn an_id_token_is_what_the_tests_function_makes_of_the_claims() {
    let server = server().await;
    let login = [("scope", "openid email"), ("nonce", "n-1")];
    let without = redeem(&server, &code(&server, &login)).await;
    assert!(without.json().get("id_token").is_none(), "nobody signs yet");
    server.on_id_token(unsigned);
    let with = redeem(&server, &code(&server, &login)).await;
    let claims = claims_of(&text(&with, "id_token"));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.issuer()), &json!(server.client_id())));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(START), &json!(START + 3600)));
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("fake-subject-1"), &json!("n-1")));
    assert_eq!(claims["email"], "person@testkit.example");
    let renewed = refresh(&server, &text(&with, "refresh_token")).await;
    assert_eq!(claims_of(&text(&renewed, "id_token")).get("nonce"), None);
    let plain = redeem(&server, &code(&server, &[])).await;
    assert!(plain.json().get("id_token").is_none(), "without openid there is no id token");
}

#[tokio::test]
async fn the_tests_function_may_ask_the_server_something() {
    let server = std::sync::Arc::new(server().await);
    let weak = std::sync::Arc::downgrade(&server);
    server.on_id_token(move |_| weak.upgrade().map_or(0, |server| server.issued().len()).to_string());
    let reply = redeem(&server, &code(&server, &[("scope", "openid")])).await;
    assert_eq!(text(&reply, "id_token"), "1");
}

#[tokio::test]
async fn an_assertion_for_this_server_becomes_an_access_token_and_is_recorded() {
    let server = server().await;
    let claims = json!({
        "iss": "robot@testkit.example",
        "aud": server.token_url(),
        "exp": START + 1,
        "scope": "read write",
    });
    let reply = assert_with(&server, &unsigned(&claims)).await;
    assert_eq!((reply.status.as_u16(), text(&reply, "scope")), (200, "read write".to_owned()));
    assert!(reply.json().get("refresh_token").is_none());
    assert!(server.is_alive(&text(&reply, "access_token")));
    assert_eq!(server.assertions(), [claims]);
    assert_eq!(server.issued()[0].client, "robot@testkit.example");
    assert_eq!(server.count("token/jwt_bearer"), 1);
}

#[tokio::test]
async fn an_assertion_that_is_expired_early_or_for_somebody_else_is_refused() {
    let server = server().await;
    let url = server.token_url();
    let later = START + 60;
    let refused = [
        unsigned(&json!({ "aud": url, "exp": START })),
        unsigned(&json!({ "aud": url })),
        unsigned(&json!({ "aud": url, "exp": later, "nbf": later })),
        unsigned(&json!({ "aud": "https://other.testkit.example/token", "exp": later })),
        unsigned(&json!({ "aud": url, "exp": later })).replace(".fake-signature", "."),
        "two.segments".to_owned(),
        "not.a.jwt".to_owned(),
    ];
    for assertion in refused {
        let reply = assert_with(&server, &assertion).await;
        assert_eq!((reply.status.as_u16(), text(&reply, "error")), (400, "invalid_grant".to_owned()));
    }
    assert!(server.assertions().is_empty());
    let several = json!({ "aud": ["https://other.testkit.example", url], "exp": later });
    assert_eq!(assert_with(&server, &unsigned(&several)).await.status, 200);
    server.set_clock_skew(60);
    assert_eq!(assert_with(&server, &unsigned(&several)).await.status, 400, "the server's clock decides");
}
