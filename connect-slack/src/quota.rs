//! Slack's limits as far as its answers tell them: each method has one of its own, so a 429 on one closes that one and no
//! other. The published tiers and the spacing of posts in a channel join with the rest of Slack's own behaviour.
//!
//! <https://docs.slack.dev/apis/web-api/rate-limits>

use connect_core::quota::{Bucket, Draws, Observations, QuotaModel, Rule};
use connect_core::{Head, Operation, Request, Response};

#[derive(Debug)]
pub(crate) struct SlackQuota;

impl QuotaModel for SlackQuota {
    fn draws(&self, operation: &Operation, _request: &Request) -> Draws {
        Draws::none().and(Bucket::new(operation.name.clone()), 1, Rule::Server)
    }

    /// Slack shows no figures.
    fn observe(&self, _sent: &Head, _response: &Response, _out: &mut Observations) {}
}
