//! A new key for what lies in the store, while everything runs.

use connect_core::Error;
use connect_core::auth::store::{Swap, TokenRecord};

use super::record::check_key;
use super::{ConnectionId, Connections};
use crate::seal::make_check;

/// How many records are read at once.
const PAGE: usize = 100;

/// How often to seal a record that others write meanwhile. Each of their writes is sealed under the current key.
const TRIES: usize = 3;

/// What [`Connections::rewrap`] did.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// The records that were looked at.
    pub seen: u64,
    /// Those that were sealed anew.
    pub rewrapped: u64,
    /// Those that could not be opened, and why. The old key is still needed for them.
    pub failed: Vec<(ConnectionId, Error)>,
}

impl Rewrapped {
    /// Is the old key needed no more?
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }
}

impl Connections {
    /// Seals under the current key what was sealed under an older one. Refreshes go on meanwhile; it may be stopped and
    /// begun again at any time. So a key is changed where several processes run:
    /// 1. put the new key *behind* the current one and restart everything: from now on all can open it;
    /// 2. move it to the *front* and restart everything: from now on all seal with it;
    /// 3. rewrap, and take the old key away when the result [is complete](Rewrapped::is_complete).
    ///
    /// One process may skip the first step.
    ///
    /// `progress` hears the number of records seen in a pass, after each hundred; the last pass finds nothing to do.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn rewrap(&self, mut progress: impl FnMut(u64) + Send) -> Result<Rewrapped, Error> {
        let mut done = Rewrapped::default();
        // Until a pass finds nothing to do: what others sealed behind the walk is found by the next one.
        loop {
            let rewrapped = done.rewrapped;
            let pass = self.rewrap_pass(&mut progress).await?;
            let is_last = pass.rewrapped == 0;
            done = Rewrapped { rewrapped: rewrapped + pass.rewrapped, ..pass };
            if is_last {
                break;
            }
        }
        // Last, so that the checks speak for everything.
        if done.is_complete() {
            self.rewrap_checks().await?;
        }
        Ok(done)
    }

    async fn rewrap_pass(&self, progress: &mut (impl FnMut(u64) + Send)) -> Result<Rewrapped, Error> {
        let vault = &self.0.vault;
        let mut done = Rewrapped::default();
        let mut after: Option<String> = None;
        loop {
            let page = vault.store.walk(after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(done) };
            after = Some(last.clone());
            for (key, stored) in &page {
                let Some(id) = ConnectionId::from_key(key) else { continue };
                done.seen += 1;
                if stored.record.sealed.is_empty() || vault.seal.is_current(&stored.record.sealed) {
                    continue;
                }
                match self.rewrap_one(&id).await {
                    Ok(true) => done.rewrapped += 1,
                    Ok(false) => {}
                    Err(error) => done.failed.push((id, error)),
                }
            }
            progress(done.seen);
        }
    }

    async fn rewrap_one(&self, id: &ConnectionId) -> Result<bool, Error> {
        let (vault, key) = (&self.0.vault, id.key());
        for _ in 0..TRIES {
            let Some(stored) = vault.store.load(&key).await? else { return Ok(false) };
            if stored.record.sealed.is_empty() || vault.seal.is_current(&stored.record.sealed) {
                return Ok(false);
            }
            let record = vault.reseal(id, &stored.record).await?;
            if let Swap::Stored(_) = vault.store.compare_and_swap(&key, Some(stored.version), record).await? {
                return Ok(true);
            }
        }
        Err(Error::new(
            connect_core::ErrorKind::Conflict,
            "the record was written by others all the time: rewrap again",
        ))
    }

    async fn rewrap_checks(&self) -> Result<(), Error> {
        let vault = &self.0.vault;
        for number in 0.. {
            let key = check_key(number);
            let Some(stored) = vault.store.load(&key).await? else { break };
            if !vault.seal.is_current(&stored.record.sealed) {
                let record = TokenRecord::new(make_check(&*vault.seal).await?);
                // On a conflict somebody else has done it.
                let _ = vault.store.compare_and_swap(&key, Some(stored.version), record).await?;
            }
        }
        Ok(())
    }
}
