//! The suite that every store must pass, for authors of stores.
//!
//! A store is what the traits of [`store`](crate::store) promise, and what they promise is written down here as code: one
//! check per behaviour, named by a sentence. Turn on the feature `conformance` for your tests only, and run it in one:
//!
//! ```
//! use connect_flow::{MemoryStore, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! conformance::run(|| async { MemoryStore::default() }).await;
//! # }
//! ```
//!
//! The function makes a fresh, empty store for every check; a store on a disk gets a folder of its own each time, and a
//! store on a server a schema. [`run`] goes through all checks before it panics with what differed. A single check can
//! be run by its name while you work on it: it yields the [`Difference`].
//!
//! Checks bring their own times, somewhere in 2023 and not on a whole second; they never wait, and need a tokio runtime
//! only for those that do things at once. Where the traits leave a choice, so do the checks: which tenant comes first
//! in a round, and when claims of other processes take their turns.

mod actions;
mod at_once;
mod claims;
mod dead_letters;
mod difference;
mod effects;
mod inbox;
mod leases;
mod log;
mod mappings;
mod sweep;
mod tenants;

use std::future::Future;
use std::sync::Arc;

pub use self::at_once::*;
pub use self::claims::*;
pub use self::dead_letters::*;
pub use self::difference::Difference;
pub use self::effects::*;
pub use self::inbox::*;
pub use self::leases::*;
pub use self::log::*;
pub use self::mappings::*;
pub use self::sweep::*;
pub use self::tenants::*;

use crate::store::Store;

/// Runs all checks, each on a fresh store.
///
/// # Panics
/// If a store differs from what is promised: with the name of each check that failed, and what differed.
pub async fn run<S, F, Fut>(make: F)
where
    S: Store,
    F: Fn() -> Fut,
    Fut: Future<Output = S>,
{
    let mut differences = Vec::new();
    macro_rules! checks {
        ($($check:ident)*) => {
            $(
                let store = Arc::new(make().await);
                if let Err(difference) = $check::<S>(&store).await {
                    differences.push(format!("{}: {difference}", stringify!($check)));
                }
            )*
        };
    }
    checks! {
        each_key_is_stored_once_per_tenant_and_source
        keys_are_compared_byte_by_byte
        a_captured_delivery_under_a_new_id_is_a_duplicate
        a_receipt_says_how_a_duplicate_differs
        an_envelope_comes_back_exactly
        an_event_waits_for_its_time
        the_oldest_event_of_a_tenant_comes_first
        tenants_take_turns
        claims_of_one_event_reach_every_tenant
        a_tenant_has_no_more_leases_than_allowed
        an_expired_lease_is_claimed_again
        an_expired_lease_may_still_finish
        an_extended_lease_lasts
        a_lost_lease_changes_nothing
        an_ended_event_has_no_lease
        an_attempt_counts_from_its_claim
        a_released_event_was_never_claimed
        a_retry_waits_for_its_time
        panics_are_counted
        a_dead_letter_keeps_the_whole_chain
        dead_letters_are_listed_newest_first
        a_replay_is_a_linked_copy
        a_replay_runs_again_only_after_it_died
        a_replay_finds_the_effects_that_are_done
        an_effect_is_begun_once
        an_effect_is_known_by_tenant_step_and_key
        an_effect_stays_as_long_as_an_event_that_knows_it
        mappings_are_unique_in_both_directions
        mappings_are_listed_by_filter
        the_log_has_one_row_per_event
        the_log_says_how_the_last_attempt_ended
        the_log_never_goes_back_to_pending
        a_replay_has_a_row_of_its_own
        a_row_outlives_its_event
        sweeping_the_log_leaves_unfinished_events
        sweeping_the_log_goes_in_small_batches
        sweeping_forgets_only_old_ended_events
        sweeping_goes_in_small_batches
        a_swept_key_may_come_again
        a_swept_replay_key_may_come_again
        sweeping_a_replay_leaves_its_original
        the_next_due_time_is_the_earliest
        counts_follow_the_events
        arrivals_are_notified
        a_foreign_tenant_sees_nothing
        a_foreign_lease_changes_nothing
        one_key_accepted_at_once_is_stored_once
        one_replay_key_accepted_at_once_is_stored_once
        events_claimed_at_once_are_leased_once
        a_dead_letter_replayed_at_once_runs_once
        things_linked_at_once_have_one_partner
    }
    #[expect(clippy::panic, reason = "this is test code for other crates: panicking is how a test fails")]
    if !differences.is_empty() {
        panic!("the store differs in {} points:\n{}", differences.len(), differences.join("\n"));
    }
}
