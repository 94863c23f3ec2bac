//! What can go wrong, by who has to act: [`BuildError`] the operator, [`VerifyError`] whoever set up the
//! sender, [`PayloadError`] the author of the payload or of the handler.
//!
//! No error holds or prints a secret, an expected signature or a presented one: an expected signature in a
//! log is a licence to forge. Senders never see these texts either. A [`Receiver`](crate::Receiver) answers
//! every failed verification alike and logs the [`code`](VerifyError::code).

use http::HeaderName;

/// A verifier, receiver or signature that cannot be built from what it was given. Each text names the remedy.
///
/// ```
/// use connect_webhook::{BuildError, Verifier, schemes};
/// let error = Verifier::new(&schemes::GITHUB, [""]. map(Into::into)).unwrap_err();
/// assert!(matches!(error, BuildError::EmptySecret { .. }));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No secret was given. Without one nothing could be verified, and an open endpoint is never built.
    #[error(
        "no signing secret for `{scheme}`; pass the secret that is set in the provider's webhook settings"
    )]
    NoSecret {
        /// The scheme's name.
        scheme: String,
    },
    /// A secret is empty or only whitespace, usually an unset variable. Anyone could sign with it.
    #[error("signing secret {index} for `{scheme}` is empty; check the variable or file it is read from")]
    EmptySecret {
        /// The scheme's name.
        scheme: String,
        /// Which of the secrets, counted from 0.
        index: usize,
    },
    /// The variable that should hold the secret is unset or empty.
    #[error(
        "{variable} is not set: the secret from the webhook settings of `{scheme}`, without which any sender \
         could pass for it"
    )]
    MissingVariable {
        /// The scheme's name.
        scheme: String,
        /// The variable's name.
        variable: String,
    },
    /// A scheme contradicts itself.
    #[error("scheme `{scheme}` is not usable: {reason}")]
    InvalidScheme {
        /// The scheme's name.
        scheme: String,
        /// What to change.
        reason: String,
    },
    /// A receiver without a sink would acknowledge events and lose them.
    #[error("the receiver has no sink; call `.sink(..)` with the place that stores deliveries")]
    NoSink,
    /// A receiver without an endpoint would answer 404 to everything.
    #[error("the receiver has no endpoint; call `.endpoint(Endpoint::new(tenant, source, verifier))`")]
    NoEndpoint,
    /// Two endpoints of the same tenant and source.
    #[error(
        "two endpoints for tenant `{tenant}` and source `{source_name}`; \
             give one a source name of its own, or pass both secrets to one verifier"
    )]
    DuplicateEndpoint {
        /// The tenant.
        tenant: String,
        /// The source.
        source_name: String,
    },
    /// The status for refused deliveries would tell the sender that all is well.
    #[error("refusal status {status} is not a client error; choose one of 400 to 499, usually 401")]
    RefusalStatus {
        /// The status that was asked for.
        status: u16,
    },
    /// A signed timestamp cannot be negative.
    #[error("cannot sign with a time before 1970; check this machine's clock")]
    TimeBeforeEpoch,
}

/// A delivery that is not proven to come from the provider.
///
/// ```
/// use connect_webhook::{UnixTime, Verifier, VerifyError, schemes};
/// let verifier = Verifier::new(&schemes::GITHUB, ["s3cret".into()])?;
/// let error = verifier.verify(&http::HeaderMap::new(), b"{}", UnixTime(0)).unwrap_err();
/// assert_eq!(error.code(), "missing_header");
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header of the scheme is absent: the sender has no secret set, or a proxy drops the header.
    #[error("header `{header}` is missing; set a secret at the sender and let proxies pass the header")]
    MissingHeader {
        /// Which header.
        header: HeaderName,
    },
    /// The signature does not have the scheme's form.
    #[error(
        "header `{header}` is not of the form `{form}`; check that the endpoint uses the sender's scheme"
    )]
    MalformedHeader {
        /// Which header.
        header: HeaderName,
        /// The form the scheme wants, such as `sha256=<hex>`.
        form: String,
    },
    /// A header occurs several times with different values, so different readers could see different ones.
    #[error("header `{header}` occurs more than once with different values; send it once")]
    DuplicateHeader {
        /// Which header.
        header: HeaderName,
    },
    /// The timestamp is not 1 to 15 ASCII digits.
    #[error("header `{header}` is not a Unix timestamp of 1 to 15 digits; send digits only")]
    BadTimestamp {
        /// Which header.
        header: HeaderName,
    },
    /// Signed too long ago: a replay, a slow queue in between, or a wrong clock.
    #[error(
        "signed {age_seconds} s ago, more than the {limit_seconds} s allowed; \
             check this machine's clock and for a queue in front"
    )]
    TimestampTooOld {
        /// How old the timestamp is.
        age_seconds: i64,
        /// The scheme's limit.
        limit_seconds: u32,
    },
    /// Signed in the future: a wrong clock on either side.
    #[error(
        "signed {ahead_seconds} s in the future, more than the {limit_seconds} s allowed; \
             check this machine's clock"
    )]
    TimestampInFuture {
        /// How far ahead the timestamp is.
        ahead_seconds: i64,
        /// The scheme's limit.
        limit_seconds: u32,
    },
    /// No secret produces the presented signature.
    #[error(
        "no secret produces the presented signature; compare the secret with the sender's settings \
             and make sure that nothing rewrites the body"
    )]
    SignatureMismatch,
}

impl VerifyError {
    /// A short stable word for logs and counters, such as `signature_mismatch`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::DuplicateHeader { .. } => "duplicate_header",
            Self::BadTimestamp { .. } => "invalid_timestamp",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture { .. } => "timestamp_in_future",
            Self::SignatureMismatch => "signature_mismatch",
        }
    }
}

/// A verified body that cannot be read as what it should be.
///
/// The texts quote nothing of the body. The [`source`](std::error::Error::source) of [`PayloadError::Json`]
/// is serde's own error, which may quote a value of the payload: print the chain only where payloads may be
/// seen.
///
/// ```
/// use connect_webhook::{Delivery, PayloadError};
/// let delivery = Delivery::new("default", "github", "id-1", "{\"n\":");
/// assert!(matches!(delivery.json::<u32>(), Err(PayloadError::Json(_))));
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The content type is neither JSON nor a form that the scheme knows.
    #[error("the content type is not supported; choose application/json in the sender's settings")]
    UnsupportedContentType,
    /// A form has no field `payload`.
    #[error("the form has no field `payload`; choose application/json in the sender's settings")]
    MissingPayloadField,
    /// The payload is not UTF-8.
    #[error("the payload is not UTF-8; send JSON in UTF-8")]
    NotUtf8,
    /// The payload is not JSON, or not the type that was asked for.
    #[error("the payload is not the expected JSON (line {}, column {}); compare it with the expected type",
            .0.line(), .0.column())]
    Json(#[source] serde_json::Error),
    /// A handshake lacks what its answer needs.
    #[error("the handshake has no challenge; send the provider's own verification request")]
    MissingChallenge,
}
