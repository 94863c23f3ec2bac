//! The fake GitHub answers as GitHub does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use std::time::Duration;

use connect_testkit::{FakeGitHub, Reply, send};
use http::Method;
use serde_json::{Value, json};

const START: u64 = 1_700_000_000;

async fn github() -> FakeGitHub {
    let github = FakeGitHub::builder().start_time(START).start().await.unwrap();
    github.add_repository("octo", "hello");
    github
}

async fn call(github: &FakeGitHub, method: Method, path: &str, extra: &[(&str, &str)], body: &str) -> Reply {
    let bearer = format!("Bearer {}", github.token());
    let mut headers = vec![("user-agent", "tests"), ("authorization", bearer.as_str())];
    headers.extend_from_slice(extra);
    send(method, &format!("{}{path}", github.url()), &headers, body.to_owned()).await.unwrap()
}

async fn get(github: &FakeGitHub, path: &str) -> Reply {
    call(github, Method::GET, path, &[], "").await
}

async fn post(github: &FakeGitHub, path: &str, body: Value) -> Reply {
    call(github, Method::POST, path, &[], &body.to_string()).await
}

#[tokio::test]
async fn a_created_issue_can_be_read_back() {
    let github = github().await;
    let new = json!({ "title": "Crash", "body": "At start", "labels": ["bug", { "name": "ui" }], "assignees": ["mona"] });
    let created = post(&github, "/repos/octo/hello/issues", new).await;
    assert_eq!(created.status, 201);
    let issue = created.json();
    assert_eq!(created.header("location"), issue["url"].as_str());
    assert_eq!(issue["number"], 1);
    assert_eq!(issue["state"], "open");
    assert_eq!(issue["user"]["login"], github.login());
    assert_eq!(issue["labels"][1]["name"], "ui");
    assert_eq!(issue["assignee"]["login"], "mona");
    assert_eq!(issue["created_at"], "2023-11-14T22:13:20Z");

    let read = get(&github, "/repos/octo/hello/issues/1").await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json(), issue);

    let held = &github.issues("octo", "hello")[0];
    assert_eq!((held.title.as_str(), held.labels.len()), ("Crash", 2));
    assert_eq!(github.count("issues/create"), 1);
    assert_eq!(github.count("issues/get"), 1);
    assert_eq!(github.count("*"), 2);
}

#[tokio::test]
async fn comments_hang_on_their_issue() {
    let github = github().await;
    let number = github.add_pull_request("octo", "hello", "Faster");
    let path = format!("/repos/octo/hello/issues/{number}/comments");
    let created = post(&github, &path, json!({ "body": "Looks good" })).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.json()["body"], "Looks good");
    assert_eq!(github.comments("octo", "hello", number)[0].body, "Looks good");

    let issue = get(&github, "/repos/octo/hello/issues/1").await.json();
    assert_eq!(issue["comments"], 1);
    assert!(issue["pull_request"]["url"].is_string());

    let missing = post(&github, "/repos/octo/hello/issues/9/comments", json!({ "body": "x" })).await;
    assert_eq!(missing.status, 404);
    let empty = post(&github, &path, json!({})).await;
    assert_eq!(
        empty.json()["errors"],
        json!([{ "resource": "IssueComment", "field": "body", "code": "missing_field" }])
    );
}

#[tokio::test]
async fn every_answer_carries_githubs_headers() {
    let github = github().await;
    let reply = get(&github, "/user").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["login"], github.login());
    let expected = [
        ("content-type", "application/json; charset=utf-8"),
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-reset", "1700003600"),
        ("x-ratelimit-resource", "core"),
        ("x-github-media-type", "github.v3; format=json"),
        ("x-github-api-version-selected", "2022-11-28"),
    ];
    for (name, value) in expected {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert_ne!(
        reply.header("x-github-request-id"),
        get(&github, "/user").await.header("x-github-request-id")
    );
}

#[tokio::test]
async fn a_list_is_paged_with_absolute_links() {
    let github = github().await;
    for number in 1..=65 {
        github.add_issue("octo", "hello", &format!("Issue {number}"));
    }
    let base = format!("{}/repos/octo/hello/issues", github.url());
    let numbers = |reply: &Reply| -> Vec<u64> {
        reply.json().as_array().unwrap().iter().map(|issue| issue["number"].as_u64().unwrap()).collect()
    };

    let first = get(&github, "/repos/octo/hello/issues?state=all").await;
    assert_eq!(numbers(&first), (36..=65).rev().collect::<Vec<_>>());
    let expected =
        format!("<{base}?state=all&page=2>; rel=\"next\", <{base}?state=all&page=3>; rel=\"last\"");
    assert_eq!(first.header("link"), Some(expected.as_str()));

    let middle = get(&github, "/repos/octo/hello/issues?page=2&per_page=30").await;
    let expected = format!(
        "<{base}?per_page=30&page=1>; rel=\"prev\", <{base}?per_page=30&page=3>; rel=\"next\", \
         <{base}?per_page=30&page=3>; rel=\"last\", <{base}?per_page=30&page=1>; rel=\"first\""
    );
    assert_eq!(middle.header("link"), Some(expected.as_str()));

    let last = get(&github, "/repos/octo/hello/issues?page=3").await;
    assert_eq!(numbers(&last), [5, 4, 3, 2, 1]);
    let expected = format!("<{base}?page=2>; rel=\"prev\", <{base}?page=1>; rel=\"first\"");
    assert_eq!(last.header("link"), Some(expected.as_str()));

    let capped = get(&github, "/repos/octo/hello/issues?per_page=1000&direction=asc").await;
    assert_eq!(numbers(&capped), (1..=65).collect::<Vec<_>>());
    assert_eq!(capped.header("link"), None);

    let beyond = get(&github, "/repos/octo/hello/issues?page=18446744073709551615").await;
    assert_eq!(beyond.json(), json!([]));
    assert!(beyond.header("link").unwrap().contains("?page=3>; rel=\"prev\""));
}

#[tokio::test]
async fn a_list_is_filtered_by_state_and_labels() {
    let github = github().await;
    post(&github, "/repos/octo/hello/issues", json!({ "title": "a", "labels": ["bug", "ui"] })).await;
    post(&github, "/repos/octo/hello/issues", json!({ "title": "b", "labels": ["bug"] })).await;
    assert!(github.close_issue("octo", "hello", 2));
    assert!(!github.close_issue("octo", "hello", 3));
    let cases = [
        ("", 1),
        ("?state=closed", 1),
        ("?state=all", 2),
        ("?state=all&labels=bug%2Cui", 1),
        ("?creator=nobody", 0),
    ];
    for (query, expected) in cases {
        let reply = get(&github, &format!("/repos/octo/hello/issues{query}")).await;
        assert_eq!(reply.json().as_array().unwrap().len(), expected, "{query}");
    }
    let wrong = get(&github, "/repos/octo/hello/issues?state=ajar").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.json()["errors"][0]["field"], "state");
}

#[tokio::test]
async fn refusals_have_githubs_shape() {
    let github = github().await;
    let url = format!("{}/user", github.url());
    let wrong =
        send(Method::GET, &url, &[("user-agent", "t"), ("authorization", "Bearer nope")], "").await.unwrap();
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.json()["message"], "Bad credentials");
    assert_eq!(wrong.json()["status"], "401");
    assert!(wrong.json()["documentation_url"].is_string());
    assert_eq!(wrong.header("x-ratelimit-limit"), Some("60"));

    let anonymous = send(Method::GET, &url, &[("user-agent", "t")], "").await.unwrap();
    assert_eq!(anonymous.json()["message"], "Requires authentication");

    let nameless = send(Method::GET, &url, &[("accept", "*/*")], "").await.unwrap();
    assert_eq!(nameless.status, 403);

    let requests = github.requests();
    assert!(requests.iter().all(|request| !request.authorized));
    assert_eq!(requests[0].credential(), Some("nope"));
    assert_eq!(requests[0].header("authorization"), None);

    for path in
        ["/repos/octo/unknown/issues", "/repos/octo/hello/issues/", "/repos/octo/hello/issues/x", "/nowhere"]
    {
        let reply = get(&github, path).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["message"]), (404, &json!("Not Found")), "{path}");
    }
    let version = call(&github, Method::GET, "/user", &[("x-github-api-version", "1999-01-01")], "").await;
    assert_eq!(version.status, 400);
}

#[tokio::test]
async fn public_data_needs_no_token_and_has_a_quota_of_its_own() {
    let github = github().await;
    github.add_issue("octo", "hello", "Open to all");
    let url = format!("{}/repos/octo/hello/issues/1", github.url());
    let reply = send(Method::GET, &url, &[("user-agent", "t")], "").await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-ratelimit-remaining"), Some("59"));
}

#[tokio::test]
async fn wrong_bodies_are_refused_and_change_nothing() {
    let github = github().await;
    let path = "/repos/octo/hello/issues";
    for (body, status) in [
        ("{", 400),
        ("[]", 400),
        ("", 400),
        ("{}", 422),
        (r#"{"title":""}"#, 422),
        (r#"{"title":[]}"#, 422),
        (r#"{"title":"x","labels":7}"#, 422),
    ] {
        let reply = call(&github, Method::POST, path, &[], body).await;
        assert_eq!(reply.status, status, "{body}");
    }
    let missing = post(&github, path, json!({})).await.json();
    assert_eq!(missing["message"], "Validation Failed");
    assert_eq!(
        missing["errors"],
        json!([{ "resource": "Issue", "field": "title", "code": "missing_field" }])
    );
    assert!(github.issues("octo", "hello").is_empty());
}

#[tokio::test]
async fn an_unchanged_document_is_304_and_free() {
    let github = github().await;
    github.add_issue("octo", "hello", "Same");
    let first = get(&github, "/repos/octo/hello/issues/1").await;
    let etag = first.header("etag").unwrap().to_owned();
    let strong = etag.trim_start_matches("W/").to_owned();
    for tag in [etag.as_str(), strong.as_str(), "\"other\", *", "*"] {
        let again =
            call(&github, Method::GET, "/repos/octo/hello/issues/1", &[("if-none-match", tag)], "").await;
        let unchanged = tag != "\"other\", *";
        assert_eq!(again.status == 304, unchanged, "{tag}");
        assert_eq!(again.body.is_empty(), unchanged, "{tag}");
    }
    let rate = get(&github, "/rate_limit").await.json();
    assert_eq!(rate["resources"]["core"]["used"], 2);
    assert_eq!(rate["rate"], rate["resources"]["core"]);

    github.close_issue("octo", "hello", 1);
    let changed =
        call(&github, Method::GET, "/repos/octo/hello/issues/1", &[("if-none-match", &etag)], "").await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn a_used_up_quota_refuses_until_its_reset() {
    let github = FakeGitHub::builder().start_time(START).rate_limit(2).start().await.unwrap();
    for expected in [200, 200, 403, 403] {
        assert_eq!(get(&github, "/user").await.status, expected);
    }
    let refused = get(&github, "/user").await;
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("retry-after"), None);
    assert!(refused.json()["message"].as_str().unwrap().contains("rate limit exceeded"));
    github.advance_clock(Duration::from_secs(3600));
    assert_eq!(get(&github, "/user").await.status, 200);
}

#[tokio::test]
async fn the_newer_api_version_has_no_single_assignee() {
    let github = github().await;
    github.add_issue("octo", "hello", "One");
    let newer = [("x-github-api-version", "2026-03-10")];
    let issue = call(&github, Method::GET, "/repos/octo/hello/issues/1", &newer, "").await;
    assert_eq!(issue.header("x-github-api-version-selected"), Some("2026-03-10"));
    assert_eq!(issue.json().get("assignee"), None);
    assert_eq!(call(&github, Method::GET, "/rate_limit", &newer, "").await.json().get("rate"), None);
}

#[tokio::test]
async fn an_enterprise_server_lives_under_a_prefix() {
    let github = FakeGitHub::builder().path_prefix("api/v3/").start().await.unwrap();
    assert!(github.url().ends_with("/api/v3"));
    assert_eq!(get(&github, "/user").await.status, 200);
    let outside = github.url().replace("/api/v3", "/user");
    let reply = send(Method::GET, &outside, &[("user-agent", "t")], "").await.unwrap();
    assert_eq!(reply.status, 404);
    assert_eq!(github.requests()[1].operation, None);
}

#[tokio::test]
async fn path_segments_are_percent_decoded() {
    let github = FakeGitHub::start().await.unwrap();
    github.add_issue("octo", "a b/c", "Odd name");
    assert_eq!(get(&github, "/repos/OCTO/a%20b%2Fc/issues/1").await.json()["title"], "Odd name");
    assert_eq!(get(&github, "/repos/octo/%ff/issues/1").await.status, 404);
}

#[tokio::test]
async fn what_the_fake_would_ignore_is_recorded_as_a_problem() {
    let github = github().await;
    get(&github, "/repos/octo/hello/issues?since=2020-01-01T00%3A00%3A00Z").await;
    post(&github, "/repos/octo/hello/issues", json!({ "title": "x", "tilte": "y" })).await;
    get(&github, "/repos/octo/hello/issues?per_page=5").await;
    let problems: Vec<Vec<String>> = github.requests().into_iter().map(|request| request.problems).collect();
    assert!(problems[0][0].contains("`since`"), "{problems:?}");
    assert!(problems[1][0].contains("`tilte`"), "{problems:?}");
    assert!(problems[2].is_empty(), "{problems:?}");
}

#[tokio::test]
async fn credentials_of_two_fakes_differ() {
    let (one, two) = (FakeGitHub::start().await.unwrap(), FakeGitHub::start().await.unwrap());
    assert_ne!(one.token(), two.token());
    assert_ne!(one.webhook_secret(), two.webhook_secret());
    assert!(one.token().contains("fake"));
}
