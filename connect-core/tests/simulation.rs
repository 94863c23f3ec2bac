//! The simulated provider keeps to its plan.
#![allow(clippy::unwrap_used, reason = "tests")]

mod storm;

use std::sync::Arc;
use std::time::Duration;

use connect_core::simulation::{
    Counting, Fate, Faults, Hint, Latency, Limit, NaiveClient, Outage, OutageKind, ProviderPlan,
    SimulatedProvider, Stranger,
};
use connect_core::{
    Client, Endpoint, Error, ErrorKind, HeaderName, HeaderValue, Response, Sent, StatusCode, Transport,
};
use futures_util::StreamExt;
use storm::{Sky, Work};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A provider that answers at once.
fn quick(seed: u64) -> ProviderPlan {
    ProviderPlan::new(seed).with_latency(Latency::none()).with_log()
}

async fn ask(provider: &SimulatedProvider, work: Work) -> Result<Response, Error> {
    provider.send(work.request().unwrap()).await
}

async fn read(provider: &SimulatedProvider) -> Response {
    ask(provider, Work::read("a")).await.unwrap()
}

fn number(response: &Response, name: &str) -> u64 {
    response.header(name).unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_refuses_until_its_end_and_says_so_in_headers() {
    let limit = Limit::fixed("core", 2, MINUTE).elapsed(Duration::from_secs(50)).refused_with(403);
    let provider = SimulatedProvider::new(quick(1).with_limit(limit).with_skew_secs(-300));
    let first = read(&provider).await;
    assert_eq!(first.header("date"), Some("Wed, 31 Dec 2025 23:55:00 GMT"), "five minutes behind");
    assert_eq!(number(&first, "x-ratelimit-limit"), 2);
    assert_eq!(number(&first, "x-ratelimit-remaining"), 1);
    assert_eq!(number(&first, "x-ratelimit-used"), 1);
    assert_eq!(number(&first, "x-ratelimit-reset"), 1_767_225_600 - 300 + 10, "by the provider's clock");
    assert_eq!(first.header("x-ratelimit-resource"), Some("core"));
    read(&provider).await;
    let refused = read(&provider).await;
    assert_eq!((refused.status(), refused.header("retry-after")), (StatusCode::FORBIDDEN, None));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(read(&provider).await.status(), StatusCode::OK);
    let report = provider.report();
    assert_eq!((report.requests, report.successes, report.refusals), (4, 3, 1));
    let core = report.limit("core").unwrap();
    assert_eq!(core.shares_used(), [1.0, 0.5]);
    assert_eq!(core.most_refusals_in_a_window(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sliding_window_says_when_there_is_room_again() {
    let limit = Limit::sliding("burst", 2, 10 * SECOND).showing(true);
    let provider = SimulatedProvider::new(quick(1).with_limit(limit));
    assert_eq!(number(&read(&provider).await, "x-ratelimit-remaining"), 1);
    sleep(4 * SECOND).await;
    read(&provider).await;
    let refused = read(&provider).await;
    assert_eq!((refused.status(), refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("6")));
    sleep(6 * SECOND).await;
    assert_eq!(read(&provider).await.status(), StatusCode::OK);
    assert_eq!(read(&provider).await.header("retry-after"), Some("4"));
}

#[tokio::test(start_paused = true)]
async fn a_request_draws_on_all_limits_or_on_none() {
    let plan = quick(1)
        .with_limit(Limit::fixed("points", 100, MINUTE).with_cost("create", 30))
        .with_limit(Limit::sliding("writes", 1, MINUTE).counting(Counting::Writes));
    let provider = SimulatedProvider::new(plan);
    for id in ["a", "b"] {
        ask(&provider, Work::create(id)).await.unwrap();
    }
    read(&provider).await;
    let report = provider.report();
    assert_eq!(report.limit("points").unwrap().windows[0].used, 31);
    assert_eq!(report.limit("writes").unwrap().refusals(), 1);
    assert_eq!((report.applied, report.refusals), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_secondary_limit_counts_what_happens_at_a_time() {
    let latency = Latency::none().with_work(SECOND..SECOND);
    let plan =
        quick(1).with_latency(latency).with_limit(Limit::concurrent("concurrent", 2).refused_with(403));
    let provider = SimulatedProvider::new(plan);
    let answers: JoinSet<_> = (0..5).map(|_| provider.send(Work::read("a").request().unwrap())).collect();
    let statuses: Vec<_> =
        answers.join_all().await.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 3);
    sleep(SECOND).await;
    assert_eq!(read(&provider).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn replies_overtake_each_other_and_headers_lag() {
    let plan = ProviderPlan::new(3)
        .with_log()
        .with_limit(Limit::fixed("core", 1_000, 60 * MINUTE))
        .with_header_lag(SECOND);
    let provider = SimulatedProvider::new(plan);
    let mut answers = JoinSet::new();
    for _ in 0..100 {
        answers.spawn(provider.send(Work::read("a").request().unwrap()));
        sleep(Duration::from_millis(20)).await;
    }
    let mut used = Vec::new();
    while let Some(answer) = answers.join_next().await {
        used.push(number(&answer.unwrap().unwrap(), "x-ratelimit-used"));
    }
    assert!(!used.is_sorted(), "out of order");
    assert!(used[99] < 100, "the headers of the last reply are old: {}", used[99]);
    let exchanges = provider.exchanges();
    assert!(!exchanges.is_sorted_by_key(|exchange| exchange.ends_at));
    assert_eq!(provider.report().limit("core").unwrap().windows[0].used, 100);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_was_counted_and_applied() {
    let plan =
        quick(1).with_limit(Limit::fixed("core", 9, MINUTE)).with_faults(Faults::none().with_lost_reply(1.0));
    let provider = SimulatedProvider::new(plan);
    let error = ask(&provider, Work::create("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe));
    let report = provider.report();
    assert_eq!((report.applied, report.lost_replies), (1, 1));
    assert_eq!(report.limit("core").unwrap().windows[0].used, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_reaches_nobody() {
    let provider = SimulatedProvider::new(quick(1).with_faults(Faults::none().with_refused_connection(1.0)));
    assert_eq!(ask(&provider, Work::create("a")).await.unwrap_err().sent(), Sent::No);
    let report = provider.report();
    assert_eq!((report.requests, report.refused_connections, report.applied), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failing_provider_may_have_acted() {
    for (applies, applied) in [(0.0, 0), (1.0, 10)] {
        let faults = Faults::none().with_server_error(1.0).with_applied_error(applies);
        let provider = SimulatedProvider::new(quick(1).with_faults(faults));
        for number in 0..10 {
            let answer = ask(&provider, Work::create(number.to_string())).await.unwrap();
            assert!(answer.status().is_server_error());
        }
        assert_eq!(provider.report().applied, applied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_body_breaks_off_in_the_middle() {
    let faults = Faults::none().with_truncated_body(1.0);
    let provider = SimulatedProvider::new(quick(1).with_body("0123456789").with_faults(faults));
    let mut answer = read(&provider).await;
    let mut body = answer.take_stream().unwrap();
    assert_eq!(body.next().await.unwrap().unwrap().as_ref(), b"01234");
    assert!(body.next().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_outage_looks_as_planned_and_ends() {
    for kind in [OutageKind::Refused, OutageKind::Broken, OutageKind::Status(503)] {
        let provider = SimulatedProvider::new(quick(1).with_outage(Outage::new(SECOND..3 * SECOND, kind)));
        assert_eq!(read(&provider).await.status(), StatusCode::OK);
        sleep(2 * SECOND).await;
        let during = ask(&provider, Work::create("a")).await;
        match kind {
            OutageKind::Refused => assert_eq!(during.unwrap_err().sent(), Sent::No),
            OutageKind::Broken => assert_eq!(during.unwrap_err().sent(), Sent::Maybe),
            _ => assert_eq!(during.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE),
        }
        sleep(2 * SECOND).await;
        assert_eq!(read(&provider).await.status(), StatusCode::OK);
        assert_eq!(provider.report().applied, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_takes_its_share_at_random_times() {
    let plan = quick(5)
        .with_limit(Limit::fixed("core", 1_000, 60 * MINUTE))
        .with_stranger(Stranger::new("core", 0.5).in_bursts_of(10));
    let provider = SimulatedProvider::new(plan);
    sleep(180 * MINUTE - SECOND).await;
    let report = provider.report();
    let windows = &report.limit("core").unwrap().windows;
    assert_eq!(windows.len(), 3);
    for window in windows {
        assert!((350..650).contains(&window.by_stranger), "{report}");
    }
    assert_ne!(windows[0].by_stranger, windows[1].by_stranger);
    assert_eq!((report.requests, report.refusals), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_arrives_all_the_same() {
    let plan = ProviderPlan::new(1).with_log();
    let provider = SimulatedProvider::new(plan);
    let call = ask(&provider, Work::create("a"));
    assert!(timeout(Duration::from_millis(1), call).await.is_err());
    assert_eq!(provider.report().applied, 0);
    sleep(SECOND).await;
    assert_eq!(provider.report().applied, 1);
    assert_eq!(provider.exchanges()[0].fate, Fate::Answered(StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_is_applied_once_and_a_repeated_write_is_a_double() {
    let provider = SimulatedProvider::new(quick(1));
    for _ in 0..2 {
        let mut keyed = Work::create("keyed").request().unwrap();
        keyed.insert_header(HeaderName::from_static("idempotency-key"), HeaderValue::from_static("k"));
        provider.send(keyed).await.unwrap();
        ask(&provider, Work::create("plain")).await.unwrap();
    }
    let report = provider.report();
    assert_eq!(report.applied, 3);
    assert_eq!(report.doubles.len(), 1);
    assert_eq!((&*report.doubles[0].id, report.doubles[0].times), ("plain", 2));
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_for_ever() {
    let provider = SimulatedProvider::new(quick(1).with_faults(Faults::none().with_silence(1.0)));
    assert!(timeout(60 * MINUTE, ask(&provider, Work::create("a"))).await.is_err());
    assert_eq!((provider.report().applied, provider.exchanges()[0].fate), (1, Fate::Silent));
}

#[tokio::test(start_paused = true)]
async fn healing_ends_every_trouble() {
    let plan = quick(1)
        .with_limit(Limit::fixed("core", 0, MINUTE).with_hint(Hint::Exact))
        .with_faults(Faults::none().with_lost_reply(1.0))
        .with_outage(Outage::new(Duration::ZERO..60 * MINUTE, OutageKind::Status(500)));
    let provider = SimulatedProvider::new(plan);
    assert!(ask(&provider, Work::read("a")).await.is_err());
    provider.heal();
    assert_eq!(read(&provider).await.status(), StatusCode::OK);
}

/// The same work for two clients: 20 callers with 5 writes each on a provider that loses one reply of ten, and allows 60
/// requests in 10 seconds.
#[tokio::test(start_paused = true)]
async fn a_naive_client_doubles_writes_and_is_refused_where_ours_does_not_double() {
    let plan = ProviderPlan::new(11)
        .with_limit(Limit::sliding("burst", 60, 10 * SECOND))
        .with_faults(Faults::none().with_lost_reply(0.1));

    let provider = SimulatedProvider::new(plan.clone());
    let naive = NaiveClient::new(Arc::new(provider.clone()));
    let callers: JoinSet<_> = (0..20)
        .map(|caller| {
            let naive = naive.clone();
            async move {
                for number in 0..5 {
                    let _ = naive.send(&Work::create(format!("{caller}/{number}"))).await;
                }
            }
        })
        .collect();
    callers.join_all().await;
    let of_naive = provider.report();

    let provider = SimulatedProvider::new(plan);
    let client = Client::<Sky>::builder().transport(provider.clone()).build().unwrap();
    let callers: JoinSet<_> = (0..20)
        .map(|caller| {
            let client = client.clone();
            async move {
                for number in 0..5 {
                    let _ = client.send(Work::create(format!("{caller}/{number}"))).await;
                }
            }
        })
        .collect();
    callers.join_all().await;
    let of_ours = provider.report();

    assert!(!of_naive.doubles.is_empty(), "{of_naive}");
    assert!(of_ours.doubles.is_empty(), "{of_ours}");
    assert!(of_naive.refusals > of_ours.refusals, "{of_naive}\n{of_ours}");
    let table = of_naive.to_string();
    assert!(table.contains("| burst | 0 | 60 | 60 | 100.0 |"), "{table}");
}
