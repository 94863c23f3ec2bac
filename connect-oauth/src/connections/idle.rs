//! Refresh tokens that die unused: used in time, though nobody asked.

use std::time::Duration;

use connect_core::auth::TokenReason;
use connect_core::auth::store::{Swap, TokenRecord, TokenState};
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
        let (mine, has_more) = self.due(limit).await?;
        let mut done = IdleRefresh { has_more, ..IdleRefresh::default() };
        for id in mine {
            match self.refresh_unasked(&id).await {
                Ok(true) => done.refreshed.push(id),
                Ok(false) => {}
                Err(error) => {
                    self.postpone(&id).await?;
                    done.failed.push((id, error));
                }
            }
        }
        Ok(done)
    }

    /// What is due and belongs to an app that is here; others may have the rest. Are there more of ours?
    async fn due(&self, limit: usize) -> Result<(Vec<ConnectionId>, bool), Error> {
        let now = self.0.habits.clock.now();
        let mut looked_at = limit;
        loop {
            let keys = self.0.vault.store.due(now, looked_at).await?;
            let is_all = keys.len() < looked_at;
            let ids = keys.iter().filter_map(|key| ConnectionId::from_key(key));
            let mut mine: Vec<_> = ids.filter(|id| self.0.apps.contains_key(id.app())).collect();
            if is_all || mine.len() >= limit {
                let has_more = !is_all || mine.len() > limit;
                mine.truncate(limit);
                return Ok((mine, has_more && limit > 0));
            }
            looked_at = looked_at.saturating_mul(2);
        }
    }

    /// Says whether there was anything to do: another process may have been faster.
    async fn refresh_unasked(&self, id: &ConnectionId) -> Result<bool, Error> {
        let (_, refresher) = self.cache(id)?;
        let now = self.0.habits.clock.now();
        let held = self.0.vault.load(id).await?;
        let is_due = |record: &TokenRecord| {
            record.state == TokenState::Active && record.refresh_by.is_some_and(|due| due <= now)
        };
        let Some(held) = held.filter(|held| is_due(&held.record)) else { return Ok(false) };
        // Named as the one to replace, so that it is refreshed although it may be alive, and by one process.
        let previous = held.tokens.map(|tokens| tokens.access);
        refresher.fetch(Wanted { reason: TokenReason::Early, previous }).await.map(|_| true)
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
