//! The lean transport: hyper's pooled client without reqwest round it. It speaks HTTP/1.1 and knows no proxy.
//!
//! For a small answer it takes about two thirds of reqwest's instructions. hyper sends a request again by itself only
//! when a connection out of the pool closed before anything of it was written.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body::Body as _;
use hyper::body::Incoming as HyperBody;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tower::Service;

use super::incoming::Incoming;
use super::service::convert;
use super::{Transport, TransportFuture, tls};
use crate::body::TransportBody;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Sent};
use crate::guard::stalled;
use crate::origins::Origins;
use crate::request::Request;
use crate::response::{BoxError, Response};

#[cfg(feature = "__rustls")]
type Socket = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "__rustls"))]
type Socket = HttpConnector;

/// Sends by hyper. Clones share one connection pool.
///
/// ```
/// use connect_core::transport::HyperTransport;
/// use connect_core::{Config, Origins};
/// let origins = Origins::new("http://127.0.0.1:8080")?;
/// let transport = HyperTransport::new(&Config::default(), &origins)?; // for `ClientBuilder::transport`
/// # let _ = transport;
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connector<Socket>, TransportBody>,
    read_timeout: Duration,
}

impl HyperTransport {
    /// A transport for these origins: certificates are loaded only if one of them is `https`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if TLS cannot be set up or is not built in, or if a proxy is configured.
    pub fn new(config: &Config, origins: &Origins) -> Result<Self, Error> {
        if config.proxy.is_some() || config.proxy_from_env {
            let message = "a proxy needs the feature `transport-reqwest`: the hyper transport knows none";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let connector = Connector { socket: socket(tcp, config, origins)?, within: config.connect_timeout };
        let client = Client::builder(TokioExecutor::new())
            // Without a timer, connections that the provider forgot long ago would stay in the pool.
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, read_timeout: config.read_timeout })
    }
}

#[cfg(feature = "__rustls")]
fn socket(mut tcp: HttpConnector, config: &Config, origins: &Origins) -> Result<Socket, Error> {
    tcp.enforce_http(false);
    Ok((tcp, tls::configuration(config, origins)?).into())
}

#[cfg(not(feature = "__rustls"))]
fn socket(tcp: HttpConnector, _config: &Config, origins: &Origins) -> Result<Socket, Error> {
    tls::without(origins).map(|()| tcp)
}

impl Transport for HyperTransport {
    fn send(&self, request: Request) -> TransportFuture {
        let Self { client, read_timeout } = self.clone();
        Box::pin(async move {
            let answer = client.request(convert(request).await?).await.map_err(failure)?;
            let (head, body) = answer.into_parts();
            receive(head, body, read_timeout).await
        })
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}

/// Most answers are one chunk of known length, and are handed over without a copy or a box.
async fn receive(
    head: http::response::Parts,
    mut body: HyperBody,
    read_timeout: Duration,
) -> Result<Response, Error> {
    if body.is_end_stream() {
        return Ok(Response::new(head.status, head.headers, Bytes::new()));
    }
    let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
    let read = match timeout(read_timeout, first).await.map_err(|_| stalled())? {
        None => return Ok(Response::new(head.status, head.headers, Bytes::new())),
        Some(Ok(frame)) => match frame.into_data() {
            Ok(all) if body.is_end_stream() => return Ok(Response::new(head.status, head.headers, all)),
            Ok(first) => Some(Ok(first)),
            Err(_trailers) => None,
        },
        // The layer that reads the stream looks at the announced length before this.
        Some(Err(error)) => Some(Err(error.into())),
    };
    Ok(Response::streamed(head.status, head.headers, Box::pin(Incoming::new(body, read))))
}

/// A request that never got a connection, or that hyper handed back, was not sent; of everything else, nobody knows.
fn failure(error: hyper_util::client::legacy::Error) -> Error {
    let (kind, message, sent) = if error.is_connect() && find::<ConnectTimedOut>(&error).is_some() {
        (ErrorKind::Timeout, "no connection within the connect time-out", Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Transport, "no connection to the provider", Sent::No)
    } else {
        match find::<hyper::Error>(&error) {
            // hyper cancels a request only while it still holds all of it.
            Some(cause) if cause.is_canceled() => {
                (ErrorKind::Transport, "the connection closed before anything was sent", Sent::No)
            }
            Some(cause) if cause.is_user() => {
                (ErrorKind::Transport, "the request's body failed before all of it was sent", Sent::Maybe)
            }
            _ => (ErrorKind::Transport, "the connection broke before an answer arrived", Sent::Maybe),
        }
    };
    Error::new(kind, message).with_sent(sent).with_source(error)
}

/// The first cause of this type.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// Connects within a time: name, address and TLS together, where hyper's own limit is for the address alone.
#[derive(Clone)]
struct Connector<S> {
    socket: S,
    within: Duration,
}

#[derive(Debug)]
struct ConnectTimedOut;

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time-out")
    }
}

impl StdError for ConnectTimedOut {}

impl<S> Service<Uri> for Connector<S>
where
    S: Service<Uri>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.socket.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = timeout(self.within, self.socket.call(address));
        Box::pin(async move { connecting.await.map_err(|_| ConnectTimedOut)?.map_err(Into::into) })
    }
}
