//! A client of a few lines, enough to deliver a webhook and to look at a fake from a test.
//!
//! Each call opens its own connection, so a dropped or truncated answer is an error here and never a silent
//! retry. It follows no redirects and has no time-out: providers do not agree on one, and a timer would fire
//! at once in tests with paused time. Wrap the call in `tokio::time::timeout` where a host might hang.
//! Not a client for anything else: plain `http://` only.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use http::header::{HOST, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// What the other side answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The status; it compares with plain numbers: `reply.status == 202`.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The text of a header, if it was sent and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `Null` when it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Posts a body; see [`send`] for the errors.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let slack = connect_testkit::FakeSlack::start().await?;
/// let url = format!("{}auth.test", slack.url());
/// let bearer = format!("Bearer {}", slack.token());
/// let reply = connect_testkit::post(&url, &[("authorization", &bearer)], "").await?;
/// assert_eq!(reply.json()["ok"], true);
/// # Ok(()) }
/// ```
pub async fn post(
    url: &str,
    headers: &[(impl AsRef<str>, impl AsRef<str>)],
    body: impl Into<Bytes>,
) -> io::Result<Reply> {
    send(Method::POST, url, headers, body).await
}

/// Sends one request on a connection of its own and reads the whole answer.
///
/// # Errors
/// `InvalidInput` for a URL that is not `http://host:port/..` or a header that is not legal; otherwise what
/// the connection said, `UnexpectedEof` when it closed before the answer was complete.
pub async fn send(
    method: Method,
    url: &str,
    headers: &[(impl AsRef<str>, impl AsRef<str>)],
    body: impl Into<Bytes>,
) -> io::Result<Reply> {
    let uri: Uri = url.parse().map_err(invalid)?;
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(invalid(format!("{url} is no http:// URL")));
    };
    let address = (authority.host().trim_matches(['[', ']']), authority.port_u16().unwrap_or(80));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());

    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, authority.as_str())
        .body(Full::new(body.into()))
        .map_err(invalid)?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_ref().as_bytes()).map_err(invalid)?;
        let value = HeaderValue::from_str(value.as_ref()).map_err(invalid)?;
        request.headers_mut().append(name, value);
    }

    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let exchange = async {
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    };
    // The connection is polled here rather than spawned, so that cancelling the call also closes it.
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        done = &mut exchange => done,
        _ = connection => exchange.await,
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

fn broken(error: hyper::Error) -> io::Error {
    // A body that stops early is an `UnexpectedEof` further down the chain of sources.
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let cut_short = error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || source.is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof);
    io::Error::new(if cut_short { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::Other }, error)
}
