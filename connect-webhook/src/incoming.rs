//! A request as its sender made it: what a verifier looks at.

use http::{HeaderMap, Method};

/// Method, public URL, headers and raw body of one request, borrowed.
///
/// Most schemes look at headers and body alone; those that sign the URL too want it as the sender knows it,
/// before any proxy changed it.
///
/// ```
/// use connect_webhook::{Incoming, UnixTime, Verifier, schemes};
///
/// let verifier = Verifier::new(&schemes::SQUARE, ["signature-key".into()])?;
/// let mut headers = http::HeaderMap::new();
/// headers.insert("x-square-hmacsha256-signature", "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=".parse().unwrap());
/// let body = br#"{"data":{"type":"webhooks","id":">id<"}}"#;
///
/// let incoming = Incoming::post(&headers, body).with_url("https://webhook.site/webhooks");
/// assert!(verifier.verify_request(&incoming, UnixTime(1_750_000_000)).is_ok());
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub(crate) method: &'a Method,
    /// Empty if nobody knows it.
    pub(crate) url: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// A POST whose URL is not known.
    pub fn post(headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { method: &Method::POST, url: "", headers, body }
    }

    /// Sets the method.
    #[must_use]
    pub fn with_method(mut self, method: &'a Method) -> Self {
        self.method = method;
        self
    }

    /// Sets the whole public URL, query included.
    #[must_use]
    pub fn with_url(mut self, url: &'a str) -> Self {
        self.url = url;
        self
    }

    /// The query of the URL, without `?`; a fragment is never sent.
    pub(crate) fn query(&self) -> &'a str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    /// The value of a header that is there once, as text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}
