//! How GitHub says yes and no: status, JSON body, and the headers that every answer carries.
//!
//! Handlers return plain values, and this module alone turns them into HTTP. Messages are this crate's own
//! wording, except for the few that clients recognise by their text.
//! Not for GraphQL, whose errors arrive as 200.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fault::Refusal;
use crate::server::{Answer, Received};
use crate::sign::hex;

const JSON: &str = "application/json; charset=utf-8";
pub(super) const DOCS: &str = "https://docs.github.com/rest";
const LIMITS_DOCS: &str = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";
pub(super) const SECONDARY_DOCS: &str =
    "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits";
/// The page that GitHub links to where its message says nothing.
pub(super) const SECONDARY_PAGE: &str = "https://docs.github.com/free-pro-team@latest/rest/overview/resources-in-the-rest-api#secondary-rate-limits";

/// What a handler made, and the links that go into headers.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) location: Option<String>,
    pub(crate) link: Option<String>,
    /// Content type and bytes, instead of the JSON.
    pub(super) raw: Option<(&'static str, Bytes)>,
}

impl Success {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, location: None, link: None, raw: None }
    }

    pub(crate) fn raw(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self { raw: Some((content_type, bytes.into())), ..Self::ok(Value::Null) }
    }

    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::raw(JSON, "") }
    }

    pub(crate) fn created(body: Value) -> Self {
        let location = body["url"].as_str().map(str::to_owned);
        Self { status: StatusCode::CREATED, location, ..Self::ok(body) }
    }
}

/// Why a handler did nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    message: String,
    documentation: &'static str,
    errors: Vec<Value>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), documentation: DOCS, errors: Vec::new() }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    pub(crate) fn requires_authentication() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Requires authentication")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// One field is wrong, with GitHub's code for how: `missing_field`, `invalid`, ..
    pub(crate) fn validation(resource: &str, field: &str, code: &str) -> Self {
        let error = json!({ "resource": resource, "field": field, "code": code });
        Self { errors: vec![error], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed") }
    }

    pub(crate) fn documented_at(self, documentation: &'static str) -> Self {
        Self { documentation, ..self }
    }

    pub(crate) fn primary_limit(login: &str) -> Self {
        Self {
            documentation: LIMITS_DOCS,
            ..Self::new(StatusCode::FORBIDDEN, format!("API rate limit exceeded for user {login}."))
        }
    }
}

pub(crate) fn success(request: &Received, success: &Success) -> Answer {
    let json = (JSON, Bytes::from(success.body.to_string()));
    let (content_type, body) = success.raw.clone().unwrap_or(json);
    let etag = format!("W/\"{}\"", hex(&Sha256::digest(&body)));
    let is_document = success.status == StatusCode::OK && request.method == http::Method::GET;
    let mut answer = if is_document && names_etag(request, &etag) {
        Answer::new(StatusCode::NOT_MODIFIED, "")
    } else {
        let mut answer = Answer::new(success.status, body);
        answer.set("content-type", content_type);
        answer
    };
    if !success.status.is_redirection() {
        answer.set("etag", etag);
    }
    answer.set("cache-control", "private, max-age=60, s-maxage=60");
    answer.set("vary", "Accept, Authorization, Cookie, X-GitHub-OTP");
    if let Some(location) = &success.location {
        answer.set("location", location);
    }
    if let Some(link) = &success.link {
        answer.set("link", link);
    }
    answer
}

/// Weak comparison, as RFC 9110 wants for `If-None-Match`.
fn names_etag(request: &Received, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request
        .header("if-none-match")
        .is_some_and(|list| list.trim() == "*" || list.split(',').any(|tag| opaque(tag) == opaque(etag)))
}

pub(crate) fn failure(failure: &Failure) -> Answer {
    let mut body = json!({
        "message": failure.message,
        "documentation_url": failure.documentation,
        "status": failure.status.as_str(),
    });
    if !failure.errors.is_empty() {
        body["errors"] = Value::Array(failure.errors.clone());
    }
    json_answer(failure.status, body.to_string())
}

/// GitHub turns away requests without a user agent before its API sees them, so this is no JSON.
pub(crate) fn no_user_agent() -> Answer {
    let mut answer = Answer::new(
        StatusCode::FORBIDDEN,
        "Request forbidden by administrative rules. Send a User-Agent header.\n",
    );
    answer.set("content-type", "text/html; charset=utf-8");
    answer
}

pub(crate) fn refusal(refusal: &Refusal, login: &str) -> Answer {
    match refusal {
        Refusal::Status(status) if is_gateway(*status) => {
            let mut answer = Answer::new(*status, format!("<html><body><h1>{status}</h1></body></html>\n"));
            answer.set("content-type", "text/html; charset=utf-8");
            answer
        }
        Refusal::Status(StatusCode::UNAUTHORIZED) => failure(&Failure::bad_credentials()),
        Refusal::Status(status) => {
            failure(&Failure::new(*status, status.canonical_reason().unwrap_or("Planned fault")))
        }
        Refusal::TooManyRequests { retry_after } => secondary(StatusCode::TOO_MANY_REQUESTS, *retry_after),
        Refusal::SecondaryLimit { retry_after } => secondary(StatusCode::FORBIDDEN, *retry_after),
        Refusal::PrimaryLimit { .. } => failure(&Failure::primary_limit(login)),
        Refusal::Word(word) => failure(&Failure::new(StatusCode::UNPROCESSABLE_ENTITY, word)),
    }
}

/// The load balancer in front of GitHub gives these three, as a page.
fn is_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

fn secondary(status: StatusCode, retry_after: u64) -> Answer {
    let mut answer = failure(&Failure {
        documentation: SECONDARY_DOCS,
        ..Failure::new(status, "You have exceeded a secondary rate limit. Wait before you try again.")
    });
    answer.set("retry-after", retry_after.to_string());
    answer
}

fn json_answer(status: StatusCode, body: String) -> Answer {
    let mut answer = Answer::new(status, body);
    answer.set("content-type", JSON);
    answer
}
