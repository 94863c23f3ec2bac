//! How Jira says yes and no: status, JSON body, and its two shapes of errors.
//!
//! A refusal of the whole request is in `errorMessages`, one of single fields in `errors`; both keys are always
//! there. A wrong credential is plain text, and a broken gateway is a page, so that no client parses before it
//! looks at the status. Wordings are this crate's own.
//! Not for Service Management or the OAuth gateway, which have error shapes of their own.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::limits::{self, Reason};
use crate::fault::Refusal;
use crate::server::{Answer, Received};

/// What a handler made; no body is an answer too.
#[derive(Debug)]
pub(crate) struct Success {
    status: StatusCode,
    body: Option<Value>,
}

impl Success {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body) }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, body: None }
    }

    pub(crate) fn into_answer(self) -> Answer {
        match self.body {
            Some(body) => json_answer(self.status, &body),
            None => Answer::new(self.status, ""),
        }
    }
}

/// Why a handler did nothing.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    status: StatusCode,
    messages: Vec<String>,
    fields: Map<String, Value>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, messages: vec![message.into()], fields: Map::new() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Each wrong field, with what is wrong with it.
    pub(crate) fn fields(fields: Map<String, Value>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, messages: Vec::new(), fields }
    }

    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::fields(Map::from_iter([(name.to_owned(), Value::String(message.into()))]))
    }

    /// Absent and forbidden look the same.
    pub(crate) fn no_issue() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such issue, or you may not see it.")
    }

    pub(crate) fn into_answer(self) -> Answer {
        json_answer(self.status, &json!({ "errorMessages": self.messages, "errors": self.fields }))
    }
}

/// Nobody is named at all.
pub(crate) fn no_credentials() -> Answer {
    let answer = Failure::new(StatusCode::UNAUTHORIZED, "Sign in to use this resource.").into_answer();
    with_challenge(answer)
}

/// Turned away in front of the API, so this is no JSON.
pub(crate) fn wrong_credentials() -> Answer {
    let mut answer = Answer::new(StatusCode::UNAUTHORIZED, "The email or the API token is wrong.");
    answer.set("content-type", "text/plain; charset=utf-8");
    with_challenge(answer)
}

fn with_challenge(mut answer: Answer) -> Answer {
    answer.set("www-authenticate", "Basic realm=\"connect-testkit\"");
    answer
}

pub(crate) fn refusal(request: &Received, refusal: &Refusal, now: u64) -> Answer {
    let (reason, seconds) = match refusal {
        Refusal::Status(status) if is_gateway(*status) => {
            let mut answer = Answer::new(*status, format!("<html><body><h1>{status}</h1></body></html>\n"));
            answer.set("content-type", "text/html; charset=utf-8");
            return answer;
        }
        Refusal::Status(StatusCode::UNAUTHORIZED) => return wrong_credentials(),
        Refusal::Status(status) => {
            let reason = status.canonical_reason().unwrap_or("Planned fault");
            return Failure::new(*status, reason).into_answer();
        }
        Refusal::Word(word) => {
            return Failure::new(StatusCode::UNPROCESSABLE_ENTITY, word).into_answer();
        }
        Refusal::TooManyRequests { retry_after } => (Reason::Burst, *retry_after),
        Refusal::SecondaryLimit { retry_after } => (Reason::IssueWrites, *retry_after),
        Refusal::PrimaryLimit { reset_in } => (Reason::Quota, *reset_in),
    };
    let failure =
        Failure::new(StatusCode::TOO_MANY_REQUESTS, "A rate limit is reached. Wait before you go on.");
    let mut answer = failure.into_answer();
    limits::refuse(&request.method, reason, now, seconds, &mut answer);
    answer
}

/// The gateway in front of Jira gives these three, as a page.
fn is_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(status, body.to_string());
    answer.set("content-type", "application/json;charset=UTF-8");
    answer
}
