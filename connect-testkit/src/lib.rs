//! Fake GitHub, Slack, Jira and OAuth 2 server on loopback, for tests of programs that talk to them.
//!
//! A fake speaks real HTTP on 127.0.0.1: the provider's paths, headers, pages, limits and error shapes. It
//! sends signed webhooks, and does on request what providers do on a bad day. It is written from the providers'
//! own descriptions and shares no types and no signing code with any client, so that a mistake in a client
//! cannot hide in its fake.
//!
//! By default a fake starts empty, accepts one obviously fake token of its own, and nothing goes wrong. It ends
//! when it is dropped. Not a sandbox: it knows a handful of operations, listed in [`github`], [`slack`],
//! [`jira`] and [`authorization`], and answers the rest as the provider answers a path that does not exist.
//!
//! | to | use |
//! |---|---|
//! | start a provider | [`FakeGitHub`], [`FakeSlack`], [`FakeJira`] |
//! | log in, refresh and lose tokens | [`FakeAuthorization`] |
//! | make a call fail, once or often | [`FaultPlan`] |
//! | keep an answer back | [`Hold`] |
//! | see what was asked | [`Recorded`] |
//! | send a webhook | [`GitHubDelivery`], [`SlackDelivery`], [`JiraDelivery`] |
//! | sign bytes of your own | [`sign`] |
//! | look at a fake from a test | [`send`], [`post`] |
//!
//! # Example
//! The answer to "did the retry create a second issue?":
//! ```
//! use connect_testkit::{FakeGitHub, post};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! let github = FakeGitHub::start().await?;
//! github.add_repository("octo", "hello");
//! github.faults().on("issues/create").drop_after_send();
//!
//! let url = format!("{}/repos/octo/hello/issues", github.url());
//! let bearer = format!("Bearer {}", github.token());
//! let headers = [("user-agent", "docs"), ("authorization", bearer.as_str())];
//! let answer = post(&url, &headers, r#"{"title":"Crash on start"}"#).await;
//!
//! assert!(answer.is_err(), "the connection closed without an answer");
//! assert_eq!(github.issues("octo", "hello").len(), 1, "and yet the issue is there");
//! assert_eq!(github.faults().remaining(), 0);
//! # Ok(()) }
//! ```

pub mod authorization;
mod clock;
mod delivery;
mod fault;
pub mod github;
mod hold;
pub mod jira;
mod post;
mod record;
mod rsa;
mod server;
mod shared;
pub mod sign;
pub mod slack;
mod unique;

pub use self::authorization::{FakeAuthorization, FakeAuthorizationBuilder};
pub use self::delivery::SignedDelivery;
pub use self::fault::{FaultPlan, On, Planned};
pub use self::github::{FakeGitHub, FakeGitHubBuilder, GitHubDelivery};
pub use self::hold::Hold;
pub use self::jira::{FakeJira, FakeJiraBuilder, JiraDelivery};
pub use self::post::{Reply, post, send};
pub use self::record::Recorded;
pub use self::slack::{FakeSlack, FakeSlackBuilder, SlackDelivery};
