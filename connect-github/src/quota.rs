//! GitHub's limits as far as its headers tell them: one bucket per resource, and a pause of the whole account for a
//! secondary limit. Points, content creation and the cost of GraphQL join with the rest of GitHub's own behaviour.
//!
//! <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use connect_core::quota::{Bucket, Draws, HeaderModel, Observations, QuotaModel, Rule};
use connect_core::{Head, Operation, Request, Response, Verdict};

/// Which resource serves a path; the first row that fits. Enterprise Server puts `/api/v3` before the path.
const RESOURCES: &[(&str, &str)] =
    &[("/search/code", "code_search"), ("/search/", "search"), ("/graphql", "graphql"), ("/scim/", "scim")];

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

/// Free of the primary limit.
const FREE: &str = "/rate_limit";

#[derive(Debug, Default)]
pub(crate) struct GitHubQuota(HeaderModel);

/// As the operation's row says; of a raw call, by its path.
fn resource(operation: &Operation, path: &str) -> &'static str {
    if let Some(named) = operation.draws.iter().find(|draw| NAMES.contains(draw)) {
        return named;
    }
    let path = path.strip_prefix("/api/v3").unwrap_or(path);
    RESOURCES.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or("core", |(_, resource)| resource)
}

impl QuotaModel for GitHubQuota {
    fn draws(&self, operation: &Operation, request: &Request) -> Draws {
        let path = request.path_and_query();
        if path.strip_prefix("/api/v3").unwrap_or(path).starts_with(FREE) {
            return Draws::none();
        }
        Draws::none().and(Bucket::new(resource(operation, path)), 1, Rule::Server)
    }

    fn observe(&self, sent: &Head, response: &Response, out: &mut Observations) {
        let guess = sent.url().map_or("core", |url| resource(sent.operation(), url.path()));
        // GitHub names the resource, which corrects the guess. Names nobody knows share a bucket: they become labels.
        let named = response.header("x-ratelimit-resource").unwrap_or(guess);
        let bucket = NAMES.iter().find(|name| **name == named).copied().unwrap_or("other");
        let seen = self.0.read(response.headers(), bucket);
        let is_used_up = seen.as_ref().is_some_and(|seen| seen.remaining == 0);
        if let Some(Verdict::RateLimited { retry_after: Some(wait) }) = response.verdict()
            && !is_used_up
        {
            out.pause_account(wait); // a secondary limit is the whole account's
        }
        if let Some(seen) = seen {
            out.see(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::Method;

    #[test]
    fn each_path_draws_on_its_resource() {
        let cases = [
            ("/repos/o/r/issues", "core"),
            ("/search/issues?q=x", "search"),
            ("/search/code?q=x", "code_search"),
            ("/api/v3/search/users?q=x", "search"),
            ("/graphql", "graphql"),
        ];
        for (path, expected) in cases {
            assert_eq!(resource(&Operation::raw("raw", Method::GET, path), path), expected, "{path}");
        }
        let row = Operation::raw("row", Method::GET, "/").draws(&["dependency_sbom"]);
        assert_eq!(resource(&row, "/"), "dependency_sbom");
    }
}
