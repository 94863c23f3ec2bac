//! GitHub for Rust programs: typed endpoints on one resilience stack, and typed webhooks.
//!
//! Webhooks are in the module `webhook` (feature `webhook`), which needs no client.
//!
#![cfg_attr(feature = "client", doc = include_str!("../docs/client.md"))]
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | `GitHub`, credentials, limits |
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
