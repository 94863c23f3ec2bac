//! Bodies that are made while they are sent: what is sent again, what is sent once, and what the error says.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::simulation::{Answer, Scripted};
use connect_core::{
    Body, ByteStream, Bytes, ErrorKind, HeaderValue, Method, Multipart, Operation, Part, Request,
    RetryAdvice, Safety, Sent,
};
use weather::{Once, client};

fn ok() -> Answer {
    Answer::json(200, "{}")
}

fn stream() -> ByteStream {
    Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"ab")), Ok(Bytes::from_static(b"c"))]))
}

/// A replacement, which may be sent again if only its body can be.
fn put(body: Body) -> Once {
    let operation = Operation::new("replace", Method::PUT, "/reports/1", Safety::Idempotent);
    Once::new(
        Request::builder(&operation).body(HeaderValue::from_static("text/plain"), body).build().unwrap(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_one_shot_body_answered_500_is_sent_once_and_the_error_says_why() {
    let transport = Scripted::new([Answer::status(500), ok()]);
    let error = client(&transport).send(put(Body::stream(Some(3), stream()))).await.unwrap_err();
    assert_eq!((transport.requests().len(), error.attempts()), (1, 1));
    assert_eq!(transport.requests()[0].body, "abc");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, RetryAdvice::Later));
    assert!(error.to_string().contains("its body can be sent only once"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_factorys_body_is_sent_whole_again() {
    let transport = Scripted::new([Answer::status(500), Answer::dropped_connection(), ok()]);
    client(&transport).send(put(Body::factory(Some(3), stream))).await.unwrap();
    let bodies: Vec<_> = transport.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, ["abc"; 3]);
}

#[tokio::test]
async fn a_file_is_sent_whole_again() {
    let path = std::env::temp_dir().join(format!("connect-core-{}", std::process::id()));
    std::fs::write(&path, "abc").unwrap();
    let transport = Scripted::new([Answer::status(429).header("retry-after", "0"), ok()]);
    tokio::time::pause();
    client(&transport).send(put(Body::file(&path))).await.unwrap();
    let bodies: Vec<_> = transport.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, ["abc"; 2]);
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn a_file_that_is_not_there_sends_nothing_and_is_not_tried_again() {
    let transport = Scripted::new([ok()]);
    let error = client(&transport).send(put(Body::file("/nowhere/canary"))).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Invalid, Sent::No, 1));
    assert!(transport.requests().is_empty() && !format!("{error:#}").contains("canary"), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn a_form_is_sent_again_if_its_parts_can_be() {
    let operation = Operation::new("attach", Method::PUT, "/files/1", Safety::Idempotent);
    let form = || Multipart::new(7).text("note", "x").part(Part::new("file", Body::factory(Some(3), stream)));
    let request = Request::builder(&operation).multipart(form()).build().unwrap();
    let transport = Scripted::new([Answer::status(502), ok()]);
    client(&transport).send(Once::new(request)).await.unwrap();
    let requests = transport.requests();
    assert_eq!(requests[0].body, requests[1].body);
    let text = String::from_utf8_lossy(&requests[1].body);
    assert!(text.contains("name=\"file\"\r\n\r\nabc\r\n--connect-"), "{text}");
    assert!(requests[1].headers["content-type"].to_str().unwrap().contains("boundary=connect-"));
}

#[test]
fn calls_stay_sendable_between_threads() {
    fn sendable<T: Send>(_: T) {}
    let transport = Scripted::default();
    sendable(std::future::IntoFuture::into_future(
        client(&transport).send(put(Body::stream(None, stream()))),
    ));
}
