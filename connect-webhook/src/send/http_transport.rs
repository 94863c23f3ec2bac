//! The real transport: reqwest, held to what the guard lets through.
//!
//! A literal address in the URL is checked before anything is opened, since no resolver is asked about it. A
//! name is resolved through the guard, in the same step in which the connection is made: there is no second
//! lookup that could answer differently (DNS rebinding). Redirects are not followed, for each would be a new
//! destination of the receiver's choice. Proxies, even those of the environment, are ignored: behind one,
//! somebody else would resolve the name.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve as ReqwestResolve, Resolving};
use reqwest::redirect::Policy;

use super::error::SetupError;
use super::guard::{Guard, Refusal};
use super::resolve::{Resolve, SystemResolver};
use super::tls;
use super::transport::{Answer, Failure, Outgoing, Transport};

/// How much of an answer is read. Nothing but its status matters; reading it to the end keeps the connection
/// usable, and a receiver that never ends must not fill the memory.
const ANSWER_LIMIT_BYTES: usize = 50 * 1024;

/// Sends over HTTP/1.1 to whom the guard allows. Clones share one connection pool.
///
/// ```
/// use connect_webhook::send::{Guard, HttpTransport, Sender};
/// // For earnest: `Guard::new()`, and the feature `rustls`.
/// let development = Guard::new().allow_http().allow_network("127.0.0.0/8")?;
/// let sender = Sender::new(HttpTransport::new(development)?);
/// # Ok::<(), connect_webhook::send::SetupError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    guard: Arc<Guard>,
    answer_limit_bytes: usize,
}

impl HttpTransport {
    /// A transport that asks the system's resolver. It cannot be built without TLS unless the guard allows
    /// plain http.
    pub fn new(guard: Guard) -> Result<Self, SetupError> {
        Self::with_resolver(guard, SystemResolver)
    }

    /// A transport that asks this resolver.
    pub fn with_resolver(guard: Guard, resolver: impl Resolve + 'static) -> Result<Self, SetupError> {
        let guard = Arc::new(guard);
        let names = GuardedNames { guard: Arc::clone(&guard), resolver: Arc::new(resolver) };
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .https_only(!guard.allows_http())
            // One attempt is one request: the schedule retries, and counts.
            .retry(reqwest::retry::never())
            // Other crates of the build may turn decompression on; a small answer must not become a large
            // one.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .dns_resolver(names);
        let client = tls::configured(builder)?.build().map_err(|error| SetupError::Client(error.into()))?;
        Ok(Self { client, guard, answer_limit_bytes: ANSWER_LIMIT_BYTES })
    }

    /// Reads at most so much of an answer's body; 50 KB if not set.
    #[must_use]
    pub fn with_answer_limit_bytes(mut self, limit: usize) -> Self {
        self.answer_limit_bytes = limit;
        self
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn post(&self, outgoing: Outgoing) -> Result<Answer, Failure> {
        self.guard.check_url(&outgoing.url)?;
        let request = self.client.post(outgoing.url).headers(outgoing.headers).body(outgoing.body);
        let mut response = request.send().await.map_err(failure)?;
        let answer = Answer::new(response.status()).with_headers(std::mem::take(response.headers_mut()));
        Ok(answer.with_body(read(response, self.answer_limit_bytes).await))
    }
}

/// The body up to the limit. If it breaks off, what came stands: the status said what there is to know.
async fn read(mut response: reqwest::Response, limit: usize) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(piece)) = response.chunk().await {
        let room = limit - body.len();
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if body.len() == limit {
            break;
        }
    }
    body.freeze()
}

/// reqwest's errors, sorted by who has to act.
fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if let Some(refusal) = causes(&error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refusal.clone().into();
    }
    // The innermost says what happened; the outer ones say that something did.
    let detail = causes(&error).last().map(ToString::to_string).unwrap_or_default();
    if error.is_connect() { Failure::Unreachable { detail } } else { Failure::Interrupted { detail } }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Resolves names for reqwest, which connects to these addresses and no others.
struct GuardedNames {
    guard: Arc<Guard>,
    resolver: Arc<dyn Resolve>,
}

impl ReqwestResolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { guard, resolver } = self;
        let (guard, resolver) = (Arc::clone(guard), Arc::clone(resolver));
        Box::pin(async move {
            let found = resolver.resolve(name.as_str()).await?;
            let passed = guard.filter(name.as_str(), found)?;
            // Port 0 stands for the URL's.
            let addresses: Addrs = Box::new(passed.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
