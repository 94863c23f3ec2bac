//! What became of webhook deliveries: every attempt is kept, can be listed, and can be asked for again.
//!
//! An attempt belongs to the hook that its delivery names: of a repository, an organisation or an App. Lists come newest
//! first, in pages that a cursor continues. Whoever asks for a redelivery gets a real one, to the address of the attempt:
//! same GUID, same bytes, a new attempt with an id of its own. As on GitHub, that works for three days; which status GitHub
//! answers later is not documented, here it is 422. `GET` of an attempt shows what was sent and what came back.
//! The App's are for the App itself, which signs in with its JWT; the others are for the token.
//! Not the hooks themselves: there is nothing to create or to edit.

use std::io;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::FakeGitHub;
use super::answer::{Failure, Success};
use super::routes::{Access, Call, Route};
use super::shape::stable_id;
use super::state::State;
use crate::clock::iso_8601;
use crate::delivery::SignedDelivery;
use crate::post::Reply;

const DEFAULT_PER_PAGE: usize = 30;
const MAX_PER_PAGE: usize = 100;

/// How long GitHub redelivers.
const THREE_DAYS: u64 = 3 * 24 * 3600;

/// One attempt at a delivery, for assertions.
///
/// Look it up with [`FakeGitHub::deliveries`](crate::FakeGitHub::deliveries).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryAttempt {
    /// The attempt's own id.
    pub id: u64,
    /// The value of `X-GitHub-Delivery`: one for all attempts at a delivery.
    pub guid: String,
    /// The value of `X-GitHub-Event`.
    pub event: String,
    /// Whether somebody asked for it.
    pub redelivery: bool,
    /// What the receiver answered; 0 when there was no answer.
    pub status_code: u16,
    /// Seconds since the Unix epoch.
    pub delivered_at: u64,
}

#[derive(Clone)]
struct Attempt {
    id: u64,
    url: String,
    signed: SignedDelivery,
    at: u64,
    redelivery: bool,
    outcome: Outcome,
}

/// What came back.
#[derive(Clone)]
struct Outcome {
    status: String,
    status_code: u16,
    headers: Map<String, Value>,
    payload: Option<String>,
}

impl Outcome {
    fn of(result: &io::Result<Reply>) -> Self {
        let Ok(reply) = result else {
            let status = "failed to connect to host".to_owned();
            return Self { status, status_code: 0, headers: Map::new(), payload: None };
        };
        let ok = reply.status.is_success();
        let status =
            if ok { "OK".to_owned() } else { format!("Invalid HTTP Response: {}", reply.status.as_u16()) };
        let text =
            |value: &http::HeaderValue| Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned());
        let headers = reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Self { status, status_code: reply.status.as_u16(), headers, payload: Some(reply.text()) }
    }
}

impl Attempt {
    fn header(&self, name: &str) -> &str {
        self.signed.header(name).unwrap_or_default()
    }

    fn seen(&self) -> DeliveryAttempt {
        DeliveryAttempt {
            id: self.id,
            guid: self.header("x-github-delivery").to_owned(),
            event: self.header("x-github-event").to_owned(),
            redelivery: self.redelivery,
            status_code: self.outcome.status_code,
            delivered_at: self.at,
        }
    }

    fn payload(&self) -> Value {
        serde_json::from_slice(&self.signed.body).ok().unwrap_or_else(|| {
            let mut form = form_urlencoded::parse(&self.signed.body);
            let field = form.find(|(name, _)| name == "payload");
            field.and_then(|(_, text)| serde_json::from_str(&text).ok()).unwrap_or_default()
        })
    }

    fn summary(&self) -> Value {
        let payload = self.payload();
        json!({
            "id": self.id,
            "guid": self.header("x-github-delivery"),
            "delivered_at": iso_8601(self.at),
            "redelivery": self.redelivery,
            "duration": 0.03,
            "status": self.outcome.status,
            "status_code": self.outcome.status_code,
            "event": self.header("x-github-event"),
            "action": payload["action"],
            "installation_id": payload["installation"]["id"],
            "repository_id": payload["repository"]["id"],
            "throttled_at": null,
        })
    }

    fn detail(&self) -> Value {
        let mut detail = self.summary();
        let headers: Map<String, Value> =
            self.signed.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        detail["url"] = self.url.as_str().into();
        detail["request"] = json!({ "headers": headers, "payload": self.payload() });
        detail["response"] = json!({ "headers": self.outcome.headers, "payload": self.outcome.payload });
        detail
    }
}

/// A redelivery that somebody asked for and that has not left yet.
pub(super) struct Pending {
    pub(super) url: String,
    pub(super) signed: SignedDelivery,
    pub(super) at: u64,
}

/// All attempts, oldest first.
pub(super) struct Deliveries {
    attempts: Vec<Attempt>,
    pub(super) pending: Vec<Pending>,
    count: watch::Sender<usize>,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self { attempts: Vec::new(), pending: Vec::new(), count: watch::Sender::new(0) }
    }
}

impl Deliveries {
    pub(super) fn record(
        &mut self,
        url: &str,
        signed: SignedDelivery,
        result: &io::Result<Reply>,
        at: u64,
        redelivery: bool,
    ) -> u64 {
        // GitHub's ids are large and not consecutive.
        let id = 12_345_678_901 + 7 * self.attempts.len() as u64;
        let outcome = Outcome::of(result);
        self.attempts.push(Attempt { id, url: url.to_owned(), signed, at, redelivery, outcome });
        self.count.send_replace(self.attempts.len());
        id
    }

    pub(super) fn seen(&self) -> Vec<DeliveryAttempt> {
        self.attempts.iter().map(Attempt::seen).collect()
    }

    pub(super) fn counter(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }
}

impl FakeGitHub {
    /// All attempts at deliveries, oldest first: those of [`deliver`](Self::deliver), and those that were asked for.
    pub fn deliveries(&self) -> Vec<DeliveryAttempt> {
        self.provider.state.with(|state| state.deliveries.seen())
    }

    /// Waits until there were this many attempts: a redelivery leaves after its request was answered.
    ///
    /// It waits for ever if that never happens: wrap it in `tokio::time::timeout`.
    pub async fn wait_for_deliveries(&self, count: usize) {
        let mut counter = self.provider.state.with(|state| state.deliveries.counter());
        // The fake lives as long as `self`, so the counter does not end while this waits.
        let _ = counter.wait_for(|&seen| seen >= count).await;
    }
}

const fn listing(operation: &'static str, path: &'static str, access: Access) -> Route {
    Route::new(operation, Method::GET, path, access, list).query(&["per_page", "cursor", "status"])
}

const fn reading(operation: &'static str, path: &'static str, access: Access) -> Route {
    Route::new(operation, Method::GET, path, access, get)
}

const fn asking(operation: &'static str, path: &'static str, access: Access) -> Route {
    Route::new(operation, Method::POST, path, access, redeliver)
}

pub(super) const ROUTES: &[Route] = &[
    listing("apps/list-webhook-deliveries", "/app/hook/deliveries", Access::App),
    reading("apps/get-webhook-delivery", "/app/hook/deliveries/{delivery_id}", Access::App),
    asking("apps/redeliver-webhook-delivery", "/app/hook/deliveries/{delivery_id}/attempts", Access::App),
    listing(
        "repos/list-webhook-deliveries",
        "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries",
        Access::Token,
    ),
    reading(
        "repos/get-webhook-delivery",
        "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}",
        Access::Token,
    ),
    asking(
        "repos/redeliver-webhook-delivery",
        "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
        Access::Token,
    ),
    listing("orgs/list-webhook-deliveries", "/orgs/{org}/hooks/{hook_id}/deliveries", Access::Token),
    reading(
        "orgs/get-webhook-delivery",
        "/orgs/{org}/hooks/{hook_id}/deliveries/{delivery_id}",
        Access::Token,
    ),
    asking(
        "orgs/redeliver-webhook-delivery",
        "/orgs/{org}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
        Access::Token,
    ),
];

/// Whose deliveries a path names, as their headers say it: kind and id of the target, and the hook.
struct Hook {
    kind: &'static str,
    target: Option<String>,
    id: Option<String>,
}

impl Hook {
    fn of(call: &Call<'_>) -> Self {
        let id = |text: &str| Some(stable_id(text).to_string());
        let hook = |index: usize| Some(call.segment(index).to_owned());
        match call.operation.split_once('/').map_or("", |(category, _)| category) {
            "apps" => Self { kind: "integration", target: None, id: None },
            "orgs" => Self { kind: "organization", target: id(call.segment(0)), id: hook(1) },
            _ => {
                let full = format!("{}/{}", call.segment(0), call.segment(1));
                Self { kind: "repository", target: id(&full), id: hook(2) }
            }
        }
    }

    fn has(&self, attempt: &Attempt) -> bool {
        attempt.header("x-github-hook-installation-target-type") == self.kind
            && self
                .target
                .as_deref()
                .is_none_or(|id| attempt.header("x-github-hook-installation-target-id") == id)
            && self.id.as_deref().is_none_or(|id| attempt.header("x-github-hook-id") == id)
    }
}

fn list(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let hook = Hook::of(call);
    let invalid = |field: &str| Failure::validation("Hook", field, "invalid");
    let wanted: fn(u16) -> bool = match call.query("status").as_deref() {
        None => |_| true,
        Some("success") => |status| (200..300).contains(&status),
        Some("failure") => |status| !(200..300).contains(&status),
        Some(_) => return Err(invalid("status")),
    };
    let size = call.query("per_page").and_then(|text| text.parse().ok()).filter(|&size| size > 0);
    let size = size.unwrap_or(DEFAULT_PER_PAGE).min(MAX_PER_PAGE);
    let below = match call.query("cursor") {
        None => u64::MAX,
        Some(cursor) => {
            cursor.strip_prefix("v1_").and_then(|id| id.parse().ok()).ok_or_else(|| invalid("cursor"))?
        }
    };
    let fits =
        |attempt: &&Attempt| attempt.id < below && hook.has(attempt) && wanted(attempt.outcome.status_code);
    let found: Vec<&Attempt> = state.deliveries.attempts.iter().rev().filter(fits).take(size + 1).collect();
    let page = &found[..found.len().min(size)];
    let link = page.last().filter(|_| found.len() > size).map(|last| {
        let others = call.request.query_pairs().filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("cursor", &format!("v1_{}", last.id))
            .finish();
        format!("<{}?{query}>; rel=\"next\"", call.url())
    });
    let items = page.iter().map(|attempt| attempt.summary());
    Ok(Success { link, ..Success::ok(Value::Array(items.collect())) })
}

fn find<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a Attempt, Failure> {
    let hook = Hook::of(call);
    let id = call.path.last().and_then(|text| text.parse::<u64>().ok());
    let found = state.deliveries.attempts.iter().find(|attempt| Some(attempt.id) == id && hook.has(attempt));
    found.ok_or_else(Failure::not_found)
}

fn get(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    Ok(Success::ok(find(state, call)?.detail()))
}

fn redeliver(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let Attempt { url, signed, at, .. } = find(state, call)?.clone();
    if call.now.saturating_sub(at) > THREE_DAYS {
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The delivery is too old to be redelivered.",
        ));
    }
    state.deliveries.pending.push(Pending { url, signed, at: call.now });
    Ok(Success { status: StatusCode::ACCEPTED, ..Success::ok(json!({})) })
}
