//! What the answers of authorization servers mean to the stack.
//!
//! Errors come with HTTP 400 and 401 by the standard, with 403 from Atlassian, and with 200 from GitHub and Slack. So the
//! verdict comes from what the answer says.

use std::borrow::Cow;

use connect_core::{Api, Client, ErrorKind, Response, Verdict, hint};
use serde_json::Value;

use crate::problem::Problem;

/// An authorization server as connect-core sees it. A type without values.
#[derive(Debug)]
pub(crate) enum OAuthApi {}

impl Api for OAuthApi {
    const ID: &'static str = "oauth";
    const BASE_URL: &'static str = "https://authorization.example";
    type Handle = Client<Self>;

    fn classify(response: &Response) -> Verdict {
        let by_status = Verdict::from_status(response);
        // A busy or broken server is believed by its status, whatever page it sends.
        if matches!(by_status, Verdict::RateLimited { .. } | Verdict::Transient { .. }) {
            return by_status;
        }
        match read(response).map(|problem| problem.code.kind()) {
            Some(ErrorKind::Unavailable) => {
                Verdict::Transient { retry_after: hint::retry_after(response.headers()) }
            }
            // `slow_down` included: the caller who asks too often is told, and waits itself.
            Some(_) => Verdict::Refused,
            // There is no credential that the stack could renew.
            None if by_status == Verdict::Unauthenticated => Verdict::Refused,
            None => by_status,
        }
    }

    fn problem(response: &Response) -> connect_core::Problem {
        let Some(problem) = read(response) else { return connect_core::Problem::default() };
        connect_core::Problem::default()
            .with_kind(Some(problem.code.kind()))
            .with_message(Some(problem.code.explanation().to_owned()))
            .with_details(problem)
    }
}

fn read(response: &Response) -> Option<Problem> {
    let body = response.body();
    let is_json = |text: &str| text.trim_start().starts_with('{');
    let text = std::str::from_utf8(body).ok()?;
    let answer = if is_json(text) { serde_json::from_str(text).ok()? } else { form(text)? };
    if response.status().is_success() { Problem::read(&answer) } else { Problem::read_refusal(&answer) }
}

/// A form-encoded error: what GitHub sends to whoever did not ask for JSON, proxies in between included.
fn form(text: &str) -> Option<Value> {
    if !text.contains("error=") || text.contains('<') {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    Some(Value::Object(pairs.map(|(name, value)| (Cow::into_owned(name), Value::from(&*value))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderMap, StatusCode};

    fn verdict(status: u16, body: &'static str) -> Verdict {
        OAuthApi::classify(&Response::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body))
    }

    #[test]
    fn the_answer_decides_and_not_the_status() {
        let transient = Verdict::Transient { retry_after: None };
        let cases = [
            (200, r#"{"access_token":"a"}"#, Verdict::Success),
            (200, r#"{"error":"bad_verification_code"}"#, Verdict::Refused),
            (200, "error=bad_verification_code&error_description=The+code", Verdict::Refused),
            (200, r#"{"ok":false,"error":"internal_error"}"#, transient),
            (400, r#"{"error":"invalid_grant"}"#, Verdict::Refused),
            (400, r#"{"error":"temporarily_unavailable"}"#, transient),
            (401, r#"{"error":"invalid_client"}"#, Verdict::Refused),
            (401, "", Verdict::Refused),
            (403, r#"{"error":"unauthorized_client"}"#, Verdict::Refused),
            (429, r#"{"error":"invalid_grant"}"#, Verdict::RateLimited { retry_after: None }),
            (503, "<html>", transient),
        ];
        for (status, body, expected) in cases {
            assert_eq!(verdict(status, body), expected, "{status} {body}");
        }
    }
}
