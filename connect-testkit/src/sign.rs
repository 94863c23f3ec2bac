//! The providers' webhook signatures, written here a second time on purpose.
//!
//! The library under test has signing code of its own. If a fake used that code, a mistake in it would sign
//! and verify happily; so these functions stand on nothing but HMAC-SHA256 and the providers' descriptions.
//! Deliveries call them for you; use them directly to sign bytes that no delivery builder makes.
//! Not for production: there is no verification here, and secrets are plain strings.
//!
//! ```
//! let signature = connect_testkit::sign::github("It's a Secret to Everybody", b"Hello, World!");
//! assert_eq!(signature, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
//! ```

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of GitHub's `X-Hub-Signature-256`: `sha256=` and the HMAC of the body, in lower-case hex.
pub fn github(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_sha256_hex(secret, &[body]))
}

/// The value of `X-Slack-Signature`: `v0=` and the HMAC of `v0:{timestamp}:{body}`, in lower-case hex.
pub fn slack(secret: &str, unix_seconds: u64, body: &[u8]) -> String {
    let head = format!("v0:{unix_seconds}:");
    format!("v0={}", hmac_sha256_hex(secret, &[head.as_bytes(), body]))
}

/// The value of Jira Cloud's `X-Hub-Signature`: `sha256=` and the HMAC of the body, in lower-case hex.
pub fn jira(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hmac_sha256_hex(secret, &[body]))
}

fn hmac_sha256_hex(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    hex(&mac.finalize().into_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The same text with its last hex digit changed: well-formed, so only the comparison can refuse it.
pub(crate) fn spoil(signature: &str) -> String {
    let mut spoiled = signature.to_owned();
    let last = if spoiled.pop() == Some('0') { '1' } else { '0' };
    spoiled.push(last);
    spoiled
}
