//! What a sender hears: every way a request can end, with its status, body, counter and log line.
//!
//! Senders are told what to do and nothing that helps a forger: all failed verifications give one and the
//! same answer. The log gets the reason code, the tenant and the source; never a secret, a signature or a
//! body. The texts are whole JSON bodies, so that refusing costs no formatting.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::ReadError;
use crate::counters::{ACCEPTED, DUPLICATE, HANDSHAKE};
use crate::endpoint::Endpoint;
use crate::error::{PayloadError, VerifyError};
use crate::limit;
use crate::outcome::Outcome;
use crate::scheme::{AcknowledgeBody, Challenge};
use crate::sink::SinkError;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// A request that ended well. No `Debug`: an answer to a handshake may hold the secret.
pub(crate) enum Success {
    Accepted,
    Duplicate,
    /// Taken, with an answer of the sink's own.
    Answered {
        status: StatusCode,
        content_type: HeaderValue,
        body: Bytes,
    },
    Handshake(Response<Bytes>),
}

/// A request that did not.
#[derive(Debug)]
pub(crate) enum Refusal {
    UnknownEndpoint,
    /// Not to be turned into an HTTP request at all.
    MalformedRequest,
    RateLimited,
    Method,
    /// A handshake that nobody signs, while the host expects none.
    RegistrationClosed,
    /// A handshake with another verify token than ours.
    WrongToken,
    Read(ReadError),
    Unverified(VerifyError),
    Payload(PayloadError),
    Busy(Duration),
    OverQuota(Duration),
    Sink(SinkError),
    /// The provider's public keys cannot be had now.
    #[cfg(feature = "asymmetric")]
    Keys(crate::keys::KeysError),
    /// The secret of a handshake was not stored, or the subscription not confirmed.
    Handshake(SinkError),
}

/// Where the status of a refusal stands.
enum Status {
    /// In the endpoint's table.
    Of(Outcome),
    /// Here, because no endpoint may choose it.
    Fixed(StatusCode),
}

impl Success {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Accepted | Self::Answered { .. } => ACCEPTED,
            Self::Duplicate => DUPLICATE,
            Self::Handshake(_) => HANDSHAKE,
        }
    }

    pub(crate) fn into_response(self, endpoint: &Endpoint) -> Response<Bytes> {
        let (outcome, status_text) = match self {
            Self::Handshake(response) => return response,
            Self::Answered { status, content_type, body } => {
                let mut response = empty(status);
                if !body.is_empty() {
                    response.headers_mut().insert(CONTENT_TYPE, content_type);
                    *response.body_mut() = body;
                }
                return response;
            }
            Self::Accepted => (Outcome::Accepted, r#"{"status":"accepted"}"#),
            Self::Duplicate => (Outcome::Duplicate, r#"{"status":"duplicate"}"#),
        };
        let status = endpoint.statuses.get(outcome);
        if status == StatusCode::NO_CONTENT {
            return empty(status);
        }
        match &endpoint.verifier.scheme().acknowledge_body {
            AcknowledgeBody::Empty => empty(status),
            AcknowledgeBody::Text(Cow::Borrowed(body)) => text(status, PLAIN_TEXT, *body),
            AcknowledgeBody::Text(Cow::Owned(body)) => text(status, PLAIN_TEXT, body.clone()),
            AcknowledgeBody::Status => json(status, status_text),
        }
    }
}

impl Refusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::MalformedRequest => "malformed_request",
            Self::RateLimited => "rate_limited",
            Self::Method => "method_not_allowed",
            Self::RegistrationClosed => "registration_closed",
            Self::WrongToken => "wrong_verify_token",
            Self::Read(ReadError::TooLarge) => "too_large",
            Self::Read(ReadError::TooSlow) => "too_slow",
            Self::Read(ReadError::Interrupted) => "interrupted",
            Self::Unverified(error) => error.code(),
            Self::Payload(PayloadError::UnsupportedContentType) => "unsupported_content_type",
            Self::Payload(_) => "malformed_payload",
            Self::Busy(_) => "busy",
            Self::OverQuota(_) => "over_quota",
            Self::Sink(_) => "sink_error",
            #[cfg(feature = "asymmetric")]
            Self::Keys(error) => error.code(),
            Self::Handshake(_) => "handshake_failed",
        }
    }

    /// Which row of the status table counts, and what the sender is told.
    fn row(&self) -> (Status, &'static str) {
        match self {
            Self::UnknownEndpoint => (
                Status::Fixed(StatusCode::NOT_FOUND),
                r#"{"error":"no webhook endpoint here; check the URL in the sender's settings"}"#,
            ),
            Self::MalformedRequest => (
                Status::Fixed(StatusCode::BAD_REQUEST),
                r#"{"error":"this is no HTTP request; check what forwards requests as events"}"#,
            ),
            Self::RateLimited => {
                (Status::Of(Outcome::RateLimited), r#"{"error":"too many requests; send it again later"}"#)
            }
            Self::Method => (
                Status::Fixed(StatusCode::METHOD_NOT_ALLOWED),
                r#"{"error":"this endpoint does not take the method; send webhooks with one it allows"}"#,
            ),
            Self::WrongToken => (
                Status::Fixed(StatusCode::FORBIDDEN),
                r#"{"error":"the verify token is another one; compare it with this endpoint's settings"}"#,
            ),
            Self::Read(ReadError::TooLarge) => (
                Status::Of(Outcome::TooLarge),
                r#"{"error":"the body is larger than this endpoint accepts; send less or raise the endpoint's limit"}"#,
            ),
            Self::Read(ReadError::TooSlow) => (
                Status::Of(Outcome::TooSlow),
                r#"{"error":"the body did not arrive in time; send it again"}"#,
            ),
            Self::Read(ReadError::Interrupted) => {
                (Status::Of(Outcome::Malformed), r#"{"error":"the body broke off; send it again"}"#)
            }
            Self::Unverified(VerifyError::DuplicateHeader { .. }) => (
                Status::Of(Outcome::Malformed),
                r#"{"error":"a signature header occurs more than once with different values; send it once"}"#,
            ),
            Self::Unverified(_) | Self::RegistrationClosed => (
                Status::Of(Outcome::Unverified),
                r#"{"error":"the delivery is not verified; check the signing secret, the sender's clock and that no proxy changes the request"}"#,
            ),
            Self::Payload(PayloadError::UnsupportedContentType) => (
                Status::Of(Outcome::UnsupportedType),
                r#"{"error":"the content type is not supported; choose application/json in the sender's settings"}"#,
            ),
            Self::Payload(PayloadError::MissingPayloadField) => (
                Status::Of(Outcome::Malformed),
                r#"{"error":"the form lacks the field of the payload; choose application/json in the sender's settings"}"#,
            ),
            Self::Payload(PayloadError::MissingChallenge) => (
                Status::Of(Outcome::Malformed),
                r#"{"error":"the handshake has no challenge of at most 4 KiB; send one"}"#,
            ),
            Self::Payload(_) => (
                Status::Of(Outcome::Malformed),
                r#"{"error":"the payload is not well-formed JSON; send JSON in UTF-8"}"#,
            ),
            #[cfg(feature = "asymmetric")]
            Self::Keys(_) => (
                Status::Of(Outcome::Busy),
                r#"{"error":"the provider's keys cannot be had now; send it again later"}"#,
            ),
            Self::OverQuota(_) => (
                Status::Of(Outcome::OverQuota),
                r#"{"error":"the quota is used up and the delivery was not stored; send it again later"}"#,
            ),
            Self::Busy(_) | Self::Sink(_) | Self::Handshake(_) => {
                (Status::Of(Outcome::Busy), r#"{"error":"the delivery was not stored; send it again later"}"#)
            }
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited => Some(limit::RETRY_AFTER),
            Self::Busy(retry_after) | Self::OverQuota(retry_after) => Some(*retry_after),
            Self::Sink(error) | Self::Handshake(error) => Some(error.retry_after()),
            #[cfg(feature = "asymmetric")]
            Self::Keys(error) => Some(error.retry_after()),
            _ => None,
        }
    }

    /// `endpoint` is `None` where the URL names none.
    pub(crate) fn into_response(self, endpoint: Option<&Endpoint>) -> Response<Bytes> {
        let (status, body) = self.row();
        let status = match (status, endpoint) {
            (Status::Fixed(status), _) => status,
            (Status::Of(outcome), Some(endpoint)) => endpoint.statuses.get(outcome),
            (Status::Of(_), None) => StatusCode::NOT_FOUND,
        };
        let wants_silence = endpoint
            .is_some_and(|endpoint| endpoint.verifier.scheme().challenge == Challenge::XeroIntentToReceive);
        let mut response = if wants_silence { empty(status) } else { json(status, body) };
        if let (Self::Method, Some(endpoint)) = (&self, endpoint) {
            response.headers_mut().insert(ALLOW, endpoint.allow.clone());
        }
        if let Some(retry_after) = self.retry_after() {
            // Rounded up, so that no sender comes back early.
            let whole =
                retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0)).max(1);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole));
        }
        response
    }

    /// Who has to act decides the level: ours are warnings, the sender's are information, strangers' are
    /// noise. `may_warn` is asked before a warning that strangers can cause.
    #[cfg_attr(not(feature = "asymmetric"), expect(unused_variables, reason = "only missing keys ask"))]
    pub(crate) fn log(&self, tenant: &str, source: &str, may_warn: impl FnOnce() -> bool) {
        let code = self.code();
        match self {
            // Both names come from the URL here, hence `?`, which escapes them.
            Self::UnknownEndpoint => tracing::debug!(?tenant, ?source, code, "webhook refused"),
            // Its bucket warns, once in a while.
            Self::RateLimited => tracing::debug!(tenant, source, code, "webhook refused"),
            Self::Unverified(error) => tracing::info!(tenant, source, code, %error, "webhook refused"),
            Self::Payload(error) => tracing::info!(tenant, source, code, %error, "webhook refused"),
            Self::Sink(error) => tracing::warn!(tenant, source, code, %error, "webhook not taken"),
            #[cfg(feature = "asymmetric")]
            Self::Keys(error) if may_warn() => {
                tracing::warn!(tenant, source, code, %error, "webhook not verified");
            }
            #[cfg(feature = "asymmetric")]
            Self::Keys(error) => tracing::debug!(tenant, source, code, %error, "webhook not verified"),
            Self::Handshake(error) => tracing::warn!(tenant, source, code, %error, "handshake not finished"),
            Self::Busy(retry_after) | Self::OverQuota(retry_after) => {
                tracing::warn!(tenant, source, code, ?retry_after, "webhook not taken");
            }
            _ => tracing::info!(tenant, source, code, "webhook refused"),
        }
    }
}

/// The answer to a handshake that wants its own text back. The text is the sender's: no browser may take it for
/// a page.
pub(crate) fn echo(body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = text(StatusCode::OK, PLAIN_TEXT, body);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    text(status, JSON, body)
}

pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

pub(crate) fn with_header(
    mut response: Response<Bytes>,
    name: HeaderName,
    value: HeaderValue,
) -> Response<Bytes> {
    response.headers_mut().insert(name, value);
    response
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = empty(status);
    *response.body_mut() = body.into();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Tally;
    use crate::schemes;
    use crate::verify::Verifier;

    fn endpoint() -> Endpoint {
        Endpoint::new("t", "s", Verifier::new(&schemes::GITHUB, ["k".into()]).unwrap())
    }

    #[test]
    fn every_code_has_a_counter() {
        let header = HeaderName::from_static("x");
        let unverified = [
            VerifyError::MissingHeader { header: header.clone() },
            VerifyError::MalformedHeader { header: header.clone(), form: String::new() },
            VerifyError::DuplicateHeader { header },
            VerifyError::BadTimestamp { place: String::new() },
            VerifyError::TimestampTooOld { age_seconds: 301, limit_seconds: 300 },
            VerifyError::TimestampInFuture { ahead_seconds: 301, limit_seconds: 300 },
            VerifyError::SignatureMismatch,
        ];
        let others = [
            Refusal::UnknownEndpoint,
            Refusal::MalformedRequest,
            Refusal::RateLimited,
            Refusal::Method,
            Refusal::RegistrationClosed,
            Refusal::WrongToken,
            Refusal::Read(ReadError::TooLarge),
            Refusal::Read(ReadError::TooSlow),
            Refusal::Read(ReadError::Interrupted),
            Refusal::Payload(PayloadError::UnsupportedContentType),
            Refusal::Payload(PayloadError::NotUtf8),
            Refusal::Busy(Duration::ZERO),
            Refusal::OverQuota(Duration::ZERO),
            Refusal::Sink(SinkError::new("x")),
            Refusal::Handshake(SinkError::new("x")),
        ];
        let tally = Tally::default();
        let endpoint = endpoint();
        for refusal in unverified.into_iter().map(Refusal::Unverified).chain(others) {
            tally.add(refusal.code());
            let response = refusal.into_response(Some(&endpoint));
            assert!(!response.status().is_success());
            assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_ok());
        }
        let counters = tally.snapshot();
        assert_eq!(
            (counters.refused("other"), counters.refused_total(), counters.refused.len()),
            (0, 22, 22)
        );
    }

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        let endpoint = endpoint();
        let busy = |after| Refusal::Busy(after).into_response(Some(&endpoint)).headers()[RETRY_AFTER].clone();
        for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
            assert_eq!(busy(Duration::from_millis(millis)), expected);
        }
        assert_eq!(busy(Duration::MAX), u64::MAX.to_string());
    }
}
