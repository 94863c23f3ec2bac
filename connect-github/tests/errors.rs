//! What an operator reads when GitHub refuses, and what a program finds in the payload.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, reason = "tests")]

use connect_core::Raw;
use connect_core::simulation::{Answer, Scripted};
use connect_github::{Config, Error, ErrorKind, GitHub, Problem, Secret, Sent, Sso};
use serde_json::{Value, json};

type Headers = &'static [(&'static str, &'static str)];

fn client(transport: &Scripted, token: Option<&str>) -> GitHub {
    let builder = GitHub::builder().config(Config::default().with_seed(1)).transport(transport.clone());
    match token {
        Some(token) => builder.token(Secret::new(token)).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

fn answer(status: u16, headers: Headers, body: impl Into<String>) -> Answer {
    let answer = Answer::json(status, body.into()).header("x-github-request-id", "AB:12");
    headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
}

/// The error of a `GET /things` with a token.
async fn refusal(status: u16, headers: Headers, body: Value) -> Error {
    let transport = Scripted::new([answer(status, headers, body.to_string())]);
    let raw = Raw::<_, Value>::get("/things").unwrap();
    client(&transport, Some("ghp_canary")).send(raw).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_would_help() {
    const PERMISSIONS: Headers =
        &[("x-accepted-github-permissions", "issues=write,contents=read; pull_requests=write")];
    const SCOPES: Headers =
        &[("x-oauth-scopes", "repo, user"), ("x-accepted-oauth-scopes", "admin:org, write:org")];
    const ENOUGH: Headers = &[("x-oauth-scopes", "repo"), ("x-accepted-oauth-scopes", "repo, public_repo")];
    const NONE: Headers = &[("x-oauth-scopes", ""), ("x-accepted-oauth-scopes", "repo")];
    const SIGN_ON: Headers =
        &[("x-github-sso", "required; url=https://github.example/orgs/o/sso?authorization_request=canary")];
    const METADATA: Headers = &[("x-accepted-github-permissions", "metadata=read")];
    let cases: [(u16, Headers, &str, ErrorKind, &str); 14] = [
        (
            404,
            &[],
            "Integration not found",
            ErrorKind::NotFound,
            "Integration not found; GitHub knows no App of the id that the client signs in with: take the client ID from \
             the App's settings page, and check the base URL",
        ),
        (
            403,
            PERMISSIONS,
            "Resource not accessible by integration",
            ErrorKind::Forbidden,
            "Resource not accessible by integration; GitHub would accept issues=write and contents=read, or \
             pull_requests=write",
        ),
        (
            403,
            SCOPES,
            "Must be an owner",
            ErrorKind::Forbidden,
            "Must be an owner; the token has the scopes repo, user, and GitHub would accept admin:org or write:org",
        ),
        (403, ENOUGH, "Must have admin rights", ErrorKind::Forbidden, "Must have admin rights"),
        (
            403,
            SIGN_ON,
            "Resource protected by organization SAML enforcement.",
            ErrorKind::Forbidden,
            "Resource protected by organization SAML enforcement; authorize the token for the organization's single \
             sign-on; `Problem::sso` has the link",
        ),
        (
            404,
            NONE,
            "Not Found",
            ErrorKind::NotFound,
            "Not Found; there is no such thing, or the token may not see it: GitHub says the same of both; the token has \
             no scopes, and GitHub would accept repo",
        ),
        (
            404,
            METADATA,
            "Not Found",
            ErrorKind::NotFound,
            "Not Found; there is no such thing, or the token may not see it: GitHub says the same of both",
        ),
        (
            401,
            &[],
            "Bad credentials",
            ErrorKind::Auth,
            "Bad credentials; the token is wrong, expired or revoked: give the client another",
        ),
        (
            410,
            &[],
            "Issues are disabled for this repo",
            ErrorKind::NotFound,
            "Issues are disabled for this repo; it was deleted, or its feature is switched off",
        ),
        (
            451,
            &[],
            "Repository access blocked",
            ErrorKind::Forbidden,
            "Repository access blocked; it is blocked for legal reasons",
        ),
        (
            409,
            &[],
            "Git Repository is empty.",
            ErrorKind::Conflict,
            "Git Repository is empty; push a first commit",
        ),
        (409, &[], "Reference already exists", ErrorKind::Conflict, "Reference already exists"),
        (422, &[], "Validation Failed", ErrorKind::Invalid, "Validation Failed"),
        (400, &[], "Problems parsing JSON", ErrorKind::Invalid, "Problems parsing JSON"),
    ];
    for (status, headers, message, kind, words) in cases {
        let error = refusal(status, headers, json!({"message": message, "status": status.to_string()})).await;
        assert_eq!(
            (error.kind(), error.to_string()),
            (kind, format!("github raw/get: {words} (HTTP {status}, request id AB:12)"))
        );
        let problem = error.details::<Problem>().unwrap();
        assert_eq!(problem.message.as_deref(), Some(message));
        assert!(!format!("{error} {error:#} {error:?} {problem:?}").contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_client_is_told_to_take_a_token() {
    for (status, words) in [(401, "give it one"), (404, "takes a token to see it")] {
        let transport = Scripted::new([answer(status, &[], json!({"message": "no"}).to_string())]);
        let raw = Raw::<_, Value>::get("/things").unwrap();
        let error = client(&transport, None).send(raw).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_payload_has_what_the_headers_say() {
    const HEADERS: Headers = &[
        ("x-accepted-github-permissions", "issues=write"),
        ("x-oauth-scopes", "repo"),
        ("x-accepted-oauth-scopes", ""),
        ("x-github-sso", "required; url=https://github.example/sso?authorization_request=x"),
    ];
    let body = json!({
        "message": "m", "documentation_url": "https://docs.github.example/rest",
        "block": {"reason": "dmca", "html_url": "https://github.example/dmca"}
    });
    let error = refusal(451, HEADERS, body).await;
    assert!(error.to_string().contains("GitHub's reason is dmca"), "{error}");
    let problem = error.details::<Problem>().unwrap();
    assert_eq!(problem.documentation_url.as_deref(), Some("https://docs.github.example/rest"));
    assert_eq!(problem.accepted_permissions[0][0].to_string(), "issues=write");
    assert_eq!(
        (problem.scopes.as_deref(), problem.accepted_scopes.len()),
        (Some(&["repo".to_owned()][..]), 0)
    );
    assert!(matches!(&problem.sso, Some(Sso::Required { url: Some(url) }) if url.expose().ends_with("=x")));
}

#[tokio::test(start_paused = true)]
async fn what_exists_already_is_a_conflict() {
    let exists = json!({"resource": "Label", "field": "name", "code": "already_exists"});
    let error = refusal(422, &[], json!({"message": "Validation Failed", "errors": [exists]})).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let other = json!({"resource": "Label", "field": "color", "code": "invalid"});
    let error = refusal(422, &[], json!({"message": "Validation Failed", "errors": [exists, other]})).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("Label.name: already_exists; Label.color: invalid"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_says_when_and_nothing_of_permissions() {
    const HEADERS: Headers = &[("retry-after", "90"), ("x-accepted-github-permissions", "issues=write")];
    let error = refusal(403, HEADERS, json!({"message": "You have exceeded a secondary rate limit"})).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let text = error.to_string();
    assert!(text.contains("secondary rate limit") && text.contains("try again in 90 s"), "{text}");
    assert!(!text.contains("would accept"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_words_still_says_something() {
    let cases = [
        (401, "", "the credentials are not accepted; the token is wrong"),
        (404, "", "Not Found; there is no such thing"),
        (403, "", "refuses the request without a word"),
        (404, "<!DOCTYPE html>", "the base URL is not the API's"),
        (403, "\n<html>", "a proxy or a login page answered"),
        (500, "<html>", "failed with a page of HTML"),
        (422, r#"{"mess"#, "the provider refused the request"),
    ];
    for (status, body, words) in cases {
        let transport = Scripted::new(std::iter::repeat_n(answer(status, &[], body), 4));
        let raw = Raw::<_, Value>::get("/things").unwrap();
        let error = client(&transport, Some("ghp_canary")).send(raw).await.unwrap_err();
        assert!(error.to_string().contains(words), "{status} {body}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_success_is_typed_and_says_what_to_do() {
    let cases = [
        (200, "<html>", "not JSON but a page of HTML"),
        (200, "", "decode_as::<Option<T>>()"),
        (204, "", "as its status says"),
        (200, r#"{"login": "mo"#, "is cut off"),
        (200, r#"{"login": 7}"#, "at login"),
    ];
    #[derive(Debug, serde::Deserialize)]
    struct User {
        #[serde(rename = "login")]
        _login: String,
    }
    for (status, body, words) in cases {
        let transport = Scripted::new([answer(status, &[], body)]);
        let raw = Raw::<_, User>::get("/user").unwrap();
        let error = client(&transport, Some("ghp_canary")).send(raw).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Decode, Sent::Yes), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!((error.status().unwrap().as_u16(), error.request_id()), (status, Some("AB:12")));
    }
}

#[cfg(feature = "issues")]
#[tokio::test(start_paused = true)]
async fn a_repository_with_a_space_is_refused_by_name_and_a_label_with_one_is_encoded() {
    let not_found = answer(404, &[], json!({"message": "Not Found"}).to_string());
    let transport = Scripted::new([not_found]);
    let github = client(&transport, Some("ghp_canary"));
    for repo in ["my repo", ".."] {
        let error = github.send(connect_github::issues::Get::new("octo", repo, 1)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Invalid, Sent::No));
        let text = error.to_string();
        assert!(text.contains("issues/get") && text.contains("`repo`"), "{text}");
    }
    let error = github.send(connect_github::issues::GetLabel::new("octo", "hello", "good first issue")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(transport.requests()[0].url.ends_with("/labels/good%20first%20issue"));
}
