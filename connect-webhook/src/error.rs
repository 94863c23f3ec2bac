//! What can go wrong, by who has to act: [`BuildError`] the operator, [`VerifyError`] whoever set up the
//! sender, [`PayloadError`] the author of the payload or of the handler.
//!
//! No error holds or prints a secret, an expected signature or a presented one: an expected signature in a
//! log is a licence to forge. Senders never see these texts either. A [`Receiver`](crate::Receiver) answers
//! every failed verification alike and logs the [`code`](VerifyError::code).

use std::error::Error;
use std::fmt;

use http::HeaderName;

/// A verifier, receiver or signature that cannot be built from what it was given. Each text names the remedy.
///
/// ```
/// use connect_webhook::{BuildError, Verifier, schemes};
/// let error = Verifier::new(&schemes::GITHUB, [""]. map(Into::into)).unwrap_err();
/// assert!(matches!(error, BuildError::EmptySecret { .. }));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// No secret was given. Without one nothing could be verified, and an open endpoint is never built.
    NoSecret {
        /// The scheme's name.
        scheme: String,
    },
    /// A secret is empty or only whitespace, usually an unset variable. Anyone could sign with it.
    EmptySecret {
        /// The scheme's name.
        scheme: String,
        /// Which of the secrets, counted from 0.
        index: usize,
    },
    /// A secret is not what the provider hands out: too short, or not encoded as its are.
    UnusableSecret {
        /// The scheme's name.
        scheme: String,
        /// Which of the secrets, counted from 0.
        index: usize,
        /// What it should be. Says nothing about what it is.
        expected: String,
    },
    /// The variable that should hold the secret is unset or empty.
    MissingVariable {
        /// The scheme's name.
        scheme: String,
        /// The variable's name.
        variable: String,
    },
    /// A scheme contradicts itself.
    InvalidScheme {
        /// The scheme's name.
        scheme: String,
        /// What to change.
        reason: String,
    },
    /// The provider has replaced this scheme by a better one.
    WeakScheme {
        /// The scheme's name.
        scheme: String,
    },
    /// Something that this scheme cannot do without was not set.
    Missing {
        /// The scheme's name.
        scheme: String,
        /// What to call, such as `.public_url(..)`.
        call: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// This build lacks the feature that the scheme needs.
    MissingFeature {
        /// The scheme's name.
        scheme: String,
        /// The cargo feature.
        feature: &'static str,
    },
    /// Text that should be a public URL is none.
    InvalidUrl {
        /// The scheme's name.
        scheme: String,
    },
    /// A request cannot be signed as it is.
    Unsignable {
        /// The scheme's name.
        scheme: String,
        /// What to change.
        reason: String,
    },
    /// A receiver without a sink would acknowledge events and lose them.
    NoSink,
    /// A receiver without an endpoint would answer 404 to everything.
    NoEndpoint,
    /// Two endpoints of the same tenant and source.
    DuplicateEndpoint {
        /// The tenant.
        tenant: String,
        /// The source.
        source_name: String,
    },
    /// The status for refused deliveries would tell the sender that all is well.
    RefusalStatus {
        /// The status that was asked for.
        status: u16,
    },
    /// The status for taken deliveries would tell the sender to send them again.
    SuccessStatus {
        /// The status that was asked for.
        status: u16,
    },
    /// A rate limit of 0 would refuse everything.
    RateLimit,
    /// A signed timestamp cannot be negative.
    TimeBeforeEpoch,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret { scheme } => write!(
                f,
                "no signing secret for `{scheme}`; pass the secret that is set in the provider's webhook settings"
            ),
            Self::EmptySecret { scheme, index } => write!(
                f,
                "signing secret {index} for `{scheme}` is empty; check the variable or file it is read from"
            ),
            Self::UnusableSecret { scheme, index, expected } => write!(
                f,
                "signing secret {index} for `{scheme}` is not {expected}; copy it again from the provider's \
                 settings"
            ),
            Self::MissingVariable { scheme, variable } => write!(
                f,
                "{variable} is not set: the secret from the webhook settings of `{scheme}`, without which any \
                 sender could pass for it"
            ),
            Self::InvalidScheme { scheme, reason } => write!(f, "scheme `{scheme}` is not usable: {reason}"),
            Self::WeakScheme { scheme } => write!(
                f,
                "scheme `{scheme}` is weak and the provider has a better one; use that, or call `.allow_weak()`"
            ),
            Self::Missing { scheme, call, reason } => {
                write!(f, "scheme `{scheme}` needs {reason}; call `{call}`")
            }
            Self::MissingFeature { scheme, feature } => write!(
                f,
                "scheme `{scheme}` needs the feature `{feature}` of connect-webhook; add it in Cargo.toml"
            ),
            Self::InvalidUrl { scheme } => write!(
                f,
                "the public URL for `{scheme}` is none; give scheme, host and path as the provider calls them, \
                 such as `https://hooks.example.com`"
            ),
            Self::Unsignable { scheme, reason } => write!(f, "cannot sign for `{scheme}`: {reason}"),
            Self::NoSink => f.write_str(
                "the receiver has no sink; call `.sink(..)` with the place that stores deliveries",
            ),
            Self::NoEndpoint => f.write_str(
                "the receiver has no endpoint; call `.endpoint(Endpoint::new(tenant, source, verifier))`",
            ),
            Self::DuplicateEndpoint { tenant, source_name } => write!(
                f,
                "two endpoints for tenant `{tenant}` and source `{source_name}`; give one a source name of its \
                 own, or pass both secrets to one verifier"
            ),
            Self::RefusalStatus { status } => write!(
                f,
                "refusal status {status} does not refuse; choose one of 400 to 599, such as 401 for what does not \
                 verify"
            ),
            Self::SuccessStatus { status } => write!(
                f,
                "status {status} for a delivery that was taken makes its sender send it again; choose one of 200 \
                 to 299"
            ),
            Self::RateLimit => f.write_str(
                "a rate limit of 0 refuses everything; give at least 1 per second, or leave it out",
            ),
            Self::TimeBeforeEpoch => {
                f.write_str("cannot sign with a time before 1970; check this machine's clock")
            }
        }
    }
}

impl Error for BuildError {}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// A header of the scheme is absent: the sender has no secret set, or a proxy drops the header.
    MissingHeader {
        /// Which header.
        header: HeaderName,
    },
    /// A signed value of the body is absent.
    MissingField {
        /// A JSON pointer, the name of a form field or of a query parameter.
        field: String,
    },
    /// The signature does not have the scheme's form.
    MalformedHeader {
        /// Which header.
        header: HeaderName,
        /// The form the scheme wants, such as `sha256=<hex>`.
        form: String,
    },
    /// The header has signatures, but none of the kind that the scheme knows.
    NoMatchingScheme {
        /// The form the scheme wants, such as `t=<timestamp>,v1=<hex>`.
        form: String,
    },
    /// The signature is not encoded as the scheme wants it.
    BadEncoding {
        /// The form the scheme wants.
        form: String,
    },
    /// A header occurs several times with different values, so different readers could see different ones.
    DuplicateHeader {
        /// Which header.
        header: HeaderName,
    },
    /// The timestamp is not of the scheme's form.
    BadTimestamp {
        /// The name of the header, pair or field.
        place: String,
    },
    /// Signed too long ago: a replay, a slow queue in between, or a wrong clock.
    TimestampTooOld {
        /// How old the timestamp is.
        age_seconds: i64,
        /// The scheme's limit.
        limit_seconds: u32,
    },
    /// Signed in the future: a wrong clock on either side.
    TimestampInFuture {
        /// How far ahead the timestamp is.
        ahead_seconds: i64,
        /// The scheme's limit.
        limit_seconds: u32,
    },
    /// No secret produces the presented signature.
    SignatureMismatch,
    /// The signature is right, but the body is not the one whose hash was signed.
    BodyHashMismatch,
    /// The token is right, but not for this method, path and query.
    QshMismatch,
    /// The key that the sender names is not among the provider's.
    UnknownKey,
    /// The sender names an address for its key that is not the provider's.
    UntrustedKeyUrl,
    /// A signed claim is not what this endpoint expects.
    ClaimMismatch {
        /// Which, such as `aud`.
        claim: &'static str,
    },
    /// A body that must be read to be verified cannot be.
    MalformedBody,
    /// The scheme signs the URL, and none is known here.
    MissingUrl,
    /// The endpoint waits for the handshake that hands it its secret.
    NoSecretYet,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingHeader { header } => write!(
                f,
                "header `{header}` is missing; set a secret at the sender and let proxies pass the header"
            ),
            Self::MissingField { field } => {
                write!(f, "`{field}` is missing, which the scheme signs; check that this is the sender's scheme")
            }
            Self::MalformedHeader { header, form } => write!(
                f,
                "header `{header}` is not of the form `{form}`; check that the endpoint uses the sender's scheme"
            ),
            Self::NoMatchingScheme { form } => write!(
                f,
                "there is no signature of the form `{form}`; check which kinds the sender is set to send"
            ),
            Self::BadEncoding { form } => write!(
                f,
                "the signature is not encoded as in `{form}`; check that the endpoint uses the sender's scheme"
            ),
            Self::DuplicateHeader { header } => {
                write!(f, "header `{header}` occurs more than once with different values; send it once")
            }
            Self::BadTimestamp { place } => write!(
                f,
                "`{place}` is not a timestamp of the scheme's form; send a Unix time of 1 to 15 digits, or a date \
                 as in RFC 3339 where the scheme has those"
            ),
            Self::TimestampTooOld { age_seconds, limit_seconds } => write!(
                f,
                "signed {age_seconds} s ago, more than the {limit_seconds} s allowed; check this machine's clock \
                 and for a queue in front"
            ),
            Self::TimestampInFuture { ahead_seconds, limit_seconds } => write!(
                f,
                "signed {ahead_seconds} s in the future, more than the {limit_seconds} s allowed; check this \
                 machine's clock"
            ),
            Self::SignatureMismatch => f.write_str(
                "no secret produces the presented signature; compare the secret with the sender's settings and \
                 make sure that nothing rewrites the body",
            ),
            Self::BodyHashMismatch => {
                f.write_str("the body is not the one that was signed; make sure that nothing rewrites it")
            }
            Self::QshMismatch => f.write_str(
                "the token was made for another method, path or query; check the public URL of this endpoint",
            ),
            Self::UnknownKey => f.write_str(
                "the sender names a key that is not among the provider's; check that its keys can be fetched",
            ),
            Self::UntrustedKeyUrl => {
                f.write_str("the sender names a key at an address that is not the provider's; refuse it")
            }
            Self::ClaimMismatch { claim } => {
                write!(f, "the signed `{claim}` is not what this endpoint expects; compare the two settings")
            }
            Self::MalformedBody => {
                f.write_str("the body cannot be read as the scheme wants it; check the sender's format")
            }
            Self::MissingUrl => f.write_str(
                "the scheme signs the URL and none is known; give the verifier a `public_url`",
            ),
            Self::NoSecretYet => {
                f.write_str("the endpoint has no secret yet; let the provider make its handshake first")
            }
        }
    }
}

impl Error for VerifyError {}

impl VerifyError {
    /// A short stable word for logs and counters, such as `signature_mismatch`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::MissingField { .. } => "missing_field",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::NoMatchingScheme { .. } => "no_matching_scheme",
            Self::BadEncoding { .. } => "bad_encoding",
            Self::DuplicateHeader { .. } => "duplicate_header",
            Self::BadTimestamp { .. } => "invalid_timestamp",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture { .. } => "timestamp_in_future",
            Self::SignatureMismatch => "signature_mismatch",
            Self::BodyHashMismatch => "body_hash_mismatch",
            Self::QshMismatch => "qsh_mismatch",
            Self::UnknownKey => "unknown_key",
            Self::UntrustedKeyUrl => "untrusted_key_url",
            Self::ClaimMismatch { .. } => "claim_mismatch",
            Self::MalformedBody => "malformed_body",
            Self::MissingUrl => "missing_url",
            Self::NoSecretYet => "no_secret_yet",
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
#[derive(Debug)]
pub enum PayloadError {
    /// The content type is neither JSON nor a form that the scheme knows.
    UnsupportedContentType,
    /// A form lacks the field that holds the payload.
    MissingPayloadField,
    /// The payload is not UTF-8.
    NotUtf8,
    /// The payload is not JSON, or not the type that was asked for.
    Json(serde_json::Error),
    /// A handshake lacks what its answer needs.
    MissingChallenge,
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedContentType => f.write_str(
                "the content type is not supported; choose application/json in the sender's settings",
            ),
            Self::MissingPayloadField => f.write_str(
                "the form lacks the field of the payload; choose application/json in the sender's settings",
            ),
            Self::NotUtf8 => f.write_str("the payload is not UTF-8; send JSON in UTF-8"),
            Self::Json(error) => write!(
                f,
                "the payload is not the expected JSON (line {}, column {}); compare it with the expected type",
                error.line(),
                error.column()
            ),
            Self::MissingChallenge => {
                f.write_str("the handshake has no challenge; send the provider's own verification request")
            }
        }
    }
}

impl Error for PayloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            _ => None,
        }
    }
}
