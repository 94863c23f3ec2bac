//! Rare conditions, each of which once went wrong: hurried callers, probes nobody polls, absurd figures, slow stores.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use connect_core::event::Event;
use connect_core::observe::{Observer, Scope};
use connect_core::quota::*;
use connect_core::simulation::{Answer, Scripted};
use connect_core::*;
use std::pin::Pin;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};
use std::task::{Context as Cx, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weather::{Ask, builder};

const S: Duration = Duration::from_secs(1);

struct Polls(Arc<AtomicU32>, Pin<Box<dyn Future<Output = ()> + Send>>);

impl Future for Polls {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        self.1.as_mut().poll(cx)
    }
}

struct SlowStore(Arc<AtomicU32>, AtomicU32);

#[async_trait::async_trait]
impl QuotaStore for SlowStore {
    async fn take(&self, _: &str, _: &Draws) -> Result<Taken, Error> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            return Ok(Taken::Wait { bucket: None, wait: S });
        }
        Polls(Arc::clone(&self.0), Box::pin(sleep(Duration::from_millis(20)))).await;
        Ok(Taken::Granted(1))
    }
    async fn give_back(&self, _: &str, _: u64, _: connect_core::Sent, _: &Observations) -> Result<(), Error> {
        Ok(())
    }
}

// 1: not paused: real time

#[tokio::test]
async fn a_store_that_takes_its_time_after_a_wait_is_not_polled_in_a_loop() {
    let polls = Arc::new(AtomicU32::new(0));
    let store = Arc::new(SlowStore(Arc::clone(&polls), AtomicU32::new(0)));
    let pilot = QuotaPilot::shared(HeaderModel::default(), QuotaConfig::default(), store, "a");
    let t = Scripted::new([Answer::json(200, "{}")]);
    let client = builder(&t).quota(pilot).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    assert!(polls.load(Ordering::Relaxed) < 5, "{}", polls.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn with_a_store_a_provider_without_figures_is_not_served_one_by_one() {
    let store = Arc::new(MemoryQuotaStore::default());
    let t = Scripted::new((0..60).map(|_| Answer::json(200, "{}").after(S)));
    let pilot = QuotaPilot::shared(HeaderModel::default(), QuotaConfig::default(), store, "a");
    let client = builder(&t).quota(pilot).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    let begun = Instant::now();
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let c = client.clone();
        set.spawn(async move { c.send(Ask::read()).await });
    }
    while let Some(r) = set.join_next().await {
        r.unwrap().unwrap();
    }
    assert!(begun.elapsed() < 3 * S, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_absurd_reset_does_not_close_the_account_for_a_year() {
    let odd = Answer::json(200, "{}")
        .header("date", "Sun, 09 Sep 2001 01:46:40 GMT")
        .header("x-ratelimit-limit", "100")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "1000000060000"); // milliseconds: in a minute
    let t = Scripted::new([odd, Answer::json(200, "{}")]);
    let client = builder(&t).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    sleep(24 * 3600 * S).await;
    let r = client.send(Ask::read()).await;
    r.unwrap();
}

fn figures(remaining: &str, reset: &str) -> Answer {
    Answer::json(200, "{}")
        .header("x-ratelimit-limit", "100")
        .header("x-ratelimit-remaining", remaining)
        .header("x-ratelimit-reset", reset)
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_across_a_reset_stalls_nobody() {
    let t = Scripted::new([
        figures("99", "5"),
        figures("98", "5").after(28 * S),
        figures("99", "5"),
        figures("98", "5"),
    ]);
    let client = builder(&t).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    let c = client.clone();
    let slow = tokio::spawn(async move { c.send(Ask::read()).await });
    sleep(6 * S).await; // the window is over
    let begun = Instant::now();
    client.send(Ask::read()).await.unwrap();
    let waited = begun.elapsed();
    slow.await.unwrap().unwrap();
    assert!(waited < 3 * S, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_polls_stalls_nobody() {
    let t = Scripted::new([figures("99", "5").after(S), figures("98", "5")]);
    let client = builder(&t).build().unwrap();
    let mut first = Box::pin(client.send(Ask::read()).into_future());
    // Held, as a stream that fetches ahead holds its pages.
    assert!(std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await.is_pending());
    let r = client.send(Ask::read()).await;
    assert!(r.is_ok());
}

struct Log(Arc<Mutex<Vec<Event>>>);

impl Observer for Log {
    fn on_event(&self, _: &Scope, e: &Event) {
        self.0.lock().unwrap().push(e.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn an_undecodable_answer_is_told_as_a_failure() {
    let log = Arc::new(Mutex::new(vec![]));
    let t = Scripted::new([Answer::json(200, "{"), Answer::json(200, "{")]);
    let client = builder(&t).observer(Log(Arc::clone(&log))).build().unwrap();
    let (result, report) = client.send(Ask::read()).explain().await;
    assert!(result.is_err() && !report.to_string().ends_with("ok"), "{report}");
    let ended = log.lock().unwrap().iter().find_map(|e| match e {
        Event::Ended { failure, .. } => Some(*failure),
        _ => None,
    });
    assert!(ended.unwrap().is_some());
}

// a host layer that gives up on an attempt, but holds it

#[derive(Clone)]
struct Hedge;

#[derive(Clone)]
struct Hedged<T>(T);

impl<T> tower::Layer<T> for Hedge {
    type Service = Hedged<T>;
    fn layer(&self, t: T) -> Hedged<T> {
        Hedged(t)
    }
}

impl<T> tower::Service<Request> for Hedged<T>
where
    T: tower::Service<Request, Response = Response, Error = Error>,
    T::Future: Send + 'static,
{
    type Response = Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;
    fn poll_ready(&mut self, cx: &mut Cx<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }
    fn call(&mut self, r: Request) -> Self::Future {
        let inner = self.0.call(r);
        Box::pin(async move {
            sleep(3600 * S).await; // looks something up first: a slow sidecar
            inner.await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_whatever_a_host_layer_does() {
    let t = Scripted::new([Answer::json(200, "{}")]);
    let client = builder(&t).attempt_layer(Hedge).build().unwrap();
    let begun = Instant::now();
    client.send(Ask::read()).deadline(5 * S).await.unwrap_err();
    assert!(begun.elapsed() < 6 * S, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn callers_with_short_deadlines_do_not_open_the_breaker() {
    let t = Scripted::new((0..9).map(|_| Answer::json(200, "{}").after(S)));
    let client = builder(&t).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    for _ in 0..5 {
        client.send(Ask::read()).deadline(Duration::from_millis(5)).await.unwrap_err();
    }
    client.send(Ask::read()).await.unwrap();
}

// published limit, behind a pause for a bucket that was not drawn on yet

struct PauseFirst;

impl QuotaModel for PauseFirst {
    fn draws(&self, _o: &Operation, r: &Request) -> Draws {
        if r.method() == Method::GET {
            Draws::none()
        } else {
            Draws::none().and(Bucket::new("posts"), 1, Rule::Published { limit: 1, window: 60 * S })
        }
    }
    fn observe(&self, s: &Head, _: &Response, out: &mut Observations) {
        if s.operation().method == Method::GET {
            out.pause(Bucket::new("posts"), S);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_paused_before_its_first_draw_keeps_its_published_limit() {
    let t = Scripted::new((0..9).map(|_| Answer::json(200, "{}")));
    let client = builder(&t).quota(QuotaPilot::new(PauseFirst, QuotaConfig::default())).build().unwrap();
    client.send(Ask::read()).await.unwrap();
    let begun = Instant::now();
    for _ in 0..3 {
        let _ = client.send(Ask::write()).await;
    }
    assert!(begun.elapsed() >= 59 * S, "{:?}", begun.elapsed());
}

// cause of a wait for a paused account

#[tokio::test(start_paused = true)]
async fn a_pause_is_explained_as_one() {
    let t = Scripted::new((0..9).map(|_| Answer::json(200, "{}")));
    let client = builder(&t).build().unwrap();
    client.quota().pause(30 * S);
    let (_, report) = client.send(Ask::read()).explain().await;
    assert!(!report.to_string().contains("another request of the account"));
}

// with a paused account: somebody with a short deadline behind somebody with a long one

#[tokio::test(start_paused = true)]
async fn whoever_cannot_wait_learns_at_once_also_behind_others() {
    let t = Scripted::new((0..9).map(|_| Answer::json(200, "{}")));
    let client = builder(&t).build().unwrap();
    client.quota().pause(30 * S);
    let c = client.clone();
    let patient = tokio::spawn(async move { c.send(Ask::read()).await });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    let error = client.send(Ask::read()).deadline(10 * S).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    patient.await.unwrap().unwrap();
}

// how often lines move

#[tokio::test(start_paused = true)]
async fn a_crowd_costs_few_wake_ups_each() {
    struct Counting<F>(Arc<AtomicU32>, Pin<Box<F>>);
    impl<F: Future> Future for Counting<F> {
        type Output = F::Output;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<F::Output> {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1.as_mut().poll(cx)
        }
    }
    struct M;
    impl QuotaModel for M {
        fn draws(&self, _o: &Operation, _r: &Request) -> Draws {
            Draws::none().and(Bucket::new("b"), 1, Rule::Published { limit: 100, window: 10 * S })
        }
        fn observe(&self, _: &Head, _: &Response, _: &mut Observations) {}
    }
    const N: usize = 5_000;
    let t = Scripted::new((0..N).map(|_| Answer::json(200, "{}").after(S / 10)));
    let config = Config::default()
        .with_deadline(100_000 * S)
        .with_quota(QuotaConfig::default().with_longest_wait(100_000 * S));
    let client = builder(&t)
        .config(config)
        .quota(QuotaPilot::new(M, QuotaConfig::default().with_longest_wait(100_000 * S)))
        .build()
        .unwrap();
    let polls = Arc::new(AtomicU32::new(0));
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..N {
        let c = client.clone();
        let p = Arc::clone(&polls);
        set.spawn(Counting(p, Box::pin(async move { c.send(Ask::read()).await })));
    }
    while let Some(r) = set.join_next().await {
        r.unwrap().unwrap();
    }
    assert!(polls.load(Ordering::Relaxed) < 6 * N as u32);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_body_is_nothing_for_a_type_that_can_be_nothing() {
    let transport = Scripted::new([Answer::status(204), Answer::status(204), Answer::status(204)]);
    let client = weather::client(&transport);
    assert_eq!(client.send(Ask::read()).decode_as::<Option<u32>>().await.unwrap(), None);
    client.send(Ask::read()).decode_as::<()>().await.unwrap();
    let error = client.send(Ask::read()).decode_as::<u32>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("decode_as::<Option<T>>()"), "{error}");
}
