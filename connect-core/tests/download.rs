//! Answers that are read as they come, and requests whose body is given beside the endpoint.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_core::simulation::{Answer, Scripted};
use connect_core::upload::Content;
use connect_core::{
    Body, ByteStream, Bytes, Client, Config, Context, Error, ErrorKind, HeaderMap, HeaderValue, Multipart,
    Part, Request, Response, RetryAdvice, RetryPolicy, Sent, StatusCode, Transport, TransportFuture, Upload,
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use weather::{Ask, Weather, client};

/// Answers with a body that comes in pieces.
struct Pieces(u16, fn() -> ByteStream);

impl Transport for Pieces {
    fn send(&self, _request: Request) -> TransportFuture {
        let response =
            Response::streamed(StatusCode::from_u16(self.0).unwrap(), HeaderMap::new(), (self.1)());
        Box::pin(std::future::ready(Ok(response)))
    }
}

fn pieces(status: u16, make: fn() -> ByteStream, config: Config) -> Client<Weather> {
    Client::<Weather>::builder().config(config.with_seed(7)).transport(Pieces(status, make)).build().unwrap()
}

fn abc() -> ByteStream {
    Box::pin(stream::iter(["a", "b", "c"].map(|text| Ok(Bytes::from(text)))))
}

/// A piece per 10 s, for ever.
fn drip() -> ByteStream {
    Box::pin(stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(Bytes::from_static(b"a"))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_download_is_read_in_pieces_and_says_how_far_it_is() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&said);
    let download = pieces(200, abc, Config::default()).download(Ask::read()).await.unwrap();
    assert_eq!((download.status().as_u16(), download.length()), (200, None));
    let download = download.on_progress(move |done, total| hears.lock().unwrap().push((done, total)));
    let texts: Vec<_> = download.map(Result::unwrap).collect().await;
    assert_eq!(texts, ["a", "b", "c"]);
    assert_eq!(*said.lock().unwrap(), [(1, None), (2, None), (3, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_small_answer_downloads_as_well_whatever_it_holds() {
    let transport = Scripted::new([Answer::status(502), Answer::json(200, "not json")]);
    let download = client(&transport).download(Ask::read()).await.unwrap();
    assert_eq!(download.collect().await.unwrap(), "not json");
    assert_eq!(transport.requests().len(), 2, "up to the head it is a call like any other");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_with_the_providers_words() {
    let make = || -> ByteStream { Box::pin(stream::iter(["no ", "such day"].map(|t| Ok(Bytes::from(t))))) };
    let error = pieces(404, make, Config::default()).download(Ask::read()).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "no such day"));
}

#[tokio::test(start_paused = true)]
async fn a_download_ends_at_its_own_limit_and_at_the_clients() {
    async fn fail(config: Config, limit: u64) -> Error {
        let download = pieces(200, abc, config).download(Ask::read()).await.unwrap().limit_bytes(limit);
        download.collect().await.unwrap_err()
    }
    let own = fail(Config::default(), 2).await;
    let clients = fail(Config::default().with_download_limit_bytes(2), 9).await;
    for error in [own, clients] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(
            error.to_string().starts_with("weather today: the answer is bigger than the limit of 2 bytes")
        );
    }
    let unlimited = Config::default().with_body_limit_bytes(1);
    let download = pieces(200, abc, unlimited).download(Ask::read()).await.unwrap();
    assert_eq!(
        download.collect().await.unwrap(),
        "abc",
        "the limit of collected answers is not a download's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_download_that_breaks_off_is_an_error_and_not_a_short_file() {
    let make = || -> ByteStream { Box::pin(abc().chain(stream::iter([Err("reset".into())]))) };
    let mut download = pieces(200, make, Config::default()).download(Ask::read()).await.unwrap();
    for _ in 0..3 {
        download.next().await.unwrap().unwrap();
    }
    let error = download.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Transport, RetryAdvice::Later));
    assert!(download.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_long_download_outlives_the_clients_deadline_but_not_its_own() {
    let client = pieces(200, drip, Config::default());
    let download = client.download(Ask::read()).await.unwrap();
    assert_eq!(download.take(100).filter(|piece| std::future::ready(piece.is_ok())).count().await, 100);

    let begun = Instant::now();
    let call = client.download(Ask::read()).deadline(Duration::from_secs(35));
    let error = call.await.unwrap().collect().await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (ErrorKind::Timeout, Duration::from_secs(35)));

    let begun = Instant::now();
    let mut context = Context::for_tenant("acme");
    context.limit_deadline(begun + Duration::from_secs(25));
    let error = client.download(Ask::read()).context(&context).await.unwrap().collect().await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (ErrorKind::Timeout, Duration::from_secs(25)));
}

impl Upload for Ask {}

#[tokio::test(start_paused = true)]
async fn an_upload_keeps_everything_of_its_endpoint_but_the_body() {
    let transport =
        Scripted::new([Answer::json(200, "{}"), Answer::json(200, "{}"), Answer::json(200, "{}")]);
    let client = client(&transport);
    client.upload(Ask::write(), Body::from("a,b")).await.unwrap();
    let table = Content::new(HeaderValue::from_static("text/csv"), Body::from("a,b"));
    client.upload(Ask::write(), table).await.unwrap();
    client.upload(Ask::write(), Multipart::new(1).part(Part::new("file", "a,b"))).await.unwrap();
    let requests = transport.requests();
    let types: Vec<_> =
        requests.iter().map(|request| request.headers["content-type"].to_str().unwrap()).collect();
    assert_eq!(types[..2], ["application/octet-stream", "text/csv"]);
    assert!(types[2].starts_with("multipart/form-data; boundary="));
    for request in &requests {
        assert_eq!((request.operation.as_str(), request.method.as_str()), ("report", "POST"));
        assert!(request.url.ends_with("/reports") && request.credential().is_some());
    }
    assert_eq!(requests[0].body, "a,b");
}

#[tokio::test(start_paused = true)]
async fn a_mistake_in_a_form_is_the_error_of_the_call() {
    let transport = Scripted::default();
    let form = Multipart::new(1).part(Part::new("file", "x").content_type("a\nb"));
    let error = client(&transport).upload(Ask::write(), form).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Invalid, Some("report")));
    assert!(transport.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_made_while_it_is_sent_may_take_as_long_as_its_deadline() {
    async fn took(body: Body) -> (Duration, Error) {
        let transport = Scripted::new([Answer::silence()]);
        let begun = Instant::now();
        let call = client(&transport).upload(Ask::write(), body).deadline(Duration::from_secs(300));
        let error = call.retry(RetryPolicy::never()).await.unwrap_err();
        (begun.elapsed(), error)
    }
    let (time, error) = took(Body::factory(None, abc)).await;
    assert_eq!(
        (time, error.kind(), error.sent()),
        (Duration::from_secs(300), ErrorKind::Timeout, Sent::Maybe)
    );
    assert_eq!(took(Body::from("abc")).await.0, Duration::from_secs(30));
}
