//! The parameters of a request: a query, a form, or a JSON object where the provider takes that too.
//!
//! An empty value counts as absent and a repeated parameter is refused, both as RFC 6749 3.1 says; `resource`
//! may be repeated (RFC 8707). A body of another media type is refused rather than guessed at.
//! Not for the values themselves: each grant reads its own.

use serde_json::Value;

use super::answer::{Failure, Reason};
use crate::server::Received;

pub(crate) struct Arguments(Vec<(String, String)>);

impl Arguments {
    pub(crate) fn of_query(request: &Received) -> Result<Self, Failure> {
        Self::checked(request.query_pairs().collect())
    }

    pub(crate) fn of_body(request: &Received) -> Result<Self, Failure> {
        let media = request.header("content-type").unwrap_or_default();
        match media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => {
                let pairs = form_urlencoded::parse(&request.body);
                Self::checked(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
            }
            "application/json" => Self::of_json(&request.body),
            _ => Err(invalid("the body must be a form or a JSON object, and say so")),
        }
    }

    fn of_json(body: &[u8]) -> Result<Self, Failure> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(invalid("the body is no JSON object"));
        };
        let pairs = fields.into_iter().map(|(name, value)| match value {
            Value::String(value) => Ok((name, value)),
            Value::Null => Ok((name, String::new())),
            _ => Err(invalid(format!("`{name}` must be text"))),
        });
        Self::checked(pairs.collect::<Result<_, _>>()?)
    }

    fn checked(pairs: Vec<(String, String)>) -> Result<Self, Failure> {
        let repeated = pairs.iter().enumerate().find(|(index, (name, _))| {
            name != "resource" && pairs.iter().take(*index).any(|(earlier, _)| earlier == name)
        });
        match repeated {
            Some((_, (name, _))) => Err(invalid(format!("`{name}` is there twice"))),
            None => Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| invalid(format!("`{name}` is missing")))
    }

    /// Scopes with spaces or commas between them.
    pub(crate) fn scopes(&self, name: &str) -> Vec<String> {
        let text = self.get(name).unwrap_or_default();
        let scopes = text.split([' ', ',']).filter(|scope| !scope.is_empty());
        scopes.map(str::to_owned).collect()
    }
}

fn invalid(why: impl Into<String>) -> Failure {
    Failure::because(Reason::InvalidRequest, why)
}
