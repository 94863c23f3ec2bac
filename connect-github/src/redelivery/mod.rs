//! Events that GitHub could not deliver are asked for again. GitHub never redelivers by itself: an event that meets a
//! receiver which is down, slow or answers 500 stays away until somebody asks for it, within three days.
//!
//! [`Redelivery`] is that somebody. A pass lists the deliveries of an App's or a repository's webhook, groups their
//! attempts by GUID (a redelivery keeps the GUID of its event), asks for those of which no attempt succeeded, the oldest
//! first, and remembers how far it got in a [`Watermark`]. Asking once too often is harmless: receivers drop repetitions
//! by `X-GitHub-Delivery`, as `connect-flow` does for seven days. So two processes may run it, and a crash costs at most
//! one ask that is made twice.
//!
//! ```no_run
//! use std::time::Duration;
//! use connect_github::GitHub;
//! use connect_github::redelivery::{FileWatermarks, Redelivery};
//!
//! # async fn example() -> Result<(), connect_github::Error> {
//! let github = GitHub::from_env()?;
//! let redelivery = Redelivery::of_repo_hook(&github, "octo", "hello", 7).store(FileWatermarks::new("redelivery.json"));
//! tokio::spawn(redelivery.every(Duration::from_secs(900), |pass| match pass {
//!     Ok(report) => println!("{report}"),
//!     Err(error) => eprintln!("no pass: {error:#}"),
//! }));
//! # Ok(())
//! # }
//! ```
//!
//! # What it needs
//! | of | client | permission |
//! |---|---|---|
//! | [an App](Redelivery::of_app) | `app::App::client` (feature `app`) or another that signs in with the App's JWT: no installation token may do this | none beside |
//! | [a repository's hook](Redelivery::of_repo_hook) | installation, user or personal token | repository permission "Webhooks": read and write; classic tokens: `admin:repo_hook` |
//! | an organisation's hook (`Redelivery::of_org_hook`, feature `orgs`) | the same | organisation permission "Webhooks": read and write; classic tokens: `admin:org_hook` |
//!
//! Receivers must keep GUIDs apart for as long as deliveries may be asked for: three days.
//!
//! # What it costs
//! One call per hundred deliveries since the last pass, at least one, and one call per ask. After an outage of more than
//! [`most_open`](Policy::most_open) events the listing is read again while they shrink: of the calls about a third. All are
//! [`Background`](connect_core::Priority::Background): nobody else waits for them. A pass ends early at a rate limit and
//! the next one goes on from there.
//!
//! # Figures
//! [`Policy`] has them all, with their reasons. Times are compared with GitHub's, so the host's clock should be right to
//! some minutes: one that is days ahead takes what could be recovered for lost.
//!
//! Not for events that were delivered and then lost inside the receiver: GitHub counts those as delivered.
//!
//! <https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries>

mod file;
mod hook;
mod memory;
mod pass;
mod plan;
mod policy;
mod report;
mod run;
mod store;
mod tally;
mod watermark;

pub use file::FileWatermarks;
pub use memory::MemoryWatermarks;
pub use pass::Redelivery;
pub use policy::Policy;
pub use report::{Lost, Report, Stopped};
pub use store::{Saved, StoredWatermark, WatermarkStore};
pub use watermark::Watermark;
