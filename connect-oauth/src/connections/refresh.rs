//! One connection's refresh, in one place at a time.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connect_core::auth::store::{Fence, Swap, TokenState};
use connect_core::auth::{Token, TokenProvider, TokenReason, TokenRequest};
use connect_core::{Error, ErrorKind, RetryAdvice, Secret};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::task::JoinSet;
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

/// How long to pause between attempts to store new tokens, and how many of them a caller waits for: 0.1 + 0.2 + 0.4 +
/// 0.8 + 1 + 1 = 3.5 s.
const FIRST_SAVE_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_SAVE_PAUSE: Duration = Duration::from_secs(1);
const SAVES_WAITED_FOR: u32 = 6;

/// How far apart two refusals of a token without a refresh token must be to be believed: a provider that stumbles once
/// must not cost a login.
const SECOND_REFUSAL: Duration = Duration::from_secs(60);

/// Refreshes one connection.
pub(super) struct Refresher {
    vault: Vault,
    id: ConnectionId,
    app: OAuth,
    habits: Habits,
    /// Held by whoever refreshes in this process, until what it got is stored.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// When a token that cannot be refreshed was refused first.
    refused: Mutex<Option<(Secret, Instant)>>,
}

/// Whoever waits for a refresh, told once: of its end, or before, that the end takes longer.
struct Waiting(Option<oneshot::Sender<Result<Token, Error>>>);

impl Waiting {
    fn tell(&mut self, outcome: Result<Token, Error>) {
        if let Some(waiting) = self.0.take() {
            // Gone already: the refresh goes on for whoever comes next.
            let _ = waiting.send(outcome);
        }
    }
}

/// Since when, and how slowly by now, somebody looks whether a lease is free.
struct Patience {
    begun: Instant,
    look: Duration,
}

impl Patience {
    fn new(look: Duration) -> Self {
        Self { begun: Instant::now(), look }
    }
}

/// Why new tokens are not stored.
enum Unsaved {
    /// Seal or store failed: they are tried again.
    Failed(Error),
    /// Somebody has stored something newer, which is of no use to the caller.
    Overtaken(Error),
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
        Self { vault, id, app, habits, turn: Arc::default(), refused: Mutex::default() }
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

    /// The token that is wanted: out of the store if somebody has refreshed already, else from the provider.
    ///
    /// The exchange runs in a task of its own, so that nobody who goes away loses what it brings.
    pub(super) async fn fetch(self: &Arc<Self>, wanted: Wanted) -> Result<Token, Error> {
        let mut patience = Patience::new(FIRST_LOOK);
        let turn = self.take_turn().await?;
        loop {
            let held = self.load().await?;
            if let Some(token) = self.judge(&held, &wanted)? {
                return Ok(token);
            }
            if let Some(fence) = self.vault.store.lease(&self.id.key(), self.habits.lease).await? {
                let (tell, told) = oneshot::channel();
                let (this, mut waiting) = (Arc::clone(self), Waiting(Some(tell)));
                tokio::spawn(async move {
                    let outcome = this.with_lease(fence, this.renew(&wanted, &mut waiting)).await;
                    waiting.tell(outcome);
                    drop(turn);
                });
                return told.await.unwrap_or_else(|_| {
                    let message = format!("the refresh of {} was lost: its runtime ended", self.id);
                    Err(Error::new(ErrorKind::Unavailable, message).with_retry(RetryAdvice::Later))
                });
            }
            self.wait(&mut patience).await?;
        }
    }

    /// Keeps everybody else from refreshing, here and elsewhere, for as long as the work takes.
    pub(super) async fn alone<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut patience = Patience::new(SLOWEST_LOOK);
        let _turn = self.take_turn().await?;
        loop {
            if let Some(fence) = self.vault.store.lease(&self.id.key(), self.habits.lease).await? {
                return self.with_lease(fence, work).await;
            }
            self.wait(&mut patience).await?;
        }
    }

    /// Waits before the next look at a lease that somebody else has.
    async fn wait(&self, patience: &mut Patience) -> Result<(), Error> {
        if patience.begun.elapsed() >= self.habits.longest_wait {
            return Err(self.takes_too_long());
        }
        sleep(patience.look).await;
        patience.look = (patience.look * 2).min(SLOWEST_LOOK);
        Ok(())
    }

    /// Waits until nothing is under way.
    pub(super) async fn settle(&self) {
        drop(self.turn.lock().await);
    }

    async fn take_turn(&self) -> Result<OwnedMutexGuard<()>, Error> {
        let turn = timeout(self.habits.longest_wait, Arc::clone(&self.turn).lock_owned()).await;
        turn.map_err(|_| self.takes_too_long())
    }

    fn takes_too_long(&self) -> Error {
        let message =
            format!("a refresh of {} has been under way for too long, here or in another process", self.id);
        Error::new(ErrorKind::Timeout, message).with_retry(RetryAdvice::Later)
    }

    /// Does the work and keeps the lease up meanwhile.
    async fn with_lease<T>(
        &self,
        fence: Fence,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let (store, key, ttl) = (Arc::clone(&self.vault.store), self.id.key(), self.habits.lease);
        let id = self.id.clone();
        // In a task of its own, which ends with this future: a store that takes its time holds up no exchange.
        let mut heartbeat = JoinSet::new();
        heartbeat.spawn(async move {
            loop {
                sleep(ttl / 4).await;
                // Lost or not, the work goes on: its answer may be the only token that works, and the swap decides.
                match store.extend(&key, fence, ttl).await {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!(connection = %id, "the lease of a refresh was lost"),
                    Err(error) => {
                        tracing::warn!(connection = %id, %error, "the lease of a refresh was not extended");
                    }
                }
            }
        });
        let outcome = work.await;
        drop(heartbeat);
        if let Err(error) = self.vault.store.release(&self.id.key(), fence).await {
            // It ends by itself.
            tracing::debug!(connection = %self.id, %error, "the lease of a refresh was not released");
        }
        outcome
    }

    /// With the lease: looks again, asks the provider, stores, and only then hands out.
    async fn renew(&self, wanted: &Wanted, waiting: &mut Waiting) -> Result<Token, Error> {
        let mut held = self.load().await?;
        let mut has_asked_again = false;
        loop {
            if let Some(token) = self.judge(&held, wanted)? {
                return Ok(token);
            }
            let Some(used) = held.tokens.as_ref().and_then(|tokens| tokens.refresh.clone()) else {
                return self.without_refresh_token(held, wanted).await;
            };
            if let Some(tokens) = &held.tokens {
                tokens.check_origin(self.app.preset(), &self.id)?;
            }
            let error = match self.app.refresh(&used).await {
                Ok(tokens) => return self.save(held, used, tokens, waiting).await,
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

    /// What can be done for a token that nothing renews.
    async fn without_refresh_token(&self, held: Held, wanted: &Wanted) -> Result<Token, Error> {
        let access = held.tokens.as_ref().map(|tokens| tokens.access.clone());
        let left = held.tokens.as_ref().and_then(|tokens| tokens.remaining(self.habits.clock.now()));
        let is_alive = left.is_none_or(|left| !left.is_zero());
        let error = |what: &str| Err(Error::new(ErrorKind::Auth, format!("{} {what}", self.id)));
        match (wanted.reason, access) {
            (TokenReason::Early, _) if is_alive => {
                error("has no refresh token: log in again before its token expires")
            }
            (TokenReason::Refused, Some(access)) if is_alive && !self.is_refused_again(&access) => error(
                "was refused by the provider and has no refresh token; refused again after a minute, it needs a person",
            ),
            _ => self.give_up(held, wanted).await,
        }
    }

    /// Was this token refused a while ago already?
    fn is_refused_again(&self, access: &Secret) -> bool {
        let now = Instant::now();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refused {
            Some((known, since)) if known.expose() == access.expose() => {
                now.saturating_duration_since(*since) >= SECOND_REFUSAL
            }
            _ => {
                *refused = Some((access.clone(), now));
                false
            }
        }
    }

    /// Stores new tokens, then hands the access token out. They are the only ones that work, so it does not end before
    /// they are stored; who waits is told when that takes long.
    async fn save(
        &self,
        held: Held,
        used: Secret,
        tokens: Tokens,
        waiting: &mut Waiting,
    ) -> Result<Token, Error> {
        let tokens = match &held.tokens {
            Some(old) => tokens.replacing(old),
            None => tokens,
        };
        let mut expected = held.version;
        let mut pause = FIRST_SAVE_PAUSE;
        let mut failures = 0;
        loop {
            let error = match self.try_save(&used, &tokens, &mut expected).await {
                Ok(Some(token)) => return Ok(token),
                Ok(None) => continue,
                Err(Unsaved::Overtaken(error)) => return Err(error),
                Err(Unsaved::Failed(error)) => error,
            };
            failures += 1;
            if failures == SAVES_WAITED_FOR {
                tracing::error!(connection = %self.id, %error, "new tokens could not be stored: trying until they are");
                waiting.tell(Err(error));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_SAVE_PAUSE);
        }
    }

    /// One attempt; `None` if the version was another one and the next attempt expects it.
    async fn try_save(
        &self,
        used: &Secret,
        tokens: &Tokens,
        expected: &mut u64,
    ) -> Result<Option<Token>, Unsaved> {
        let failed = Unsaved::Failed;
        let record = self.vault.seal(&self.id, tokens, self.app.preset()).await.map_err(failed)?;
        let key = self.id.key();
        let swap = self.vault.store.compare_and_swap(&key, Some(*expected), record).await;
        let won = match swap.map_err(failed)? {
            Swap::Stored(_) => return Ok(Some(tokens.to_token(self.habits.clock.now()))),
            Swap::Conflict(None) => return Err(Unsaved::Overtaken(not_connected(&self.id))),
            Swap::Conflict(Some(won)) => won,
        };
        let version = won.version;
        let won = self.vault.unseal(&self.id, won).await.map_err(failed)?;
        // The same grant under another version: sealed anew, or taken for dead because we used its token.
        if won.refresh() == Some(used.expose()) {
            *expected = version;
            return Ok(None);
        }
        // Another grant, by a new login or another refresh: newer than ours, and what everybody uses. Or ours, stored by a
        // write whose success was not heard.
        let wanted = Wanted { reason: TokenReason::First, previous: None };
        match self.judge(&won, &wanted).map_err(Unsaved::Overtaken)? {
            Some(token) => Ok(Some(token)),
            None => Err(Unsaved::Overtaken(self.written_by_others())),
        }
    }

    fn written_by_others(&self) -> Error {
        let message = format!("{} was written by others meanwhile: try again", self.id);
        Error::new(ErrorKind::Conflict, message).with_retry(RetryAdvice::Later)
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
