//! Who the client is: tokens fetched once and dropped by generation, signatures of the final request, nothing for
//! strangers. Paused time: no test waits.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use connect_core::auth::{
    AuthLayer, Authorize, CachedToken, Signing, Token, TokenCache, TokenOptions, TokenRequest, Unsigned,
};
use connect_core::classify::ClassifyLayer;
use connect_core::simulation::{Answer, Scripted, Seen};
use connect_core::transport::TransportService;
use connect_core::{
    Api, Client, Config, Credentials, Error, ErrorKind, HeaderMap, HeaderName, HeaderValue, Method,
    Operation, Origins, Request, Response, RetryPolicy, Safety, Sent, StatusCode, Transport, TransportFuture,
    Url,
};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, advance, sleep};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt};
use weather::{Ask, Weather};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const BASE: &str = "https://api.weather.example";

type Stack = BoxCloneSyncService<Request, Response, Error>;

/// `canary-1`, `canary-2` and so on, each good for an hour and a second under way.
fn tokens() -> (TokenCache, Arc<AtomicU32>) {
    let fetches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&fetches);
    let provider = move |_: TokenRequest| {
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            sleep(SECOND).await;
            Ok(Token::new(format!("canary-{number}")).with_expires_in(HOUR))
        }
    };
    (TokenCache::with_options(provider, TokenOptions::default().with_seed(7)), fetches)
}

fn client(credentials: Credentials, transport: impl Transport) -> Client<Weather> {
    let config = Config::default().with_seed(7);
    Client::<Weather>::builder().credentials(credentials).config(config).transport(transport).build().unwrap()
}

/// The Auth layer alone, so that each request is one attempt.
fn stack(credentials: &Credentials, transport: impl Transport) -> Stack {
    let origins = Arc::new(Origins::new(BASE).unwrap());
    let service = ServiceBuilder::new()
        .layer(AuthLayer::new(credentials, origins).unwrap())
        .layer(ClassifyLayer::new(Weather::classify))
        .service(TransportService::new(Arc::new(transport)));
    BoxCloneSyncService::new(service)
}

fn request(url: &str) -> Request {
    let operation = Operation::new("report", Method::POST, "/reports", Safety::Unsafe);
    let request = Request::builder(&operation).json(&serde_json::json!({"rain": 1})).build().unwrap();
    request.at(Url::parse(url).unwrap()).unwrap()
}

async fn send(stack: &Stack, url: &str) -> StatusCode {
    let mut stack = stack.clone();
    stack.ready().await.unwrap().call(request(url)).await.unwrap().status()
}

fn credentials(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| seen.credential().unwrap_or("-")).collect()
}

fn ok() -> Answer {
    Answer::json(200, "{}")
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_answered_401_is_replaced() {
    let (cache, fetches) = tokens();
    let transport = Scripted::new([Answer::status(401), ok(), ok()]);
    let client = client(Credentials::tokens(cache), transport.clone());
    if client.send(Ask::write()).await.is_err() {
        client.send(Ask::write()).await.unwrap();
    }
    client.send(Ask::read()).await.unwrap();
    let seen = transport.requests();
    assert_eq!(credentials(&seen), ["Bearer canary-1", "Bearer canary-2", "Bearer canary-2"]);
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
}

/// As [`tokens`], from a provider whose servers need some seconds to hear of a new token.
fn settling_tokens() -> (TokenCache, Arc<AtomicU32>) {
    let fetches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&fetches);
    let provider = move |_: TokenRequest| {
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        async move { Ok(Token::new(format!("canary-{number}")).with_expires_in(HOUR)) }
    };
    let options = TokenOptions::default().with_seed(7).with_settling(5 * SECOND);
    (TokenCache::with_options(provider, options), fetches)
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_is_refused_for_its_first_seconds_is_sent_again_and_not_replaced() {
    let (cache, fetches) = settling_tokens();
    let transport = Scripted::new([Answer::status(401), Answer::status(401), ok()]);
    let client = client(Credentials::tokens(cache), transport.clone());
    let begun = Instant::now();
    // A write, and by a host that wants no retries: a 401 has done nothing.
    client.send(Ask::write()).retry(RetryPolicy::never()).await.unwrap();
    assert_eq!(begun.elapsed(), 2 * SECOND);
    let seen = transport.requests();
    assert_eq!(credentials(&seen), ["Bearer canary-1", "Bearer canary-1", "Bearer canary-1"]);
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_never_settles_is_replaced_once_and_then_refused() {
    let (cache, fetches) = settling_tokens();
    let transport = Scripted::new(std::iter::repeat_n(Answer::status(401), 40));
    let client = client(Credentials::tokens(cache), transport.clone());
    let begun = Instant::now();
    let error = client.send(Ask::read()).await.unwrap_err();
    assert_eq!((error.kind(), fetches.load(Ordering::Relaxed)), (ErrorKind::Auth, 2));
    assert_eq!(begun.elapsed(), 10 * SECOND, "five for either");
    assert_eq!(transport.requests().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_token_older_than_its_settling_is_replaced_at_once() {
    let (cache, fetches) = settling_tokens();
    let transport = Scripted::new([ok(), Answer::status(401), ok()]);
    let client = client(Credentials::tokens(cache), transport.clone());
    client.send(Ask::read()).await.unwrap();
    advance(5 * SECOND).await;
    let begun = Instant::now();
    client.send(Ask::read()).await.unwrap();
    assert_eq!((begun.elapsed(), fetches.load(Ordering::Relaxed)), (Duration::ZERO, 2));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_token_to_settle_beyond_the_deadline() {
    let (cache, _) = settling_tokens();
    let transport = Scripted::new([Answer::status(401), Answer::status(401)]);
    let client = client(Credentials::tokens(cache), transport);
    let begun = Instant::now();
    let error = client.send(Ask::read()).deadline(SECOND * 3 / 2).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Auth, Some(StatusCode::UNAUTHORIZED)));
    assert_eq!(begun.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_token_to_settle_is_told() {
    let (cache, _) = settling_tokens();
    let transport = Scripted::new([Answer::status(401), ok()]);
    let client = client(Credentials::tokens(cache), transport);
    let (result, report) = client.send(Ask::read()).explain().await;
    result.unwrap();
    assert!(report.to_string().contains("token"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn many_refusals_of_one_token_cause_one_fetch() {
    let (cache, fetches) = tokens();
    let refusals = (0..20).map(|number| Answer::status(401).after(SECOND * number));
    let transport = Scripted::new(refusals.chain(std::iter::repeat_n(ok(), 20)));
    let stack = stack(&Credentials::tokens(cache), transport.clone());
    // Every other one asks again as soon as it was refused, while the rest is still waiting for its refusal.
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let stack = stack.clone();
            tokio::spawn(async move {
                assert_eq!(send(&stack, BASE).await, StatusCode::UNAUTHORIZED);
                assert_eq!(send(&stack, BASE).await, StatusCode::OK);
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = transport.requests();
    let old = credentials(&seen).iter().filter(|credential| **credential == "Bearer canary-1").count();
    assert_eq!((old, seen.len(), fetches.load(Ordering::Relaxed)), (20, 40, 2));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_with_an_expired_token_cause_one_fetch_though_the_first_is_aborted() {
    let (cache, fetches) = tokens();
    let transport = Scripted::new(std::iter::repeat_n(ok(), 1_000));
    let client = client(Credentials::tokens(cache), transport.clone());
    client.send(Ask::read()).await.unwrap();
    advance(HOUR).await;
    let mut callers: Vec<_> = (0..1_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Ask::read()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    callers.remove(0).abort();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let seen = transport.requests();
    assert!(credentials(&seen[1..]).iter().all(|credential| *credential == "Bearer canary-2"));
    assert_eq!((seen.len(), fetches.load(Ordering::Relaxed)), (1_000, 2));
}

#[tokio::test(start_paused = true)]
async fn clients_share_a_token_and_building_them_fetches_none() {
    let (cache, fetches) = tokens();
    let transport = Scripted::new([ok(), ok()]);
    let one = client(Credentials::tokens(cache.clone()), transport.clone());
    let two = client(Credentials::tokens(cache), transport.clone());
    sleep(SECOND).await;
    assert_eq!(fetches.load(Ordering::Relaxed), 0);
    let (one, two) =
        tokio::join!(async { one.send(Ask::read()).await }, async { two.send(Ask::read()).await });
    one.and(two).unwrap();
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_the_wait_for_a_token_and_not_the_fetch() {
    let (cache, _) = tokens();
    let transport = Scripted::new([ok()]);
    let client = client(Credentials::tokens(cache.clone()), transport.clone());
    let begun = Instant::now();
    let error = client.send(Ask::write()).deadline(SECOND / 2).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), begun.elapsed()), (ErrorKind::Timeout, Sent::No, SECOND / 2));
    assert!(transport.requests().is_empty());
    sleep(SECOND).await;
    assert_eq!(cache.current().as_ref().map(CachedToken::generation), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_recovers_fails_no_call_not_even_a_write() {
    let failures = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&failures);
    let cache = TokenCache::new(move |_: TokenRequest| {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            match first {
                true => Err(Error::new(ErrorKind::Unavailable, "busy").with_sent(Sent::Maybe)),
                false => Ok(Token::new("canary")),
            }
        }
    });
    let transport = Scripted::new([ok()]);
    let client = client(Credentials::tokens(cache), transport.clone());
    let policy = RetryPolicy::default().with_attempts(20).with_base(2 * SECOND);
    client.send(Ask::write()).retry(policy).await.unwrap();
    assert_eq!((failures.load(Ordering::Relaxed), transport.requests().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_gets_no_token_sends_nothing() {
    let provider =
        |_: TokenRequest| async { Err(Error::new(ErrorKind::Auth, "the refresh token was revoked")) };
    let transport = Scripted::new([ok()]);
    let client = client(Credentials::tokens(TokenCache::new(provider)), transport.clone());
    let error = client.send(Ask::read()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Auth, Sent::No, 1));
    assert_eq!(error.to_string(), "weather today: no token could be had: the refresh token was revoked");
    assert!(transport.requests().is_empty());
}

/// Not a real signature: no key. It shows what a signer gets to see.
struct Stamp;

impl Authorize for Stamp {
    fn authorize(&self, request: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let seconds = request.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let hash = request.body_sha256().unwrap();
        let text = format!("{} {} {seconds} {hash}", request.method(), request.url());
        let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        let value = |text: String| HeaderValue::try_from(text).unwrap();
        Ok(vec![
            (HeaderName::from_static("authorization"), value(format!("Stamp canary-{digest}"))),
            (HeaderName::from_static("x-stamp-date"), value(seconds.to_string())),
        ])
    }
}

/// Remembers the headers that only the attempt carries, and answers 200 with a `Date`.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<AttemptHeaders>>>);

type AttemptHeaders = Vec<(String, HeaderValue)>;

impl Transport for Wire {
    fn send(&self, request: Request) -> TransportFuture {
        let headers = request.attempt_headers().map(|(name, value)| (name.to_string(), value.clone()));
        self.0.lock().unwrap().push(headers.collect());
        let date = HeaderValue::from_static("Thu, 01 Jan 1970 01:00:00 GMT");
        let headers = HeaderMap::from_iter([(HeaderName::from_static("date"), date)]);
        Box::pin(async { Ok(Response::new(StatusCode::OK, headers, "{}")) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_sees_the_final_request_and_the_providers_time() {
    let wire = Wire::default();
    let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(60);
    let client = client(Credentials::Signed(Signing::new(Stamp).with_clock(clock)), wire.clone());
    client.send(Ask::write()).await.unwrap();
    client.send(Ask::write()).await.unwrap();
    let body: String = Sha256::digest(br#"{"rain":1}"#).iter().map(|byte| format!("{byte:02x}")).collect();
    let seen = wire.0.lock().unwrap();
    for (headers, seconds) in seen.iter().zip(["60", "3600"]) {
        let text = format!("POST {BASE}/reports {seconds} {body}");
        let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            ("authorization".to_owned(), HeaderValue::try_from(format!("Stamp canary-{digest}")).unwrap()),
            ("x-stamp-date".to_owned(), HeaderValue::from_static(seconds)),
        ];
        assert_eq!(headers[..], expected);
        assert!(headers.iter().all(|(_, value)| value.is_sensitive()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_refuses_sends_nothing() {
    struct Unable;
    impl Authorize for Unable {
        fn authorize(&self, _: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
            Err(Error::new(ErrorKind::Unsupported, "a stream cannot be signed").with_sent(Sent::Maybe))
        }
    }
    let wire = Wire::default();
    let error = client(Credentials::signed(Unable), wire.clone()).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Unsupported, Sent::No));
    assert!(wire.0.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_foreign_origin_gets_nothing_whatever_the_credentials() {
    let (cache, fetches) = tokens();
    let all = [
        Credentials::bearer("canary"),
        Credentials::basic("user", "canary"),
        Credentials::Header(HeaderName::from_static("x-api-key"), "canary".into()),
        Credentials::tokens(cache),
        Credentials::signed(Stamp),
    ];
    let foreign = [
        "https://evil.example/reports",
        "https://api.weather.example.evil.example/reports",
        "https://api.weather.example:8443/reports",
        "http://api.weather.example/reports",
    ];
    for credentials in &all {
        let wire = Wire::default();
        let stack = stack(credentials, wire.clone());
        for url in foreign {
            send(&stack, url).await;
        }
        assert!(wire.0.lock().unwrap().iter().all(Vec::is_empty), "{credentials:?}");
        assert_eq!(fetches.load(Ordering::Relaxed), 0, "and no token is fetched for it");
    }
    for credentials in &all {
        let wire = Wire::default();
        send(&stack(credentials, wire.clone()), BASE).await;
        assert!(!wire.0.lock().unwrap()[0].is_empty(), "{credentials:?} goes to its own origin");
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_401_drops_no_token() {
    let (cache, _) = tokens();
    let transport = Scripted::new([ok(), Answer::status(401)]);
    let stack = stack(&Credentials::tokens(cache.clone()), transport);
    send(&stack, BASE).await;
    assert_eq!(send(&stack, "https://evil.example").await, StatusCode::UNAUTHORIZED);
    assert!(cache.current().is_some());
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn neither_logs_nor_debug_show_a_token_or_a_signature() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let (cache, _) = tokens();
    let origins = Origins::new(BASE).unwrap();
    let transport = Scripted::new([Answer::status(401), Answer::status(401), Answer::status(500), ok()]);
    let with_tokens = client(Credentials::tokens(cache.clone()), transport.clone());
    let signing = Signing::new(Stamp).with_account("canary-account");
    let signed = client(Credentials::Signed(signing.clone()), transport.clone());
    let refused = with_tokens.send(Ask::read()).await.unwrap_err();
    for client in [&with_tokens, &signed, &with_tokens] {
        let _ = client.send(Ask::read()).await;
    }
    let credentials = [Credentials::tokens(cache.clone()), Credentials::Signed(signing.clone())];
    let accounts = credentials.each_ref().map(|credentials| credentials.account(&origins));
    let layers = credentials.each_ref().map(|it| AuthLayer::new(it, Arc::new(origins.clone())).unwrap());
    let fetched = cache.get().await.unwrap();
    drop(guard);

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // What is logged is not asserted: tracing remembers for the whole process who listens, and other tests run beside this.
    let debug = format!(
        "{credentials:?} {accounts:?} {layers:?} {cache:?} {fetched:?} {signing:?} {with_tokens:?} {:?} {:?}",
        cache.get(),
        cache.current(),
    );
    let everything = format!("{logged} {debug} {refused:#} {refused:?} {transport:?}");
    assert!(!everything.contains("canary"), "{everything}");
    assert!(transport.requests()[0].credential().unwrap().contains("canary"), "it was sent, though");
}
