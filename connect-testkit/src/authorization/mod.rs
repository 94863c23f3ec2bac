//! A fake OAuth 2 authorization server: logins, five grants, revocation, and a resource that honours its tokens.
//!
//! For the questions that decide whether a client loses its access: what if the answer to a refresh is lost, if
//! two processes refresh at once, if the clocks disagree? It rotates refresh tokens with reuse detection by
//! default, and has the habits of GitHub, Slack and Atlassian on request.
//! Operations for faults: `authorize`, `token/authorization_code`, `token/refresh_token`,
//! `token/client_credentials`, `token/device_code`, `token/jwt_bearer`, `device/code`, `revoke`, `discovery`,
//! `jwks`, `userinfo`, `resource`; `token` is a request without a known grant.
//! Not an identity provider: there is one person, who says yes at once, and it signs nothing itself.

mod answer;
mod arguments;
mod assertion;
mod builder;
mod client;
mod device;
mod endpoints;
mod habits;
mod ledger;
mod login;
mod openid;
mod state;
mod token;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

pub use self::builder::FakeAuthorizationBuilder;
pub use self::habits::{Rotation, Shape};
pub use self::ledger::Issued;

use self::client::Client;
use self::endpoints::Authorization;
use self::ledger::Family;
use crate::fault::FaultPlan;
use crate::record::Recorded;
use crate::server::{Loopback, Received};

/// An authorization server on loopback; it ends when it is dropped.
///
/// A refresh whose answer is lost costs everything, when the client simply tries again:
/// ```
/// use connect_testkit::{FakeAuthorization, post};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let server = FakeAuthorization::builder().public_client().start().await?;
/// let (access, refresh) = server.issue(server.client_id(), &["read"]);
/// server.faults().on("token/refresh_token").drop_after_send();
///
/// let headers = [("content-type", "application/x-www-form-urlencoded")];
/// let body = format!("grant_type=refresh_token&refresh_token={refresh}&client_id={}", server.client_id());
/// assert!(post(&server.token_url(), &headers, body.clone()).await.is_err(), "the answer is lost");
/// assert_eq!(server.refreshes(), 1, "and yet the token is used up");
///
/// assert_eq!(post(&server.token_url(), &headers, body).await?.status, 400);
/// assert_eq!(server.reuses(), 1);
/// assert!(!server.is_alive(&access), "the login is gone");
/// # Ok(()) }
/// ```
pub struct FakeAuthorization {
    server: Loopback,
    provider: Arc<Authorization>,
    client: Client,
}

impl FakeAuthorization {
    /// Starts with the defaults.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts with settings of your own.
    pub fn builder() -> FakeAuthorizationBuilder {
        FakeAuthorizationBuilder::default()
    }

    /// The base URL, without a trailing slash: `http://127.0.0.1:{port}`.
    pub fn url(&self) -> &str {
        &self.provider.origin
    }

    /// What the server calls itself in `iss`; its URL unless the builder said otherwise.
    pub fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    /// The token endpoint.
    pub fn token_url(&self) -> String {
        self.provider.token_url.clone()
    }

    /// The id of the first client.
    pub fn client_id(&self) -> &str {
        &self.client.id
    }

    /// The secret of the first client; `None` when it is public.
    pub fn client_secret(&self) -> Option<&str> {
        self.client.secret.as_deref()
    }

    /// The first redirect URI of the first client.
    pub fn redirect_uri(&self) -> &str {
        self.client.redirect_uris.first().map_or("", String::as_str)
    }

    /// What goes wrong.
    pub fn faults(&self) -> &FaultPlan {
        &self.server.faults
    }

    /// Every request so far, oldest first. Their bodies carry credentials, which `Debug` leaves out.
    pub fn requests(&self) -> Vec<Recorded> {
        self.server.journal.all()
    }

    /// How many requests reached an operation, refused and dropped ones included; `"*"` counts all.
    pub fn count(&self, operation: &str) -> usize {
        self.server.journal.count(operation)
    }

    /// Waits until an operation was requested this often, so that a test needs no sleep.
    ///
    /// It waits for ever if that never happens: wrap it in `tokio::time::timeout`.
    pub async fn wait_for(&self, operation: &str, count: usize) {
        self.server.journal.wait_for(operation, count).await;
    }

    /// Registers a further client; without a secret it is public.
    pub fn add_client(&self, id: &str, secret: Option<&str>, redirect_uri: &str) {
        let client = Client {
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uris: vec![redirect_uri.to_owned()],
        };
        self.provider.state.with(|state| state.clients.push(client));
    }

    /// Registers a further redirect URI of the first client, for a receiver that was bound after the fake.
    pub fn add_redirect_uri(&self, uri: &str) {
        self.provider.state.with(|state| {
            state.clients.iter_mut().take(1).for_each(|client| client.redirect_uris.push(uri.to_owned()));
        });
    }

    /// Plays the browser: follows the login to the URL that it would be redirected to.
    ///
    /// Nothing goes over the network, so it is neither recorded nor subject to faults; a `GET` of the URL is both.
    ///
    /// # Errors
    /// `InvalidInput` when the URL is not this server's authorization endpoint, and when it answers with a page
    /// instead of a redirect: an unknown client, or a redirect URI that is not registered.
    pub fn authorize(&self, url: &str) -> io::Result<String> {
        let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
        let target = url.strip_prefix(self.url()).unwrap_or_default();
        let uri: Uri = target.parse().map_err(|_| invalid(format!("no login at {}", self.url())))?;
        if uri.path() != "/authorize" {
            return Err(invalid(format!("the login is at {}/authorize", self.url())));
        }
        let request = Received {
            method: Method::GET,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let login = self.provider.log_in(&request, self.provider.clock.now());
        login.map_err(|failure| invalid(format!("the browser shows a page: {}", failure.words().1)))
    }

    /// Whether the person says yes to logins from now on; yes by default.
    pub fn set_consent(&self, consents: bool) {
        self.provider.state.with(|state| state.consents = consents);
    }

    /// Says yes to a device login; whether one waits under this user code.
    pub fn approve(&self, user_code: &str) -> bool {
        self.decide(user_code, true)
    }

    /// Says no to a device login; whether one waits under this user code.
    pub fn deny(&self, user_code: &str) -> bool {
        self.decide(user_code, false)
    }

    fn decide(&self, user_code: &str, approves: bool) -> bool {
        let now = self.provider.clock.now();
        self.provider.state.with(|state| device::decide(state, user_code, approves, now))
    }

    /// Makes a grant without a login: an access token and a refresh token of a client, registered or not.
    pub fn issue(&self, client: &str, scopes: &[&str]) -> (String, String) {
        let issued = self.provider.issue(Family {
            client: client.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            person: true,
            user_scope: false,
            nonce: None,
            began_at: self.provider.clock.now(),
            revoked: false,
        });
        (issued.access_token, issued.refresh_token.unwrap_or_default())
    }

    /// Ends the login that a token of either kind comes from, as a person does who removes the app; whether the
    /// token is known.
    pub fn withdraw(&self, token: &str) -> bool {
        self.provider.state.with(|state| {
            let login = state.ledger.login_of(token);
            login.map(|login| state.ledger.revoke_family(login)).is_some()
        })
    }

    /// How many refresh grants were honoured, whether or not the answer arrived.
    pub fn refreshes(&self) -> usize {
        self.provider.state.with(|state| state.ledger.refreshes)
    }

    /// How often a refresh token was presented that had been replaced before, within a leeway too.
    pub fn reuses(&self) -> usize {
        self.provider.state.with(|state| state.ledger.reuses)
    }

    /// Whether an access token is neither expired nor revoked.
    pub fn is_alive(&self, access_token: &str) -> bool {
        let now = self.provider.clock.now();
        self.provider.state.with(|state| state.ledger.bearer(access_token, now).is_some())
    }

    /// Whether a refresh with this token would succeed now. Asking changes nothing.
    pub fn honours(&self, refresh_token: &str) -> bool {
        let now = self.provider.clock.now();
        self.provider.state.with(|state| state.ledger.honours(refresh_token, now, &self.provider.terms))
    }

    /// Everything that was handed out, oldest first.
    pub fn issued(&self) -> Vec<Issued> {
        self.provider.state.with(|state| state.ledger.issued.clone())
    }

    /// The claims of every assertion that was accepted, oldest first.
    pub fn assertions(&self) -> Vec<Value> {
        self.provider.state.with(|state| state.assertions.clone())
    }

    /// Makes the id tokens: the function gets the claims and gives a signed JWT, or a wrong one. Without it
    /// there are no id tokens; with it there is one whenever a person granted the scope `openid`.
    pub fn on_id_token(&self, sign: impl Fn(&Value) -> String + Send + Sync + 'static) {
        self.provider.state.with(|state| state.sign_id_token = Some(Arc::new(sign)));
    }

    /// The key set that `/jwks` serves from now on; an empty one by default.
    pub fn set_jwks(&self, keys: Value) {
        self.provider.state.with(|state| state.jwks = keys);
    }

    /// The person's document, which `/userinfo` serves and id tokens repeat: an object with `sub`.
    pub fn set_userinfo(&self, person: Value) {
        self.provider.state.with(|state| state.person = person);
    }

    /// Moves the fake's clock forward: tokens and codes expire.
    pub fn advance_clock(&self, by: Duration) {
        self.provider.clock.advance(by);
    }

    /// Puts the fake's clock so many seconds ahead of the true time, or behind it when negative; `Date`, expiry
    /// and the claims of id tokens follow.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.provider.clock.set_skew(seconds);
    }

    /// Ends the fake and waits until its port refuses connections; dropping it does not wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl fmt::Debug for FakeAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAuthorization").field("url", &self.url()).finish_non_exhaustive()
    }
}
