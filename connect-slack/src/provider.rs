//! What Slack's answers mean. Slack reports failures under HTTP 200 as `{"ok": false, "error": code}`, so the verdict
//! comes from the code; the tables below say which codes are more than a refusal.
//!
//! Source of the codes: the method pages under <https://docs.slack.dev/reference/methods>.

use std::sync::Arc;

use std::borrow::Cow;

use connect_core::quota::QuotaModel;
use connect_core::{Api, ErrorKind, Response, Verdict, hint};
use serde::Deserialize;
use serde_json::Value;

use crate::quota::SlackQuota;

/// Codes that tell the stack something, with the kind of error each becomes. All other codes are refusals.
const CODES: &[(&str, Reaction, ErrorKind)] = &[
    ("ratelimited", Reaction::RateLimited, ErrorKind::RateLimited),
    ("rate_limited", Reaction::RateLimited, ErrorKind::RateLimited),
    ("internal_error", Reaction::Transient, ErrorKind::Unavailable),
    ("fatal_error", Reaction::Transient, ErrorKind::Unavailable),
    ("service_unavailable", Reaction::Transient, ErrorKind::Unavailable),
    ("request_timeout", Reaction::Transient, ErrorKind::Unavailable),
    ("team_added_to_org", Reaction::Transient, ErrorKind::Unavailable),
    ("account_inactive", Reaction::Unauthenticated, ErrorKind::Auth),
    ("invalid_auth", Reaction::Unauthenticated, ErrorKind::Auth),
    ("not_authed", Reaction::Unauthenticated, ErrorKind::Auth),
    ("token_expired", Reaction::Unauthenticated, ErrorKind::Auth),
    ("token_revoked", Reaction::Unauthenticated, ErrorKind::Auth),
    ("access_denied", Reaction::Refused, ErrorKind::Forbidden),
    ("ekm_access_denied", Reaction::Refused, ErrorKind::Forbidden),
    ("is_archived", Reaction::Refused, ErrorKind::Forbidden),
    ("missing_scope", Reaction::Refused, ErrorKind::Forbidden),
    ("no_permission", Reaction::Refused, ErrorKind::Forbidden),
    ("not_allowed_token_type", Reaction::Refused, ErrorKind::Forbidden),
    ("not_in_channel", Reaction::Refused, ErrorKind::Forbidden),
    ("restricted_action", Reaction::Refused, ErrorKind::Forbidden),
    ("msg_too_long", Reaction::Refused, ErrorKind::Invalid),
    ("no_text", Reaction::Refused, ErrorKind::Invalid),
];

#[derive(Clone, Copy)]
enum Reaction {
    RateLimited,
    Transient,
    Unauthenticated,
    Refused,
}

/// Slack as connect-core sees it. A type without values.
#[derive(Debug)]
pub enum SlackApi {}

impl Api for SlackApi {
    const ID: &'static str = "slack";
    const BASE_URL: &'static str = "https://slack.com/api";
    const REQUEST_ID_HEADERS: &'static [&'static str] = &["x-slack-req-id"];
    type Handle = crate::Slack;

    fn classify(response: &Response) -> Verdict {
        let by_status = Verdict::from_status(response);
        // Slack writes `ok` first, so a success is recognised without parsing the answer twice.
        if by_status != Verdict::Success || response.body().starts_with(br#"{"ok":true"#) {
            return by_status;
        }
        let envelope = serde_json::from_slice::<Envelope<'_>>(response.body()).unwrap_or_default();
        let code = match (envelope.ok, envelope.error) {
            (Some(true), _) => return Verdict::Success,
            (Some(false), code) => code.unwrap_or_default(),
            // Not Slack's envelope (a proxy's page, say): whatever was asked for may have been done.
            (None, _) => return Verdict::Transient { retry_after: None },
        };
        match row(&code).map(|(_, reaction, _)| *reaction) {
            Some(Reaction::RateLimited) => {
                Verdict::RateLimited { retry_after: hint::retry_after(response.headers()) }
            }
            Some(Reaction::Transient) => {
                Verdict::Transient { retry_after: hint::retry_after(response.headers()) }
            }
            Some(Reaction::Unauthenticated) => Verdict::Unauthenticated,
            Some(Reaction::Refused) | None => Verdict::Refused,
        }
    }

    fn quota() -> Arc<dyn QuotaModel> {
        Arc::new(SlackQuota)
    }

    fn problem(response: &Response) -> connect_core::Problem {
        let problem = Problem::read(response.body());
        connect_core::Problem::default()
            .with_kind(problem.kind())
            .with_message(problem.sentence())
            .with_details(problem)
    }
}

/// Only what the verdict needs, so that nothing odd elsewhere in an answer can hide it.
#[derive(Default, Deserialize)]
struct Envelope<'a> {
    ok: Option<bool>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

fn row(code: &str) -> Option<&'static (&'static str, Reaction, ErrorKind)> {
    CODES.iter().find(|(known, _, _)| *known == code)
}

/// Slack's error payload: `error.details::<connect_slack::Problem>()`.
///
/// The code stays a string: Slack has more than 800 and adds some every month.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The error code: `channel_not_found`.
    pub error: Option<String>,
    /// The scopes that were needed (`missing_scope`).
    pub needed: Option<String>,
    /// The scopes the token has (`missing_scope`).
    pub provided: Option<String>,
    /// What Slack adds to the code, for example which block is invalid.
    pub messages: Vec<String>,
}

impl Problem {
    /// Reads what is there; whatever has an odd shape is left out.
    fn read(body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let messages = value.pointer("/response_metadata/messages").and_then(Value::as_array);
        Self {
            error: text("error"),
            needed: text("needed"),
            provided: text("provided"),
            messages: messages.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    fn kind(&self) -> Option<ErrorKind> {
        let code = self.error.as_deref()?;
        Some(match row(code) {
            Some((_, _, kind)) => *kind,
            None if code.ends_with("_not_found") => ErrorKind::NotFound,
            None if code.starts_with("invalid_") => ErrorKind::Invalid,
            None if code.starts_with("already_") || code.ends_with("_taken") => ErrorKind::Conflict,
            None => ErrorKind::Provider,
        })
    }

    fn sentence(&self) -> Option<String> {
        let code = self.error.as_deref()?;
        let mut words = code.to_owned();
        if code == "not_in_channel" {
            words.push_str("; invite the app to the channel");
        }
        if let Some(needed) = &self.needed {
            words.push_str("; the token needs ");
            words.push_str(needed);
        }
        for message in &self.messages {
            words.push_str("; ");
            words.push_str(message);
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderMap, HeaderValue, StatusCode};
    use std::time::Duration;

    fn answer(status: u16, body: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("3"));
        Response::new(StatusCode::from_u16(status).unwrap(), headers, body)
    }

    #[test]
    fn the_verdict_comes_from_the_code_under_http_200() {
        let hint = Some(Duration::from_secs(3));
        let cases = [
            (r#"{"ok":true}"#, Verdict::Success),
            (r#"{ "channel": "C1", "ok": true }"#, Verdict::Success),
            (r#"{"ok":false,"error":"ratelimited"}"#, Verdict::RateLimited { retry_after: hint }),
            (r#"{"ok":false,"error":"fatal_error"}"#, Verdict::Transient { retry_after: hint }),
            (r#"{"ok":false,"error":"token_revoked"}"#, Verdict::Unauthenticated),
            (r#"{"ok":false,"error":"channel_not_found"}"#, Verdict::Refused),
            (r#"{"ok":false,"error":"brand_new_code"}"#, Verdict::Refused),
            (r#"{"ok":false}"#, Verdict::Refused),
            // Nothing odd beside it hides a failure.
            (r#"{"ok":false,"error":"no_text","response_metadata":null,"needed":["a"]}"#, Verdict::Refused),
            (
                r#"{"ok":false,"error":"no_text","response_metadata":{"messages":[{"a":1}]}}"#,
                Verdict::Refused,
            ),
            // Without Slack's envelope nobody knows.
            ("{}", Verdict::Transient { retry_after: None }),
            (r#"{"ok":"yes"}"#, Verdict::Transient { retry_after: None }),
            ("<html>", Verdict::Transient { retry_after: None }),
        ];
        for (body, verdict) in cases {
            assert_eq!(SlackApi::classify(&answer(200, body)), verdict, "{body}");
        }
        assert_eq!(SlackApi::classify(&answer(429, "")), Verdict::RateLimited { retry_after: hint });
        assert_eq!(SlackApi::classify(&answer(500, "")), Verdict::Transient { retry_after: hint });
    }

    #[test]
    fn a_missing_scope_is_named() {
        let body = r#"{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"users:read"}"#;
        let problem = SlackApi::problem(&answer(200, body));
        assert_eq!(problem.kind, Some(ErrorKind::Forbidden));
        assert_eq!(problem.message.unwrap(), "missing_scope; the token needs chat:write");
    }
}
