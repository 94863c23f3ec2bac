//! Lists to their end, and never beyond.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::time::Duration;

use connect_core::simulation::{Answer, Scripted};
use connect_core::{
    Cursor, Decoding, Endpoint, Error, ErrorKind, Method, Operation, Paged, Paging, Priority, Request,
    Response, Safety, Transport, TransportFuture,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use weather::{List, TOKEN, builder, client};

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

fn urls(transport: &Scripted) -> Vec<String> {
    transport.requests().into_iter().map(|request| request.url).collect()
}

#[tokio::test(start_paused = true)]
async fn offsets_count_what_was_received_and_not_what_was_asked_for() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"values": [1, "odd", 3], "total": 4}"#),
        Answer::json(200, r#"{"values": [4], "total": 4}"#),
    ]);
    let items: Vec<_> = client(&transport).stream(List::by_offset()).page_size(50).collect().await;
    assert_eq!(items.iter().filter_map(|item| item.as_ref().ok()).copied().collect::<Vec<u32>>(), [1, 3, 4]);
    assert_eq!(
        urls(&transport),
        [
            "https://api.weather.example/storms?limit=50",
            "https://api.weather.example/storms?limit=50&startAt=3"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn offsets_without_a_total_end_on_an_empty_page() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"values": [1, 2]}"#),
        Answer::json(200, r#"{"values": [3]}"#),
        Answer::json(200, r#"{"values": []}"#),
    ]);
    let items: Vec<u32> = client(&transport).stream(List::by_offset()).try_collect().await.unwrap();
    assert_eq!((items, transport.unused()), (vec![1, 2, 3], 0));
}

#[tokio::test(start_paused = true)]
async fn next_urls_may_be_relative_and_never_foreign() {
    let transport = Scripted::new([
        Answer::json(200, r#"{"values": [1], "next": "/fronts?page=2"}"#),
        Answer::json(200, r#"{"values": [2], "next": "?page=3"}"#),
        Answer::json(200, r#"{"values": [3], "next": "https://evil.example/fronts?page=4"}"#),
    ]);
    let items: Vec<_> = client(&transport).stream(List::by_next_url()).collect().await;
    assert_eq!(urls(&transport)[2], "https://api.weather.example/fronts?page=3");
    assert_eq!((transport.requests().len(), items.len()), (3, 4));
    assert_eq!(items[3].as_ref().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn a_stored_cursor_goes_on_where_the_list_stopped() {
    let lists = [
        (List::by_link(), "/stations?page=2", "stations?page=2"),
        (List::by_cursor(), "dXNlcg==", "readings?limit=2&cursor=dXNlcg%3D%3D"),
        (List::by_offset(), "7", "storms?limit=2&startAt=7"),
        (List::by_next_url(), "?page=2", "fronts?page=2"),
    ];
    for (list, cursor, url) in lists {
        let page = r#"{"values": [9], "readings": [9], "total": 8}"#;
        let body = if list.0.name == "stations" { "[9]" } else { page };
        let transport = Scripted::new([Answer::json(200, body)]);
        let cursor: Cursor = serde_json::from_value(cursor.into()).unwrap();
        let mut items = client(&transport).stream(list).resume_from(cursor.clone());
        assert_eq!(items.next().await.unwrap().unwrap(), 9);
        assert_eq!(items.cursor(), Some(&cursor));
        assert!(items.next().await.is_none());
        assert_eq!(urls(&transport), [format!("https://api.weather.example/{url}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stored_cursor_to_a_foreign_origin_gets_no_request() {
    let transport = Scripted::new([Answer::json(200, "[1]")]);
    let cursor: Cursor = serde_json::from_str(r#""https://evil.example/stations?page=2""#).unwrap();
    let items: Vec<_> = client(&transport).stream(List::by_link()).resume_from(cursor).collect().await;
    assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::Config);
    assert_eq!((items.len(), transport.requests().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_list_that_comes_back_to_its_beginning_ends() {
    let page = || linked("[1]", "/stations?page=2");
    let transport = Scripted::new([page(), page(), page()]);
    let cursor: Cursor = serde_json::from_str(r#""/stations?page=2""#).unwrap();
    let items: Vec<_> = client(&transport).stream(List::by_link()).resume_from(cursor).collect().await;
    assert_eq!((items.len(), transport.requests().len()), (2, 1));
    assert!(items[1].as_ref().unwrap_err().to_string().contains("twice"));
}

#[tokio::test(start_paused = true)]
async fn a_strict_list_fails_the_page_with_the_odd_item() {
    let transport =
        Scripted::new([linked("[1]", "/stations?page=2"), linked(r#"[2, "canary"]"#, "/stations?page=3")]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).strict().collect().await;
    assert_eq!((items.len(), transport.requests().len()), (2, 2));
    let error = items[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Decode, Some("stations")));
    assert!(!format!("{error:#} {error:?}").contains("canary"));
}

const ITEMS: usize = 10;

/// Ten pages of ten items, each of which takes a second.
fn slow_pages() -> Scripted {
    let page = |next| linked("[1,1,1,1,1,1,1,1,1,1]", &format!("/stations?page={next}"));
    Scripted::new((2..12).map(|next| page(next).after(Duration::from_secs(1))))
}

#[tokio::test(start_paused = true)]
async fn as_many_pages_are_fetched_ahead_as_asked_for_and_no_more() {
    for ahead in [0, 1, 3] {
        let transport = slow_pages();
        let mut items = client(&transport).stream(List::by_link()).prefetch(ahead);
        for _ in 0..ITEMS {
            items.next().await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(transport.requests().len(), 1 + ahead, "all items are of the first page");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_fetched_ahead_costs_no_wait() {
    let transport = slow_pages();
    let begun = tokio::time::Instant::now();
    let mut pages = client(&transport).pages(List::by_link()).prefetch(1);
    pages.next().await.unwrap().unwrap();
    assert_eq!(transport.requests().len(), 2, "the second page is under way");
    assert!(pages.next().now_or_never().is_none(), "it takes its second");
    pages.next().await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn fetching_ahead_does_not_look_beyond_the_cap_on_pages() {
    let transport = slow_pages();
    let pages: Vec<_> = client(&transport).pages(List::by_link()).prefetch(5).limit(2).collect().await;
    assert_eq!((pages.len(), transport.requests().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_error_fetched_ahead_comes_after_the_pages_before_it() {
    let transport =
        Scripted::new([linked("[1]", "/stations?page=2"), Answer::status(404), Answer::json(200, "[3]")]);
    let items: Vec<_> = client(&transport).stream(List::by_link()).prefetch(4).collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_ref().ok(), Some(&1));
    assert_eq!(items[1].as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

/// Notes the priority of each request.
#[derive(Clone)]
struct Priorities(Scripted, std::sync::Arc<std::sync::Mutex<Vec<Priority>>>);

impl Transport for Priorities {
    fn send(&self, request: Request) -> TransportFuture {
        self.1.lock().unwrap().push(request.context().priority());
        let answer: TransportFuture = self.0.send(request);
        Box::pin(async move { answer.await.map(|response: Response| response) })
    }
}

#[tokio::test(start_paused = true)]
async fn only_pages_that_nobody_waits_for_are_background_work() {
    let run = async |ahead| {
        let transport = Priorities(slow_pages(), std::sync::Arc::default());
        let client = builder(&transport.0).transport(transport.clone()).build().unwrap();
        let pages: Vec<_> = client.pages(List::by_link()).prefetch(ahead).limit(3).collect().await;
        assert_eq!(pages.len(), 3);
        transport.1.lock().unwrap().clone()
    };
    assert_eq!(run(0).await, [Priority::Normal; 3]);
    assert_eq!(run(1).await, [Priority::Normal, Priority::Background, Priority::Background]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_fetches_nothing_more() {
    let transport = slow_pages();
    let mut pages = client(&transport).pages(List::by_link()).prefetch(2);
    pages.next().await.unwrap().unwrap();
    drop(pages);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(transport.requests().len(), 2);
}

/// A GraphQL query whose connection is paged.
struct Query(Operation);

impl Query {
    fn new() -> Self {
        Self(
            Operation::new("graphql", Method::POST, "/graphql", Safety::Safe)
                .paged(Paging::Connection { at: "/storms", variable: "after" }),
        )
    }
}

impl Endpoint for Query {
    type Api = weather::Weather;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        &self.0
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&self.0).json(&serde_json::json!({"query": "q", "variables": {"n": 2}})).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        cx.json(&response)
    }
}

impl Paged for Query {
    type Item = u32;

    fn beside(&self, page: &Response) -> Vec<Error> {
        let sent = page.sent().unwrap();
        assert_eq!((sent.operation().name.as_ref(), page.is_authenticated()), ("graphql", true));
        let answer: serde_json::Value = serde_json::from_slice(page.body()).unwrap();
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| Error::new(ErrorKind::Forbidden, error.to_string())).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_graphql_connection_is_paged_by_a_variable_of_its_query() {
    let transport = Scripted::new([
        Answer::json(
            200,
            r#"{"data": {"storms": {"nodes": [1, null], "pageInfo": {"hasNextPage": true, "endCursor": "c1"}}},
                "errors": ["hidden"]}"#,
        ),
        Answer::json(
            200,
            r#"{"data": {"storms": {"nodes": [2], "pageInfo": {"hasNextPage": false, "endCursor": "c2"}}}}"#,
        ),
    ]);
    let items: Vec<_> = client(&transport).stream(Query::new()).collect().await;
    let kinds: Vec<_> = items.iter().map(|item| item.as_ref().map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(&1), Err(ErrorKind::Forbidden), Ok(&2)]);
    let bodies: Vec<serde_json::Value> =
        transport.requests().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    assert_eq!(bodies[0]["variables"], serde_json::json!({"n": 2}));
    assert_eq!(bodies[1]["variables"], serde_json::json!({"n": 2, "after": "c1"}));
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_beside_a_page_says_why_there_is_no_list() {
    let transport = Scripted::new([Answer::json(200, r#"{"data": {"storms": null}, "errors": ["hidden"]}"#)]);
    let items: Vec<_> = client(&transport).stream(Query::new()).collect().await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].as_ref().unwrap_err().kind(), ErrorKind::Forbidden);
}
