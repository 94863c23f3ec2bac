//! Logins at the fake authorization server: the redirect, the code, PKCE, and how a client names itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use std::time::Duration;

use authorization_support::{
    CHALLENGE, FORM, JSON, VERIFIER, body, builder, code, form, get, login_url, parameter, redeem, refresh,
    server, text, token,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_testkit::{FakeAuthorization, post, send};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_login_ends_at_the_redirect_with_code_state_and_issuer() {
    let server = server().await;
    let url = login_url(&server, &[("prompt", "consent"), ("login_hint", "pat")]);
    let reply = send(Method::GET, &url, &[JSON], "").await.unwrap();
    assert_eq!(reply.status, 302);
    let target = reply.header("location").unwrap();
    assert!(target.starts_with(&format!("{}?", server.redirect_uri())), "{target}");
    assert!(parameter(target, "code").unwrap().starts_with("fake-code-"));
    assert_eq!(parameter(target, "state").as_deref(), Some("s-1"));
    assert_eq!(parameter(target, "iss").as_deref(), Some(server.url()));
    assert_eq!(server.count("authorize"), 1);
    assert_eq!(server.requests()[0].query_value("login_hint").as_deref(), Some("pat"));
}

#[tokio::test]
async fn a_code_becomes_tokens_that_the_resource_honours() {
    let server = server().await;
    let reply = redeem(&server, &code(&server, &[])).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let tokens = reply.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("read write"))
    );
    let access = text(&reply, "access_token");
    let resource = get(&server, "/resource", &access).await;
    assert_eq!(resource.status, 200);
    assert_eq!(resource.json(), json!({ "client_id": server.client_id(), "scope": "read write" }));
    server.advance_clock(Duration::from_secs(3600));
    let resource = get(&server, "/resource", &access).await;
    assert_eq!(resource.status, 401);
    assert_eq!(resource.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    let issued = server.issued();
    assert_eq!((issued.len(), issued[0].grant, &issued[0].access_token), (1, "authorization_code", &access));
    assert!(!format!("{issued:?}").contains("fake-access"), "no token is printed");
}

#[tokio::test]
async fn a_code_that_comes_twice_revokes_what_it_was_redeemed_for() {
    let server = server().await;
    let code = code(&server, &[]);
    let first = redeem(&server, &code).await;
    let renewed = refresh(&server, &text(&first, "refresh_token")).await;
    let second = redeem(&server, &code).await;
    assert_eq!((second.status.as_u16(), text(&second, "error")), (400, "invalid_grant".to_owned()));
    assert!(!server.is_alive(&text(&first, "access_token")));
    assert!(!server.is_alive(&text(&renewed, "access_token")));
    assert!(!server.honours(&text(&renewed, "refresh_token")));
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let server = server().await;
    let (in_time, late) = (code(&server, &[]), code(&server, &[]));
    server.advance_clock(Duration::from_secs(599));
    assert_eq!(redeem(&server, &in_time).await.status, 200);
    server.advance_clock(Duration::from_secs(1));
    assert_eq!(text(&redeem(&server, &late).await, "error"), "invalid_grant");
}

#[tokio::test]
async fn a_code_belongs_to_its_client_redirect_and_verifier() {
    let server = server().await;
    server.add_client("other", Some("other-secret"), "https://other.testkit.example/callback");
    let code = code(&server, &[]);
    let uri = server.redirect_uri();
    let wrong = [
        vec![("redirect_uri", uri)],
        vec![("redirect_uri", uri), ("code_verifier", CHALLENGE)],
        vec![("redirect_uri", uri), ("code_verifier", "short")],
        vec![("redirect_uri", "https://host.testkit.example/else"), ("code_verifier", VERIFIER)],
        vec![("code_verifier", VERIFIER)],
    ];
    for mut fields in wrong {
        fields.push(("code", &code));
        let reply = token(&server, "authorization_code", &fields).await;
        assert_eq!((reply.status.as_u16(), text(&reply, "error")), (400, "invalid_grant".to_owned()));
    }
    let stolen = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "other"),
        ("client_secret", "other-secret"),
        ("code", &code),
        ("redirect_uri", uri),
        ("code_verifier", VERIFIER),
    ]);
    let reply = post(&server.token_url(), &[FORM], stolen).await.unwrap();
    assert_eq!(text(&reply, "error"), "invalid_grant");
    assert_eq!(redeem(&server, &code).await.status, 200, "what was refused consumed nothing");
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let server = server().await;
    let code = code(&server, &[("code_challenge", ""), ("code_challenge_method", "")]);
    assert_eq!(text(&redeem(&server, &code).await, "error"), "invalid_grant");
    let fields = [("code", code.as_str()), ("redirect_uri", server.redirect_uri())];
    assert_eq!(token(&server, "authorization_code", &fields).await.status, 200);
}

#[tokio::test]
async fn a_login_without_pkce_goes_back_with_an_error_where_it_is_required() {
    let server = builder().require_pkce().start().await.unwrap();
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    for fields in [&without[..], &[("code_challenge_method", "plain")], &[("code_challenge", "short")]] {
        let target = server.authorize(&login_url(&server, fields)).unwrap();
        assert_eq!(parameter(&target, "error").as_deref(), Some("invalid_request"));
        assert_eq!(parameter(&target, "state").as_deref(), Some("s-1"));
        assert_eq!(parameter(&target, "code"), None);
    }
}

#[tokio::test]
async fn an_unregistered_redirect_or_client_is_a_page_and_no_redirect() {
    let server = server().await;
    let longer = format!("{}/x", server.redirect_uri());
    for field in [("redirect_uri", longer.as_str()), ("client_id", "nobody")] {
        let url = login_url(&server, &[field]);
        let reply = send(Method::GET, &url, &[JSON], "").await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.header("location")), (400, None));
        assert!(server.authorize(&url).is_err());
    }
    assert!(server.authorize("http://127.0.0.1:1/authorize?x=y").is_err());
    assert_eq!(server.count("authorize"), 2, "a Rust call is no request");
}

#[tokio::test]
async fn a_loopback_redirect_may_have_any_port_if_the_server_allows_it() {
    let registered = builder().redirect_uri("http://127.0.0.1/callback");
    let server = registered.any_loopback_port().start().await.unwrap();
    let good = login_url(&server, &[("redirect_uri", "http://127.0.0.1:49152/callback")]);
    assert!(server.authorize(&good).unwrap().starts_with("http://127.0.0.1:49152/callback?code="));
    for uri in
        ["http://127.0.0.1:49152/other", "http://127.0.0.1.evil.example/callback", "http://[::1]/callback"]
    {
        assert!(server.authorize(&login_url(&server, &[("redirect_uri", uri)])).is_err(), "{uri}");
    }
    let strict = builder().redirect_uri("http://127.0.0.1/callback").start().await.unwrap();
    let url = login_url(&strict, &[("redirect_uri", "http://127.0.0.1:49152/callback")]);
    assert!(strict.authorize(&url).is_err());
    strict.add_redirect_uri("http://127.0.0.1:49152/callback");
    assert!(strict.authorize(&url).is_ok());
}

#[tokio::test]
async fn a_person_who_says_no_goes_back_with_access_denied() {
    let server = server().await;
    server.set_consent(false);
    let target = server.authorize(&login_url(&server, &[])).unwrap();
    assert_eq!(parameter(&target, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&target, "iss").as_deref(), Some(server.issuer()));
    server.set_consent(true);
    assert!(parameter(&server.authorize(&login_url(&server, &[])).unwrap(), "code").is_some());
}

#[tokio::test]
async fn a_client_names_itself_by_body_by_basic_or_in_json() {
    let server = builder().client_id("a client").client_secret("p&ss:w+rd").start().await.unwrap();
    let (_, refresh_token) = server.issue("a client", &["read"]);
    let in_body = refresh(&server, &refresh_token).await;
    // RFC 6749 2.3.1: form-encoded first, then Basic.
    let basic = format!("Basic {}", STANDARD.encode("a+client:p%26ss%3Aw%2Brd"));
    let by_basic =
        form(&[("grant_type", "refresh_token"), ("refresh_token", &text(&in_body, "refresh_token"))]);
    let headers = [FORM, ("authorization", basic.as_str())];
    let by_basic = post(&server.token_url(), &headers, by_basic).await.unwrap();
    assert_eq!(by_basic.status, 200);
    assert!(server.requests()[1].authorized);
    let in_json = json!({
        "grant_type": "refresh_token",
        "client_id": "a client",
        "client_secret": "p&ss:w+rd",
        "refresh_token": text(&by_basic, "refresh_token"),
    });
    let headers = [("content-type", "application/json")];
    let in_json = post(&server.token_url(), &headers, in_json.to_string()).await.unwrap();
    assert_eq!((in_json.status.as_u16(), server.count("token/refresh_token")), (200, 3));
}

#[tokio::test]
async fn a_client_with_a_wrong_secret_or_two_ways_is_refused() {
    let server = server().await;
    let id = server.client_id();
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:wrong")));
    let grant = ("grant_type", "client_credentials");
    let cases = [
        (None, form(&[grant, ("client_id", id), ("client_secret", "wrong")]), 401, "invalid_client"),
        (None, form(&[grant, ("client_id", id)]), 401, "invalid_client"),
        (None, form(&[grant, ("client_id", "nobody")]), 401, "invalid_client"),
        (None, form(&[grant]), 401, "invalid_client"),
        (Some(&basic), form(&[grant]), 401, "invalid_client"),
        (Some(&basic), body(&server, "client_credentials", &[]), 400, "invalid_request"),
        (None, form(&[grant, grant]), 400, "invalid_request"),
        (None, form(&[("client_id", id)]), 400, "invalid_request"),
        (None, body(&server, "password", &[]), 400, "unsupported_grant_type"),
    ];
    for (header, body, status, error) in cases {
        let mut headers = vec![FORM];
        headers.extend(header.map(|header| ("authorization", header.as_str())));
        let reply = post(&server.token_url(), &headers, body.clone()).await.unwrap();
        assert_eq!((reply.status.as_u16(), text(&reply, "error")), (status, error.to_owned()), "{body}");
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401);
    }
    assert!(server.issued().is_empty());
    let reply = post(&server.token_url(), &[("content-type", "text/plain")], "x").await.unwrap();
    assert_eq!(text(&reply, "error"), "invalid_request");
    let reply = send(Method::GET, &server.token_url(), &[FORM], "").await.unwrap();
    assert_eq!(reply.status, 405);
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself_without_a_refresh_token() {
    let server = server().await;
    let reply = token(&server, "client_credentials", &[("scope", "read")]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.json().get("refresh_token").is_none());
    assert!(server.is_alive(&text(&reply, "access_token")));
    let public = FakeAuthorization::builder().public_client().start().await.unwrap();
    let reply = token(&public, "client_credentials", &[]).await;
    assert_eq!(text(&reply, "error"), "unauthorized_client");
}

#[tokio::test]
async fn a_login_gives_a_refresh_token_only_for_the_offline_scope() {
    let server = builder().offline_scope("offline_access").start().await.unwrap();
    let online = redeem(&server, &code(&server, &[])).await;
    assert!(online.json().get("refresh_token").is_none());
    let offline = redeem(&server, &code(&server, &[("scope", "read offline_access")])).await;
    assert!(server.honours(&text(&offline, "refresh_token")));
}
