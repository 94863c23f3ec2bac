//! Serves a [`Receiver`] from a plain hyper 1 server.
//!
//! [`WebhookService`] is a `hyper::service::Service`: hand a clone to every connection. Paths are those of the
//! axum adapter, `/webhooks/{source}` for tenant `default` and `/webhooks/{tenant}/{source}`; everything else is
//! answered 404. A receiver without a timer gets tokio's: set one of your own on another runtime. Behind other
//! routes of your own, call [`Receiver::receive`] instead.

use std::convert::Infallible;
use std::pin::Pin;

use ::hyper::service::Service;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;

use crate::receive::Receiver;
use crate::timer::TokioTimer;

/// All endpoints of a receiver as one service.
///
/// ```
/// # async fn serve(receiver: connect_webhook::Receiver, stream: tokio::net::TcpStream) -> hyper::Result<()> {
/// use connect_webhook::hyper::WebhookService;
///
/// let service = WebhookService::new(receiver);
/// hyper::server::conn::http1::Builder::new()
///     .serve_connection(hyper_util::rt::TokioIo::new(stream), service.clone())
///     .await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WebhookService {
    receiver: Receiver,
}

impl WebhookService {
    /// Wraps a receiver.
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver: receiver.with_default_timer(TokioTimer) }
    }
}

impl<B> Service<Request<B>> for WebhookService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let receiver = self.receiver.clone();
        Box::pin(async move { Ok(receiver.receive_at_path(request).await.map(Full::new)) })
    }
}
