//! A client: one provider's origins, one credential, one stack. Cheap to clone, all clones share their state.
//!
//! Provider crates wrap it in a newtype with `Deref`, so that they can add methods of their own. Building needs no
//! runtime and starts no task; sending needs tokio's timer.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt};

use crate::api::{Api, Problem, Verdict};
use crate::auth::{AuthLayer, Credentials};
use crate::call::Call;
use crate::classify::{ClassifyLayer, sent};
use crate::config::Config;
use crate::context::Context;
use crate::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use crate::endpoint::{Endpoint, Paged};
use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::observe::ObserveLayer;
use crate::operation::Safety;
use crate::origins::Origins;
use crate::page::{Items, Pages};
use crate::request::Request;
use crate::response::Response;
use crate::retry::{Outcome, RetryLayer};
use crate::transport::{Transport, TransportService};

/// The whole stack, boxed once.
pub type Stack = BoxCloneSyncService<Request, Response, Error>;

/// Sends endpoints of one provider.
///
/// The crate's front page shows it at work.
pub struct Client<A> {
    shared: Arc<Shared>,
    api: PhantomData<fn() -> A>,
}

struct Shared {
    stack: Stack,
    origins: Arc<Origins>,
    headers: Arc<HeaderMap>,
}

impl<A> Clone for Client<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), api: PhantomData }
    }
}

impl<A: Api> fmt::Debug for Client<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &A::ID)
            .field("origins", &self.shared.origins)
            .finish_non_exhaustive()
    }
}

impl<A: Api> Client<A> {
    /// Starts building a client for the provider's public API, anonymous until it gets credentials.
    pub fn builder() -> ClientBuilder<A> {
        ClientBuilder::default()
    }

    /// Sends an endpoint. Nothing happens until the call is awaited; before that it takes options.
    pub fn send<E: Endpoint<Api = A>>(&self, endpoint: E) -> Call<E> {
        Call::new(self.clone(), endpoint)
    }

    /// The items of a list, page after page, as a [`Stream`](futures_core::Stream).
    pub fn stream<E: Paged<Api = A>>(&self, endpoint: E) -> Items<E> {
        Items::new(self.pages(endpoint))
    }

    /// The pages of a list, as a [`Stream`](futures_core::Stream).
    pub fn pages<E: Paged<Api = A>>(&self, endpoint: E) -> Pages<E> {
        Pages::new(self.clone(), endpoint)
    }

    /// The addresses this client talks to.
    pub fn origins(&self) -> &Origins {
        &self.shared.origins
    }

    pub(crate) fn place(&self, request: Request, context: Context) -> Result<Request, Error> {
        self.shared
            .place(request, context)
            .map_err(|(error, operation)| error.with_operation(A::ID, operation))
    }

    /// Not generic over endpoints: compiled once per provider. A request that was placed already is sent as it is.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response, Error> {
        let operation = request.operation().name.clone();
        let safety = request.operation().safety;
        let progress = Arc::clone(request.context().progress());
        let result = self.shared.stack.clone().oneshot(request).await;
        let outcome = Outcome::of(&result);
        let error = match result {
            Ok(response) if response.verdict() == Some(Verdict::Success) => return Ok(response),
            Ok(response) => refusal::<A>(&response),
            Err(error) => error,
        };
        let sent = if progress.is_unsettled() { Sent::Maybe } else { error.sent() };
        let advice = match outcome.advice(safety) {
            // Whatever the last answer was: an earlier attempt, or the unread part of this one, may have been applied.
            _ if sent == Sent::Maybe && matches!(safety, Safety::Unsafe | Safety::Keyed) => {
                RetryAdvice::CheckFirst
            }
            advice => advice,
        };
        let error = error
            .with_operation(A::ID, operation)
            .with_attempts(progress.attempts())
            .with_sent(sent)
            .with_retry(advice);
        report(&error);
        Err(error)
    }
}

impl Shared {
    fn place(
        &self,
        request: Request,
        context: Context,
    ) -> Result<Request, (Error, std::borrow::Cow<'static, str>)> {
        let operation = request.operation().name.clone();
        request.place(&self.origins, &self.headers, context).map_err(|error| (error, operation))
    }
}

/// One event per failed call. Loud only where somebody should look: a refusal such as "not found" is an ordinary answer.
fn report(error: &Error) {
    let (service, operation, kind) = (error.service(), error.operation(), error.kind());
    let status = error.status().map(|status| status.as_u16());
    let (attempts, sent) = (error.attempts(), error.sent());
    if sent == Sent::Maybe || matches!(kind, ErrorKind::Auth | ErrorKind::Config) {
        tracing::warn!(service, operation, kind = kind.name(), status, attempts, ?sent, "call failed");
    } else {
        tracing::debug!(service, operation, kind = kind.name(), status, attempts, ?sent, "call failed");
    }
}

/// The provider's request id in an answer.
pub(crate) fn request_id<A: Api>(headers: &HeaderMap) -> Option<&str> {
    request_id_value::<A>(headers)?.to_str().ok()
}

/// The same as it stands in the headers.
pub(crate) fn request_id_value<A: Api>(headers: &HeaderMap) -> Option<&HeaderValue> {
    A::REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))
}

#[cold]
fn refusal<A: Api>(response: &Response) -> Error {
    let Problem { kind, message, details } = A::problem(response);
    let verdict = response.verdict();
    let kind = kind.unwrap_or_else(|| match verdict {
        Some(Verdict::RateLimited { .. }) => ErrorKind::RateLimited,
        Some(Verdict::Unauthenticated) => ErrorKind::Auth,
        Some(Verdict::Transient { .. }) => ErrorKind::Unavailable,
        _ => kind_of(response.status()),
    });
    let message = match message {
        Some(message) => std::borrow::Cow::Owned(one_line(&message)),
        None => match kind {
            ErrorKind::RateLimited => "the rate limit is used up".into(),
            ErrorKind::Auth => "the credentials are not accepted".into(),
            ErrorKind::Unavailable => "the provider failed".into(),
            _ if response.status().is_redirection() => "the provider redirects, which is not followed".into(),
            _ => "the provider refused the request".into(),
        },
    };
    Error::new(kind, message)
        .with_status(response.status())
        .with_request_id(request_id::<A>(response.headers()))
        .with_sent(sent(verdict))
        .with_boxed_details(details)
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Auth,
        403 | 451 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        400 | 405 | 406 | 413 | 414 | 415 | 422 => ErrorKind::Invalid,
        300..=399 => ErrorKind::Unsupported,
        _ => ErrorKind::Provider,
    }
}

/// A provider's words on one line of a log, and not more than a line's worth of them.
fn one_line(message: &str) -> String {
    const LONGEST_CHARS: usize = 300;
    let mut line: String = message
        .chars()
        .take(LONGEST_CHARS)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if message.chars().nth(LONGEST_CHARS).is_some() {
        line.push('…');
    }
    line
}

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
    api: PhantomData<fn() -> A>,
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

    /// Sends by this transport instead of reqwest.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
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
        let stack = ServiceBuilder::new()
            .layer(ObserveLayer::new(A::ID))
            .layer(DeadlineLayer::new(self.config.deadline))
            .layer(RetryLayer::new(self.config.retry, seed))
            .layer(auth)
            .layer(AttemptTimeoutLayer::new(self.config.attempt_timeout))
            .layer(ClassifyLayer::new(A::classify))
            .service(TransportService::new(transport));
        let client = Client {
            shared: Arc::new(Shared {
                stack: BoxCloneSyncService::new(stack),
                origins,
                headers: Arc::new(headers),
            }),
            api: PhantomData,
        };
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
fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(feature = "transport-reqwest")]
fn default_transport(config: &Config, origins: &Origins) -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(crate::transport::ReqwestTransport::new(config, origins)?))
}

#[cfg(not(feature = "transport-reqwest"))]
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
    fn a_providers_words_become_one_bounded_line() {
        assert_eq!(one_line("a\r\nb"), "a  b");
        assert_eq!(one_line(&"x".repeat(1_000)).chars().count(), 301);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(draw_seed(), draw_seed());
    }
}
