//! What goes wrong on request, seen through real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use std::io::ErrorKind;
use std::time::Duration;

use connect_testkit::{FakeGitHub, FakeSlack, Reply, post, send};
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn create_issue(github: &FakeGitHub) -> std::io::Result<Reply> {
    let bearer = format!("Bearer {}", github.token());
    let headers = [("user-agent", "tests"), ("authorization", bearer.as_str())];
    post(&format!("{}/repos/octo/hello/issues", github.url()), &headers, r#"{"title":"x"}"#).await
}

async fn user(github: &FakeGitHub) -> Reply {
    let bearer = format!("Bearer {}", github.token());
    let headers = [("user-agent", "tests"), ("authorization", bearer.as_str())];
    send(Method::GET, &format!("{}/user", github.url()), &headers, "").await.unwrap()
}

async fn post_message(slack: &FakeSlack) -> std::io::Result<Reply> {
    let bearer = format!("Bearer {}", slack.token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    post(&format!("{}chat.postMessage", slack.url()), &headers, "channel=C0PULLS&text=x").await
}

async fn github() -> FakeGitHub {
    let github = FakeGitHub::builder().start_time(1_700_000_000).start().await.unwrap();
    github.add_repository("octo", "hello");
    github
}

#[tokio::test]
async fn a_status_happens_as_often_as_planned_and_has_no_effect() {
    let github = github().await;
    github.faults().on("issues/create").status(500).times(2);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(create_issue(&github).await.unwrap().status.as_u16());
    }
    assert_eq!(statuses, [500, 500, 201]);
    assert_eq!(github.issues("octo", "hello").len(), 1);
    assert_eq!(github.count("issues/create"), 3);
    assert_eq!(github.requests()[0].status, Some(http::StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(github.faults().remaining(), 0);
}

#[tokio::test]
async fn a_status_after_the_effect_leaves_the_effect() {
    let github = github().await;
    github.faults().on("issues/create").status(502).after_effect();
    let reply = create_issue(&github).await.unwrap();
    assert_eq!(reply.status, 502);
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(github.issues("octo", "hello").len(), 1);
}

#[tokio::test]
async fn a_dropped_request_is_recorded_and_carried_out() {
    let github = github().await;
    github.faults().on("issues/create").drop_after_send();
    let error = create_issue(&github).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error:?}");
    assert_eq!(github.issues("octo", "hello").len(), 1);
    let request = &github.requests()[0];
    assert_eq!(request.status, None);
    assert!(request.authorized);
    assert_eq!(request.json()["title"], "x");
}

#[tokio::test]
async fn a_request_dropped_before_its_effect_is_recorded_only() {
    let github = github().await;
    github.faults().on("issues/create").drop_before_effect();
    assert!(create_issue(&github).await.is_err());
    assert_eq!(github.count("issues/create"), 1);
    assert!(github.issues("octo", "hello").is_empty());
}

#[tokio::test]
async fn a_truncated_body_announces_more_than_it_sends() {
    let github = github().await;
    github.faults().on("users/get-authenticated").truncate_body();
    let mut stream = TcpStream::connect(github.url().trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "GET /user HTTP/1.1\r\nhost: x\r\nuser-agent: t\r\nauthorization: token {}\r\n\r\n",
        github.token()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // The server closes, so this ends without a time-out.
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let announced: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert_eq!(body.len(), announced / 2);

    github.faults().on("issues/create").truncate_body();
    assert_eq!(create_issue(&github).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(github.issues("octo", "hello").len(), 1);
}

#[tokio::test]
async fn too_many_requests_names_the_wait_in_seconds() {
    let github = github().await;
    github.faults().on("*").too_many_requests(Duration::from_millis(1500));
    let reply = create_issue(&github).await.unwrap();
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("2"));

    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C0PULLS", "pulls");
    slack.faults().on("chat.postMessage").too_many_requests(Duration::from_secs(30));
    let reply = post_message(&slack).await.unwrap();
    assert_eq!(reply.status, 429);
    assert_eq!(reply.header("retry-after"), Some("30"));
    assert_eq!(reply.text(), r#"{"error":"ratelimited","ok":false}"#);
    assert!(slack.messages("C0PULLS").is_empty());
    assert_eq!(post_message(&slack).await.unwrap().json()["ok"], true);
}

#[tokio::test]
async fn the_secondary_limit_is_a_403_that_says_so() {
    let github = github().await;
    github.faults().on("issues/create").secondary_limit(Duration::from_secs(60));
    let reply = create_issue(&github).await.unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("retry-after"), Some("60"));
    assert_ne!(reply.header("x-ratelimit-remaining"), Some("0"));
    assert!(reply.json()["message"].as_str().unwrap().contains("secondary rate limit"));
}

#[tokio::test]
async fn the_primary_limit_lasts_until_its_reset() {
    let github = github().await;
    github.faults().on("users/get-authenticated").primary_limit(Duration::from_secs(90));
    for _ in 0..2 {
        let reply = user(&github).await;
        assert_eq!(reply.status, 403);
        assert_eq!(reply.header("x-ratelimit-remaining"), Some("0"));
        assert_eq!(reply.header("x-ratelimit-reset"), Some("1700000090"));
    }
    github.advance_clock(Duration::from_secs(90));
    assert_eq!(user(&github).await.status, 200);
}

#[tokio::test]
async fn slacks_own_errors_arrive_as_200() {
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C0PULLS", "pulls");
    slack.faults().on("chat.postMessage").slack_error("internal_error").after_effect();
    let reply = post_message(&slack).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["error"], "internal_error");
    assert_eq!(slack.messages("C0PULLS").len(), 1);
}

#[tokio::test]
async fn a_connection_is_kept_alive_and_a_drop_closes_it() {
    let github = github().await;
    github.faults().on("users/get-authenticated").pass().times(2).then().drop_after_send();
    let mut stream = TcpStream::connect(github.url().trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "GET /user HTTP/1.1\r\nhost: x\r\nuser-agent: t\r\nauthorization: token {}\r\n\r\n",
        github.token()
    );
    let mut received = Vec::new();
    for answers in 1..=2 {
        stream.write_all(request.as_bytes()).await.unwrap();
        // Each answer ends with the brace of its JSON.
        while String::from_utf8_lossy(&received).matches("HTTP/1.1 200").count() < answers
            || !received.ends_with(b"}")
        {
            assert_ne!(stream.read_buf(&mut received).await.unwrap(), 0, "closed too early");
        }
    }
    let length = received.len();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), length, "no byte of a third answer");
    assert_eq!(github.count("users/get-authenticated"), 3);
}

#[tokio::test]
async fn a_malformed_request_is_400_and_the_fake_lives_on() {
    let github = github().await;
    let mut stream = TcpStream::connect(github.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"NONSENSE\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(user(&github).await.status, 200);
}

#[tokio::test]
async fn a_stopped_fake_frees_its_port() {
    let github = github().await;
    let address = github.url().trim_start_matches("http://").to_owned();
    let mut open = TcpStream::connect(&address).await.unwrap();
    github.stop().await;
    assert_eq!(TcpStream::connect(&address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // Connections that were open end as well, with an end or a reset.
    assert!(matches!(open.read(&mut [0; 1]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_dropped_fake_frees_its_port() {
    let github = github().await;
    let address = github.url().trim_start_matches("http://").to_owned();
    drop(github);
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn waiting_for_a_call_needs_no_sleep() {
    let slack = FakeSlack::start().await.unwrap();
    slack.add_channel("C0PULLS", "pulls");
    let (_, first, second) =
        tokio::join!(slack.wait_for("chat.postMessage", 2), post_message(&slack), post_message(&slack));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(slack.messages("C0PULLS").len(), 2);
}

#[tokio::test]
async fn the_small_client_refuses_what_it_cannot_do() {
    for url in ["https://127.0.0.1:1/", "127.0.0.1:1", "not a url", "/path"] {
        let error = post(url, &[("a", "b")], "").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
    }
    let error = post("http://127.0.0.1:1/", &[("bad name", "b")], "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
