//! The operations that the fake knows: one row each, with what GitHub documents about it.
//!
//! A row names the operation as GitHub does, its method and path, who may call it, and which parameters and
//! body fields the fake honours. Anything else a request carries is recorded as a problem: either it is
//! misspelt, or the test expects something from it that will not happen.
//! Not a router for a real server: the first matching row wins, and a known path with another method is 404.

use http::Method;
use percent_encoding::percent_decode_str;

use super::answer::{Failure, Success};
use super::app::Speaker;
use super::links::Links;
use super::state::State;
use super::{contents, graphql, hooks, installation, issues, releases, search};
use crate::server::Received;

/// One request that matched a row, with everything that a handler may look at.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Received,
    /// The row's name.
    pub(crate) operation: &'static str,
    /// The decoded values of the path's placeholders, in order.
    pub(crate) path: Vec<String>,
    pub(crate) links: &'a Links,
    pub(crate) login: &'a str,
    pub(crate) authorized: bool,
    pub(crate) speaker: Speaker,
    pub(crate) now: u64,
    /// API version 2026-03-10, the first with breaking changes.
    pub(crate) newer_version: bool,
}

impl Call<'_> {
    pub(crate) fn segment(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// The absolute URL of the request, without its query.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.links.html, self.request.path)
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.request.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

pub(crate) type Handler = fn(&mut State, &Call<'_>) -> Result<Success, Failure>;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Access {
    /// Public data: a token is optional, a wrong one is still refused.
    Anyone,
    Token,
    /// The App itself, by JWT.
    App,
    /// A token of an installation.
    Installation,
}

pub(crate) struct Route {
    pub(crate) operation: &'static str,
    pub(super) method: Method,
    /// A last placeholder with a star takes the rest of the path, slashes and all.
    pub(super) path: &'static str,
    pub(crate) access: Access,
    /// Free of the primary limit.
    pub(crate) free: bool,
    pub(super) query: &'static [&'static str],
    /// A star is any.
    pub(super) fields: &'static [&'static str],
    pub(crate) handler: Handler,
}

const ROUTES: &[Route] = &[
    Route {
        operation: "issues/list-for-repo",
        method: Method::GET,
        path: "/repos/{owner}/{repo}/issues",
        access: Access::Anyone,
        free: false,
        query: &["state", "labels", "creator", "assignee", "direction", "page", "per_page"],
        fields: &[],
        handler: issues::list_for_repo,
    },
    Route {
        operation: "issues/create",
        method: Method::POST,
        path: "/repos/{owner}/{repo}/issues",
        access: Access::Token,
        free: false,
        query: &[],
        fields: &["title", "body", "labels", "assignee", "assignees"],
        handler: issues::create,
    },
    Route {
        operation: "issues/get",
        method: Method::GET,
        path: "/repos/{owner}/{repo}/issues/{issue_number}",
        access: Access::Anyone,
        free: false,
        query: &[],
        fields: &[],
        handler: issues::get,
    },
    Route {
        operation: "issues/create-comment",
        method: Method::POST,
        path: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        access: Access::Token,
        free: false,
        query: &[],
        fields: &["body"],
        handler: issues::create_comment,
    },
    Route {
        operation: "users/get-authenticated",
        method: Method::GET,
        path: "/user",
        access: Access::Token,
        free: false,
        query: &[],
        fields: &[],
        handler: super::state::get_authenticated,
    },
    Route {
        operation: "rate-limit/get",
        method: Method::GET,
        path: "/rate_limit",
        access: Access::Anyone,
        free: true,
        query: &[],
        fields: &[],
        handler: super::state::get_rate_limit,
    },
];

/// The row that a request reaches, with the decoded placeholders of its path.
///
/// `path` is without the prefix of the API; a trailing slash reaches nothing, as on GitHub.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Route, Vec<String>)> {
    let tables = [
        ROUTES,
        contents::ROUTES,
        graphql::ROUTES,
        hooks::ROUTES,
        installation::ROUTES,
        releases::ROUTES,
        search::ROUTES,
    ];
    tables.into_iter().flatten().filter(|route| route.method == *method).find_map(|route| {
        let captured = capture(route.path, path)?;
        Some((route, captured))
    })
}

fn capture(template: &str, path: &str) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        if expected.ends_with("*}") {
            let rest: Vec<&str> = segments.by_ref().collect();
            let decoded = percent_decode_str(&rest.join("/")).decode_utf8().ok()?.into_owned();
            captured.push(decoded);
            continue;
        }
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
    /// A row that takes neither parameters nor fields, of an operation that counts.
    pub(super) const fn new(
        operation: &'static str,
        method: Method,
        path: &'static str,
        access: Access,
        handler: Handler,
    ) -> Self {
        Self { operation, method, path, access, free: false, query: &[], fields: &[], handler }
    }

    pub(super) const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    pub(super) const fn fields(mut self, names: &'static [&'static str]) -> Self {
        self.fields = names;
        self
    }

    /// Parameters and body fields that this fake does not honour.
    pub(crate) fn problems(&self, request: &Received) -> Vec<String> {
        let parameters = request
            .query_pairs()
            .filter(|(name, _)| !self.query.contains(&name.as_str()))
            .map(|(name, _)| format!("{} here takes no query parameter `{name}`", self.operation));
        let body: serde_json::Map<_, _> = serde_json::from_slice(&request.body).unwrap_or_default();
        let fields = body
            .into_iter()
            .filter(|(name, _)| !self.fields.iter().any(|known| *known == "*" || known == name))
            .map(|(name, _)| format!("{} here takes no body field `{name}`", self.operation));
        parameters.chain(fields).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_decoded_one_by_one() {
        assert_eq!(
            capture("/repos/{owner}/{repo}", "/repos/a%2Fb/c%20d"),
            Some(vec!["a/b".into(), "c d".into()])
        );
        assert_eq!(capture("/repos/{owner}/{repo}", "/repos/a/"), None);
        assert_eq!(capture("/user", "/user/"), None);
        assert_eq!(capture("/repos/{owner}", "/repos/%ff"), None);
        assert_eq!(capture("/c/{path*}", "/c/a/b%20c"), Some(vec!["a/b c".into()]));
        assert_eq!(capture("/c/{path*}", "/c/"), Some(vec![String::new()]));
    }
}
