//! How the token endpoint says yes and no, in each of the four shapes.
//!
//! A reason is one row: the standard's word and status, GitHub's word, Slack's word. A broken gateway is a page,
//! so that no client parses before it looks at the status. Descriptions are this crate's own.
//! Not for the authorization endpoint, which answers browsers: see `authorize`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::habits::Shape;
use crate::fault::Refusal;
use crate::server::{Answer, Received};

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    InvalidRequest,
    InvalidClient,
    UnknownClient,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidCode,
    UsedCode,
    WrongRedirectUri,
    WrongVerifier,
    InvalidRefreshToken,
    InvalidAssertion,
    InvalidDeviceCode,
    AuthorizationPending,
    SlowDown,
    AccessDenied,
    ExpiredDeviceCode,
}

struct Row {
    status: StatusCode,
    standard: &'static str,
    github: &'static str,
    slack: &'static str,
    description: &'static str,
}

const fn row(
    standard: &'static str,
    github: &'static str,
    slack: &'static str,
    description: &'static str,
) -> Row {
    Row { status: StatusCode::BAD_REQUEST, standard, github, slack, description }
}

impl Reason {
    /// The standard's word, GitHub's word, Slack's word.
    #[rustfmt::skip]
    fn row(self) -> Row {
        const CLIENT: &str = "invalid_client";
        const GRANT: &str = "invalid_grant";
        const BAD_CODE: &str = "bad_verification_code";
        const BAD_CLIENT: &str = "incorrect_client_credentials";
        match self {
            Self::InvalidRequest => row("invalid_request", "invalid_request", "invalid_arguments", "The request is malformed."),
            Self::InvalidClient => Row { status: StatusCode::UNAUTHORIZED, ..row(CLIENT, BAD_CLIENT, "bad_client_secret", "The client's credentials are wrong.") },
            Self::UnknownClient => Row { status: StatusCode::UNAUTHORIZED, ..row(CLIENT, BAD_CLIENT, "invalid_client_id", "There is no such client.") },
            Self::UnauthorizedClient => row("unauthorized_client", "unauthorized_client", "invalid_client_id", "This client may not use this grant."),
            Self::UnsupportedGrantType => row("unsupported_grant_type", "unsupported_grant_type", "invalid_grant_type", "This grant type is unknown."),
            Self::InvalidScope => row("invalid_scope", "invalid_scope", "invalid_scope", "More scopes were asked for than were granted."),
            Self::InvalidCode => row(GRANT, BAD_CODE, "invalid_code", "The code is unknown or expired."),
            Self::UsedCode => row(GRANT, BAD_CODE, "code_already_used", "The code was used before; its grant is revoked."),
            Self::WrongRedirectUri => row(GRANT, "redirect_uri_mismatch", "bad_redirect_uri", "The redirect_uri is not that of the login."),
            Self::WrongVerifier => row(GRANT, BAD_CODE, "pkce_verification_failed", "The code_verifier does not fit the login."),
            Self::InvalidRefreshToken => row(GRANT, "bad_refresh_token", "invalid_refresh_token", "The refresh token is unknown, expired, used or revoked."),
            Self::InvalidAssertion => row(GRANT, GRANT, "invalid_assertion", "The assertion is not acceptable."),
            Self::InvalidDeviceCode => row(GRANT, "incorrect_device_code", "invalid_code", "The device code is unknown or used."),
            Self::AuthorizationPending => row("authorization_pending", "authorization_pending", "authorization_pending", "The person has not decided yet."),
            Self::SlowDown => row("slow_down", "slow_down", "slow_down", "Polled too fast; wait five seconds longer from now on."),
            Self::AccessDenied => row("access_denied", "access_denied", "access_denied", "The person said no."),
            Self::ExpiredDeviceCode => row("expired_token", "expired_token", "code_expired", "The device code is expired."),
        }
    }
}

/// A refusal of the token endpoint and its neighbours.
#[derive(Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    description: Option<String>,
    /// The seconds between polls from now on, which GitHub tells.
    interval: Option<u64>,
}

impl Failure {
    pub(crate) fn new(reason: Reason) -> Self {
        Self { reason, description: None, interval: None }
    }

    pub(crate) fn because(reason: Reason, why: impl Into<String>) -> Self {
        Self { description: Some(why.into()), ..Self::new(reason) }
    }

    pub(crate) fn slow_down(interval: u64) -> Self {
        Self { interval: Some(interval), ..Self::new(Reason::SlowDown) }
    }

    /// The standard's word and a sentence.
    pub(crate) fn words(&self) -> (&'static str, String) {
        let row = self.reason.row();
        (row.standard, self.description.clone().unwrap_or_else(|| row.description.to_owned()))
    }

    pub(crate) fn into_answer(self, shape: Shape, request: &Received) -> Answer {
        let row = self.reason.row();
        let (standard, description) = self.words();
        match shape {
            Shape::GitHub => {
                let mut fields = error_fields(row.github, &description);
                fields.insert("error_uri".to_owned(), error_uri(row.github).into());
                if let Some(interval) = self.interval {
                    fields.insert("interval".to_owned(), interval.into());
                }
                document(StatusCode::OK, fields, shape, request)
            }
            Shape::Slack => slack_error(row.slack),
            Shape::Atlassian if self.reason == Reason::InvalidRefreshToken => {
                let fields = error_fields("unauthorized_client", "refresh_token is invalid");
                json_answer(StatusCode::FORBIDDEN, &Value::Object(fields))
            }
            Shape::Atlassian if standard == "invalid_grant" => {
                json_answer(StatusCode::FORBIDDEN, &Value::Object(error_fields(standard, &description)))
            }
            Shape::Standard | Shape::Atlassian => {
                let mut answer =
                    json_answer(row.status, &Value::Object(error_fields(standard, &description)));
                if row.status == StatusCode::UNAUTHORIZED {
                    answer.set("www-authenticate", "Basic realm=\"connect-testkit\"");
                }
                answer
            }
        }
    }
}

/// A success of the token endpoint or of the device endpoint.
pub(crate) fn success(mut fields: Map<String, Value>, shape: Shape, request: &Received) -> Answer {
    if shape == Shape::Slack {
        fields.insert("ok".to_owned(), true.into());
    }
    document(StatusCode::OK, fields, shape, request)
}

pub(crate) fn refusal(refusal: &Refusal, shape: Shape, request: &Received) -> Answer {
    match refusal {
        Refusal::Status(StatusCode::UNAUTHORIZED) => {
            Failure::new(Reason::InvalidClient).into_answer(Shape::Standard, request)
        }
        Refusal::Status(
            status
            @ (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT),
        ) => page(*status, "The gateway has no answer."),
        Refusal::Status(status) => {
            let why = status.canonical_reason().unwrap_or("Planned fault");
            json_answer(*status, &Value::Object(error_fields("server_error", why)))
        }
        Refusal::Word(word) => match shape {
            Shape::Slack => slack_error(word),
            Shape::GitHub => {
                let mut fields = error_fields(word, "Planned fault");
                fields.insert("error_uri".to_owned(), error_uri(word).into());
                document(StatusCode::OK, fields, shape, request)
            }
            Shape::Standard | Shape::Atlassian => {
                json_answer(StatusCode::BAD_REQUEST, &Value::Object(error_fields(word, "Planned fault")))
            }
        },
        Refusal::TooManyRequests { retry_after: seconds }
        | Refusal::SecondaryLimit { retry_after: seconds }
        | Refusal::PrimaryLimit { reset_in: seconds } => {
            let body = match shape {
                Shape::Slack => json!({ "ok": false, "error": "ratelimited" }),
                _ => Value::Object(error_fields("temporarily_unavailable", "Too many requests.")),
            };
            let mut answer = json_answer(StatusCode::TOO_MANY_REQUESTS, &body);
            answer.set("retry-after", seconds.to_string());
            answer
        }
    }
}

/// What a browser shows.
pub(crate) fn page(status: StatusCode, text: &str) -> Answer {
    let mut answer =
        Answer::new(status, format!("<html><body><h1>{status}</h1><p>{text}</p></body></html>\n"));
    answer.set("content-type", "text/html; charset=utf-8");
    answer
}

pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(status, body.to_string());
    answer.set("content-type", "application/json; charset=utf-8");
    answer
}

fn slack_error(word: &str) -> Answer {
    json_answer(StatusCode::OK, &json!({ "ok": false, "error": word }))
}

fn error_fields(word: &str, description: &str) -> Map<String, Value> {
    Map::from_iter([
        ("error".to_owned(), Value::from(word)),
        ("error_description".to_owned(), Value::from(description)),
    ])
}

fn error_uri(word: &str) -> String {
    format!("https://docs.testkit.example/errors#{word}")
}

/// JSON, or the form that GitHub gives to whoever does not ask for JSON.
fn document(status: StatusCode, fields: Map<String, Value>, shape: Shape, request: &Received) -> Answer {
    let accepts_json = request.header("accept").is_some_and(|accept| accept.contains("json"));
    if shape != Shape::GitHub || accepts_json {
        return json_answer(status, &Value::Object(fields));
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields {
        form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    let mut answer = Answer::new(status, form.finish());
    answer.set("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    answer
}
