//! GitHub's limits: who waits for what, and who is told at once.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use connect_core::Raw;
use connect_core::quota::QuotaStatus;
use connect_core::simulation::{Answer, Scripted};
use connect_github::{Config, ErrorKind, GitHub, GitHubApi, Pacing};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

const SECONDARY: &str =
    r#"{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}"#;

fn github(transport: &Scripted, pacing: Pacing) -> GitHub {
    GitHub::builder()
        .token("ghp_canary")
        .config(Config::default().with_seed(7))
        .pacing(pacing)
        .transport(transport.clone())
        .build()
        .unwrap()
}

fn get(path: &str) -> Raw<GitHubApi, Value> {
    Raw::get(path).unwrap()
}

fn post(path: &str) -> Raw<GitHubApi, Value> {
    Raw::post(path, &Value::Null).unwrap()
}

fn bucket(github: &GitHub, name: &str) -> QuotaStatus {
    github.quota().status().into_iter().find(|status| status.bucket == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_told_to_wait_holds_back_the_others() {
    let limited = Answer::json(403, SECONDARY).header("retry-after", "2");
    let transport = Scripted::new(std::iter::once(limited).chain((0..6).map(|_| Answer::json(200, "{}"))));
    let github = github(&transport, Pacing::Published);
    let begun = Instant::now();
    let first = tokio::spawn(github.send(get("/user")).into_future());
    tokio::task::yield_now().await;
    while transport.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let others =
        join_all((0..5).map(|number| github.send(get(&format!("/users/{number}"))).into_future())).await;
    assert!(others.iter().all(Result::is_ok) && first.await.unwrap().is_ok());
    let seen = transport.requests();
    assert_eq!(seen.len(), 7);
    assert!(seen[1..].iter().all(|request| request.at - begun >= Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn an_unexplained_limit_closes_the_account_for_a_minute_and_then_for_two() {
    let transport =
        Scripted::new([Answer::json(403, SECONDARY), Answer::json(403, SECONDARY), Answer::json(200, "{}")]);
    let github = github(&transport, Pacing::Published);
    let told = github.send(get("/user")).deadline(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(told.kind(), ErrorKind::RateLimited);
    assert_eq!(bucket(&github, "account").paused_for, Duration::from_secs(60));
    tokio::time::advance(Duration::from_secs(61)).await;
    github.send(get("/user")).deadline(Duration::from_secs(5)).await.unwrap_err();
    let pause = bucket(&github, "account").paused_for;
    assert_eq!(pause, Duration::from_secs(120));
    tokio::time::advance(Duration::from_secs(121)).await;
    github.send(get("/user")).await.unwrap();
    assert_eq!(transport.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_resource_leaves_the_others_open() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"; // epoch 784111777
    let used_up = Answer::json(403, r#"{"message": "API rate limit exceeded"}"#)
        .header("x-ratelimit-limit", "30")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "784115377")
        .header("x-ratelimit-resource", "search")
        .header("date", date);
    let transport = Scripted::new([used_up, Answer::json(200, "{}")]);
    let github = github(&transport, Pacing::Published);
    let error = github.send(get("/search/issues?q=x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    // The same again is refused here, at once, with the time; another resource goes.
    let again = github.send(get("/search/issues?q=y")).await.unwrap_err();
    assert!(again.to_string().contains("try again in"), "{again}");
    github.send(get("/user")).await.unwrap();
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn created_content_keeps_to_eighty_a_minute() {
    let transport = Scripted::new((0..100).map(|_| Answer::json(201, "{}")));
    let mut config = Config::default().with_seed(7).with_deadline(Duration::from_secs(300));
    config.quota.longest_wait = Duration::from_secs(120);
    let github = GitHub::builder()
        .config(config)
        .pacing(Pacing::Published)
        .transport(transport.clone())
        .build()
        .unwrap();
    let begun = Instant::now();
    let create = || github.send(post("/repos/o/r/issues")).into_future();
    let results = join_all((0..100).map(|_| create())).await;
    assert!(results.iter().all(Result::is_ok));
    let seen = transport.requests();
    assert_eq!(seen.len(), 100);
    let in_the_first_minute =
        seen.iter().filter(|request| request.at - begun < Duration::from_secs(60)).count();
    assert_eq!(in_the_first_minute, 80);
}

#[tokio::test(start_paused = true)]
async fn polite_writes_keep_a_second_between_them_and_reads_none() {
    let transport = Scripted::new((0..8).map(|_| Answer::json(200, "{}")));
    let github = github(&transport, Pacing::Polite);
    let begun = Instant::now();
    join_all((0..4).map(|_| github.send(get("/user")).into_future())).await;
    assert!(begun.elapsed() < Duration::from_millis(10));
    join_all((0..4).map(|_| github.send(post("/repos/o/r/labels")).into_future())).await;
    let at: Vec<_> = transport.requests()[4..].iter().map(|request| request.at).collect();
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(1)));
}

#[cfg(feature = "issues")]
#[tokio::test(start_paused = true)]
async fn polite_comments_keep_three_seconds_because_people_hear_of_them() {
    use connect_github::issues;
    let answer = r#"{"id": 1, "html_url": "", "body": "x"}"#;
    let transport = Scripted::new((0..3).map(|_| Answer::json(201, answer)));
    let github = github(&transport, Pacing::Polite);
    join_all((0..3).map(|_| github.send(issues::CreateComment::new("o", "r", 1, "x")).into_future())).await;
    let at: Vec<_> = transport.requests().iter().map(|request| request.at).collect();
    assert_eq!(at.len(), 3);
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(3)));
}

#[tokio::test(start_paused = true)]
async fn a_warm_start_knows_what_is_used_up_before_the_first_refusal() {
    let limits = r#"{"resources": {
        "core": {"limit": 5000, "remaining": 0, "reset": 784115377, "used": 5000},
        "search": {"limit": 30, "remaining": 30, "reset": 784111837, "used": 0},
        "brand_new": {"limit": 1, "remaining": 1, "reset": 1}, "odd": 7}}"#;
    let transport = Scripted::new([
        Answer::json(200, limits).header("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        Answer::json(200, "{}"),
    ]);
    let github = github(&transport, Pacing::Published);
    assert_eq!(github.warm_up().await.unwrap(), 2);
    let error = github.send(get("/user")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    github.send(get("/search/users?q=x")).await.unwrap();
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_enterprise_server_without_limits_has_nothing_to_learn_and_is_not_paced() {
    let mut answers = vec![Answer::status(404)];
    answers.extend((0..1_000).map(|_| Answer::json(200, "{}")));
    let transport = Scripted::new(answers);
    let github = GitHub::builder()
        .base_url("https://git.example.com/api/v3")
        .token("ghp_canary")
        .transport(transport.clone())
        .build()
        .unwrap();
    assert_eq!(github.warm_up().await.unwrap(), 0);
    let begun = Instant::now();
    join_all((0..1_000).map(|_| github.send(get("/user")).into_future())).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(transport.requests().len(), 1_001);
}

#[tokio::test(start_paused = true)]
async fn a_graphql_limit_named_in_a_200_closes_graphql_and_leaves_rest_open() {
    use connect_github::graphql::Query;
    let limited = Answer::json(
        200,
        r#"{"data": null, "errors": [{"type": "RATE_LIMIT", "message": "API rate limit exceeded"}]}"#,
    )
    .header("x-ratelimit-limit", "5000")
    .header("x-ratelimit-remaining", "3")
    .header("x-ratelimit-reset", "1773310447")
    .header("x-ratelimit-resource", "graphql")
    .header("date", "Thu, 12 Mar 2026 10:04:07 GMT");
    let transport = Scripted::new([limited, Answer::json(200, "{}")]);
    let github = github(&transport, Pacing::Published);
    let error = github.send(Query::<Value>::new("query { viewer { login } }")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(bucket(&github, "account").paused_for, Duration::ZERO);
    github.send(get("/user")).await.unwrap();
    github.send(Query::<Value>::new("query { viewer { login } }")).await.unwrap_err();
    assert_eq!(transport.requests().len(), 2);
}

/// A mutation draws on what REST's writes draw on as well; the limit of GraphQL says nothing of those.
#[tokio::test(start_paused = true)]
async fn a_mutation_that_meets_graphqls_limit_closes_no_write_of_rest() {
    use connect_github::graphql::Query;
    let limited =
        Answer::json(200, r#"{"errors": [{"type": "RATE_LIMIT", "message": "API rate limit exceeded"}]}"#)
            .header("x-ratelimit-remaining", "3")
            .header("x-ratelimit-reset", "784115377")
            .header("x-ratelimit-resource", "graphql")
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let transport = Scripted::new([limited, Answer::json(201, "{}")]);
    let github = github(&transport, Pacing::Published);
    let star = "mutation { addStar(input: {starrableId: \"1\"}) { clientMutationId } }";
    let error = github.send(Query::<Value>::new(star)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    github.send(post("/repos/o/r/issues")).await.unwrap();
    assert_eq!(transport.requests().len(), 2);
}

/// GitHub counts some calls to resources that their paths do not tell.
#[tokio::test(start_paused = true)]
async fn a_used_up_resource_that_was_not_expected_closes_nothing_but_the_calls_that_draw_on_it() {
    let used_up = |resource| {
        Answer::json(403, r#"{"message": "API rate limit exceeded"}"#)
            .header("x-ratelimit-limit", "10")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", "784115377")
            .header("x-ratelimit-resource", resource)
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
    };
    for resource in ["code_scanning_autofix", "brand_new"] {
        let transport = Scripted::new([used_up(resource), Answer::json(201, "{}"), Answer::json(200, "{}")]);
        let github = github(&transport, Pacing::Published);
        let autofix = || github.send(post("/repos/o/r/code-scanning/alerts/1/autofix"));
        assert_eq!(autofix().await.unwrap_err().kind(), ErrorKind::RateLimited);
        github.send(post("/repos/o/r/issues")).await.unwrap();
        github.send(get("/user")).await.unwrap();
        assert_eq!(transport.requests().len(), 3, "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_resource_was_guessed_wrong_waits_for_the_right_one_next_time() {
    let answer = |status: u16, remaining| {
        Answer::json(status, "{}")
            .header("x-ratelimit-limit", "10")
            .header("x-ratelimit-remaining", remaining)
            .header("x-ratelimit-reset", "784115377")
            .header("x-ratelimit-resource", "code_scanning_autofix")
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
    };
    let transport = Scripted::new([answer(202, "0"), Answer::json(200, "{}")]);
    let github = github(&transport, Pacing::Published);
    let autofix = || github.send(post("/repos/o/r/code-scanning/alerts/1/autofix"));
    autofix().await.unwrap();
    let error = autofix().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    github.send(get("/user")).await.unwrap();
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_query_draws_what_it_will_cost() {
    use connect_github::graphql::Query;
    let query = "query { repository(owner: \"o\", name: \"r\") { issues(first: 100) { nodes { comments(first: 100) { nodes { id \
                 reactions(first: 10) { nodes { id } } } } } } } }";
    let transport = Scripted::new([Answer::json(200, r#"{"data": {}}"#).after(Duration::from_secs(5))]);
    let github = github(&transport, Pacing::Published);
    let call = tokio::spawn(github.send(Query::<Value>::new(query)).into_future());
    while transport.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(bucket(&github, "graphql").in_flight > 100, "{:?}", bucket(&github, "graphql"));
    call.await.unwrap().unwrap();
}
