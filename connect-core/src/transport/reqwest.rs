//! The default transport: reqwest, without its redirects, with our limits.
//!
//! reqwest's own retry of protocol refusals (HTTP/2 `REFUSED_STREAM`, graceful `GOAWAY`) stays on: those are proven not
//! processed. TLS is rustls with ring, given to reqwest ready-made, so that no process-global provider is installed.

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;

use crate::config::Config;
use crate::error::{Error, ErrorKind, Sent};
use crate::origins::Origins;
use crate::request::Request;
use crate::response::Response;
use crate::transport::{Transport, TransportFuture};

/// Sends by [`reqwest`]. Clones share one connection pool.
///
/// Made by [`ClientBuilder::build`](crate::ClientBuilder::build) unless a transport is given.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    body_limit: usize,
}

impl ReqwestTransport {
    /// A transport for these origins: certificates are loaded only if one of them is `https`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if TLS cannot be set up, for example without any root certificates on the machine.
    pub fn new(config: &Config, origins: &Origins) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            // Environment proxies would carry even loopback traffic, credentials in clear text included.
            .no_proxy()
            .referer(false)
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout);
        let client = tls::configure(builder, origins)?.build().map_err(|error| {
            Error::new(ErrorKind::Config, "the HTTP client cannot be set up").with_source(error.without_url())
        })?;
        Ok(Self { client, body_limit: config.body_limit_bytes })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> TransportFuture {
        let client = self.client.clone();
        let body_limit = self.body_limit;
        Box::pin(async move {
            let outgoing = convert(request)?;
            let answer = client.execute(outgoing).await.map_err(failure)?;
            collect(answer, body_limit).await
        })
    }
}

fn convert(mut request: Request) -> Result<reqwest::Request, Error> {
    let url = request.url().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Config, "the request has no absolute URL: send it through a client")
    })?;
    let mut outgoing = reqwest::Request::new(request.method().clone(), url);
    *outgoing.headers_mut() = request.headers().clone();
    if let Some((name, value)) = request.credential() {
        outgoing.headers_mut().insert(name, value.clone());
    }
    let body = request.take_body();
    if body.as_bytes().is_some() {
        *outgoing.body_mut() = Some(body.into_bytes().into());
    }
    Ok(outgoing)
}

async fn collect(mut answer: reqwest::Response, limit: usize) -> Result<Response, Error> {
    let too_big = || {
        Error::new(
            ErrorKind::Unsupported,
            format!("the answer is bigger than the limit of {limit} bytes: raise `body_limit_bytes`"),
        )
        // The answer was not read, so a write may well have succeeded.
        .with_sent(Sent::Maybe)
    };
    if answer.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_big());
    }
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    // Most answers arrive in one chunk, which needs no copy.
    let Some(first) = answer.chunk().await.map_err(cut_off)? else {
        return Ok(Response::new(status, headers, Bytes::new()));
    };
    if first.len() > limit {
        return Err(too_big());
    }
    let Some(second) = answer.chunk().await.map_err(cut_off)? else {
        return Ok(Response::new(status, headers, first));
    };
    let mut body =
        BytesMut::with_capacity(first.len().saturating_add(second.len()).saturating_mul(2).min(limit));
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_big());
        }
        body.extend_from_slice(&chunk);
        next = answer.chunk().await.map_err(cut_off)?;
    }
    Ok(Response::new(status, headers, body.freeze()))
}

/// A request that never got a connection was not sent; of everything else, nobody knows.
fn failure(error: reqwest::Error) -> Error {
    let (kind, message, sent) = if error.is_builder() {
        (ErrorKind::Config, "the request cannot be sent by this client", Sent::No)
    } else if error.is_connect() && error.is_timeout() {
        (ErrorKind::Timeout, "no connection within the connect time-out", Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Transport, "no connection to the provider", Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, "the provider stopped answering", Sent::Maybe)
    } else {
        (ErrorKind::Transport, "the connection broke before an answer arrived", Sent::Maybe)
    };
    Error::new(kind, message).with_sent(sent).with_source(error.without_url())
}

fn cut_off(error: reqwest::Error) -> Error {
    let message = if error.is_timeout() { "the answer stalled" } else { "the answer was cut off" };
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Transport };
    Error::new(kind, message).with_sent(Sent::Maybe).with_source(error.without_url())
}

#[cfg(feature = "rustls")]
mod tls {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore};
    use rustls_platform_verifier::BuilderVerifierExt;

    use crate::error::{Error, ErrorKind};
    use crate::origins::Origins;

    pub(super) fn configure(
        builder: reqwest::ClientBuilder,
        origins: &Origins,
    ) -> Result<reqwest::ClientBuilder, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let config = if origins.uses_tls() {
            versions.with_platform_verifier().map_err(unusable)?.with_no_client_auth()
        } else {
            // Plain http on loopback: nothing to verify, and no reason to need root certificates on the machine.
            versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        };
        Ok(builder.tls_backend_preconfigured(config))
    }

    fn unusable(error: rustls::Error) -> Error {
        Error::new(
            ErrorKind::Config,
            "TLS cannot be set up: are root certificates (the package ca-certificates) installed?",
        )
        .with_source(error)
    }
}

#[cfg(not(feature = "rustls"))]
mod tls {
    use crate::error::{Error, ErrorKind};
    use crate::origins::Origins;

    pub(super) fn configure(
        builder: reqwest::ClientBuilder,
        origins: &Origins,
    ) -> Result<reqwest::ClientBuilder, Error> {
        if origins.uses_tls() {
            return Err(Error::new(
                ErrorKind::Config,
                "an https base URL needs TLS: enable the feature `rustls`, or give the builder a transport",
            ));
        }
        Ok(builder)
    }
}
