//! The settings of a fake authorization server before it starts.
//!
//! By default it has one confidential client with obviously fake credentials, rotates refresh tokens with reuse
//! detection, answers in the standard's shape, gives access tokens of an hour, and uses the machine's clock.
//! Not for what changes while it runs: see `FakeAuthorization` for consent, clients, the person and the clock.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::endpoints::Authorization;
use super::habits::{Rotation, Shape, Terms};
use super::ledger::Ledger;
use super::login::Demands;
use super::state::State;
use super::{FakeAuthorization, openid};
use crate::clock::Clock;
use crate::server::Loopback;
use crate::shared::Shared;
use crate::unique;

/// Settings of a [`FakeAuthorization`]; see its example.
pub struct FakeAuthorizationBuilder {
    client: Client,
    issuer: Option<String>,
    shape: Shape,
    terms: Terms,
    demands: Demands,
    start: Option<u64>,
    skew: i64,
}

impl Default for FakeAuthorizationBuilder {
    fn default() -> Self {
        let number = unique::number();
        Self {
            client: Client {
                id: format!("fake-client-{number}"),
                secret: Some(format!("fake-client-secret-{number}")),
                redirect_uris: vec!["https://host.testkit.example/callback".to_owned()],
            },
            issuer: None,
            shape: Shape::default(),
            terms: Terms {
                rotation: Rotation::default(),
                expires_in: 3600,
                says_expires_in: true,
                refresh_lifetime: None,
                offline_scope: None,
            },
            demands: Demands { pkce: false, any_loopback_port: false },
            start: None,
            skew: 0,
        }
    }
}

impl FakeAuthorizationBuilder {
    /// The client's id; by default an obviously fake one, unique in the process.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client.id = id.into();
        self
    }

    /// The client's secret; by default an obviously fake one, unique in the process.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client.secret = Some(secret.into());
        self
    }

    /// The client has no secret, as a program on somebody's machine.
    pub fn public_client(mut self) -> Self {
        self.client.secret = None;
        self
    }

    /// The one redirect URI of the client; `https://host.testkit.example/callback` by default.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.client.redirect_uris = vec![uri.into()];
        self
    }

    /// A redirect to this machine may have any port, as RFC 8252 7.3 asks for; by default all of it must match.
    pub fn any_loopback_port(mut self) -> Self {
        self.demands.any_loopback_port = true;
        self
    }

    /// A login without PKCE is refused; by default PKCE is checked if it is there.
    pub fn require_pkce(mut self) -> Self {
        self.demands.pkce = true;
        self
    }

    /// What becomes of a used refresh token; [`Rotation::ReuseDetected`] by default.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.terms.rotation = rotation;
        self
    }

    /// How answers look; [`Shape::Standard`] by default.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// How long an access token lives, in whole seconds; an hour by default.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.terms.expires_in = lifetime.as_secs();
        self
    }

    /// Answers do not say how long an access token lives; it ends all the same.
    pub fn without_expires_in(mut self) -> Self {
        self.terms.says_expires_in = false;
        self
    }

    /// How long a refresh token lives that nobody uses, in whole seconds; for ever by default.
    pub fn refresh_expires_in(mut self, lifetime: Duration) -> Self {
        self.terms.refresh_lifetime = Some(lifetime.as_secs());
        self
    }

    /// The scope without which a login gives no refresh token, such as `offline_access`; none by default.
    pub fn offline_scope(mut self, scope: impl Into<String>) -> Self {
        self.terms.offline_scope = Some(scope.into());
        self
    }

    /// What the server calls itself in `iss`; its own URL by default, and something else is a mix-up.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Starts the clock at this moment, where it stands still until
    /// [`advance_clock`](FakeAuthorization::advance_clock); by default it is the machine's clock.
    pub fn start_time(mut self, unix_seconds: u64) -> Self {
        self.start = Some(unix_seconds);
        self
    }

    /// The server's clock is ahead of the true one by so many seconds, or behind it when negative; see
    /// [`set_clock_skew`](FakeAuthorization::set_clock_skew).
    pub fn clock_skew(mut self, seconds: i64) -> Self {
        self.skew = seconds;
        self
    }

    /// Binds a free port on 127.0.0.1 and starts to serve.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<FakeAuthorization> {
        let make = |address: SocketAddr| {
            let origin = format!("http://{address}");
            let clock = Clock::new(self.start);
            clock.set_skew(self.skew);
            Arc::new(Authorization {
                issuer: self.issuer.unwrap_or_else(|| origin.clone()),
                token_url: format!("{origin}/token"),
                origin,
                shape: self.shape,
                terms: self.terms,
                demands: self.demands,
                clock,
                state: Shared::new(State {
                    clients: vec![self.client.clone()],
                    ledger: Ledger::default(),
                    codes: Vec::new(),
                    devices: Vec::new(),
                    assertions: Vec::new(),
                    consents: true,
                    person: openid::person(),
                    jwks: json!({ "keys": [] }),
                    sign_id_token: None,
                }),
            })
        };
        let (server, provider) = Loopback::start(make).await?;
        Ok(FakeAuthorization { server, provider, client: self.client })
    }
}

impl fmt::Debug for FakeAuthorizationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAuthorizationBuilder")
            .field("shape", &self.shape)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
