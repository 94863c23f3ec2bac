//! What a sender hears: every way a request can end, with its status, body, counter and log line.
//!
//! Senders are told what to do and nothing that helps a forger: all failed verifications give one and the
//! same answer. The log gets the reason code, the tenant and the source; never a secret, a signature or a
//! body.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::ReadError;
use crate::counters::{ACCEPTED, DUPLICATE, HANDSHAKE};
use crate::error::{PayloadError, VerifyError};
use crate::scheme::{AcknowledgeBody, Scheme};
use crate::sink::SinkError;

/// A request that ended well.
#[derive(Debug)]
pub(crate) enum Success {
    Accepted,
    Duplicate,
    Handshake(String),
}

/// A request that did not.
#[derive(Debug)]
pub(crate) enum Refusal {
    UnknownEndpoint,
    Method,
    Read(ReadError),
    Unverified(VerifyError),
    Payload(PayloadError),
    Busy(Duration),
    Sink(SinkError),
}

impl Success {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Accepted => ACCEPTED,
            Self::Duplicate => DUPLICATE,
            Self::Handshake(_) => HANDSHAKE,
        }
    }

    pub(crate) fn into_response(self, scheme: &Scheme) -> Response<Bytes> {
        // A scheme's status was checked to be 2xx when its verifier was built.
        let status = StatusCode::from_u16(scheme.acknowledge).unwrap_or(StatusCode::ACCEPTED);
        match (self, scheme.acknowledge_body) {
            (Self::Handshake(challenge), _) => {
                let mut response = text(StatusCode::OK, "text/plain; charset=utf-8", challenge);
                // The text is the sender's; no browser may take it for a page.
                set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
                response
            }
            (_, AcknowledgeBody::Empty) => empty(status),
            (Self::Accepted, AcknowledgeBody::Status) => json(status, r#"{"status":"accepted"}"#),
            (Self::Duplicate, AcknowledgeBody::Status) => json(status, r#"{"status":"duplicate"}"#),
        }
    }
}

impl Refusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::Method => "method_not_allowed",
            Self::Read(ReadError::TooLarge) => "too_large",
            Self::Read(ReadError::TooSlow) => "too_slow",
            Self::Read(ReadError::Interrupted) => "interrupted",
            Self::Unverified(error) => error.code(),
            Self::Payload(PayloadError::UnsupportedContentType) => "unsupported_content_type",
            Self::Payload(_) => "malformed_payload",
            Self::Busy(_) => "busy",
            Self::Sink(_) => "sink_error",
        }
    }

    /// `unverified` is the endpoint's status for failed verifications.
    pub(crate) fn into_response(self, unverified: StatusCode) -> Response<Bytes> {
        let error = |status, text: &str| json(status, &format!(r#"{{"error":"{text}"}}"#));
        match self {
            Self::UnknownEndpoint => error(
                StatusCode::NOT_FOUND,
                "no webhook endpoint here; check the URL in the sender's settings",
            ),
            Self::Method => {
                let mut response = error(StatusCode::METHOD_NOT_ALLOWED, "send webhooks with POST");
                set(&mut response, ALLOW, "POST");
                response
            }
            Self::Read(ReadError::TooLarge) => error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than this endpoint accepts; send less or raise the endpoint's limit",
            ),
            Self::Read(ReadError::TooSlow) => {
                error(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time; send it again")
            }
            Self::Read(ReadError::Interrupted) => {
                error(StatusCode::BAD_REQUEST, "the body broke off; send it again")
            }
            Self::Unverified(VerifyError::DuplicateHeader { .. }) => error(
                StatusCode::BAD_REQUEST,
                "a signature header occurs more than once with different values; send it once",
            ),
            Self::Unverified(_) => error(
                unverified,
                "the delivery is not verified; check the signing secret, the sender's clock and that no proxy \
                 changes the request",
            ),
            Self::Payload(PayloadError::UnsupportedContentType) => error(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type is not supported; choose application/json in the sender's settings",
            ),
            Self::Payload(PayloadError::MissingPayloadField) => error(
                StatusCode::BAD_REQUEST,
                "the form has no field payload; choose application/json in the sender's settings",
            ),
            Self::Payload(PayloadError::MissingChallenge) => {
                error(StatusCode::BAD_REQUEST, "the handshake has no challenge; send one")
            }
            Self::Payload(_) => {
                error(StatusCode::BAD_REQUEST, "the payload is not well-formed JSON; send JSON in UTF-8")
            }
            Self::Busy(retry_after) => unavailable(retry_after),
            Self::Sink(error) => unavailable(error.retry_after()),
        }
    }

    /// Who has to act decides the level: ours are warnings, the sender's are information, strangers' are
    /// noise.
    pub(crate) fn log(&self, tenant: &str, source: &str) {
        let code = self.code();
        match self {
            // Both names come from the URL here, hence `?`, which escapes them.
            Self::UnknownEndpoint => tracing::debug!(?tenant, ?source, code, "webhook refused"),
            Self::Unverified(error) => tracing::info!(tenant, source, code, %error, "webhook refused"),
            Self::Payload(error) => tracing::info!(tenant, source, code, %error, "webhook refused"),
            Self::Sink(error) => tracing::warn!(tenant, source, code, %error, "webhook not taken"),
            Self::Busy(retry_after) => {
                tracing::warn!(tenant, source, code, ?retry_after, "webhook not taken");
            }
            _ => tracing::info!(tenant, source, code, "webhook refused"),
        }
    }
}

/// 503 with `Retry-After`, rounded up so that no sender comes back early.
fn unavailable(retry_after: Duration) -> Response<Bytes> {
    let whole = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0)).max(1);
    let mut response = json(
        StatusCode::SERVICE_UNAVAILABLE,
        r#"{"error":"the delivery was not stored; send it again later"}"#,
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole));
    response
}

fn json(status: StatusCode, body: &str) -> Response<Bytes> {
    text(status, "application/json", body.to_owned())
}

fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = empty(status);
    *response.body_mut() = body.into();
    set(&mut response, CONTENT_TYPE, content_type);
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Bytes>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Tally;

    #[test]
    fn every_code_has_a_counter() {
        let header = HeaderName::from_static("x");
        let unverified = [
            VerifyError::MissingHeader { header: header.clone() },
            VerifyError::MalformedHeader { header: header.clone(), form: String::new() },
            VerifyError::DuplicateHeader { header: header.clone() },
            VerifyError::BadTimestamp { header },
            VerifyError::TimestampTooOld { age_seconds: 301, limit_seconds: 300 },
            VerifyError::TimestampInFuture { ahead_seconds: 301, limit_seconds: 300 },
            VerifyError::SignatureMismatch,
        ];
        let others = [
            Refusal::UnknownEndpoint,
            Refusal::Method,
            Refusal::Read(ReadError::TooLarge),
            Refusal::Read(ReadError::TooSlow),
            Refusal::Read(ReadError::Interrupted),
            Refusal::Payload(PayloadError::UnsupportedContentType),
            Refusal::Payload(PayloadError::NotUtf8),
            Refusal::Busy(Duration::ZERO),
            Refusal::Sink(SinkError::new("x")),
        ];
        let tally = Tally::default();
        for refusal in unverified.into_iter().map(Refusal::Unverified).chain(others) {
            tally.add(refusal.code());
            let response = refusal.into_response(StatusCode::UNAUTHORIZED);
            assert!(serde_json::from_slice::<serde_json::Value>(response.body()).is_ok());
        }
        let counters = tally.snapshot();
        assert_eq!(
            (counters.refused("other"), counters.refused_total(), counters.refused.len()),
            (0, 16, 16)
        );
    }

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2")] {
            let response = unavailable(Duration::from_millis(millis));
            assert_eq!(response.headers()[RETRY_AFTER], expected);
        }
        assert_eq!(unavailable(Duration::MAX).headers()[RETRY_AFTER], u64::MAX.to_string());
    }
}
