//! Asks the provider what an answer means, once, so that no layer above looks at a status. Sits above BodyGuard, because
//! some providers say it in the body.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::api::Verdict;
use crate::error::{Error, Sent};
use crate::progress::Progress;
use crate::request::{Head, Request};
use crate::response::Response;

/// The function a client is built with: [`Api::classify`](crate::Api::classify).
pub type ClassifyFn = fn(&Response) -> Verdict;

/// Puts [`Classify`] round a transport.
///
/// Holds one function pointer, so the layer is not generic over the provider.
#[derive(Clone, Copy, Debug)]
pub struct ClassifyLayer(ClassifyFn);

impl ClassifyLayer {
    /// Classifies by this function.
    pub fn new(classify: ClassifyFn) -> Self {
        Self(classify)
    }
}

impl<S> Layer<S> for ClassifyLayer {
    type Service = Classify<S>;

    fn layer(&self, inner: S) -> Classify<S> {
        Classify { inner, classify: self.0 }
    }
}

/// Sets the verdict of each answer, and records for the outer layers how far the attempt came.
///
/// See [`Verdict`] for what the layers do with it.
#[derive(Clone, Debug)]
pub struct Classify<S> {
    inner: S,
    classify: ClassifyFn,
}

impl<S> Service<Request> for Classify<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = ClassifyFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let progress = Arc::clone(request.context().progress());
        // From here until an answer arrives, nobody knows; a cancelled or timed-out attempt stays like this.
        progress.set_sent(Sent::Maybe);
        let sent = Some((request.share_head(), request.credential().is_some()));
        ClassifyFuture { inner: self.inner.call(request), classify: self.classify, progress, sent }
    }
}

pin_project! {
    /// The future of [`Classify`].
    pub struct ClassifyFuture<F> {
        #[pin]
        inner: F,
        classify: ClassifyFn,
        progress: Arc<Progress>,
        // What the answer answers, and whether that carried a credential.
        sent: Option<(Arc<Head>, bool)>,
    }
}

impl<F> Future for ClassifyFuture<F>
where
    F: Future<Output = Result<Response, Error>>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx)).map(|response| {
            let response = match this.sent.take() {
                Some((sent, is_authenticated)) => response.answering(sent, is_authenticated),
                None => response, // polled after completion
            };
            // What a stream holds is its reader's: only its head can be judged.
            let verdict = match response.is_streamed() {
                true => Verdict::from_status(&response),
                false => (this.classify)(&response),
            };
            response.with_verdict(verdict)
        });
        this.progress.set_sent(match &result {
            Ok(response) => sent(response.verdict()),
            Err(error) => error.sent(),
        });
        Poll::Ready(result)
    }
}

/// A failing server may have acted before it failed; every other answer says what happened.
pub(crate) fn sent(verdict: Option<Verdict>) -> Sent {
    match verdict {
        Some(Verdict::Transient { .. }) => Sent::Maybe,
        _ => Sent::Yes,
    }
}

impl<F> std::fmt::Debug for ClassifyFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClassifyFuture").finish_non_exhaustive()
    }
}
