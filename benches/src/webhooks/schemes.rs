//! Every built-in scheme with a shared secret: does verifying a valid signature allocate?

use std::hint::black_box;

use connect_webhook::scheme::Algorithm;
use connect_webhook::{Scheme, SecretString, UnixTime, Verifier, schemes, sign};

use crate::{Failure, allocations};

/// For the schemes that sign a time.
const NOW: UnixTime = UnixTime(1_750_000_000);

/// Providers spell their secrets in different ways. The first is text, hexadecimal and Base64 at once.
const SECRETS: [&str; 2] =
    ["0123456789abcdef0123456789abcdef0123456789abcdef", "whsec_0123456789abcdef0123456789abcdef"];

const BODY: &[u8] = br#"{"id":"evt_1","type":"example.created","created":1750000000}"#;

/// One paragraph of the page.
pub(crate) fn line() -> Result<String, Failure> {
    eprintln!("webhook verification, allocations of every scheme");
    let hmac = schemes::ALL.iter().filter(|scheme| matches!(scheme.algorithm, Algorithm::Hmac(..)));
    let (mut checked, mut allocating, mut skipped) = (0, Vec::new(), Vec::new());
    for scheme in hmac {
        match allocations_of(scheme) {
            Ok(0) => checked += 1,
            Ok(count) => {
                checked += 1;
                allocating.push(format!("{} ({count})", scheme.name));
            }
            Err(failure) => skipped.push(format!("{} ({failure})", scheme.name)),
        }
    }
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Ok(format!(
        "\n{} of {checked} HMAC schemes verify without allocating; those that do: {} (goal: none). Not checked, since \
         `sign` cannot sign for them: {}.\n\n",
        checked - allocating.len(),
        list(&allocating),
        list(&skipped),
    ))
}

/// Of one verification; fails if none of the secrets leads to a valid signature.
fn allocations_of(scheme: &'static Scheme) -> Result<u64, Failure> {
    let mut reason = Failure::from("no secret was tried");
    for secret in SECRETS.map(SecretString::from) {
        let signed = sign(scheme, &secret, BODY, NOW);
        let (headers, verifier) = match (signed, Verifier::new(scheme, [secret])) {
            (Ok(headers), Ok(verifier)) => (headers, verifier),
            (Err(error), _) | (_, Err(error)) => {
                reason = error.into();
                continue;
            }
        };
        let before = allocations::so_far();
        let result = black_box(verifier.verify(black_box(&headers), black_box(BODY), NOW));
        let used = allocations::so_far().since(before).count;
        match result {
            Ok(_) => return Ok(used),
            Err(error) => reason = error.into(),
        }
    }
    Err(reason)
}
