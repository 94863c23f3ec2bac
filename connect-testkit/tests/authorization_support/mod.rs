//! How the tests of the fake authorization server talk to it.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use connect_testkit::{FakeAuthorization, FakeAuthorizationBuilder, Reply, post, send};
use http::Method;

pub(crate) const START: u64 = 1_700_000_000;
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const JSON: (&str, &str) = ("accept", "application/json");

/// A verifier and its challenge, from RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Settings whose clock stands still.
pub(crate) fn builder() -> FakeAuthorizationBuilder {
    FakeAuthorization::builder().start_time(START)
}

pub(crate) async fn server() -> FakeAuthorization {
    builder().start().await.unwrap()
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A request to the token endpoint in which the client names itself in the body.
pub(crate) fn body(server: &FakeAuthorization, grant_type: &str, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("grant_type", grant_type), ("client_id", server.client_id())];
    all.extend(server.client_secret().map(|secret| ("client_secret", secret)));
    all.extend(fields);
    form(&all)
}

pub(crate) async fn attempt(
    server: &FakeAuthorization,
    grant_type: &str,
    fields: &[(&str, &str)],
) -> std::io::Result<Reply> {
    post(&server.token_url(), &[FORM, JSON], body(server, grant_type, fields)).await
}

pub(crate) async fn token(server: &FakeAuthorization, grant_type: &str, fields: &[(&str, &str)]) -> Reply {
    attempt(server, grant_type, fields).await.unwrap()
}

pub(crate) async fn refresh(server: &FakeAuthorization, refresh_token: &str) -> Reply {
    token(server, "refresh_token", &[("refresh_token", refresh_token)]).await
}

pub(crate) async fn get(server: &FakeAuthorization, path: &str, bearer: &str) -> Reply {
    let bearer = format!("Bearer {bearer}");
    send(Method::GET, &format!("{}{path}", server.url()), &[("authorization", bearer)], "").await.unwrap()
}

/// The URL of a login with PKCE, with further parameters.
pub(crate) fn login_url(server: &FakeAuthorization, fields: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", server.client_id()),
        ("redirect_uri", server.redirect_uri()),
        ("scope", "read write"),
        ("state", "s-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    all.extend(fields);
    all.retain(|(_, value)| !value.is_empty());
    format!("{}/authorize?{}", server.url(), form(&all))
}

/// A parameter of a redirect.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A code of a login with PKCE.
pub(crate) fn code(server: &FakeAuthorization, fields: &[(&str, &str)]) -> String {
    parameter(&server.authorize(&login_url(server, fields)).unwrap(), "code").unwrap()
}

pub(crate) async fn redeem(server: &FakeAuthorization, code: &str) -> Reply {
    let uri = server.redirect_uri();
    let fields = [("code", code), ("redirect_uri", uri), ("code_verifier", VERIFIER)];
    token(server, "authorization_code", &fields).await
}

pub(crate) fn text(reply: &Reply, name: &str) -> String {
    reply.json()[name].as_str().unwrap().to_owned()
}
