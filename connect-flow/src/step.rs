//! Effects outside: each is a step, journalled before and after, so that a repetition of the handler does not repeat it.
//!
//! What happens when a step is reached again:
//!
//! | the journal says | [`Policy::Probe`] | [`Policy::AtLeastOnce`] | [`Policy::AtMostOnce`] |
//! |---|---|---|---|
//! | done | skipped, the stored result is used | the same | the same |
//! | begun, fate unknown | look for it; found: done; not found after the settling time: do it | do it again | give up: a person decides |
//! | nothing | do it | do it | do it |
//!
//! The settling time of a probe is there because the other side's index may lag: an empty answer counts only when the
//! first attempt is that old; until then the event waits.
//!
//! A step's call says how it failed: [`StepError::not_done`] if it is certain that nothing happened (the intent is taken
//! back), [`StepError::unknown`] if it may have happened.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::{Clock, Timestamp};
use crate::effect::Begun;
use crate::handler::Failure;
use crate::inbox::{Held, Lease};
use crate::store::{Store, StoreError};

/// What a handler works with: the journal, and who it works for.
pub struct Cx {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    lease: Lease,
    attempt: u32,
}

/// What to do about an effect whose fate is unknown.
///
/// The probe is a function that looks for the effect and yields its result if it is there.
pub enum Policy<L> {
    /// Look for it; an empty answer counts only once the first attempt is older than `settle`.
    Probe {
        /// Looks for the effect, given when it was first begun: nothing older need be looked at, and nothing newer may be
        /// left out. If it cannot look at everything, it must fail rather than say "not there".
        look: L,
        /// How long the other side may take to show what was done.
        settle: Duration,
    },
    /// Do it again: twice does no harm.
    AtLeastOnce,
    /// Do not do it again: better not at all than twice. The event becomes a dead letter.
    AtMostOnce,
}

/// The policies that need no probe, with the type written out.
pub type NoProbe = fn(Timestamp) -> std::future::Ready<Result<Option<String>, StepError>>;

impl Policy<NoProbe> {
    /// [`Policy::AtLeastOnce`].
    pub fn at_least_once() -> Self {
        Self::AtLeastOnce
    }

    /// [`Policy::AtMostOnce`].
    pub fn at_most_once() -> Self {
        Self::AtMostOnce
    }
}

/// How a step's call failed.
///
/// Carries the handler's failure and whether the effect may have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    failure: Failure,
    unknown: bool,
}

impl StepError {
    /// It is certain that nothing happened.
    pub fn not_done(failure: Failure) -> Self {
        Self { failure, unknown: false }
    }

    /// It may have happened.
    pub fn unknown(failure: Failure) -> Self {
        Self { failure, unknown: true }
    }
}

impl Cx {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, lease: Lease, attempt: u32) -> Self {
        Self { store, clock, lease, attempt }
    }

    /// Whose event it is.
    pub fn tenant(&self) -> &str {
        &self.lease.tenant
    }

    /// Which attempt at the event this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The store, for mappings.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Now, by the worker's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does something outside, once as far as the policy allows, and yields its result: now, or as it was stored.
    ///
    /// `step` names what is done (`create-issue`), `key` what it is done about (the event's dedupe key, say): together
    /// they are the same for every attempt, and for a replay. The result is a short text, such as the new thing's id.
    ///
    /// # Errors
    /// [`Failure`] to be returned from the handler: the call failed, the fate is unknown, or the lease is lost.
    pub async fn step<L, P, C, F>(
        &self,
        step: &str,
        key: &str,
        policy: Policy<L>,
        call: C,
    ) -> Result<String, Failure>
    where
        L: FnOnce(Timestamp) -> P,
        P: Future<Output = Result<Option<String>, StepError>>,
        C: FnOnce() -> F,
        F: Future<Output = Result<String, StepError>>,
    {
        let begun = self.store.begin(&self.lease, step, key, self.clock.now()).await.map_err(store_failed)?;
        match begun {
            Begun::First => {}
            Begun::Done(result) => return Ok(String::from_utf8_lossy(&result).into_owned()),
            Begun::Lost => return Err(lost()),
            Begun::Again { since, called } => match policy {
                Policy::AtLeastOnce => {}
                Policy::AtMostOnce => {
                    let message =
                        format!("nobody knows whether `{step}` happened, and it must not happen twice");
                    return Err(Failure::permanent("unknown_effect", message));
                }
                Policy::Probe { look, settle } => match look(since).await.map_err(|error| error.failure)? {
                    Some(found) => {
                        tracing::info!(step, "the effect of an earlier attempt was found");
                        return self.complete(step, key, found).await;
                    }
                    None => {
                        // Counted from the last call and not from the first: it may be that one's trace which lags.
                        let age = self.clock.now().since(called);
                        if age < settle {
                            let message =
                                format!("`{step}` may have happened; its trace may still be on its way");
                            return Err(Failure::retry("settling", message).after(settle - age));
                        }
                        let now = self.clock.now();
                        let noted = self.store.call_again(&self.lease, step, key, now).await;
                        if noted.map_err(store_failed)? == Held::Lost {
                            return Err(lost());
                        }
                    }
                },
            },
        }
        match call().await {
            Ok(result) => self.complete(step, key, result).await,
            Err(StepError { failure, unknown: true }) => Err(failure),
            Err(StepError { failure, unknown: false }) => {
                // If this is not stored, the next attempt looks for an effect that is not there: slower, never wrong.
                match self.store.withdraw(&self.lease, step, key).await {
                    Ok(Held::Yes) => {}
                    Ok(Held::Lost) => return Err(lost()),
                    Err(error) => tracing::warn!(step, error = %error, "an intent could not be taken back"),
                }
                Err(failure)
            }
        }
    }

    async fn complete(&self, step: &str, key: &str, result: String) -> Result<String, Failure> {
        let stored = Bytes::from(result.clone());
        match self
            .store
            .complete(&self.lease, step, key, stored, self.clock.now())
            .await
            .map_err(store_failed)?
        {
            Held::Yes => Ok(result),
            Held::Lost => Err(lost()),
        }
    }
}

fn store_failed(error: StoreError) -> Failure {
    Failure::retry("store", error.to_string())
}

fn lost() -> Failure {
    Failure::retry("lease_lost", "the lease of the event was lost: another worker has it")
}

impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("lease", &self.lease)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl<L> std::fmt::Debug for Policy<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Probe { .. } => "Probe",
            Self::AtLeastOnce => "AtLeastOnce",
            Self::AtMostOnce => "AtMostOnce",
        })
    }
}
