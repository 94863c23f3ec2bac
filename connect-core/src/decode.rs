//! From an answer to a typed value: one UTF-8 check, then one parse. Path tracking runs only after a failure.
//!
//! Tracking the path on every answer costs about half of the decoding time again (measured), so the happy path does
//! without; a failed answer is decoded a second time to say *where* it differs.

use std::fmt;

use bytes::Bytes;
use connect_model::drift;
use http::StatusCode;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::response::Response;

/// How much of an undecodable answer an error keeps.
const SNIPPET_BYTES: usize = 1024;

/// What decoding noticed, and how strict it is.
///
/// Passed to [`Endpoint::decode`](crate::Endpoint::decode); in tests, `Decoding::default()`.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct Decoding {
    /// Treat [drift](Decoding::drift) as an error.
    pub strict: bool,
    /// Fields that the provider's description promises and the answer lacks, as `Type.field`, each once.
    pub drift: Vec<String>,
}

impl Decoding {
    /// Decodes a JSON answer.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with the JSON path in the message and a [`DecodeProblem`] in the details.
    pub fn json<T: DeserializeOwned>(&mut self, response: &Response) -> Result<T, Error> {
        let watch = drift::Watch::begin();
        // Not taken apart: a model may be big, and every move of it costs.
        let value = json(response.body());
        let drift = watch.end();
        if value.is_ok() {
            self.noticed(drift)?;
        } else if response.body().is_empty() {
            return Err(empty(Some(response.status())));
        }
        value
    }

    /// Decodes a JSON answer that may also be empty, as its status says.
    ///
    /// # Errors
    /// As [`Decoding::json`].
    pub fn optional<T: DeserializeOwned>(&mut self, response: &Response) -> Result<Option<T>, Error> {
        if response.body().is_empty() { Ok(None) } else { self.json(response).map(Some) }
    }

    /// An answer that is text.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if it is not UTF-8.
    pub fn text(&mut self, response: &Response) -> Result<String, Error> {
        text(response.body()).map(str::to_owned)
    }

    /// An answer as it came.
    ///
    /// # Errors
    /// None; the signature fits [`Endpoint::decode`](crate::Endpoint::decode).
    pub fn bytes(&mut self, response: &Response) -> Result<Bytes, Error> {
        Ok(response.body().clone())
    }

    /// Keeps what was missing, or fails if that is not accepted.
    pub(crate) fn noticed(&mut self, drift: Vec<String>) -> Result<(), Error> {
        if self.strict && !drift.is_empty() {
            let message = format!("the answer lacks what the description promises: {}", drift.join(", "));
            return Err(failure(message, ".".to_owned(), String::new()));
        }
        self.drift.extend(drift);
        Ok(())
    }

    /// For endpoints that answer without a body.
    ///
    /// # Errors
    /// None; the signature fits [`Endpoint::decode`](crate::Endpoint::decode).
    pub fn nothing(&mut self, _response: &Response) -> Result<(), Error> {
        Ok(())
    }
}

/// Where an answer differs from the expected type, and the text around it.
///
/// In the details of an [`ErrorKind::Decode`] error. The snippet is for a debugger, not for a log: answers may hold
/// private data, so neither `Display` nor `Debug` of the error shows it.
pub struct DecodeProblem {
    /// JSON path of the value that did not fit (`[3].user.login`); `.` for the whole answer.
    pub path: String,
    /// Up to 1 KiB of the answer around the place.
    pub snippet: String,
}

impl fmt::Debug for DecodeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeProblem").field("path", &self.path).finish_non_exhaustive()
    }
}

pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    // One check of the whole text beats serde_json's check per string (measured: 18 % of the time).
    let text = text(body)?;
    serde_json::from_str(text).map_err(|error| explain::<T>(text, &error))
}

pub(crate) fn text(body: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(body).map_err(|error| {
        failure(
            "the answer is not UTF-8 text",
            ".".into(),
            String::from_utf8_lossy(cut(body, 0)).into_owned(),
        )
        .with_source(error)
    })
}

#[cold]
fn explain<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> Error {
    if text.trim().is_empty() {
        return empty(None);
    }
    if text.trim_start().starts_with('<') {
        return failure(
            "the answer is not JSON but a page of HTML: a proxy or a login page answered, or the base URL is not \
             the API's",
            ".".into(),
            String::from_utf8_lossy(cut(text.as_bytes(), 0)).into_owned(),
        );
    }
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    let path = match serde_path_to_error::deserialize::<_, T>(deserializer) {
        Err(tracked) => tracked.path().to_string(),
        Ok(_) => ".".to_owned(),
    };
    let at = offset(text, error.line(), error.column());
    let snippet = String::from_utf8_lossy(cut(text.as_bytes(), at)).into_owned();
    let why = match error.classify() {
        serde_json::error::Category::Eof => "is cut off".to_owned(),
        serde_json::error::Category::Syntax => "is not JSON".to_owned(),
        serde_json::error::Category::Data => {
            format!("does not have the expected shape ({})", expected(error))
        }
        serde_json::error::Category::Io => "cannot be read".to_owned(),
    };
    failure(
        format!("the answer {why} at {path} (line {}, column {})", error.line(), error.column()),
        path,
        snippet,
    )
    // What was cut off may arrive whole another time; any other answer will be the same.
    .with_retry(if error.is_eof() { RetryAdvice::Later } else { RetryAdvice::Never })
}

/// An answer without a body is the provider's way to say "done", or "nothing there".
#[cold]
fn empty(status: Option<StatusCode>) -> Error {
    let message = match status {
        Some(StatusCode::NO_CONTENT) => {
            "the answer is empty where JSON was expected, as its status says: `decode_as::<Option<T>>()` takes it"
        }
        _ => {
            "the answer is empty where JSON was expected: `decode_as::<Option<T>>()` takes it, if that is what the \
             provider means"
        }
    };
    failure(message, ".".into(), String::new())
}

/// What was expected, without the offending value that serde_json quotes: it may be private.
fn expected(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if text.starts_with("missing field `") {
        return text.to_owned();
    }
    // Only serde's own sentences are known to end with the expectation; a type's own may quote anything.
    let known = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant `"];
    match text.rsplit_once(", expected ") {
        Some((_, expected)) if known.iter().any(|start| text.starts_with(start)) => {
            format!("expected {expected}")
        }
        _ => "another kind of value".to_owned(),
    }
}

fn failure(message: impl Into<std::borrow::Cow<'static, str>>, path: String, snippet: String) -> Error {
    Error::new(ErrorKind::Decode, message)
        .with_sent(Sent::Yes)
        .with_retry(RetryAdvice::Never)
        .with_details(DecodeProblem { path, snippet })
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start.saturating_add(column.saturating_sub(1)).min(text.len())
}

/// At most [`SNIPPET_BYTES`] round a place.
fn cut(body: &[u8], at: usize) -> &[u8] {
    let start = at.saturating_sub(SNIPPET_BYTES / 2);
    let end = start.saturating_add(SNIPPET_BYTES).min(body.len());
    body.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Issue {
        #[serde(rename = "number")]
        _number: u64,
    }

    #[test]
    fn a_wrong_type_is_named_by_its_path_and_keeps_a_snippet() {
        let error = json::<Vec<Issue>>(br#"[{"number":1},{"number":"canary"}]"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("[1].number"), "{error}");
        assert!(!format!("{error:#} {error:?}").contains("canary"));
        assert!(error.to_string().contains("expected u64"), "{error}");
        let problem = error.details::<DecodeProblem>().unwrap();
        assert_eq!(problem.path, "[1].number");
        assert!(problem.snippet.contains("canary"));
    }

    #[test]
    fn html_empty_and_truncated_answers_are_told_apart() {
        let message = |body: &[u8]| json::<Issue>(body).unwrap_err().to_string();
        assert!(message(b" <html>").contains("is not JSON but a page of HTML"));
        assert!(message(b"no").contains("is not JSON at ."));
        assert!(message(b" ").contains("is empty"));
        assert!(message(br#"{"number":1"#).contains("is cut off"));
        assert!(message(b"\xff").contains("not UTF-8"));
    }

    #[test]
    fn each_unreadable_answer_says_what_to_do() {
        let error = |status, body: &'static str| {
            let response = Response::new(status, http::HeaderMap::new(), body);
            Decoding::default().json::<Issue>(&response).unwrap_err()
        };
        let cases = [
            (StatusCode::OK, "<html>", "base URL", RetryAdvice::Never),
            (StatusCode::OK, "", "decode_as", RetryAdvice::Never),
            (StatusCode::NO_CONTENT, "", "as its status says", RetryAdvice::Never),
            (StatusCode::OK, r#"{"number":"#, "is cut off", RetryAdvice::Later),
        ];
        for (status, body, words, advice) in cases {
            let error = error(status, body);
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Decode, advice), "{error}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = json::<Issue>(b"{}").unwrap_err();
        assert!(error.to_string().contains("missing field `number`"), "{error}");
    }

    #[test]
    fn a_snippet_is_bounded() {
        let body = format!("[{}\"x\"]", "1,".repeat(10_000));
        let error = json::<Vec<u8>>(body.as_bytes()).unwrap_err();
        assert!(error.details::<DecodeProblem>().unwrap().snippet.len() <= SNIPPET_BYTES);
    }
}
