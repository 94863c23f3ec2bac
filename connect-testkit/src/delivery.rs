//! A webhook delivery that is ready to leave: headers and the exact bytes that were signed.
//!
//! Signatures cover raw bytes, so a delivery is finished once and never serialised again. Sending the same
//! value twice is what a provider's redelivery looks like: same id, same bytes.
//! Not for building one: see `GitHubDelivery`, `SlackDelivery` and `JiraDelivery`.

use std::{fmt, io};

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::post::{Reply, post};

/// Headers and body of a webhook delivery, as a provider would send them.
///
/// Feed both to a verifier without any network, or send them with [`deliver_to`](Self::deliver_to).
#[derive(Clone)]
#[non_exhaustive]
pub struct SignedDelivery {
    /// Header names in the provider's spelling, and their values.
    pub headers: Vec<(String, String)>,
    /// The bytes that the signature covers.
    pub body: Bytes,
}

impl SignedDelivery {
    pub(crate) fn new(body: impl Into<Bytes>) -> Self {
        Self { headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// The value of a header; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Posts the delivery; calling it again is a redelivery.
    ///
    /// # Errors
    /// As [`send`](crate::send): a bad URL, no connection, or no complete answer.
    pub async fn deliver_to(&self, url: &str) -> io::Result<Reply> {
        post(url, &self.headers, self.body.clone()).await
    }
}

impl fmt::Debug for SignedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedDelivery")
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Sets the value at a JSON pointer such as `/pull_request/draft`, making objects on the way.
///
/// Array elements are reached by position when they exist; anything else in the way is replaced.
pub(crate) fn set_at(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for token in pointer.split('/').skip(1) {
        let key = token.replace("~1", "/").replace("~0", "~");
        let index =
            key.parse::<usize>().ok().filter(|&i| place.as_array().is_some_and(|list| i < list.len()));
        if index.is_none() && !place.is_object() {
            *place = Value::Object(Map::new());
        }
        // Indexing an object by name inserts a missing key; the array position was checked above.
        place = match index {
            Some(index) => &mut place[index],
            None => &mut place[key],
        };
    }
    *place = value;
}

/// A form body with one field, as GitHub and Slack wrap JSON.
pub(crate) fn payload_form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_sets_nested_values_and_list_items() {
        let mut value = json!({"a": {"list": [1, 2]}, "b": 1});
        set_at(&mut value, "/a/list/1", json!(3));
        set_at(&mut value, "/b/new~1name", json!(true));
        set_at(&mut value, "/a/list/9", json!("replaced"));
        assert_eq!(value, json!({"a": {"list": {"9": "replaced"}}, "b": {"new/name": true}}));
        set_at(&mut value, "", json!(0));
        assert_eq!(value, json!(0));
    }
}
