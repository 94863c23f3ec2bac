//! GraphQL through the same stack: typed answers, errors that keep GitHub's `type`, lists by cursor, cost.
//!
//! ```no_run
//! use connect_github::{GitHub, graphql};
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! #[derive(Deserialize)]
//! struct Answer { viewer: Viewer }
//! #[derive(Deserialize)]
//! struct Viewer { login: String }
//!
//! # async fn example(github: GitHub) -> Result<(), connect_github::Error> {
//! let answer: Answer = github.send(graphql::Query::new("query Me { viewer { login } }")).await?;
//! println!("{}", answer.viewer.login);
//!
//! let query = graphql::Query::<Answer>::new("query($n: Int!) { viewer { login repositories(first: $n) { totalCount } } }")
//!     .variables(json!({"n": 10}));
//! let reply = github.send(query).response().await?; // what it left of the limit stands in the headers
//! println!("{:?} points left", reply.headers.get("x-ratelimit-remaining"));
//! # Ok(())
//! # }
//! ```
//!
//! GitHub answers failures with HTTP 200. What that means here:
//! - An answer with errors is an [`Error`](crate::Error), of the kind that GitHub's `type` says (`NOT_FOUND`,
//!   `FORBIDDEN`, ...; other words are [`ErrorKind::Provider`](crate::ErrorKind::Provider)). Its details are [`Errors`]:
//!   every error, and the data that came beside them. [`Query::partial`] takes data and errors together instead.
//! - A rate limit is waited for like REST's, and closes the gate for the other calls of the account.
//! - A query that GitHub stopped after 10 seconds (502, 504) is not sent again, although it only reads: it would be stopped
//!   again, and each time costs points. The error says to ask for less.
//! - A `mutation` is never sent twice unless GitHub refused it whole. If some of it was applied,
//!   [`RetryAdvice::CheckFirst`](crate::RetryAdvice::CheckFirst) says so.
//!
//! [`Query::pages_by`] streams a connection, and [`cost`] knows what a query costs before it is sent. Asking for
//! `rateLimit { cost remaining resetAt }` in a query is possible and not needed: the client reads the headers.
//!
//! Types can come from [graphql_client](https://docs.rs/graphql_client): [`Query::from_body`] takes what its `build_query`
//! returns. This module itself knows no schema.
//!
//! Not for subscriptions, which GitHub does not have: use webhooks.
//!
//! <https://docs.github.com/graphql>

mod answer;
mod connection;
pub mod cost;
mod document;
mod errors;
mod partial;
mod query;
mod tokens;

pub(crate) use answer::{answers_a_query, is_primary_limit, problem, verdict};
pub use connection::Connection;
pub use errors::{Errors, Location, PathSegment, QueryError};
pub use partial::{Partial, PartialQuery};
pub use query::Query;
