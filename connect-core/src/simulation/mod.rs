//! Providers in memory: scripted, simulated, and the checks that any client can run against itself.
//!
//! No socket and no server, and under tokio's paused time no waiting: hours of a provider's life pass in milliseconds.
//! Everything is drawn from one seed, so a run that failed can be run again. Behind the feature `simulation`.
//!
//! | what | for |
//! |---|---|
//! | [`Scripted`] | answers in order: what does the client do about *this* answer? |
//! | [`SimulatedProvider`] | limits, latency, skew, faults, outages from a [`ProviderPlan`]: how does it live with them? |
//! | [`NaiveClient`] | what other clients do, in the same simulation, for comparison |
//! | [`contract`] | the promises of this family as checks, for clients of your own |
//! | [`token_store`] | what every store of tokens and logins must do, for stores of your own |
//! | [`cancel`] | drops a future after k polls, for all k |

pub mod cancel;
mod chance;
pub mod contract;
mod naive;
mod plan;
mod provider;
mod report;
mod scripted;
pub mod token_store;
mod traffic;
mod window;

pub use naive::NaiveClient;
pub use plan::{Counting, Faults, Hint, Latency, Limit, Outage, OutageKind, ProviderPlan, Shape, Stranger};
pub use provider::{OPERATION_ID, SimulatedProvider};
pub use report::{Double, Exchange, Fate, LimitReport, SimulationReport, WindowReport};
pub use scripted::{Answer, Scripted, Seen};
