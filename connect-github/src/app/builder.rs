//! Building an App: every mistake in its settings is found here, and none later.

use std::fmt;
use std::sync::Arc;

use connect_core::clock::{Skew, SystemClock, WallClock};
use connect_core::observe::Observer;
use connect_core::quota::QuotaPilot;
use connect_core::transport::ReqwestTransport;
use connect_core::{Config, Error, ErrorKind, Secret, TokenCache, Transport};
use connect_oauth::jwt::{Algorithm, RsaKey, Signer};

use super::jwt::{self, Clock};
use super::registry::Registry;
use super::tokens::Exchange;
use super::{App, AppId, Shared};
use crate::{GitHub, GitHubBuilder};

/// Collects the settings of an [`App`]; all its clients have them.
///
/// ```
/// # fn example(kms: impl connect_github::app::Signer) -> Result<(), connect_github::Error> {
/// use connect_github::app::App;
/// let app = App::builder("Iv1.example").signer(kms).host("git.example.com").build()?;
/// # drop(app); Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct AppBuilder {
    id: AppId,
    signer: Option<Result<Arc<dyn Signer>, Error>>,
    base_url: Option<Result<String, Error>>,
    api_version: Option<String>,
    config: Config,
    transport: Option<Arc<dyn Transport>>,
    observer: Option<Arc<dyn Observer>>,
    clock: Arc<dyn WallClock>,
    change: Option<Change>,
}

/// What the host changes about each client.
type Change = Box<dyn Fn(GitHubBuilder) -> GitHubBuilder + Send + Sync>;

impl AppBuilder {
    pub(super) fn new(id: AppId) -> Self {
        Self {
            id,
            signer: None,
            base_url: None,
            api_version: None,
            config: Config::default(),
            transport: None,
            observer: None,
            clock: Arc::new(SystemClock),
            change: None,
        }
    }

    /// The private key as GitHub's settings page gives it: PEM (PKCS#1), or PKCS#8, or either of them on one line with `\n`
    /// written out, or base64 of the file. RSA with 2048 to 4096 bits.
    pub fn private_key(self, key: impl Into<Secret>) -> Self {
        self.private_key_from("the private key", &key.into())
    }

    /// The same, out of this place.
    pub(super) fn private_key_from(mut self, place: &str, key: &Secret) -> Self {
        let key = RsaKey::new(key).map(|key| Arc::new(key) as Arc<dyn Signer>);
        self.signer = Some(key.map_err(|error| {
            let message = format!(
                "App {}, {place}: {}. GitHub gives RSA keys on the App's settings page, under \"Private keys\"",
                self.id,
                error.message()
            );
            error.with_message(message)
        }));
        self
    }

    /// Signs elsewhere, in a key management service for example. It must sign [`Algorithm::Rs256`].
    pub fn signer(mut self, signer: impl Signer) -> Self {
        self.signer = Some(Ok(Arc::new(signer)));
        self
    }

    /// Another GitHub, by the host where people log in: `git.example.com`, `octo.ghe.com`.
    pub fn host(mut self, host: &str) -> Self {
        self.base_url = Some(crate::host::api_url(host));
        self
    }

    /// Another GitHub, by the base URL of its API: `https://git.example.com/api/v3`.
    pub fn base_url(mut self, url: &str) -> Self {
        self.base_url = Some(Ok(url.to_owned()));
        self
    }

    /// Another version of the API; see [`GitHubBuilder::api_version`].
    pub fn api_version(mut self, version: &str) -> Self {
        self.api_version = Some(version.to_owned());
        self
    }

    /// Limits and habits, of each client.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sends by this transport instead of reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Hears what happens in all clients.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Everything else that a client's builder takes, for each client of the App: pacing, a cache, layers of the host's own.
    /// Whom the client speaks for is not to be changed here.
    pub fn clients(
        mut self,
        change: impl Fn(GitHubBuilder) -> GitHubBuilder + Send + Sync + 'static,
    ) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Another clock than the operating system's, for the times in what the App signs.
    pub fn clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The App. Nothing is signed or sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], saying which setting cannot work: an empty id, no key, something else than an RSA private
    /// key (which is named: OpenSSH, encrypted, public, a certificate, EC), a signer of another algorithm, an unusable
    /// base URL.
    pub fn build(self) -> Result<App, Error> {
        let refuse = |message: String| Err(Error::new(ErrorKind::Config, message));
        let id = self.id;
        if id.as_str().is_empty() {
            return refuse("the App's id is empty: take the client ID from its settings page".to_owned());
        }
        let Some(signer) = self.signer.transpose()? else {
            return refuse(format!("App {id} has no private key: give the builder one, or a signer"));
        };
        if signer.algorithm() != Algorithm::Rs256 {
            let algorithm = signer.algorithm();
            return refuse(format!("App {id} has a signer for {algorithm}: GitHub takes RS256 only"));
        }
        let mut wire = Wire {
            base_url: self.base_url.transpose()?,
            api_version: self.api_version,
            config: self.config,
            transport: self.transport,
            observer: self.observer,
            change: self.change,
        };
        wire.connect()?;
        let clock = Clock { ours: self.clock, skew: Skew::default() };
        let client = wire.client(jwt::tokens(id.clone(), signer, &clock), None)?;
        let exchange = Exchange { app: id, client, clock };
        Ok(App::from(Shared { exchange, wire, registry: Registry::default() }))
    }
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What all clients of an App have in common.
pub(super) struct Wire {
    base_url: Option<String>,
    api_version: Option<String>,
    config: Config,
    transport: Option<Arc<dyn Transport>>,
    observer: Option<Arc<dyn Observer>>,
    change: Option<Change>,
}

impl Wire {
    /// Sets the connections up that all clients share: one pool, however many installations there are.
    fn connect(&mut self) -> Result<(), Error> {
        if self.transport.is_none() {
            let origins = self.builder().origins()?;
            self.transport = Some(Arc::new(ReqwestTransport::new(&self.config, &origins)?));
        }
        Ok(())
    }

    fn builder(&self) -> GitHubBuilder {
        let mut builder = GitHub::builder().config(self.config.clone());
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        if let Some(version) = &self.api_version {
            builder = builder.api_version(version);
        }
        match &self.change {
            Some(change) => change(builder),
            None => builder,
        }
    }

    /// A client with these tokens, and with a share in these limits.
    pub(super) fn client(&self, tokens: TokenCache, quota: Option<QuotaPilot>) -> Result<GitHub, Error> {
        let mut builder = self.builder().tokens(tokens);
        if let Some(transport) = &self.transport {
            builder = builder.transport(Arc::clone(transport));
        }
        if let Some(observer) = &self.observer {
            builder = builder.observer(vec![Arc::clone(observer)]);
        }
        if let Some(quota) = quota {
            builder = builder.quota(quota);
        }
        builder.build()
    }
}
