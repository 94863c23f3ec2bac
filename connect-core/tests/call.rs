//! What a call can be asked for: other headers, another representation, only what has changed; and what an answer says
//! about the end of its operation.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::{Arc, Mutex};

use connect_core::event::Event;
use connect_core::observe::{Observer, Scope};
use connect_core::simulation::{Answer, Scripted};
use connect_core::{ErrorKind, HeaderName, HeaderValue, Sent, http_header};
use weather::{Ask, builder, client};

const UNITS: HeaderName = HeaderName::from_static("x-units");

#[tokio::test(start_paused = true)]
async fn a_call_sends_headers_of_its_own_beside_and_over_the_clients() {
    let transport = Scripted::new([Answer::json(200, "{}"), Answer::json(200, "{}")]);
    let client = builder(&transport).header(UNITS, HeaderValue::from_static("metric")).build().unwrap();
    client.send(Ask::read()).header(UNITS, "imperial").accept("text/plain").await.unwrap();
    client.send(Ask::read()).await.unwrap();
    let seen = transport.requests();
    let sent = |number: usize, name: &str| {
        seen[number]
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("|")
    };
    assert_eq!((sent(0, "x-units"), sent(0, "accept")), ("imperial".into(), "text/plain".into()));
    assert_eq!((sent(1, "x-units"), sent(1, "accept")), ("metric".into(), "application/json".into()));
}

#[tokio::test(start_paused = true)]
async fn what_says_who_sends_it_is_no_callers_business_and_nothing_is_sent() {
    let transport = Scripted::new([]);
    let client = client(&transport);
    for name in
        [http_header::AUTHORIZATION, http_header::COOKIE, http_header::HOST, http_header::CONTENT_LENGTH]
    {
        let error = client.send(Ask::read()).header(name.clone(), "canary").await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Invalid, Sent::No));
        assert!(error.to_string().contains(name.as_str()), "{error}");
        assert!(!format!("{error:#} {error:?}").contains("canary"));
    }
    let error = client.send(Ask::read()).header(UNITS, "a\nb").await.unwrap_err();
    assert!(error.to_string().contains("x-units"), "{error}");
    assert!(transport.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_text_or_bytes_where_that_is_asked() {
    let transport = Scripted::new([
        Answer::json(200, "rain\n"),
        Answer::json(200, &b"\xff\x00"[..]),
        Answer::json(200, &b"\xff"[..]),
    ]);
    let client = client(&transport);
    assert_eq!(client.send(Ask::read()).text().await.unwrap(), "rain\n");
    assert_eq!(client.send(Ask::read()).bytes().await.unwrap(), &b"\xff\x00"[..]);
    let error = client.send(Ask::read()).text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_the_answer_where_nothing_has_changed() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"sun": true}"#).header("etag", "\"a1\""),
        Answer::status(304),
        Answer::json(200, r#"{"sun": false}"#).header("etag", "\"a2\""),
    ]);
    let client = client(&transport);
    let first = client.send(Ask::read()).response().await.unwrap();
    let tag = first.headers["etag"].clone();
    assert_eq!(client.send(Ask::read()).if_changed(tag.clone()).await.unwrap(), None);
    let third = client.send(Ask::read()).if_changed(tag).response().await.unwrap();
    assert_eq!(
        (third.value.unwrap()["sun"].as_bool(), third.headers["etag"].clone()),
        (Some(false), HeaderValue::from_static("\"a2\""))
    );
    assert_eq!(transport.requests()[1].headers["if-none-match"], "\"a1\"");
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Observer for Heard {
    fn on_event(&self, _scope: &Scope, event: &Event) {
        if matches!(event, Event::Deprecated { .. }) {
            self.0.lock().unwrap().push(event.clone());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_operation_is_told_on_success_and_on_failure() {
    let ends = |answer: Answer| {
        answer
            .header("deprecation", "@784111777")
            .header("sunset", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("link", r#"<https://docs.example/old>; rel="deprecation""#)
    };
    let transport =
        Scripted::new([ends(Answer::json(200, "{}")), ends(Answer::status(404)), Answer::json(200, "{}")]);
    let heard = Heard::default();
    let client = builder(&transport).observer(heard.clone()).build().unwrap();
    let reply = client.send(Ask::read()).response().await.unwrap();
    let deprecation = reply.deprecation().unwrap();
    assert_eq!(
        (deprecation.page.as_deref(), deprecation.since),
        (Some("https://docs.example/old"), deprecation.sunset)
    );
    client.send(Ask::read()).await.unwrap_err();
    assert_eq!(heard.0.lock().unwrap().len(), 2);
    let silent = client.send(Ask::read()).response().await.unwrap();
    assert_eq!((silent.deprecation(), heard.0.lock().unwrap().len()), (None, 2));
}
