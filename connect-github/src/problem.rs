//! GitHub's error payload in all its shapes, and the sentence that an operator can act on.
//!
//! The body says what went wrong, and the headers say what would help: permissions, scopes, single sign-on. Whatever is
//! odd in one place hides nothing in another.
//!
//! Sources: <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api>,
//! <https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#http-headers>.

use std::fmt;

use connect_core::{ErrorKind, HeaderMap, Response, Secret, Verdict};
use serde_json::Value;

use crate::refusal;

/// GitHub's error payload: `error.details::<connect_github::Problem>()`.
///
/// ```
/// use connect_github::{Error, ErrorKind, Problem};
/// fn say(error: &Error) -> String {
///     match error.details::<Problem>() {
///         Some(problem) if error.kind() == ErrorKind::Forbidden && !problem.accepted_permissions.is_empty() => {
///             format!("give the app more permissions: {:?}", problem.accepted_permissions)
///         }
///         _ => error.to_string(),
///     }
/// }
/// # let _ = say;
/// ```
///
/// Every field may be empty, because GitHub leaves out each of them somewhere.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// What GitHub says.
    pub message: Option<String>,
    /// The page about it.
    pub documentation_url: Option<String>,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// Which permissions of a GitHub App or a fine-grained token would do: any one of these sets, each with all of its
    /// members. From `x-accepted-github-permissions`.
    pub accepted_permissions: Vec<Vec<Permission>>,
    /// The scopes of the token, if it is of a kind that has scopes (a classic token, an OAuth app's). From
    /// `x-oauth-scopes`.
    pub scopes: Option<Vec<String>>,
    /// Which scopes would do: any one of them. From `x-accepted-oauth-scopes`.
    pub accepted_scopes: Vec<String>,
    /// What single sign-on has to do with it.
    pub sso: Option<Sso>,
    /// Why GitHub blocks a repository, in a word: `dmca`, `tos`.
    pub block: Option<String>,
}

impl Problem {
    /// Reads what is there; whatever has an odd shape is left out.
    pub(crate) fn read(response: &Response) -> Self {
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let errors = match body.get("errors").cloned().unwrap_or_default() {
            Value::Array(errors) => errors,
            Value::Null => Vec::new(),
            single => vec![single],
        };
        let headers = response.headers();
        Self {
            message: text("/message"),
            documentation_url: text("/documentation_url"),
            errors: errors.into_iter().filter_map(FieldError::read).collect(),
            accepted_permissions: Permission::sets(headers),
            scopes: list(headers, "x-oauth-scopes"),
            accepted_scopes: list(headers, "x-accepted-oauth-scopes").unwrap_or_default(),
            sso: Sso::of(headers),
            block: text("/block/reason"),
        }
    }

    /// A better kind than the status suggests: GitHub answers 422 where something exists already.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        let exists = |error: &FieldError| error.code.as_deref() == Some("already_exists");
        (!self.errors.is_empty() && self.errors.iter().all(exists)).then_some(ErrorKind::Conflict)
    }

    /// What GitHub says, with what can be done about it.
    pub(crate) fn sentence(&self, response: &Response) -> Option<String> {
        let is_limited = matches!(response.verdict(), Some(Verdict::RateLimited { .. }));
        let advice = if is_limited { Vec::new() } else { refusal::advice(self, response) };
        refusal::sentence(self.words().or_else(|| refusal::unspoken(response)), &advice)
    }

    fn words(&self) -> Option<String> {
        let message = self.message.iter().filter(|message| !message.trim().is_empty()).cloned();
        let parts: Vec<String> = message.chain(self.errors.iter().map(FieldError::summary)).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// What is wrong with one field of a request.
///
/// GitHub sends an object or a bare sentence; a sentence becomes `message`. `Debug` leaves the value out, because the
/// caller may have meant it for GitHub only.
#[non_exhaustive]
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldError {
    /// What kind of thing the field belongs to (`Issue`).
    pub resource: Option<String>,
    /// The field.
    pub field: Option<String>,
    /// `missing`, `missing_field`, `invalid`, `already_exists`, `unprocessable`, `custom`.
    pub code: Option<String>,
    /// More words, mostly for `custom`.
    pub message: Option<String>,
    /// Which item of a list that was sent, counted from 0.
    pub index: Option<u64>,
    /// What was sent: text, a number, a list.
    pub value: Option<Value>,
}

impl FieldError {
    fn read(error: Value) -> Option<Self> {
        match error {
            Value::String(message) => Some(Self { message: Some(message), ..Self::default() }),
            Value::Object(mut fields) => {
                let mut text = |name: &str| match fields.remove(name) {
                    Some(Value::String(text)) => Some(text),
                    _ => None,
                };
                Some(Self {
                    resource: text("resource"),
                    field: text("field"),
                    code: text("code"),
                    message: text("message"),
                    index: fields.get("index").and_then(Value::as_u64),
                    value: fields.remove("value").filter(|value| !value.is_null()),
                })
            }
            _ => None,
        }
    }

    fn summary(&self) -> String {
        let place = [self.resource.as_deref(), self.field.as_deref()];
        let mut place = place.into_iter().flatten().collect::<Vec<_>>().join(".");
        if let Some(index) = self.index {
            place.push_str(&format!("[{index}]"));
        }
        let why = self.message.as_deref().or(self.code.as_deref()).unwrap_or("refused");
        if place.is_empty() { why.to_owned() } else { format!("{place}: {why}") }
    }
}

impl fmt::Debug for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldError")
            .field("resource", &self.resource)
            .field("field", &self.field)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// A permission of a GitHub App or a fine-grained token. Prints as GitHub writes it: `issues=write`.
///
/// Both words stay text: GitHub adds permissions every few months.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// What it is about: `issues`.
    pub name: String,
    /// What it allows: `read`, `write`, `admin`.
    pub access: String,
}

impl Permission {
    /// Sets are separated by `;`, their members by `,`.
    fn sets(headers: &HeaderMap) -> Vec<Vec<Self>> {
        let text = header(headers, "x-accepted-github-permissions").unwrap_or_default();
        let sets = text.split(';').map(|set| set.split(',').filter_map(Self::read).collect::<Vec<_>>());
        sets.filter(|set| !set.is_empty()).collect()
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, access) = text.split_once('=').unwrap_or((text, "read"));
        (!name.is_empty()).then(|| Self { name: name.to_owned(), access: access.to_owned() })
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.access)
    }
}

/// What an organization's single sign-on has to do with an answer, from `x-github-sso`.
///
/// ```
/// use connect_core::{HeaderMap, HeaderValue};
/// use connect_github::Sso;
/// let mut headers = HeaderMap::new(); // those of `github.send(..).response()`
/// headers.insert("x-github-sso", HeaderValue::from_static("partial-results; organizations=21955855,20582480"));
/// let Some(Sso::PartialResults { organizations }) = Sso::of(&headers) else { panic!() };
/// assert_eq!(organizations, [21955855, 20582480]);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Sso {
    /// The token must be authorized for the organization first.
    Required {
        /// Where its owner does that: a link for one person and a short time, so no log shows it.
        url: Option<Secret>,
    },
    /// A success that leaves out what belongs to these organizations (their ids), because the token is not authorized for
    /// them.
    PartialResults {
        /// Ids of organizations.
        organizations: Vec<u64>,
    },
}

impl Sso {
    /// Reads the header of any answer, also of a success.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (word, parameters) =
            header(headers, "x-github-sso").map(|text| text.split_once(';').unwrap_or((text, "")))?;
        let parameter = |name: &str| {
            parameters.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name)
        };
        match word.trim() {
            "required" => Some(Self::Required { url: parameter("url").map(|(_, url)| Secret::new(url)) }),
            "partial-results" => {
                let ids = parameter("organizations").map(|(_, ids)| ids).unwrap_or_default();
                let organizations = ids.split(',').filter_map(|id| id.trim().parse().ok()).collect();
                Some(Self::PartialResults { organizations })
            }
            _ => None,
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn list(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let items = header(headers, name)?.split(',').map(str::trim).filter(|item| !item.is_empty());
    Some(items.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::{HeaderName, HeaderValue, StatusCode};
    use serde_json::json;

    fn read(headers: &[(&'static str, &'static str)], body: &str) -> Problem {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Problem::read(&Response::new(StatusCode::UNPROCESSABLE_ENTITY, map, body.to_owned()))
    }

    #[test]
    fn field_errors_come_in_every_shape() {
        let cases = [
            (json!(["too long"]), "too long"),
            (json!("too long"), "too long"),
            (json!({"field": "q", "code": "missing"}), "q: missing"),
            (
                json!([{"resource": "Issue", "field": "title", "code": "missing_field"}]),
                "Issue.title: missing_field",
            ),
            (
                json!([{"code": "custom", "field": "labels", "index": 2, "message": "no", "value": 7}]),
                "labels[2]: no",
            ),
            (json!([{"index": "x", "field": 7}]), "refused"),
            (json!([7, null, "last"]), "last"),
        ];
        for (errors, words) in cases {
            let problem = read(&[], &json!({"message": null, "errors": errors, "status": "422"}).to_string());
            assert_eq!(problem.words().as_deref(), Some(words), "{errors}");
        }
        for errors in [json!(null), json!([]), json!(7)] {
            assert!(read(&[], &json!({"errors": errors}).to_string()).words().is_none(), "{errors}");
        }
    }

    #[test]
    fn a_value_is_kept_as_it_came_and_printed_nowhere() {
        for value in [json!("canary"), json!(7), json!(["canary"]), json!(null)] {
            let problem = read(&[], &json!({"errors": [{"field": "f", "value": value}]}).to_string());
            assert_eq!(problem.errors[0].value.clone().unwrap_or_default(), value);
            assert!(!format!("{problem:?}").contains("canary"));
        }
    }

    #[test]
    fn permissions_are_sets_of_which_any_will_do() {
        let header = [(
            "x-accepted-github-permissions",
            "pull_requests=write,contents=read; issues=read ;; metadata,",
        )];
        let sets: Vec<Vec<String>> = read(&header, "")
            .accepted_permissions
            .iter()
            .map(|set| set.iter().map(ToString::to_string).collect())
            .collect();
        let expected: [&[&str]; 3] =
            [&["pull_requests=write", "contents=read"], &["issues=read"], &["metadata=read"]];
        assert_eq!(sets, expected);
    }

    #[test]
    fn scopes_tell_a_token_without_any_from_a_token_that_has_none_of_that_kind() {
        assert_eq!(read(&[], "").scopes, None);
        assert_eq!(read(&[("x-oauth-scopes", "")], "").scopes, Some(Vec::new()));
        assert_eq!(
            read(&[("x-oauth-scopes", "repo, user")], "").scopes,
            Some(vec!["repo".to_owned(), "user".to_owned()])
        );
    }

    #[test]
    fn the_link_of_single_sign_on_is_a_secret() {
        let header = "required; url=https://github.example/orgs/o/sso?authorization_request=canary";
        let problem = read(&[("x-github-sso", header)], "");
        assert!(!format!("{problem:?}").contains("canary"));
        let Some(Sso::Required { url: Some(url) }) = problem.sso else { panic!() };
        assert!(url.expose().ends_with("?authorization_request=canary"));
        assert_eq!(read(&[("x-github-sso", "required")], "").sso, Some(Sso::Required { url: None }));
        assert_eq!(read(&[("x-github-sso", "new-word")], "").sso, None);
        let odd = read(&[("x-github-sso", "partial-results; organizations=1,x")], "").sso;
        assert_eq!(odd, Some(Sso::PartialResults { organizations: vec![1] }));
    }

    #[test]
    fn html_empty_and_odd_bodies_have_no_words() {
        for body in ["", "<html>", "[]", r#"{"errors": null}"#, r#"{"message": null}"#, r#"{"message": 7}"#] {
            assert!(read(&[], body).words().is_none(), "{body}");
        }
    }
}
