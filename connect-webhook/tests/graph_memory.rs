//! What a hostile list in a notification of Microsoft Graph costs. A file of its own, because memory is measured for the
//! whole process: one test.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use connect_webhook::{Incoming, UnixTime, Verifier, VerifyError, schemes};
use http::HeaderMap;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const NOW: UnixTime = UnixTime(1_750_000_000);

/// How many bytes more this needs at its worst moment.
fn peak(act: impl FnOnce()) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    act();
    MEMORY.peak_usage().saturating_sub(before)
}

#[test]
fn a_list_that_is_too_long_is_refused_before_it_is_collected() {
    let builder = || Verifier::builder(&schemes::MICROSOFT_GRAPH).secret("client state secret".into());
    let limit = schemes::MICROSOFT_GRAPH.body_limit_bytes;
    let full = |name: &str, unit: &str, last: &str| {
        format!(r#"{{"{name}":[{}{last}]}}"#, unit.repeat((limit - 40) / unit.len()))
    };
    let headers = HeaderMap::new();
    for body in [
        full("value", "{},", "{}"),
        full("value", r#"{"clientState":"a"},"#, "{}"),
        full("validationTokens", r#""","#, r#""""#),
        full("validationTokens", r#""aaa","#, r#""""#),
    ] {
        let incoming = Incoming::post(&headers, body.as_bytes());
        let verifier = builder().build().unwrap();
        let needed = peak(|| {
            assert_eq!(verifier.verify_request(&incoming, NOW), Err(VerifyError::MalformedBody));
        });
        assert!(needed < 4 * body.len(), "{needed} for {} bytes", body.len());

        #[cfg(feature = "asymmetric")]
        {
            let keys = connect_webhook::keys::Keys::fixed([] as [(&str, &str); 0]);
            let verifier = builder().keys(keys).audience("app").build().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let needed = peak(|| runtime.block_on(verifier.ready(&incoming, NOW)).unwrap());
            assert!(needed < 4 * body.len(), "{needed} for {} bytes", body.len());
        }
    }
}
