//! GitHub for Rust programs: typed endpoints on one resilience stack, and typed webhooks.
//!
//! ```no_run
//! use connect_github::{GitHub, issues};
//!
//! # async fn example() -> Result<(), connect_github::Error> {
//! let github = GitHub::from_env()?; // GITHUB_TOKEN, GITHUB_API_URL
//! let issue = github.send(issues::Create::new("octo", "hello", "Title").body("text")).await?;
//! println!("{} {}", issue.number, issue.html_url);
//! # Ok(())
//! # }
//! ```
//!
//! Lists are streams (`github.stream(issues::ListForRepo::new("octo", "hello").state("open"))`), and any other operation
//! goes through the same stack by [`Raw`](connect_core::Raw).
//!
//! What you get without asking: a `POST` that GitHub answered with a 5xx is never sent twice (the error says it may have
//! been applied); primary and secondary rate limits are told apart from missing permissions and waited for when that is
//! short, returned at once when it is long; no credential leaves the configured origin, shows in a log, or survives in
//! an error.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | [`GitHub`], endpoints, models |
//! | `rustls` | yes | TLS by rustls with ring |
//! | `webhook` | no | typed events and their verifier, without an HTTP client |

#[cfg(feature = "client")]
mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
pub mod model;
#[cfg(feature = "client")]
mod provider;
#[cfg(feature = "client")]
mod quota;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "client")]
pub use api::{issues, users};
#[cfg(feature = "client")]
pub use client::{GitHub, GitHubBuilder};
#[cfg(feature = "client")]
pub use provider::{FieldError, GitHubApi, Problem};

#[cfg(feature = "client")]
pub use connect_core::{Config, Connector, Context, Error, ErrorKind, RetryAdvice, Secret, Sent, TokenCache};
