//! What happens, as counters, gauges and histograms of the `metrics` facade. Feature `metrics`; the host brings the
//! recorder (Prometheus, StatsD, OpenTelemetry).
//!
//! | metric | kind | unit | labels beside `service` | what |
//! |---|---|---|---|---|
//! | `connect.operation.duration` | histogram | seconds | `operation`, `error.type` | a whole operation, waits included |
//! | `http.client.request.duration` | histogram | seconds | `operation`, `http.response.status_code`, `error.type` | one attempt, its wait for a turn included |
//! | `connect.attempts` | counter | count | `operation` | attempts begun |
//! | `connect.wait.duration` | histogram | seconds | `operation`, `cause` | one wait: `backoff`, `retry_after`, `quota`, `concurrency`, `pause`, `token` |
//! | `connect.quota.remaining` | gauge | count | `bucket` | what the last answer left of a quota |
//! | `connect.quota.pauses` | counter | count | `bucket` | closings of a quota until later |
//! | `connect.breaker.state` | gauge | count | | 0 closed, 1 half open, 2 open |
//! | `connect.token.fetches` | counter | count | `error.type` | tokens fetched, or not |
//! | `connect.token.refusals` | counter | count | | tokens the provider refused before their time |
//! | `connect.cache.events` | counter | count | `operation`, `kind` | `missed`, `revalidated`, `stored`, `stale` |
//! | `connect.redirects` | counter | count | `operation` | redirects followed |
//! | `connect.drift` | counter | count | `operation` | promised fields that answers lack |
//! | `connect.deprecations` | counter | count | `operation` | answers that say their operation is going away |
//! | `connect.fallbacks` | counter | count | `operation`, `kind` | answers replaced: `stale`, `default` |
//!
//! `error.type` and `http.*` are [OpenTelemetry's names](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/);
//! `error.type` is the [kind](crate::ErrorKind::name) of a failure and absent on success. Never a label: tenant, URL,
//! header, or anything else that an outsider can make many values of. The operation is the provider's name of it; who
//! names [raw calls](crate::Operation::raw) keeps the names few.
//!
//! Two clients of one service in a process share its gauges: the last one to speak is seen.

use metrics::{Label, SharedString, Unit};

use crate::api::Verdict;
use crate::error::ErrorKind;
use crate::event::{Ending, Event};
use crate::observe::{Observer, Scope};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A row of the table above.
#[derive(Debug)]
struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    what: &'static str,
}

const fn counter(name: &'static str, what: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, what }
}

const fn gauge(name: &'static str, what: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit: Unit::Count, what }
}

const fn seconds(name: &'static str, what: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, unit: Unit::Seconds, what }
}

static OPERATION: Metric = seconds("connect.operation.duration", "a whole operation, waits included");
static ATTEMPT: Metric = seconds("http.client.request.duration", "one attempt, its wait for a turn included");
static ATTEMPTS: Metric = counter("connect.attempts", "attempts begun");
static WAIT: Metric = seconds("connect.wait.duration", "one wait");
static QUOTA: Metric = gauge("connect.quota.remaining", "what the last answer left of a quota");
static PAUSES: Metric = counter("connect.quota.pauses", "closings of a quota until later");
static BREAKER: Metric = gauge("connect.breaker.state", "0 closed, 1 half open, 2 open");
static TOKENS: Metric = counter("connect.token.fetches", "tokens fetched, or not");
static REFUSALS: Metric = counter("connect.token.refusals", "tokens the provider refused before their time");
static CACHE: Metric = counter("connect.cache.events", "what the cache did");
static REDIRECTS: Metric = counter("connect.redirects", "redirects followed");
static DRIFT: Metric = counter("connect.drift", "promised fields that answers lack");
static DEPRECATIONS: Metric =
    counter("connect.deprecations", "answers that say their operation is going away");
static FALLBACKS: Metric = counter("connect.fallbacks", "answers replaced");

static METRICS: [&Metric; 14] = [
    &OPERATION,
    &ATTEMPT,
    &ATTEMPTS,
    &WAIT,
    &QUOTA,
    &PAUSES,
    &BREAKER,
    &TOKENS,
    &REFUSALS,
    &CACHE,
    &REDIRECTS,
    &DRIFT,
    &DEPRECATIONS,
    &FALLBACKS,
];

/// One value for the recorder.
struct Sample {
    metric: &'static Metric,
    value: f64,
    labels: Vec<Label>,
}

impl Sample {
    fn new(metric: &'static Metric, value: f64, scope: &Scope) -> Self {
        Self { metric, value, labels: vec![Label::new("service", scope.service)] }
    }

    fn count(metric: &'static Metric, scope: &Scope) -> Self {
        Self::new(metric, 1.0, scope)
    }

    fn with(mut self, name: &'static str, value: impl Into<SharedString>) -> Self {
        self.labels.push(Label::new(name, value));
        self
    }

    fn of(self, scope: &Scope) -> Self {
        self.with("operation", scope.operation.clone())
    }

    fn failed(self, failure: Option<&'static str>) -> Self {
        match failure {
            Some(kind) => self.with("error.type", kind),
            None => self,
        }
    }

    fn record(self) {
        let Self { metric, value, labels } = self;
        match metric.kind {
            Kind::Counter => ::metrics::counter!(metric.name, labels).increment(1),
            Kind::Gauge => ::metrics::gauge!(metric.name, labels).set(value),
            Kind::Histogram => ::metrics::histogram!(metric.name, labels).record(value),
        }
    }
}

/// What an event means to the table; `None` for those that it does not count.
fn sample(scope: &Scope, event: &Event) -> Option<Sample> {
    Some(match event {
        Event::AttemptStarted { .. } => Sample::count(&ATTEMPTS, scope).of(scope),
        Event::AttemptEnded { ending, took, .. } => {
            let sample = Sample::new(&ATTEMPT, took.as_secs_f64(), scope).of(scope);
            match ending {
                Ending::Answered { status, verdict } => sample
                    .with("http.response.status_code", status.as_str().to_owned())
                    .failed(verdict.and_then(failure)),
                Ending::Failed { kind, .. } => sample.failed(Some(kind.name())),
            }
        }
        Event::Waited { cause, took } => {
            Sample::new(&WAIT, took.as_secs_f64(), scope).of(scope).with("cause", cause.name())
        }
        #[expect(clippy::cast_precision_loss, reason = "no quota comes near 2^53")]
        Event::QuotaSeen { bucket, remaining, .. } => {
            Sample::new(&QUOTA, *remaining as f64, scope).with("bucket", bucket.clone())
        }
        Event::QuotaPaused { bucket, .. } => Sample::count(&PAUSES, scope).with("bucket", bucket.clone()),
        Event::Breaker { state } => {
            let value = match *state {
                "open" => 2.0,
                "half_open" => 1.0,
                _ => 0.0,
            };
            Sample::new(&BREAKER, value, scope)
        }
        Event::TokenFetched { failure, .. } => {
            Sample::count(&TOKENS, scope).failed(failure.map(ErrorKind::name))
        }
        Event::TokenRefused => Sample::count(&REFUSALS, scope),
        Event::Cache(event) => Sample::count(&CACHE, scope).of(scope).with("kind", event.name()),
        Event::Redirected { .. } => Sample::count(&REDIRECTS, scope).of(scope),
        Event::Drift { .. } => Sample::count(&DRIFT, scope).of(scope),
        Event::Deprecated { .. } => Sample::count(&DEPRECATIONS, scope).of(scope),
        Event::FellBack { to } => Sample::count(&FALLBACKS, scope).of(scope).with("kind", *to),
        Event::Ended { failure, took, .. } => {
            Sample::new(&OPERATION, took.as_secs_f64(), scope).of(scope).failed(failure.map(ErrorKind::name))
        }
        Event::Waiting { .. } => return None,
    })
}

/// A failure that has an answer, in the words of [`ErrorKind`].
fn failure(verdict: Verdict) -> Option<&'static str> {
    let kind = match verdict {
        Verdict::Success => return None,
        Verdict::RateLimited { .. } => ErrorKind::RateLimited,
        Verdict::Transient { .. } => ErrorKind::Unavailable,
        Verdict::Unauthenticated => ErrorKind::Auth,
        Verdict::Refused => ErrorKind::Provider,
    };
    Some(kind.name())
}

/// Counts and measures what it hears; see the [module](self) for the table.
///
/// ```
/// use connect_core::metrics::MetricsObserver;
/// use connect_core::observe::Observer;
/// // First install the recorder, so that it learns what the metrics mean.
/// let observer: std::sync::Arc<dyn Observer> = std::sync::Arc::new(MetricsObserver::new());
/// # let _ = observer;
/// ```
#[derive(Debug)]
pub struct MetricsObserver(());

impl MetricsObserver {
    /// Describes the metrics to the recorder that is installed now, and records to the one that is when it hears.
    pub fn new() -> Self {
        for metric in METRICS {
            match metric.kind {
                Kind::Counter => ::metrics::describe_counter!(metric.name, metric.unit, metric.what),
                Kind::Gauge => ::metrics::describe_gauge!(metric.name, metric.unit, metric.what),
                Kind::Histogram => ::metrics::describe_histogram!(metric.name, metric.unit, metric.what),
            }
        }
        Self(())
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for MetricsObserver {
    fn on_event(&self, scope: &Scope, event: &Event) {
        if let Some(sample) = sample(scope, event) {
            sample.record();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Sent;
    use crate::event::{CacheEvent, Cause};
    use http::StatusCode;
    use metrics::{
        Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
        with_local_recorder,
    };
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// Writes everything down as `kind name{label=value,..} value`.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    struct Handle {
        log: Log,
        line: String,
    }

    impl Handle {
        fn write(&self, value: f64) {
            self.log.0.lock().unwrap().push(format!("{} {value}", self.line));
        }
    }

    impl CounterFn for Handle {
        fn increment(&self, value: u64) {
            self.write(f64::from(u32::try_from(value).unwrap()));
        }
        fn absolute(&self, _: u64) {}
    }

    impl GaugeFn for Handle {
        fn increment(&self, _: f64) {}
        fn decrement(&self, _: f64) {}
        fn set(&self, value: f64) {
            self.write(value);
        }
    }

    impl HistogramFn for Handle {
        fn record(&self, value: f64) {
            self.write(value);
        }
    }

    impl Log {
        fn handle(&self, kind: &str, key: &Key) -> Arc<Handle> {
            let labels: Vec<_> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            let line = format!("{kind} {}{{{}}}", key.name(), labels.join(","));
            Arc::new(Handle { log: self.clone(), line })
        }

        fn describe(&self, key: &KeyName, unit: Option<Unit>) {
            self.0.lock().unwrap().push(format!("{} in {}", key.as_str(), unit.unwrap().as_str()));
        }
    }

    impl Recorder for Log {
        fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
            self.describe(&key, unit);
        }
        fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
            self.describe(&key, unit);
        }
        fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
            self.describe(&key, unit);
        }
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.handle("counter", key))
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.handle("gauge", key))
        }
        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.handle("histogram", key))
        }
    }

    fn recorded(work: impl FnOnce()) -> Vec<String> {
        let log = Log::default();
        with_local_recorder(&log, work);
        let lines = log.0.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn every_event_becomes_what_the_table_says() {
        let second = Duration::from_secs(1);
        let answered = |status, verdict| Event::AttemptEnded {
            number: 1,
            ending: Ending::Answered { status, verdict: Some(verdict) },
            took: second,
        };
        let events = [
            Event::AttemptStarted { number: 1 },
            answered(StatusCode::OK, Verdict::Success),
            answered(StatusCode::OK, Verdict::RateLimited { retry_after: None }),
            Event::AttemptEnded {
                number: 2,
                ending: Ending::Failed { kind: ErrorKind::Transport, sent: Sent::Maybe },
                took: second,
            },
            Event::Waiting { cause: Cause::Backoff, planned: None },
            Event::Waited { cause: Cause::Quota { bucket: "core".into() }, took: second },
            Event::QuotaSeen { bucket: "core".into(), limit: None, remaining: 42, resets_in: None },
            Event::QuotaPaused { bucket: "core".into(), wait: second },
            Event::Breaker { state: "open" },
            Event::TokenFetched { failure: None, took: second },
            Event::TokenFetched { failure: Some(ErrorKind::Auth), took: second },
            Event::TokenRefused,
            Event::Cache(CacheEvent::Revalidated),
            Event::Redirected { status: StatusCode::FOUND, own_origin: true },
            Event::Drift { path: "canary".into() },
            Event::Deprecated { since: None, sunset: None },
            Event::FellBack { to: "stale" },
            Event::Ended {
                failure: Some(ErrorKind::NotFound),
                status: Some(StatusCode::NOT_FOUND),
                attempts: 2,
                sent: Sent::Yes,
                took: second,
            },
        ];
        let scope = Scope::new("weather", "today".into());
        let lines = recorded(|| events.iter().for_each(|event| MetricsObserver(()).on_event(&scope, event)));
        assert_eq!(
            lines,
            [
                "counter connect.attempts{service=weather,operation=today} 1",
                "histogram http.client.request.duration{service=weather,operation=today,http.response.status_code=200} 1",
                "histogram http.client.request.duration{service=weather,operation=today,http.response.status_code=200,error.type=rate_limited} 1",
                "histogram http.client.request.duration{service=weather,operation=today,error.type=transport} 1",
                "histogram connect.wait.duration{service=weather,operation=today,cause=quota} 1",
                "gauge connect.quota.remaining{service=weather,bucket=core} 42",
                "counter connect.quota.pauses{service=weather,bucket=core} 1",
                "gauge connect.breaker.state{service=weather} 2",
                "counter connect.token.fetches{service=weather} 1",
                "counter connect.token.fetches{service=weather,error.type=auth} 1",
                "counter connect.token.refusals{service=weather} 1",
                "counter connect.cache.events{service=weather,operation=today,kind=revalidated} 1",
                "counter connect.redirects{service=weather,operation=today} 1",
                "counter connect.drift{service=weather,operation=today} 1",
                "counter connect.deprecations{service=weather,operation=today} 1",
                "counter connect.fallbacks{service=weather,operation=today,kind=stale} 1",
                "histogram connect.operation.duration{service=weather,operation=today,error.type=not_found} 1",
            ]
        );
    }

    #[test]
    fn the_table_in_the_docs_is_this_table() {
        let docs = include_str!("metrics.rs");
        let described = recorded(|| _ = MetricsObserver::new());
        assert_eq!(described.len(), METRICS.len());
        for metric in METRICS {
            let (kind, unit) = (format!("{:?}", metric.kind).to_lowercase(), metric.unit.as_str());
            let row = format!("//! | `{}` | {kind} | {unit} |", metric.name);
            assert!(docs.contains(&row), "{row}");
            assert!(described.contains(&format!("{} in {unit}", metric.name)), "{described:?}");
        }
    }

    #[test]
    fn neither_tenant_nor_url_can_become_a_label() {
        let allowed =
            ["service", "operation", "bucket", "cause", "kind", "error.type", "http.response.status_code"];
        let docs = include_str!("metrics.rs");
        let table = docs.lines().filter(|line| line.starts_with("//! | `"));
        for row in table {
            let labels = row.split('|').nth(4).unwrap();
            for label in labels
                .split(',')
                .map(|label| label.trim().trim_matches('`'))
                .filter(|label| !label.is_empty())
            {
                assert!(allowed.contains(&label), "{label}");
            }
        }
        // What an observer hears has no place for them; this breaks when somebody adds one.
        let Scope { service: _, operation: _ } = Scope::default();
    }
}
