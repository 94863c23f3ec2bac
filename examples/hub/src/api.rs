//! The routes for people and programs: hand an event in, look at what happened, replay what was given up.
//!
//! All are below `/api/v1` and concern one tenant: the query parameter `tenant`, or `default`. With `CONNECT_API_TOKEN`
//! every call needs it as a bearer token; without, the hub listens on loopback addresses only.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use connect_core::Secret;
use connect_flow::dead_letter::{DeadLetter, Replayed};
use connect_flow::inbox::{Attempt, EventRecord};
use connect_flow::mapping::MappingFilter;
use connect_flow::{Clock, Envelope, EventId, LogRow, Receipt, Slice, Store, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::flow;

/// Services an event may come from and go to.
const SERVICES: &[&str] = &["github", "slack", "jira"];

/// Longer words are no event types.
const LONGEST_WORD: usize = 255;

/// Rows of a list at most.
const MOST_ROWS: u32 = 500;

#[derive(Clone)]
struct Api {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    token: Option<Secret>,
    tenants: Arc<BTreeSet<String>>,
    handed_in: Arc<AtomicU64>,
}

pub(crate) fn routes(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    token: Option<Secret>,
    tenants: &BTreeSet<String>,
) -> Router {
    let api = Api { store, clock, token, tenants: Arc::new(tenants.clone()), handed_in: Arc::default() };
    Router::new()
        .route("/api/v1/integrations", post(hand_in).get(integrations))
        .route("/api/v1/integrations/{id}", get(integration))
        .route("/api/v1/mappings", get(mappings))
        .route("/api/v1/dead-letters", get(dead_letters))
        .route("/api/v1/dead-letters/{id}/replay", post(replay))
        .layer(middleware::from_fn_with_state(api.clone(), authorize))
        .with_state(api)
}

/// An answer that says what to do.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let busy = self.0 == StatusCode::SERVICE_UNAVAILABLE;
        let mut response = (self.0, Json(json!({"success": false, "error": self.1}))).into_response();
        if busy {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem(StatusCode::BAD_REQUEST, message.into())
}

async fn authorize(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.token.is_none() && !is_of_this_machine(request.headers()) {
        let message = "without CONNECT_API_TOKEN the API serves programs of this machine, and no web pages";
        return Problem(StatusCode::FORBIDDEN, message.to_owned()).into_response();
    }
    if let Some(token) = &api.token {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        if !same(given.as_bytes(), token.expose().as_bytes()) {
            let message = "send `Authorization: Bearer` with the value of CONNECT_API_TOKEN";
            return Problem(StatusCode::UNAUTHORIZED, message.to_owned()).into_response();
        }
    }
    next.run(request).await
}

/// A browser names the page it acts for, and the name under which it found this machine.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    is_loopback && !headers.contains_key(header::ORIGIN)
}

/// Takes as long for a near miss as for a far one; only the length shows.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandIn {
    source_service: String,
    target_service: String,
    event_type: String,
    payload: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Whose {
    #[serde(default = "default_tenant")]
    tenant: String,
}

fn default_tenant() -> String {
    "default".to_owned()
}

async fn hand_in(
    State(api): State<Api>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wanted: HandIn = serde_json::from_slice(&body).map_err(|error| {
        invalid(format!(
            "the body must be a JSON object with source_service, target_service, event_type and payload (an object): {error}"
        ))
    })?;
    if !api.tenants.contains(&whose.tenant) {
        return Err(invalid("there is no such tenant: CONNECT_TENANTS lists them"));
    }
    for (name, service) in
        [("source_service", &wanted.source_service), ("target_service", &wanted.target_service)]
    {
        if !SERVICES.contains(&service.as_str()) {
            return Err(invalid(format!("{name} must be one of {}", SERVICES.join(", "))));
        }
    }
    let way = (wanted.source_service.as_str(), wanted.target_service.as_str());
    let ways = flow::ways();
    if !ways.contains(&way) {
        let flows: Vec<String> = ways.iter().map(|(from, to)| format!("{from} to {to}")).collect();
        return Err(invalid(format!(
            "there is no flow from {} to {}: there are {}",
            way.0,
            way.1,
            flows.join(", ")
        )));
    }
    if wanted.event_type.trim().is_empty() || wanted.event_type.len() > LONGEST_WORD {
        return Err(invalid(format!("event_type must have 1 to {LONGEST_WORD} characters")));
    }
    let key = match headers.get("idempotency-key").map(|value| value.to_str()) {
        Some(Ok(key)) if !key.is_empty() && key.len() <= LONGEST_WORD => format!("api:{key}"),
        Some(_) => {
            return Err(invalid(format!(
                "Idempotency-Key must have 1 to {LONGEST_WORD} printable characters"
            )));
        }
        None => {
            let number = api.handed_in.fetch_add(1, Ordering::Relaxed);
            format!("api:{}-{}-{number}", api.clock.now().as_micros(), std::process::id())
        }
    };
    let mut payload = wanted.payload;
    // Slack's legacy token is no event's business, by whichever way it comes.
    if let Some(token) = payload.get_mut("token").filter(|_| wanted.source_service == "slack") {
        *token = Value::Null;
    }
    let payload = Value::Object(payload).to_string();
    let mut event =
        Envelope::new(whose.tenant.as_str(), wanted.source_service.as_str(), wanted.event_type, key, payload);
    event.target = wanted.target_service;
    let receipt = api.store.accept(event, api.clock.now()).await?;
    let (Receipt::Accepted(id) | Receipt::Duplicate(id, _)) = receipt;
    Ok((StatusCode::ACCEPTED, Json(json!({"success": true, "id": id.0}))))
}

async fn integration(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Query(whose): Query<Whose>,
) -> Result<Json<Value>, Problem> {
    let id = EventId(id);
    let log = api.store.log_row(&whose.tenant, id).await?;
    match (api.store.event(&whose.tenant, id).await?, log) {
        (Some(event), log) => Ok(Json(event_json(&event, log.as_ref()))),
        // The event itself is kept for days, its row in the log for months.
        (None, Some(row)) => Ok(Json(log_json(&row))),
        (None, None) => Err(Problem(StatusCode::NOT_FOUND, format!("there is no integration {id}"))),
    }
}

/// The integration log, newest first.
async fn integrations(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let listed = api.store.log(&query.tenant, slice(query.offset, query.limit)).await?;
    let rows: Vec<Value> = listed.rows.iter().map(log_json).collect();
    Ok(Json(json!({"integrations": rows, "total": listed.total})))
}

fn log_json(row: &LogRow) -> Value {
    json!({
        "id": row.event.0,
        "source_service": row.source,
        "target_service": row.target,
        "event_type": row.event_type,
        "status": row.status,
        "class": row.class,
        "accepted_at_us": row.at.as_micros(),
        "duration_us": u64::try_from(row.duration.as_micros()).unwrap_or(u64::MAX),
    })
}

#[derive(Deserialize)]
struct MappingQuery {
    #[serde(default = "default_tenant")]
    tenant: String,
    source_service: Option<String>,
    source_id: Option<String>,
    target_service: Option<String>,
    target_id: Option<String>,
    #[serde(default)]
    offset: u64,
    limit: Option<u32>,
}

fn slice(offset: u64, limit: Option<u32>) -> Slice {
    Slice { offset, limit: limit.unwrap_or(50).min(MOST_ROWS) }
}

async fn mappings(State(api): State<Api>, Query(query): Query<MappingQuery>) -> Result<Json<Value>, Problem> {
    let slice = slice(query.offset, query.limit);
    let filter = MappingFilter {
        source_service: query.source_service,
        source_id: query.source_id,
        target_service: query.target_service,
        target_id: query.target_id,
    };
    let listed = api.store.mappings(&query.tenant, &filter, slice).await?;
    let rows: Vec<Value> = listed
        .rows
        .iter()
        .map(|mapping| {
            json!({
                "source_service": mapping.source_service, "source_id": mapping.source_id,
                "target_service": mapping.target_service, "target_id": mapping.target_id,
                "created_at_us": mapping.created_at.as_micros(),
            })
        })
        .collect();
    Ok(Json(json!({"mappings": rows, "total": listed.total})))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default = "default_tenant")]
    tenant: String,
    #[serde(default)]
    offset: u64,
    limit: Option<u32>,
}

async fn dead_letters(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let listed = api.store.dead_letters(&query.tenant, slice(query.offset, query.limit)).await?;
    let rows: Vec<Value> = listed.rows.iter().map(dead_letter_json).collect();
    Ok(Json(json!({"dead_letters": rows, "total": listed.total})))
}

async fn replay(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Query(whose): Query<Whose>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = EventId(id);
    match api.store.replay(&whose.tenant, id, api.clock.now()).await? {
        Replayed::As(copy) => {
            Ok((StatusCode::ACCEPTED, Json(json!({"success": true, "id": copy.0, "replay_of": id.0}))))
        }
        Replayed::Already(copy) => Err(Problem(
            StatusCode::CONFLICT,
            format!("it was replayed as {copy}, which has not been given up"),
        )),
        Replayed::Unknown => Err(Problem(StatusCode::NOT_FOUND, format!("there is no dead letter {id}"))),
    }
}

fn dead_letter_json(letter: &DeadLetter) -> Value {
    let mut json = event_json(&letter.event, None);
    json["class"] = letter.class.clone().into();
    json["message"] = letter.message.clone().into();
    json["died_at_us"] = letter.died_at.as_micros().into();
    json["replayed_as"] = letter.replayed_as.map(|id| id.0).into();
    json
}

fn event_json(event: &EventRecord, log: Option<&LogRow>) -> Value {
    json!({
        "id": event.id.0,
        "source_service": &*event.envelope.source,
        "event_type": event.envelope.event_type,
        "dedupe_key": event.envelope.dedupe_key,
        "state": event.state.name(),
        "status": log.map(|row| row.status.as_str()),
        "target_service": log.map(|row| row.target.as_str()),
        "duration_us": log.map(|row| u64::try_from(row.duration.as_micros()).unwrap_or(u64::MAX)),
        "accepted_at_us": event.accepted_at.as_micros(),
        "replay_of": event.replay_of.map(|id| id.0),
        "attempts": event.attempts.iter().map(attempt_json).collect::<Vec<_>>(),
    })
}

fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "started_at_us": attempt.started.as_micros(),
        "ended_at_us": attempt.ended.map(|ended| ended.as_micros()),
        "outcome": attempt.outcome,
        "class": attempt.class,
        "message": attempt.message,
    })
}
