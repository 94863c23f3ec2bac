//! Verifying a GitHub signature: connect-webhook beside ring with a key made per call, which is what most hand-written
//! receivers do.
//!
//! Both take the header from a `HeaderMap`, decode its hexadecimal digits on the stack, hash the body and compare in
//! constant time. The rounds alternate between the two, so that a slower or busier moment hits both.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use connect_webhook::{SecretString, UnixTime, Verifier, schemes, sign};
use http::{HeaderMap, HeaderName};
use ring::hmac;

use crate::spread::Spread;
use crate::{Failure, allocations};

const SECRET: &str = "It's a Secret to Everybody";

/// GitHub signs no time, so any will do.
const NOW: UnixTime = UnixTime(0);

const ROUNDS: usize = 41;

/// Size, its name, and verifications per round: about a millisecond's worth.
const SIZES: [(usize, &str, u32); 3] =
    [(1024, "1 KB", 1500), (25 * 1024, "25 KB", 80), (1024 * 1024, "1 MB", 3)];

/// The webhooks' part of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let mut text = String::from(
        "## Webhook verification, GitHub's scheme\n\n\
         Nanoseconds per verification: median (10th..90th percentile of the rounds). The ratio is taken within each \
         round.\n\n\
         | body | connect-webhook | ring, key per call | ratio | allocations | ring's |\n|---|---|---|---|---|---|\n",
    );
    let verifier = Verifier::new(&schemes::GITHUB, [SecretString::from(SECRET)])?;
    let peer = Ring { header: HeaderName::from_static("x-hub-signature-256"), secret: SECRET.as_bytes() };
    for (size, name, calls) in SIZES {
        eprintln!("webhook verification, {name}");
        let body: Vec<u8> = (0..size).map(|index| b' ' + (index % 95) as u8).collect();
        let headers = sign(&schemes::GITHUB, &SECRET.into(), &body, NOW)?;
        let ours = || verifier.verify(black_box(&headers), black_box(&body), NOW).is_ok();
        let theirs = || peer.verify(black_box(&headers), black_box(&body));
        let rounds: Vec<(f64, f64)> = (0..ROUNDS)
            .map(|round| {
                // Who goes first alternates too.
                if round % 2 == 0 {
                    let first = nanoseconds(calls, ours);
                    (first, nanoseconds(calls, theirs))
                } else {
                    let first = nanoseconds(calls, theirs);
                    (nanoseconds(calls, ours), first)
                }
            })
            .collect();
        writeln!(
            text,
            "| {name} | {} | {} | {:.2} | {} | {} |",
            Spread::of(rounds.iter().map(|(ours, _)| *ours)),
            Spread::of(rounds.iter().map(|(_, theirs)| *theirs)),
            Spread::of(rounds.iter().map(|(ours, theirs)| ours / theirs)),
            allocations_of(ours),
            allocations_of(theirs),
        )?;
    }
    Ok(text)
}

struct Ring {
    header: HeaderName,
    secret: &'static [u8],
}

impl Ring {
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let digits = headers.get(&self.header).and_then(|value| value.as_bytes().strip_prefix(b"sha256="));
        let mut signature = [0; 32];
        let Some(Ok(())) = digits.map(|digits| hex::decode_to_slice(digits, &mut signature)) else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret);
        hmac::verify(&key, body, &signature).is_ok()
    }
}

/// Per call; a verification that fails would be no measurement.
fn nanoseconds(calls: u32, verify: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        assert!(black_box(verify()), "the signature is valid");
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn allocations_of(verify: impl Fn() -> bool) -> u64 {
    let before = allocations::so_far();
    assert!(black_box(verify()), "the signature is valid");
    allocations::so_far().since(before).count
}
