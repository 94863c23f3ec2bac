//! The lowest level: one request out, one answer back.
//!
//! [`Transport`] is object-safe and always ready, so tests run in memory and hosts bring their own. A transport follows
//! no redirect and retries nothing; it hands over an answer whole or as a stream, which [`guard`](crate::guard) collects
//! and limits; and it says of every failure whether the request was sent: only a proven "no" allows a write to be sent
//! again.
//!
//! | transport | feature | when |
//! |---|---|---|
//! | [`ReqwestTransport`] | `transport-reqwest` | the default: proxies, decompression, the system's TLS |
//! | [`HyperTransport`] | `transport-hyper` | less work per request; the default where reqwest is not built in |
//! | [`ServiceTransport`] | | a [`tower::Service`] of the host's own |

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use tower::Service;

use crate::error::Error;
use crate::request::Request;
use crate::response::Response;

#[cfg(feature = "transport-hyper")]
mod hyper;
mod incoming;
#[cfg(feature = "transport-reqwest")]
mod reqwest;
mod service;
#[cfg(any(feature = "transport-reqwest", feature = "transport-hyper"))]
mod tls;

#[cfg(feature = "transport-hyper")]
pub use self::hyper::HyperTransport;
#[cfg(feature = "transport-reqwest")]
pub use self::reqwest::ReqwestTransport;
pub use self::service::ServiceTransport;

/// What [`Transport::send`] returns.
pub type TransportFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Sends one request.
///
/// Implementors set [`Sent`](crate::Sent) on every error. A closure is enough for a test:
///
/// ```
/// use connect_core::{HeaderMap, Request, Response, StatusCode, Transport, TransportFuture};
/// struct Teapot;
/// impl Transport for Teapot {
///     fn send(&self, _request: Request) -> TransportFuture {
///         Box::pin(async { Ok(Response::new(StatusCode::IM_A_TEAPOT, HeaderMap::new(), "short and stout")) })
///     }
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends the request with its [credential](Request::credential) and yields the answer, its body whole or to come.
    fn send(&self, request: Request) -> TransportFuture;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> TransportFuture {
        (**self).send(request)
    }
}

/// A transport as the innermost tower service.
///
/// The stack is built on it; always ready.
#[derive(Clone)]
pub struct TransportService(Arc<dyn Transport>);

impl TransportService {
    /// Wraps a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }
}

impl std::fmt::Debug for TransportService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransportService").finish_non_exhaustive()
    }
}

impl Service<Request> for TransportService {
    type Response = Response;
    type Error = Error;
    type Future = TransportFuture;

    fn poll_ready(&mut self, _cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> TransportFuture {
        self.0.send(request)
    }
}
