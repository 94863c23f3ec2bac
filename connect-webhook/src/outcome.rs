//! With which status a request is answered, by how it ended.
//!
//! One table for all endpoints; [`Endpoint::with_status`](crate::Endpoint::with_status) changes a row for one.
//! What providers make of a status differs: most give up at a 4xx, some disable the webhook after a few, and
//! nearly all try again after a 5xx.

use http::StatusCode;

use crate::error::BuildError;

/// How a request ended, as far as its status can be chosen.
///
/// | outcome | default |
/// |---|---|
/// | `Accepted` | the scheme's, usually 202 |
/// | `Duplicate` | as `Accepted` |
/// | `Unverified` | 401 |
/// | `Malformed` | 400 |
/// | `UnsupportedType` | 415 |
/// | `TooLarge` | 413 |
/// | `TooSlow` | 408 |
/// | `Busy` | 503, with `Retry-After` |
/// | `OverQuota` | 429, with `Retry-After` |
/// | `RateLimited` | 429, with `Retry-After` |
///
/// Fixed are 404 for an unknown endpoint, 405 for another method, 403 for Meta's wrong verify token, and the
/// 200 of a handshake.
///
/// ```
/// use connect_webhook::{Endpoint, Outcome, Verifier, schemes};
/// use http::StatusCode;
///
/// let verifier = Verifier::new(&schemes::GITHUB, ["s3cret".into()])?;
/// let endpoint = Endpoint::new("default", "github", verifier)
///     .with_status(Outcome::Accepted, StatusCode::OK)
///     .with_status(Outcome::Unverified, StatusCode::NOT_FOUND);
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The sink took the delivery. Must stay 2xx.
    Accepted,
    /// The sink had it already. Must stay 2xx, or the sender never stops.
    Duplicate,
    /// Not proven to come from the provider.
    Unverified,
    /// Broken off, not JSON, a handshake without what it should carry, or two different signatures.
    Malformed,
    /// A content type that the scheme does not know.
    UnsupportedType,
    /// A body over the endpoint's cap.
    TooLarge,
    /// A body that did not arrive in time.
    TooSlow,
    /// The sink is busy or failed.
    Busy,
    /// The sink says that the tenant has used up its quota.
    OverQuota,
    /// More requests than [`with_rate_limit`](crate::Endpoint::with_rate_limit) allows.
    RateLimited,
}

impl Outcome {
    /// In the order of their declaration.
    const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Unverified,
        Self::Malformed,
        Self::UnsupportedType,
        Self::TooLarge,
        Self::TooSlow,
        Self::Busy,
        Self::OverQuota,
        Self::RateLimited,
    ];

    fn is_success(self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate)
    }

    fn default_status(self) -> StatusCode {
        match self {
            // Only where no scheme says otherwise.
            Self::Accepted | Self::Duplicate => StatusCode::ACCEPTED,
            Self::Unverified => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::OverQuota | Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// The table of one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Statuses {
    chosen: [Option<StatusCode>; Outcome::ALL.len()],
    success: StatusCode,
}

impl Statuses {
    /// `success` is the scheme's.
    pub(crate) fn new(success: u16) -> Self {
        // A scheme's status was checked to be 2xx when its verifier was built.
        let success = StatusCode::from_u16(success).unwrap_or(StatusCode::ACCEPTED);
        Self { chosen: [None; Outcome::ALL.len()], success }
    }

    pub(crate) fn set(&mut self, outcome: Outcome, status: StatusCode) {
        if let Some(chosen) = self.chosen.get_mut(outcome as usize) {
            *chosen = Some(status);
        }
    }

    pub(crate) fn get(&self, outcome: Outcome) -> StatusCode {
        let chosen = self.chosen.get(outcome as usize).copied().flatten();
        let default = if outcome.is_success() { self.success } else { outcome.default_status() };
        chosen.unwrap_or(default)
    }

    /// A refusal that says "all is well" loses deliveries, a success that says "failed" multiplies them.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        for outcome in Outcome::ALL {
            let (status, is_success) = (self.get(outcome), outcome.is_success());
            let refuses = status.is_client_error() || status.is_server_error();
            match is_success {
                true if !status.is_success() => {
                    return Err(BuildError::SuccessStatus { status: status.as_u16() });
                }
                false if !refuses => return Err(BuildError::RefusalStatus { status: status.as_u16() }),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_place_in_the_table() {
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index);
        }
    }

    #[test]
    fn a_refusal_stays_a_refusal_and_a_success_a_success() {
        let cases = [
            (Outcome::Unverified, 403, true),
            (Outcome::Unverified, 200, false),
            (Outcome::Unverified, 302, false),
            (Outcome::Busy, 429, true),
            (Outcome::RateLimited, 204, false),
            (Outcome::Duplicate, 200, true),
            (Outcome::Duplicate, 409, false),
            (Outcome::Accepted, 500, false),
        ];
        for (outcome, status, expected) in cases {
            let mut statuses = Statuses::new(202);
            statuses.set(outcome, StatusCode::from_u16(status).unwrap());
            assert_eq!(statuses.get(outcome), status);
            assert_eq!(statuses.check().is_ok(), expected, "{outcome:?} {status}");
        }
    }
}
