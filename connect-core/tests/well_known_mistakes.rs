//! What popular clients get wrong about the stack, and this one must not. Each was seen in a running program.
//!
//! Others of the kind stand with their subject: writes sent twice and hints ignored in `retry.rs`, tokens fetched many
//! times over in `auth.rs`, caches that mix accounts or keep what was cut in `cache.rs`, bodies emptied on a replay in
//! `bodies.rs`, waits that hold back only one of many in `quota.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::simulation::{Answer, Scripted};
use connect_core::{Client, Config, Credentials, ErrorKind, Origins};
use futures_util::TryStreamExt;
use weather::{Ask, List, TOKEN, Weather, client};

#[test]
fn a_client_is_built_outside_of_any_runtime() {
    Client::<Weather>::builder().credentials(Credentials::bearer(TOKEN)).build().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_429_with_retry_after_60_is_sent_once_and_says_when_to_come_back() {
    let transport = Scripted::new([Answer::status(429).header("retry-after", "60")]);
    let error = client(&transport).send(Ask::read()).await.unwrap_err();
    assert_eq!(transport.requests().len(), 1);
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.to_string().contains("try again in 60 s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_next_page_of_an_installation_of_ones_own_carries_the_credential() {
    let next = "<https://git.example.com/api/v3/stations?page=2>; rel=\"next\"";
    let transport = Scripted::new([Answer::json(200, "[1]").header("link", next), Answer::json(200, "[2]")]);
    let client = Client::<Weather>::builder()
        .origins(Origins::new("https://git.example.com/api/v3").unwrap())
        .credentials(Credentials::bearer(TOKEN))
        .config(Config::default().with_seed(7))
        .transport(transport.clone())
        .build()
        .unwrap();
    let items: Vec<u32> = client.stream(List::by_link()).try_collect().await.unwrap();
    assert_eq!(items, [1, 2]);
    let second = &transport.requests()[1];
    assert_eq!(second.credential(), Some(format!("Bearer {TOKEN}").as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_plain_get_says_what_it_wants_and_who_it_is_and_has_no_length() {
    let transport = Scripted::new([Answer::json(200, "{}")]);
    client(&transport).send(Ask::read()).await.unwrap();
    let request = &transport.requests()[0];
    assert_eq!(request.headers["accept"], "application/json");
    assert!(request.headers["user-agent"].to_str().unwrap().starts_with("connect-core/"));
    assert!(!request.headers.contains_key("content-length") && request.body.is_empty());
}
