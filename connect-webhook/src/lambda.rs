//! Serverless platforms: one event in, one reply out, no server.
//!
//! [`Receiver::call`] takes the event of an AWS API Gateway HTTP API (payload format 2.0) or of a Lambda
//! function URL, and gives the reply that they expect. Paths are `/webhooks/{source}` for tenant `default` and
//! `/webhooks/{tenant}/{source}`. Any runtime will do: the event and the reply are plain serde types. For other
//! platforms build an `http` request and call [`Receiver::receive_bytes`].
//!
//! The function ends when the reply is given, so the sink must have stored the delivery somewhere outside, such
//! as a queue or a table.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, request};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::answer::Refusal;
use crate::encoding::BASE64;
use crate::path;
use crate::receive::Receiver;

/// The gateway may hand over a path that it has decoded already; these cannot stand in a URI as they are.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'?').add(b'#').add(b'`');

/// A request as an event, payload format 2.0.
///
/// ```
/// use connect_webhook::lambda::Event;
/// let event: Event = serde_json::from_str(r#"{
///     "version": "2.0",
///     "rawPath": "/webhooks/github",
///     "rawQueryString": "",
///     "headers": { "x-github-event": "push" },
///     "requestContext": { "http": { "method": "POST" }, "stage": "$default" },
///     "body": "e30=",
///     "isBase64Encoded": true
/// }"#)?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The path.
    pub raw_path: String,
    /// The query, without `?`.
    #[serde(default)]
    pub raw_query_string: String,
    /// Several values of one header come joined with commas.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Where the method stands.
    pub request_context: RequestContext,
    /// Text, or base64 if [`is_base64_encoded`](Self::is_base64_encoded).
    #[serde(default)]
    pub body: Option<String>,
    /// What the gateway does with bodies that it does not take for text.
    #[serde(default)]
    pub is_base64_encoded: bool,
}

/// See [`Event::request_context`].
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct RequestContext {
    /// Where the method stands.
    pub http: HttpContext,
    /// The first part of the path, for an API that is not called by a domain of its own; `$default` for none.
    #[serde(default)]
    pub stage: String,
}

/// See [`RequestContext::http`].
#[non_exhaustive]
#[derive(Clone, Debug, Deserialize)]
pub struct HttpContext {
    /// The method in upper case.
    pub method: String,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("method", &self.request_context.http.method)
            .field("raw_path", &self.raw_path)
            .field("headers", &self.headers.keys())
            .field("body_bytes", &self.body.as_ref().map_or(0, String::len))
            .finish_non_exhaustive()
    }
}

/// The answer in the gateway's form; serialise it as it is. No `Debug` of its body: a handshake's may hold a
/// secret.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// Text, or base64 if [`is_base64_encoded`](Self::is_base64_encoded).
    pub body: String,
    /// Set for bodies that are not UTF-8.
    pub is_base64_encoded: bool,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status_code", &self.status_code)
            .field("headers", &self.headers.keys())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let (body, is_base64_encoded) = match std::str::from_utf8(&body) {
            Ok(body) => (body.to_owned(), false),
            Err(_) => (BASE64.encode(&body), true),
        };
        Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded }
    }
}

impl Receiver {
    /// Handles one event of an AWS API Gateway HTTP API or a Lambda function URL.
    ///
    /// ```
    /// # async fn handler(receiver: &connect_webhook::Receiver, event: serde_json::Value)
    /// #     -> Result<serde_json::Value, serde_json::Error> {
    /// let reply = receiver.call(serde_json::from_value(event)?).await;
    /// serde_json::to_value(reply)
    /// # }
    /// ```
    pub async fn call(&self, event: Event) -> Reply {
        let response = match request(event) {
            None => self.refuse(Refusal::MalformedRequest, "", ""),
            Some((parts, body)) => match path::endpoint(parts.uri.path()) {
                None => self.unknown("", parts.uri.path()),
                Some((tenant, source)) => self.receive_bytes(&tenant, &source, &parts, body).await,
            },
        };
        response.into()
    }
}

/// The request that an event stands for, if it stands for one.
fn request(event: Event) -> Option<(request::Parts, Bytes)> {
    let Event { raw_path, raw_query_string, headers, request_context, body, is_base64_encoded } = event;
    let body = match body {
        Some(coded) if is_base64_encoded => BASE64.decode(coded).ok()?.into(),
        text => Bytes::from(text.unwrap_or_default()),
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(request_context.http.method.as_bytes()).ok()?;
    parts.uri = uri(&raw_path, &raw_query_string, &request_context.stage)?;
    parts.headers = headers
        .into_iter()
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::try_from(value).ok()?))
        })
        .collect::<Option<HeaderMap>>()?;
    Some((parts, body))
}

fn uri(path: &str, query: &str, stage: &str) -> Option<Uri> {
    let below_stage = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage));
    let path = match below_stage {
        Some(rest) if !stage.is_empty() && rest.starts_with('/') => rest,
        _ => path,
    };
    let path = utf8_percent_encode(path, NOT_IN_PATHS);
    let uri = if query.is_empty() { path.to_string() } else { format!("{path}?{query}") };
    uri.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_no_part_of_the_path() {
        for (path, query, stage, expected) in [
            ("/webhooks/github", "", "$default", "/webhooks/github"),
            ("/prod/webhooks/github", "", "prod", "/webhooks/github"),
            ("/production/github", "", "prod", "/production/github"),
            ("/webhooks/acme corp/github", "a=%20b", "", "/webhooks/acme%20corp/github?a=%20b"),
            ("/webhooks/acme%20corp/github", "", "", "/webhooks/acme%20corp/github"),
        ] {
            assert_eq!(uri(path, query, stage).unwrap(), expected);
        }
    }

    #[test]
    fn debug_shows_neither_headers_values_nor_bodies() {
        let event: Event = serde_json::from_str(
            r#"{"rawPath":"/webhooks/x","headers":{"x-hook-secret":"hunter2"},"body":"hunter2",
                "requestContext":{"http":{"method":"POST"}}}"#,
        )
        .unwrap();
        let mut response = Response::new(Bytes::from("hunter2"));
        response.headers_mut().insert("x-hook-secret", HeaderValue::from_static("hunter2"));
        let shown = format!("{event:?} {:?}", Reply::from(response));
        assert!(shown.contains("x-hook-secret") && !shown.contains("hunter2"), "{shown}");
    }
}
