//! Logins in a browser: how they go well, and every way in which they must not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use connect_core::auth::store::MemoryLoginStore;
use connect_core::{Error, ErrorKind, Url};
use connect_oauth::{Callback, ErrorCode, Login, LoginRefusal, Logins, OAuth};
use connect_testkit::FakeAuthorization;
use serde_json::json;
use support::{Clock, app, keys, preset, problem};

async fn fake() -> FakeAuthorization {
    FakeAuthorization::builder().require_pkce().start().await.unwrap()
}

fn login() -> Login {
    Login::new("acme", "crm").scopes(["read", "write"]).session("cookie").return_to("/settings")
}

/// Begins, lets the person consent, and yields the address the browser comes back to.
async fn come_back(fake: &FakeAuthorization, logins: &Logins, login: Login) -> String {
    fake.authorize(logins.begin(login).await.unwrap().url.as_str()).unwrap()
}

fn refusal(error: &Error) -> LoginRefusal {
    *error.details().unwrap_or_else(|| panic!("no refusal in {error:?}"))
}

/// The same address with another value of one parameter.
fn with(url: &str, name: &str, value: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    let mut pairs: HashMap<String, String> = url.query_pairs().into_owned().collect();
    pairs.insert(name.to_owned(), value.to_owned());
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

#[tokio::test]
async fn a_login_goes_well_in_the_same_process_and_in_another() {
    let fake = fake().await;
    let oauth = app(&fake, json!({"authorize-parameters": {"prompt": "consent"}})).build().unwrap();
    let store = Arc::new(MemoryLoginStore::default());
    let elsewhere = oauth.logins_in(store.clone(), keys());
    for (begins, ends) in [(oauth.logins(), None), (oauth.logins_in(store, keys()), Some(elsewhere))] {
        let begun = begins.begin(login().parameter("prompt", "none")).await.unwrap();
        let query: HashMap<_, _> = begun.url.query_pairs().into_owned().collect();
        assert_eq!((query["scope"].as_str(), query["prompt"].as_str()), ("read write", "none"));
        assert_eq!((query["state"].len(), query["code_challenge_method"].as_str()), (43, "S256"));
        let back = fake.authorize(begun.url.as_str()).unwrap();
        let finished = ends.unwrap_or(begins).finish(Callback::url(back).session("cookie")).await.unwrap();
        assert!(fake.is_alive(finished.tokens.access.expose()));
        assert_eq!(finished.id.to_string(), "fake/acme/crm");
        assert_eq!(finished.return_to.as_deref(), Some("/settings"));
        assert_eq!(finished.tokens.scopes, ["read", "write"]);
    }
}

#[tokio::test]
async fn a_login_is_finished_once_and_only_by_what_began_it() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();

    let back = come_back(&fake, &logins, login()).await;
    let forged = with(&back, "state", "canary-forged");
    let error = logins.finish(Callback::url(forged).session("cookie")).await.unwrap_err();
    assert_eq!(refusal(&error), LoginRefusal::StateUnknown);
    assert!(!format!("{error:#} {error:?}").contains("canary"));

    logins.finish(Callback::url(back.clone()).session("cookie")).await.unwrap();
    let again = logins.finish(Callback::url(back).session("cookie")).await.unwrap_err();
    assert_eq!(refusal(&again), LoginRefusal::StateUsed);
    assert_eq!(
        fake.count("token/authorization_code"),
        1,
        "the second was refused before the code went anywhere"
    );

    let cases = [
        (Some("other"), false, LoginRefusal::ForeignSession),
        (None, false, LoginRefusal::ForeignSession),
        (Some("cookie"), true, LoginRefusal::ForeignRedirect),
    ];
    for (session, elsewhere, expected) in cases {
        let mut back = come_back(&fake, &logins, login()).await;
        if elsewhere {
            back = back.replace("/callback", "/elsewhere").replace("127.0.0.1", "127.0.0.2");
            back = back.replace("app.example", "evil.example");
        }
        let callback = Callback::url(back);
        let callback = match session {
            Some(session) => callback.session(session),
            None => callback,
        };
        assert_eq!(refusal(&logins.finish(callback).await.unwrap_err()), expected, "{session:?}");
    }
    assert_eq!(fake.count("token/authorization_code"), 1);
}

#[tokio::test]
async fn a_code_of_another_login_is_refused_by_the_verifier_and_a_replayed_one_by_the_server() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();
    let code = |back: &str| {
        let url = Url::parse(back).unwrap();
        url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let (first, second) =
        (come_back(&fake, &logins, login()).await, come_back(&fake, &logins, login()).await);
    let swapped = with(&second, "code", &code(&first));
    let error = logins.finish(Callback::url(swapped).session("cookie")).await.unwrap_err();
    assert_eq!((problem(&error), error.kind()), (ErrorCode::InvalidGrant, ErrorKind::Auth));
    let shown = format!("{error:#} {error:?}");
    assert!(!shown.contains(&code(&first)), "{shown}");

    let finished = logins.finish(Callback::url(first.clone()).session("cookie")).await;
    let third = come_back(&fake, &logins, login()).await;
    let replayed = with(&third, "code", &code(&first));
    let error = logins.finish(Callback::url(replayed).session("cookie")).await.unwrap_err();
    assert_eq!(problem(&error), ErrorCode::InvalidGrant);
    if let Ok(finished) = finished {
        // RFC 6749 4.1.2: a replayed code revokes what it brought.
        assert!(!fake.is_alive(finished.tokens.access.expose()));
    }
}

#[tokio::test]
async fn a_person_who_says_no_is_heard() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();
    fake.set_consent(false);
    let back = come_back(&fake, &logins, login()).await;
    let error = logins.finish(Callback::url(back).session("cookie")).await.unwrap_err();
    assert_eq!((problem(&error), error.kind()), (ErrorCode::AccessDenied, ErrorKind::Forbidden));
}

#[tokio::test]
async fn a_login_that_took_too_long_is_unknown() {
    let (fake, clock) = (fake().await, Clock::new());
    let logins = app(&fake, json!({})).clock(clock.read()).build().unwrap().logins();
    let back = come_back(&fake, &logins, login()).await;
    clock.advance(std::time::Duration::from_secs(601));
    let error = logins.finish(Callback::url(back).session("cookie")).await.unwrap_err();
    assert_eq!(refusal(&error), LoginRefusal::StateUnknown);
}

#[tokio::test]
async fn a_callback_from_another_issuer_is_refused() {
    let fake = fake().await;
    let row = json!({"issuer": fake.issuer()});
    let logins = app(&fake, row).build().unwrap().logins();
    let back = come_back(&fake, &logins, login()).await;
    let mixed = with(&back, "iss", "https://evil.example");
    let error = logins.finish(Callback::url(mixed).session("cookie")).await.unwrap_err();
    assert_eq!(refusal(&error), LoginRefusal::ForeignIssuer);
    let back = come_back(&fake, &logins, login()).await;
    let finished = logins.finish(Callback::url(back).session("cookie")).await.unwrap();
    assert!(finished.nonce.is_some(), "a provider that signs who the user is must repeat a nonce");
}

#[tokio::test]
async fn places_to_return_to_and_parameters_of_the_protocol_are_not_anybodys_choice() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();
    let error = logins.begin(login().return_to("https://evil.example/")).await.unwrap_err();
    assert_eq!(refusal(&error), LoginRefusal::ForeignReturn);
    let allowing = logins.clone().allow_return_to(["https://app.example/"]);
    allowing.begin(login().return_to("https://app.example/done")).await.unwrap();
    for name in ["state", "redirect_uri", "code_challenge", "client_id", "nonce"] {
        assert_eq!(logins.begin(login().parameter(name, "x")).await.unwrap_err().kind(), ErrorKind::Config);
    }
}

#[tokio::test]
async fn endpoints_come_from_the_issuers_own_document_and_no_other() {
    let fake = fake().await;
    let row = |issuer: &str| -> connect_oauth::Preset {
        serde_json::from_value(json!({"id": "oidc", "name": "OpenID", "issuer": issuer})).unwrap()
    };
    let builder = OAuth::builder(row(fake.issuer())).client_id(fake.client_id());
    assert!(builder.build().unwrap_err().to_string().contains("discover"));
    let builder = OAuth::builder(row(fake.issuer())).client_id(fake.client_id());
    let oauth = builder.redirect_uri(fake.redirect_uri()).discover().await.unwrap();
    assert_eq!(oauth.preset().token_url().unwrap().as_str(), fake.token_url());

    let other = FakeAuthorization::builder().issuer("https://evil.example").start().await.unwrap();
    let error = OAuth::builder(row(other.url())).client_id("app").discover().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

#[tokio::test]
async fn a_start_without_what_a_login_needs_says_what_is_missing() {
    let oauth = OAuth::builder(preset("https://login.example", json!({}))).client_id("app").build().unwrap();
    let error = oauth.logins().begin(Login::new("acme", "crm")).await.unwrap_err();
    assert!(error.to_string().contains("redirect URI"), "{error}");
    let error = OAuth::builder(preset("https://login.example", json!({}))).build().unwrap_err();
    assert!(error.to_string().contains("client id"), "{error}");
}
