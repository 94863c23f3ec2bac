//! What is followed, and what goes along.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::simulation::{Answer, Scripted, Seen};
use connect_core::{
    Body, ErrorKind, HeaderValue, Method, Operation, Raw, Request, RetryAdvice, Safety, Sent, http_header,
};
use weather::{Ask, TOKEN, Weather, builder, client};

const HOME: &str = "https://api.weather.example";
const AWAY: &str = "https://files.example.net/today";

fn ok() -> Answer {
    Answer::json(200, r#"{"sun": true}"#)
}

fn to(status: u16, location: &str) -> Answer {
    Answer::status(status).header("location", location)
}

fn authorized(request: &Seen) -> bool {
    request.credential() == Some(&format!("Bearer {TOKEN}"))
}

#[tokio::test(start_paused = true)]
async fn a_read_follows_and_keeps_its_credential_at_home() {
    let transport = Scripted::new([to(301, "/yesterday"), to(307, "?page=2"), ok()]);
    let reply = client(&transport).send(Ask::read()).response().await.unwrap();
    let requests = transport.requests();
    let urls: Vec<_> = requests.iter().map(|request| request.url.as_str()).collect();
    let expected = ["/today", "/yesterday", "/yesterday?page=2"].map(|path| format!("{HOME}{path}"));
    assert_eq!(urls, expected);
    assert!(requests.iter().all(authorized));
    assert_eq!((reply.attempts, &reply.value["sun"]), (1, &true.into()), "steps are no attempts");
}

#[tokio::test(start_paused = true)]
async fn no_credential_leaves_home_and_none_comes_back() {
    let transport = Scripted::new([to(302, AWAY), to(302, HOME), ok()]);
    let client =
        builder(&transport).header(http_header::COOKIE, HeaderValue::from_static("canary")).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    let requests = transport.requests();
    assert!(authorized(&requests[0]) && requests[0].headers.contains_key("cookie"));
    for request in &requests[1..] {
        assert!(request.credential().is_none() && !request.headers.contains_key("cookie"), "{request:?}");
        assert!(request.headers.contains_key("user-agent"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_moved_is_not_sent_elsewhere() {
    for answer in [to(301, "/new"), to(302, "/new"), to(307, AWAY), to(308, AWAY)] {
        let transport = Scripted::new([answer, ok()]);
        let error = client(&transport).send(Ask::write()).await.unwrap_err();
        assert_eq!(transport.requests().len(), 1);
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Unsupported, Sent::Yes));
        assert!(error.to_string().contains("redirects, which is not followed"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_follows_307_at_home_with_its_whole_body() {
    let transport = Scripted::new([to(307, "/new"), ok()]);
    client(&transport).send(Ask::write()).await.unwrap();
    let requests = transport.requests();
    assert_eq!((&requests[1].method, &requests[1].body), (&Method::POST, &requests[0].body));
    assert!(!requests[1].body.is_empty() && authorized(&requests[1]));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_gone_does_not_follow() {
    let operation = Operation::new("report", Method::POST, "/reports", Safety::Unsafe);
    let stream = futures_util::stream::iter([Ok(connect_core::Bytes::from_static(b"x"))]);
    let request = Request::builder(&operation)
        .body(HeaderValue::from_static("text/plain"), Body::stream(Some(1), Box::pin(stream)))
        .build()
        .unwrap();
    let transport = Scripted::new([to(307, "/new"), ok()]);
    let endpoint = weather::Once::new(request);
    let error = client(&transport).send(endpoint).await.unwrap_err();
    assert_eq!((error.kind(), transport.requests().len()), (ErrorKind::Unsupported, 1));
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_303_is_looked_at_by_get() {
    let transport = Scripted::new([to(303, "/reports/1"), ok()]);
    client(&transport).send(Ask::write()).await.unwrap();
    let requests = transport.requests();
    assert_eq!(requests[1].method, Method::GET);
    assert!(requests[1].body.is_empty() && !requests[1].headers.contains_key("content-type"));
}

#[tokio::test(start_paused = true)]
async fn a_write_answered_303_is_done_whatever_the_look_at_it_says() {
    for look in [
        Answer::status(429),
        Answer::status(401),
        Answer::status(404),
        Answer::status(500),
        Answer::refused_connection(),
        Answer::dropped_connection(),
        to(303, "/reports/1"),
    ] {
        let transport = Scripted::new([to(303, "/reports/1"), look.clone(), ok()]);
        let error = client(&transport).send(Ask::write()).await.unwrap_err();
        assert_eq!((error.sent(), error.retry()), (Sent::Maybe, RetryAdvice::CheckFirst), "{look:?}");
        let writes = transport.requests().iter().filter(|request| request.method == Method::POST).count();
        assert_eq!(writes, 1, "{look:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_strangers_401_and_429_say_nothing_about_this_client() {
    for (status, kind) in [(401, ErrorKind::Auth), (429, ErrorKind::Unavailable)] {
        let transport = Scripted::new([to(302, AWAY), Answer::status(status)]);
        let call = client(&transport).send(Ask::read()).retry(connect_core::RetryPolicy::never());
        let error = call.await.unwrap_err();
        assert_eq!((error.kind(), error.status().unwrap().as_u16()), (kind, status));
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_without_an_end_is_an_error_that_is_not_retried() {
    let circle = [to(302, "/a"), to(302, "/b"), to(302, "/a")];
    let long = (0..12).map(|step| to(302, &format!("/{step}")));
    let down = [to(302, "http://files.example.net/")];
    let cases: [(Vec<Answer>, usize, &str); 3] = [
        (circle.into(), 3, "circle"),
        (long.collect(), 11, "more than ten times"),
        (down.into(), 1, "plain http"),
    ];
    for (answers, sent, words) in cases {
        let transport = Scripted::new(answers);
        let error = client(&transport).send(Ask::read()).await.unwrap_err();
        assert_eq!((error.kind(), transport.requests().len()), (ErrorKind::Unsupported, sent), "{words}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_raw_call_follows_too_and_each_attempt_starts_at_its_beginning() {
    let transport = Scripted::new([to(302, "/a"), Answer::status(500), to(302, "/a"), ok()]);
    let raw = Raw::<Weather, serde_json::Value>::get("/today").unwrap();
    client(&transport).send(raw).await.unwrap();
    let urls: Vec<_> = transport.requests().into_iter().map(|request| request.url).collect();
    assert_eq!(urls, ["/today", "/a", "/today", "/a"].map(|path| format!("{HOME}{path}")));
}
