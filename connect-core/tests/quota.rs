//! All of what a provider allows, and no more: in simulations of hours that take moments.
#![allow(clippy::unwrap_used, reason = "tests")]

mod storm;

use std::sync::Arc;
use std::time::Duration;

use connect_core::quota::{
    Bucket, Draws, HeaderModel, MemoryQuotaStore, Observations, QuotaConfig, QuotaModel, QuotaPilot,
    QuotaStore, Rule, Taken,
};
use connect_core::request::Head;
use connect_core::simulation::{
    Answer, Faults, Latency, Limit, OPERATION_ID, ProviderPlan, Scripted, SimulatedProvider,
    SimulationReport, Stranger, cancel,
};
use connect_core::{
    Client, Config, Context, Error, ErrorKind, HeaderMap, HeaderValue, Operation, Priority, Request,
    Response, RetryAdvice, RetryPolicy, Sent, StatusCode, Transport, TransportFuture,
};
use storm::{Sky, Work};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A provider's published limit, which shows no figures.
struct Published(u32, Duration);

impl QuotaModel for Published {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        Draws::none().and(Bucket::new("calls"), 1, Rule::Published { limit: self.0, window: self.1 })
    }

    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}

/// One post a second in each channel, told apart by path.
struct Spaced;

impl QuotaModel for Spaced {
    fn draws(&self, _operation: &Operation, request: &Request) -> Draws {
        let channel = Bucket::new("posts").part(request.headers()[OPERATION_ID].to_str().unwrap());
        Draws::none().and(channel, 1, Rule::Spacing { every: SECOND })
    }

    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}

/// Waits as long as it takes.
fn patient() -> Config {
    Config::default()
        .with_seed(7)
        .with_deadline(100 * HOUR)
        .with_attempt_timeout(HOUR)
        .with_quota(QuotaConfig::default().with_longest_wait(100 * HOUR).with_concurrency(200))
        .with_retry(RetryPolicy::default().with_longest_wait(100 * HOUR))
}

fn client(transport: impl Transport, pilot: QuotaPilot, config: Config) -> Client<Sky> {
    Client::<Sky>::builder().transport(transport).quota(pilot).config(config).build().unwrap()
}

fn by_headers(transport: impl Transport) -> Client<Sky> {
    let config = patient();
    client(transport, QuotaPilot::new(HeaderModel::default(), config.quota), config)
}

/// So many callers, each of whom asks again as soon as it was answered.
async fn work(
    client: &Client<Sky>,
    provider: &SimulatedProvider,
    callers: usize,
    until: Duration,
) -> SimulationReport {
    let end = Instant::now() + until;
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let client = client.clone();
        tasks.spawn(async move {
            let mut number = 0;
            while Instant::now() < end {
                number += 1;
                // A lost reply is an error, and not the quota's business.
                let never = RetryPolicy::never();
                let _ = client.send(Work::create(format!("{caller}-{number}"))).retry(never).await;
            }
        });
    }
    sleep(until).await;
    let report = provider.report();
    tasks.shutdown().await;
    report
}

/// Every window but the last, which the end of the run cuts short.
fn check(report: &SimulationReport, seed: u64, what: &str) {
    let limit = report.limit("core").unwrap();
    let shares = limit.shares_used();
    assert_eq!(limit.refusals(), 0, "{what}, seed {seed}: refused\n{report}");
    let whole = shares.len() - 1;
    assert!(whole >= 2, "{what}, seed {seed}: {shares:?}");
    let used = limit.share_used(1..whole);
    assert!(used >= 0.99, "{what}, seed {seed}: used only {used}\n{report}");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_window_is_used_up_without_a_refusal() {
    for (seed, callers, faults, skew, lag) in [
        (1, 20, Faults::none(), 0, Duration::ZERO),
        (2, 200, Faults::none(), 300, Duration::ZERO),
        (3, 20, Faults::none().with_lost_reply(0.01), -300, Duration::ZERO),
        (4, 200, Faults::none().with_lost_reply(0.01), 300, Duration::from_millis(500)),
    ] {
        let plan = ProviderPlan::new(seed)
            .with_limit(Limit::fixed("core", 5_000, HOUR).elapsed(HOUR - MINUTE))
            .with_latency(Latency::default())
            .with_faults(faults)
            .with_header_lag(lag)
            .with_skew_secs(skew);
        let provider = SimulatedProvider::new(plan);
        let report = work(&by_headers(provider.clone()), &provider, callers, 3 * HOUR + MINUTE).await;
        check(&report, seed, "fixed window");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sliding_window_is_used_up_without_a_refusal() {
    for (seed, callers, faults) in
        [(1, 20, Faults::none()), (2, 200, Faults::none()), (3, 20, Faults::none().with_lost_reply(0.01))]
    {
        let plan = ProviderPlan::new(seed)
            .with_limit(Limit::sliding("core", 50, MINUTE).showing(false))
            .with_faults(faults)
            .with_skew_secs(300);
        let provider = SimulatedProvider::new(plan);
        let config = patient();
        let client = client(provider.clone(), QuotaPilot::new(Published(50, MINUTE), config.quota), config);
        let report = work(&client, &provider, callers, HOUR).await;
        let limit = report.limit("core").unwrap();
        assert_eq!(limit.refusals(), 0, "seed {seed}\n{report}");
        // The whole burst of a minute ages from its last answer on: a third of a second of sixty.
        let used = report.successes as f64 / (50.0 * 60.0);
        assert!(used >= 0.985, "seed {seed}: {used}\n{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_on_the_account_costs_at_most_one_refusal_a_window() {
    for seed in 1..=4 {
        for callers in [20, 200] {
            let plan = ProviderPlan::new(seed)
                .with_limit(Limit::fixed("core", 5_000, HOUR))
                .with_stranger(Stranger::new("core", 0.5))
                .with_skew_secs(300);
            let provider = SimulatedProvider::new(plan);
            let report = work(&by_headers(provider.clone()), &provider, callers, 4 * HOUR).await;
            let most = report.limit("core").unwrap().most_refusals_in_a_window();
            assert!(most <= 1, "seed {seed}, {callers} callers: {most}\n{report}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_channel_gets_one_post_a_second_and_does_not_hold_back_another() {
    let provider = SimulatedProvider::new(ProviderPlan::new(1).with_latency(Latency::none()).with_log());
    let config = patient();
    let client = client(provider, QuotaPilot::new(Spaced, config.quota), config);
    let begun = Instant::now();
    let (busy, other) = tokio::join!(
        async {
            let calls = (0..4).map(|_| client.send(Work::read("busy")).into_future());
            futures_util::future::try_join_all(calls).await.unwrap();
            begun.elapsed()
        },
        async {
            client.send(Work::read("quiet")).await.unwrap();
            begun.elapsed()
        }
    );
    assert!(busy >= 3 * SECOND && busy < 4 * SECOND, "{busy:?}");
    assert!(other < SECOND, "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn one_refusal_holds_everybody_back_and_one_request_goes_first_afterwards() {
    let refused = Answer::status(429).header("retry-after", "2").after(SECOND / 10);
    let transport =
        Scripted::new([refused].into_iter().chain((0..9).map(|_| Answer::json(200, "{}").after(SECOND))));
    let client = by_headers(transport.clone());
    let begun = Instant::now();
    let first = client.send(Work::read("0"));
    let others = (1..5).map(|number| {
        let call = client.send(Work::read(number.to_string()));
        async move {
            sleep(SECOND / 2).await;
            call.await
        }
    });
    let (first, others) = tokio::join!(first.into_future(), futures_util::future::join_all(others));
    first.unwrap();
    others.into_iter().for_each(|other| drop(other.unwrap()));
    let times: Vec<f64> = transport.requests().iter().map(|seen| (seen.at - begun).as_secs_f64()).collect();
    assert_eq!(times.len(), 6);
    assert!(times[1] >= 2.1, "nobody before the time that one was told: {times:?}");
    assert!(times[2] >= times[1] + 1.0, "the others after the first one's answer: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_told_at_once_and_until_when() {
    let answer =
        Answer::json(200, "{}").header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "600");
    let transport = Scripted::new([answer]);
    let config = Config::default().with_seed(7);
    let client = client(transport.clone(), QuotaPilot::new(HeaderModel::default(), config.quota), config);
    client.send(Work::read("a")).await.unwrap();
    let begun = Instant::now();
    let error = client.send(Work::create("b".to_owned())).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!((error.kind(), error.sent()), (ErrorKind::RateLimited, Sent::No));
    assert_eq!(error.retry(), RetryAdvice::After(Duration::from_secs(600)));
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_is_refused_by_its_deadline() {
    let transport = Scripted::new([Answer::silence()]);
    let config = Config::default().with_seed(7).with_quota(QuotaConfig::default().with_concurrency(1));
    let client = client(transport, QuotaPilot::new(HeaderModel::default(), config.quota), config);
    let begun = Instant::now();
    let (first, second) = tokio::join!(
        client.send(Work::read("a")).deadline(10 * SECOND).into_future(),
        client.send(Work::read("b")).deadline(3 * SECOND).into_future(),
    );
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Timeout);
    let error = second.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::RateLimited, Sent::No));
    assert!(error.to_string().contains("no turn"), "{error}");
    assert!(begun.elapsed() <= 10 * SECOND + SECOND / 100);
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served_within_a_priority_and_the_higher_one_first() {
    let provider = SimulatedProvider::new(ProviderPlan::new(1).with_log());
    let config = patient().with_quota(QuotaConfig::default().with_concurrency(1).with_longest_wait(HOUR));
    let client = client(provider.clone(), QuotaPilot::new(HeaderModel::default(), config.quota), config);
    let mut tasks = JoinSet::new();
    for (number, priority) in [
        Priority::Background,
        Priority::Background,
        Priority::Normal,
        Priority::Normal,
        Priority::Interactive,
        Priority::Interactive,
    ]
    .into_iter()
    .enumerate()
    {
        let call = client.send(Work::read(number.to_string())).priority(priority);
        tasks.spawn(async move {
            call.await.unwrap();
            number
        });
        tokio::task::yield_now().await;
    }
    let mut order = Vec::new();
    while let Some(number) = tasks.join_next().await {
        order.push(number.unwrap());
    }
    assert_eq!(order, [0, 4, 5, 2, 3, 1], "the first one was running before anybody else came");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_anywhere_leaks_no_place() {
    let polls = cancel::at_every_await(async |cut| {
        let plan = ProviderPlan::new(1).with_limit(Limit::fixed("core", 100, MINUTE));
        let provider = SimulatedProvider::new(plan);
        let config = patient().with_quota(QuotaConfig::default().with_concurrency(1).with_longest_wait(HOUR));
        let client = client(provider, QuotaPilot::new(HeaderModel::default(), config.quota), config);
        let busy = client.send(Work::read("busy")).into_future();
        let busy = tokio::spawn(busy);
        tokio::task::yield_now().await;
        cut.run(client.send(Work::read("dropped")).into_future()).await;
        busy.await.unwrap().unwrap();
        client.send(Work::read("after")).deadline(5 * SECOND).await.map_err(|error| error.to_string())?;
        let status = client.quota().status();
        match status.iter().find(|bucket| bucket.in_flight > 0 || bucket.waiting > 0) {
            None => Ok(()),
            Some(bucket) => Err(format!("{bucket:?}")),
        }
    })
    .await
    .unwrap();
    assert!(polls > 2, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_what_a_store_counts() {
    let store = Arc::new(MemoryQuotaStore::default());
    let plan = ProviderPlan::new(3).with_limit(Limit::sliding("core", 50, MINUTE).showing(false));
    let provider = SimulatedProvider::new(plan);
    let config = patient();
    let clients = [1, 2].map(|_| {
        let pilot = QuotaPilot::shared(Published(50, MINUTE), config.quota, store.clone(), "account");
        client(provider.clone(), pilot, config.clone())
    });
    let (_, report) =
        tokio::join!(work(&clients[0], &provider, 10, HOUR), work(&clients[1], &provider, 10, HOUR));
    assert_eq!(report.limit("core").unwrap().refusals(), 0, "{report}");
    assert!(report.successes >= 2_900, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_warm_start_needs_no_probe_and_a_pause_holds_the_account() {
    let transport = Scripted::new((0..20).map(|_| Answer::json(200, "{}").after(SECOND)));
    let client = by_headers(transport.clone());
    client.quota().seed("requests", Some(100), 50, Some(HOUR));
    let begun = Instant::now();
    let calls = (0..10).map(|number| client.send(Work::read(number.to_string())).into_future());
    futures_util::future::try_join_all(calls).await.unwrap();
    assert!(begun.elapsed() < 2 * SECOND, "all at once");
    assert_eq!(client.quota().status()[1].remaining, Some(40));
    client.quota().pause(MINUTE);
    client.send(Work::read("after")).await.unwrap();
    assert!(begun.elapsed() >= MINUTE);
}

#[tokio::test(start_paused = true)]
async fn buckets_of_parts_nobody_uses_are_forgotten() {
    let provider = SimulatedProvider::new(ProviderPlan::new(1).with_latency(Latency::none()));
    let config = patient();
    let client = client(provider, QuotaPilot::new(Spaced, config.quota), config);
    for number in 0..2_000 {
        client.send(Work::read(format!("channel-{number}"))).await.unwrap();
        sleep(SECOND).await;
    }
    assert!(client.quota().status().len() < 150, "{}", client.quota().status().len());
}

#[tokio::test(start_paused = true)]
async fn many_waiters_cost_one_wake_each() {
    // 100,000 in release, where it takes well under a second of real time; a debug build counts slower.
    let callers = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let pilot = QuotaPilot::new(
        Published(1_000, SECOND),
        QuotaConfig::default().with_concurrency(u32::MAX).with_longest_wait(HOUR),
    );
    let transport = Scripted::new((0..callers).map(|_| Answer::json(200, "{}")));
    let client = client(transport.clone(), pilot, patient());
    let mut tasks = JoinSet::new();
    for number in 0..callers {
        tasks.spawn(client.send(Work::read(number.to_string())).into_future());
    }
    let mut served = 0;
    while let Some(result) = tasks.join_next().await {
        result.unwrap().unwrap();
        served += 1;
    }
    assert_eq!(served, callers);
    let order: Vec<usize> = transport
        .requests()
        .iter()
        .map(|seen| seen.headers[OPERATION_ID].to_str().unwrap().parse().unwrap())
        .collect();
    assert!(order.is_sorted(), "first come, first served");
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_explained() {
    let answers = [
        Answer::json(200, "{}").header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "30"),
        Answer::json(200, "{}"),
    ];
    let client = by_headers(Scripted::new(answers));
    client.send(Work::read("a")).await.unwrap();
    let context = Context::default().with_priority(Priority::Background);
    let (result, report) = client.send(Work::read("b")).context(&context).explain().await;
    result.unwrap();
    let text = report.to_string();
    assert!(text.contains("waiting 30.00 s: for room in the quota requests"), "{text}");
    assert!(report.waited() >= 30 * SECOND, "{text}");
}

/// Answers by what it is asked, so that one call may take long while others are quick.
#[derive(Clone)]
struct ByOperation<F>(F);

impl<F> Transport for ByOperation<F>
where
    F: Fn(&str) -> (Duration, Response) + Clone + Send + Sync + 'static,
{
    fn send(&self, request: Request) -> TransportFuture {
        let (delay, response) = self.0(request.headers()[OPERATION_ID].to_str().unwrap());
        Box::pin(async move {
            sleep(delay).await;
            Ok(response)
        })
    }
}

fn answer(status: u16, headers: &[(&'static str, &str)]) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    Response::new(StatusCode::from_u16(status).unwrap(), map, "{}")
}

/// Draws by the first letter of the operation's id.
#[derive(Clone)]
struct ByLetter(Vec<(char, Draws)>);

impl QuotaModel for ByLetter {
    fn draws(&self, _operation: &Operation, request: &Request) -> Draws {
        let letter = request.headers()[OPERATION_ID].to_str().unwrap().chars().next();
        let row = self.0.iter().find(|(first, _)| Some(*first) == letter);
        row.map_or_else(Draws::none, |(_, draws)| draws.clone())
    }

    fn observe(&self, _sent: &Head, response: &Response, out: &mut Observations) {
        if let Some(seen) = HeaderModel::default().read(response.headers(), "core") {
            out.see(seen);
        }
    }
}

/// Counts a call to `core` and `points`; the answer names another bucket, as a figure or by a pause.
struct Elsewhere {
    pauses: bool,
}

impl QuotaModel for Elsewhere {
    fn draws(&self, _operation: &Operation, _request: &Request) -> Draws {
        let points = Rule::Published { limit: 900, window: MINUTE };
        Draws::none().and(Bucket::new("core"), 1, Rule::Server).and(Bucket::new("points"), 1, points)
    }

    fn observe(&self, _sent: &Head, response: &Response, out: &mut Observations) {
        match HeaderModel::default().read(response.headers(), "elsewhere") {
            Some(seen) if !self.pauses => out.see(seen),
            Some(_) => out.pause(Bucket::new("elsewhere"), HOUR),
            None => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_a_bucket_closes_none_that_the_call_drew_on_beside_it() {
    for pauses in [false, true] {
        let refused = Answer::status(429)
            .header("retry-after", "3600")
            .header("x-ratelimit-limit", "10")
            .header("x-ratelimit-remaining", "0");
        let transport = Scripted::new([refused, Answer::json(200, "{}")]);
        let config = patient();
        let client = client(transport.clone(), QuotaPilot::new(Elsewhere { pauses }, config.quota), config);
        let error = client.send(Work::read("a")).retry(RetryPolicy::never()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let begun = Instant::now();
        client.send(Work::read("b")).await.unwrap();
        assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_published_limit_is_used_up_by_a_steady_flow() {
    // 20 callers, 200 ms each: 100 a second, so every minute's 5,000 are sent within 50 s.
    let plan = ProviderPlan::new(5).with_limit(Limit::sliding("core", 5_000, MINUTE).showing(false));
    let provider = SimulatedProvider::new(plan);
    let config = patient();
    let client = client(provider.clone(), QuotaPilot::new(Published(5_000, MINUTE), config.quota), config);
    let report = work(&client, &provider, 20, 20 * MINUTE).await;
    assert_eq!(report.limit("core").unwrap().refusals(), 0, "{report}");
    let used = report.successes as f64 / (5_000.0 * 20.0);
    assert!(used >= 0.98, "{used}\n{report}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_keeps_nobody_from_looking_into_the_new_window() {
    let transport = ByOperation(|id: &str| match id {
        "hangs" => (50 * SECOND, answer(200, &[])),
        _ => (
            SECOND / 10,
            answer(
                200,
                &[("x-ratelimit-remaining", "9"), ("x-ratelimit-limit", "10"), ("x-ratelimit-reset", "2")],
            ),
        ),
    });
    let client = by_headers(transport);
    client.send(Work::read("first")).await.unwrap();
    let hangs = tokio::spawn(client.send(Work::read("hangs")).into_future());
    sleep(3 * SECOND).await; // the window has ended, and that call is still on its way
    let begun = Instant::now();
    client.send(Work::read("probe")).await.unwrap();
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    hangs.abort();
}

#[tokio::test(start_paused = true)]
async fn a_first_call_that_is_slow_holds_the_others_back_for_moments_only() {
    let transport =
        ByOperation(|id: &str| (if id == "slow" { 50 * SECOND } else { SECOND / 10 }, answer(200, &[])));
    let client = by_headers(transport);
    let slow = tokio::spawn(client.send(Work::read("slow")).into_future());
    tokio::task::yield_now().await;
    let begun = Instant::now();
    client.send(Work::read("a")).await.unwrap();
    assert!(begun.elapsed() < 5 * SECOND, "{:?}", begun.elapsed());
    client.send(Work::read("b")).await.unwrap();
    assert!(begun.elapsed() < 6 * SECOND, "no figures, no limit: {:?}", begun.elapsed());
    slow.abort();
}

#[tokio::test(start_paused = true)]
async fn a_bucket_drawn_on_twice_by_one_call_is_drawn_on_once_for_both() {
    let twice = |cost| {
        let rule = Rule::Published { limit: 10, window: MINUTE };
        Draws::none().and(Bucket::new("points"), cost, rule).and(Bucket::new("points"), cost, rule)
    };
    assert_eq!(twice(3).iter().count(), 1);
    let model = ByLetter(vec![('a', twice(3))]);
    let transport = ByOperation(|_: &str| (SECOND / 10, answer(200, &[])));
    let client = client(transport, QuotaPilot::new(model, patient().quota), patient());
    let begun = Instant::now();
    client.send(Work::read("a")).await.unwrap();
    client.send(Work::read("a")).await.unwrap();
    assert!(begun.elapsed() > MINUTE, "6 of 10, and 6 more do not fit");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_was_named_before_it_was_drawn_on_keeps_its_published_limit() {
    let pilot = QuotaPilot::new(Published(2, MINUTE), patient().quota);
    pilot.seed("calls", Some(100), 100, None);
    let transport = ByOperation(|_: &str| (SECOND / 10, answer(200, &[])));
    let client = client(transport, pilot, patient());
    let begun = Instant::now();
    for _ in 0..3 {
        client.send(Work::read("a")).await.unwrap();
    }
    assert!(begun.elapsed() > MINUTE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_used_up_does_not_close_the_others_the_call_drew_on() {
    let points = Rule::Published { limit: 900, window: MINUTE };
    let both = Draws::none().and(Bucket::new("core"), 1, Rule::Server).and(Bucket::new("points"), 1, points);
    let search = Draws::none().and(Bucket::new("points"), 1, points);
    let model = ByLetter(vec![('c', both), ('s', search)]);
    let transport = ByOperation(|id: &str| match id {
        "core" => (
            SECOND / 10,
            answer(
                429,
                &[("retry-after", "600"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "600")],
            ),
        ),
        _ => (SECOND / 10, answer(200, &[])),
    });
    let client = client(transport, QuotaPilot::new(model, patient().quota), patient());
    let refused = client.send(Work::read("core")).retry(RetryPolicy::never()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    let begun = Instant::now();
    client.send(Work::read("search")).await.unwrap();
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_call_that_draws_on_nothing_closes_the_account() {
    let transport = ByOperation(|id: &str| match id {
        "first" => (SECOND / 10, answer(429, &[("retry-after", "5")])),
        _ => (SECOND / 10, answer(200, &[])),
    });
    let client = client(transport, QuotaPilot::new(ByLetter(Vec::new()), patient().quota), patient());
    let refused = client.send(Work::read("first")).retry(RetryPolicy::never()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    let begun = Instant::now();
    let (result, report) = client.send(Work::read("second")).explain().await;
    result.unwrap();
    assert!(begun.elapsed() >= 5 * SECOND, "{:?}", begun.elapsed());
    assert!(report.to_string().contains("in the quota account"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_hint_are_waited_for_longer_and_longer() {
    let transport = ByOperation(|_: &str| (Duration::ZERO, answer(429, &[])));
    let client = by_headers(transport);
    let mut waits = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        client.send(Work::read("a")).retry(RetryPolicy::never()).await.unwrap_err();
        waits.push(begun.elapsed().as_secs());
    }
    assert_eq!(waits, [0, 1, 2, 4, 8]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_bucket_is_told_at_once_even_if_the_account_is_busy() {
    let model = ByLetter(vec![('c', Draws::none().and(Bucket::new("core"), 1, Rule::Server))]);
    let pilot = QuotaPilot::new(model, QuotaConfig::default().with_concurrency(1));
    pilot.seed("core", Some(100), 0, Some(HOUR));
    let transport = ByOperation(|_: &str| (20 * SECOND, answer(200, &[])));
    let client = client(transport, pilot, Config::default().with_seed(1));
    let busy = tokio::spawn(client.send(Work::read("busy")).into_future());
    tokio::task::yield_now().await;
    let begun = Instant::now();
    let error = client.send(Work::read("core")).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(error.retry(), RetryAdvice::After(HOUR));
    busy.abort();
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_needs_two_scarce_buckets_is_not_starved() {
    // One token of each every 2 s, a second apart from each other, and always somebody who wants only one of them.
    let rule = Rule::Published { limit: 1, window: 2 * SECOND };
    let a = Draws::none().and(Bucket::new("a"), 1, rule);
    let b = Draws::none().and(Bucket::new("b"), 1, rule);
    let both = a.clone().and(Bucket::new("b"), 1, rule);
    let model = ByLetter(vec![('a', a), ('b', b), ('2', both)]);
    let transport = ByOperation(|_: &str| (Duration::ZERO, answer(200, &[])));
    let client = client(transport, QuotaPilot::new(model, patient().quota), patient());
    let mut others = JoinSet::new();
    for (letter, delay) in [("a", 0), ("b", 1)] {
        for _ in 0..50 {
            let call = client.send(Work::read(letter));
            others.spawn(async move {
                sleep(delay * SECOND).await;
                call.await
            });
        }
    }
    sleep(SECOND + SECOND / 2).await;
    let begun = Instant::now();
    client.send(Work::read("2")).priority(Priority::Interactive).await.unwrap();
    assert!(begun.elapsed() <= 10 * SECOND, "{:?}", begun.elapsed());
    others.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn many_arrivals_before_somebody_less_urgent_are_counted_quickly() {
    let callers = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
    let config = QuotaConfig::default().with_concurrency(u32::MAX).with_longest_wait(HOUR);
    let transport = ByOperation(|_: &str| (Duration::ZERO, answer(200, &[])));
    let client = client(transport, QuotaPilot::new(Published(1_000, SECOND), config), patient());
    let mut tasks = JoinSet::new();
    for number in 0..callers {
        let last = if number < 1_001 { Priority::Background } else { Priority::Normal };
        tasks.spawn(client.send(Work::read("a")).priority(last).into_future());
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_that_was_not_charged_is_given_back() {
    // Every second call breaks before the provider has counted it.
    let counted = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let calls = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (count, call) = (Arc::clone(&counted), Arc::clone(&calls));
    struct Broken<F>(F);
    impl<F: Fn() -> Result<Response, Error> + Send + Sync + 'static> Transport for Broken<F> {
        fn send(&self, _request: Request) -> TransportFuture {
            let result = self.0();
            Box::pin(async move {
                sleep(SECOND / 10).await;
                result
            })
        }
    }
    let begun = Instant::now();
    let transport = Broken(move || {
        let reset = (36_000 - begun.elapsed().as_secs()).to_string();
        if call.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2 == 1 {
            return Err(Error::new(ErrorKind::Transport, "broken").with_sent(Sent::Maybe));
        }
        let used = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let left = 100_u64.saturating_sub(used).to_string();
        let status = if used > 100 { 429 } else { 200 };
        Ok(answer(
            status,
            &[("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", &left), ("x-ratelimit-reset", &reset)],
        ))
    });
    let pilot = QuotaPilot::new(HeaderModel::default(), QuotaConfig::default());
    let client = client(transport, pilot, Config::default().with_seed(1));
    for _ in 0..250 {
        let _ = client.send(Work::create("a")).retry(RetryPolicy::never()).await;
        sleep(10 * SECOND).await;
    }
    let used = counted.load(std::sync::atomic::Ordering::Relaxed);
    // The last of them cannot be proven: nobody sends any more.
    assert!((97..=100).contains(&used), "{used} of 100");
}

/// A store that answers as a test wants.
struct OddStore(fn() -> Option<Result<Taken, Error>>);

#[async_trait::async_trait]
impl QuotaStore for OddStore {
    async fn take(&self, _account: &str, _draws: &Draws) -> Result<Taken, Error> {
        match (self.0)() {
            Some(taken) => taken,
            None => std::future::pending().await,
        }
    }

    async fn give_back(
        &self,
        _account: &str,
        _number: u64,
        _sent: Sent,
        _seen: &Observations,
    ) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_stops_nobody() {
    let broken = || Some(Err(Error::new(ErrorKind::Unavailable, "no store")));
    for store in [OddStore(broken), OddStore(|| None)] {
        let transport = ByOperation(|_: &str| (SECOND / 10, answer(200, &[])));
        let pilot =
            QuotaPilot::shared(Published(50, MINUTE), QuotaConfig::default(), Arc::new(store), "account");
        let client = client(transport, pilot, Config::default().with_seed(1));
        let begun = Instant::now();
        client.send(Work::read("a")).await.unwrap();
        assert!(begun.elapsed() < 3 * SECOND, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn pilots_of_a_provider_without_figures_share_a_store_without_taking_turns() {
    let store = Arc::new(MemoryQuotaStore::default());
    let transport = ByOperation(|_: &str| (SECOND, answer(200, &[])));
    let config = Config::default().with_seed(1);
    let clients = [1, 2].map(|_| {
        let pilot = QuotaPilot::shared(HeaderModel::default(), config.quota, store.clone(), "account");
        client(transport.clone(), pilot, config.clone())
    });
    clients[0].send(Work::read("first")).await.unwrap();
    clients[1].send(Work::read("first")).await.unwrap();
    let begun = Instant::now();
    let calls = (0..20).map(|number| clients[number % 2].send(Work::read("a")).into_future());
    futures_util::future::try_join_all(calls).await.unwrap();
    assert!(begun.elapsed() < 3 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_forgets_who_never_gives_back() {
    let store = MemoryQuotaStore::default();
    let draws = Draws::none().and(Bucket::new("calls"), 1, Rule::Published { limit: 2, window: MINUTE });
    for _ in 0..2 {
        assert!(matches!(store.take("account", &draws).await.unwrap(), Taken::Granted(_)));
    }
    assert!(matches!(store.take("account", &draws).await.unwrap(), Taken::Wait { .. }));
    sleep(HOUR).await;
    assert!(
        matches!(store.take("account", &draws).await.unwrap(), Taken::Wait { .. }),
        "its window begins now"
    );
    sleep(2 * MINUTE).await;
    assert!(matches!(store.take("account", &draws).await.unwrap(), Taken::Granted(_)));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_store_stands_in_line_and_only_the_first_asks_again() {
    static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let closed = || {
        let asked = ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let wait = Taken::Wait { bucket: Some(Bucket::new("calls")), wait: SECOND };
        Some(Ok(if asked < 10 { wait } else { Taken::Granted(asked) }))
    };
    let transport = ByOperation(|_: &str| (Duration::ZERO, answer(200, &[])));
    let config = QuotaConfig::default().with_concurrency(1);
    let pilot = QuotaPilot::shared(Published(500, MINUTE), config, Arc::new(OddStore(closed)), "account");
    let client = client(transport, pilot, Config::default().with_seed(1));
    let calls = (0..100).map(|_| client.send(Work::read("a")).into_future());
    futures_util::future::try_join_all(calls).await.unwrap();
    let asked = ASKED.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(asked, 110, "once for each, and ten times in vain");
}

/// What one random call of a storm saw.
struct Fate {
    letter: char,
    deadline: Duration,
    took: Duration,
    kind: Option<ErrorKind>,
}

/// Random callers of every priority, on buckets of every kind that overlap, with lost replies, refusals and callers that go
/// away. Everything follows from the seed.
async fn storm_of_quotas(seed: u64, store: Option<Arc<MemoryQuotaStore>>) -> Result<usize, String> {
    let minute = |limit| Rule::Published { limit, window: MINUTE };
    let spaced = Rule::Spacing { every: SECOND };
    let (core, points) = (Bucket::new("core"), Bucket::new("points"));
    let read = Draws::none().and(core.clone(), 1, Rule::Server).and(points.clone(), 1, minute(90));
    let write = read.clone().and(Bucket::new("content"), 1, minute(8)).and(points.clone(), 4, minute(90));
    let post = Draws::none().and(Bucket::new("post").part("C1"), 1, spaced).and(points, 1, minute(90));
    let model = ByLetter(vec![('r', read), ('w', write), ('p', post), ('f', Draws::none())]);

    let start = Instant::now();
    let left = Arc::new(std::sync::Mutex::new((200_u64, fastrand::Rng::with_seed(seed))));
    let answers = Arc::clone(&left);
    let transport = ByOperation(move |id: &str| {
        let (left, random) = &mut *answers.lock().unwrap();
        let delay = Duration::from_millis(random.u64(10..400));
        if random.u32(..40) == 0 {
            return (delay, answer(429, if random.bool() { &[("retry-after", "2")] } else { &[] }));
        }
        *left = left.saturating_sub(1);
        let reset = (600 - start.elapsed().as_secs().min(599)).to_string();
        let shows = id.starts_with('r') || id.starts_with('w');
        let remaining = left.to_string();
        let figures = [("x-ratelimit-remaining", &*remaining), ("x-ratelimit-reset", &*reset)];
        (delay, answer(if random.u32(..20) == 0 { 500 } else { 200 }, if shows { &figures } else { &[] }))
    });
    let config = QuotaConfig::default().with_concurrency(5).with_longest_wait(90 * SECOND);
    let pilot = match store {
        Some(store) => QuotaPilot::shared(model, config, store, "account"),
        None => QuotaPilot::new(model, config),
    };
    let client = client(transport, pilot, Config::default().with_seed(seed));

    let mut random = fastrand::Rng::with_seed(!seed);
    let mut tasks = JoinSet::new();
    for _ in 0..120 {
        let client = client.clone();
        let letter = random.choice(['r', 'r', 'w', 'p', 'f']).unwrap();
        let priority =
            random.choice([Priority::Interactive, Priority::Normal, Priority::Background]).unwrap();
        let begins = Duration::from_millis(random.u64(..60_000));
        let deadline = Duration::from_millis(random.u64(100..120_000));
        let patience = (random.u32(..3) == 0).then(|| Duration::from_millis(random.u64(..5_000)));
        tasks.spawn(async move {
            sleep(begins).await;
            let begun = Instant::now();
            let call = client.send(Work::create(format!("{letter}"))).priority(priority).deadline(deadline);
            let call = call.retry(RetryPolicy::never()).into_future();
            let result = match patience {
                Some(patience) => tokio::time::timeout(patience, call).await.ok()?,
                None => call.await,
            };
            let kind = result.err().map(|error| error.kind());
            Some(Fate { letter, deadline, took: begun.elapsed(), kind })
        });
    }
    let mut served = 0;
    while let Some(fate) = tasks.join_next().await {
        let Some(Fate { letter, deadline, took, kind }) = fate.unwrap() else { continue };
        served += usize::from(kind.is_none());
        if took > deadline.min(95 * SECOND) + SECOND / 10 {
            return Err(format!("{letter} waited {took:?} of {deadline:?} and ended with {kind:?}"));
        }
    }
    sleep(SECOND).await;
    match client.quota().status().into_iter().find(|bucket| bucket.in_flight > 0 || bucket.waiting > 0) {
        Some(bucket) => Err(format!("left behind: {bucket:?}")),
        None => Ok(served),
    }
}

#[tokio::test(start_paused = true)]
async fn in_random_storms_everybody_is_served_or_refused_in_time_and_nothing_is_left_behind() {
    let mut served = 0;
    for seed in 0..150 {
        let store = (seed % 3 == 0).then(Arc::<MemoryQuotaStore>::default);
        served += storm_of_quotas(seed, store).await.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
    assert!(served > 150 * 20, "{served}");
}

#[tokio::test(start_paused = true)]
async fn a_short_window_with_lost_replies_is_used_up_without_a_refusal() {
    for seed in 1..=6 {
        let plan = ProviderPlan::new(seed)
            .with_limit(Limit::fixed("core", 100, MINUTE))
            .with_faults(Faults::none().with_lost_reply(0.01))
            .with_skew_secs(-300);
        let provider = SimulatedProvider::new(plan);
        let report = work(&by_headers(provider.clone()), &provider, 20, 30 * MINUTE).await;
        check(&report, seed, "short window");
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_a_window_that_the_provider_counts() {
    for seed in 1..=4 {
        let store = Arc::new(MemoryQuotaStore::default());
        let plan = ProviderPlan::new(seed).with_limit(Limit::fixed("core", 1_000, HOUR)).with_skew_secs(300);
        let provider = SimulatedProvider::new(plan);
        let config = patient();
        let clients = [1, 2].map(|_| {
            let pilot = QuotaPilot::shared(HeaderModel::default(), config.quota, store.clone(), "account");
            client(provider.clone(), pilot, config.clone())
        });
        let time = 3 * HOUR + MINUTE;
        let (_, report) =
            tokio::join!(work(&clients[0], &provider, 10, time), work(&clients[1], &provider, 10, time));
        check(&report, seed, "shared window");
    }
}
