//! Signs as a provider would: for tests, for local development, and for sending webhooks of your own.
//!
//! [`sign`] returns only what the signature needs. Content type, delivery id and event headers are the
//! sender's to add. It works for every scheme that can be verified, so a receiver can always be tested
//! without its provider.

use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::error::BuildError;
use crate::key::Key;
use crate::plan::{Plan, hex};
use crate::scheme::{Encoding, Grammar, Scheme, TimestampUnit};
use crate::verify::signed_parts;

/// The headers a sender sets for `body`: the signature, marked sensitive, and the timestamp if the scheme
/// signs one.
///
/// ```
/// use connect_webhook::{UnixTime, schemes, sign};
/// let headers = sign(&schemes::SLACK, &"s3cret".into(), b"{}", UnixTime(1_750_000_000))?;
/// assert_eq!(headers["x-slack-request-timestamp"], "1750000000");
/// assert!(headers["x-slack-signature"].is_sensitive());
/// # Ok::<(), connect_webhook::BuildError>(())
/// ```
pub fn sign(
    scheme: &Scheme,
    secret: &SecretString,
    body: &[u8],
    now: UnixTime,
) -> Result<HeaderMap, BuildError> {
    let plan = Plan::compile(scheme)?;
    let key = Key::new(scheme, 0, secret)?;
    let (signature_header, timestamp_header) = plan.sender_headers();
    let mut headers = HeaderMap::with_capacity(2);

    let mut timestamp = String::new();
    if let (Some(header), Some(rule)) = (timestamp_header, &scheme.timestamp) {
        let seconds = u64::try_from(now.0).map_err(|_| BuildError::TimeBeforeEpoch)?;
        let value = match rule.unit {
            TimestampUnit::Seconds => seconds,
            TimestampUnit::Milliseconds => seconds.saturating_mul(1000),
        };
        timestamp = value.to_string();
        headers.insert(header, HeaderValue::from(value));
    }

    let signature = key.sign(signed_parts(scheme, timestamp.as_bytes(), body));
    let text = match scheme.encoding {
        Encoding::Hex => hex(signature.as_bytes()),
    };
    let prefix = match &scheme.grammar {
        Grammar::Bare => "",
        Grammar::Prefixed(prefix) => prefix,
    };
    let mut value =
        HeaderValue::try_from(format!("{prefix}{text}")).map_err(|_| BuildError::InvalidScheme {
            scheme: scheme.name.to_string(),
            reason: "the signature's prefix cannot stand in a header; use visible ASCII".to_owned(),
        })?;
    value.set_sensitive(true);
    headers.insert(signature_header, value);
    Ok(headers)
}
