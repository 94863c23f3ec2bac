//! Which refusals are rate limits, and how long each of them asks to wait.
//!
//! GitHub answers 403 for three different things. The order of the checks is GitHub's own advice
//! (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>): first
//! `Retry-After`, then a used-up primary limit, then the text of a secondary limit; what remains is a permission.

use std::time::Duration;

use connect_core::{Response, StatusCode, hint};
use serde::Deserialize;
use serde_json::Value;

/// What a limit without any figure waits: GitHub asks for at least a minute.
pub(crate) const UNEXPLAINED_LIMIT: Duration = Duration::from_secs(60);

/// The reset time is a whole second; one more makes sure it has passed.
const RESET_MARGIN: Duration = Duration::from_secs(1);

/// How long to wait if this 403 or 429 is a rate limit; `None` if it is a missing permission.
pub(crate) fn wait(response: &Response) -> Option<Duration> {
    if let Some(wait) = hint::retry_after(response.headers()) {
        return Some(wait);
    }
    if is_used_up(response) {
        return Some(until_reset(response));
    }
    let unexplained =
        response.status() == StatusCode::TOO_MANY_REQUESTS || names_a_secondary_limit(response.body());
    unexplained.then_some(UNEXPLAINED_LIMIT)
}

/// Does the answer say that nothing is left of the primary limit?
pub(crate) fn is_used_up(response: &Response) -> bool {
    response.header("x-ratelimit-remaining") == Some("0")
}

/// Until the primary limit is whole again, by the server's clock.
pub(crate) fn until_reset(response: &Response) -> Duration {
    let reset = response.header("x-ratelimit-reset").and_then(|epoch| epoch.parse().ok());
    let wait = reset.and_then(|epoch| hint::until_epoch(response.headers(), epoch));
    wait.map_or(UNEXPLAINED_LIMIT, |wait| wait + RESET_MARGIN)
}

/// Are these the words of a secondary limit? GitHub gives it no code of its own.
pub(crate) fn is_secondary(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("secondary rate limit") || message.contains("abuse detection")
}

/// Only what the verdict needs, so that nothing odd beside it hides a limit.
#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    documentation_url: Value,
}

fn names_a_secondary_limit(body: &[u8]) -> bool {
    let Ok(words) = serde_json::from_slice::<Words>(body) else { return false };
    let page = words.documentation_url.as_str().unwrap_or_default();
    let page = page.split('?').next().unwrap_or_default();
    is_secondary(words.message.as_str().unwrap_or_default())
        || page.ends_with("secondary-rate-limits")
        || page.ends_with("#abuse-rate-limits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GitHubApi;
    use connect_core::{Api, HeaderMap, HeaderName, HeaderValue, Verdict};

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        Response::new(StatusCode::from_u16(status).unwrap(), map, body)
    }

    fn limited(seconds: u64) -> Verdict {
        Verdict::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn a_403_is_a_limit_or_a_permission() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT"); // epoch 784111777
        let secondary = r#"{"message": "You have exceeded a secondary rate limit"}"#;
        let odd = r#"{"message": "You have exceeded a secondary rate limit", "errors": "x", "documentation_url": 7}"#;
        let page = r#"{"message": "no", "documentation_url": "https://docs.example/rest#secondary-rate-limits?x=1"}"#;
        type Case = (u16, &'static [(&'static str, &'static str)], &'static str, Verdict);
        let cases: [Case; 9] = [
            (403, &[("retry-after", "9")], "", limited(9)),
            (
                403,
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "784111807"), DATE],
                "",
                limited(31),
            ),
            (403, &[("x-ratelimit-remaining", "0")], "", limited(60)),
            // A reset far away says nothing while something remains.
            (
                403,
                &[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", "784119999"), DATE],
                secondary,
                limited(60),
            ),
            (403, &[], page, limited(60)),
            (403, &[], odd, limited(60)),
            (429, &[], "<html>", limited(60)),
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
}
