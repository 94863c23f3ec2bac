//! Slack for Rust programs: typed methods on one resilience stack, and typed webhooks.
//!
//! ```no_run
//! use connect_slack::{Slack, chat};
//!
//! # async fn example() -> Result<(), connect_slack::Error> {
//! let slack = Slack::from_env()?; // SLACK_BOT_TOKEN, SLACK_API_URL
//! let posted = slack.send(chat::PostMessage::new("C0123456789").text("Deployed *v1.2*")).await?;
//! slack.send(chat::PostMessage::new("C0123456789").text("Details").thread_ts(posted.ts)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Lists are streams: `slack.stream(conversations::List::new())`.
//!
//! What you get without asking: Slack's HTTP-200 failures (`"ok": false`) are errors with their code, `Retry-After` is
//! obeyed, and a message whose fate is unknown is never posted twice: the error says it may have been applied.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `client` | yes | [`Slack`], methods, models |
//! | `rustls` | yes | TLS by rustls with ring |
//! | `webhook` | no | the verifier and the shapes of events, without an HTTP client |

#[cfg(feature = "client")]
mod api;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod connector;
pub mod model;
pub mod mrkdwn;
#[cfg(feature = "client")]
mod provider;
#[cfg(feature = "client")]
mod quota;
#[cfg(feature = "webhook")]
pub mod webhook;

#[cfg(feature = "client")]
pub use api::{auth, chat, conversations};
#[cfg(feature = "client")]
pub use client::{Slack, SlackBuilder};
#[cfg(feature = "client")]
pub use provider::{Problem, SlackApi};

#[cfg(feature = "client")]
pub use connect_core::{Config, Connector, Context, Error, ErrorKind, RetryAdvice, Secret, Sent, TokenCache};
