//! A GitHub App: who it is, where it is installed, and the tokens of its installations.
//!
//! Its requests carry a JWT that it has signed itself, which is checked in full: algorithm, signature (with this crate's
//! own arithmetic), issuer, and both times by the fake's clock. By default there is no App; one that is added is
//! installed nowhere, its tokens live an hour and are accepted at once.
//! Not modelled: permissions and repositories restrict what a token may ask for when it is made, and nothing afterwards.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::FakeGitHub;
use super::answer::Failure;
use super::links::Links;
use super::shape;
use crate::clock::iso_8601;
use crate::rsa::PublicKey;

/// What GitHub accepts as the life of a JWT, from `iat` on.
const LONGEST_JWT: u64 = 600;

/// A GitHub App that the fake knows.
///
/// ```
/// # async fn example(public_key: &str) -> std::io::Result<()> {
/// use connect_testkit::FakeGitHub;
/// use connect_testkit::github::FakeApp;
/// let app = FakeApp::new("Iv1.fake", 4242, public_key).permission("issues", "write");
/// let github = FakeGitHub::builder().app(app).start().await?;
/// let installation = github.install_app("octo", ["hello"]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FakeApp {
    client_id: String,
    pub(super) id: u64,
    pub(super) slug: String,
    key: Option<PublicKey>,
    pub(super) permissions: Map<String, Value>,
}

impl FakeApp {
    /// An App with this client id and app id; `public_key` is PEM, the other half of the key that it signs with. One that
    /// cannot be read verifies nothing.
    pub fn new(client_id: impl Into<String>, id: u64, public_key: &str) -> Self {
        Self {
            client_id: client_id.into(),
            id,
            slug: "testkit-app".to_owned(),
            key: PublicKey::from_pem(public_key),
            permissions: Map::from_iter([("metadata".to_owned(), "read".into())]),
        }
    }

    /// The name in its links, and of its bot; `testkit-app` by default.
    pub fn slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = slug.into();
        self
    }

    /// Grants a permission to every installation, such as `issues`, `write`; by default they have `metadata`, `read`.
    pub fn permission(mut self, name: impl Into<String>, access: &str) -> Self {
        self.permissions.insert(name.into(), access.into());
        self
    }

    pub(super) fn json(&self, links: &Links) -> Value {
        json!({
            "id": self.id,
            "client_id": self.client_id,
            "slug": self.slug,
            "node_id": format!("A_{}", self.id),
            "owner": shape::user(links, "testkit-owner"),
            "name": "Testkit App",
            "description": null,
            "external_url": "https://app.testkit.example",
            "html_url": format!("{}/apps/{}", links.html, self.slug),
            "created_at": iso_8601(shape::LONG_AGO),
            "updated_at": iso_8601(shape::LONG_AGO),
            "permissions": self.permissions,
            "events": [],
        })
    }
}

impl FakeGitHub {
    /// Installs the App on an account, for these of its repositories, and returns the installation's id.
    pub fn install_app<S: Into<String>>(
        &self,
        account: &str,
        repositories: impl IntoIterator<Item = S>,
    ) -> u64 {
        let repositories: Vec<String> = repositories.into_iter().map(Into::into).collect();
        self.provider.state.with(|state| {
            for name in &repositories {
                state.repository_or_new(account, name);
            }
            state.apps.install(account, repositories)
        })
    }

    /// Removes an installation and its tokens; whether there was one.
    pub fn uninstall_app(&self, installation: u64) -> bool {
        self.provider.state.with(|state| state.apps.uninstall(installation))
    }

    /// Suspends an installation and revokes its tokens; whether there was one.
    pub fn suspend_app(&self, installation: u64) -> bool {
        let now = self.provider.clock.now();
        self.provider.state.with(|state| state.apps.suspend(installation, now))
    }

    /// Refuses each installation token that is made from now on for its first uses, as GitHub does for seconds.
    pub fn settle_installation_tokens(&self, uses: usize) {
        self.provider.state.with(|state| state.apps.settle(uses));
    }

    /// Revokes all installation tokens before their time.
    pub fn revoke_installation_tokens(&self) {
        self.provider.state.with(|state| state.apps.revoke_tokens());
    }
}

/// Where an App is installed.
pub(super) struct Installation {
    pub(super) id: u64,
    pub(super) account: String,
    pub(super) repositories: Vec<String>,
    pub(super) suspended_at: Option<u64>,
}

/// A token of an installation.
pub(super) struct IssuedToken {
    pub(super) token: String,
    pub(super) installation: u64,
    pub(super) repositories: Vec<String>,
    pub(super) expires_at: u64,
    /// How often it is still refused although it is good.
    pub(super) refusals_left: usize,
}

/// Who a request speaks for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Speaker {
    Nobody,
    /// The fake's one token.
    User,
    /// The App itself, by JWT.
    App,
    /// An installation, by a token of its own.
    Installation(u64),
}

/// The App of a fake, if it has one.
#[derive(Default)]
pub(crate) struct Apps {
    pub(super) app: Option<FakeApp>,
    pub(super) installations: Vec<Installation>,
    pub(super) tokens: Vec<IssuedToken>,
    pub(super) next_installation: u64,
    pub(super) settling_uses: usize,
    /// Signatures that were checked and are good: a client shows one token many times, and the arithmetic is slow.
    verified: HashSet<String>,
}

impl Apps {
    pub(crate) fn of(app: Option<FakeApp>) -> Self {
        Self { app, next_installation: 1, ..Self::default() }
    }

    pub(crate) fn install(&mut self, account: &str, repositories: Vec<String>) -> u64 {
        let id = self.next_installation;
        self.next_installation += 1;
        self.installations.push(Installation {
            id,
            account: account.to_owned(),
            repositories,
            suspended_at: None,
        });
        id
    }

    /// The installation is gone, and its tokens with it; whether there was one.
    pub(crate) fn uninstall(&mut self, id: u64) -> bool {
        let before = self.installations.len();
        self.installations.retain(|installation| installation.id != id);
        self.tokens.retain(|token| token.installation != id);
        self.installations.len() < before
    }

    pub(crate) fn suspend(&mut self, id: u64, now: u64) -> bool {
        self.tokens.retain(|token| token.installation != id);
        let found = self.installations.iter_mut().find(|installation| installation.id == id);
        found.map(|installation| installation.suspended_at = Some(now)).is_some()
    }

    pub(crate) fn settle(&mut self, uses: usize) {
        self.settling_uses = uses;
    }

    pub(crate) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Whose credential it is; `None` for one that nobody has.
    pub(crate) fn speaker(&mut self, credential: &str, now: u64) -> Option<Speaker> {
        if self.app.is_some() && credential.split('.').count() == 3 {
            return self.check(credential, now).is_ok().then_some(Speaker::App);
        }
        let token = self.tokens.iter().find(|token| token.token == credential && token.expires_at > now)?;
        (token.refusals_left == 0).then_some(Speaker::Installation(token.installation))
    }

    /// Whom limits count a request for: an App and its installations stay the same under a new token.
    pub(crate) fn account(&mut self, credential: &str, now: u64) -> String {
        match self.speaker(credential, now) {
            Some(Speaker::App) => "the App".to_owned(),
            Some(Speaker::Installation(id)) => format!("installation {id}"),
            _ => credential.to_owned(),
        }
    }

    /// Why this credential is refused, in GitHub's words; a token that settles is a step nearer.
    pub(crate) fn refuse(&mut self, credential: &str, now: u64) -> Failure {
        let issued = self.tokens.iter_mut().find(|token| token.token == credential);
        if let Some(token) = issued {
            token.refusals_left = token.refusals_left.saturating_sub(1);
            return Failure::bad_credentials();
        }
        match self.app.is_some() && credential.split('.').count() == 3 {
            true => self.check(credential, now).err().unwrap_or_else(Failure::bad_credentials),
            false => Failure::bad_credentials(),
        }
    }

    fn check(&mut self, jwt: &str, now: u64) -> Result<(), Failure> {
        let unauthorized = |why: &str| Failure::new(StatusCode::UNAUTHORIZED, why);
        let undecodable = || unauthorized("A JSON web token could not be decoded");
        let app = self.app.as_ref().ok_or_else(undecodable)?;
        let (input, signature) = jwt.rsplit_once('.').ok_or_else(undecodable)?;
        let (header, claims) = input.split_once('.').ok_or_else(undecodable)?;
        let header = object(header).ok_or_else(undecodable)?;
        let claims = object(claims).ok_or_else(undecodable)?;
        if header["alg"] != "RS256" {
            return Err(undecodable());
        }
        let issuer = match &claims["iss"] {
            Value::String(issuer) => issuer.clone(),
            Value::Number(issuer) => issuer.to_string(),
            _ => return Err(undecodable()),
        };
        if issuer != app.client_id && issuer != app.id.to_string() {
            return Err(Failure::new(StatusCode::NOT_FOUND, "Integration not found"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| undecodable())?;
        if !self.verified.contains(jwt) {
            if !app.key.as_ref().is_some_and(|key| key.verifies(input.as_bytes(), &signature)) {
                return Err(undecodable());
            }
            self.verified.insert(jwt.to_owned());
        }
        match (claims["iat"].as_u64(), claims["exp"].as_u64()) {
            (Some(issued), _) if issued > now => Err(unauthorized(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            )),
            (Some(_), Some(expires)) if expires <= now => Err(unauthorized(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the \
                 assertion expires",
            )),
            (Some(issued), Some(expires))
                if expires > now + LONGEST_JWT || expires > issued + LONGEST_JWT =>
            {
                Err(unauthorized("'Expiration time' claim ('exp') is too far in the future"))
            }
            (Some(_), Some(_)) => Ok(()),
            _ => Err(undecodable()),
        }
    }
}

fn object(segment: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()?;
    value.is_object().then_some(value)
}
