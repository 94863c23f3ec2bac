//! Tokens that expire, and where they come from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::error::Error;
use crate::secret::Secret;

/// A bearer token with the time it has left. `Debug` shows no value.
///
/// The time is relative, as OAuth's `expires_in` is, so that it does not matter whether our clock is right.
///
/// ```
/// use std::time::Duration;
/// use connect_core::auth::Token;
/// let token = Token::new("ghs_example").with_expires_in(Duration::from_secs(3600));
/// assert!(!format!("{token:?}").contains("ghs_example"));
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct Token {
    /// What goes behind `Bearer`.
    pub value: Secret,
    /// How long it lives from now on; `None` for a token that lives until it is revoked.
    pub expires_in: Option<Duration>,
}

impl Token {
    /// A token that lives until it is revoked.
    pub fn new(value: impl Into<Secret>) -> Self {
        Self { value: value.into(), expires_in: None }
    }

    /// Says how long it lives from now on.
    #[must_use]
    pub fn with_expires_in(mut self, life: Duration) -> Self {
        self.expires_in = Some(life);
        self
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Why a token is fetched.
///
/// A provider that shares its tokens with other processes acts on it: see [`TokenRequest::previous`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenReason {
    /// There is none yet.
    First,
    /// The one in use expires soon. It is served meanwhile, so nobody waits.
    Early,
    /// The last one has expired.
    Expired,
    /// The provider refused the last one.
    Refused,
}

/// What a [`TokenProvider`] is asked for. `Debug` shows no value.
///
/// Non-exhaustive, so that later requests can say more.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Why.
    pub reason: TokenReason,
    /// The generation that the new token replaces, counted per cache from 1; 0 if there is none.
    pub generation: u64,
    /// The token that it replaces. Whoever keeps tokens for several processes compares: another one in the store has
    /// been renewed already and is the answer.
    pub previous: Option<Token>,
}

/// What [`TokenProvider::fetch`] returns.
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send>>;

/// Fetches tokens: from an OAuth token endpoint, by exchanging a signed assertion, out of a file. A closure will do.
///
/// [`TokenCache`](super::TokenCache) sees to it that one fetch runs at a time, in a task of its own: a caller that goes
/// away does not cancel it. Time-outs and panics are the cache's business as well. Do not fetch with a client whose
/// credentials are this very cache: it would wait for itself until the time-out.
///
/// ```
/// use std::time::Duration;
/// use connect_core::auth::{Token, TokenCache, TokenRequest};
/// let cache = TokenCache::new(|_request: TokenRequest| async {
///     // ask the token endpoint
///     Ok(Token::new("fetched").with_expires_in(Duration::from_secs(3600)))
/// });
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// assert_eq!(cache.get().await?.value().expose(), "fetched");
/// # Ok::<(), connect_core::Error>(()) }).unwrap();
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// Fetches a token.
    ///
    /// Errors keep their [`ErrorKind`](crate::ErrorKind): one that may pass (`Transport`, `Timeout`, `Unavailable`) is
    /// tried again as the call's retry policy allows, [`Auth`](crate::ErrorKind::Auth) is final.
    fn fetch(&self, request: TokenRequest) -> TokenFuture;
}

impl<F, Fut> TokenProvider for F
where
    F: Fn(TokenRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Token, Error>> + Send + 'static,
{
    fn fetch(&self, request: TokenRequest) -> TokenFuture {
        Box::pin(self(request))
    }
}
