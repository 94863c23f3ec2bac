//! A random provider, random callers, and one run of both in paused time. Everything follows from one seed.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test binary uses its part")]

use std::time::Duration;

use connect_core::simulation::{
    Counting, Exchange, Faults, Hint, Latency, Limit, OPERATION_ID, Outage, OutageKind, ProviderPlan,
    SimulatedProvider, SimulationReport, Stranger,
};
use connect_core::{
    Api, Client, Config, Credentials, Decoding, Endpoint, Error, HeaderName, Method, Operation, Request,
    Response, Safety, Verdict,
};
use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

pub enum Sky {}

impl Api for Sky {
    const ID: &'static str = "sky";
    const BASE_URL: &'static str = "https://api.sky.example";
    const IDEMPOTENCY_HEADER: Option<&'static str> = Some("idempotency-key");
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        Verdict::from_status(response)
    }
}

/// One logical operation with a name of its own, so that the provider can tell a replay from another order.
#[derive(Clone, Debug)]
pub struct Work {
    pub id: String,
    pub operation: &'static Operation,
}

static READ: Operation = Operation::new("read", Method::GET, "/things", Safety::Safe);
static REPLACE: Operation = Operation::new("replace", Method::PUT, "/things", Safety::Idempotent);
static CREATE: Operation = Operation::new("create", Method::POST, "/things", Safety::Unsafe);
static ORDER: Operation = Operation::new("order", Method::POST, "/orders", Safety::Keyed);

impl Work {
    pub fn read(id: impl Into<String>) -> Self {
        Self { id: id.into(), operation: &READ }
    }

    pub fn create(id: impl Into<String>) -> Self {
        Self { id: id.into(), operation: &CREATE }
    }
}

impl Endpoint for Work {
    type Api = Sky;
    type Output = serde_json::Value;

    fn operation(&self) -> &Operation {
        self.operation
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(self.operation).header(HeaderName::from_static(OPERATION_ID), &self.id).build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> {
        cx.json(&response)
    }
}

/// What one caller does, one after the other.
#[derive(Clone, Debug)]
pub struct Step {
    pub work: Work,
    pub pause: Duration,
    pub deadline: Duration,
    /// When the caller loses patience and drops the call.
    pub patience: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Storm {
    pub seed: u64,
    pub plan: ProviderPlan,
    pub callers: Vec<Vec<Step>>,
    pub attempt_timeout: Duration,
}

/// What became of a step.
#[derive(Debug)]
pub struct Ended {
    pub step: Step,
    pub took: Duration,
    /// `None` if the caller dropped it.
    pub result: Option<Result<(), Error>>,
}

pub struct Aftermath {
    pub ended: Vec<Ended>,
    pub exchanges: Vec<Exchange>,
    pub report: SimulationReport,
    /// How many of the fresh calls failed that came when the storm was over.
    pub unserved: Vec<Error>,
}

/// As many as twice the permits a client hands out by default.
pub const FRESH_CALLS: usize = 40;

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

/// Draws once for "is there any?", and then how much of it.
fn sometimes(random: &mut Rng, one_in: u32, most: f64) -> f64 {
    if random.u32(0..one_in) == 0 { random.f64() * most } else { 0.0 }
}

impl Storm {
    pub fn draw(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let plan = plan(seed, &mut random);
        let callers = (0..random.usize(1..=8)).map(|caller| steps(caller, &mut random)).collect();
        Self { seed, plan, callers, attempt_timeout: millis(&mut random, 500..30_000) }
    }

    pub fn client(&self, provider: &SimulatedProvider) -> Client<Sky> {
        let config = Config::default().with_seed(self.seed).with_attempt_timeout(self.attempt_timeout);
        let builder = Client::<Sky>::builder().credentials(Credentials::bearer("storm")).config(config);
        builder.transport(provider.clone()).build().unwrap()
    }

    /// Runs the storm, waits until it is over, and then sees whether the client still works.
    pub fn run(&self) -> Aftermath {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let provider = SimulatedProvider::new(self.plan.clone());
            let client = self.client(&provider);
            let mut callers = JoinSet::new();
            for steps in self.callers.clone() {
                callers.spawn(caller(client.clone(), steps));
            }
            let mut ended: Vec<Ended> = callers.join_all().await.into_iter().flatten().collect();
            ended.sort_by(|one, other| one.step.work.id.cmp(&other.step.work.id));
            let (exchanges, report) = (provider.exchanges(), provider.report());
            provider.heal();
            // Longer than any window, hint or breaker.
            sleep(Duration::from_secs(3 * 3600)).await;
            let mut unserved: Vec<Error> = client.send(Work::read("warm")).await.err().into_iter().collect();
            let fresh: JoinSet<_> = (0..FRESH_CALLS)
                .map(|number| client.send(Work::read(format!("fresh {number}"))).into_future())
                .collect();
            unserved.extend(fresh.join_all().await.into_iter().filter_map(Result::err));
            Aftermath { ended, exchanges, report, unserved }
        })
    }
}

async fn caller(client: Client<Sky>, steps: Vec<Step>) -> Vec<Ended> {
    let mut ended = Vec::new();
    for step in steps {
        sleep(step.pause).await;
        let begun = Instant::now();
        let call = client.send(step.work.clone()).deadline(step.deadline).into_future();
        let result = match step.patience {
            Some(patience) => timeout(patience, call).await.ok(),
            None => Some(call.await),
        };
        ended.push(Ended { step, took: begun.elapsed(), result: result.map(|result| result.map(drop)) });
    }
    ended
}

fn plan(seed: u64, random: &mut Rng) -> ProviderPlan {
    let mut plan = ProviderPlan::new(seed)
        .with_log()
        .with_latency(
            Latency::default()
                .with_request(Duration::ZERO..millis(random, 1..2_000))
                .with_work(Duration::ZERO..millis(random, 1..1_000))
                .with_answer(Duration::ZERO..millis(random, 1..2_000)),
        )
        .with_skew_secs(random.i64(-600..600))
        .with_header_lag(millis(random, 0..2_000))
        .with_faults(
            Faults::none()
                .with_refused_connection(sometimes(random, 2, 0.3))
                .with_lost_reply(sometimes(random, 2, 0.3))
                .with_server_error(sometimes(random, 2, 0.5))
                .with_applied_error(random.f64())
                .with_truncated_body(sometimes(random, 4, 0.2))
                .with_silence(sometimes(random, 4, 0.2)),
        );
    if random.bool() {
        let window = millis(random, 1_000..120_000);
        let elapsed = window.mul_f64(random.f64());
        let mut limit = Limit::fixed("fixed", random.u64(1..40), window).elapsed(elapsed);
        if random.bool() {
            limit = limit.with_hint(Hint::Exact);
        }
        plan = plan.with_limit(limit);
    }
    if random.bool() {
        let window = millis(random, 500..60_000);
        plan = plan.with_limit(Limit::sliding("sliding", random.u64(1..20), window).showing(random.bool()));
    }
    if random.u32(0..4) == 0 {
        let hint = Hint::Always(millis(random, 0..120_000));
        let limit = Limit::concurrent("writes", random.u64(1..4)).counting(Counting::Writes);
        plan = plan.with_limit(limit.refused_with(if random.bool() { 403 } else { 429 }).with_hint(hint));
    }
    if random.u32(0..3) == 0 {
        let from = millis(random, 0..60_000);
        let kinds = [OutageKind::Refused, OutageKind::Broken, OutageKind::Status(503)];
        let until = from + millis(random, 100..60_000);
        plan = plan.with_outage(Outage::new(from..until, kinds[random.usize(0..3)]));
    }
    if random.u32(0..4) == 0 {
        let stranger = Stranger::new("fixed", random.f64()).in_bursts_of(random.u32(1..10));
        plan = plan.with_stranger(stranger);
    }
    plan
}

fn steps(caller: usize, random: &mut Rng) -> Vec<Step> {
    let operations = [&READ, &READ, &REPLACE, &CREATE, &CREATE, &ORDER];
    let step = |number| Step {
        work: Work {
            id: format!("{caller}/{number:02}"),
            operation: operations[random.usize(0..operations.len())],
        },
        pause: if random.bool() { Duration::ZERO } else { millis(random, 0..10_000) },
        deadline: millis(random, 10..60_000),
        patience: (random.u32(0..5) == 0).then(|| millis(random, 0..10_000)),
    };
    (0..random_length(caller)).map(step).collect()
}

fn random_length(caller: usize) -> usize {
    // Long and short callers, without another draw.
    3 + (caller * 5) % 11
}
