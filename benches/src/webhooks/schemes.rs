//! Every built-in scheme with a shared secret: does verifying a valid signature allocate?

use std::hint::black_box;

use bytes::Bytes;
use connect_webhook::scheme::Algorithm;
use connect_webhook::{Incoming, Scheme, SecretString, Signer, UnixTime, Verifier, schemes};
use http::Request;

use crate::{Failure, allocations};

/// For the schemes that sign a time.
const NOW: UnixTime = UnixTime(1_750_000_000);

/// Providers spell their secrets in different ways. The first is text, hexadecimal and Base64 at once.
const SECRETS: [&str; 2] =
    ["0123456789abcdef0123456789abcdef0123456789abcdef", "whsec_0123456789abcdef0123456789abcdef"];

/// Some signatures stand in the body, of which there are two kinds.
const BODIES: [(&str, &str); 2] = [
    ("application/json", r#"{"id":"evt_1","type":"example.created","created":1750000000}"#),
    ("application/x-www-form-urlencoded", "event=delivered&recipient=someone%40example.com"),
];

/// Where the provider calls: some sign that too.
const URL: &str = "https://hooks.example.com/in?a=1";

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
         they cannot be signed here: {}.\n\n",
        checked - allocating.len(),
        list(&allocating),
        list(&skipped),
    ))
}

/// Of one verification; fails if none of the secrets leads to a valid signature.
fn allocations_of(scheme: &'static Scheme) -> Result<u64, Failure> {
    let mut reason = Failure::from("no secret was tried");
    for secret in SECRETS.map(SecretString::from) {
        for (content_type, body) in BODIES {
            let request = Request::post(URL).header("content-type", content_type).body(Bytes::from(body))?;
            let signed = Signer::new(scheme, &secret).and_then(|signer| signer.sign(request, NOW));
            let verifier =
                Verifier::builder(scheme).allow_weak().public_url(URL).secret(secret.clone()).build();
            let (request, verifier) = match (signed, verifier) {
                (Ok(request), Ok(verifier)) => (request, verifier),
                (Err(error), _) | (_, Err(error)) => {
                    reason = error.into();
                    continue;
                }
            };
            let url = request.uri().to_string();
            let incoming = Incoming::post(request.headers(), request.body()).with_url(&url);
            let before = allocations::so_far();
            let result = black_box(verifier.verify_request(black_box(&incoming), NOW));
            let used = allocations::so_far().since(before).count;
            match result {
                Ok(_) => return Ok(used),
                Err(error) => reason = error.into(),
            }
        }
    }
    Err(reason)
}
