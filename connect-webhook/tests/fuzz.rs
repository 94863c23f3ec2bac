//! The fuzz targets' bodies over seeded bytes: no panic, and no allocation above the cap.
//!
//! `CONNECT_CASES=100000 cargo test -p connect-webhook --all-features --test fuzz` runs more of them; cargo-fuzz runs
//! them without end: `cargo +nightly fuzz run headers` in `connect-webhook`.

#![cfg(feature = "asymmetric")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod fuzz_bodies;

use fuzz_bodies::TARGETS;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const LONGEST_INPUT_BYTES: usize = 16 * 1024;

/// Many times the input, and still far below what would hurt a server.
const MOST_MEMORY_BYTES: usize = 4 * 1024 * 1024;

/// Pieces of what the providers send.
const SNIPPETS: [&[u8]; 34] = [
    b"sha256=",
    b"v0=",
    b"t=1750000000,v1=",
    b"ts=1750000000;h1=",
    b"v1,",
    b"v1a,",
    b"v1, v1, v1,AAAA",
    b"1750000000",
    b"1750000000000",
    b"2025-06-15T15:06:40.634234626Z",
    b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    b"ZzlwdHkP3FwJ6TBaCf+6ekDWTgrCSFKrPWJITe18jRU=",
    b"Basic dXNlcjpwYXNz",
    b"JWT eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    b"eyJhbGciOiJub25lIn0.e30.",
    b"eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJleHAiOjF9.c2ln",
    b"{\"Type\":\"Notification\",\"SignatureVersion\":\"2\",\"Signature\":\"AAAA\",",
    b"\"SigningCertURL\":\"https://sns.us-west-2.amazonaws.com/x.pem\"",
    b"\"TopicArn\":\"arn:aws:sns:us-west-2:123456789012:MyTopic\"}",
    b"https://sns.us-west-2.amazonaws.com/SimpleNotificationService.pem",
    b"payload=%7B%7D&a=b&a=c+d&%zz=%",
    b"mandrill_events=%5B%5D",
    b"timestamp=1750000000&token=x&signature=00",
    b"{\"signature\":{\"timestamp\":\"1750000000\",\"token\":\"x\",\"signature\":\"00\"}}",
    b"[{\"eventId\":1},{\"eventId\":2}]",
    b"{\"notificationItems\":[{\"NotificationRequestItem\":{\"additionalData\":{\"hmacSignature\":\"AA==\"}}}]}",
    b"[[[[[[[[[[[[[[[[[[[[",
    b"{\"a\":1e999}",
    b"\"\\ud800\"",
    b"&&==;;,,\n\n",
    b"bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    b"\xff\xfe\x00",
    b"%00%ff%2",
    b"'%27",
];

#[test]
fn arbitrary_bytes_do_no_harm() {
    #[expect(clippy::disallowed_methods, reason = "how long to look is the caller's choice")]
    let cases = std::env::var("CONNECT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500);
    for (name, target) in TARGETS {
        // Tables are made at the first call.
        target(b"\0");
        let mut random = fastrand::Rng::with_seed(4711);
        for case in 0..cases {
            let input = input(&mut random);
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            target(&input);
            let peak = MEMORY.peak_usage().saturating_sub(before);
            assert!(
                peak < MOST_MEMORY_BYTES,
                "{name}, case {case}: {peak} bytes for {} of input",
                input.len()
            );
        }
    }
}

fn input(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = vec![random.u8(..)];
    for _ in 0..random.usize(..12) {
        match random.u8(..8) {
            0 => bytes.extend((0..random.usize(..40)).map(|_| random.u8(..))),
            1 => bytes.extend((0..random.usize(..40)).map(|_| random.u8(b' '..=b'~'))),
            2 => bytes.push(b'\n'),
            3 if bytes.len() > 1 => {
                let at = random.usize(1..bytes.len());
                bytes[at] = random.u8(..);
            }
            4 if random.u8(..) == 0 => bytes.resize(LONGEST_INPUT_BYTES, random.u8(..)),
            _ => bytes.extend_from_slice(random.choice(&SNIPPETS).unwrap()),
        }
    }
    bytes
}
