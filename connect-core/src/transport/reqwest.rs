//! The default transport: reqwest, without its redirects and its time-outs of answers, which are layers here.
//!
//! reqwest's own retry of protocol refusals (HTTP/2 `REFUSED_STREAM`, graceful `GOAWAY`) stays on: those are proven not
//! processed. TLS is set up by this crate and given to reqwest ready-made, so that no process-global provider is installed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use tokio::time::timeout;

use super::incoming::Incoming;
use super::{Transport, TransportFuture, tls};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Sent};
use crate::guard::stalled;
use crate::origins::Origins;
use crate::request::Request;
use crate::response::Response;

/// Sends by [`reqwest`]. Clones share one connection pool.
///
/// Made by [`ClientBuilder::build`](crate::ClientBuilder::build) unless a transport is given.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    read_timeout: Duration,
}

impl ReqwestTransport {
    /// A transport for these origins: certificates are loaded only if one of them is `https`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if TLS cannot be set up, for example without any root certificates on the machine.
    pub fn new(config: &Config, origins: &Origins) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(config.connect_timeout);
        let builder = match &config.proxy {
            Some(proxy) => builder.proxy(proxy.for_reqwest()?),
            None if config.proxy_from_env => builder,
            // Environment proxies would carry even loopback traffic, credentials in clear text included.
            None => builder.no_proxy(),
        };
        let client = tls::for_reqwest(builder, config, origins)?.build().map_err(|error| {
            Error::new(ErrorKind::Config, "the HTTP client cannot be set up").with_source(error.without_url())
        })?;
        Ok(Self { client, read_timeout: config.read_timeout })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, mut request: Request) -> TransportFuture {
        let Self { client, read_timeout } = self.clone();
        // Before the future, which then need not carry the request.
        let outgoing = head(&request);
        let body = request.take_body();
        Box::pin(async move {
            let mut outgoing = outgoing?;
            if body.is_streamed() {
                *outgoing.body_mut() = Some(reqwest::Body::wrap(body.open().await?));
            } else if let Some(bytes) = body.as_bytes() {
                *outgoing.body_mut() = Some(bytes.clone().into());
            }
            let answer = client.execute(outgoing).await.map_err(failure)?;
            receive(answer, read_timeout).await
        })
    }
}

fn head(request: &Request) -> Result<reqwest::Request, Error> {
    let url = request.url().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Config, "the request has no absolute URL: send it through a client")
    })?;
    let mut outgoing = reqwest::Request::new(request.method().clone(), url);
    *outgoing.headers_mut() = request.headers().clone();
    for (name, value) in request.attempt_headers() {
        outgoing.headers_mut().insert(name, value.clone());
    }
    Ok(outgoing)
}

/// Most answers are one chunk of known length, and are handed over without a copy or a box.
async fn receive(mut answer: reqwest::Response, read_timeout: Duration) -> Result<Response, Error> {
    let announced = answer.content_length();
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let read = match timeout(read_timeout, answer.chunk()).await.map_err(|_| stalled())? {
        Ok(None) => return Ok(Response::new(status, headers, Bytes::new())),
        Ok(Some(all)) if announced == Some(all.len() as u64) => {
            return Ok(Response::new(status, headers, all));
        }
        Ok(Some(first)) => Ok(first),
        // The layer that reads the stream looks at the announced length before this.
        Err(error) => Err(error.without_url().into()),
    };
    let body = Incoming::new(reqwest::Body::from(answer), Some(read));
    Ok(Response::streamed(status, headers, Box::pin(body)))
}

/// A request that never got a connection was not sent; of everything else, nobody knows.
fn failure(error: reqwest::Error) -> Error {
    let (kind, message, sent) = if error.is_builder() {
        (ErrorKind::Config, "the request cannot be sent by this client", Sent::No)
    } else if error.is_connect() && error.is_timeout() {
        (ErrorKind::Timeout, "no connection within the connect time-out", Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Transport, "no connection to the provider", Sent::No)
    } else {
        (ErrorKind::Transport, "the connection broke before an answer arrived", Sent::Maybe)
    };
    Error::new(kind, message).with_sent(sent).with_source(error.without_url())
}
