//! The authorization code grant: where to send the browser, and what it brings back.
//!
//! [`Logins::begin`] makes the URL; [`Logins::finish`] takes the address the browser came back to, and exchanges the
//! code. In between, a login is kept for ten minutes: only a hash of its `state` names it, and it can be finished once,
//! ever, by any process that shares the store.
//!
//! Always on: `state` of 256 bits, PKCE with S256 (but for providers that refuse it from ordinary apps: see
//! [`Pkce`](crate::preset::Pkce)), the exact redirect URI, `nonce` where the provider signs who the user
//! is, and RFC 9207's `iss` where the provider sends it. Ask for more: [`Login::session`] ties a login to the browser
//! session that began it, so that nobody can be logged in to a stranger's account by a prepared link.
//!
//! Every refusal is a [`LoginRefusal`] or, where the provider refuses, a [`Problem`](crate::Problem) in the error's
//! details.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use connect_core::auth::store::{LoginStore, MemoryLoginStore, TakenLogin};
use connect_core::{Error, ErrorKind, Safety, Secret, Url};
use sha2::{Digest, Sha256};

use crate::client::{Grant, OAuth};
use crate::connections::ConnectionId;
use crate::pkce;
use crate::preset::Pkce;
use crate::problem::Problem;
use crate::seal::{Opened, Place, Seal};
use crate::tokens::Tokens;

mod callback;
mod pending;
mod refusal;
mod return_to;

pub use self::callback::Callback;
pub use self::refusal::LoginRefusal;

use self::pending::Pending;

/// How long a person may take to log in. GitHub's and Slack's codes live as long.
const LOGIN_LIFE: Duration = Duration::from_secs(600);

/// The logins of one app.
///
/// ```
/// use connect_oauth::{Callback, Login, OAuth, Preset};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let github = OAuth::builder(Preset::find("github").unwrap())
///     .client_id("app").client_secret("secret").redirect_uri("https://app.example/callback")
///     .build()?;
/// let logins = github.logins();
/// let begun = logins.begin(Login::new("acme", "github").scopes(["repo"]).session("cookie")).await?;
/// assert!(begun.url.as_str().starts_with("https://github.com/login/oauth/authorize?"));
///
/// // Later, the browser comes back with a state that is not ours:
/// let callback = Callback::url("https://app.example/callback?code=c&state=forged").session("cookie");
/// let error = logins.finish(callback).await.unwrap_err();
/// assert_eq!(error.details(), Some(&connect_oauth::LoginRefusal::StateUnknown));
/// # Ok::<(), connect_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Logins {
    oauth: OAuth,
    store: Arc<dyn LoginStore>,
    seal: Arc<dyn Seal>,
    life: Duration,
    return_to: Arc<[String]>,
}

/// A login to begin: whose, for what, and where to go afterwards.
///
/// [`Logins`] has the example.
#[derive(Clone)]
#[must_use = "a login does nothing until `Logins::begin`"]
pub struct Login {
    tenant: String,
    connection: String,
    scopes: Vec<String>,
    return_to: Option<String>,
    session: Option<Secret>,
    redirect_uri: Option<Url>,
    parameters: Vec<(String, String)>,
}

/// A login that has begun: send the browser to [`url`](Self::url).
///
/// `Debug` does not show the address, which names the login's state.
#[non_exhaustive]
#[derive(Clone)]
pub struct BegunLogin {
    /// The provider's page. It is for this one browser: whoever else opens it logs in for it.
    pub url: Url,
    /// How long it can be finished.
    pub expires_in: Duration,
}

impl fmt::Debug for BegunLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BegunLogin").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// A login that has ended well.
///
/// Store the tokens with [`Connections::connect`](crate::Connections::connect).
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct FinishedLogin {
    /// The tokens of the new grant.
    pub tokens: Tokens,
    /// Which connection it is for: this app's, and as [`Login::new`] said.
    pub id: ConnectionId,
    /// Where to send the browser now; on the allow-list when the login began.
    pub return_to: Option<String>,
    /// What an id token of this login must repeat.
    pub nonce: Option<Secret>,
}

impl Login {
    /// A login of this tenant for this connection.
    pub fn new(tenant: impl Into<String>, connection: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            connection: connection.into(),
            scopes: Vec::new(),
            return_to: None,
            session: None,
            redirect_uri: None,
            parameters: Vec::new(),
        }
    }

    /// Asks for these scopes instead of the app's.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Where the host sends the browser afterwards: a path of its own (`/settings`), or an address that
    /// [`Logins::allow_return_to`] allows.
    pub fn return_to(mut self, place: impl Into<String>) -> Self {
        self.return_to = Some(place.into());
        self
    }

    /// Ties the login to the browser session that begins it: give the value of its cookie, and the same in
    /// [`Callback::session`]. Only a hash of it is kept.
    pub fn session(mut self, session: impl Into<Secret>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Comes back to another redirect URI than the app's, for a listener on a port of its own.
    pub fn redirect_uri(mut self, uri: Url) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// A further parameter of the authorization request: `login`, `prompt`, `team`. The protocol's own cannot be set.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("tenant", &self.tenant)
            .field("connection", &self.connection)
            .field("scopes", &self.scopes)
            .field("return_to", &self.return_to)
            .finish_non_exhaustive()
    }
}

/// What the protocol itself puts into the authorization request.
const OWN_PARAMETERS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "client_secret",
];

impl OAuth {
    /// Logins that are kept in this process: a login that begins here must end here.
    pub fn logins(&self) -> Logins {
        // Nothing leaves the process, so nothing is sealed.
        self.logins_in(Arc::new(MemoryLoginStore::with_clock(self.clock())), Arc::new(Unsealed))
    }

    /// Logins that any process may finish that shares the store.
    pub fn logins_in(&self, store: Arc<dyn LoginStore>, seal: Arc<dyn Seal>) -> Logins {
        Logins { oauth: self.clone(), store, seal, life: LOGIN_LIFE, return_to: Arc::new([]) }
    }
}

impl Logins {
    /// Also allows to return to addresses that start with one of these: `https://app.example/`. Paths of the host's own
    /// are allowed in any case.
    #[must_use]
    pub fn allow_return_to<S: Into<String>>(mut self, places: impl IntoIterator<Item = S>) -> Self {
        self.return_to = places.into_iter().map(Into::into).collect();
        self
    }

    /// Another time to log in than ten minutes.
    #[must_use]
    pub fn with_life(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the app has no redirect URI or the provider no such login;
    /// [`LoginRefusal::ForeignReturn`] if it wants to return to a place that is not allowed; what the store fails with.
    pub async fn begin(&self, login: Login) -> Result<BegunLogin, Error> {
        let (oauth, preset) = (&self.oauth, self.oauth.preset());
        let mut url = preset.authorize_url()?;
        let redirect_uri = login.redirect_uri.as_ref().or(oauth.redirect_uri()).ok_or_else(|| {
            let message = "a login needs a redirect URI: give the builder the one that is registered";
            Error::new(ErrorKind::Config, message)
        })?;
        if let Some(place) = &login.return_to
            && !return_to::is_allowed(place, &self.return_to)
        {
            return Err(LoginRefusal::ForeignReturn.into());
        }
        if let Some((name, _)) =
            login.parameters.iter().find(|(name, _)| OWN_PARAMETERS.contains(&name.as_str()))
        {
            let message = format!("the parameter `{name}` is the protocol's own: it cannot be set");
            return Err(Error::new(ErrorKind::Config, message));
        }
        let asked: Vec<&str> = login.scopes.iter().map(String::as_str).collect();
        let scopes = oauth.login_scopes(&asked);
        let (state, verifier) = (oauth.entropy().token()?, pkce::verifier(oauth.entropy())?);
        let nonce = match preset.issuer.is_some() || scopes.iter().any(|scope| scope == "openid") {
            true => Some(oauth.entropy().token()?),
            false => None,
        };

        let has_pkce = preset.pkce != Pkce::OptIn;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", oauth.client_id())
                .append_pair("redirect_uri", redirect_uri.as_str())
                .append_pair("state", &state);
            if has_pkce {
                query
                    .append_pair("code_challenge", &pkce::challenge(&verifier))
                    .append_pair("code_challenge_method", "S256");
            }
            if !scopes.is_empty() {
                query.append_pair(&preset.scope_parameter, &preset.join_scopes(&scopes));
            }
            if let Some(nonce) = &nonce {
                query.append_pair("nonce", nonce);
            }
            let own = preset.authorize_parameters.iter().map(|(name, value)| (&**name, &**value));
            let given = login.parameters.iter().map(|(name, value)| (&**name, &**value));
            // The login's own word replaces the preset's.
            let kept = own.filter(|(name, _)| login.parameters.iter().all(|(given, _)| given != name));
            for (name, value) in kept.chain(given) {
                query.append_pair(name, value);
            }
        }

        let key = self.key(&state);
        let verifier = has_pkce.then(|| verifier.expose().to_owned());
        let pending = Pending {
            redirect_uri: redirect_uri.as_str().to_owned(),
            verifier,
            nonce,
            session: login.session.as_ref().map(|session| fingerprint(session.expose())),
            tenant: login.tenant,
            connection: login.connection,
            scopes,
            return_to: login.return_to,
        };
        let sealed = self.seal.seal(self.place(&key), &pending.to_bytes()?).await?;
        self.store.begin(&key, sealed, oauth.now() + self.life).await?;
        Ok(BegunLogin { url, expires_in: self.life })
    }

    /// Ends a login with what the browser brought back, and exchanges the code.
    ///
    /// Whatever comes of it, the login is over: its state and its code are not accepted again.
    ///
    /// # Errors
    /// [`LoginRefusal`] in the details if the callback is not the end of a login of ours; [`Problem`] if the provider
    /// refuses, or the person did.
    pub async fn finish(&self, callback: Callback) -> Result<FinishedLogin, Error> {
        let answer = callback.read()?;
        let key = self.key(&answer.state);
        let sealed = match self.store.take(&key).await? {
            TakenLogin::Fresh(sealed) => sealed,
            TakenLogin::Used => return Err(LoginRefusal::StateUsed.into()),
            _ => return Err(LoginRefusal::StateUnknown.into()),
        };
        let pending = Pending::from_bytes(self.seal.open(self.place(&key), &sealed).await?.expose())?;
        if !callback.is_at(&pending.redirect_uri) {
            return Err(LoginRefusal::ForeignRedirect.into());
        }
        if pending.session != callback.session.as_ref().map(|session| fingerprint(session.expose())) {
            return Err(LoginRefusal::ForeignSession.into());
        }
        if let (Some(said), Some(issuer)) = (&answer.issuer, self.oauth.preset().issuer()?)
            && !issuer.contains('{') // Microsoft's: one for each tenant, told by the id token
            && said.trim_end_matches('/') != issuer.trim_end_matches('/')
        {
            return Err(LoginRefusal::ForeignIssuer.into());
        }
        let verifier = pending.verifier.as_deref().unwrap_or_default();
        if let Some(error) = answer.error {
            let problem = Problem::new(error, answer.description).without(&[
                verifier,
                &answer.state,
                answer.code.as_deref().unwrap_or_default(),
            ]);
            return Err(Error::new(problem.code.kind(), problem.to_string()).with_details(problem));
        }
        let code = answer.code.ok_or(LoginRefusal::CodeMissing)?;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", pending.redirect_uri.as_str()),
        ];
        if !verifier.is_empty() {
            parameters.push(("code_verifier", verifier));
        }
        let tokens = self
            .oauth
            .exchange(Grant {
                name: "authorization_code",
                safety: Safety::Unsafe, // a code works once, and a second use revokes what the first brought
                parameters,
                secrets: vec![&code, verifier],
                asked: &pending.scopes,
            })
            .await?;
        Ok(FinishedLogin {
            tokens,
            nonce: pending.nonce.as_deref().map(Secret::new),
            id: ConnectionId::new(&*self.oauth.preset().id, &pending.tenant, &pending.connection),
            return_to: pending.return_to.clone(),
        })
    }

    /// Under which name a login is kept: whoever reads the store cannot finish it, and no other app's callback finds it.
    fn key(&self, state: &str) -> String {
        fingerprint(&format!("{} {state}", self.oauth.preset().id))
    }

    fn place<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place::new("", &self.oauth.preset().id, key)
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("oauth", &self.oauth).field("life", &self.life).finish_non_exhaustive()
    }
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// For logins that stay in this process's memory.
struct Unsealed;

#[async_trait]
impl Seal for Unsealed {
    async fn seal(&self, _place: Place<'_>, value: &[u8]) -> Result<Bytes, Error> {
        Ok(Bytes::copy_from_slice(value))
    }

    async fn open(&self, _place: Place<'_>, sealed: &[u8]) -> Result<Opened, Error> {
        Ok(Opened::new(sealed.to_vec()))
    }

    fn is_current(&self, _sealed: &[u8]) -> bool {
        true
    }
}
