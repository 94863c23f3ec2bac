//! Jira's rate-limit headers: the burst limit of each endpoint, and why a 429 was given.
//!
//! Every answer reports the published burst limit (100 a second for reading and creating, 50 for changing and
//! deleting) as if it were the only request of its second. The fake never refuses by itself: its clock may
//! stand still, so a second could last for ever. Plan a fault to see a 429.
//! Not for the points quota of OAuth apps beyond its name: Jira does not publish what a request costs there.

use http::Method;

use crate::clock::iso_8601;
use crate::server::Answer;

/// Which of Jira's independent limits refused, as `RateLimit-Reason` names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reason {
    Burst,
    IssueWrites,
    Quota,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Burst => "jira-burst-based",
            Self::IssueWrites => "jira-per-issue-on-write",
            Self::Quota => "jira-quota-tenant-based",
        }
    }

    /// Requests in the window of the limit.
    fn limit(self, method: &Method) -> u64 {
        match self {
            Self::Burst if *method == Method::PUT || *method == Method::DELETE => 50,
            Self::Burst => 100,
            // 20 writes to one issue in two seconds.
            Self::IssueWrites => 20,
            // Points an hour of the smallest tier.
            Self::Quota => 65_000,
        }
    }
}

/// Reports a limit that is far away.
pub(crate) fn report(method: &Method, now: u64, answer: &mut Answer) {
    let limit = Reason::Burst.limit(method);
    write(limit, limit - 1, now.saturating_add(1), answer);
}

/// Reports a limit that is reached.
pub(crate) fn refuse(method: &Method, reason: Reason, now: u64, seconds: u64, answer: &mut Answer) {
    write(reason.limit(method), 0, now.saturating_add(seconds), answer);
    answer.set("retry-after", seconds.to_string());
    answer.set("ratelimit-reason", reason.name());
}

fn write(limit: u64, remaining: u64, reset: u64, answer: &mut Answer) {
    answer.set("x-ratelimit-limit", limit.to_string());
    answer.set("x-ratelimit-remaining", remaining.to_string());
    answer.set("x-ratelimit-reset", iso_8601(reset));
    // Documented as "under a fifth is left".
    answer.set("x-ratelimit-nearlimit", (remaining * 5 < limit).to_string());
}
