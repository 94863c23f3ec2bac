//! PayPal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connect_webhook::keys::Keys;
use connect_webhook::{
    Acceptance, BuildError, Deduplicating, Delivery, Endpoint, FixedClock, Incoming, Receiver, Sink,
    SinkError, Verified, Verifier, VerifyError, async_trait, schemes,
};
use http::{HeaderMap, Request};

use super::support::{CERTIFICATE, NOW, Web, base64_signature, other_pair, pair};

const URL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-5d1a2b3c-77aa88bb";
const WEBHOOK_ID: &str = "4JH86294D6297924G";
const BODY: &[u8] = br#"{"id":"WH-1","event_type":"CHECKOUT.ORDER.APPROVED","resource":{"id":"5O1"}}"#;
/// By zlib's `crc32`.
const BODY_CRC32: &str = "1113763642";

fn verifier(keys: Keys) -> Verifier {
    Verifier::builder(&schemes::PAYPAL).webhook_id(WEBHOOK_ID).keys(keys).build().unwrap()
}

fn fixed() -> Verifier {
    verifier(Keys::fixed([(URL, CERTIFICATE)]))
}

fn delivery() -> HeaderMap {
    let signed =
        format!("69cd13f0-d67a-11e5-baa3-778b53f4ae55|2025-06-15T15:06:40Z|{WEBHOOK_ID}|{BODY_CRC32}");
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("paypal-transmission-id", "69cd13f0-d67a-11e5-baa3-778b53f4ae55"),
        ("paypal-transmission-time", "2025-06-15T15:06:40Z"),
        ("paypal-transmission-sig", &base64_signature(&pair(), signed.as_bytes())),
        ("paypal-cert-url", URL),
        ("paypal-auth-algo", "SHA256withRSA"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    headers
}

fn changed(name: &'static str, value: Option<&str>) -> HeaderMap {
    let mut headers = delivery();
    match value {
        Some(value) => headers.insert(name, value.parse().unwrap()),
        None => headers.remove(name),
    };
    headers
}

#[test]
fn a_delivery_verifies_whenever_it_was_sent() {
    let verification = fixed().verify(&delivery(), BODY, NOW).unwrap();
    assert_eq!((verification.key_index, verification.signed_at), (0, Some(NOW)));
    fixed().verify(&changed("paypal-auth-algo", None), BODY, NOW).unwrap();
}

#[test]
fn what_is_not_paypals_is_refused() {
    let other = base64_signature(&other_pair(), b"x");
    for (name, value, expected) in [
        ("paypal-transmission-id", Some("69cd13f0-d67a-11e5-baa3-778b53f4ae56"), "signature_mismatch"),
        ("paypal-transmission-time", Some("2025-06-15T15:06:41Z"), "signature_mismatch"),
        ("paypal-transmission-sig", Some(&*other), "signature_mismatch"),
        ("paypal-transmission-sig", Some("no base64!"), "bad_encoding"),
        ("paypal-cert-url", Some("https://evil.example/v1/notifications/certs/C"), "untrusted_key_url"),
        ("paypal-cert-url", Some("https://api.paypal.com/v1/notifications/certs/CERT-2"), "unknown_key"),
        ("paypal-auth-algo", Some("SHA1withRSA"), "no_matching_scheme"),
        ("paypal-auth-algo", Some(""), "no_matching_scheme"),
        ("paypal-transmission-id", None, "missing_header"),
        ("paypal-transmission-time", None, "missing_header"),
        ("paypal-transmission-sig", None, "missing_header"),
        ("paypal-cert-url", None, "missing_header"),
    ] {
        let error = fixed().verify(&changed(name, value), BODY, NOW).unwrap_err();
        assert_eq!(error.code(), expected, "{name} {value:?}");
    }
    assert_eq!(fixed().verify(&delivery(), b"{}", NOW), Err(VerifyError::SignatureMismatch));
    let another_webhook =
        Verifier::builder(&schemes::PAYPAL).webhook_id("X").keys(Keys::fixed([(URL, CERTIFICATE)]));
    assert_eq!(
        another_webhook.build().unwrap().verify(&delivery(), BODY, NOW),
        Err(VerifyError::SignatureMismatch)
    );
}

#[test]
fn a_header_that_occurs_twice_is_refused() {
    for name in ["paypal-transmission-id", "paypal-transmission-sig", "paypal-cert-url", "paypal-auth-algo"] {
        let mut headers = delivery();
        headers.append(name, "other".parse().unwrap());
        assert_eq!(fixed().verify(&headers, BODY, NOW).unwrap_err().code(), "duplicate_header", "{name}");
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Another body with this checksum: of 48 letters between `head` and `tail`, those are changed whose effects add up to
/// the difference.
fn forged(target: u32, head: &str, tail: &str) -> String {
    let mut body = [head, &"a".repeat(48), tail].concat().into_bytes();
    let wanted = crc32(&body);
    let mut effects: Vec<(u32, u64)> = (0..48)
        .map(|index| {
            let mut changed = body.clone();
            changed[head.len() + index] = b'c';
            (crc32(&changed) ^ wanted, 1 << index)
        })
        .collect();
    let (mut missing, mut chosen) = (wanted ^ target, 0);
    for bit in 0..32 {
        let has_bit = |effect: u32| (effect >> bit) & 1 == 1;
        let Some(place) = effects.iter().position(|(effect, _)| has_bit(*effect)) else { continue };
        let (effect, letters) = effects.swap_remove(place);
        for other in effects.iter_mut().filter(|other| has_bit(other.0)) {
            *other = (other.0 ^ effect, other.1 ^ letters);
        }
        if has_bit(missing) {
            (missing, chosen) = (missing ^ effect, chosen ^ letters);
        }
    }
    for index in (0..48).filter(|index| (chosen >> index) & 1 == 1) {
        body[head.len() + index] = b'c';
    }
    assert_eq!(crc32(&body), target);
    String::from_utf8(body).unwrap()
}

/// Counts.
#[derive(Default)]
struct Taken(AtomicUsize);

#[async_trait]
impl Sink for Taken {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Acceptance::Accepted)
    }
}

#[tokio::test]
async fn one_captured_delivery_gives_one_event_whatever_bodies_are_forged_under_it() {
    let sink = Arc::new(Taken::default());
    let receiver = Receiver::builder()
        .endpoint(Endpoint::new("default", "paypal", fixed()))
        .sink(Deduplicating::new(Arc::clone(&sink)))
        .clock(FixedClock::new(NOW))
        .build()
        .unwrap();
    let send = async |headers: HeaderMap, body: String| {
        let mut request = Request::post("/").header("content-type", "application/json").body(()).unwrap();
        request.headers_mut().extend(headers);
        let (parts, ()) = request.into_parts();
        receiver.receive_bytes("default", "paypal", &parts, body.into()).await.status()
    };
    let target = BODY_CRC32.parse().unwrap();
    assert_eq!(send(delivery(), String::from_utf8(BODY.to_vec()).unwrap()).await, 200);
    for number in 2..6 {
        let head = format!(r#"{{"id":"WH-{number}","event_type":"PAYMENT.CAPTURE.COMPLETED","x":""#);
        assert_eq!(send(delivery(), forged(target, &head, "\"}")).await, 200, "it verifies");
    }
    // The line between id and time is not signed.
    let mut moved =
        changed("paypal-transmission-id", Some("69cd13f0-d67a-11e5-baa3-778b53f4ae55|2025-06-15T15:06:40Z"));
    moved.insert("paypal-transmission-time", WEBHOOK_ID.parse().unwrap());
    assert_ne!(send(moved, forged(target, r#"{"id":"WH-9","x":""#, "\"}")).await, 200);
    assert_eq!(sink.0.load(Ordering::Relaxed), 1);
}

#[test]
fn no_verifier_without_the_webhooks_id() {
    let built = Verifier::builder(&schemes::PAYPAL).keys(Keys::fixed([(URL, CERTIFICATE)])).build();
    assert!(matches!(built, Err(BuildError::Missing { call: ".webhook_id(..)", .. })), "{built:?}");
}

#[tokio::test]
async fn the_certificate_is_fetched_unless_it_is_somewhere_else() {
    let web = Web::with(URL, CERTIFICATE);
    let verifier = verifier(Keys::new(web.clone()));
    for headers in [
        changed("paypal-cert-url", Some("https://api.paypal.com.evil.com/v1/notifications/certs/C")),
        changed("paypal-cert-url", Some("https://evil@api.paypal.com/v1/notifications/certs/C")),
        changed("paypal-transmission-id", None),
        changed("paypal-transmission-sig", Some("no base64!")),
    ] {
        verifier.ready(&Incoming::post(&headers, BODY), NOW).await.unwrap();
    }
    assert_eq!(web.fetches(), 0);
    assert_eq!(verifier.verify(&delivery(), BODY, NOW), Err(VerifyError::UnknownKey));
    verifier.ready(&Incoming::post(&delivery(), BODY), NOW).await.unwrap();
    verifier.verify(&delivery(), BODY, NOW).unwrap();
    assert_eq!(web.fetches(), 1);
}
