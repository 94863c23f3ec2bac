//! Outermost: one `tracing` span per operation. The client adds one event for a call that failed for good.
//!
//! The span is named `connect` and carries `service`, `operation` and the OpenTelemetry attributes
//! `http.request.method`, `http.response.status_code` and `http.request.resend_count`. Never the URL, the tenant or a
//! header: labels stay few, and nothing private reaches a log.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::Span;

use crate::context::Progress;
use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

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
