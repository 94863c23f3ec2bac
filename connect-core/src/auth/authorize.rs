//! Signatures: headers computed from the finished request.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};
use url::Url;

use super::account::hex;
use crate::clock::{Skew, SystemClock, WallClock};
use crate::error::Error;
use crate::request::Request;

/// Signs requests: sees each attempt as it will be sent, and answers with the headers that prove who sends it.
///
/// Called once per attempt, on the task that sends it: compute, do not wait. The headers are marked sensitive and go to
/// the client's own origins only.
///
/// ```
/// use std::time::SystemTime;
/// use connect_core::auth::{Authorize, Unsigned};
/// use connect_core::{Error, ErrorKind, HeaderName, HeaderValue};
/// struct Stamp;
/// impl Authorize for Stamp {
///     fn authorize(&self, request: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
///         let seconds = request.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
///         let hash = request.body_sha256().ok_or_else(|| Error::new(ErrorKind::Unsupported, "a stream cannot be signed"))?;
///         let text = format!("{} {} {seconds} {hash}", request.method(), request.url().path());
///         let value = HeaderValue::try_from(text).map_err(|_| Error::new(ErrorKind::Invalid, "odd path"))?;
///         Ok(vec![(HeaderName::from_static("x-stamp"), value)]) // a real signer puts `text` through a keyed hash
///     }
/// }
/// ```
pub trait Authorize: Send + Sync + 'static {
    /// The headers to add. One of them is `Authorization` as a rule.
    ///
    /// # Errors
    /// Whatever keeps it from signing; the attempt then fails, and nothing was sent.
    fn authorize(&self, request: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error>;
}

/// A request as it will be sent, except for its signature.
///
/// `Debug` shows as little as the request's own.
pub struct Unsigned<'a> {
    request: &'a Request,
    url: &'a Url,
    now: SystemTime,
    body_sha256: OnceCell<Option<String>>,
}

impl<'a> Unsigned<'a> {
    /// A request at this time; `None` before a client has placed it on one of its origins. For tests of a signer.
    pub fn new(request: &'a Request, now: SystemTime) -> Option<Self> {
        Some(Self { request, url: request.url()?, now, body_sha256: OnceCell::new() })
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The absolute URL, percent-encoded as it goes on the wire.
    pub fn url(&self) -> &Url {
        self.url
    }

    /// The headers, without `Host`, `Content-Length` and what else the transport adds.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The body, if it is in memory; an empty body has none.
    pub fn body(&self) -> Option<&Bytes> {
        self.request.body().as_bytes()
    }

    /// SHA-256 of the body as 64 hexadecimal digits, computed when first asked for. `None` for a body that is not in
    /// memory: sign it as unsigned payload where the provider knows such a thing, or refuse.
    pub fn body_sha256(&self) -> Option<&str> {
        let hash = || match self.body() {
            Some(bytes) => Some(hex(&Sha256::digest(bytes))),
            None => self.request.body().is_empty().then(|| hex(&Sha256::digest(b""))),
        };
        self.body_sha256.get_or_init(hash).as_deref()
    }

    /// The time of day by the provider's clock, as far as its answers have told.
    pub fn now(&self) -> SystemTime {
        self.now
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("request", self.request)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A signer with its clock, as [`Credentials::Signed`](super::Credentials::Signed) carries it. Clones share what is
/// learned about the provider's clock.
///
/// A type of its own, so that a test can set the clock and a host can name the account.
///
/// ```
/// # use connect_core::auth::{Authorize, Signing, Unsigned};
/// # use connect_core::{Credentials, Error, HeaderName, HeaderValue};
/// # struct Stamp;
/// # impl Authorize for Stamp {
/// #     fn authorize(&self, _: &Unsigned<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Error> { Ok(Vec::new()) }
/// # }
/// let signing = Signing::new(Stamp).with_account("key 4711");
/// let credentials = Credentials::Signed(signing);
/// assert_eq!(format!("{credentials:?}"), "Signed");
/// ```
#[derive(Clone)]
pub struct Signing {
    signer: Arc<dyn Authorize>,
    clock: Arc<dyn WallClock>,
    skew: Skew,
    account: Arc<str>,
}

impl Signing {
    /// Signs by the operating system's clock, corrected by what the answers say.
    pub fn new(signer: impl Authorize) -> Self {
        let account = format!("{:016x}", crate::builder::draw_seed());
        Self {
            signer: Arc::new(signer),
            clock: Arc::new(SystemClock),
            skew: Skew::default(),
            account: account.into(),
        }
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl WallClock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Shares what is learned about the provider's clock with others.
    #[must_use]
    pub fn with_skew(mut self, skew: Skew) -> Self {
        self.skew = skew;
        self
    }

    /// Names the [`Account`](super::Account), by the id of the key for example, so that it is the same in every
    /// process. Unnamed, it differs with each `Signing`.
    #[must_use]
    pub fn with_account(mut self, name: impl Into<Arc<str>>) -> Self {
        self.account = name.into();
        self
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn skew(&self) -> &Skew {
        &self.skew
    }

    pub(super) fn clock(&self) -> &dyn WallClock {
        &*self.clock
    }

    /// Adds the signature to a placed request.
    pub(super) fn sign(&self, request: &mut Request) -> Result<(), Error> {
        let Some(unsigned) = Unsigned::new(request, self.skew.now(&*self.clock)) else { return Ok(()) };
        for (name, value) in self.signer.authorize(&unsigned)? {
            if name == http::header::AUTHORIZATION {
                request.set_credential(name, value);
            } else {
                request.add_signature_header(name, value);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("skew", &self.skew).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation;

    fn hash(request: &Request) -> Option<String> {
        Unsigned::new(request, SystemTime::UNIX_EPOCH).unwrap().body_sha256().map(str::to_owned)
    }

    #[test]
    fn the_hash_is_that_of_the_body_and_nothing_has_one_too() {
        let operation = Operation::raw("raw", Method::POST, "/");
        let url = Url::parse("https://a.example/").unwrap();
        let empty = Request::builder(&operation).build().unwrap().at(url.clone()).unwrap();
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hash(&empty).as_deref(), Some(nothing));
        let text = HeaderValue::from_static("text/plain");
        let abc = Request::builder(&operation).body(text, "abc").build().unwrap().at(url).unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(&abc).as_deref(), Some(expected));
    }

    #[test]
    fn a_request_without_a_place_cannot_be_signed() {
        let request = Request::builder(&Operation::raw("raw", Method::GET, "/")).build().unwrap();
        assert!(Unsigned::new(&request, SystemTime::UNIX_EPOCH).is_none());
    }
}
