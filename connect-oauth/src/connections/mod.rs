//! The tokens of many accounts, shared by many processes: refreshed once, stored before they are used, never deleted.
//!
//! Providers that rotate refresh tokens accept each of them once, and some revoke the whole grant when one comes twice.
//! So a refresh happens in one place at a time, whoever asks:
//! 1. In a process, everybody who needs a connection's token shares one [`TokenCache`]: one fetch, however many wait.
//! 2. Between processes, a lease in the [`TokenStore`] lets one refresh; the others wait and read what it stored. The
//!    lease is short and kept up by heartbeats, so that a process that dies holds nobody up for long.
//! 3. With the lease the record is read again: somebody may have been faster.
//! 4. The new tokens are stored before anybody uses them. A store that fails costs a wait: the process keeps the tokens,
//!    and its turn, until they are stored.
//! 5. `invalid_grant` is believed only after one more look at the record. Then the connection
//!    [needs a person](connect_core::auth::store::TokenState::NeedsReauth), says so at once to everybody who asks, and is
//!    never tried again by itself.
//! 6. An answer that was lost on the way is asked for once more, after a look at the record: a provider with a leeway
//!    (Atlassian: 10 minutes) gives it again; with one that takes that for theft, the grant was lost already.
//!
//! An exchange runs in a task of its own, so a caller that goes away loses nothing; a runtime that ends does. Await
//! [`Connections::settle`] before.
//!
//! Other processes hear of a new login when they refresh, or when the provider refuses what they have; one that holds a
//! token without an end goes on using it until then.
//!
//! Programs with one process and tokens that do not rotate need none of it; a [`TokenCache`] will do.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use connect_core::auth::TokenOptions;
use connect_core::auth::store::{StoredToken, Swap, TokenRecord, TokenState, TokenStore};
use connect_core::clock::{SystemClock, WallClock};
use connect_core::{Error, ErrorKind, TokenCache};

use crate::client::OAuth;
use crate::login::FinishedLogin;
use crate::seal::Seal;
use crate::tokens::Tokens;

mod decide;
mod id;
mod idle;
mod record;
mod refresh;
mod rewrap;

pub use self::id::ConnectionId;
pub use self::idle::IdleRefresh;
pub use self::rewrap::Rewrapped;

use self::record::Vault;
use self::refresh::Refresher;

/// How long a refresh holds its lease without a heartbeat: so long others wait for a process that died.
const LEASE: Duration = Duration::from_secs(20);

/// How long somebody waits for another process's refresh: longer than two exchanges and a slow store take. A call's own
/// deadline ends its wait before, and the next call goes on where it stood.
const LONGEST_WAIT: Duration = Duration::from_secs(75);

/// The whole of a fetch. Only the bound of bounds: what is inside has its own, and the exchange goes on without whoever
/// stops waiting.
const FETCH_TIMEOUT: Duration = Duration::from_secs(300);

/// Says that a connection works no more until a person logs in again: `error.details::<NeedsReauth>()`.
///
/// The record stays: with its state, an operator sees which connection it is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsReauth {
    /// Which connection.
    pub id: ConnectionId,
}

/// How a connection is, without its tokens.
///
/// For status pages: see [`Connections::list`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Which connection.
    pub id: ConnectionId,
    /// Can it be used?
    pub state: TokenState,
    /// When its access token ends.
    pub expires_at: Option<SystemTime>,
    /// When it is refreshed though nobody asks.
    pub refresh_by: Option<SystemTime>,
    /// Is it sealed under the current key?
    pub is_sealed_under_current_key: bool,
}

/// The connections of a program, kept in a [`TokenStore`]. Clones share one.
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
/// use connect_core::auth::store::MemoryTokenStore;
/// use connect_core::Credentials;
/// use connect_oauth::{ConnectionId, Connections, OAuth, Preset, Tokens};
/// # use connect_oauth::seal::{Opened, Place, Seal};
/// # struct Keys;
/// # #[async_trait::async_trait] impl Seal for Keys {
/// #     async fn seal(&self, _: Place<'_>, v: &[u8]) -> Result<connect_core::Bytes, connect_core::Error> { Ok(v.iter().rev().copied().collect()) }
/// #     async fn open(&self, _: Place<'_>, v: &[u8]) -> Result<Opened, connect_core::Error> { Ok(Opened::new(v.iter().rev().copied().collect())) }
/// #     fn is_current(&self, _: &[u8]) -> bool { true }
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let atlassian = OAuth::builder(Preset::find("atlassian").unwrap()).client_id("app").client_secret("s").build()?;
/// // In earnest: `connect_store_sqlite`'s store, and `seal::KeyRing::from_env()?`.
/// let connections =
///     Connections::builder(Arc::new(MemoryTokenStore::default()), Arc::new(Keys)).app(atlassian).open().await?;
///
/// let acme = ConnectionId::new("atlassian", "acme", "jira");
/// connections.connect(&acme, Tokens::new("access", SystemTime::now())).await?;
/// let credentials = Credentials::tokens(connections.tokens(&acme)?); // for as many clients as you like
/// # drop(credentials);
/// # Ok::<(), connect_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    vault: Vault,
    apps: BTreeMap<String, OAuth>,
    caches: Mutex<HashMap<ConnectionId, (TokenCache, Arc<Refresher>)>>,
    habits: Habits,
}

/// Is told which connection needs a person.
type Listener = Arc<dyn Fn(&ConnectionId) + Send + Sync>;

/// What the refreshers of one [`Connections`] have in common.
#[derive(Clone)]
struct Habits {
    clock: Arc<dyn WallClock>,
    lease: Duration,
    longest_wait: Duration,
    on_needs_reauth: Option<Listener>,
}

/// Collects the settings of [`Connections`].
///
/// [`Connections`] has the example.
#[must_use = "a builder does nothing until `open` is called"]
pub struct ConnectionsBuilder {
    store: Arc<dyn TokenStore>,
    seal: Arc<dyn Seal>,
    apps: Vec<OAuth>,
    habits: Habits,
}

impl ConnectionsBuilder {
    /// Adds an app. Its connections are those whose [`ConnectionId::app`] is the id of its preset.
    pub fn app(mut self, oauth: OAuth) -> Self {
        self.apps.push(oauth);
        self
    }

    /// How long a refresh holds its lease without a heartbeat (20 s): so long others wait for a process that died.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.habits.lease = lease;
        self
    }

    /// How long to wait for another process's refresh (75 s).
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.habits.longest_wait = wait;
        self
    }

    /// Another clock than the operating system's.
    pub fn clock(mut self, clock: impl WallClock) -> Self {
        self.habits.clock = Arc::new(clock);
        self
    }

    /// Is told when this process finds out that a connection needs a person. Of several processes one finds out; the others
    /// see it in [`Connections::list`] and in the error of every call.
    pub fn on_needs_reauth(mut self, listener: impl Fn(&ConnectionId) + Send + Sync + 'static) -> Self {
        self.habits.on_needs_reauth = Some(Arc::new(listener));
        self
    }

    /// Opens the store: checks first that the seal opens what lies there, so that a missing or wrong key stops the start
    /// and not a refresh in the night.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a key is missing or wrong, or if two apps have the same id; what the store fails with.
    pub async fn open(self) -> Result<Connections, Error> {
        let mut apps = BTreeMap::new();
        for app in self.apps {
            let id = app.preset().id.to_string();
            if apps.insert(id.clone(), app).is_some() {
                let message = format!("two apps have the id `{id}`: give one of their presets another id");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        if self.habits.lease < Duration::from_millis(100) {
            let message = "a lease below 100 ms ends before it is of use: give it some seconds";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let vault = Vault::open(self.store, self.seal).await?;
        Ok(Connections(Arc::new(Shared { vault, apps, caches: Mutex::default(), habits: self.habits })))
    }
}

impl fmt::Debug for ConnectionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionsBuilder").field("apps", &self.apps).finish_non_exhaustive()
    }
}

impl Connections {
    /// Starts with a store and a seal; there is none without.
    pub fn builder(store: Arc<dyn TokenStore>, seal: Arc<dyn Seal>) -> ConnectionsBuilder {
        let habits = Habits {
            clock: Arc::new(SystemClock),
            lease: LEASE,
            longest_wait: LONGEST_WAIT,
            on_needs_reauth: None,
        };
        ConnectionsBuilder { store, seal, apps: Vec::new(), habits }
    }

    /// Stores the tokens of a login, new or again.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an app that is not here; what seal or store fail with.
    pub async fn connect(&self, id: &ConnectionId, tokens: Tokens) -> Result<(), Error> {
        let app = self.app(id)?;
        let record = self.0.vault.seal(id, &tokens, app.preset()).await?;
        self.overwrite(id, record).await
    }

    /// Stores what [`Logins::finish`](crate::Logins::finish) brought.
    ///
    /// # Errors
    /// As [`Connections::connect`].
    pub async fn connect_login(&self, login: &FinishedLogin) -> Result<(), Error> {
        self.connect(&login.id, login.tokens.clone()).await
    }

    /// The tokens of a connection, for a client's [`Credentials`](connect_core::Credentials). Everybody in the process
    /// who asks for the same connection gets the same cache.
    ///
    /// Nothing is read yet: a connection that is not there fails the first call that needs it. A cache is a few hundred
    /// bytes and stays as long as this does.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an app that is not here.
    pub fn tokens(&self, id: &ConnectionId) -> Result<TokenCache, Error> {
        self.cache(id).map(|(cache, _)| cache)
    }

    fn cache(&self, id: &ConnectionId) -> Result<(TokenCache, Arc<Refresher>), Error> {
        let app = self.app(id)?;
        let mut caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = caches.get(id) {
            return Ok(entry.clone());
        }
        let refresher =
            Arc::new(Refresher::new(self.0.vault.clone(), id.clone(), app.clone(), self.0.habits.clone()));
        let options = TokenOptions::default().with_fetch_timeout(FETCH_TIMEOUT).with_account(id.to_string());
        let cache = TokenCache::with_options(Arc::clone(&refresher).provider(), options);
        caches.insert(id.clone(), (cache.clone(), Arc::clone(&refresher)));
        Ok((cache, refresher))
    }

    /// The tokens as they are stored, with scopes and further fields; they may have expired.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] if there is no such connection; what seal or store fail with.
    pub async fn stored(&self, id: &ConnectionId) -> Result<Tokens, Error> {
        match self.0.vault.load(id).await? {
            Some(held) => held.tokens.ok_or_else(|| refresh::needs_reauth(id)),
            None => Err(refresh::not_connected(id)),
        }
    }

    /// How a connection is; `None` if there is none. Opens nothing and asks no provider.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn status(&self, id: &ConnectionId) -> Result<Option<ConnectionStatus>, Error> {
        let stored = self.0.vault.store.load(&id.key()).await?;
        Ok(stored.map(|stored| self.describe(id.clone(), &stored)))
    }

    /// How the connections are, in the order of their ids, those behind `after` and at most `limit` of them. An empty
    /// list is the end.
    ///
    /// # Errors
    /// What the store fails with.
    pub async fn list(
        &self,
        after: Option<&ConnectionId>,
        limit: usize,
    ) -> Result<Vec<ConnectionStatus>, Error> {
        let mut after = after.map(ConnectionId::key);
        let mut found = Vec::new();
        while found.len() < limit {
            let page = self.0.vault.store.walk(after.as_deref(), limit - found.len()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            // The store may keep what is not a connection: the check of the keys, for one.
            found.extend(
                page.iter()
                    .filter_map(|(key, stored)| Some(self.describe(ConnectionId::from_key(key)?, stored))),
            );
        }
        Ok(found)
    }

    fn describe(&self, id: ConnectionId, stored: &StoredToken) -> ConnectionStatus {
        let record = &stored.record;
        ConnectionStatus {
            id,
            state: record.state,
            expires_at: record.expires_at,
            refresh_by: record.refresh_by,
            is_sealed_under_current_key: record.sealed.is_empty()
                || self.0.vault.seal.is_current(&record.sealed),
        }
    }

    /// Gives the tokens back to the provider, where it takes them, and forgets them. The record stays and says that a
    /// person must log in.
    ///
    /// # Errors
    /// What the provider, the seal or the store fail with; where the provider did, nothing was forgotten.
    pub async fn disconnect(&self, id: &ConnectionId) -> Result<(), Error> {
        let (app, (_, refresher)) = (self.app(id)?, self.cache(id)?);
        // Alone, so that no refresh brings new tokens while the old ones are given back.
        refresher
            .alone(async {
                let held = self.0.vault.load(id).await?.ok_or_else(|| refresh::not_connected(id))?;
                if let Some(tokens) = &held.tokens
                    && app.preset().revoke_url.is_some()
                {
                    tokens.check_origin(app.preset(), id)?;
                    app.revoke(tokens.refresh.as_ref().unwrap_or(&tokens.access)).await?;
                }
                self.overwrite(id, TokenRecord::new(Bytes::new()).with_state(TokenState::NeedsReauth)).await
            })
            .await
    }

    /// Waits until no refresh is under way in this process: before a runtime is shut down, for a refresh that is cut off
    /// may have used its refresh token up. Ask for no tokens any more meanwhile.
    pub async fn settle(&self) {
        let refreshers: Vec<_> = {
            let caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
            caches.values().map(|(_, refresher)| Arc::clone(refresher)).collect()
        };
        for refresher in refreshers {
            refresher.settle().await;
        }
    }

    /// Writes over whatever is there: a person's word counts more than a refresh.
    async fn overwrite(&self, id: &ConnectionId, record: TokenRecord) -> Result<(), Error> {
        let store = &self.0.vault.store;
        let key = id.key();
        let mut expected = store.load(&key).await?.map(|stored| stored.version);
        // Every conflict means that somebody else has written; nobody writes for ever.
        for _ in 0..100 {
            match store.compare_and_swap(&key, expected, record.clone()).await? {
                Swap::Stored(_) => {
                    let caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some((cache, _)) = caches.get(id) {
                        // Clients that hold it read the new record at their next call.
                        cache.reset();
                    }
                    return Ok(());
                }
                Swap::Conflict(won) => expected = won.map(|won| won.version),
            }
        }
        let message = format!("{id} is written all the time by others: try again");
        Err(Error::new(ErrorKind::Conflict, message))
    }

    fn app(&self, id: &ConnectionId) -> Result<&OAuth, Error> {
        self.0.apps.get(id.app()).ok_or_else(|| {
            let message =
                format!("no app has the id `{}`: add it to the builder of the connections", id.app());
            Error::new(ErrorKind::Config, message)
        })
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("apps", &self.0.apps.keys()).finish_non_exhaustive()
    }
}
