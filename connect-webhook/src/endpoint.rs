//! One address at which one provider delivers for one tenant.

use std::sync::Arc;

use http::StatusCode;

use crate::verify::Verifier;

/// A tenant, a source name and the verifier for what arrives there; an entry of a
/// [`Receiver`](crate::Receiver).
///
/// ```
/// use connect_webhook::{Endpoint, Verifier, schemes};
/// # fn main() -> Result<(), connect_webhook::BuildError> {
/// let verifier = Verifier::new(&schemes::GITHUB, ["s3cret".into()])?;
/// let endpoint = Endpoint::new("default", "github", verifier).with_body_limit(1024 * 1024);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(crate) tenant: Arc<str>,
    pub(crate) source: Arc<str>,
    pub(crate) scheme: Arc<str>,
    pub(crate) verifier: Verifier,
    pub(crate) body_limit: usize,
    pub(crate) refusal_status: StatusCode,
}

impl Endpoint {
    /// An endpoint with the scheme's body cap that answers 401 to what does not verify.
    ///
    /// `source` is what the URL names, usually the scheme's name. Choose another one to receive from two
    /// installations of one provider; it is part of the dedupe key.
    pub fn new(tenant: impl Into<Arc<str>>, source: impl Into<Arc<str>>, verifier: Verifier) -> Self {
        Self {
            tenant: tenant.into(),
            source: source.into(),
            scheme: Arc::from(&*verifier.scheme().name),
            body_limit: verifier.scheme().body_limit_bytes,
            refusal_status: StatusCode::UNAUTHORIZED,
            verifier,
        }
    }

    /// Sets the largest body in bytes; a larger one is answered 413, which most providers do not retry.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets the status for everything that does not verify, 401 by default. Must be a 4xx.
    #[must_use]
    pub fn with_refusal_status(mut self, status: StatusCode) -> Self {
        self.refusal_status = status;
        self
    }
}
