//! Refresh tokens that die unused: used in time, though nobody asked.

use std::time::Duration;

use connect_core::auth::TokenReason;
use connect_core::auth::store::Swap;
use connect_core::{Error, ErrorKind};

use super::decide::Wanted;
use super::{ConnectionId, Connections};

/// How long to leave a connection alone whose idle refresh failed, so that it does not stand in the others' way.
const AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// What [`Connections::refresh_idle`] did.
#[non_exhaustive]
#[derive(Debug, Default)]
pub struct IdleRefresh {
    /// The connections that were refreshed.
    pub refreshed: Vec<ConnectionId>,
    /// Those that could not be, and why. They are tried again after an hour.
    pub failed: Vec<(ConnectionId, Error)>,
    /// Are there more? Then call again.
    pub has_more: bool,
}

impl Connections {
    /// Refreshes connections that nobody has used for so long that their refresh tokens are at half of their life; at
    /// most `limit` of them. Call it every hour or so, in as many processes as you like: each is refreshed once.
    ///
    /// # Errors
    /// What the store fails with; a provider's refusal is a row of the result.
    pub async fn refresh_idle(&self, limit: usize) -> Result<IdleRefresh, Error> {
        let now = self.0.habits.clock.now();
        let keys = self.0.vault.store.due(now, limit).await?;
        let mut done = IdleRefresh { has_more: keys.len() >= limit && limit > 0, ..IdleRefresh::default() };
        for key in keys {
            let Some(id) = ConnectionId::from_key(&key) else { continue };
            match self.refresh_unasked(&id).await {
                Ok(()) => done.refreshed.push(id),
                Err(error) => {
                    self.postpone(&id).await?;
                    done.failed.push((id, error));
                }
            }
        }
        Ok(done)
    }

    async fn refresh_unasked(&self, id: &ConnectionId) -> Result<(), Error> {
        let (_, refresher) = self.cache(id)?;
        let held = self.0.vault.load(id).await?;
        // Named as the one to replace, so that it is refreshed although it may be alive.
        let previous = held.and_then(|held| held.tokens).map(|tokens| tokens.access);
        refresher.fetch(Wanted { reason: TokenReason::Early, previous }).await.map(drop)
    }

    /// Puts a connection that could not be refreshed behind the others.
    async fn postpone(&self, id: &ConnectionId) -> Result<(), Error> {
        let (store, key) = (&self.0.vault.store, id.key());
        let Some(stored) = store.load(&key).await? else { return Ok(()) };
        let mut record = stored.record;
        let now = self.0.habits.clock.now();
        if record.refresh_by.is_none_or(|due| due > now) {
            return Ok(()); // it needs a person, or somebody else has refreshed it
        }
        record.refresh_by = now.checked_add(AGAIN_AFTER);
        match store.compare_and_swap(&key, Some(stored.version), record).await {
            Ok(Swap::Stored(_) | Swap::Conflict(_)) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Unavailable => Ok(()), // then it comes first again
            Err(error) => Err(error),
        }
    }
}
