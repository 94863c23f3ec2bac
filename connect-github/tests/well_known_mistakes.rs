//! What popular clients of GitHub get wrong, and this one must not. Each was seen in a running program.
//!
//! | defect | where its test is |
//! |---|---|
//! | 1, 2, 3, 6, 7, 8, 9, 15, 17 | here |
//! | 4, 5, 10 (credentials lost on the way, tokens fetched many times over, a runtime wanted too early) | `app.rs` |
//! | 11, 12 (logins that fail unexplained) | `login.rs` |
//! | 13 (a rate limit within a GraphQL answer) | `graphql.rs` |
//! | 14 (a wait that holds back only one of many) | `limits.rs` |
//! | 16 (events that do not fit their types) | `events.rs`, `payloads.rs` |
#![cfg(all(feature = "client", feature = "issues", feature = "repos"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use connect_core::cache::MemoryCache;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Body, ByteStream, Bytes, RetryAdvice};
use connect_github::{Config, ErrorKind, GitHub, GitHubBuilder, Sent, issues, repos};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn builder(transport: &Scripted, token: &str) -> GitHubBuilder {
    let config = Config::default().with_seed(1);
    GitHub::builder().token(token).config(config).transport(transport.clone())
}

fn client(transport: &Scripted) -> GitHub {
    builder(transport, "ghp_canary").build().unwrap()
}

fn issue(title: &str) -> String {
    serde_json::json!({"id": 1, "number": 7, "title": title, "state": "open"}).to_string()
}

/// The ETag that each request asked about.
fn conditions(transport: &Scripted) -> Vec<Option<String>> {
    let asked = transport.requests();
    let tags = asked.iter().map(|seen| seen.headers.get("if-none-match"));
    tags.map(|tag| tag.map(|tag| tag.to_str().unwrap().to_owned())).collect()
}

/// Defect 1: four comments within milliseconds.
#[tokio::test(start_paused = true)]
async fn post_answered_502_is_sent_once_and_the_error_says_to_look_first() {
    let transport = Scripted::new([Answer::status(502), Answer::json(201, "{}")]);
    let comment = issues::CreateComment::new("octo", "hello", 7, "hi");
    let error = client(&transport).send(comment).await.unwrap_err();
    assert_eq!(transport.requests().len(), 1);
    assert_eq!((error.sent(), error.retry()), (Sent::Maybe, RetryAdvice::CheckFirst));
    assert!(error.to_string().contains("may have been applied"), "{error}");
}

/// Defect 2: four requests in 2 ms, and an error that reads "GitHub".
#[tokio::test(start_paused = true)]
async fn a_429_with_retry_after_60_is_sent_once_and_says_when_to_come_back() {
    let words = r#"{"message": "You have exceeded a secondary rate limit."}"#;
    for status in [403, 429] {
        let transport = Scripted::new([Answer::json(status, words).header("retry-after", "60")]);
        let error = client(&transport).send(issues::Get::new("octo", "hello", 7)).await.unwrap_err();
        assert_eq!((transport.requests().len(), error.kind()), (1, ErrorKind::RateLimited));
        let text = error.to_string();
        for part in ["issues/get", "secondary rate limit", "try again in 60 s", &status.to_string()] {
            assert!(text.contains(part), "{text}");
        }
    }
}

/// Defect 3: the second attempt creates an empty asset, and reports success.
#[tokio::test(start_paused = true)]
async fn a_streamed_upload_answered_500_is_not_sent_again_without_its_body() {
    let transport = Scripted::new([Answer::status(500), Answer::json(201, "{}")]);
    let chunks: ByteStream = Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"abc"))]));
    let asset = repos::UploadReleaseAsset::new("octo", "hello", 9, "a.bin");
    let error = client(&transport).upload(asset, Body::stream(Some(3), chunks)).await.unwrap_err();
    let bodies: Vec<_> = transport.requests().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["abc"]);
    assert_eq!((error.sent(), error.retry()), (Sent::Maybe, RetryAdvice::CheckFirst));
}

/// Defect 6: the second client sends the first one's ETag, and is given the first one's answer.
#[tokio::test(start_paused = true)]
async fn a_client_with_another_token_neither_asks_with_nor_gets_the_first_ones_answer() {
    let transport = Scripted::new([
        Answer::json(200, issue("what A may see")).header("etag", "\"a\""),
        Answer::json(200, issue("what B may see")).header("etag", "\"b\""),
        Answer::status(304),
        Answer::status(304),
    ]);
    let memory = MemoryCache::default();
    let of = |token: &str| builder(&transport, token).cache(memory.clone()).build().unwrap();
    let (a, b) = (of("ghp_a"), of("ghp_b"));
    for (client, title) in
        [(&a, "what A may see"), (&b, "what B may see"), (&a, "what A may see"), (&b, "what B may see")]
    {
        let issue = client.send(issues::Get::new("octo", "hello", 7)).await.unwrap();
        assert_eq!(issue.title, title);
    }
    assert_eq!(conditions(&transport), [None, None, Some("\"a\"".into()), Some("\"b\"".into())]);
}

/// Defect 7: half an answer is kept, and fails to parse for ever after.
#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_off_is_not_kept() {
    let whole = issue("whole");
    let cut = Answer::json(200, whole[..20].to_owned())
        .header("etag", "\"1\"")
        .header("content-length", &whole.len().to_string());
    let transport = Scripted::new([
        cut,
        Answer::dropped_connection(),
        Answer::json(200, whole.clone()).header("etag", "\"1\""),
        Answer::status(304),
    ]);
    let github = builder(&transport, "ghp_canary").cache(MemoryCache::default()).build().unwrap();
    let mut titles = Vec::new();
    while transport.unused() > 0 {
        if let Ok(issue) = github.send(issues::Get::new("octo", "hello", 7)).await {
            titles.push(issue.title);
        }
    }
    assert_eq!(titles, ["whole", "whole"]);
    assert_eq!(conditions(&transport), [None, None, None, Some("\"1\"".into())]);
}

/// Defect 8: `GET /repos/o/r/../../user` is `GET /user`.
#[tokio::test(start_paused = true)]
async fn a_repository_name_with_a_path_in_it_addresses_nothing_else() {
    for name in ["r/../../user", "..", "r%2F..%2F..%2Fuser", "r\\..", "r?x", ""] {
        let transport = Scripted::new([Answer::json(200, "{}")]);
        let error = client(&transport).send(repos::Get::new("octo", name)).await.unwrap_err();
        assert_eq!((error.kind(), transport.requests().len()), (ErrorKind::Invalid, 0), "{name}");
        assert!(error.to_string().contains("`repo`"), "{error}");
    }
}

/// Defect 9: a space in a repository's name is an error that reads "Uri".
#[tokio::test(start_paused = true)]
async fn a_repository_name_with_a_space_is_an_error_that_says_so() {
    let transport = Scripted::new([]);
    let error = client(&transport).send(repos::Get::new("octo", "hello world")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("`repo` has a space"), "{error}");
}

/// Defect 15: no `Accept`, `Content-Length: 0`, and the library's name as everybody's user agent.
#[tokio::test(start_paused = true)]
async fn a_plain_get_says_what_it_wants_and_who_asks_and_has_no_length() {
    let transport = Scripted::new([Answer::json(200, issue("T")), Answer::json(200, issue("T"))]);
    client(&transport).send(issues::Get::new("octo", "hello", 7)).await.unwrap();
    let named = GitHub::builder().config(Config::default().with_user_agent("weather-bot/1.2"));
    let named = named.transport(transport.clone()).build().unwrap();
    named.send(issues::Get::new("octo", "hello", 7)).await.unwrap();
    for (seen, agent) in transport.requests().iter().zip(["connect-github/", "weather-bot/1.2"]) {
        assert_eq!(seen.headers["accept"], "application/vnd.github+json");
        assert_eq!(seen.headers["x-github-api-version"], "2022-11-28");
        assert!(seen.headers["user-agent"].to_str().unwrap().starts_with(agent));
        assert!(!seen.headers.contains_key("content-length") && seen.body.is_empty());
    }
}

/// Defect 15, as a server sees it.
#[tokio::test]
async fn a_plain_get_has_no_length_on_the_wire() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("{}")).mount(&server).await;
    let github = GitHub::builder().base_url(&server.uri()).build().unwrap();
    let _ = github.send(issues::Get::new("octo", "hello", 7)).await;
    let [request] = &server.received_requests().await.unwrap()[..] else { panic!("one request") };
    assert_eq!(request.headers["accept"], "application/vnd.github+json");
    assert!(
        !request.headers.contains_key("content-length") && !request.headers.contains_key("transfer-encoding")
    );
    assert!(request.headers["user-agent"].to_str().unwrap().starts_with("connect-github/"));
}

/// Defect 17: features that no build may have at once, so that two crates of one program can break each other.
#[cfg(all(feature = "app", feature = "rustls", feature = "rustls-aws-lc", feature = "native-tls"))]
#[tokio::test]
async fn all_backends_of_tls_and_of_signatures_at_once_build_and_work() {
    use connect_github::app::App;
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"id": 1}"#))
        .mount(&server)
        .await;
    // Real connections, with every TLS library compiled in; and a key that signs.
    let app = App::builder(1)
        .private_key(include_str!("keys/rsa-2048.test-only.pem"))
        .base_url(&server.uri())
        .build()
        .unwrap();
    let app = app.client();
    app.send(connect_core::Raw::<_, serde_json::Value>::get("/app").unwrap()).await.unwrap();
    let [request] = &server.received_requests().await.unwrap()[..] else { panic!("one request") };
    let credential = request.headers["authorization"].to_str().unwrap();
    assert_eq!(credential.split('.').count(), 3, "a JWT");
}
