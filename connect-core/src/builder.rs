//! Building a client: every mistake in its settings is found here, and none later.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use tower::util::{BoxCloneSyncService, option_layer};
use tower::{Layer, Service, ServiceBuilder};

use crate::api::Api;
use crate::auth::{AuthLayer, Credentials};
use crate::breaker::{Breaker, BreakerLayer};
use crate::cache::{CacheLayer, CacheStore, MemoryCache};
use crate::classify::ClassifyLayer;
use crate::client::{Client, Erased, Shared, Stack};
use crate::config::Config;
use crate::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use crate::deprecation::Warned;
use crate::error::{Error, ErrorKind};
use crate::guard::BodyGuardLayer;
use crate::keys::Keys;
use crate::observe::{ObserveLayer, Observer};
use crate::origins::Origins;
use crate::quota::{AdmitLayer, QuotaModel, QuotaPilot};
use crate::redirect::RedirectLayer;
use crate::request::Request;
use crate::response::Response;
use crate::retry::{RetryBudget, RetryLayer};
use crate::transport::{Transport, TransportService};

/// Collects the settings of a [`Client`]; every mistake in them is an error of [`ClientBuilder::build`].
///
/// Provider crates wrap it with a builder that knows the provider's credentials.
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder<A> {
    origins: Result<Option<Origins>, Error>,
    credentials: Credentials,
    credentials_required: bool,
    base_url_required: bool,
    headers: HeaderMap,
    user_agent: &'static str,
    config: Config,
    transport: Option<Arc<dyn Transport>>,
    observer: Option<Arc<dyn Observer>>,
    breaker: Option<Breaker>,
    quota: Option<QuotaPilot>,
    quota_model: Option<Arc<dyn QuotaModel>>,
    cache: Option<CacheStorage>,
    retry_budget: Option<RetryBudget>,
    operation_layers: Vec<HostLayer>,
    attempt_layers: Vec<HostLayer>,
    api: PhantomData<fn() -> A>,
}

/// Where answers are kept.
enum CacheStorage {
    Memory(MemoryCache),
    Store(Arc<dyn CacheStore>),
}

/// A layer of the host's own, which takes a boxed service so that its type stays out of the client's.
type HostLayer = Box<dyn FnOnce(Stack) -> Stack + Send>;

fn host_layer<L>(layer: L) -> HostLayer
where
    L: Layer<Stack> + Send + 'static,
    L::Service: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    Box::new(move |inner| BoxCloneSyncService::new(layer.layer(inner)))
}

/// The finished stack, inside of the host's layers if there are any.
fn outside<S>(layers: Vec<HostLayer>, stack: S) -> Box<dyn Erased>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    if layers.is_empty() { Box::new(stack) } else { Box::new(wrap(layers, BoxCloneSyncService::new(stack))) }
}

/// Wraps the host's layers round a service, the first one outermost.
fn wrap(layers: Vec<HostLayer>, inner: Stack) -> Stack {
    layers.into_iter().rev().fold(inner, |inner, layer| layer(inner))
}

impl<A> Default for ClientBuilder<A> {
    fn default() -> Self {
        Self {
            origins: Ok(None),
            credentials: Credentials::Anonymous,
            credentials_required: false,
            base_url_required: false,
            headers: HeaderMap::new(),
            user_agent: concat!("connect-core/", env!("CARGO_PKG_VERSION")),
            config: Config::default(),
            transport: None,
            observer: None,
            breaker: None,
            quota: None,
            quota_model: None,
            cache: None,
            retry_budget: None,
            operation_layers: Vec::new(),
            attempt_layers: Vec::new(),
            api: PhantomData,
        }
    }
}

impl<A: Api> ClientBuilder<A> {
    /// Another address of the API; a path in it is kept (GitHub Enterprise's `/api/v3`). Plain `http` is accepted for
    /// loopback addresses only.
    pub fn base_url(mut self, url: &str) -> Self {
        self.origins = Origins::new(url).map(Some);
        self
    }

    /// All addresses of the provider's installation.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = Ok(Some(origins));
        self
    }

    /// Who the client is.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// For providers that offer nothing to strangers: building without credentials is an error.
    pub fn credentials_required(mut self) -> Self {
        self.credentials_required = true;
        self
    }

    /// For providers where every customer has an address of its own: building without one is an error.
    pub fn base_url_required(mut self) -> Self {
        self.base_url_required = true;
        self
    }

    /// A header for every request that does not set it itself.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The name and version a provider crate sends unless [`Config::user_agent`] is set.
    pub fn default_user_agent(mut self, name: &'static str) -> Self {
        self.user_agent = name;
        self
    }

    /// Limits and habits.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sends by this transport instead of the default one, which is reqwest, or hyper where only that is built in.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Hears what happens during operations: for metrics, logs and pages of a host.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Shares a breaker with other clients of the same host; without this, a client has its own.
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Shares the account's quotas with other clients of the same account, or admits by other rules than the provider's
    /// own model. Without this, a client counts for itself.
    pub fn quota(mut self, pilot: QuotaPilot) -> Self {
        self.quota = Some(pilot);
        self
    }

    /// Admits by this model instead of the provider's own, with the settings of [`Config::quota`](crate::Config); a
    /// [pilot](Self::quota) wins over it.
    pub fn quota_model(mut self, model: impl QuotaModel) -> Self {
        self.quota_model = Some(Arc::new(model));
        self
    }

    /// Keeps answers in memory and asks whether they are still good, which most providers do not count against the
    /// quota. Answers are kept by account; clones of one cache may serve clients of several.
    pub fn cache(mut self, memory: MemoryCache) -> Self {
        self.cache = Some(CacheStorage::Memory(memory));
        self
    }

    /// Keeps answers in a store of the host's.
    pub fn cache_store(mut self, store: Arc<dyn CacheStore>) -> Self {
        self.cache = Some(CacheStorage::Store(store));
        self
    }

    /// Shares a retry budget with other clients; without this, a client has its own.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = Some(budget);
        self
    }

    /// Puts a tower layer of the host's own outside of everything: it sees each operation once. The first one given is
    /// the outermost.
    pub fn operation_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Stack> + Send + 'static,
        L::Service: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.operation_layers.push(host_layer(layer));
        self
    }

    /// Puts a tower layer of the host's own inside of the retries: it sees each attempt, before the breaker does. The
    /// first one given is the outermost.
    pub fn attempt_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Stack> + Send + 'static,
        L::Service: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.attempt_layers.push(host_layer(layer));
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], saying which setting: unusable base URL, empty or malformed credential or user agent,
    /// zero time-out, TLS that cannot be set up, no transport in this build.
    pub fn build(self) -> Result<A::Handle, Error> {
        self.config.check()?;
        let origins = Arc::new(match self.origins? {
            Some(origins) => origins,
            None if self.base_url_required => {
                let message = format!("no base URL: give the builder your own, like {}", A::BASE_URL);
                return Err(Error::new(ErrorKind::Config, message));
            }
            None => Origins::new(A::BASE_URL)?,
        });
        if self.credentials_required && matches!(self.credentials, Credentials::Anonymous) {
            let message = format!("{} answers nobody without credentials: give the builder some", A::ID);
            return Err(Error::new(ErrorKind::Config, message));
        }
        let auth = AuthLayer::new(&self.credentials, Arc::clone(&origins))?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&self.config, &origins)?,
        };
        let mut headers = self.headers;
        let user_agent = self.config.user_agent.as_deref().unwrap_or(self.user_agent);
        let user_agent =
            HeaderValue::from_str(user_agent).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                Error::new(ErrorKind::Config, "`user_agent` is empty or has characters a header cannot carry")
            })?;
        headers.insert(USER_AGENT, user_agent);
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));

        let seed = self.config.seed.unwrap_or_else(draw_seed);
        let keys = Keys::new([seed, self.config.seed.map_or_else(draw_seed, |seed| seed.rotate_left(32))]);
        let breaker = self.breaker.unwrap_or_else(|| Breaker::new(self.config.breaker));
        let budget = self.retry_budget.unwrap_or_else(|| RetryBudget::new(self.config.retry_budget));
        let model = self.quota_model;
        let quota = self
            .quota
            .unwrap_or_else(|| QuotaPilot::of_model(model.unwrap_or_else(A::quota), self.config.quota));
        let cache = self.cache.map(|storage| {
            let account = self.credentials.account(&origins);
            match storage {
                CacheStorage::Memory(memory) => CacheLayer::new(account.as_str(), memory),
                CacheStorage::Store(store) => CacheLayer::with_store(account.as_str(), store),
            }
        });
        let attempt = ServiceBuilder::new()
            .layer(BreakerLayer::new(breaker.clone()))
            .layer(AdmitLayer::new(quota.clone()))
            .layer(auth)
            .layer(RedirectLayer::new(Arc::clone(&origins)))
            .layer(AttemptTimeoutLayer::new(self.config.attempt_timeout))
            .layer(ClassifyLayer::new(A::classify))
            .layer(
                BodyGuardLayer::new(self.config.body_limit_bytes, self.config.read_timeout)
                    .with_download_limit_bytes(self.config.download_limit_bytes),
            )
            .service(TransportService::new(transport));
        let operation = ServiceBuilder::new()
            .layer(ObserveLayer::new(A::ID))
            .layer(DeadlineLayer::new(self.config.deadline))
            .layer(option_layer(cache))
            .layer(RetryLayer::with_budget(self.config.retry, budget, seed));
        let client = Client::new(Shared {
            // Boxed once, at the outside; only a host's own layers cost another box each.
            stack: if self.attempt_layers.is_empty() {
                outside(self.operation_layers, operation.service(attempt))
            } else {
                let attempt = wrap(self.attempt_layers, BoxCloneSyncService::new(attempt));
                outside(self.operation_layers, operation.service(attempt))
            },
            origins,
            headers: Arc::new(headers),
            observer: self.observer,
            breaker,
            quota,
            keys,
            warned: Warned::default(),
        });
        Ok(client.into())
    }
}

impl<A> fmt::Debug for ClientBuilder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("origins", &self.origins)
            .field("credentials", &self.credentials)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The one place where randomness enters: std keys its hashers from the operating system's.
pub(crate) fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(feature = "transport-reqwest")]
fn default_transport(config: &Config, origins: &Origins) -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(crate::transport::ReqwestTransport::new(config, origins)?))
}

#[cfg(all(feature = "transport-hyper", not(feature = "transport-reqwest")))]
fn default_transport(config: &Config, origins: &Origins) -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(crate::transport::HyperTransport::new(config, origins)?))
}

#[cfg(not(any(feature = "transport-reqwest", feature = "transport-hyper")))]
fn default_transport(_config: &Config, _origins: &Origins) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::new(
        ErrorKind::Config,
        "this build has no transport: enable the feature `transport-reqwest`, or give the builder one",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ() {
        assert_ne!(draw_seed(), draw_seed());
    }
}
