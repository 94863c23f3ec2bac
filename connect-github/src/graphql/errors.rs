//! The errors of a query: every one of them, with GitHub's `type`, and the data that came beside them.

use std::fmt::{self, Write};
use std::time::Duration;

use connect_core::{Error, ErrorKind, Response, RetryAdvice, Safety, Sent, hint};
use serde_json::{Map, Value};

use super::answer::Envelope;
use crate::limit;
use crate::problem::Sso;
use crate::refusal;

pub(super) const ASK_FOR_LESS: &str =
    "ask for less: a smaller `first`, fewer connections in each other, a shorter span of time";
const MAY_NOT_SEE: &str = "there is no such thing, or the token may not see it";

/// GitHub's words for what went wrong, with the kind of error each becomes and what can be done. It adds words without
/// telling: the others become [`ErrorKind::Provider`] and keep their word.
const TYPES: &[(&str, ErrorKind, &str)] = &[
    ("RATE_LIMITED", ErrorKind::RateLimited, ""),
    ("RATE_LIMIT", ErrorKind::RateLimited, ""),
    ("NOT_FOUND", ErrorKind::NotFound, MAY_NOT_SEE),
    ("FORBIDDEN", ErrorKind::Forbidden, ""),
    ("INSUFFICIENT_SCOPES", ErrorKind::Forbidden, ""),
    ("UNAUTHORIZED", ErrorKind::Forbidden, ""),
    ("UNAUTHENTICATED", ErrorKind::Auth, ""),
    ("STALE_DATA", ErrorKind::Conflict, "read it again first"),
    ("UNPROCESSABLE", ErrorKind::Invalid, ""),
    ("BAD_USER_INPUT", ErrorKind::Invalid, ""),
    ("INVALID_CURSOR_ARGUMENTS", ErrorKind::Invalid, "begin the list anew"),
    ("MISSING_PAGINATION_BOUNDARIES", ErrorKind::Invalid, "give the connection a `first` or `last`"),
    ("EXCESSIVE_PAGINATION", ErrorKind::Invalid, "a connection takes at most 100 at a time"),
    ("MAX_NODE_LIMIT_EXCEEDED", ErrorKind::Invalid, ASK_FOR_LESS),
    ("RESOURCE_LIMITS_EXCEEDED", ErrorKind::Invalid, ASK_FOR_LESS),
    ("TIMEOUT", ErrorKind::Unavailable, ASK_FOR_LESS),
    ("SERVICE_UNAVAILABLE", ErrorKind::Unavailable, ""),
    ("INTERNAL", ErrorKind::Unavailable, ""),
];

/// How GitHub begins when a query failed inside, mostly because it took too long. It has no type.
const FAILED_INSIDE: &str = "Something went wrong while executing your query";

/// How many of the errors the sentence tells; all are in the payload.
const TOLD: usize = 3;

/// The errors of a query: `error.details::<graphql::Errors>()`.
///
/// ```
/// use connect_github::{Error, graphql};
/// fn is_gone(error: &Error) -> bool {
///     let Some(errors) = error.details::<graphql::Errors>() else { return false };
///     errors.errors.iter().all(|error| error.r#type.as_deref() == Some("NOT_FOUND"))
/// }
/// # let _ = is_gone;
/// ```
#[non_exhaustive]
#[derive(Clone, Default)]
pub struct Errors {
    /// Each of them.
    pub errors: Vec<QueryError>,
    /// What came beside them: the part of the data that could be had.
    pub data: Option<Value>,
    /// What single sign-on has to do with it.
    pub sso: Option<Sso>,
}

impl fmt::Debug for Errors {
    /// Without the data, which may be private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errors")
            .field("errors", &self.errors)
            .field("has_data", &self.data.is_some())
            .field("sso", &self.sso)
            .finish()
    }
}

/// One error of a query.
///
/// Every field may be missing, because GitHub leaves out each of them somewhere.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryError {
    /// GitHub's own word: `NOT_FOUND`, `FORBIDDEN`, `RATE_LIMITED`. A query that does not fit the schema has none; its
    /// word is in `extensions`, as `code`.
    pub r#type: Option<String>,
    /// What GitHub says.
    pub message: String,
    /// Which part of the answer is missing because of it.
    pub path: Vec<PathSegment>,
    /// Where in the document it comes from.
    pub locations: Vec<Location>,
    /// Whatever else GitHub tells.
    pub extensions: Map<String, Value>,
}

/// One step into an answer: a field, or an item of a list.
///
/// As the specification has it: <https://spec.graphql.org/October2021/#sec-Errors>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A field, by the name that the query gives it.
    Field(String),
    /// An item, counted from 0.
    Index(u64),
}

/// A place in a document, counted from 1.
///
/// As the specification has it: <https://spec.graphql.org/October2021/#sec-Errors>.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl QueryError {
    /// Reads what is there; whatever has an odd shape is left out.
    fn read(error: Value) -> Self {
        let Value::Object(mut fields) = error else {
            let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Self { message, ..Self::default() };
        };
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (r#type, message) = (text("type"), text("message").unwrap_or_default());
        let mut list = |name: &str| match fields.remove(name) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        let path = list("path").into_iter().filter_map(|segment| match segment {
            Value::String(field) => Some(PathSegment::Field(field)),
            other => other.as_u64().map(PathSegment::Index),
        });
        let path = path.collect();
        let locations = list("locations").into_iter().filter_map(|place| {
            let number = |name: &str| place.get(name).and_then(Value::as_u64);
            Some(Location { line: number("line")?, column: number("column")? })
        });
        let locations = locations.collect();
        let extensions = match fields.remove("extensions") {
            Some(Value::Object(extensions)) => extensions,
            _ => Map::new(),
        };
        Self { r#type, message, path, locations, extensions }
    }

    fn row(&self) -> Option<&'static (&'static str, ErrorKind, &'static str)> {
        let word = self.r#type.as_deref()?;
        TYPES.iter().find(|(known, _, _)| *known == word)
    }

    /// Does the query not fit the schema? GitHub then says where it stands, and has no type for it.
    fn is_of_the_document(&self) -> bool {
        self.r#type.is_none() && (!self.locations.is_empty() || self.extensions.contains_key("code"))
    }

    fn is_primary_limit(&self) -> bool {
        self.row().is_some_and(|(_, kind, _)| *kind == ErrorKind::RateLimited)
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.message.trim() {
            "" => "an error without words",
            words => words.trim_end_matches('.'),
        })?;
        let mut path = String::new();
        for segment in &self.path {
            match segment {
                PathSegment::Field(field) if path.is_empty() => path.push_str(field),
                PathSegment::Field(field) => write!(path, ".{field}")?,
                PathSegment::Index(index) => write!(path, "[{index}]")?,
            }
        }
        match (&self.r#type, path.as_str()) {
            (None, "") => Ok(()),
            (None, path) => write!(f, " (at {path})"),
            (Some(word), "") => write!(f, " ({word})"),
            (Some(word), path) => write!(f, " ({word} at {path})"),
        }
    }
}

impl Errors {
    /// Those of an answer; `None` if it has none, or is no answer of GraphQL.
    pub(super) fn read(response: &Response) -> Option<Self> {
        let envelope: Envelope<'_> = serde_json::from_slice(response.body()).ok()?;
        let errors = match serde_json::from_str(envelope.errors?.get()).ok()? {
            Value::Array(errors) => errors,
            single => vec![single],
        };
        let errors: Vec<QueryError> = errors.into_iter().map(QueryError::read).collect();
        if errors.is_empty() {
            return None;
        }
        let data = envelope.data.and_then(|data| serde_json::from_str(data.get()).ok());
        Some(Self { errors, data, sso: Sso::of(response.headers()) })
    }

    /// Did any part of it come about? Of a mutation: was anything applied?
    pub(super) fn has_effect(&self) -> bool {
        match &self.data {
            Some(Value::Object(fields)) => fields.values().any(|field| !field.is_null()),
            _ => false,
        }
    }

    /// Was the query stopped for taking too long, or did it fail inside?
    pub(super) fn say_stopped(&self) -> bool {
        self.errors.iter().any(|error| {
            error.message.starts_with(FAILED_INSIDE) || error.r#type.as_deref() == Some("TIMEOUT")
        })
    }

    /// Is it a secondary limit, which GitHub tells by words alone?
    pub(super) fn say_secondary(&self) -> bool {
        self.errors.iter().any(|error| limit::is_secondary(&error.message))
    }

    /// How long to wait, if this is a rate limit.
    pub(super) fn limit(&self, response: &Response) -> Option<Duration> {
        let told = || hint::retry_after(response.headers());
        if self.say_secondary() {
            return Some(told().unwrap_or(limit::UNEXPLAINED_LIMIT));
        }
        // Nothing is left, nothing came, and GitHub gives no other reason.
        let is_used_up = limit::is_used_up(response)
            && self.data.is_none()
            && self.errors.iter().all(|error| error.r#type.is_none() && !error.is_of_the_document());
        let is_limit = is_used_up || self.errors.iter().any(QueryError::is_primary_limit);
        is_limit.then(|| told().unwrap_or_else(|| limit::until_reset(response)))
    }

    /// A limit before everything else, then the first word that is known.
    pub(super) fn kind(&self, response: &Response) -> ErrorKind {
        if self.limit(response).is_some() {
            return ErrorKind::RateLimited;
        }
        let known = self.errors.iter().find_map(QueryError::row).map(|(_, kind, _)| *kind);
        known.unwrap_or_else(|| {
            if self.say_stopped() {
                ErrorKind::Unavailable
            } else if self.errors.iter().any(QueryError::is_of_the_document) {
                ErrorKind::Invalid
            } else {
                ErrorKind::Provider
            }
        })
    }

    /// What GitHub says, and what can be done.
    pub(super) fn sentence(&self, response: &Response) -> String {
        let mut words: Vec<String> = self.errors.iter().take(TOLD).map(ToString::to_string).collect();
        if self.errors.len() > TOLD {
            words.push(format!("and {} more", self.errors.len() - TOLD));
        }
        let mut advice: Vec<String> = Vec::new();
        let rows = self.errors.iter().find_map(QueryError::row).filter(|(_, _, todo)| !todo.is_empty());
        advice.extend(rows.map(|(_, _, todo)| (*todo).to_owned()));
        if advice.is_empty() && self.say_stopped() {
            advice.push(ASK_FOR_LESS.to_owned());
        }
        if matches!(self.sso, Some(Sso::Required { .. })) {
            advice.push(SSO.to_owned());
        }
        if self.kind(response) == ErrorKind::RateLimited {
            advice.clear(); // when it opens again is told by the error
        }
        refusal::sentence(Some(words.join("; ")), &advice).unwrap_or_default()
    }

    /// The error of an answer that has data beside its errors, where that is not good enough.
    pub(super) fn into_error(self, response: &Response, safety: Safety) -> Error {
        let kind = self.kind(response);
        let is_in_doubt = self.has_effect() || self.say_stopped();
        let retry = match safety {
            Safety::Safe if kind == ErrorKind::Unavailable && !self.say_stopped() => RetryAdvice::Later,
            Safety::Safe => RetryAdvice::Never,
            _ if is_in_doubt => RetryAdvice::CheckFirst,
            _ => RetryAdvice::Never,
        };
        let sent = if safety != Safety::Safe && is_in_doubt { Sent::Maybe } else { Sent::Yes };
        let sentence = self.sentence(response);
        Error::new(kind, sentence).with_sent(sent).with_retry(retry).with_details(self)
    }
}

/// The link itself is for one person: it stays in the payload.
const SSO: &str = "authorize the token for the organization's single sign-on; `Errors::sso` has the link";

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderMap, StatusCode};
    use serde_json::json;

    fn answer(body: &Value) -> Response {
        Response::new(StatusCode::OK, HeaderMap::new(), body.to_string())
    }

    #[test]
    fn an_error_keeps_everything_that_github_tells() {
        let response = answer(&json!({
            "data": {"repository": {"issues": [{"id": 1}, null]}},
            "errors": [{
                "type": "FORBIDDEN", "message": "Resource not accessible by integration.",
                "path": ["repository", "issues", 1], "locations": [{"line": 2, "column": 5}, {"line": "x"}],
                "extensions": {"saml_failure": false}
            }]
        }));
        let errors = Errors::read(&response).unwrap();
        let error = &errors.errors[0];
        assert_eq!(
            error.to_string(),
            "Resource not accessible by integration (FORBIDDEN at repository.issues[1])"
        );
        assert_eq!(error.locations, [Location { line: 2, column: 5 }]);
        assert_eq!(error.extensions.get("saml_failure"), Some(&json!(false)));
        assert_eq!(errors.kind(&response), ErrorKind::Forbidden);
        assert_eq!(errors.data.as_ref().unwrap()["repository"]["issues"][0]["id"], 1);
        assert!(errors.has_effect());
        assert!(format!("{errors:?}").contains("has_data") && !format!("{errors:?}").contains("\"id\""));
    }

    #[test]
    fn odd_errors_are_errors_all_the_same() {
        let cases = [
            (json!(["words"]), "words"),
            (json!("words"), "words"),
            (json!([7]), "7"),
            (json!([{}]), "an error without words"),
            (
                json!([{"type": 7, "message": null, "path": "x", "locations": 7, "extensions": []}]),
                "an error without words",
            ),
            (json!([{"message": "a", "path": ["x", 0, "y"]}]), "a (at x[0].y)"),
            (
                json!([{"message": "1"}, {"message": "2"}, {"message": "3"}, {"message": "4"}]),
                "1; 2; 3; and 1 more",
            ),
        ];
        for (errors, words) in cases {
            let response = answer(&json!({"errors": errors}));
            let read = Errors::read(&response).unwrap();
            assert_eq!(read.sentence(&response), words, "{errors}");
            assert_eq!(read.kind(&response), ErrorKind::Provider, "{errors}");
        }
        for none in [json!({}), json!({"errors": null}), json!({"errors": []}), json!([]), json!("x")] {
            assert!(Errors::read(&answer(&none)).is_none(), "{none}");
        }
    }

    #[test]
    fn each_word_becomes_a_kind_and_new_words_are_kept() {
        let kind = |error: Value| {
            let response = answer(&json!({"data": null, "errors": [error]}));
            Errors::read(&response).unwrap().kind(&response)
        };
        for (word, expected, _) in TYPES {
            assert_eq!(kind(json!({"type": word, "message": "m"})), *expected, "{word}");
        }
        assert_eq!(kind(json!({"type": "BRAND_NEW", "message": "m"})), ErrorKind::Provider);
        assert_eq!(
            kind(json!({"message": "m", "locations": [{"line": 1, "column": 1}]})),
            ErrorKind::Invalid
        );
        assert_eq!(
            kind(json!({"message": "m", "extensions": {"code": "undefinedField"}})),
            ErrorKind::Invalid
        );
        assert_eq!(kind(json!({"message": format!("{FAILED_INSIDE} on 2026")})), ErrorKind::Unavailable);
    }

    #[test]
    fn of_several_errors_a_limit_counts_most() {
        let response = answer(&json!({"errors": [
            {"type": "NOT_FOUND", "message": "a"}, {"type": "RATE_LIMITED", "message": "b"}
        ]}));
        assert_eq!(Errors::read(&response).unwrap().kind(&response), ErrorKind::RateLimited);
    }
}
