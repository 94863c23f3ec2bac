//! The limits of minutes, which GitHub publishes and never shows in an answer: points, created content, and manners.
//!
//! <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>,
//! <https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api>

use std::time::Duration;

use connect_core::quota::{Bucket, Draws, Rule};
use connect_core::{Method, Operation};

/// How a client keeps to the limits that GitHub publishes but does not count aloud.
///
/// The hourly limits, `Retry-After` and refusals are heeded in every case; this is about not being refused.
///
/// | | points: 900 a minute (GraphQL 2,000) | created content: 80 a minute, 500 an hour | a second between writes, three after what notifies people |
/// |---|---|---|---|
/// | `Reactive` | | | |
/// | `Published` | yes | yes | |
/// | `Polite` | yes | yes | yes |
///
/// A read is one point, a write five. Created content is what the operation's row marks (issues, comments, reviews, releases,
/// commits made by the API ...) and, of calls without a row, every `POST`.
///
/// ```
/// use connect_github::{GitHub, Pacing};
/// let bot = GitHub::builder().token("ghp_example").pacing(Pacing::Polite).build()?;
/// # let _ = bot;
/// # Ok::<(), connect_github::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pacing {
    /// Goes by what the answers say. The default for GitHub Enterprise Server, whose limits are off unless its
    /// administrators turn them on.
    Reactive,
    /// Keeps what GitHub publishes. The default for github.com and GHE.com.
    Published,
    /// The same, with the distances between writes that GitHub asks integrations to keep. For bots that write in bulk.
    Polite,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// So many...in any such time.
const POINTS: Rule = Rule::Published { limit: 900, window: MINUTE };
const GRAPHQL_POINTS: Rule = Rule::Published { limit: 2_000, window: MINUTE };
const CONTENT_IN_A_MINUTE: Rule = Rule::Published { limit: 80, window: MINUTE };
const CONTENT_IN_AN_HOUR: Rule = Rule::Published { limit: 500, window: HOUR };
const BETWEEN_WRITES: Rule = Rule::Spacing { every: Duration::from_secs(1) };
const BETWEEN_NOTIFICATIONS: Rule = Rule::Spacing { every: Duration::from_secs(3) };

/// What an operation's row says beside the resource.
const CONTENT: &str = "content";
const NOTIFIES: &str = "notifies";

impl Pacing {
    /// What one call of REST draws on beside its hourly limit.
    pub(super) fn add(self, draws: Draws, operation: &Operation) -> Draws {
        if self == Self::Reactive {
            return draws;
        }
        let is_write = !matches!(operation.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let draws = draws.and(Bucket::new("points"), if is_write { 5 } else { 1 }, POINTS);
        if !is_write {
            return draws;
        }
        let creates =
            operation.draws.contains(&CONTENT) || (is_raw(operation) && operation.method == Method::POST);
        self.add_write(draws, creates, operation.draws.contains(&NOTIFIES))
    }

    /// What one call of GraphQL draws on beside its hourly limit.
    pub(super) fn add_graphql(self, draws: Draws, is_mutation: bool) -> Draws {
        if self == Self::Reactive {
            return draws;
        }
        let draws = draws.and(Bucket::new("graphql_points"), if is_mutation { 5 } else { 1 }, GRAPHQL_POINTS);
        if is_mutation { self.add_write(draws, true, false) } else { draws }
    }

    fn add_write(self, mut draws: Draws, creates: bool, notifies: bool) -> Draws {
        if creates {
            draws = draws.and(Bucket::new("content_hour"), 1, CONTENT_IN_AN_HOUR);
        }
        if self != Self::Polite {
            return if creates {
                draws.and(Bucket::new("content_minute"), 1, CONTENT_IN_A_MINUTE)
            } else {
                draws
            };
        }
        // A second between writes is sixty a minute: within the eighty without counting them.
        let draws = draws.and(Bucket::new("writes"), 1, BETWEEN_WRITES);
        if notifies { draws.and(Bucket::new("notifications"), 1, BETWEEN_NOTIFICATIONS) } else { draws }
    }
}

/// A row that was made at run time: what it does can be told from its method only.
fn is_raw(operation: &Operation) -> bool {
    operation.docs.is_empty()
}
