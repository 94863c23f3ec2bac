//! Endpoints that somebody else has made, changed until they are sent.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::simulation::{Answer, Scripted};
use connect_core::{Method, Operation, Safety};
use futures_util::{StreamExt, TryStreamExt};
use weather::{Ask, List, client};

fn urls(transport: &Scripted) -> Vec<String> {
    transport.requests().into_iter().map(|request| request.url).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_sends_the_endpoint_as_it_was_changed_and_keeps_its_options() {
    let transport = Scripted::new([Answer::status(500), Answer::json(200, "{}")]);
    let call = client(&transport).send(Ask::read()).retry(connect_core::RetryPolicy::never());
    let tomorrow = Operation::new("tomorrow", Method::GET, "/tomorrow", Safety::Safe);
    call.with(|_| Ask(tomorrow)).await.unwrap_err();
    assert_eq!(urls(&transport), ["https://api.weather.example/tomorrow"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_again_with_the_endpoint_as_it_was_changed() {
    let next = "<https://api.weather.example/stations?limit=2&page=2>; rel=\"next\"";
    let transport = Scripted::new([
        Answer::json(200, "[1,2]").header("link", next),
        Answer::json(200, r#"{"values": [7], "next": null}"#),
    ]);
    let mut items = client(&transport).stream(List::by_link());
    assert_eq!(items.next().await.unwrap().unwrap(), 1);
    let items: Vec<u32> = items.with(|_| List::by_next_url()).try_collect().await.unwrap();
    assert_eq!(items, [7], "nothing of the first list is left");
    assert_eq!(urls(&transport)[1], "https://api.weather.example/fronts?limit=2");
}
