//! A client: one provider's origins, one credential, one stack. Cheap to clone, all clones share their state.
//!
//! Provider crates wrap it in a newtype with `Deref`, so that they can add methods of their own. Building needs no
//! runtime and starts no task; sending needs tokio's timer.

use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use http::{HeaderMap, StatusCode};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::api::{Api, Verdict};
use crate::breaker::{Breaker, BreakerState};
use crate::builder::ClientBuilder;
use crate::call::Call;
use crate::context::Context;
use crate::deprecation::{Deprecation, Warned};
use crate::download::DownloadCall;
use crate::endpoint::{Endpoint, Paged, Upload};
use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::event::Event;
use crate::keys::Keys;
use crate::observe::{Observer, Scope};
use crate::operation::Safety;
use crate::origins::Origins;
use crate::page::{Items, Pages};
use crate::progress::Progress;
use crate::quota::QuotaPilot;
use crate::refusal::refusal;
use crate::request::Request;
use crate::response::Response;
use crate::retry::{Outcome, Stop};
use crate::upload::{Content, Uploading};

/// A whole stack, or a part of it, whose type is hidden: what a host's own layers wrap.
pub type Stack = BoxCloneSyncService<Request, Response, Error>;

/// The stack as a client keeps it.
///
/// [`Stack`] boxes a clone of the service for every call, because tower's services are called through `&mut`; this takes
/// the clone on the way and boxes only the future.
pub(crate) trait Erased: Send + Sync {
    fn call(&self, request: Request) -> StackFuture;
}

type StackFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

impl<S> Erased for S
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn call(&self, request: Request) -> StackFuture {
        let mut service = self.clone();
        // Nothing in this family waits to be ready, so as a rule only the call itself goes into the box.
        match service.poll_ready(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Box::pin(Service::call(&mut service, request)),
            Poll::Ready(Err(error)) => Box::pin(ready(Err(error))),
            Poll::Pending => Box::pin(service.oneshot(request)),
        }
    }
}

/// Sends endpoints of one provider.
///
/// The crate's front page shows it at work.
pub struct Client<A> {
    shared: Arc<Shared>,
    api: PhantomData<fn() -> A>,
}

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) stack: Box<dyn Erased>,
    pub(crate) origins: Arc<Origins>,
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) breaker: Breaker,
    pub(crate) quota: QuotaPilot,
    pub(crate) keys: Keys,
    pub(crate) warned: Warned,
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

    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), api: PhantomData }
    }

    /// Sends an endpoint. Nothing happens until the call is awaited; before that it takes options.
    pub fn send<E: Endpoint<Api = A>>(&self, endpoint: E) -> Call<E> {
        Call::new(self.clone(), endpoint)
    }

    /// Sends an endpoint and hands over what it answers as it comes, without keeping it in memory.
    pub fn download<E: Endpoint<Api = A>>(&self, endpoint: E) -> DownloadCall<E> {
        DownloadCall::new(self.send(endpoint))
    }

    /// Sends an endpoint with a body of the caller's: bytes, a file, a stream, a form. A body that can be sent only once is
    /// sent once.
    pub fn upload<E: Upload<Api = A>>(&self, endpoint: E, content: impl Into<Content>) -> Call<Uploading<E>> {
        self.send(Uploading::new(endpoint, content.into()))
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

    /// What is left of the account's quotas, and who waits for them.
    pub fn quota(&self) -> &QuotaPilot {
        &self.shared.quota
    }

    /// Is the provider left alone because it only failed?
    pub fn breaker(&self) -> BreakerState {
        self.shared.breaker.state()
    }

    pub(crate) fn place(&self, mut request: Request, context: Context) -> Result<Request, Error> {
        *request.context_mut() = context;
        self.place_traced(request, false)
    }

    /// Puts a request on its origin, gives it its idempotency key, and tells its progress who listens.
    pub(crate) fn place_traced(&self, mut request: Request, traced: bool) -> Result<Request, Error> {
        let shared = &*self.shared;
        if traced || shared.observer.is_some() {
            let scope = Scope::new(A::ID, request.operation().name.clone());
            let progress = Progress::watched(scope, shared.observer.clone(), traced);
            request.context_mut().set_progress(Arc::new(progress));
        }
        if request.operation().safety == Safety::Keyed
            && let Some(header) = A::IDEMPOTENCY_HEADER
        {
            request.set_idempotency_key(header, || shared.keys.next())?;
        }
        let operation = request.operation().name.clone();
        request
            .place(&shared.origins, &shared.headers)
            .map_err(|error| error.with_operation(A::ID, operation))
    }

    /// Not generic over endpoints: compiled once per provider. A request that was placed already is sent as it is. A
    /// failure is told here; of a success, whoever reads the answer [says](conclude) whether it could be read.
    pub(crate) async fn execute(&self, request: Request) -> Result<Response, Error> {
        let operation = request.operation().name.clone();
        let safety = request.safety();
        let progress = Arc::clone(request.context().progress());
        let result = self.shared.stack.call(request).await;
        if let Ok(response) = &result
            && let Some(deprecation) = Deprecation::of(response.headers())
        {
            let Deprecation { since, sunset, .. } = deprecation;
            progress.note(|| Event::Deprecated { since, sunset });
            self.shared.warned.warn(A::ID, &operation, &deprecation);
        }
        let outcome = Outcome::of(&result);
        let (failed, status) = match result {
            Ok(response) if response.verdict() == Some(Verdict::Success) => return Ok(response),
            Ok(response) => (refusal::<A>(&response), Some(response.status())),
            Err(error) => {
                let status = error.status();
                (error, status)
            }
        };
        let sent = if progress.is_unsettled() { Sent::Maybe } else { failed.sent() };
        let advice = match outcome.advice(safety) {
            // Whatever the last answer was: an earlier attempt, or the unread part of this one, may have been applied.
            _ if sent == Sent::Maybe && matches!(safety, Safety::Unsafe | Safety::Keyed) => {
                RetryAdvice::CheckFirst
            }
            // What a layer of ours says about its own refusal (an open breaker, a closed quota) stands.
            RetryAdvice::Never => failed.retry(),
            advice => advice,
        };
        let error = failed
            .with_operation(A::ID, operation)
            .with_attempts(progress.attempts())
            .with_sent(sent)
            .with_retry(advice)
            .with_stop(progress.stop());
        conclude(&progress, status, Some(&error));
        Err(error)
    }
}

/// Tells the end of an operation: once, when it is known whether its answer could be read.
pub(crate) fn conclude(progress: &Progress, status: Option<StatusCode>, failure: Option<&Error>) {
    if let Some(error) = failure {
        report(error);
    }
    progress.note(|| Event::Ended {
        failure: failure.map(Error::kind),
        status,
        attempts: progress.attempts(),
        sent: failure.map_or(Sent::Yes, Error::sent),
        took: progress.elapsed(),
    });
}

/// One event per failed call. Loud only where somebody should look: a refusal such as "not found" is an ordinary answer.
fn report(error: &Error) {
    let (service, operation, kind) = (error.service(), error.operation(), error.kind());
    let status = error.status().map(|status| status.as_u16());
    let (attempts, sent, stop) = (error.attempts(), error.sent(), error.stop());
    let why = if stop == Stop::Final { None } else { Some(stop.explanation()) };
    if sent == Sent::Maybe || matches!(kind, ErrorKind::Auth | ErrorKind::Config) {
        tracing::warn!(service, operation, kind = kind.name(), status, attempts, ?sent, why, "call failed");
    } else {
        tracing::debug!(service, operation, kind = kind.name(), status, attempts, ?sent, why, "call failed");
    }
}
