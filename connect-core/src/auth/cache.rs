//! One token for many callers: fetched once, renewed early, dropped when refused.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::flight::{Fetches, Joined, Outcome, Waiter};
use super::renewal::Life;
use super::token::{Token, TokenProvider};
use crate::clock::{Skew, SystemClock, WallClock};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::secret::Secret;

/// Settings of a [`TokenCache`].
///
/// | field | default |
/// |---|---|
/// | `fetch_timeout` | 30 s |
/// | `early_refresh` | 60 s before the end, or a tenth of the token's life if that is more; jitter 10 % |
/// | `seed` | drawn once per cache |
/// | `account` | drawn once per cache |
/// | `skew` | not measured |
/// | `settling` | none |
///
/// ```
/// use std::time::Duration;
/// use connect_core::auth::TokenOptions;
/// let options = TokenOptions::default().with_fetch_timeout(Duration::from_secs(10)).with_account("installation 7");
/// assert_eq!(options.early_refresh, Duration::from_secs(60));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct TokenOptions {
    /// How long one fetch may take, all its own attempts included.
    pub fetch_timeout: Duration,
    /// How long before its end a token is renewed at least.
    pub early_refresh: Duration,
    /// Seed of the jitter; `None` draws one. Set it to replay a run.
    pub seed: Option<u64>,
    /// Name of the [`Account`](super::Account) the tokens are for, so that it is the same in every process.
    pub account: Option<Arc<str>>,
    /// Learns the provider's clock from the answers to requests with these tokens, for a [`TokenProvider`] that signs
    /// assertions with the time of day.
    pub skew: Option<Skew>,
    /// How long the provider may refuse a token that it has just made, because not all of its servers know it yet. Within
    /// this time of its life a refused token is sent again, a second later and as often as it takes; zero replaces it at
    /// once.
    pub settling: Duration,
    clock: Clock,
}

/// The clock that the provider's is compared with.
#[derive(Clone)]
struct Clock(Arc<dyn WallClock>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}

impl Default for TokenOptions {
    fn default() -> Self {
        Self {
            fetch_timeout: Duration::from_secs(30),
            early_refresh: Duration::from_secs(60),
            seed: None,
            account: None,
            skew: None,
            settling: Duration::ZERO,
            clock: Clock(Arc::new(SystemClock)),
        }
    }
}

impl TokenOptions {
    /// Sets how long one fetch may take.
    #[must_use]
    pub fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// Sets how long before its end a token is renewed at least.
    #[must_use]
    pub fn with_early_refresh(mut self, early: Duration) -> Self {
        self.early_refresh = early;
        self
    }

    /// Sets the seed of the jitter.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Names the account.
    #[must_use]
    pub fn with_account(mut self, name: impl Into<Arc<str>>) -> Self {
        self.account = Some(name.into());
        self
    }

    /// Measures the provider's clock.
    #[must_use]
    pub fn with_skew(mut self, skew: Skew) -> Self {
        self.skew = Some(skew);
        self
    }

    /// Compares the provider's clock with another one than the operating system's: the one that the assertions are
    /// signed by.
    #[must_use]
    pub fn with_clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Clock(Arc::new(clock));
        self
    }

    /// Sets how long a new token may be refused before that counts.
    #[must_use]
    pub fn with_settling(mut self, settling: Duration) -> Self {
        self.settling = settling;
        self
    }

    /// Who learns the provider's clock, and what it is compared with.
    pub(super) fn measure(&self) -> Option<(&Skew, &dyn WallClock)> {
        self.skew.as_ref().map(|skew| (skew, &*self.clock.0))
    }
}

/// Keeps the token of one account. Clones share it, and so do all clients built with a clone.
///
/// - However many callers wait, one fetch runs, in a task of its own: a caller that goes away cancels nothing, and a
///   refresh token that can be used only once is not lost with it. A fetch whose task is lost (its runtime ended, the
///   provider panicked) is begun anew by one of those who wait.
/// - A token is renewed before it expires, behind the callers' backs: the old one is served until its end.
/// - A failed fetch is not repeated for 1 to 5 s; callers get its error at once.
/// - Every token has a generation. Refusals count against that generation only: however many requests are refused with
///   one token, it is replaced once.
///
/// Building it starts nothing; the first [`TokenCache::get`] does, and needs a tokio runtime. The example is at
/// [`TokenProvider`].
#[derive(Clone)]
pub struct TokenCache(pub(super) Arc<Fetches>);

impl TokenCache {
    /// Tokens from this provider.
    pub fn new(provider: impl TokenProvider) -> Self {
        Self::with_options(provider, TokenOptions::default())
    }

    /// Tokens from this provider, with other settings.
    pub fn with_options(provider: impl TokenProvider, options: TokenOptions) -> Self {
        Self(Arc::new(Fetches::new(Box::new(provider), options)))
    }

    /// The token: at once while one is alive, else when it has been fetched.
    ///
    /// Fails with the provider's error, or with [`ErrorKind::Timeout`] after the fetch time-out. Dropping the future
    /// cancels nothing but the wait.
    pub fn get(&self) -> GetToken {
        GetToken { cache: self.clone(), progress: None, waiter: None, beyond: None }
    }

    /// A token that lives at least this long, for work that takes its time and cannot change tokens in between: a clone
    /// over HTTPS, a program that is started with it. One that has less left is renewed early, once for all who ask;
    /// everybody else goes on with the old one.
    ///
    /// # Errors
    /// As [`TokenCache::get`]; [`ErrorKind::Config`] if the provider's tokens do not live that long at all.
    pub async fn get_living_for(&self, life: Duration) -> Result<CachedToken, Error> {
        let token = self.get().await?;
        if token.lives_for(life) {
            return Ok(token);
        }
        // A new one would live no longer.
        if token.whole_life().is_some_and(|whole| whole < life) {
            return Err(lives_too_short(&token, life));
        }
        let newer = GetToken { beyond: Some(token.generation()), ..self.get() }.await?;
        if newer.lives_for(life) { Ok(newer) } else { Err(lives_too_short(&newer, life)) }
    }

    /// The token if one is alive, without fetching one; for status pages.
    pub fn current(&self) -> Option<CachedToken> {
        self.0.current()
    }

    /// Drops the token of this generation, because the provider refused it; a newer one stays.
    ///
    /// Says whether it is worth sending again: `false` if the refused token had itself just replaced a refused one and
    /// was never accepted. Then it is not the token that is wrong, and asking for yet another only hammers the token
    /// endpoint; that one is served, and refused, for five seconds.
    pub fn invalidate(&self, generation: u64) -> bool {
        self.0.invalidate(generation)
    }

    /// Forgets token and failure, because whoever keeps the account has learnt something new: a person has logged in
    /// again. The next call asks the provider; what a fetch under way brings is not used any more.
    pub fn reset(&self) {
        self.0.reset();
    }

    pub(super) fn options(&self) -> &TokenOptions {
        self.0.options()
    }

    pub(super) fn account(&self) -> &str {
        self.0.account()
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.options().fetch_timeout.is_zero() {
            let message = "`fetch_timeout` is zero, so no token could ever be fetched: give it some time";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(())
    }

    /// The token, while it is neither due nor worse.
    pub(super) fn fresh(&self) -> Option<CachedToken> {
        self.0.fresh()
    }

    /// As [`TokenCache::get`], for an operation whose listeners hear of the fetch it starts.
    pub(super) fn get_for(&self, progress: &Arc<Progress>) -> GetToken {
        let progress = progress.is_watched().then(|| Arc::clone(progress));
        GetToken { cache: self.clone(), progress, waiter: None, beyond: None }
    }

    /// How long to wait before this refused token is sent once more, if it is so young that the refusal says little.
    pub(super) fn settles_in(&self, token: &CachedToken) -> Option<Duration> {
        let is_young = token.age() < self.options().settling;
        (is_young && self.current()?.generation() == token.generation()).then_some(SETTLING_PAUSE)
    }
}

/// Between two uses of a token that settles. GitHub takes up to five seconds: five uses at most.
const SETTLING_PAUSE: Duration = Duration::from_secs(1);

fn lives_too_short(token: &CachedToken, wanted: Duration) -> Error {
    let lives = token.whole_life().unwrap_or_default();
    let message = format!("a token lives {lives:.0?} in all, and is wanted for {wanted:.0?}: ask for less");
    Error::new(ErrorKind::Config, message)
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("current", &self.current()).finish_non_exhaustive()
    }
}

/// The future of [`TokenCache::get`].
pub struct GetToken {
    cache: TokenCache,
    progress: Option<Arc<Progress>>,
    waiter: Option<Waiter>,
    /// The generation that is not good enough.
    beyond: Option<u64>,
}

impl GetToken {
    /// Does it wait for a fetch?
    pub(super) fn is_waiting(&self) -> bool {
        self.waiter.is_some()
    }
}

impl Future for GetToken {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            let Some(waiter) = &mut this.waiter else {
                match Fetches::join(&this.cache.0, this.progress.as_ref(), this.beyond) {
                    Joined::Served(outcome) => return Poll::Ready(outcome),
                    Joined::Waiting(waiter) => this.waiter = Some(waiter),
                }
                continue;
            };
            let told = ready!(Pin::new(waiter).poll(cx));
            this.waiter = None;
            // Nobody is left to tell: the fetch was lost. Ask again, and lead the next one if need be.
            if let Ok(outcome) = told {
                return Poll::Ready(outcome);
            }
        }
    }
}

impl fmt::Debug for GetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetToken").field("is_waiting", &self.is_waiting()).finish_non_exhaustive()
    }
}

/// A token out of a [`TokenCache`]. Cheap to clone; `Debug` shows no value.
///
/// Tells its generation, so that a refusal can be reported.
#[derive(Clone)]
pub struct CachedToken(Arc<Held>);

struct Held {
    token: Token,
    header: HeaderValue,
    generation: u64,
    fetched: Instant,
    life: Life,
    replaces_refused: bool,
    accepted: AtomicBool,
}

impl CachedToken {
    /// A fetched token, if a header can carry it.
    pub(super) fn new(
        token: Token,
        generation: u64,
        life: Life,
        replaces_refused: bool,
    ) -> Result<Self, Error> {
        let header = super::credentials::bearer(&token.value).map_err(|_| {
            let message = "the fetched token is empty, or has characters a header cannot carry";
            Error::new(ErrorKind::Decode, message)
        })?;
        let (fetched, accepted) = (Instant::now(), AtomicBool::new(false));
        Ok(Self(Arc::new(Held { token, header, generation, fetched, life, replaces_refused, accepted })))
    }

    /// The token itself.
    pub fn value(&self) -> &Secret {
        &self.0.token.value
    }

    /// The how manyth of its cache it is, from 1.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// How long ago it was fetched.
    pub fn age(&self) -> Duration {
        self.0.fetched.elapsed()
    }

    /// How long it has left; zero if it has expired, `None` if it lives until it is revoked.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.life.ends.map(|ends| ends.saturating_duration_since(Instant::now()))
    }

    fn lives_for(&self, life: Duration) -> bool {
        self.remaining().is_none_or(|remaining| remaining >= life)
    }

    /// How long it lives from when it was fetched to its end.
    fn whole_life(&self) -> Option<Duration> {
        self.0.life.ends.map(|ends| ends.saturating_duration_since(self.0.fetched))
    }

    pub(super) fn token(&self) -> &Token {
        &self.0.token
    }

    pub(super) fn life(&self) -> Life {
        self.0.life
    }

    /// `Bearer …`, marked sensitive.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// The provider has answered it at least once as it answers its own.
    pub(super) fn set_accepted(&self) {
        self.0.accepted.store(true, Ordering::Relaxed);
    }

    /// Did it replace a refused one, without being accepted since?
    pub(super) fn is_vain_replacement(&self) -> bool {
        self.0.replaces_refused && !self.0.accepted.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for CachedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken")
            .field("generation", &self.generation())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}
