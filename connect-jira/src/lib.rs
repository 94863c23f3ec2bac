//! Jira Cloud for Rust programs: typed endpoints on one resilience stack, and typed webhooks.
//!
//! ```no_run
//! use connect_jira::{Jira, adf, issues};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), connect_jira::Error> {
//! let jira = Jira::from_env()?; // JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN
//! let created = jira
//!     .send(issues::CreateIssue::new(json!({
//!         "project": {"key": "OPS"},
//!         "issuetype": {"name": "Task"},
//!         "summary": "Disk is full",
//!         "description": adf::text("Seen on db-3."),
//!     })))
//!     .await?;
//! println!("{}", created.key);
//! # Ok(())
//! # }
//! ```
//!
//! Searches are streams: `jira.stream(issue_search::Search::new("project = \"OPS\""))`.
//!
//! What you get without asking: an issue whose creation has an unknown outcome is never created twice (the error says it
//! may have been applied), `Retry-After` is obeyed, a search that names the same page twice ends with an error, and
//! Jira's error texts and field errors stand in the error.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | [`Jira`], endpoints, models |
//! | `rustls` | yes | TLS by rustls with ring |
//! | `webhook` | no | the verifier and the shapes of events, without an HTTP client |

pub mod adf;
#[cfg(feature = "client")]
mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
pub mod model;
#[cfg(feature = "client")]
mod provider;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "client")]
pub use api::{issue_comments, issue_search, issues, myself};
#[cfg(feature = "client")]
pub use client::{Jira, JiraBuilder};
#[cfg(feature = "client")]
pub use provider::{JiraApi, Problem};

#[cfg(feature = "client")]
pub use connect_core::{Config, Connector, Context, Error, ErrorKind, RetryAdvice, Secret, Sent, TokenCache};
