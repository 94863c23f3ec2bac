//! GitHub's limits: one bucket per resource as its answers tell, what it publishes and never tells, and a pause of the whole
//! account for a secondary limit.
//!
//! <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>

mod pacing;
mod resource;
mod warm;

use connect_core::quota::{Bucket, Draws, HeaderModel, Observations, QuotaModel, Rule};
use connect_core::{Head, Operation, Request, Response, Verdict, hint};

pub use pacing::Pacing;

use crate::graphql;
use crate::limit::UNEXPLAINED_LIMIT;

/// What each call draws on, and what each answer says.
#[derive(Debug)]
pub(crate) struct GitHubQuota {
    headers: HeaderModel,
    pacing: Pacing,
    corrections: resource::Corrections,
}

impl GitHubQuota {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self { headers: HeaderModel::default(), pacing, corrections: resource::Corrections::default() }
    }
}

const GRAPHQL: &str = "graphql";

impl QuotaModel for GitHubQuota {
    fn draws(&self, operation: &Operation, request: &Request) -> Draws {
        let path = request.path_and_query();
        if resource::is_free(path) {
            return self.pacing.add(Draws::none(), operation);
        }
        let resource = resource::of(operation, path);
        if resource == GRAPHQL {
            let is_mutation = operation.safety == connect_core::Safety::Unsafe;
            let points = graphql::cost::of(request);
            let draws = Draws::none().and(Bucket::new(GRAPHQL), points, Rule::Server);
            return self.pacing.add_graphql(draws, is_mutation);
        }
        let resource = self.corrections.of(operation).unwrap_or(resource);
        self.pacing.add(Draws::none().and(Bucket::new(resource), 1, Rule::Server), operation)
    }

    fn observe(&self, sent: &Head, response: &Response, out: &mut Observations) {
        let operation = sent.operation();
        let path = sent.url().map_or("", |url| url.path());
        let guess = resource::of(operation, path);
        // GitHub names the resource, which corrects the guess, for the next time as well.
        let bucket = match response.header("x-ratelimit-resource") {
            Some(name) => resource::named_or_other(name),
            None => self.corrections.of(operation).unwrap_or(guess),
        };
        let is_corrected = bucket != self.corrections.of(operation).unwrap_or(guess);
        if is_corrected && resource::named(bucket).is_some() && guess != GRAPHQL && !resource::is_free(path) {
            self.corrections.learn(operation, bucket);
        }
        let seen = self.headers.read(response.headers(), bucket);
        let is_used_up = seen.as_ref().is_some_and(|seen| seen.remaining == 0);
        if let Some(Verdict::RateLimited { retry_after }) = response.verdict()
            && !is_used_up
        {
            if graphql::is_primary_limit(response) {
                // GitHub can name the primary limit while something remains: too little for this query.
                out.pause(Bucket::new(GRAPHQL), retry_after.unwrap_or(UNEXPLAINED_LIMIT));
                return;
            }
            // A secondary limit is the whole account's. Without a word how long, GitHub asks for a minute at least, and for
            // more each time.
            match hint::retry_after(response.headers()) {
                Some(wait) => out.pause_account(wait),
                None => out.back_off_account(UNEXPLAINED_LIMIT),
            }
        }
        if let Some(seen) = seen {
            out.see(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use connect_core::{HeaderMap, HeaderValue, Method, StatusCode};

    fn drawn(pacing: Pacing, operation: &Operation) -> Vec<(String, u32)> {
        let request = Request::builder(operation).build().unwrap();
        let draws = GitHubQuota::new(pacing).draws(operation, &request);
        draws.iter().map(|draw| (draw.bucket.name().to_owned(), draw.cost)).collect()
    }

    fn names(pacing: Pacing, operation: &Operation) -> String {
        let drawn = drawn(pacing, operation);
        drawn.iter().map(|(name, cost)| format!("{name} {cost}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_kind_of_call_draws_on_what_github_counts_it_to() {
        let read = Operation::raw("read", Method::GET, "/user");
        let free = Operation::raw("free", Method::GET, "/rate_limit");
        let edit = Operation::raw("edit", Method::PATCH, "/repos/o/r/issues/1");
        let create = Operation::raw("create", Method::POST, "/repos/o/r/issues");
        let query = Operation::raw("query", Method::POST, "/graphql").safety(connect_core::Safety::Safe);
        let mutation = Operation::raw("mutation", Method::POST, "/graphql");
        let merge = Operation::new("pulls/merge", Method::PUT, "/merge", connect_core::Safety::Unsafe)
            .docs("https://docs.example")
            .draws(&["notifies"]);
        let comment =
            Operation::new("issues/create-comment", Method::POST, "/c", connect_core::Safety::Unsafe)
                .docs("https://docs.example")
                .draws(&["content", "notifies"]);
        use Pacing::{Polite, Published, Reactive};
        let cases = [
            (Reactive, &create, "core 1"),
            (Reactive, &mutation, "graphql 1"),
            (Published, &read, "core 1, points 1"),
            (Published, &free, "points 1"),
            (Published, &edit, "core 1, points 5"),
            (Published, &create, "core 1, points 5, content_hour 1, content_minute 1"),
            (Published, &merge, "core 1, points 5"),
            (Published, &comment, "core 1, points 5, content_hour 1, content_minute 1"),
            (Published, &query, "graphql 1, graphql_points 1"),
            (Published, &mutation, "graphql 1, graphql_points 5, content_hour 1, content_minute 1"),
            (Polite, &read, "core 1, points 1"),
            (Polite, &edit, "core 1, points 5, writes 1"),
            (Polite, &merge, "core 1, points 5, writes 1, notifications 1"),
            (Polite, &comment, "core 1, points 5, content_hour 1, writes 1, notifications 1"),
        ];
        for (pacing, operation, expected) in cases {
            assert_eq!(names(pacing, operation), expected, "{pacing:?} {}", operation.name);
        }
    }

    fn observed(status: u16, headers: &[(&'static str, &'static str)], verdict: Verdict) -> Observations {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let response = Response::new(StatusCode::from_u16(status).unwrap(), map, "").with_verdict(verdict);
        let operation = Operation::raw("raw", Method::GET, "/user");
        let request = Request::builder(&operation).build().unwrap();
        let mut out = Observations::default();
        GitHubQuota::new(Pacing::Published).observe(request.head(), &response, &mut out);
        out
    }

    fn limited(seconds: u64) -> Verdict {
        Verdict::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn a_secondary_limit_closes_the_account_and_a_used_up_resource_does_not() {
        let told = observed(403, &[("retry-after", "9"), ("x-ratelimit-remaining", "7")], limited(9));
        assert_eq!((told.pauses(), told.back_off()), (&[(None, Duration::from_secs(9))][..], None));
        let silent = observed(403, &[("x-ratelimit-remaining", "7")], limited(60));
        assert_eq!((silent.pauses().len(), silent.back_off()), (0, Some(Duration::from_secs(60))));
        let used_up = observed(403, &[("x-ratelimit-remaining", "0")], limited(60));
        assert_eq!((used_up.pauses().len(), used_up.back_off()), (0, None));
    }

    #[test]
    fn the_answer_names_the_resource() {
        let headers = [("x-ratelimit-remaining", "7"), ("x-ratelimit-resource", "search")];
        assert_eq!(
            observed(200, &headers, Verdict::Success).figures().next().unwrap().bucket.name(),
            "search"
        );
        let strange = [("x-ratelimit-remaining", "7"), ("x-ratelimit-resource", "brand_new")];
        assert_eq!(
            observed(200, &strange, Verdict::Success).figures().next().unwrap().bucket.name(),
            "other"
        );
    }
}
