//! The fake GitHub's limits: a quota per resource, and a secondary limit that does not forgive.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use std::time::Duration;

use connect_testkit::github::{SecondaryLimit, SecondaryShape};
use connect_testkit::{FakeGitHub, Reply, send};
use http::Method;
use serde_json::{Value, json};

const START: u64 = 1_700_000_000;

async fn call(github: &FakeGitHub, method: Method, path: &str, body: Value) -> Reply {
    let bearer = format!("Bearer {}", github.token());
    let headers = [("user-agent", "tests"), ("authorization", bearer.as_str())];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}{path}", github.url()), &headers, body).await.unwrap()
}

async fn get(github: &FakeGitHub, path: &str) -> Reply {
    call(github, Method::GET, path, Value::Null).await
}

#[tokio::test]
async fn each_resource_is_counted_and_refused_on_its_own() {
    let builder = FakeGitHub::builder().start_time(START).resource_limit("search", 2);
    let github = builder.resource_limit("graphql", 1).start().await.unwrap();
    github.add_issue("octo", "hello", "Faster start");
    github.add_pull_request("octo", "hello", "Slower end");
    github.script_graphql(json!({ "data": { "viewer": { "login": "mona" } } }));

    let found = get(&github, "/search/issues?q=start+repo:octo/hello+is:issue").await;
    assert_eq!(
        (found.json()["total_count"].clone(), found.json()["items"][0]["number"].clone()),
        (json!(1), json!(1))
    );
    assert_eq!(
        (found.header("x-ratelimit-resource"), found.header("x-ratelimit-limit")),
        (Some("search"), Some("2"))
    );
    // A search window is a minute, the others are an hour.
    assert_eq!(found.header("x-ratelimit-reset"), Some("1700000060"));
    assert_eq!(get(&github, "/search/issues?q=end").await.status, 200);
    assert_eq!(get(&github, "/search/issues?q=end").await.status, 403);
    assert_eq!(get(&github, "/user").await.header("x-ratelimit-resource"), Some("core"));

    let query = json!({ "query": "{ viewer { login } }" });
    let answer = call(&github, Method::POST, "/graphql", query.clone()).await;
    assert_eq!(answer.json()["data"]["viewer"]["login"], "mona");
    assert_eq!(answer.header("x-ratelimit-resource"), Some("graphql"));
    assert_eq!(call(&github, Method::POST, "/graphql", query).await.status, 403);

    let limits = get(&github, "/rate_limit").await.json();
    assert_eq!(limits["resources"]["search"]["remaining"], 0);
    assert_eq!(limits["resources"]["graphql"]["remaining"], 0);
    assert_eq!(limits["resources"]["core"]["used"], 1);
    github.advance_clock(Duration::from_secs(60));
    assert_eq!(get(&github, "/search/issues?q=end").await.status, 200);
}

#[tokio::test]
async fn a_planned_primary_limit_uses_up_the_resource_that_it_meets() {
    let github = FakeGitHub::builder().start_time(START).start().await.unwrap();
    github.faults().on("search/issues-and-pull-requests").primary_limit(Duration::from_secs(30));
    let refused = get(&github, "/search/issues?q=x").await;
    assert_eq!((refused.status.as_u16(), refused.header("x-ratelimit-remaining")), (403, Some("0")));
    assert_eq!(refused.header("x-ratelimit-resource"), Some("search"));
    assert_eq!(get(&github, "/user").await.status, 200);
}

#[tokio::test]
async fn a_search_with_a_filter_that_is_not_there_is_refused() {
    let github = FakeGitHub::start().await.unwrap();
    for query in ["", "?q=", "?q=label:bug", "?q=is:locked"] {
        assert_eq!(get(&github, &format!("/search/issues{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_graphql_request_without_a_script_or_a_query_is_told_so() {
    let github = FakeGitHub::start().await.unwrap();
    let beyond = call(&github, Method::POST, "/graphql", json!({ "query": "{ viewer { login } }" })).await;
    assert_eq!(beyond.status, 200);
    assert!(beyond.json()["errors"][0]["message"].as_str().unwrap().contains("script"));
    assert_eq!(call(&github, Method::POST, "/graphql", json!({ "query": 7 })).await.status, 400);
    let anonymous =
        send(Method::POST, &format!("{}/graphql", github.url()), &[("user-agent", "t")], "{}").await;
    assert_eq!(anonymous.unwrap().status, 401);
}

#[tokio::test]
async fn a_secondary_limit_refuses_in_each_of_githubs_shapes() {
    let cases = [
        (SecondaryShape::Hinted, 403, Some("60"), "secondary rate limit", "secondary-rate-limits"),
        (SecondaryShape::Message, 403, None, "secondary rate limit", ""),
        (SecondaryShape::Abuse, 403, None, "abuse detection", ""),
        (SecondaryShape::Page, 403, None, "slow down", "#secondary-rate-limits"),
        (SecondaryShape::TooManyRequests, 429, None, "slow down", ""),
    ];
    for (shape, status, hint, words, page) in cases {
        let github = FakeGitHub::builder().start_time(START).start().await.unwrap();
        github.set_secondary_limit(SecondaryLimit::points_per_minute(1).shape(shape));
        assert_eq!(get(&github, "/user").await.status, 200);
        let refused = get(&github, "/user").await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (status, hint), "{shape:?}");
        let problem = refused.json();
        assert!(problem["message"].as_str().unwrap().contains(words), "{shape:?}: {problem}");
        assert!(problem["documentation_url"].as_str().unwrap().ends_with(page), "{shape:?}: {problem}");
        // The primary limit has nothing to do with it.
        assert_eq!(refused.header("x-ratelimit-remaining"), Some("4999"), "{shape:?}");
    }
}

#[tokio::test]
async fn an_account_that_hammers_stays_refused_and_one_that_waits_does_not() {
    let github = FakeGitHub::builder().start_time(START).start().await.unwrap();
    github.add_repository("octo", "hello");
    github.set_secondary_limit(SecondaryLimit::points_per_minute(11).pause(Duration::from_secs(90)));
    let issue = || json!({ "title": "x" });
    for expected in [201, 201, 403] {
        let reply = call(&github, Method::POST, "/repos/octo/hello/issues", issue()).await;
        assert_eq!(reply.status, expected, "a write costs five points");
    }
    for _ in 0..3 {
        github.advance_clock(Duration::from_secs(80));
        assert_eq!(get(&github, "/user").await.status, 403, "each try begins the pause anew");
    }
    assert_eq!(github.hammered(), 3);
    // Another account is not concerned.
    let anonymous =
        send(Method::GET, &format!("{}/rate_limit", github.url()), &[("user-agent", "t")], "").await;
    assert_eq!(anonymous.unwrap().status, 200);
    github.advance_clock(Duration::from_secs(90));
    assert_eq!(get(&github, "/user").await.status, 200);
    assert_eq!(github.issues("octo", "hello").len(), 2);
    github.set_secondary_limit(None);
    assert_eq!(github.hammered(), 0);
}
