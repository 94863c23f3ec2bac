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
//! What is done every day reads shorter by [handles](handle):
//!
//! ```no_run
//! # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
//! github.repo("octo", "hello")?.issue(5).comment("It rains in.").await?;
//! # Ok(())
//! # }
//! ```
//!
//! The module `guide` of the documentation is one page about credentials, setting up an App, permissions, limits, errors and
//! webhooks; `from_octocrab` is a table from octocrab's calls.
//!
//! Every operation of GitHub's REST API is an endpoint, named as GitHub names it: `issues/list-for-repo` is
//! `issues::ListForRepo`. What GitHub insists on goes into `new`, the rest into setters with GitHub's names; owners,
//! repositories and other values of paths are encoded or refused, so that none addresses something else. Lists are streams
//! (`github.stream(issues::ListForRepo::new("octo", "hello").state("open"))`), files are streamed (`github.download(..)`,
//! `github.upload(..)`), and what is not described goes through the same stack by [`Raw`](connect_core::Raw).
//!
//! Answers are [models](model): dates and links stay text until they are asked, words that GitHub adds stay readable, and a
//! field that GitHub promises and leaves out is its default, reported to the observer as drift
//! ([`Call::strict`](connect_core::Call::strict) makes it an error). They take both of GitHub's API versions.
//!
//! [`graphql::Query`] asks GraphQL through the same stack: limits and missing permissions that GitHub reports under HTTP
//! 200 become the errors they are, and connections are streams too.
//!
//! An [`Error`] says what would help where GitHub does (permissions, scopes, single sign-on, a first commit); its details are
//! a [`Problem`], or [`graphql::Errors`].
//!
//! What you get without asking: a `POST` that GitHub answered with a 5xx is never sent twice (the error says it may have
//! been applied); primary and secondary rate limits are told apart from missing permissions and waited for when that is
//! short, returned at once when it is long; no credential leaves the configured origin, shows in a log, or survives in
//! an error.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | [`GitHub`], credentials, limits |
//! | `actions`, `apps`, `checks`, `git`, `issues`, `meta`, `pulls`, `reactions`, `repos`, `search`, `users` | yes | the endpoints and models of a category |
//! | `activity`, `code-scanning`, `orgs`, `teams` and 34 more; `all` | no | the same of the other categories |
//! | `rustls` | yes | TLS by rustls with ring |
//! | `rustls-aws-lc`, `native-tls` | no | TLS by aws-lc, or by the system's library |
//! | `webhook` | no | all events of webhooks as types, and their verifier, without an HTTP client |
//! | `app` | no | `app`: GitHub Apps, their installations and tokens |
//! | `login` | no | `login`: people who log in, and tokens that are refreshed |
//! | `by-name` | no | `CATALOG`: operations by name, with JSON Schema of their arguments |
//! | `serialize` | no | `Serialize` on models and events |
//! | `redelivery` | no | `redelivery`: webhook deliveries that failed are asked for again; GitHub never does that by itself |
//!
//! A program that needs two categories builds faster with `default-features = false, features = ["rustls", "issues", ..]`.

#[cfg(feature = "client")]
#[rustfmt::skip]
mod api;
#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
#[cfg(all(doc, feature = "client"))]
#[doc = include_str!("../docs/from-octocrab.md")]
pub mod from_octocrab {}
#[cfg(feature = "client")]
pub mod graphql;
#[cfg(all(doc, feature = "client"))]
#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
#[cfg(feature = "client")]
pub mod handle;
#[cfg(feature = "client")]
mod host;
#[cfg(feature = "client")]
mod identity;
#[cfg(feature = "client")]
mod limit;
#[cfg(feature = "login")]
pub mod login;
#[cfg(feature = "client")]
pub mod media;
#[cfg(feature = "client")]
#[rustfmt::skip]
pub mod model;
#[cfg(feature = "client")]
mod problem;
#[cfg(feature = "client")]
mod provider;
#[cfg(feature = "client")]
mod quota;
#[cfg(feature = "redelivery")]
pub mod redelivery;
#[cfg(feature = "client")]
mod refusal;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "client")]
#[allow(unreachable_pub, unused_imports, reason = "without any category there is nothing")]
pub use api::*;
#[cfg(feature = "client")]
pub use client::{API_VERSION, GitHub, GitHubBuilder};
#[cfg(feature = "client")]
pub use problem::{FieldError, Permission, Problem, Sso};
#[cfg(feature = "client")]
pub use provider::GitHubApi;
#[cfg(feature = "client")]
pub use quota::Pacing;

#[cfg(feature = "client")]
pub use connect_core::{Config, Connector, Context, Error, ErrorKind, RetryAdvice, Secret, Sent, TokenCache};
