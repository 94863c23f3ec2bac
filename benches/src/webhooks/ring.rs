//! The yardstick: GitHub's signature verified with ring and a key made per call, which is what most hand-written
//! receivers do.

use http::{HeaderMap, HeaderName};
use ring::hmac;

const HEADER: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// As connect-webhook does it: the digits are decoded on the stack, the tags compared in constant time.
pub(crate) fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let digits = headers.get(&HEADER).and_then(|value| value.as_bytes().strip_prefix(b"sha256="));
    let mut signature = [0; 32];
    let Some(Ok(())) = digits.map(|digits| hex::decode_to_slice(digits, &mut signature)) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, body, &signature).is_ok()
}
