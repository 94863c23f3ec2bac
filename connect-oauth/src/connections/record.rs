//! A connection's record: sealed when it is written, opened when it is read.

use std::sync::Arc;
use std::time::Duration;

use connect_core::Error;
use connect_core::auth::store::{StoredToken, Swap, TokenRecord, TokenState, TokenStore};

use super::decide::refresh_by;
use super::id::ConnectionId;
use crate::preset::Preset;
use crate::seal::{Place, Seal, make_check, verify_check};
use crate::tokens::Tokens;

/// Which of a connection's values the tokens are.
const FIELD: &str = "tokens";

/// Under which names the checks of the keys lie, one for each key that has been the current one. No connection has a name
/// without a slash.
pub(super) fn check_key(number: usize) -> String {
    format!(".seal-check.{number}")
}

/// Where a connection's tokens are sealed.
fn place<'a>(id: &'a ConnectionId, connection: &'a str) -> Place<'a> {
    Place::new(id.tenant(), connection, FIELD)
}

/// Store and seal, which go nowhere without each other.
#[derive(Clone)]
pub(super) struct Vault {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) seal: Arc<dyn Seal>,
}

/// A record, opened.
pub(super) struct Held {
    pub(super) version: u64,
    pub(super) state: TokenState,
    /// Absent where they were given back.
    pub(super) tokens: Option<Tokens>,
    pub(super) record: TokenRecord,
}

impl Held {
    /// The refresh token.
    pub(super) fn refresh(&self) -> Option<&str> {
        self.tokens.as_ref()?.refresh.as_ref().map(|refresh| refresh.expose())
    }
}

impl Vault {
    /// Checks the keys against what lies in the store, and leaves a check of the current one where there was none: from
    /// then on, who does not have that key does not start.
    pub(super) async fn open(store: Arc<dyn TokenStore>, seal: Arc<dyn Seal>) -> Result<Self, Error> {
        let mut is_there = false;
        let mut number = 0;
        loop {
            let key = check_key(number);
            let stored = match store.load(&key).await? {
                Some(stored) => stored,
                None if is_there => return Ok(Self { store, seal }),
                None => {
                    let record = TokenRecord::new(make_check(&*seal).await?);
                    match store.compare_and_swap(&key, None, record).await? {
                        Swap::Conflict(Some(stored)) => stored, // another process has just left one
                        Swap::Stored(_) | Swap::Conflict(None) => return Ok(Self { store, seal }),
                    }
                }
            };
            verify_check(&*seal, &stored.record.sealed).await?;
            is_there |= seal.is_current(&stored.record.sealed);
            number += 1;
        }
    }

    pub(super) async fn load(&self, id: &ConnectionId) -> Result<Option<Held>, Error> {
        match self.store.load(&id.key()).await? {
            Some(stored) => self.unseal(id, stored).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn unseal(&self, id: &ConnectionId, stored: StoredToken) -> Result<Held, Error> {
        let StoredToken { version, record, .. } = stored;
        let tokens = match record.sealed.is_empty() {
            true => None,
            false => {
                let connection = id.sealed_connection();
                let place = place(id, &connection);
                Some(Tokens::from_bytes(self.seal.open(place, &record.sealed).await?.expose())?)
            }
        };
        Ok(Held { version, state: record.state, tokens, record })
    }

    pub(super) async fn seal(
        &self,
        id: &ConnectionId,
        tokens: &Tokens,
        preset: &Preset,
    ) -> Result<TokenRecord, Error> {
        let connection = id.sealed_connection();
        let place = place(id, &connection);
        let mut record = TokenRecord::new(self.seal.seal(place, &tokens.to_bytes()?).await?);
        if let Some(end) = tokens.expires_at {
            record = record.with_expires_at(end);
        }
        let idle = preset.lifetimes.refresh_idle_seconds.map(Duration::from_secs);
        if let Some(due) = refresh_by(tokens, idle) {
            record = record.with_refresh_by(due);
        }
        Ok(record)
    }

    /// The same record under the current key.
    pub(super) async fn reseal(&self, id: &ConnectionId, record: &TokenRecord) -> Result<TokenRecord, Error> {
        let connection = id.sealed_connection();
        let place = place(id, &connection);
        let opened = self.seal.open(place, &record.sealed).await?;
        let mut record = record.clone();
        record.sealed = self.seal.seal(place, opened.expose()).await?;
        Ok(record)
    }
}
