//! What GitHub's answers mean: the verdict for the stack, the model of the limits, the words for an error.

use std::sync::Arc;

use connect_core::quota::QuotaModel;
use connect_core::{Api, Response, StatusCode, Verdict};

use crate::graphql;
use crate::limit;
use crate::problem::Problem;
use crate::quota::{GitHubQuota, Pacing};

/// GitHub as connect-core sees it. A type without values.
#[derive(Debug)]
pub enum GitHubApi {}

impl Api for GitHubApi {
    const ID: &'static str = "github";
    const BASE_URL: &'static str = "https://api.github.com";
    const REQUEST_ID_HEADERS: &'static [&'static str] = &["x-github-request-id"];
    type Handle = crate::GitHub;

    fn classify(response: &Response) -> Verdict {
        // GraphQL says in the body what REST says in the status; other bodies are not looked into.
        if graphql::answers_a_query(response) {
            return graphql::verdict(response);
        }
        match response.status() {
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => match limit::wait(response) {
                Some(wait) => Verdict::RateLimited { retry_after: Some(wait) },
                None => Verdict::Refused,
            },
            _ => Verdict::from_status(response),
        }
    }

    fn quota() -> Arc<dyn QuotaModel> {
        Arc::new(GitHubQuota::new(Pacing::Published))
    }

    fn problem(response: &Response) -> connect_core::Problem {
        if graphql::answers_a_query(response)
            && let Some(problem) = graphql::problem(response)
        {
            return problem;
        }
        let problem = Problem::read(response);
        let kind = problem.kind();
        let words = problem.sentence(response);
        connect_core::Problem::default().with_kind(kind).with_message(words).with_details(problem)
    }
}
