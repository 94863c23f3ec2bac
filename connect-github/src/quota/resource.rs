//! The hourly limits: GitHub counts per resource, names the resource in each answer, and lets it be guessed from the path.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use connect_core::{Method, Operation};

/// Which resource serves a path; the first row that fits. Enterprise Server puts a prefix before the path.
const BY_START: &[(&str, &str)] =
    &[("/search/code", "code_search"), ("/search/", "search"), ("/graphql", "graphql"), ("/scim/", "scim")];

/// The same for paths that say it at their end, for the one method that draws on it.
const BY_END: &[(&str, &str, &str)] = &[
    ("POST", "/conversions", "integration_manifest"),
    ("POST", "/code-scanning/sarifs", "code_scanning_upload"),
    ("POST", "/dependency-graph/snapshots", "dependency_snapshots"),
    ("POST", "/runners/registration-token", "actions_runner_registration"),
    ("GET", "/dependency-graph/sbom", "dependency_sbom"),
    ("GET", "/audit-log", "audit_log"),
    ("PUT", "/import", "source_import"),
];

/// The resources that GitHub's description of `GET /rate_limit` names, and two that were seen beside them.
const NAMES: &[&str] = &[
    "core",
    "graphql",
    "search",
    "code_search",
    "source_import",
    "integration_manifest",
    "actions_runner_registration",
    "scim",
    "dependency_snapshots",
    "dependency_sbom",
    "code_scanning_autofix",
    "copilot_usage_records",
    "audit_log",
    "code_scanning_upload",
];

/// Free of the hourly limits, as GitHub says; it still counts to what is allowed in a minute.
const FREE: &str = "/rate_limit";

/// The path without what Enterprise Server puts before it.
pub(super) fn bare(path: &str) -> &str {
    path.strip_prefix("/api/v3").or_else(|| path.strip_prefix("/api")).unwrap_or(path)
}

pub(super) fn is_free(path: &str) -> bool {
    bare(path).split('?').next() == Some(FREE)
}

/// As the operation's row says; of a raw call, by its path.
pub(super) fn of(operation: &Operation, path: &str) -> &'static str {
    if let Some(named) = operation.draws.iter().find_map(|draw| named(draw)) {
        return named;
    }
    let path = bare(path).split('?').next().unwrap_or_default();
    if let Some((_, resource)) = BY_START.iter().find(|(start, _)| path.starts_with(start)) {
        return resource;
    }
    let method = operation.method.as_str();
    let ends = |row: &&(&str, &str, &str)| row.0 == method && path.ends_with(row.1);
    BY_END.iter().find(ends).map_or("core", |(_, _, resource)| resource)
}

/// Where GitHub has named another resource than was guessed: the next call draws on that one.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    /// Most clients never see one: they pay a flag and no lock.
    are_any: AtomicBool,
    by_path: RwLock<HashMap<Method, HashMap<String, &'static str>>>,
}

/// Raw calls have as many paths as the host makes up.
const MOST_CORRECTIONS: usize = 256;

impl Corrections {
    pub(super) fn of(&self, operation: &Operation) -> Option<&'static str> {
        if !self.are_any.load(Ordering::Relaxed) {
            return None;
        }
        let by_path = self.by_path.read().unwrap_or_else(PoisonError::into_inner);
        by_path.get(&operation.method)?.get(template(operation)).copied()
    }

    pub(super) fn learn(&self, operation: &Operation, resource: &'static str) {
        let mut by_path = self.by_path.write().unwrap_or_else(PoisonError::into_inner);
        let of_method = by_path.entry(operation.method.clone()).or_default();
        if of_method.len() < MOST_CORRECTIONS || of_method.contains_key(template(operation)) {
            of_method.insert(template(operation).to_owned(), resource);
            self.are_any.store(true, Ordering::Relaxed);
        }
    }
}

fn template(operation: &Operation) -> &str {
    operation.path.split('?').next().unwrap_or_default()
}

/// The resource of this name, if it is one of those known.
pub(super) fn named(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|known| **known == name).copied()
}

/// The same; names nobody knows share a bucket, because names become labels, and those must stay few.
pub(super) fn named_or_other(name: &str) -> &'static str {
    named(name).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_draws_on_its_resource() {
        let cases = [
            (Method::GET, "/repos/o/r/issues", "core"),
            (Method::GET, "/search/issues?q=x", "search"),
            (Method::GET, "/search/code?q=x", "code_search"),
            (Method::GET, "/api/v3/search/users?q=x", "search"),
            (Method::POST, "/graphql", "graphql"),
            (Method::POST, "/api/graphql", "graphql"),
            (Method::GET, "/repos/o/r/dependency-graph/sbom", "dependency_sbom"),
            (Method::POST, "/app-manifests/abc/conversions", "integration_manifest"),
            (Method::GET, "/orgs/o/audit-log?after=x", "audit_log"),
            // The same path, another method: listing is not uploading.
            (Method::GET, "/repos/o/r/code-scanning/sarifs", "core"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(of(&Operation::raw("raw", method, path), path), expected, "{path}");
        }
        let row = Operation::raw("row", Method::GET, "/").draws(&["content", "dependency_sbom"]);
        assert_eq!(of(&row, "/"), "dependency_sbom");
    }

    #[test]
    fn corrections_are_by_method_and_path_and_few() {
        let corrections = Corrections::default();
        let raw = |path: &str| Operation::raw("raw", Method::POST, path.to_owned());
        assert_eq!(corrections.of(&raw("/a")), None);
        for number in 0..2 * MOST_CORRECTIONS {
            corrections.learn(&raw(&format!("/{number}?page=1")), "scim");
        }
        assert_eq!(corrections.of(&raw("/0?page=2")), Some("scim"));
        assert_eq!(corrections.of(&raw(&format!("/{MOST_CORRECTIONS}"))), None);
        assert_eq!(corrections.of(&Operation::raw("raw", Method::GET, "/0")), None);
        corrections.learn(&raw("/0"), "core");
        assert_eq!(corrections.of(&raw("/0")), Some("core"));
    }

    #[test]
    fn asking_for_the_limits_is_free_and_what_looks_like_it_is_not() {
        assert!(is_free("/rate_limit") && is_free("/api/v3/rate_limit?x=1"));
        assert!(!is_free("/rate_limits") && !is_free("/repos/o/rate_limit"));
    }
}
