//! What GitHub's answers mean: rate limits told from missing permissions, and the error payload in all its shapes.
//!
//! GitHub answers 403 for three different things. The order of the checks is GitHub's own advice
//! (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>): first
//! `Retry-After`, then a used-up primary limit, then the text of a secondary limit; what remains is a permission.

use std::sync::Arc;
use std::time::Duration;

use connect_core::quota::QuotaModel;
use connect_core::{Api, Response, StatusCode, Verdict, hint};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::quota::GitHubQuota;

/// What a limit without any figure waits: GitHub asks for at least a minute.
const UNEXPLAINED_LIMIT: Duration = Duration::from_secs(60);

/// The reset time is a whole second; one more makes sure it has passed.
const RESET_MARGIN: Duration = Duration::from_secs(1);

/// GitHub as connect-core sees it. A type without values.
#[derive(Debug)]
pub enum GitHubApi {}

impl Api for GitHubApi {
    const ID: &'static str = "github";
    const BASE_URL: &'static str = "https://api.github.com";
    const REQUEST_ID_HEADERS: &'static [&'static str] = &["x-github-request-id"];
    type Handle = crate::GitHub;

    fn classify(response: &Response) -> Verdict {
        match response.status() {
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => match limit(response) {
                Some(wait) => Verdict::RateLimited { retry_after: Some(wait) },
                None => Verdict::Refused,
            },
            _ => Verdict::from_status(response),
        }
    }

    fn quota() -> Arc<dyn QuotaModel> {
        Arc::new(GitHubQuota::default())
    }

    fn problem(response: &Response) -> connect_core::Problem {
        let problem = serde_json::from_slice::<Problem>(response.body()).unwrap_or_default();
        let mut words = problem.message.clone();
        if let Some(words) = &mut words {
            for error in &problem.errors {
                words.push_str("; ");
                words.push_str(&error.summary());
            }
            if response.status() == StatusCode::FORBIDDEN
                && let Some(accepted) = response.header("x-accepted-github-permissions")
            {
                words.push_str("; GitHub would accept the permissions ");
                words.push_str(accepted);
            }
        }
        connect_core::Problem::default().with_message(words).with_details(problem)
    }
}

/// How long to wait if this 403 or 429 is a rate limit; `None` if it is a missing permission.
fn limit(response: &Response) -> Option<Duration> {
    let headers = response.headers();
    if let Some(wait) = hint::retry_after(headers) {
        return Some(wait);
    }
    if response.header("x-ratelimit-remaining") == Some("0") {
        let reset = response.header("x-ratelimit-reset").and_then(|epoch| epoch.parse().ok());
        let wait = reset.and_then(|epoch| hint::until_epoch(headers, epoch));
        return Some(wait.map_or(UNEXPLAINED_LIMIT, |wait| wait + RESET_MARGIN));
    }
    let unexplained =
        response.status() == StatusCode::TOO_MANY_REQUESTS || names_a_secondary_limit(response.body());
    unexplained.then_some(UNEXPLAINED_LIMIT)
}

fn names_a_secondary_limit(body: &[u8]) -> bool {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else { return false };
    let message = problem.message.unwrap_or_default().to_ascii_lowercase();
    let page = problem.documentation_url.unwrap_or_default();
    let page = page.split('?').next().unwrap_or_default();
    message.contains("secondary rate limit")
        || message.contains("abuse detection")
        || page.ends_with("secondary-rate-limits")
        || page.ends_with("#abuse-rate-limits")
}

/// GitHub's error payload: `error.details::<connect_github::Problem>()`.
///
/// Every field is optional, because GitHub leaves out each of them somewhere.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Problem {
    /// What GitHub says.
    pub message: Option<String>,
    /// The page about it.
    pub documentation_url: Option<String>,
    /// What is wrong with which field.
    #[serde(default, deserialize_with = "field_errors")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field of a request.
///
/// GitHub sends an object or a bare sentence; a sentence becomes `message`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldError {
    /// What kind of thing the field belongs to (`Issue`).
    pub resource: Option<String>,
    /// The field.
    pub field: Option<String>,
    /// `missing`, `missing_field`, `invalid`, `already_exists`, `unprocessable`, `custom`.
    pub code: Option<String>,
    /// More words, mostly for `custom`.
    pub message: Option<String>,
}

impl FieldError {
    fn summary(&self) -> String {
        let place = [self.resource.as_deref(), self.field.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(".");
        let why = self.message.as_deref().or(self.code.as_deref()).unwrap_or("refused");
        if place.is_empty() { why.to_owned() } else { format!("{place}: {why}") }
    }
}

/// Whatever GitHub puts there: nothing odd in it may hide the message beside it.
fn field_errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<FieldError>, D::Error> {
    let errors = match Value::deserialize(deserializer)? {
        Value::Array(errors) => errors,
        Value::Null => Vec::new(),
        single => vec![single],
    };
    Ok(errors.into_iter().filter_map(field_error).collect())
}

fn field_error(error: Value) -> Option<FieldError> {
    match error {
        Value::String(message) => Some(FieldError { message: Some(message), ..FieldError::default() }),
        Value::Object(mut fields) => {
            let mut text = |name: &str| match fields.remove(name) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            };
            Some(FieldError {
                resource: text("resource"),
                field: text("field"),
                code: text("code"),
                message: text("message"),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderMap, HeaderName, HeaderValue};

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        Response::new(StatusCode::from_u16(status).unwrap(), map, body)
    }

    fn wait(seconds: u64) -> Verdict {
        Verdict::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn a_403_is_a_limit_or_a_permission() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT"); // epoch 784111777
        let secondary = r#"{"message": "You have exceeded a secondary rate limit"}"#;
        let odd = r#"{"message": "You have exceeded a secondary rate limit", "errors": "x"}"#;
        let page = r#"{"message": "no", "documentation_url": "https://docs.example/rest#secondary-rate-limits?x=1"}"#;
        type Case = (u16, &'static [(&'static str, &'static str)], &'static str, Verdict);
        let cases: [Case; 9] = [
            (403, &[("retry-after", "9")], "", wait(9)),
            (403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "784111807"), DATE], "", wait(31)),
            (403, &[("x-ratelimit-remaining", "0")], "", wait(60)),
            // A reset far away says nothing while something remains.
            (
                403,
                &[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "784119999"), DATE],
                secondary,
                wait(60),
            ),
            (403, &[], page, wait(60)),
            (403, &[], odd, wait(60)),
            (429, &[], "<html>", wait(60)),
            (
                403,
                &[("x-ratelimit-remaining", "7")],
                r#"{"message": "Must have admin rights"}"#,
                Verdict::Refused,
            ),
            (403, &[], r#"{"message": null}"#, Verdict::Refused),
        ];
        for (status, headers, body, verdict) in cases {
            assert_eq!(
                GitHubApi::classify(&answer(status, headers, body)),
                verdict,
                "{status} {headers:?} {body}"
            );
        }
    }

    #[test]
    fn field_errors_come_as_objects_and_as_sentences() {
        let body = r#"{"message": "Validation Failed", "errors": [
            {"resource": "Issue", "field": "title", "code": "missing_field"}, "Name is too long", 7]}"#;
        let problem = GitHubApi::problem(&answer(422, &[], body));
        assert_eq!(
            problem.message.unwrap(),
            "Validation Failed; Issue.title: missing_field; Name is too long"
        );
    }

    #[test]
    fn html_empty_and_odd_bodies_are_no_problem() {
        for body in ["", "<html>", "[]", r#"{"errors": null}"#, r#"{"message": null}"#] {
            assert!(GitHubApi::problem(&answer(502, &[], body)).message.is_none(), "{body}");
        }
    }
}
