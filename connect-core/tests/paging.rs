//! Lists to their end, and never beyond.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::ErrorKind;
use connect_core::simulation::{Answer, Scripted};
use futures_util::{StreamExt, TryStreamExt};
use weather::{List, TOKEN, client};

fn linked(body: &'static str, next: &str) -> Answer {
    Answer::json(200, body).header("link", &format!("<{next}>; rel=\"next\""))
}

#[tokio::test(start_paused = true)]
async fn link_headers_are_followed_in_order() {
    let transport = Scripted::new([
        linked("[1,2]", "https://api.weather.example/stations?limit=2&page=2"),
        linked("[]", "/stations?limit=2&page=3"),
        Answer::json(200, "[3]"),
    ]);
    let items: Vec<u32> = client(&transport).stream(List::by_link()).try_collect().await.unwrap();
    assert_eq!(items, [1, 2, 3]);
    let urls: Vec<String> = transport.requests().into_iter().map(|request| request.url).collect();
    assert_eq!(
        urls,
        [
            "https://api.weather.example/stations?limit=2",
            "https://api.weather.example/stations?limit=2&page=2",
            "https://api.weather.example/stations?limit=2&page=3",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn cursors_go_into_the_next_request() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"readings": [1], "meta": {"next": "dXNlcg=="}}"#),
        Answer::json(200, r#"{"readings": [2], "meta": {"next": ""}}"#),
    ]);
    let items: Vec<u32> = client(&transport).stream(List::by_cursor()).try_collect().await.unwrap();
    assert_eq!(items, [1, 2]);
    assert_eq!(
        transport.requests()[1].url,
        "https://api.weather.example/readings?limit=2&cursor=dXNlcg%3D%3D"
    );
}

#[tokio::test(start_paused = true)]
async fn one_odd_item_does_not_lose_its_page() {
    let transport = Scripted::new([Answer::json(200, r#"[1, "two", 3]"#)]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).collect().await;
    let kinds: Vec<_> = items.iter().map(|item| item.as_ref().map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(&1), Err(ErrorKind::Decode), Ok(&3)]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_cursor_is_an_error_and_not_a_loop() {
    let page = || Answer::json(200, r#"{"readings": [1], "meta": {"next": "same"}}"#);
    let transport = Scripted::new([page(), page(), page(), page()]);
    let items: Vec<_> = client(&transport).stream(List::by_cursor()).collect().await;
    assert_eq!((transport.requests().len(), items.len()), (2, 3));
    assert!(items.last().unwrap().as_ref().unwrap_err().to_string().contains("twice"));
}

#[tokio::test(start_paused = true)]
async fn a_link_to_a_foreign_origin_gets_no_request_and_no_credential() {
    let transport =
        Scripted::new([linked("[1]", "https://api.weather.example.evil.example/stations?page=2")]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).collect().await;
    assert_eq!(transport.requests().len(), 1);
    assert_eq!((items.len(), items[0].as_ref().ok()), (2, Some(&1)), "the page itself is not lost");
    let error = items.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:#} {error:?}").contains(TOKEN));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_missing_is_an_error_and_its_text_stays_private() {
    for body in [r#"{"other": []}"#, r#"{"readings": "canary"}"#, r#"{"readings": {"canary": 1}}"#] {
        let transport = Scripted::new([Answer::json(200, body)]);
        let items: Vec<_> = client(&transport).stream(List::by_cursor()).collect().await;
        let error = items[0].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cap_on_pages_does_not_look_beyond() {
    let transport = Scripted::new([linked("[1]", "https://evil.example/2")]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).limit_pages(1).collect().await;
    assert_eq!(items.len(), 1);
    assert!(items[0].is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_failed_page_is_an_error_and_not_the_end() {
    let transport = Scripted::new([linked("[1]", "/stations?page=2"), Answer::status(404)]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_pages_can_be_capped() {
    let transport = Scripted::new([linked("[1]", "/stations?page=2"), linked("[2]", "/stations?page=3")]);
    let pages: Vec<_> = client(&transport).pages(List::by_link()).limit(2).collect().await;
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[1].as_ref().unwrap().next().unwrap().as_str(), "/stations?page=3");
}
