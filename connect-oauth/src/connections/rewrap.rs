//! A new key for what lies in the store, while everything runs.

use connect_core::Error;
use connect_core::auth::store::{Swap, TokenRecord};

use super::record::CHECK_KEY;
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
    /// Seals under the current key what was sealed under an older one: put the new key in front of the list, restart,
    /// rewrap, and take the old key out of the list when it [is complete](Rewrapped::is_complete). Refreshes go on
    /// meanwhile; it may be stopped and begun again at any time.
    ///
    /// `progress` hears the number of records seen, after each hundred.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn rewrap(&self, mut progress: impl FnMut(u64) + Send) -> Result<Rewrapped, Error> {
        let vault = &self.0.vault;
        let mut done = Rewrapped::default();
        let mut after: Option<String> = None;
        loop {
            let page = vault.store.walk(after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, stored) in &page {
                if stored.record.sealed.is_empty() || vault.seal.is_current(&stored.record.sealed) {
                    done.seen += 1;
                    continue;
                }
                let Some(id) = ConnectionId::from_key(key) else { continue };
                done.seen += 1;
                match self.rewrap_one(&id).await {
                    Ok(true) => done.rewrapped += 1,
                    Ok(false) => {}
                    Err(error) => done.failed.push((id, error)),
                }
            }
            progress(done.seen);
        }
        // Last, so that the check speaks for everything.
        if done.is_complete() {
            self.rewrap_check().await?;
        }
        Ok(done)
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

    async fn rewrap_check(&self) -> Result<(), Error> {
        let vault = &self.0.vault;
        let Some(stored) = vault.store.load(CHECK_KEY).await? else { return Ok(()) };
        if !vault.seal.is_current(&stored.record.sealed) {
            let record = TokenRecord::new(make_check(&*vault.seal).await?);
            // On a conflict somebody else has done it.
            let _ = vault.store.compare_and_swap(CHECK_KEY, Some(stored.version), record).await?;
        }
        Ok(())
    }
}
