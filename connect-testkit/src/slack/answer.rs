//! How Slack says yes and no: HTTP 200 and `ok`, and the headers that every answer carries.
//!
//! Only a 429 and a broken gateway have another status. Error words are Slack's own.
//! Not for incoming webhooks and `response_url`, which answer in plain text.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::fault::Refusal;
use crate::server::Answer;

/// Slack's word for why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Refused(pub(crate) &'static str);

pub(crate) type Handled = Result<Map<String, Value>, Refused>;

pub(crate) fn answer(handled: Handled, lacks_charset: bool) -> Answer {
    let mut body = match handled {
        Ok(fields) => {
            let mut body = json!({ "ok": true });
            if let Value::Object(body) = &mut body {
                body.extend(fields);
            }
            body
        }
        Err(Refused(error)) => json!({ "ok": false, "error": error }),
    };
    if lacks_charset {
        body["warning"] = "missing_charset".into();
        body["response_metadata"]["warnings"] = json!(["missing_charset"]);
    }
    json_answer(StatusCode::OK, &body)
}

pub(crate) fn refusal(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::Word(error) => json_answer(StatusCode::OK, &json!({ "ok": false, "error": error })),
        Refusal::Status(status) => page(*status),
        Refusal::TooManyRequests { retry_after: seconds }
        | Refusal::SecondaryLimit { retry_after: seconds }
        | Refusal::PrimaryLimit { reset_in: seconds } => {
            let body = json!({ "ok": false, "error": "ratelimited" });
            let mut answer = json_answer(StatusCode::TOO_MANY_REQUESTS, &body);
            answer.set("retry-after", seconds.to_string());
            answer
        }
    }
}

/// What slack.com shows outside of its API, and its gateway when the API is down.
pub(crate) fn page(status: StatusCode) -> Answer {
    let mut answer = Answer::new(status, format!("<html><body><h1>{status}</h1></body></html>\n"));
    answer.set("content-type", "text/html; charset=utf-8");
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(status, body.to_string());
    answer.set("content-type", "application/json; charset=utf-8");
    answer.set("cache-control", "private, no-cache, no-store, must-revalidate");
    answer
}
