//! A tower service of the host's own as the transport: its connection pool, its mesh, its instrumentation.

use std::fmt;
use std::future::poll_fn;

use bytes::Bytes;
use http::Uri;
use tower::Service;

use super::incoming::Incoming;
use super::{Transport, TransportFuture};
use crate::body::TransportBody;
use crate::error::{Error, ErrorKind, Sent};
use crate::request::Request;
use crate::response::{BoxError, Response};

/// Sends by any [`tower::Service`] of `http` requests.
///
/// The service is cloned for every request and waited for until it is ready. It must follow no redirect and retry
/// nothing: both are layers above.
///
/// ```
/// use connect_core::Bytes;
/// use connect_core::body::TransportBody;
/// use connect_core::transport::ServiceTransport;
/// use http_body_util::Full;
/// let teapot = tower::service_fn(async |request: http::Request<TransportBody>| {
///     assert!(request.uri().scheme().is_some());
///     Ok::<_, std::io::Error>(http::Response::builder().status(418).body(Full::<Bytes>::from("short")).unwrap())
/// });
/// let transport = ServiceTransport::new(teapot); // for `ClientBuilder::transport`
/// # let _ = transport;
/// ```
#[derive(Clone)]
pub struct ServiceTransport<S> {
    service: S,
    failure: fn(BoxError) -> Error,
}

impl<S> ServiceTransport<S> {
    /// Sends by this service. What it fails with counts as [`Sent::Maybe`], because nobody knows better.
    pub fn new(service: S) -> Self {
        Self { service, failure }
    }

    /// Reads the service's errors by this function: it knows which of them prove that nothing was sent, and says so with
    /// [`Error::with_sent`]. A write is sent again after [`Sent::No`] only.
    #[must_use]
    pub fn with_failure(mut self, failure: fn(BoxError) -> Error) -> Self {
        self.failure = failure;
        self
    }
}

impl<S> fmt::Debug for ServiceTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTransport").finish_non_exhaustive()
    }
}

impl<S, B> Transport for ServiceTransport<S>
where
    S: Service<http::Request<TransportBody>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request) -> TransportFuture {
        let Self { mut service, failure } = self.clone();
        Box::pin(async move {
            let outgoing = convert(request).await?;
            // Refused before it had the request, so whatever its error says, nothing was sent.
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(|error| failure(error.into()).with_sent(Sent::No))?;
            let answer = service.call(outgoing).await.map_err(|error| failure(error.into()))?;
            let (head, body) = answer.into_parts();
            if body.is_end_stream() {
                return Ok(Response::new(head.status, head.headers, Bytes::new()));
            }
            Ok(Response::streamed(head.status, head.headers, Box::pin(Incoming::new(body, None))))
        })
    }
}

/// The request in the form that hyper and tower share.
pub(super) async fn convert(mut request: Request) -> Result<http::Request<TransportBody>, Error> {
    let unplaced =
        || Error::new(ErrorKind::Config, "the request has no absolute URL: send it through a client");
    let uri = Uri::try_from(request.url().ok_or_else(unplaced)?.as_str()).map_err(|error| {
        Error::new(ErrorKind::Invalid, "the URL has characters that HTTP cannot carry").with_source(error)
    })?;
    let body = request.take_body().open().await?;
    let mut outgoing = http::Request::new(body);
    *outgoing.method_mut() = request.method().clone();
    *outgoing.uri_mut() = uri;
    *outgoing.headers_mut() = request.headers().clone();
    for (name, value) in request.attempt_headers() {
        outgoing.headers_mut().insert(name, value.clone());
    }
    Ok(outgoing)
}

/// What a service fails with, if its host does not say more.
fn failure(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Transport, "the host's transport failed")
            .with_sent(Sent::Maybe)
            .with_source(error),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::task::{Context as TaskContext, Poll};

    use http::{Method, StatusCode};
    use url::Url;

    use super::*;
    use crate::operation::Operation;

    /// Ready at the second time of asking; panics if it is called before that.
    #[derive(Clone, Default)]
    struct Slow {
        asked: u32,
        fails: bool,
    }

    impl Service<http::Request<TransportBody>> for Slow {
        type Response = http::Response<TransportBody>;
        type Error = BoxError;
        type Future = Ready<Result<Self::Response, BoxError>>;

        fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
            self.asked += 1;
            if self.asked < 2 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(if self.fails { Err("full".into()) } else { Ok(()) })
        }

        fn call(&mut self, request: http::Request<TransportBody>) -> Self::Future {
            assert_eq!(self.asked, 2);
            assert_eq!(request.uri(), "https://api.example.com/x?y=1");
            ready(Ok(http::Response::new(TransportBody::default())))
        }
    }

    fn request() -> Request {
        let request = Request::builder(&Operation::raw("get", Method::GET, "/")).build().unwrap();
        request.at(Url::parse("https://api.example.com/x?y=1").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_service_is_called_when_it_is_ready_and_each_request_asks_anew() {
        let transport = ServiceTransport::new(Slow::default());
        for _ in 0..2 {
            let response = transport.send(request()).await.unwrap();
            assert_eq!((response.status(), response.is_streamed()), (StatusCode::OK, false));
        }
    }

    #[tokio::test]
    async fn a_service_that_never_gets_ready_was_sent_nothing() {
        let error = ServiceTransport::new(Slow { fails: true, asked: 0 }).send(request()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::No));
    }

    #[tokio::test]
    async fn a_request_that_no_client_placed_is_refused() {
        let request = Request::builder(&Operation::raw("get", Method::GET, "/")).build().unwrap();
        let error = ServiceTransport::new(Slow::default()).send(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
