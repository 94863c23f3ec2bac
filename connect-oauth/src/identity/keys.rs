//! Where a provider's public keys come from: fixed ones, or those under its `jwks_uri`, kept for an hour.
//!
//! What is kept and when it is fetched must not depend on who sends tokens: a token may name any key it likes, and that
//! leads to one fetch a minute at most. One fetch is under way at a time, in a task of its own, so that a caller who
//! goes away takes nothing from the others. While the provider is down, the keys of its last answer stay good for a
//! day.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connect_core::{Config, Error, ErrorKind, RetryAdvice, Sent, StatusCode, Transport, Url};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::http::{Answer, Http};
use crate::jwt::Jwks;

/// How long keys are used without asking. Short against the days for which providers show a key before they sign with
/// it; a key that was withdrawn is believed for so long.
const KEPT: Duration = Duration::from_secs(3600);

/// How long they are used when the provider cannot be asked: an outage lasts hours, and keys change over weeks.
const KEPT_IN_OUTAGE: Duration = Duration::from_secs(24 * 3600);

/// Between two fetches, once there are keys.
const BETWEEN: Duration = Duration::from_secs(60);

/// Between two fetches while there are none: callers wait for it.
const BETWEEN_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// The public keys of a provider. Clones share what was fetched.
///
/// ```
/// use connect_core::{Config, Url};
/// use connect_oauth::identity::Keys;
/// # fn demo() -> Result<(), Box<dyn std::error::Error>> {
/// let google = Keys::at(Url::parse("https://www.googleapis.com/oauth2/v3/certs")?, Config::default());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Keys(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<Jwks>),
    Remote(Arc<Remote>),
}

impl Keys {
    /// Always these: for a provider that cannot be reached from here, and for tests.
    pub fn fixed(keys: Jwks) -> Self {
        Self(Source::Fixed(Arc::new(keys)))
    }

    /// Those under this URL, the `jwks_uri` of the provider's discovery document. Fetched when first needed.
    pub fn at(url: Url, config: Config) -> Self {
        Self::shared("openid", url, Arc::new(Http::new(config, None, None)))
    }

    /// The same over your own transport.
    pub fn over(transport: impl Transport + 'static, url: Url, config: Config) -> Self {
        Self::shared("openid", url, Arc::new(Http::new(config, Some(Arc::new(transport)), None)))
    }

    /// The same over the engine's HTTP.
    pub(crate) fn shared(preset_id: &str, url: Url, http: Arc<Http>) -> Self {
        let operation = format!("{preset_id}/keys");
        Self(Source::Remote(Arc::new(Remote {
            operation,
            url,
            http,
            state: Mutex::default(),
            turn: Arc::default(),
        })))
    }

    /// The keys to verify with.
    pub(super) async fn current(&self) -> Result<Arc<Jwks>, Error> {
        match &self.0 {
            Source::Fixed(keys) => Ok(Arc::clone(keys)),
            Source::Remote(remote) => remote.get(None).await,
        }
    }

    /// Other keys than these, if the provider may be asked and has some.
    pub(super) async fn newer(&self, than: &Arc<Jwks>) -> Option<Arc<Jwks>> {
        match &self.0 {
            Source::Fixed(_) => None,
            Source::Remote(remote) => remote.get(Some(than)).await.ok(),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Fixed(keys) => f.debug_tuple("Keys").field(keys).finish(),
            Source::Remote(remote) => f.debug_tuple("Keys").field(&remote.url.as_str()).finish(),
        }
    }
}

struct Remote {
    operation: String,
    url: Url,
    http: Arc<Http>,
    state: Mutex<State>,
    /// Held by the fetch under way; whoever waits for it looks at what came of it.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    keys: Option<(Arc<Jwks>, Instant)>,
    /// When the last fetch ended, and why it failed.
    last: Option<(Instant, Option<Failure>)>,
}

/// An error that is told more than once.
struct Failure {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    sent: Sent,
    retry: RetryAdvice,
}

impl Remote {
    /// Keys, and if these are known not to do, others.
    async fn get(self: &Arc<Self>, but_not: Option<&Arc<Jwks>>) -> Result<Arc<Jwks>, Error> {
        if let Some(outcome) = self.lock().look(Instant::now(), but_not) {
            return outcome;
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // Somebody else's fetch may have ended meanwhile.
        if let Some(outcome) = self.lock().look(Instant::now(), but_not) {
            return outcome;
        }
        let runtime = Handle::try_current().map_err(|_| {
            let message = "keys are fetched in a task: verify from within a tokio runtime";
            Error::new(ErrorKind::Config, message)
        })?;
        let this = Arc::clone(self);
        let fetching = runtime.spawn(async move {
            let answered = this.http.get(this.operation.clone(), &this.url, None).await;
            this.lock().land(Instant::now(), answered);
            drop(turn);
        });
        let ended = fetching.await;
        let outcome = self.lock().look(Instant::now(), but_not);
        outcome.filter(|_| ended.is_ok()).unwrap_or_else(|| {
            let message = "the fetch of the provider's keys was lost";
            Err(Error::new(ErrorKind::Unavailable, message)
                .with_sent(Sent::Maybe)
                .with_retry(RetryAdvice::Later))
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a caller gets without a fetch; `None` if one is due.
    fn look(&self, now: Instant, but_not: Option<&Arc<Jwks>>) -> Option<Result<Arc<Jwks>, Error>> {
        let since = |instant: Instant| now.saturating_duration_since(instant);
        let between = if self.keys.is_some() { BETWEEN } else { BETWEEN_WITHOUT_KEYS };
        let last = self.last.as_ref().filter(|(ended, _)| since(*ended) < between);
        if let Some((keys, fetched)) = &self.keys {
            let kept = if last.is_some() { KEPT_IN_OUTAGE } else { KEPT };
            let is_refused = but_not.is_some_and(|refused| Arc::ptr_eq(refused, keys));
            if since(*fetched) < kept && !is_refused {
                return Some(Ok(Arc::clone(keys)));
            }
        }
        let (_, failure) = last?;
        Some(Err(failure.as_ref().map_or_else(asked_just_now, Failure::error)))
    }

    fn land(&mut self, now: Instant, answered: Result<Answer, Error>) {
        let failure = match answered.and_then(|answer| Jwks::from_object(&answer)) {
            Ok(keys) => {
                self.keys = Some((Arc::new(keys), now));
                None
            }
            Err(error) => Some(Failure::of(&error)),
        };
        self.last = Some((now, failure));
    }
}

/// For a token that names a key which was not there a moment ago.
fn asked_just_now() -> Error {
    Error::new(ErrorKind::Unavailable, "the provider was asked for its keys less than a minute ago")
        .with_retry(RetryAdvice::After(BETWEEN))
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: format!("the provider's keys cannot be fetched: {}", error.message()),
            status: error.status(),
            sent: error.sent(),
            retry: error.retry(),
        }
    }

    fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone()).with_sent(self.sent).with_retry(self.retry);
        match self.status {
            Some(status) => error.with_status(status),
            None => error,
        }
    }
}
