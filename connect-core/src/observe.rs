//! Outermost: one `tracing` span per operation. The client adds one event for a call that failed for good.
//!
//! The span is named `connect` and carries `service`, `operation` and the OpenTelemetry attributes
//! `http.request.method`, `http.response.status_code` and `http.request.resend_count`. Never the URL, the tenant or a
//! header: labels stay few, and nothing private reaches a log.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::Span;

use crate::error::Error;
use crate::event::Event;
use crate::progress::Progress;
use crate::request::Request;
use crate::response::Response;

/// Whose event it is. Few values on purpose: they become labels of metrics.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The provider: `github`.
    pub service: &'static str,
    /// The operation in the provider's spelling: `issues/create`.
    pub operation: Cow<'static, str>,
}

impl Scope {
    pub(crate) fn new(service: &'static str, operation: Cow<'static, str>) -> Self {
        Self { service, operation }
    }
}

/// Hears what happens during operations, on the task that sends them: be quick, and never block.
///
/// ```
/// use connect_core::event::Event;
/// use connect_core::observe::{Observer, Scope};
/// struct Print;
/// impl Observer for Print {
///     fn on_event(&self, scope: &Scope, event: &Event) {
///         println!("{} {}: {event:?}", scope.service, scope.operation);
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, scope: &Scope, event: &Event);
}

/// Several listeners, each told in turn.
impl Observer for Vec<Arc<dyn Observer>> {
    fn on_event(&self, scope: &Scope, event: &Event) {
        for observer in self {
            observer.on_event(scope, event);
        }
    }
}

/// Puts [`Observe`] round a service.
///
/// Holds the provider's id.
#[derive(Clone, Copy, Debug)]
pub struct ObserveLayer(&'static str);

impl ObserveLayer {
    /// The provider's id: [`Api::ID`](crate::Api::ID).
    pub fn new(service: &'static str) -> Self {
        Self(service)
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, service: self.0 }
    }
}

/// Opens the span of each operation.
///
/// See the [module](self) for its fields.
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    service: &'static str,
}

impl<S> Service<Request> for Observe<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = ObserveFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let span = tracing::debug_span!(
            "connect",
            service = self.service,
            operation = %request.operation().name,
            "http.request.method" = %request.method(),
            "http.response.status_code" = tracing::field::Empty,
            "http.request.resend_count" = tracing::field::Empty,
        );
        let progress = Arc::clone(request.context().progress());
        let inner = span.in_scope(|| self.inner.call(request));
        ObserveFuture { inner, span, progress }
    }
}

pin_project! {
    /// The future of [`Observe`].
    pub struct ObserveFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        progress: Arc<Progress>,
    }
}

impl<F> Future for ObserveFuture<F>
where
    F: Future<Output = Result<Response, Error>>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.span.enter();
        let result = ready!(this.inner.poll(cx));
        if !this.span.is_disabled() {
            this.span.record("http.request.resend_count", this.progress.attempts().saturating_sub(1));
            match &result {
                Ok(response) => {
                    this.span.record("http.response.status_code", response.status().as_u16());
                    tracing::debug!(verdict = ?response.verdict(), "answered");
                }
                Err(error) => tracing::debug!(kind = ?error.kind(), sent = ?error.sent(), "not answered"),
            }
        }
        drop(entered);
        Poll::Ready(result)
    }
}

impl<F> std::fmt::Debug for ObserveFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObserveFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Heard(Mutex<Vec<Event>>);

    impl Observer for Heard {
        fn on_event(&self, _scope: &Scope, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    #[test]
    fn several_listeners_hear_the_same() {
        let (first, second) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
        let all: Vec<Arc<dyn Observer>> = vec![first.clone(), second.clone()];
        all.on_event(&Scope::default(), &Event::TokenRefused);
        for heard in [first, second] {
            assert_eq!(*heard.0.lock().unwrap(), [Event::TokenRefused]);
        }
    }
}
