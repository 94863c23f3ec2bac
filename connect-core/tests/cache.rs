//! Kept answers: asked for again by ETag, never across accounts, never half.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_core::cache::{CacheEntry, CacheKey, CacheLayer, CacheStore, MemoryCache};
use connect_core::classify::ClassifyLayer;
use connect_core::deadline::DeadlineLayer;
use connect_core::retry::RetryLayer;
use connect_core::simulation::{Answer, Scripted};
use connect_core::transport::TransportService;
use connect_core::{
    Api, BoxError, Bytes, Context, Error, ErrorKind, HeaderName, Method, Operation, Request, Response,
    RetryPolicy, Safety, Source, Stack, StatusCode,
};
use tower::{ServiceBuilder, ServiceExt};
use weather::Weather;

fn stack(transport: &Scripted, cache: CacheLayer) -> Stack {
    Stack::new(
        ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(60)))
            .layer(cache)
            .layer(RetryLayer::new(RetryPolicy::default().with_attempts(2), 7))
            .layer(ClassifyLayer::new(Weather::classify))
            .service(TransportService::new(Arc::new(transport.clone()))),
    )
}

fn in_memory(transport: &Scripted) -> Stack {
    stack(transport, CacheLayer::new("account", MemoryCache::default()))
}

fn ask(path: &str, headers: &[(&'static str, &str)], context: &Context) -> Request {
    let operation = Operation::new("today", Method::GET, "/", Safety::Safe);
    let builder = headers.iter().fold(Request::builder(&operation), |builder, (name, value)| {
        builder.header(HeaderName::from_static(name), value)
    });
    let url = format!("https://api.weather.example/{path}").parse().unwrap();
    let mut request = builder.build().unwrap().at(url).unwrap();
    *request.context_mut() = context.clone();
    request
}

async fn get(stack: &Stack, path: &str) -> Result<Response, Error> {
    stack.clone().oneshot(ask(path, &[], &Context::default())).await
}

async fn get_or_stale(stack: &Stack, path: &str) -> Result<Response, Error> {
    stack.clone().oneshot(ask(path, &[], &Context::default().with_stale())).await
}

fn tagged(body: &'static str, tag: &str) -> Answer {
    Answer::json(200, body).header("etag", tag)
}

/// The condition that each request carried.
fn conditions(transport: &Scripted) -> Vec<Option<String>> {
    let condition = |request: &connect_core::simulation::Seen| {
        Some(request.headers.get("if-none-match")?.to_str().unwrap().to_owned())
    };
    transport.requests().iter().map(condition).collect()
}

#[tokio::test(start_paused = true)]
async fn a_304_gives_the_kept_body_with_the_newer_headers() {
    let transport = Scripted::new([
        tagged("sun", "W/\"1\"")
            .header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("x-left", "9"),
        Answer::status(304).header("x-left", "8").header("content-type", "text/html"),
        Answer::status(304).header("etag", "\"2\""),
        Answer::status(304),
    ]);
    let stack = in_memory(&transport);
    assert_eq!(get(&stack, "a").await.unwrap().source(), Source::Provider);
    let again = get(&stack, "a").await.unwrap();
    assert_eq!((again.status(), again.source()), (StatusCode::OK, Source::Revalidated));
    assert_eq!((again.body().as_ref(), again.header("x-left")), (b"sun".as_ref(), Some("8")));
    assert_eq!(again.header("content-type"), Some("application/json"));
    get(&stack, "a").await.unwrap();
    assert_eq!(get(&stack, "a").await.unwrap().body().as_ref(), b"sun");
    let tags = ["W/\"1\"", "W/\"1\"", "\"2\""].map(|tag| Some(tag.to_owned()));
    assert_eq!(conditions(&transport)[1..], tags);
    let since = &transport.requests()[1].headers["if-modified-since"];
    assert_eq!(since, "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[tokio::test(start_paused = true)]
async fn another_account_neither_gets_nor_sends_the_first_ones_etag() {
    let memory = MemoryCache::default();
    let transport = Scripted::new([tagged("of a", "\"a\""), tagged("of b", "\"b\""), Answer::status(304)]);
    let [a, b] = ["a", "b"].map(|account| stack(&transport, CacheLayer::new(account, memory.clone())));
    get(&a, "x").await.unwrap();
    assert_eq!(get(&b, "x").await.unwrap().body().as_ref(), b"of b");
    assert_eq!(get(&a, "x").await.unwrap().body().as_ref(), b"of a");
    assert_eq!(conditions(&transport), [None, None, Some("\"a\"".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn cut_answers_and_those_the_provider_wants_forgotten_are_not_kept() {
    let cases = [
        tagged("half", "\"1\"").header("content-length", "400"),
        tagged("{}", "\"1\"").header("cache-control", "no-store"),
        tagged("{}", "\"1\"").header("vary", "*"),
        Answer::json(200, "no validator"),
        Answer::json(206, "a part").header("etag", "\"1\""),
        Answer::json(404, "nothing").header("etag", "\"1\""),
        Answer::dropped_connection(),
    ];
    for answer in cases {
        let transport = Scripted::new([answer.clone(), tagged("whole", "\"2\""), Answer::status(304)]);
        let stack = in_memory(&transport);
        let _ = get(&stack, "x").await;
        while conditions(&transport).len() < 3 {
            assert_eq!(get(&stack, "x").await.unwrap().body().as_ref(), b"whole", "{answer:?}");
        }
        assert_eq!(conditions(&transport), [None, None, Some("\"2\"".to_owned())], "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_big_is_not_kept() {
    let transport = Scripted::new([tagged("sun", "\"1\""), tagged("sun", "\"1\"")]);
    let layer = CacheLayer::new("account", MemoryCache::default()).with_max_entry_bytes(100);
    let stack = stack(&transport, layer);
    get(&stack, "x").await.unwrap();
    get(&stack, "x").await.unwrap();
    assert_eq!(conditions(&transport), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn varied_headers_must_be_the_same() {
    let varied = |body, tag| tagged(body, tag).header("vary", "accept-language");
    let transport =
        Scripted::new([varied("Sonne", "\"de\""), varied("soleil", "\"fr\""), Answer::status(304)]);
    let stack = in_memory(&transport);
    for language in ["de", "fr", "fr"] {
        let request = ask("x", &[("accept-language", language)], &Context::default());
        stack.clone().oneshot(request).await.unwrap();
    }
    assert_eq!(conditions(&transport), [None, None, Some("\"fr\"".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_with_a_condition_of_its_own_sees_the_304() {
    let transport = Scripted::new([tagged("sun", "\"1\""), Answer::status(304)]);
    let stack = in_memory(&transport);
    get(&stack, "x").await.unwrap();
    let own = ask("x", &[("if-none-match", "\"own\"")], &Context::default());
    let answer = stack.oneshot(own).await.unwrap();
    assert_eq!((answer.status(), answer.source()), (StatusCode::NOT_MODIFIED, Source::Provider));
    assert_eq!(conditions(&transport)[1].as_deref(), Some("\"own\""));
}

#[tokio::test(start_paused = true)]
async fn a_304_that_nobody_asked_for_is_passed_on_and_not_kept() {
    let transport = Scripted::new([Answer::status(304).header("etag", "\"1\""), tagged("sun", "\"1\"")]);
    let stack = in_memory(&transport);
    assert_eq!(get(&stack, "x").await.unwrap().status(), StatusCode::NOT_MODIFIED);
    assert_eq!(get(&stack, "x").await.unwrap().body().as_ref(), b"sun");
    assert_eq!(conditions(&transport), [None, None]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_evicted_while_the_provider_is_asked_still_answers() {
    let memory = MemoryCache::default();
    let late = Answer::status(304).after(Duration::from_secs(1));
    let transport = Scripted::new([tagged("sun", "\"1\""), late]);
    let stack = stack(&transport, CacheLayer::new("account", memory.clone()));
    get(&stack, "x").await.unwrap();
    let evict = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        memory.clear();
    };
    let (answer, ()) = tokio::join!(get(&stack, "x"), evict);
    assert_eq!(answer.unwrap().body().as_ref(), b"sun");
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_answer_goes_first() {
    for memory in [MemoryCache::default().with_max_entries(2), MemoryCache::default().with_max_bytes(21_000)]
    {
        let big = || Answer::json(200, vec![b' '; 10_000]).header("etag", "\"1\"");
        let transport = Scripted::new([big(), big(), Answer::status(304), big()]);
        let stack = stack(&transport, CacheLayer::new("account", memory.clone()));
        for path in ["a", "b", "a", "c"] {
            get(&stack, path).await.unwrap();
        }
        assert_eq!(memory.len(), 2);
        for path in ["a", "b"] {
            let _ = get(&stack, path).await;
        }
        let kept: Vec<bool> = conditions(&transport)[4..].iter().map(Option::is_some).collect();
        assert_eq!((kept[0], *kept.last().unwrap()), (true, false), "`a` was used again, `b` was not");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_bigger_than_the_whole_cache_pushes_nothing_out() {
    let memory = MemoryCache::default().with_max_bytes(5_000);
    let big = Answer::json(200, vec![b' '; 10_000]).header("etag", "\"1\"");
    let transport = Scripted::new([tagged("sun", "\"1\""), big, Answer::status(304)]);
    let stack = stack(&transport, CacheLayer::new("account", memory.clone()));
    for path in ["small", "big", "small"] {
        get(&stack, path).await.unwrap();
    }
    assert_eq!((memory.len(), conditions(&transport)[2].is_some()), (1, true));
}

#[tokio::test(start_paused = true)]
async fn an_outage_gives_the_stale_answer_where_the_call_takes_it() {
    let outages = [
        Answer::status(503),
        Answer::status(429).header("retry-after", "3600"),
        Answer::refused_connection(),
        Answer::dropped_connection(),
        Answer::silence(),
    ];
    for outage in outages {
        let transport = Scripted::new([
            tagged("sun", "\"1\""),
            outage.clone(),
            outage.clone(),
            outage.clone(),
            outage.clone(),
        ]);
        let stack = in_memory(&transport);
        get(&stack, "x").await.unwrap();
        let stale = get_or_stale(&stack, "x").await.unwrap();
        assert_eq!((stale.source(), stale.body().as_ref()), (Source::Stale, b"sun".as_ref()), "{outage:?}");
        let fresh_only = get(&stack, "x").await;
        let source = fresh_only.map(|response| response.source());
        assert!(source.is_err() || source.is_ok_and(|source| source == Source::Provider), "{outage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_without_a_kept_answer_stays_an_error() {
    let transport = Scripted::new([Answer::refused_connection(), Answer::refused_connection()]);
    let error = get_or_stale(&in_memory(&transport), "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_outage_and_ends_what_was_kept() {
    let transport = Scripted::new([
        tagged("sun", "\"1\""),
        Answer::status(404),
        Answer::status(503),
        Answer::status(503),
    ]);
    let stack = in_memory(&transport);
    get(&stack, "x").await.unwrap();
    assert_eq!(get_or_stale(&stack, "x").await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(get_or_stale(&stack, "x").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// A store of a host's: in bytes, and broken or slow on demand.
#[derive(Default)]
struct Table {
    rows: Mutex<HashMap<CacheKey, Bytes>>,
    is_broken: bool,
    delay: Duration,
}

impl Table {
    async fn open(&self) -> Result<std::sync::MutexGuard<'_, HashMap<CacheKey, Bytes>>, BoxError> {
        tokio::time::sleep(self.delay).await;
        if self.is_broken { Err("the disk is full".into()) } else { Ok(self.rows.lock().unwrap()) }
    }
}

#[async_trait::async_trait]
impl CacheStore for Table {
    async fn get(&self, key: &CacheKey) -> Result<Option<Arc<CacheEntry>>, BoxError> {
        Ok(self.open().await?.get(key).and_then(CacheEntry::from_bytes).map(Arc::new))
    }

    async fn put(&self, key: &CacheKey, entry: Arc<CacheEntry>) -> Result<(), BoxError> {
        self.open().await?.insert(*key, entry.to_bytes());
        Ok(())
    }

    async fn remove(&self, key: &CacheKey) -> Result<(), BoxError> {
        self.open().await?.remove(key);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_the_hosts_keeps_answers_too() {
    let table = Arc::new(Table::default());
    let transport = Scripted::new([tagged("sun", "\"1\""), Answer::status(304), Answer::status(404)]);
    let stack = stack(&transport, CacheLayer::with_store("account", table.clone()));
    get(&stack, "x").await.unwrap();
    let again = get(&stack, "x").await.unwrap();
    assert_eq!((again.source(), again.body().as_ref()), (Source::Revalidated, b"sun".as_ref()));
    get(&stack, "x").await.unwrap();
    assert!(table.rows.lock().unwrap().is_empty(), "gone with the thing itself");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_costs_no_call() {
    let stores = [
        Table { is_broken: true, ..Table::default() },
        Table { delay: Duration::from_secs(3_600), ..Table::default() },
    ];
    for table in stores {
        let transport = Scripted::new([tagged("sun", "\"1\""), tagged("rain", "\"2\"")]);
        let stack = stack(&transport, CacheLayer::with_store("account", Arc::new(table)));
        let begun = tokio::time::Instant::now();
        assert_eq!(get(&stack, "x").await.unwrap().body().as_ref(), b"sun");
        assert_eq!(get(&stack, "x").await.unwrap().body().as_ref(), b"rain");
        assert!(begun.elapsed() <= Duration::from_secs(4), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn debug_shows_no_account_url_or_body() {
    let memory = MemoryCache::default();
    let transport = Scripted::new([tagged("canary", "\"canary\"")]);
    let layer = CacheLayer::new("canary-account", memory.clone());
    get(&stack(&transport, layer.clone()), "canary-path").await.unwrap();
    assert_eq!(memory.len(), 1);
    assert!(!format!("{layer:?} {memory:?}").contains("canary"));
}
