//! What Jira's answers mean. Jira uses HTTP statuses as HTTP means them; its error payload has several shapes, and a
//! 429 may carry HTML.

use std::collections::BTreeMap;

use connect_core::{Api, Response, StatusCode, Verdict};
use serde::{Deserialize, Deserializer};

/// Jira as connect-core sees it. A type without values.
#[derive(Debug)]
pub enum JiraApi {}

impl Api for JiraApi {
    const ID: &'static str = "jira";
    const BASE_URL: &'static str = "https://your-site.atlassian.net";
    const REQUEST_ID_HEADERS: &'static [&'static str] = &["atl-traceid", "atl-request-id", "x-arequestid"];
    type Handle = crate::Jira;

    fn classify(response: &Response) -> Verdict {
        Verdict::from_status(response)
    }

    fn problem(response: &Response) -> connect_core::Problem {
        let problem = serde_json::from_slice::<Problem>(response.body()).unwrap_or_default();
        let reason = response.header("ratelimit-reason");
        let mut words = problem.sentences();
        if response.status() == StatusCode::TOO_MANY_REQUESTS
            && let Some(reason) = reason
        {
            words.push(format!("the limit is {reason}"));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            words.push(
                "check JIRA_EMAIL and the API token; a scoped token needs the gateway's base URL \
                 https://api.atlassian.com/ex/jira/CLOUD-ID"
                    .to_owned(),
            );
        }
        let message = (!words.is_empty()).then(|| words.join("; "));
        connect_core::Problem::default().with_message(message).with_details(problem)
    }
}

/// Jira's error payload: `error.details::<connect_jira::Problem>()`.
///
/// Source: the error responses under <https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/>.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Problem {
    /// What is wrong with the request as a whole.
    #[serde(default, rename = "errorMessages", deserialize_with = "messages")]
    pub error_messages: Vec<String>,
    /// What is wrong with which field.
    #[serde(default, deserialize_with = "field_errors")]
    pub errors: BTreeMap<String, String>,
    /// The gateway's way to say it.
    #[serde(alias = "errorMessage")]
    pub message: Option<String>,
}

impl Problem {
    fn sentences(&self) -> Vec<String> {
        let fields = self.errors.iter().map(|(field, message)| format!("{field}: {message}"));
        self.error_messages.iter().cloned().chain(fields).chain(self.message.clone()).collect()
    }
}

/// A list of sentences; some answers send null or a single one instead.
fn messages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Array(list) => {
            list.iter().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
        }
        serde_json::Value::String(sentence) => vec![sentence],
        _ => Vec::new(),
    })
}

/// A map of field to message; some answers send an array or null instead.
fn field_errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let serde_json::Value::Object(object) = value else { return Ok(BTreeMap::new()) };
    Ok(object
        .into_iter()
        .map(|(field, message)| match message {
            serde_json::Value::String(text) => (field, text),
            other => (field, other.to_string()),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::HeaderMap;

    fn words(status: u16, body: &'static str) -> Option<String> {
        let response = Response::new(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), body);
        JiraApi::problem(&response).message
    }

    #[test]
    fn errors_come_in_several_shapes() {
        let both = r#"{"errorMessages": ["No."], "errors": {"summary": "is required", "x": 1}}"#;
        assert_eq!(words(400, both).unwrap(), "No.; summary: is required; x: 1");
        assert_eq!(words(400, r#"{"errorMessages": ["No."], "errors": []}"#).unwrap(), "No.");
        assert_eq!(words(400, r#"{"errorMessages": null, "errors": {"x": "no"}}"#).unwrap(), "x: no");
        assert_eq!(words(403, r#"{"code": 403, "message": "Forbidden"}"#).unwrap(), "Forbidden");
        assert_eq!(words(400, r#"{"errorMessage": "Odd"}"#).unwrap(), "Odd");
        for body in ["", "<html>", "[]", "{}"] {
            assert_eq!(words(400, body), None, "{body}");
        }
    }

    #[test]
    fn a_401_says_what_to_check() {
        assert!(words(401, "").unwrap().contains("JIRA_EMAIL"));
    }
}
