//! The operations that the fake knows: one row each, with what Jira documents about it.
//!
//! A row names the operation as Jira's description does, its method and path, and which parameters and body
//! fields the fake honours, or may ignore because they change nothing here. Anything else a request carries is
//! recorded as a problem: either it is misspelt, or the test expects something that will not happen.
//! Not a router for a real server: the first matching row wins, and only version 3 of the API is here.

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::answer::{Failure, Success};
use super::shape::Account;
use super::state::Site;
use super::{comments, issues, properties, search, workflow};
use crate::server::Received;

/// Where version 3 of the API lives below the base URL.
pub(crate) const ROOT: &str = "/rest/api/3";

/// One request that matched a row, with everything that a handler may look at.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Received,
    /// The decoded values of the path's placeholders, in order.
    pub(crate) path: Vec<String>,
    /// Base of the links in answers.
    pub(crate) base: &'a str,
    pub(crate) account: &'a Account,
    pub(crate) now: u64,
}

impl Call<'_> {
    pub(crate) fn segment(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.request.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The values of a parameter, which Jira takes repeated, with commas, or both.
    pub(crate) fn query_list(&self, name: &str) -> Vec<String> {
        let values = self.request.query_pairs().filter(|(key, _)| key == name);
        let list: Vec<String> =
            values.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>()).collect();
        list.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, name: &str, otherwise: usize) -> Result<usize, Failure> {
        let Some(text) = self.query(name) else { return Ok(otherwise) };
        text.parse()
            .map_err(|_| Failure::bad_request(format!("The parameter `{name}` is no whole number: {text}")))
    }

    /// The body, whatever JSON it is.
    pub(crate) fn json(&self) -> Result<Value, Failure> {
        let media = self.request.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            let message = "The body must be sent as application/json.";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        serde_json::from_slice(&self.request.body)
            .map_err(|error| Failure::bad_request(format!("The body is no JSON: {error}")))
    }

    /// The body, which must be an object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Failure> {
        match self.json()? {
            Value::Object(fields) => Ok(fields),
            _ => Err(Failure::bad_request("The body must be a JSON object.")),
        }
    }
}

pub(crate) type Handler = fn(&mut Site, &Call<'_>) -> Result<Success, Failure>;

/// What a row knows about the body.
enum Body {
    None,
    Fields(&'static [&'static str]),
    AnyJson,
}

pub(crate) struct Route {
    pub(crate) operation: &'static str,
    method: Method,
    path: &'static str,
    query: &'static [&'static str],
    body: Body,
    pub(crate) handler: Handler,
}

const ROUTES: &[Route] = &[
    Route {
        operation: "createIssue",
        method: Method::POST,
        path: "/issue",
        query: &["updateHistory"],
        body: Body::Fields(&["fields", "properties"]),
        handler: issues::create_issue,
    },
    Route {
        operation: "getIssue",
        method: Method::GET,
        path: "/issue/{issueIdOrKey}",
        query: &["fields", "properties", "fieldsByKeys", "failFast", "updateHistory"],
        body: Body::None,
        handler: issues::get_issue,
    },
    Route {
        operation: "addComment",
        method: Method::POST,
        path: "/issue/{issueIdOrKey}/comment",
        query: &[],
        body: Body::Fields(&["body"]),
        handler: comments::add_comment,
    },
    Route {
        operation: "getComments",
        method: Method::GET,
        path: "/issue/{issueIdOrKey}/comment",
        query: &["startAt", "maxResults", "orderBy"],
        body: Body::None,
        handler: comments::get_comments,
    },
    Route {
        operation: "getTransitions",
        method: Method::GET,
        path: "/issue/{issueIdOrKey}/transitions",
        query: &[
            "expand",
            "transitionId",
            "includeUnavailableTransitions",
            "skipRemoteOnlyCondition",
            "sortByOpsBarAndStatus",
        ],
        body: Body::None,
        handler: workflow::get_transitions,
    },
    Route {
        operation: "doTransition",
        method: Method::POST,
        path: "/issue/{issueIdOrKey}/transitions",
        query: &[],
        body: Body::Fields(&["transition"]),
        handler: workflow::do_transition,
    },
    Route {
        operation: "getIssueProperty",
        method: Method::GET,
        path: "/issue/{issueIdOrKey}/properties/{propertyKey}",
        query: &[],
        body: Body::None,
        handler: properties::get_issue_property,
    },
    Route {
        operation: "setIssueProperty",
        method: Method::PUT,
        path: "/issue/{issueIdOrKey}/properties/{propertyKey}",
        query: &[],
        body: Body::AnyJson,
        handler: properties::set_issue_property,
    },
    Route {
        operation: "searchAndReconsileIssuesUsingJqlPost",
        method: Method::POST,
        path: "/search/jql",
        query: &[],
        body: Body::Fields(&[
            "jql",
            "nextPageToken",
            "maxResults",
            "fields",
            "fieldsByKeys",
            "properties",
            "reconcileIssues",
        ]),
        handler: search::search,
    },
    Route {
        operation: "getCurrentUser",
        method: Method::GET,
        path: "/myself",
        query: &[],
        body: Body::None,
        handler: issues::get_current_user,
    },
];

/// The row that a request reaches, with the decoded placeholders of its path.
///
/// `path` is without the prefix of the site; a trailing slash reaches nothing.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Route, Vec<String>)> {
    let path = path.strip_prefix(ROOT)?;
    ROUTES.iter().filter(|route| route.method == *method).find_map(|route| {
        let captured = capture(route.path, path)?;
        Some((route, captured))
    })
}

/// Whether another method reaches something here.
pub(crate) fn knows_path(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|path| ROUTES.iter().any(|route| capture(route.path, path).is_some()))
}

fn capture(template: &str, path: &str) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        // Bytes that are not UTF-8 name nothing here, so they are simply not found.
        let segment = percent_decode_str(segments.next()?).decode_utf8().ok()?;
        if expected.starts_with('{') {
            captured.push((!segment.is_empty()).then(|| segment.into_owned())?);
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(captured)
}

impl Route {
    /// Parameters and body fields that this fake does not honour.
    pub(crate) fn problems(&self, request: &Received) -> Vec<String> {
        let parameters = request
            .query_pairs()
            .filter(|(name, _)| !self.query.contains(&name.as_str()))
            .map(|(name, _)| format!("{} here takes no query parameter `{name}`", self.operation));
        let known = match self.body {
            Body::None => &[],
            Body::Fields(known) => known,
            Body::AnyJson => return parameters.collect(),
        };
        let body: Map<String, Value> = serde_json::from_slice(&request.body).unwrap_or_default();
        let fields = body
            .into_iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, _)| format!("{} here takes no body field `{name}`", self.operation));
        parameters.chain(fields).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reaches_its_row_by_method() {
        let name = |method, path| find(&method, path).map(|(route, captured)| (route.operation, captured));
        let key = || vec!["OPS-1".to_owned()];
        assert_eq!(name(Method::GET, "/rest/api/3/issue/OPS-1"), Some(("getIssue", key())));
        assert_eq!(name(Method::GET, "/rest/api/3/issue/OPS%2D1/comment"), Some(("getComments", key())));
        assert_eq!(name(Method::POST, "/rest/api/3/issue/OPS-1/comment"), Some(("addComment", key())));
        assert_eq!(name(Method::DELETE, "/rest/api/3/issue/OPS-1"), None);
        assert_eq!(name(Method::GET, "/rest/api/2/issue/OPS-1"), None);
        assert_eq!(name(Method::GET, "/rest/api/3/issue/"), None);
        assert!(knows_path("/rest/api/3/issue/OPS-1") && !knows_path("/rest/api/3/issue/"));
    }
}
