//! The simulated provider's inside: requests on their way, what it does about them, and what it remembers.
//!
//! Nothing here waits: [`State::advance`] lets happen what is due, in the order of time, whenever somebody looks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::chance::{Chance, Visits};
use super::plan::{Hint, Outage, OutageKind, ProviderPlan, is_write};
use super::provider::OPERATION_ID;
use super::report::{Double, Exchange, Fate, LimitReport, SimulationReport};
use super::window::{Counter, View};
use crate::error::{Error, ErrorKind, Sent};
use crate::operation::Safety;
use crate::request::Request;
use crate::response::{BoxError, Response};

/// By RFC draft "The Idempotency-Key HTTP Header Field" and Stripe: a repetition is answered like the first, and applied
/// once.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

// GitHub's names (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api), which others copied.
static LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
static USED: HeaderName = HeaderName::from_static("x-ratelimit-used");
static RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
static RESOURCE: HeaderName = HeaderName::from_static("x-ratelimit-resource");

pub(super) struct State {
    pub(super) plan: ProviderPlan,
    healed: bool,
    departed: u64,
    /// Requests on their way, by arrival.
    arrivals: BinaryHeap<Reverse<(Duration, u64)>>,
    travelling: HashMap<u64, Traveller>,
    answers: HashMap<u64, Result<Response, Error>>,
    counters: Vec<Counter>,
    strangers: Vec<Visits>,
    keys: HashSet<HeaderValue>,
    applied: HashMap<String, (Safety, u32)>,
    last_second: VecDeque<Duration>,
    figures: SimulationReport,
    log: BTreeMap<u64, Exchange>,
    /// The header of the current second.
    date: Option<(u64, HeaderValue)>,
}

/// A request on its way.
struct Traveller {
    safety: Safety,
    /// Of a write; nobody asks for a read's.
    id: String,
    key: Option<HeaderValue>,
    writes: bool,
    /// The limits that count it, by their index, and what it draws from each.
    draws: Vec<(usize, u64)>,
    chance: Chance,
    awaited: bool,
}

impl State {
    pub(super) fn new(plan: ProviderPlan) -> Self {
        let counters: Vec<Counter> =
            plan.limits.iter().map(|limit| Counter::new(limit.shape, plan.header_lag)).collect();
        let strangers = Visits::all(&plan, &counters);
        Self {
            plan,
            healed: false,
            departed: 0,
            arrivals: BinaryHeap::new(),
            travelling: HashMap::new(),
            answers: HashMap::new(),
            counters,
            strangers,
            keys: HashSet::new(),
            applied: HashMap::new(),
            last_second: VecDeque::new(),
            figures: SimulationReport::default(),
            log: BTreeMap::new(),
            date: None,
        }
    }

    /// A request leaves the client. Returns its number, and when its end reaches the client.
    pub(super) fn depart(&mut self, now: Duration, request: &Request) -> (u64, Option<Duration>) {
        self.advance(now);
        let number = self.departed;
        self.departed += 1;
        let chance = Chance::draw(&self.plan, number, now);
        let arrives_at = chance.arrives_at;
        let safety = request.operation().safety;
        let down = matches!(outage(&self.plan.outages, arrives_at), Some(OutageKind::Refused));
        let not_sent = chance.refused || down;
        let end = if not_sent { Some(arrives_at) } else { (!chance.silent).then_some(chance.ends_at) };
        if self.plan.keeps_log {
            let fate = if not_sent { Fate::NotSent } else { Fate::OnItsWay };
            let exchange = Exchange {
                operation: request.operation().name.to_string(),
                safety,
                id: id_of(request),
                sent_at: now,
                ends_at: end,
                fate,
                applied: false,
            };
            self.log.insert(number, exchange);
        }
        if not_sent {
            self.figures.refused_connections += 1;
            let error = Error::new(ErrorKind::Transport, "no connection to the simulated provider");
            self.answers.insert(number, Err(error.with_sent(Sent::No)));
            return (number, end);
        }
        let limits = if self.healed { &[] } else { &*self.plan.limits };
        let draws = limits
            .iter()
            .enumerate()
            .filter_map(|(index, limit)| limit.draw(request).map(|cost| (index, cost)))
            .collect();
        let writes = is_write(request.method());
        let traveller = Traveller {
            safety,
            id: if writes { id_of(request) } else { String::new() },
            key: request.headers().get(IDEMPOTENCY_KEY).cloned(),
            writes,
            draws,
            chance,
            awaited: true,
        };
        self.travelling.insert(number, traveller);
        self.arrivals.push(Reverse((arrives_at, number)));
        (number, end)
    }

    /// The end of a request, for the client that still waits for it.
    pub(super) fn collect(&mut self, number: u64) -> Result<Response, Error> {
        self.answers.remove(&number).unwrap_or_else(|| Err(broken("the simulation has no answer")))
    }

    /// Nobody waits for this request any more. It arrives all the same.
    pub(super) fn abandon(&mut self, number: u64) {
        self.answers.remove(&number);
        if let Some(traveller) = self.travelling.get_mut(&number) {
            traveller.awaited = false;
        }
    }

    /// No limits, faults, outages and strangers from here on.
    pub(super) fn heal(&mut self) {
        let healthy = ProviderPlan::new(self.plan.seed);
        self.plan.faults = healthy.faults;
        self.plan.latency = healthy.latency;
        self.plan.outages = healthy.outages;
        self.strangers.clear();
        self.healed = true;
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.log.values().cloned().collect()
    }

    /// Lets everything happen that is due, in the order of time.
    pub(super) fn advance(&mut self, now: Duration) {
        loop {
            let arrival = self.arrivals.peek().map(|Reverse((at, _))| *at).filter(|at| *at <= now);
            let stranger = (0..self.strangers.len())
                .min_by_key(|index| self.strangers[*index].next)
                .filter(|index| self.strangers[*index].next <= now);
            match (arrival, stranger) {
                (arrival, Some(index)) if arrival.is_none_or(|at| self.strangers[index].next < at) => {
                    self.stranger_comes(index);
                }
                (Some(_), _) => {
                    if let Some(Reverse((at, number))) = self.arrivals.pop() {
                        self.arrive(at, number);
                    }
                }
                (None, _) => return,
            }
        }
    }

    fn stranger_comes(&mut self, index: usize) {
        let stranger = &mut self.strangers[index];
        let (now, limit) = (stranger.next, stranger.limit);
        let burst = stranger.come();
        for _ in 0..burst {
            if self.counters[limit].room(now, 1).is_ok() {
                self.counters[limit].draw(now, now, 1, true);
                self.figures.stranger_requests += 1;
            }
        }
    }

    fn arrive(&mut self, now: Duration, number: u64) {
        let Some(traveller) = self.travelling.remove(&number) else { return };
        self.figures.requests += 1;
        self.last_second.push_back(now);
        while self.last_second.front().is_some_and(|at| *at + Duration::from_secs(1) <= now) {
            self.last_second.pop_front();
        }
        self.figures.longest_burst = self.figures.longest_burst.max(self.last_second.len() as u64);

        let Judgement { answer, applied } = self.judge(now, &traveller);
        if applied {
            self.apply(&traveller);
        }
        let (fate, answer) = match answer {
            _ if traveller.chance.silent => (Fate::Silent, None),
            Some(Reply { status, limited, headers, body }) if !traveller.chance.loses_reply => {
                if traveller.chance.cuts_body && status.is_success() {
                    let half = CutBody(Some(body.slice(..body.len() / 2)));
                    (Fate::Lost, Some(Ok(Response::streamed(status, headers, Box::pin(half)))))
                } else {
                    let fate = if limited { Fate::Limited(status) } else { Fate::Answered(status) };
                    (fate, Some(Ok(Response::new(status, headers, body))))
                }
            }
            _ => (Fate::Lost, Some(Err(broken("the simulated connection broke")))),
        };
        if matches!(fate, Fate::Lost | Fate::Silent) {
            self.figures.lost_replies += 1;
        }
        if let Some(exchange) = self.log.get_mut(&number) {
            (exchange.fate, exchange.applied) = (fate, applied);
        }
        if let Some(answer) = answer.filter(|_| traveller.awaited) {
            self.answers.insert(number, answer);
        }
    }

    /// What the provider does about a request that has arrived.
    fn judge(&mut self, now: Duration, traveller: &Traveller) -> Judgement {
        match outage(&self.plan.outages, now) {
            Some(OutageKind::Status(status)) => {
                self.figures.server_errors += 1;
                return self.answered(now, status_of(status), HeaderMap::new(), Bytes::new(), false);
            }
            // A request on its way when the connections went down was not lost before it was sent.
            Some(OutageKind::Broken | OutageKind::Refused) => {
                return Judgement { answer: None, applied: false };
            }
            None => {}
        }
        // All or none: only when every limit has room, all are drawn on.
        let refusing = traveller.draws.iter().find_map(|(index, cost)| {
            self.counters[*index].room(now, *cost).err().map(|wait| (*index, wait))
        });
        if let Some((index, wait)) = refusing {
            return self.refuse(now, index, wait, traveller);
        }
        for (index, cost) in &traveller.draws {
            self.counters[*index].draw(now, traveller.chance.leaves_at, *cost, false);
        }
        let headers = self.limit_headers(now, traveller);
        if let Some(status) = traveller.chance.error {
            self.figures.server_errors += 1;
            let applies = traveller.chance.error_applies;
            return self.answered(now, status, headers, Bytes::new(), applies);
        }
        self.figures.successes += 1;
        let body = self.plan.body.clone();
        self.answered(now, StatusCode::OK, headers, body, true)
    }

    fn answered(
        &mut self,
        now: Duration,
        status: StatusCode,
        mut headers: HeaderMap,
        body: Bytes,
        applied: bool,
    ) -> Judgement {
        headers.insert(DATE, self.date(now));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Judgement { answer: Some(Reply { status, limited: false, headers, body }), applied }
    }

    fn refuse(&mut self, now: Duration, index: usize, wait: Duration, traveller: &Traveller) -> Judgement {
        self.figures.refusals += 1;
        self.counters[index].count_refusal(now);
        let mut headers = self.limit_headers(now, traveller);
        headers.insert(DATE, self.date(now));
        let (refusal, hint) = (self.plan.limits[index].refusal, self.plan.limits[index].hint);
        let hint = match hint {
            Hint::None => None,
            Hint::Exact => Some(wait),
            Hint::Always(wait) => Some(wait),
        };
        if let Some(wait) = hint {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_secs(wait)));
        }
        let body = Bytes::from_static(br#"{"message": "rate limit exceeded"}"#);
        let reply = Reply { status: status_of(refusal), limited: true, headers, body };
        Judgement { answer: Some(reply), applied: false }
    }

    /// The headers of the first limit that shows any, as the server that answers knows it.
    fn limit_headers(&mut self, now: Duration, traveller: &Traveller) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        let shown =
            traveller.draws.iter().map(|(index, _)| *index).find(|index| self.plan.limits[*index].shows);
        let Some(index) = shown else { return headers };
        let View { limit, used, resets_at } = self.counters[index].view_ago(now, traveller.chance.lag);
        headers.insert(&LIMIT, HeaderValue::from(limit));
        headers.insert(&REMAINING, HeaderValue::from(limit.saturating_sub(used)));
        headers.insert(&USED, HeaderValue::from(used));
        if let Some(end) = resets_at {
            let reset = self.epoch(Duration::ZERO).saturating_add(whole_secs(end));
            headers.insert(&RESET, HeaderValue::from(reset));
        }
        if let Ok(name) = HeaderValue::from_str(&self.plan.limits[index].name) {
            headers.insert(&RESOURCE, name);
        }
        headers
    }

    /// The provider's clock, right or wrong.
    fn epoch(&self, now: Duration) -> u64 {
        self.plan
            .starts_at_epoch_secs
            .saturating_add(now.as_secs())
            .saturating_add_signed(self.plan.skew_secs)
    }

    fn date(&mut self, now: Duration) -> HeaderValue {
        let second = now.as_secs();
        if let Some((known, date)) = &self.date
            && *known == second
        {
            return date.clone();
        }
        // The last second that an HTTP date can name (year 9999); beyond, formatting would panic.
        const LAST: u64 = 253_402_300_799;
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(self.epoch(now).min(LAST));
        let date = HeaderValue::from_str(&httpdate::fmt_http_date(moment))
            .unwrap_or_else(|_| HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"));
        self.date = Some((second, date.clone()));
        date
    }

    fn apply(&mut self, traveller: &Traveller) {
        if !traveller.writes {
            return;
        }
        if let Some(key) = &traveller.key
            && !self.keys.insert(key.clone())
        {
            return; // a repetition, recognised
        }
        self.figures.applied += 1;
        let (_, times) = self.applied.entry(traveller.id.clone()).or_insert((traveller.safety, 0));
        *times += 1;
    }

    pub(super) fn report(&mut self, now: Duration) -> SimulationReport {
        let mut doubles: Vec<Double> = self
            .applied
            .iter()
            .filter(|(_, (safety, times))| *times > 1 && matches!(safety, Safety::Unsafe | Safety::Keyed))
            .map(|(id, (_, times))| Double { id: id.clone(), times: *times })
            .collect();
        doubles.sort_by(|one, other| one.id.cmp(&other.id));
        let limits = self.plan.limits.iter().zip(&mut self.counters).map(|(limit, counter)| LimitReport {
            name: limit.name.to_string(),
            limit: counter.allowance(),
            window: counter.length(),
            windows: counter.reports(now),
        });
        SimulationReport { lasted: now, doubles, limits: limits.collect(), ..self.figures.clone() }
    }
}

/// What the provider does about a request: acts on it or not, and answers or not.
struct Judgement {
    answer: Option<Reply>,
    applied: bool,
}

struct Reply {
    status: StatusCode,
    /// Is it a refusal for a limit?
    limited: bool,
    headers: HeaderMap,
    body: Bytes,
}

fn id_of(request: &Request) -> String {
    let id = request.headers().get(OPERATION_ID).and_then(|id| id.to_str().ok());
    id.unwrap_or(request.path_and_query()).to_owned()
}

fn outage(outages: &[Outage], at: Duration) -> Option<OutageKind> {
    outages.iter().find(|outage| outage.span.contains(&at)).map(|outage| outage.kind)
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// Rounded up: a server that rounds down asks its clients to come too early.
fn whole_secs(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

fn broken(message: &'static str) -> Error {
    Error::new(ErrorKind::Transport, message).with_sent(Sent::Maybe)
}

/// The first half of a body, and then a broken connection.
struct CutBody(Option<Bytes>);

impl Stream for CutBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(match self.0.take() {
            Some(half) => Ok(half),
            None => Err(broken("the simulated answer was cut off").into()),
        }))
    }
}
