//! GitHub as far as deliveries go, in memory and in paused time: it delivers events to a receiver that is up or down,
//! lists the attempts, and delivers again when it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connect_core::simulation::{Answer, Scripted};
use connect_core::{
    Error, HeaderMap, HeaderValue, Request, Response, StatusCode, Transport, TransportFuture,
};
use connect_github::{Config, GitHub};
use serde_json::json;
use tokio::time::Instant;

/// Some day, in seconds since 1970.
const START: u64 = 1_780_000_000;

#[derive(Clone)]
struct Attempt {
    id: i64,
    guid: String,
    at: u64,
    status: u16,
    is_redelivery: bool,
}

/// What happens to a call instead of its answer.
#[derive(Clone)]
pub(crate) enum Mishap {
    /// This answer, and nothing is done.
    Answer(Answer),
    /// It is done, and nobody hears of it.
    LostAnswer,
}

struct State {
    attempts: Vec<Attempt>,
    receiver_is_up: bool,
    listings: usize,
    asked: Vec<String>,
    arrived: BTreeMap<String, usize>,
    /// After so many more calls.
    mishaps: Vec<(usize, Mishap)>,
}

/// Clones are the same GitHub.
#[derive(Clone)]
pub(crate) struct FakeGitHub {
    state: Arc<Mutex<State>>,
    begun: Instant,
}

impl FakeGitHub {
    pub(crate) fn new() -> Self {
        let state = State {
            attempts: Vec::new(),
            receiver_is_up: true,
            listings: 0,
            asked: Vec::new(),
            arrived: BTreeMap::new(),
            mishaps: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), begun: Instant::now() }
    }

    pub(crate) fn client(&self) -> GitHub {
        let config = Config::default().with_seed(1);
        GitHub::builder().token("ghp_canary").config(config).transport(self.clone()).build().unwrap()
    }

    pub(crate) fn clock(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static + use<> {
        let github = self.clone();
        move || UNIX_EPOCH + Duration::from_secs(github.now())
    }

    fn now(&self) -> u64 {
        START + self.begun.elapsed().as_secs()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn receiver(&self, is_up: bool) {
        self.state().receiver_is_up = is_up;
    }

    /// Something happens and is delivered, or not.
    pub(crate) fn event(&self, guid: &str) {
        self.attempt(guid, false);
    }

    /// An event that failed so long ago and is listed only now.
    pub(crate) fn failed_ago(&self, guid: &str, ago: Duration) {
        let at = self.now() - ago.as_secs();
        let mut state = self.state();
        let id = 1 + state.attempts.len() as i64;
        state.attempts.push(Attempt { id, guid: guid.to_owned(), at, status: 502, is_redelivery: false });
        state.attempts.sort_by_key(|attempt| (attempt.at, attempt.id));
    }

    fn attempt(&self, guid: &str, is_redelivery: bool) {
        let at = self.now();
        let mut state = self.state();
        let status = if state.receiver_is_up { 202 } else { 0 };
        if state.receiver_is_up {
            *state.arrived.entry(guid.to_owned()).or_default() += 1;
        }
        let id = 1 + state.attempts.len() as i64;
        state.attempts.push(Attempt { id, guid: guid.to_owned(), at, status, is_redelivery });
    }

    pub(crate) fn after_calls(&self, calls: usize, mishap: Mishap) {
        self.state().mishaps.push((calls, mishap));
    }

    pub(crate) fn listings(&self) -> usize {
        self.state().listings
    }

    /// The GUIDs that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// How often each event reached the receiver.
    pub(crate) fn arrived(&self) -> BTreeMap<String, usize> {
        self.state().arrived.clone()
    }

    fn answer(&self, request: &Request) -> Response {
        let path = request.path_and_query().to_owned();
        match path.split(['/', '?']).filter(|part| !part.is_empty()).collect::<Vec<_>>().as_slice() {
            ["repos", "octo", "hello", "hooks", "7", "deliveries"]
            | ["repos", "octo", "hello", "hooks", "7", "deliveries", _] => self.list(&path),
            ["repos", "octo", "hello", "hooks", "7", "deliveries", id, "attempts"] => self.redeliver(id),
            _ => Response::new(StatusCode::NOT_FOUND, HeaderMap::new(), r#"{"message":"Not Found"}"#),
        }
    }

    fn list(&self, path: &str) -> Response {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        assert!(query.contains("per_page=100"), "{query}");
        let from: Option<i64> =
            query.split('&').find_map(|pair| pair.strip_prefix("cursor=v1_")?.parse().ok());
        let mut state = self.state();
        state.listings += 1;
        // As an id of an attempt, so that what comes later moves no page.
        let end = match from {
            Some(id) => state.attempts.iter().position(|attempt| attempt.id == id).map_or(0, |at| at + 1),
            None => state.attempts.len(),
        };
        let begin = end.saturating_sub(100);
        let items: Vec<_> = state.attempts[begin..end].iter().rev().map(Attempt::json).collect();
        let mut headers = HeaderMap::new();
        if let Some(next) = begin.checked_sub(1).and_then(|at| state.attempts.get(at)) {
            let link = format!(
                "<https://api.github.com/repos/octo/hello/hooks/7/deliveries?per_page=100&cursor=v1_{}>; rel=\"next\"",
                next.id
            );
            headers.insert("link", HeaderValue::from_str(&link).unwrap());
        }
        Response::new(StatusCode::OK, headers, json!(items).to_string())
    }

    fn redeliver(&self, id: &str) -> Response {
        let found = self.state().attempts.iter().find(|attempt| attempt.id.to_string() == id).cloned();
        let Some(Attempt { guid, .. }) = found else {
            return Response::new(StatusCode::NOT_FOUND, HeaderMap::new(), "");
        };
        self.state().asked.push(guid.clone());
        self.attempt(&guid, true);
        // Without a body: GitHub's description leaves open what it is.
        Response::new(StatusCode::ACCEPTED, HeaderMap::new(), "")
    }

    fn mishap(&self) -> Option<Mishap> {
        let mut state = self.state();
        let at = state.mishaps.iter().position(|(calls, _)| *calls == 0);
        for (calls, _) in &mut state.mishaps {
            *calls = calls.saturating_sub(1);
        }
        at.map(|at| state.mishaps.remove(at).1)
    }
}

impl Attempt {
    fn json(&self) -> serde_json::Value {
        let day = 86_400;
        let (days, second) = (self.at / day, self.at % day);
        // START is in 2026; the tests stay within its year.
        let date = 1 + days - 20_454; // 2026-01-01
        let months = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut month, mut left) = (0, date);
        while left > months[month] {
            left -= months[month];
            month += 1;
        }
        let at = format!(
            "2026-{:02}-{left:02}T{:02}:{:02}:{:02}Z",
            month + 1,
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        json!({
            "id": self.id, "guid": self.guid, "delivered_at": at, "redelivery": self.is_redelivery, "duration": 0.2,
            "status": if self.status == 202 { "OK" } else { "failed to connect to host" },
            "status_code": self.status, "event": "push", "action": null, "installation_id": null,
            "repository_id": 5, "throttled_at": null,
        })
    }
}

impl Transport for FakeGitHub {
    fn send(&self, request: Request) -> TransportFuture {
        let github = self.clone();
        Box::pin(async move {
            // An answer takes a moment, so that calls made at once really overlap.
            tokio::time::sleep(Duration::from_millis(50)).await;
            match github.mishap() {
                None => Ok(github.answer(&request)),
                Some(Mishap::Answer(answer)) => Scripted::new([answer]).send(request).await,
                Some(Mishap::LostAnswer) => {
                    github.answer(&request);
                    let lost: Result<_, Error> =
                        Scripted::new([Answer::dropped_connection()]).send(request).await;
                    lost
                }
            }
        })
    }
}
