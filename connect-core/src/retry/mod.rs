//! Sends a request again when that is safe, and only then.
//!
//! | file | what |
//! |---|---|
//! | [`RetryPolicy`] | how often, and how long to wait |
//! | [`RetryBudget`] | how much extra load all calls together may make |
//! | [`decide`] | the decision, a pure function |
//! | [`Retry`] | the loop round it |
//!
//! Replayed are
//! - definite rate-limit refusals, whatever the operation (nothing was applied);
//! - attempts the transport proves were not sent, whatever the operation;
//! - everything else that may pass (5xx, 408, time-outs, cut connections) only if the operation's
//!   [`Safety`](crate::Safety) allows a second time. A plain `POST` answered 500 is **not** sent twice: the error says
//!   that it may have been applied. A keyed operation is replayed with the same key;
//! - a request whose token was refused and can be renewed: once, at once, outside the policy and the budget.
//!
//! Delays are full jitter (`random(0 ..= min(cap, base · 2ⁿ))`, Brooker, "Exponential Backoff and Jitter"), drawn per
//! operation from the client's seed. `Retry-After` is obeyed as a minimum; a hint longer than
//! [`RetryPolicy::longest_wait`], or any wait longer than what is left of the deadline, ends the call at once with
//! [`RetryAdvice::After`](crate::RetryAdvice::After) or [`RetryAdvice::Later`](crate::RetryAdvice::Later) instead of
//! sleeping first.

mod budget;
mod decide;
mod layer;
mod policy;

pub use budget::{BudgetPolicy, RetryBudget};
pub use decide::{Attempt, Decision, Outcome, Stop, decide};
pub use layer::{Retry, RetryFuture, RetryLayer};
pub use policy::RetryPolicy;
