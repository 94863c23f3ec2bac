//! The arguments of a Web API call, from wherever the client put them: query, form or JSON.
//!
//! Slack is lenient about the place and strict about the media type, and so is this: a method that reads no
//! JSON does not see arguments sent as JSON. Values keep their JSON kind; in forms everything is text, also
//! numbers, flags and nested JSON, so the accessors accept both.
//! Not for files: no method here takes multipart bodies.

use serde_json::{Map, Value};

use super::answer::Refused;
use crate::server::Received;

#[derive(Debug, Default)]
pub(crate) struct Arguments {
    values: Map<String, Value>,
    /// JSON without a charset, about which Slack warns.
    pub(crate) lacks_charset: bool,
    /// JSON for a method that reads none.
    pub(crate) ignored_json: bool,
}

impl Arguments {
    pub(crate) fn parse(request: &Received, reads_json: bool) -> Result<Self, Refused> {
        let mut arguments = Self::default();
        arguments.add(request.query_pairs());
        if request.body.is_empty() {
            return Ok(arguments);
        }
        let content_type = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let (media, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
        match media.trim() {
            "application/json" => {
                arguments.lacks_charset = !parameters.contains("charset=utf-8");
                let body: Value =
                    serde_json::from_slice(&request.body).map_err(|_| Refused("invalid_json"))?;
                let Value::Object(body) = body else { return Err(Refused("json_not_object")) };
                if reads_json {
                    arguments.values.extend(body);
                } else {
                    arguments.ignored_json = !body.is_empty();
                }
            }
            "application/x-www-form-urlencoded" => {
                let pairs = form_urlencoded::parse(&request.body);
                arguments.add(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())));
            }
            "" => return Err(Refused("missing_post_type")),
            _ => return Err(Refused("invalid_post_type")),
        }
        Ok(arguments)
    }

    fn add(&mut self, pairs: impl Iterator<Item = (String, String)>) {
        self.values.extend(pairs.map(|(name, value)| (name, Value::String(value))));
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A text or number, without surrounding space; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = match self.values.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    /// A JSON value, or text that contains one; `Err` when the text does not parse.
    pub(crate) fn json(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value.clone())),
        }
    }
}
