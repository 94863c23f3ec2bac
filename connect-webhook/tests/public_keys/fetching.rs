//! How keys are fetched, kept and changed.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use bytes::Bytes;
use connect_webhook::keys::{FetchError, FetchKeys, Keys, KeysError};
use connect_webhook::{Incoming, UnixTime, Verification, Verifier, VerifyError, async_trait, schemes};
use futures_util::future::{join_all, select};
use http::HeaderMap;
use tokio::sync::Semaphore;

use super::support::{CERTIFICATE, NOW, OTHER_CERTIFICATE, Web, jwk, other_pair, pair, set};
use super::{pubsub, sns};

fn after(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

fn verifier(web: &Web) -> Verifier {
    pubsub::builder().keys(Keys::new(web.clone())).build().unwrap()
}

async fn ready(verifier: &Verifier, key_id: &str, now: UnixTime) -> Result<(), KeysError> {
    verifier.ready(&Incoming::post(&pubsub::delivery(key_id, now), b"{}"), now).await
}

fn verify(verifier: &Verifier, key_id: &str, now: UnixTime) -> Result<Verification, VerifyError> {
    verifier.verify(&pubsub::delivery(key_id, now), b"{}", now)
}

fn web() -> Web {
    Web::with(pubsub::URL, &set(&[jwk(&pair(), "k1")]))
}

#[tokio::test]
async fn twenty_requests_at_once_make_one_fetch() {
    let web = web();
    let verifier = verifier(&web);
    let results = join_all((0..20).map(|_| ready(&verifier, "k1", NOW))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(web.fetches(), 1);
    verify(&verifier, "k1", NOW).unwrap();
}

#[tokio::test]
async fn twenty_requests_at_once_fail_by_one_fetch() {
    let web = Web::default();
    let verifier = verifier(&web);
    for result in join_all((0..20).map(|_| ready(&verifier, "k1", NOW))).await {
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.retry_after().as_secs()), ("key_fetch_failed", 10));
        assert!(
            error.to_string().contains(pubsub::URL) && error.to_string().contains("no such address"),
            "{error}"
        );
    }
    assert_eq!(web.fetches(), 1);
    assert_eq!(verify(&verifier, "k1", NOW), Err(VerifyError::UnknownKey));
}

#[tokio::test]
async fn a_request_that_goes_away_leaves_its_fetch_to_the_next() {
    let mut web = web();
    let gate = Arc::new(Semaphore::new(0));
    web.gate = Some(Arc::clone(&gate));
    let verifier = verifier(&web);
    for _ in 0..10 {
        let patience = async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
        };
        select(Box::pin(ready(&verifier, "k1", NOW)), Box::pin(patience)).await;
    }
    gate.add_permits(1);
    ready(&verifier, "k1", NOW).await.unwrap();
    assert_eq!(web.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_that_panics_does_not_stop_the_next() {
    struct Clumsy(Web, AtomicBool);

    #[async_trait]
    impl FetchKeys for Clumsy {
        async fn fetch(&self, url: &str) -> Result<Bytes, FetchError> {
            assert!(self.1.swap(true, Ordering::Relaxed), "a panic that this test wants");
            self.0.fetch(url).await
        }
    }

    let keys = Keys::new(Clumsy(web(), AtomicBool::new(false)));
    let verifier = pubsub::builder().keys(keys).build().unwrap();
    let clone = verifier.clone();
    tokio::spawn(async move { ready(&clone, "k1", NOW).await }).await.unwrap_err();
    ready(&verifier, "k1", NOW).await.unwrap();
    verify(&verifier, "k1", NOW).unwrap();
}

#[tokio::test]
async fn a_failure_is_not_repeated_for_ten_seconds() {
    let web = Web::default();
    let verifier = verifier(&web);
    for (seconds, fetches) in [(0, 1), (5, 1), (9, 1), (10, 2), (19, 2)] {
        assert!(ready(&verifier, "k1", after(seconds)).await.is_err());
        assert_eq!(web.fetches(), fetches, "{seconds}");
    }
    web.put(pubsub::URL, &set(&[jwk(&pair(), "k1")]));
    ready(&verifier, "k1", after(20)).await.unwrap();
    verify(&verifier, "k1", after(20)).unwrap();
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_in_thirty_seconds() {
    let web = web();
    let verifier = verifier(&web);
    ready(&verifier, "k1", NOW).await.unwrap();
    for (seconds, key_id, fetches) in
        [(1, "a", 1), (29, "b", 1), (30, "c", 2), (31, "d", 2), (59, "e", 2), (60, "f", 3)]
    {
        ready(&verifier, key_id, after(seconds)).await.unwrap();
        assert_eq!(verify(&verifier, key_id, after(seconds)), Err(VerifyError::UnknownKey));
        assert_eq!(web.fetches(), fetches, "{seconds}");
    }
}

#[tokio::test]
async fn a_new_key_is_found_when_it_is_first_used() {
    let web = web();
    let verifier = verifier(&web);
    ready(&verifier, "k1", NOW).await.unwrap();
    web.put(pubsub::URL, &set(&[jwk(&pair(), "k2")]));
    ready(&verifier, "k2", after(60)).await.unwrap();
    verify(&verifier, "k2", after(60)).unwrap();
    // What the provider has taken out is out.
    assert_eq!(verify(&verifier, "k1", after(60)), Err(VerifyError::UnknownKey));
}

#[tokio::test]
async fn keys_are_fetched_again_after_an_hour_and_kept_for_a_day_if_that_fails() {
    let web = web();
    let verifier = verifier(&web);
    ready(&verifier, "k1", NOW).await.unwrap();
    ready(&verifier, "k1", after(3599)).await.unwrap();
    assert_eq!(web.fetches(), 1);
    web.clear();
    for (seconds, fetches) in [(3600, 2), (3605, 2), (3610, 3), (86_399, 4)] {
        ready(&verifier, "k1", after(seconds)).await.unwrap();
        verify(&verifier, "k1", after(seconds)).unwrap();
        assert_eq!(web.fetches(), fetches, "{seconds}");
    }
    assert!(ready(&verifier, "k1", after(86_410)).await.is_err());
    assert_eq!(verify(&verifier, "k1", after(86_410)), Err(VerifyError::UnknownKey));

    web.put(pubsub::URL, "<html>please log in</html>");
    let error = ready(&verifier, "k1", after(86_420)).await.unwrap_err();
    assert_eq!(error.code(), "key_unreadable");
}

#[tokio::test]
async fn while_old_keys_are_fetched_again_nobody_else_waits() {
    let mut web = web();
    let gate = Arc::new(Semaphore::new(1));
    web.gate = Some(Arc::clone(&gate));
    let verifier = verifier(&web);
    ready(&verifier, "k1", NOW).await.unwrap();

    let mut first = Box::pin(ready(&verifier, "k1", after(3600)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut cx).is_pending());
    ready(&verifier, "k1", after(3600)).await.unwrap();
    verify(&verifier, "k1", after(3600)).unwrap();
    gate.add_permits(1);
    first.await.unwrap();
    assert_eq!(web.fetches(), 2);
}

#[tokio::test]
async fn a_clock_that_steps_back_causes_no_flood() {
    let web = web();
    let verifier = verifier(&web);
    ready(&verifier, "k1", NOW).await.unwrap();
    for seconds in [-5, -600, -3599] {
        ready(&verifier, "k1", after(seconds)).await.unwrap();
        verify(&verifier, "k1", after(seconds)).unwrap();
    }
    assert_eq!(web.fetches(), 1);
}

fn sns_body(file: &str) -> Vec<u8> {
    let mut message = sns::notification();
    message["SigningCertURL"] = format!("https://sns.eu-central-1.amazonaws.com/{file}.pem").into();
    sns::signed(message, &pair())
}

#[tokio::test]
async fn junk_certificates_are_fetched_thirty_times_a_minute_at_most() {
    let web = Web::with(sns::URL, CERTIFICATE);
    let keys = Keys::new(web.clone());
    let verifier = sns::builder().keys(keys.clone()).build().unwrap();
    let headers = HeaderMap::new();
    let genuine = sns::signed(sns::notification(), &pair());
    verifier.ready(&Incoming::post(&headers, &genuine), NOW).await.unwrap();

    let mut busy = 0;
    for number in 0..200 {
        let body = sns_body(&format!("junk-{number}"));
        let error = verifier.ready(&Incoming::post(&headers, &body), after(1)).await.unwrap_err();
        busy += usize::from(matches!(error, KeysError::Busy));
    }
    assert_eq!((web.fetches(), busy), (30, 171));
    // The key that is known was neither forgotten nor is it part of that budget.
    verifier.verify(&headers, &genuine, after(1)).unwrap();
    verifier.ready(&Incoming::post(&headers, &genuine), after(3600)).await.unwrap();
    assert_eq!(web.fetches(), 31);
    assert_eq!(format!("{keys:?}"), "Keys { addresses: 64, .. }");
    let body = sns_body("junk-1");
    assert!(verifier.ready(&Incoming::post(&headers, &body), after(3600)).await.is_err());
    assert_eq!(web.fetches(), 32);
}

#[tokio::test]
async fn junk_at_one_provider_does_not_keep_another_ones_deliveries_out() {
    let web = Web::with(sns::URL, CERTIFICATE);
    let keys = Keys::new(web.clone());
    let paypal = Verifier::builder(&schemes::PAYPAL)
        .webhook_id("4JH86294D6297924G")
        .keys(keys.clone())
        .build()
        .unwrap();
    let mut headers = HeaderMap::new();
    for name in ["id", "time", "sig"] {
        let name = http::HeaderName::try_from(format!("paypal-transmission-{name}")).unwrap();
        headers.insert(name, "AAAA".parse().unwrap());
    }
    for number in 0..200 {
        // Any number of hosts is as good as one.
        let url = format!("https://h{number}.paypal.com/v1/notifications/certs/{number}");
        headers.insert("paypal-cert-url", url.parse().unwrap());
        assert!(paypal.ready(&Incoming::post(&headers, b"{}"), NOW).await.is_err());
    }
    assert_eq!(web.fetches(), 30);

    let verifier = sns::builder().keys(keys).build().unwrap();
    let (headers, genuine) = (HeaderMap::new(), sns::signed(sns::notification(), &pair()));
    verifier.ready(&Incoming::post(&headers, &genuine), NOW).await.unwrap();
    verifier.verify(&headers, &genuine, NOW).unwrap();
}

#[tokio::test]
async fn a_text_that_is_too_large_is_not_taken() {
    let large = format!("{}{CERTIFICATE}", "x\n".repeat(128 * 1024));
    let web = Web::with(sns::URL, &large);
    let verifier = sns::builder().keys(Keys::new(web)).build().unwrap();
    let (headers, body) = (HeaderMap::new(), sns::signed(sns::notification(), &pair()));
    let error = verifier.ready(&Incoming::post(&headers, &body), NOW).await.unwrap_err();
    assert_eq!(error.code(), "key_unreadable");
}

#[tokio::test]
async fn a_new_certificate_replaces_the_old_one() {
    let web = Web::with(sns::URL, OTHER_CERTIFICATE);
    let verifier = sns::builder().keys(Keys::new(web.clone())).build().unwrap();
    let (headers, body) = (HeaderMap::new(), sns::signed(sns::notification(), &pair()));
    let incoming = Incoming::post(&headers, &body);
    verifier.ready(&incoming, NOW).await.unwrap();
    assert_eq!(verifier.verify(&headers, &body, NOW), Err(VerifyError::SignatureMismatch));
    web.put(sns::URL, CERTIFICATE);
    verifier.ready(&incoming, after(3600)).await.unwrap();
    verifier.verify(&headers, &body, after(3600)).unwrap();
}

#[tokio::test]
async fn fixed_keys_are_never_fetched_and_never_old() {
    let keys = Keys::fixed([(pubsub::URL.to_owned(), set(&[jwk(&pair(), "k1"), jwk(&other_pair(), "k2")]))]);
    assert_eq!(format!("{keys:?}"), "Keys { addresses: 1, .. }");
    let verifier = pubsub::builder().keys(keys).build().unwrap();
    for key_id in ["k1", "k9"] {
        ready(&verifier, key_id, after(1800)).await.unwrap();
    }
    verify(&verifier, "k1", after(1800)).unwrap();
    assert_eq!(verify(&verifier, "k9", after(1800)), Err(VerifyError::UnknownKey));
}
