//! What an answer to a query means for the stack: GitHub reports failures under HTTP 200, and some of them under 502.

use connect_core::{ErrorKind, Response, Safety, StatusCode, Verdict, hint};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::errors::{ASK_FOR_LESS, Errors};
use crate::limit;
use crate::problem::Problem;
use crate::refusal;

/// Below the base of [`Origin::Graphql`](connect_core::Origin::Graphql).
pub(super) const PATH: &str = "/graphql";

/// Both halves of an answer, as slices.
#[derive(Default, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) errors: Option<&'a RawValue>,
}

/// Does this answer a GraphQL query? Told by its request; of an answer made by hand, by the limit that it counts on.
pub(crate) fn answers_a_query(response: &Response) -> bool {
    match response.sent() {
        Some(sent) => sent.operation().path == PATH,
        None => response.header("x-ratelimit-resource") == Some("graphql"),
    }
}

/// May the query be sent again? What is not known to only read is taken for a mutation.
fn only_reads(response: &Response) -> bool {
    response.sent().is_some_and(|sent| sent.operation().safety == Safety::Safe)
}

/// What an answer means.
pub(crate) fn verdict(response: &Response) -> Verdict {
    match response.status() {
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => match limit::wait(response) {
            Some(wait) => Verdict::RateLimited { retry_after: Some(wait) },
            None => Verdict::Refused,
        },
        status if is_stopped(status) => stopped(response),
        StatusCode::OK => of_body(response),
        _ => Verdict::from_status(response),
    }
}

/// What GitHub's limit of ten seconds answers with, or a proxy before it.
fn is_stopped(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
}

/// A query that took too long takes as long once more, and each time costs points. A mutation may have been applied.
fn stopped(response: &Response) -> Verdict {
    match only_reads(response) {
        true => Verdict::Refused,
        false => Verdict::Transient { retry_after: None },
    }
}

fn of_body(response: &Response) -> Verdict {
    // What is no GraphQL at all is for whoever decodes it.
    let Some(errors) = Errors::read(response) else { return Verdict::Success };
    let is_partial_write = errors.has_effect() && !only_reads(response);
    if let Some(wait) = errors.limit(response)
        && !is_partial_write
    {
        return Verdict::RateLimited { retry_after: Some(wait) };
    }
    // Whether data beside errors is good enough is for the query to say.
    if errors.data.is_some() {
        return Verdict::Success;
    }
    match errors.kind(response) {
        _ if errors.say_stopped() => stopped(response),
        ErrorKind::Unavailable => Verdict::Transient { retry_after: hint::retry_after(response.headers()) },
        _ => Verdict::Refused,
    }
}

/// Is this the primary limit of GraphQL alone? Then REST and its resources are open, whatever figures the answer carries:
/// GitHub was seen to refuse while it said that something remains.
pub(crate) fn is_primary_limit(response: &Response) -> bool {
    response.status() == StatusCode::OK
        && Errors::read(response)
            .is_some_and(|errors| errors.limit(response).is_some() && !errors.say_secondary())
}

/// What GitHub says about a failed query; `None` if it says it as it does to REST.
pub(crate) fn problem(response: &Response) -> Option<connect_core::Problem> {
    let errors = Errors::read(response);
    if is_stopped(response.status()) {
        let words = "GitHub stopped the query, as it does after 10 seconds, or failed";
        let problem = connect_core::Problem::default()
            .with_kind(Some(ErrorKind::Unavailable))
            .with_message(refusal::sentence(Some(words.to_owned()), &[ASK_FOR_LESS.to_owned()]));
        return Some(match errors {
            Some(errors) => problem.with_details(errors),
            None => problem.with_details(Problem::read(response)),
        });
    }
    let errors = errors?;
    let (kind, sentence) = (errors.kind(response), errors.sentence(response));
    Some(
        connect_core::Problem::default()
            .with_kind(Some(kind))
            .with_message(Some(sentence))
            .with_details(errors),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderMap, HeaderName, HeaderValue};
    use std::time::Duration;

    const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT"); // epoch 784111777
    const RESET: (&str, &str) = ("x-ratelimit-reset", "784111807");

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Response::new(StatusCode::from_u16(status).unwrap(), map, body)
    }

    fn limited(seconds: u64) -> Verdict {
        Verdict::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn the_verdict_comes_from_the_errors_under_http_200() {
        type Case = (u16, &'static [(&'static str, &'static str)], &'static str, Verdict);
        let limit = r#"{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}"#;
        let newer = r#"{"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": "m"}]}"#;
        let secondary = r#"{"errors": [{"message": "You have exceeded a secondary rate limit."}]}"#;
        let gone = r#"{"data": {"repository": null}, "errors": [{"type": "NOT_FOUND", "message": "m"}]}"#;
        let transient = Verdict::Transient { retry_after: None };
        let cases: [Case; 15] = [
            (200, &[], r#"{"data": {"viewer": {}}}"#, Verdict::Success),
            (200, &[], r#"{"data": {"viewer": {}}, "errors": []}"#, Verdict::Success),
            (200, &[DATE, RESET, ("x-ratelimit-remaining", "0")], limit, limited(31)),
            // GitHub names the primary limit, so its reset counts although something seems to remain.
            (200, &[DATE, RESET, ("x-ratelimit-remaining", "3")], newer, limited(31)),
            (200, &[], limit, limited(60)),
            (200, &[DATE, RESET, ("x-ratelimit-remaining", "3")], secondary, limited(60)),
            (200, &[("retry-after", "7")], secondary, limited(7)),
            (
                200,
                &[DATE, RESET, ("x-ratelimit-remaining", "0")],
                r#"{"errors": [{"message": "no"}]}"#,
                limited(31),
            ),
            // The last point bought an answer: that nothing is left is no reason to ask again.
            (200, &[DATE, RESET, ("x-ratelimit-remaining", "0")], gone, Verdict::Success),
            (403, &[], r#"{"message": "You have exceeded a secondary rate limit"}"#, limited(60)),
            (403, &[], r#"{"message": "Resource not accessible by integration"}"#, Verdict::Refused),
            (
                200,
                &[],
                r#"{"errors": [{"message": "Field 'x' doesn't exist", "locations": []}]}"#,
                Verdict::Refused,
            ),
            (200, &[], r#"{"errors": [{"type": "SERVICE_UNAVAILABLE", "message": "m"}]}"#, transient),
            (502, &[], "<html>", transient),
            (200, &[], "<html>", Verdict::Success),
        ];
        for (status, headers, body, expected) in cases {
            assert_eq!(verdict(&answer(status, headers, body)), expected, "{status} {headers:?} {body}");
        }
    }

    #[test]
    fn a_primary_limit_is_told_from_a_secondary_one() {
        let limit = r#"{"errors": [{"type": "RATE_LIMIT", "message": "API rate limit already exceeded"}]}"#;
        let secondary = r#"{"errors": [{"type": "RATE_LIMITED", "message": "a secondary rate limit"}]}"#;
        assert!(is_primary_limit(&answer(200, &[("x-ratelimit-remaining", "3")], limit)));
        assert!(!is_primary_limit(&answer(200, &[], secondary)));
        assert!(!is_primary_limit(&answer(200, &[], r#"{"errors": [{"type": "NOT_FOUND"}]}"#)));
        assert!(!is_primary_limit(&answer(403, &[("retry-after", "9")], "")));
    }

    #[test]
    fn an_answer_made_by_hand_is_told_by_its_limit() {
        assert!(answers_a_query(&answer(200, &[("x-ratelimit-resource", "graphql")], "")));
        assert!(!answers_a_query(&answer(200, &[("x-ratelimit-resource", "core")], r#"{"errors": []}"#)));
        // REST has an answer that begins like GraphQL's: the errors of a CODEOWNERS file.
        assert!(!answers_a_query(&answer(200, &[], r#"{"errors": [{"kind": "Invalid owner"}]}"#)));
    }
}
