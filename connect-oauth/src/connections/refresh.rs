//! One connection's refresh, in one place at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connect_core::auth::store::{Fence, Swap, TokenRecord, TokenState};
use connect_core::auth::{Token, TokenProvider, TokenReason, TokenRequest};
use connect_core::{Error, ErrorKind, RetryAdvice, Secret};
use tokio::time::{Instant, sleep, timeout};

use super::decide::{Failure, Step, Wanted, failure, step};
use super::id::ConnectionId;
use super::record::{Held, Vault};
use super::{Habits, NeedsReauth};
use crate::client::OAuth;
use crate::tokens::Tokens;

/// How often to look whether another process has refreshed: first, and at most.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const SLOWEST_LOOK: Duration = Duration::from_millis(250);

/// How often to try to store new tokens before they are kept for the next call. 0.1 + 0.2 + 0.4 .. = 6.3 s.
const SAVES: u32 = 7;
const FIRST_SAVE_PAUSE: Duration = Duration::from_millis(100);

/// Refreshes one connection.
pub(super) struct Refresher {
    vault: Vault,
    id: ConnectionId,
    app: OAuth,
    habits: Habits,
    /// Tokens that no store has taken yet. They are the only ones that still work.
    unsaved: Mutex<Option<Unsaved>>,
}

struct Unsaved {
    tokens: Tokens,
    record: TokenRecord,
    /// The version they replace.
    expected: u64,
    /// The refresh token that they were had for.
    used: Secret,
}

/// There is nothing under this name.
pub(super) fn not_connected(id: &ConnectionId) -> Error {
    Error::new(ErrorKind::Auth, format!("{id} is not connected: log in first"))
}

/// Only a person can help.
pub(super) fn needs_reauth(id: &ConnectionId) -> Error {
    let message = format!("{id} needs a person: its grant is no longer accepted; log in again");
    Error::new(ErrorKind::Auth, message).with_details(NeedsReauth { id: id.clone() })
}

impl Refresher {
    pub(super) fn new(vault: Vault, id: ConnectionId, app: OAuth, habits: Habits) -> Self {
        Self { vault, id, app, habits, unsaved: Mutex::default() }
    }

    /// As the source of a cache.
    pub(super) fn provider(self: Arc<Self>) -> impl TokenProvider {
        move |request: TokenRequest| {
            let this = Arc::clone(&self);
            async move {
                let previous = request.previous.map(|token| token.value);
                this.fetch(Wanted { reason: request.reason, previous }).await
            }
        }
    }

    /// A new login has replaced whatever was kept.
    pub(super) fn forget(&self) {
        *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The token that is wanted: out of the store if somebody has refreshed already, else from the provider.
    pub(super) async fn fetch(&self, wanted: Wanted) -> Result<Token, Error> {
        self.save_what_is_left().await?;
        let begun = Instant::now();
        let mut look = FIRST_LOOK;
        loop {
            let held = self.load().await?;
            if let Some(token) = self.judge(&held, &wanted)? {
                return Ok(token);
            }
            if let Some(fence) = self.vault.store.lease(&self.id.key(), self.habits.lease).await? {
                return self.with_lease(fence, self.renew(&wanted)).await;
            }
            if begun.elapsed() >= self.habits.longest_wait {
                let message = format!("another process has been refreshing {} for too long", self.id);
                return Err(Error::new(ErrorKind::Timeout, message).with_retry(RetryAdvice::Later));
            }
            sleep(look).await;
            look = (look * 2).min(SLOWEST_LOOK);
        }
    }

    /// Does the work and keeps the lease up meanwhile.
    async fn with_lease<T>(
        &self,
        fence: Fence,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let (store, key) = (&self.vault.store, self.id.key());
        let mut work: Pin<Box<_>> = Box::pin(work);
        let outcome = loop {
            match timeout(self.habits.lease / 4, &mut work).await {
                Ok(outcome) => break outcome,
                // Lost or not, the exchange goes on: its answer may be the only token that works, and the swap decides.
                Err(_) => match store.extend(&key, fence, self.habits.lease).await {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!(connection = %self.id, "the lease of a refresh was lost"),
                    Err(error) => {
                        tracing::warn!(connection = %self.id, %error, "the lease of a refresh was not extended")
                    }
                },
            }
        };
        if let Err(error) = store.release(&key, fence).await {
            // It ends by itself.
            tracing::debug!(connection = %self.id, %error, "the lease of a refresh was not released");
        }
        outcome
    }

    /// With the lease: looks again, asks the provider, stores, and only then hands out.
    async fn renew(&self, wanted: &Wanted) -> Result<Token, Error> {
        let mut held = self.load().await?;
        let mut has_asked_again = false;
        loop {
            if let Some(token) = self.judge(&held, wanted)? {
                return Ok(token);
            }
            let Some(used) = held.tokens.as_ref().and_then(|tokens| tokens.refresh.clone()) else {
                return match held.tokens.as_ref().and_then(|tokens| tokens.remaining(self.habits.clock.now()))
                {
                    // Due but alive, and the provider has not refused it: that is all there is to be had.
                    Some(left) if !left.is_zero() && wanted.reason == TokenReason::Early => {
                        let message =
                            format!("{} has no refresh token: log in again before it expires", self.id);
                        Err(Error::new(ErrorKind::Auth, message))
                    }
                    _ => self.give_up(held, wanted).await,
                };
            };
            let error = match self.app.refresh(&used).await {
                Ok(tokens) => return self.save(held, used, tokens).await,
                Err(error) => error,
            };
            let failure = failure(&error);
            if failure == Failure::Passing {
                return Err(error);
            }
            // Before anything is believed: has somebody else stored another refresh token meanwhile?
            let now_held = self.load().await?;
            let is_same = now_held.refresh() == Some(used.expose());
            held = now_held;
            match failure {
                _ if !is_same && !has_asked_again => {}
                Failure::Refused if is_same => return self.give_up(held, wanted).await,
                Failure::Lost if !has_asked_again => {
                    tracing::warn!(connection = %self.id, %error, "the answer to a refresh was lost: asking once more");
                }
                _ => return Err(error),
            }
            has_asked_again = true;
        }
    }

    /// Stores new tokens, then hands the access token out.
    async fn save(&self, held: Held, used: Secret, tokens: Tokens) -> Result<Token, Error> {
        let tokens = match &held.tokens {
            Some(old) => tokens.replacing(old),
            None => tokens,
        };
        let record = self.vault.seal(&self.id, &tokens, self.app.preset()).await;
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                // A key service that is away for a moment must not cost the grant: sealed when it is back.
                self.keep(Unsaved { tokens, record: held.record, expected: held.version, used });
                return Err(error);
            }
        };
        self.store(Unsaved { tokens, record, expected: held.version, used }).await
    }

    async fn store(&self, unsaved: Unsaved) -> Result<Token, Error> {
        let key = self.id.key();
        let Unsaved { tokens, record, mut expected, used } = unsaved;
        let mut pause = FIRST_SAVE_PAUSE;
        let mut saves = 0;
        loop {
            match self.vault.store.compare_and_swap(&key, Some(expected), record.clone()).await {
                Ok(Swap::Stored(_)) => return Ok(tokens.to_token(self.habits.clock.now())),
                Ok(Swap::Conflict(Some(won))) => {
                    let version = won.version;
                    let won = match self.vault.unseal(&self.id, won).await {
                        Ok(won) => won,
                        Err(error) => {
                            self.keep(Unsaved { tokens, record, expected, used });
                            return Err(error);
                        }
                    };
                    // The same grant under another version: sealed anew, or taken for dead because we used its token.
                    if won.refresh() == Some(used.expose()) {
                        expected = version;
                        continue;
                    }
                    // Another grant, by a new login or another refresh: newer than ours, and what everybody uses. Or
                    // ours, stored by a write whose success was not heard.
                    let wanted = Wanted { reason: TokenReason::First, previous: None };
                    return match self.judge(&won, &wanted)? {
                        Some(token) => Ok(token),
                        None => Err(Error::new(
                            ErrorKind::Conflict,
                            format!("{} was written by others meanwhile: try again", self.id),
                        )
                        .with_retry(RetryAdvice::Later)),
                    };
                }
                Ok(Swap::Conflict(None)) => return Err(not_connected(&self.id)),
                Err(error) => {
                    saves += 1;
                    if saves == SAVES {
                        tracing::error!(connection = %self.id, %error, "new tokens could not be stored: kept in memory until they can");
                        self.keep(Unsaved { tokens, record, expected, used });
                        return Err(error);
                    }
                    sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    fn keep(&self, unsaved: Unsaved) {
        *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = Some(unsaved);
    }

    /// Stores what an earlier call could not.
    async fn save_what_is_left(&self) -> Result<(), Error> {
        let left = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut left) = left else { return Ok(()) };
        // Sealed anew: the first time may have failed for the seal.
        match self.vault.seal(&self.id, &left.tokens, self.app.preset()).await {
            Ok(record) => left.record = record,
            Err(error) => {
                self.keep(left);
                return Err(error);
            }
        }
        self.store(left).await.map(drop)
    }

    /// Writes down that only a person can help, and tells.
    async fn give_up(&self, held: Held, wanted: &Wanted) -> Result<Token, Error> {
        let mut record = held.record.with_state(TokenState::NeedsReauth);
        record.refresh_by = None;
        match self.vault.store.compare_and_swap(&self.id.key(), Some(held.version), record).await? {
            Swap::Stored(_) => {
                tracing::warn!(connection = %self.id, "the grant is no longer accepted: a person must log in again");
                if let Some(tell) = &self.habits.on_needs_reauth {
                    tell(&self.id);
                }
                Err(needs_reauth(&self.id))
            }
            // Somebody has written in this very moment: a login, most likely.
            Swap::Conflict(Some(won)) => {
                match self.judge(&self.vault.unseal(&self.id, won).await?, wanted)? {
                    Some(token) => Ok(token),
                    None => {
                        let message = format!("{} was written by others meanwhile: try again", self.id);
                        Err(Error::new(ErrorKind::Conflict, message).with_retry(RetryAdvice::Later))
                    }
                }
            }
            Swap::Conflict(None) => Err(not_connected(&self.id)),
        }
    }

    async fn load(&self) -> Result<Held, Error> {
        self.vault.load(&self.id).await?.ok_or_else(|| not_connected(&self.id))
    }

    /// The record's token if it is what is wanted; `None` if it must be refreshed.
    fn judge(&self, held: &Held, wanted: &Wanted) -> Result<Option<Token>, Error> {
        let now = self.habits.clock.now();
        match step(held.state, held.tokens.as_ref(), wanted, now) {
            Step::Use => Ok(held.tokens.as_ref().map(|tokens| tokens.to_token(now))),
            Step::Refresh => Ok(None),
            Step::NeedsReauth => Err(needs_reauth(&self.id)),
        }
    }
}
