//! How much extra load retries may make, over all calls of a client.
//!
//! Every layer of a system that retries multiplies the load of the one below it, and most of all when that one is
//! already failing. The budget bounds it: each operation pays in a fifth of a token, each replay takes one out, and a
//! reserve lets a program that just started retry too. When it is empty, failures are returned at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tokens are counted in thousandths, so that integers do.
const TOKEN: u64 = 1_000;

/// The longest quiet time must not save up for a storm.
const MOST_TOKENS: u64 = 100;

/// How much extra load is allowed.
///
/// A share, so that it grows with the load, and a reserve, so that a program that just started can retry too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetPolicy {
    /// Replays, as a share of all operations, in percent. Default 20.
    pub percent: u32,
    /// Replays beyond that. Default 10.
    pub reserve: u32,
}

impl Default for BudgetPolicy {
    fn default() -> Self {
        Self { percent: 20, reserve: 10 }
    }
}

/// The tokens of one client, or of several that share it. Clones are handles of the same budget.
///
/// ```
/// use connect_core::retry::{BudgetPolicy, RetryBudget};
/// let budget = RetryBudget::new(BudgetPolicy { percent: 20, reserve: 1 });
/// assert!(budget.withdraw());
/// assert!(!budget.withdraw());
/// for _ in 0..5 { budget.deposit(); }
/// assert!(budget.withdraw());
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget(Arc<Tokens>);

#[derive(Debug)]
struct Tokens {
    thousandths: AtomicU64,
    per_operation: u64,
    most: u64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(BudgetPolicy::default())
    }
}

impl RetryBudget {
    /// Begins with the reserve.
    pub fn new(policy: BudgetPolicy) -> Self {
        let BudgetPolicy { percent, reserve } = policy;
        let reserve = u64::from(reserve) * TOKEN;
        Self(Arc::new(Tokens {
            thousandths: AtomicU64::new(reserve),
            per_operation: u64::from(percent) * TOKEN / 100,
            most: reserve.max(MOST_TOKENS * TOKEN),
        }))
    }

    /// An operation begins.
    pub fn deposit(&self) {
        let Tokens { thousandths, per_operation, most } = &*self.0;
        // A full budget, the usual case, is only read.
        let _ = thousandths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            (held < *most).then(|| (held + per_operation).min(*most))
        });
    }

    /// Takes a token for a replay; `false` if there is none.
    pub fn withdraw(&self) -> bool {
        let taken = self
            .0
            .thousandths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| held.checked_sub(TOKEN));
        taken.is_ok()
    }

    /// How many replays it allows now.
    pub fn remaining(&self) -> u64 {
        self.0.thousandths.load(Ordering::Relaxed) / TOKEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replays_are_a_share_of_the_operations_and_a_reserve() {
        let budget = RetryBudget::default();
        let mut replays = 0;
        for _ in 0..1_000 {
            budget.deposit();
            while budget.withdraw() {
                replays += 1;
            }
        }
        assert_eq!(replays, 210);
    }

    #[test]
    fn a_quiet_time_does_not_save_up_for_a_storm() {
        let budget = RetryBudget::default();
        for _ in 0..1_000_000 {
            budget.deposit();
        }
        assert_eq!(budget.remaining(), MOST_TOKENS);
    }
}
