//! What a fake was asked, and what it answered.
//!
//! Every request that arrives whole is recorded, refused and dropped ones too, in the order in which they were
//! carried out. Credentials are kept apart from the headers and never printed; `Debug` shows sizes, not bodies.
//! Not a log of the wire: what hyper refuses before it is a request (a malformed request line) is not here.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use crate::shared::Shared;

/// One request and the answer it got.
///
/// ```
/// # async fn example(github: connect_testkit::FakeGitHub) {
/// let request = &github.requests()[0];
/// assert_eq!(request.operation.as_deref(), Some("issues/create"));
/// assert!(request.authorized);
/// assert_eq!(request.json()["title"], "Crash on start");
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// The provider's name of the operation; `None` when the path or method reaches none.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// The path as it was sent, still percent-encoded.
    pub path: String,
    /// The query as it was sent, without the question mark; empty when there was none.
    pub query: String,
    /// All headers but `Authorization`.
    pub headers: HeaderMap,
    /// Whether the request carried a credential that the fake accepts.
    pub authorized: bool,
    /// The body as it was sent.
    pub body: Bytes,
    /// The status that was answered; `None` when the connection was closed instead.
    pub status: Option<StatusCode>,
    /// What a careful provider would complain about, although it may answer: an undocumented argument, a
    /// missing charset, a filter that this fake does not apply.
    pub problems: Vec<String>,
    pub(crate) credential: Option<String>,
}

impl Recorded {
    /// The credential as it was sent, without its scheme, for assertions such as "the new token was used".
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    /// The text of a header, if it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `Null` when it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The decoded value of a field of a form body.
    pub fn form_value(&self, name: &str) -> Option<String> {
        pair_value(&self.body, name)
    }

    /// The decoded value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<String> {
        pair_value(self.query.as_bytes(), name)
    }
}

fn pair_value(pairs: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(pairs).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &printable_query(&self.query))
            .field("authorized", &self.authorized)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .field("status", &self.status)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// The query without the values of parameters that carry credentials where they should not be.
fn printable_query(query: &str) -> String {
    const SECRET: [&str; 3] = ["token", "secret", "password"];
    let pairs: Vec<&str> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => name,
            _ => pair,
        })
        .collect();
    pairs.join("&")
}

/// The requests of one fake, and a signal whenever one is added.
#[derive(Clone)]
pub(crate) struct Journal {
    requests: Shared<Vec<Recorded>>,
    added: watch::Sender<()>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { requests: Shared::new(Vec::new()), added: watch::Sender::new(()) }
    }

    pub(crate) fn add(&self, request: Recorded) {
        self.requests.with(|requests| requests.push(request));
        self.added.send_replace(());
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.requests.with(|requests| requests.clone())
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.requests.with(|requests| {
            requests
                .iter()
                .filter(|request| operation == "*" || request.operation.as_deref() == Some(operation))
                .count()
        })
    }

    pub(crate) async fn wait_for(&self, operation: &str, count: usize) {
        // Subscribed before counting: a request that lands in between is seen as a change.
        let mut added = self.added.subscribe();
        while self.count(operation) < count {
            if added.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_credential_nor_body() {
        let recorded = Recorded {
            operation: None,
            method: Method::GET,
            path: "/".to_owned(),
            query: "page=2&access_token=canary-1".to_owned(),
            headers: HeaderMap::new(),
            authorized: false,
            body: Bytes::from_static(b"canary-2"),
            status: None,
            problems: Vec::new(),
            credential: Some("canary-3".to_owned()),
        };
        let printed = format!("{recorded:?}");
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("page=2"), "{printed}");
    }
}
