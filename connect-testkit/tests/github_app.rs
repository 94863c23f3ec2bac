//! The fake GitHub knows an App, checks what it signs, and gives its installations tokens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use std::time::Duration;

use connect_testkit::github::{FakeApp, SecondaryLimit};
use connect_testkit::{FakeGitHub, GitHubDelivery, Reply, send};
use http::Method;
use serde_json::{Value, json};

const START: u64 = 1_700_000_000;

const PUBLIC_KEY: &str = include_str!("keys/app-public.test-only.pem");

/// Made by openssl: issuer `Iv1.fake`, from a minute before the start to nine minutes after it.
const JWT: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJJdjEuZmFrZSIsImlhdCI6MTY5OTk5OTk0MCwiZXhwI",
    "joxNzAwMDAwNTQwfQ.DeVxlRMm_zhIhWd4RVQZidSBt11XxmeO5TObCa4xm1w9GtXPqM8DF16iLuaMEfHT2nzjC1Op",
    "0v5swNtE0nTdEED1IE-Q9KLdIazbZdxXHp7EiFLAEb3bsweMEzTOVdVDCHWYyENgBDfOl08HzPHHrJUa5gfC-mZAOo",
    "fqjY2SbYdZnBgWVx0qpFqHGyb-rH36DaZcbz4wE1vb5NRaRXpBYaUUMiifs7K1rKO012S6vJBdbZyLrXw79p1ERQgP",
    "EbXB4ixOpn1Dkgp7oAN1UzQGobuR9AzyBM9zjH-JYEOpGuRonHtOYACKEHlLzVPcjWy6-3nOPV054hVODywXORBR4g",
);

async fn github() -> FakeGitHub {
    let app = FakeApp::new("Iv1.fake", 4242, PUBLIC_KEY).permission("issues", "write");
    FakeGitHub::builder().start_time(START).app(app).start().await.unwrap()
}

async fn call(github: &FakeGitHub, method: Method, path: &str, credential: &str, body: Value) -> Reply {
    let bearer = format!("Bearer {credential}");
    let headers = [("user-agent", "tests"), ("authorization", bearer.as_str())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}{path}", github.url()), &headers, body).await.unwrap()
}

async fn mint(github: &FakeGitHub, installation: u64, body: Value) -> Reply {
    let path = format!("/app/installations/{installation}/access_tokens");
    call(github, Method::POST, &path, JWT, body).await
}

#[tokio::test]
async fn the_app_is_known_by_what_it_signs() {
    let github = github().await;
    let app = call(&github, Method::GET, "/app", JWT, Value::Null).await;
    assert_eq!((app.status.as_u16(), &app.json()["client_id"]), (200, &json!("Iv1.fake")));
    assert!(github.requests()[0].authorized);

    let (input, signature) = JWT.rsplit_once('.').unwrap();
    let other_signature = format!("{input}.{}", signature.replacen('A', "B", 1));
    let other_claims = format!("{}x.{signature}", &input[..input.len() - 1]);
    for forged in [other_signature.as_str(), other_claims.as_str(), &format!("{input}."), "a.b.c"] {
        let refused = call(&github, Method::GET, "/app", forged, Value::Null).await;
        assert_eq!(refused.status, 401, "{forged}");
        assert_eq!(refused.json()["message"], "A JSON web token could not be decoded");
    }
    assert_eq!(call(&github, Method::GET, "/app", github.token(), Value::Null).await.status, 401);
}

#[tokio::test]
async fn the_times_in_a_jwt_are_held_against_the_fakes_clock() {
    for (skew, word) in [(-120, "Issued at"), (600, "Expiration time")] {
        let app = FakeApp::new("Iv1.fake", 4242, PUBLIC_KEY);
        let github = FakeGitHub::builder().start_time(START).clock_skew(skew).app(app).start().await.unwrap();
        let refused = call(&github, Method::GET, "/app", JWT, Value::Null).await;
        assert_eq!(refused.status, 401);
        assert!(refused.json()["message"].as_str().unwrap().contains(word), "{skew}");
    }
    let other = FakeApp::new("Iv1.other", 7, PUBLIC_KEY);
    let github = FakeGitHub::builder().start_time(START).app(other).start().await.unwrap();
    let unknown = call(&github, Method::GET, "/app", JWT, Value::Null).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["message"]), (404, &json!("Integration not found")));
}

#[tokio::test]
async fn an_installations_token_works_for_an_hour() {
    let github = github().await;
    let installation = github.install_app("octo", ["hello", "world"]);
    let found = call(&github, Method::GET, "/repos/octo/hello/installation", JWT, Value::Null).await;
    assert_eq!(found.json()["id"], installation);
    assert_eq!(call(&github, Method::GET, "/repos/octo/no/installation", JWT, Value::Null).await.status, 404);

    let minted = mint(&github, installation, json!({"repositories": ["hello"]})).await;
    assert_eq!((minted.status.as_u16(), &minted.json()["expires_at"]), (201, &json!("2023-11-14T23:13:20Z")));
    let token = minted.json()["token"].as_str().unwrap().to_owned();
    let list = call(&github, Method::GET, "/installation/repositories", &token, Value::Null).await;
    assert_eq!(list.json()["total_count"], 1);
    assert_eq!(call(&github, Method::GET, "/user", &token, Value::Null).await.status, 403);
    github.advance_clock(Duration::from_secs(3600));
    let expired = call(&github, Method::GET, "/installation/repositories", &token, Value::Null).await;
    assert_eq!(expired.status, 401);
}

#[tokio::test]
async fn what_an_installation_has_not_is_not_given() {
    let github = github().await;
    let installation = github.install_app("octo", ["hello"]);
    let cases = [
        (json!({"permissions": {"issues": "read"}}), 201),
        (json!({"permissions": {"contents": "read"}}), 422),
        (json!({"permissions": {"metadata": "write"}}), 422),
        (json!({"repositories": ["secret"]}), 422),
    ];
    for (body, status) in cases {
        assert_eq!(mint(&github, installation, body.clone()).await.status, status, "{body}");
    }
    github.suspend_app(installation);
    assert_eq!(mint(&github, installation, Value::Null).await.status, 403);
    github.uninstall_app(installation);
    assert_eq!(mint(&github, installation, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_token_that_settles_is_refused_for_its_first_uses() {
    let github = github().await;
    let installation = github.install_app("octo", ["hello"]);
    github.settle_installation_tokens(2);
    let minted = mint(&github, installation, Value::Null).await;
    let token = minted.json()["token"].as_str().unwrap().to_owned();
    for expected in [401, 401, 200, 200] {
        let reply = call(&github, Method::GET, "/installation/repositories", &token, Value::Null).await;
        assert_eq!(reply.status, expected);
    }
    assert_eq!(call(&github, Method::DELETE, "/installation/token", &token, Value::Null).await.status, 204);
    assert_eq!(
        call(&github, Method::GET, "/installation/repositories", &token, Value::Null).await.status,
        401
    );
}

#[tokio::test]
async fn the_deliveries_of_the_app_are_for_the_app_itself() {
    const DELIVERIES: &str = "/app/hook/deliveries";
    let github = github().await;
    let installation = github.install_app("octo", ["hello"]);
    let delivery = GitHubDelivery::issues("opened").installation(installation);
    let signed = github.sign(delivery.clone());
    assert_eq!(signed.header("x-github-hook-installation-target-id"), Some("4242"));
    for delivery in [delivery, GitHubDelivery::issues("opened")] {
        assert!(github.deliver("http://127.0.0.1:1/", delivery).await.is_err());
    }

    let listed = call(&github, Method::GET, DELIVERIES, JWT, Value::Null).await;
    let listed = listed.json().as_array().unwrap().clone();
    assert_eq!((listed.len(), &listed[0]["installation_id"]), (1, &json!(installation)));
    let one = format!("{DELIVERIES}/{}", listed[0]["id"]);
    let detail = call(&github, Method::GET, &one, JWT, Value::Null).await;
    assert_eq!(detail.json()["request"]["headers"]["X-GitHub-Event"], "issues");

    let attempts = format!("{one}/attempts");
    let minted = mint(&github, installation, Value::Null).await.json()["token"].as_str().unwrap().to_owned();
    for (method, path) in
        [(Method::GET, DELIVERIES), (Method::GET, one.as_str()), (Method::POST, attempts.as_str())]
    {
        for other in [github.token(), minted.as_str()] {
            let refused = call(&github, method.clone(), path, other, Value::Null).await;
            assert_eq!(refused.status, 401, "{method} {path}");
        }
    }
    assert_eq!(github.deliveries().len(), 2, "nothing was sent for them");
    assert_eq!(call(&github, Method::POST, &attempts, JWT, Value::Null).await.status, 202);
    github.wait_for_deliveries(3).await;
    let again = github.deliveries().pop().unwrap();
    assert_eq!((again.guid == github.deliveries()[0].guid, again.redelivery), (true, true));
}

#[tokio::test]
async fn a_new_token_is_no_way_round_a_secondary_limit() {
    let github = github().await;
    let installation = github.install_app("octo", ["hello"]);
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let minted = mint(&github, installation, Value::Null).await.json();
        tokens.push(minted["token"].as_str().unwrap().to_owned());
    }
    github.set_secondary_limit(SecondaryLimit::points_per_minute(1));
    let look = async |credential: &str| {
        call(&github, Method::GET, "/installation/repositories", credential, Value::Null)
            .await
            .status
            .as_u16()
    };
    assert_eq!((look(&tokens[0]).await, look(&tokens[1]).await), (200, 403));
    assert_eq!(call(&github, Method::GET, "/app", JWT, Value::Null).await.status, 200, "another account");
}
