//! AWS SNS.

use connect_webhook::keys::Keys;
use connect_webhook::{BuildError, Incoming, Verifier, VerifierBuilder, VerifyError, schemes};
use http::HeaderMap;
use ring::signature::RsaKeyPair;
use serde_json::{Value, json};

use super::support::{CERTIFICATE, NOW, OTHER_CERTIFICATE, Web, base64_signature, other_pair, pair};

pub(crate) const TOPIC: &str = "arn:aws:sns:eu-central-1:210987654321:invoices";
pub(crate) const URL: &str = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-7f3a.pem";

pub(crate) fn builder() -> VerifierBuilder {
    Verifier::builder(&schemes::AWS_SNS).topic("arn:aws:sns:eu-central-1:210987654321:other").topic(TOPIC)
}

fn verifier() -> Verifier {
    builder().keys(Keys::fixed([(URL, CERTIFICATE)])).build().unwrap()
}

pub(crate) fn notification() -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "0d5e3a4c-93f1-5b2d-8a86-6a2f6d6f4f11",
        "TopicArn": TOPIC,
        "Subject": "Invoice paid",
        "Message": "{\"invoice\":\"2025-17\",\n\"paid\":\"für immer\"}",
        "Timestamp": "2025-06-15T15:06:40.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": { "kind": { "Type": "String", "Value": "invoice" } },
    })
}

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37f",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37f",
        "Timestamp": "2025-06-15T15:06:40.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": URL,
    })
}

/// Signs the fields that SNS documents, by an order written out here once more.
pub(crate) fn signed(mut message: Value, pair: &RsaKeyPair) -> Vec<u8> {
    let names: &[&str] = match message["Type"].as_str() {
        Some("Notification") => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let line = |name: &&str| message[*name].as_str().map(|value| format!("{name}\n{value}\n"));
    let text: String = names.iter().filter_map(line).collect();
    message["Signature"] = base64_signature(pair, text.as_bytes()).into();
    message.to_string().into_bytes()
}

fn code(body: &[u8]) -> &'static str {
    verifier().verify(&HeaderMap::new(), body, NOW).as_ref().map_or_else(VerifyError::code, |_| "ok")
}

fn without(mut message: Value, name: &str) -> Value {
    message.as_object_mut().unwrap().remove(name);
    message
}

fn with(mut message: Value, name: &str, value: impl Into<Value>) -> Value {
    message[name] = value.into();
    message
}

#[test]
fn every_kind_of_message_verifies() {
    let verification = verifier().verify(&HeaderMap::new(), &signed(notification(), &pair()), NOW).unwrap();
    assert_eq!((verification.key_index, verification.signed_at), (0, Some(NOW)));
    for message in [
        without(notification(), "Subject"),
        with(notification(), "Subject", Value::Null),
        with(notification(), "Message", ""),
        confirmation(),
        with(confirmation(), "Type", "UnsubscribeConfirmation"),
        // Repeated for days with its first timestamp.
        with(notification(), "Timestamp", "2025-06-01T00:00:00.000Z"),
    ] {
        assert_eq!(code(&signed(message.clone(), &pair())), "ok", "{message}");
    }
}

#[test]
fn a_change_of_any_signed_field_is_a_mismatch() {
    for (message, names) in [
        (notification(), &["Message", "MessageId", "Subject", "Timestamp", "Type"][..]),
        (confirmation(), &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "Type"]),
    ] {
        let message: Value = serde_json::from_slice(&signed(message, &pair())).unwrap();
        for name in names {
            let value = match (*name, message["Type"].as_str()) {
                ("Type", Some("Notification")) => "SubscriptionConfirmation",
                ("Type", _) => "UnsubscribeConfirmation",
                _ => "changed",
            };
            let mut changed = with(message.clone(), name, value);
            if value == "SubscriptionConfirmation" {
                changed["Token"] = "t".into();
                changed["SubscribeURL"] = "https://sns.eu-central-1.amazonaws.com/".into();
            }
            assert_eq!(code(changed.to_string().as_bytes()), "signature_mismatch", "{name}");
        }
        let without_subject = without(message.clone(), "Subject");
        if message.get("Subject").is_some() {
            assert_eq!(code(without_subject.to_string().as_bytes()), "signature_mismatch");
        }
    }
}

#[test]
fn text_cannot_be_moved_from_one_field_into_the_next() {
    // Whoever may publish can choose a message that holds the lines of other fields.
    let message = with(with(notification(), "Message", "a\nMessageId\nb"), "MessageId", "c");
    let body = signed(message, &pair());
    assert_eq!(code(&body), "ok");
    let mut moved: Value = serde_json::from_slice(&body).unwrap();
    moved["Message"] = "a".into();
    moved["MessageId"] = "b\nMessageId\nc".into();
    assert_eq!(code(moved.to_string().as_bytes()), "malformed_body");
}

#[test]
fn what_is_not_snss_is_refused() {
    for (message, expected) in [
        (with(notification(), "TopicArn", "arn:aws:sns:eu-central-1:666:invoices"), "claim_mismatch"),
        (with(notification(), "SigningCertURL", "https://evil.example/a.pem"), "untrusted_key_url"),
        (with(notification(), "SigningCertURL", URL.replace("https", "http")), "untrusted_key_url"),
        (with(notification(), "SigningCertURL", URL.replace("7f3a", "0000")), "unknown_key"),
        (with(notification(), "SignatureVersion", "1"), "no_matching_scheme"),
        (with(notification(), "SignatureVersion", "3"), "no_matching_scheme"),
        (with(notification(), "Type", "Other"), "malformed_body"),
        (with(notification(), "Message", 7), "malformed_body"),
        (without(notification(), "Type"), "missing_field"),
        (without(notification(), "Message"), "missing_field"),
        (without(notification(), "TopicArn"), "missing_field"),
        (without(notification(), "SigningCertURL"), "missing_field"),
        (without(notification(), "SignatureVersion"), "missing_field"),
        (without(confirmation(), "Token"), "missing_field"),
        (without(confirmation(), "SubscribeURL"), "missing_field"),
    ] {
        assert_eq!(code(&signed(message.clone(), &pair())), expected, "{message}");
    }
    assert_eq!(code(&signed(notification(), &other_pair())), "signature_mismatch");
    assert_eq!(code(notification().to_string().as_bytes()), "missing_field");
    for (value, expected) in
        [("?", "bad_encoding"), ("", "signature_mismatch"), ("AAAA", "signature_mismatch")]
    {
        assert_eq!(
            code(with(notification(), "Signature", value).to_string().as_bytes()),
            expected,
            "{value}"
        );
    }
    let long = with(notification(), "Signature", "A".repeat(4000));
    assert_eq!(code(long.to_string().as_bytes()), "bad_encoding");
    for body in [&b""[..], b"{}", b"[]", b"raw message delivery", b"\xff"] {
        assert!(["malformed_body", "missing_field"].contains(&code(body)));
    }
}

#[test]
fn a_field_that_occurs_twice_is_refused() {
    let body = String::from_utf8(signed(notification(), &pair())).unwrap();
    let twice = body.replacen('{', r#"{"Message":"evil","#, 1);
    assert_eq!(code(twice.as_bytes()), "malformed_body");
}

#[test]
fn a_message_of_anothers_topic_is_refused_though_sns_signed_it() {
    let anothers = with(notification(), "TopicArn", "arn:aws:sns:eu-central-1:666:evil");
    let body = signed(anothers, &pair());
    let expected = Err(VerifyError::ClaimMismatch { claim: "TopicArn" });
    assert_eq!(verifier().verify(&HeaderMap::new(), &body, NOW), expected);
    // Not that its key is missing, which nobody fetches for it.
    let without_keys = builder().keys(Keys::new(Web::default())).build().unwrap();
    assert_eq!(without_keys.verify(&HeaderMap::new(), &body, NOW), expected);
}

#[tokio::test]
async fn a_certificate_of_another_region_than_the_topics_is_neither_fetched_nor_believed() {
    let china = "arn:aws-cn:sns:cn-north-1:210987654321:invoices";
    let host = |rest: &str| format!("https://sns.{rest}/SimpleNotificationService-7f3a.pem");
    for (topic, url, expected) in [
        (TOPIC, host("us-east-1.amazonaws.com"), "untrusted_key_url"),
        (TOPIC, host("eu-central-1.amazonaws.com.cn"), "untrusted_key_url"),
        (TOPIC, host("cn-north-1.amazonaws.com.cn"), "untrusted_key_url"),
        (TOPIC, host("eu-central-1.amazonaws.com"), "ok"),
        (china, host("cn-north-1.amazonaws.com.cn"), "ok"),
        (china, host("cn-north-1.amazonaws.com"), "untrusted_key_url"),
        (china, host("cn-northwest-1.amazonaws.com.cn"), "untrusted_key_url"),
        (china, host("eu-central-1.amazonaws.com"), "untrusted_key_url"),
    ] {
        let web = Web::with(&url, CERTIFICATE);
        let verifier = Verifier::builder(&schemes::AWS_SNS).topic(topic).keys(Keys::new(web.clone()));
        let verifier = verifier.build().unwrap();
        let body =
            signed(with(with(notification(), "TopicArn", topic), "SigningCertURL", url.clone()), &pair());
        let headers = HeaderMap::new();
        verifier.ready(&Incoming::post(&headers, &body), NOW).await.unwrap();
        let result = verifier.verify(&headers, &body, NOW);
        assert_eq!(result.as_ref().map_or_else(VerifyError::code, |_| "ok"), expected, "{topic} {url}");
        assert_eq!(web.fetches(), usize::from(expected == "ok"), "{topic} {url}");
    }
}

#[test]
fn the_header_must_name_the_same_kind_if_it_is_there() {
    let body = signed(notification(), &pair());
    for (kinds, expected) in [
        (&["Notification"][..], Ok(())),
        (&["SubscriptionConfirmation"], Err(VerifyError::ClaimMismatch { claim: "Type" })),
        (&["Notification", "x"], Err(VerifyError::ClaimMismatch { claim: "Type" })),
    ] {
        let mut headers = HeaderMap::new();
        for kind in kinds {
            headers.append("x-amz-sns-message-type", kind.parse().unwrap());
        }
        assert_eq!(verifier().verify(&headers, &body, NOW).map(|_| ()), expected, "{kinds:?}");
    }
}

#[test]
fn sha1_is_taken_only_where_the_host_allows_it() {
    // `ring` makes no SHA-1 signatures; this one is by openssl with `private.pk8`.
    let mut message = with(notification(), "SignatureVersion", "1");
    message["Signature"] = include_str!("../keys/sns_sha1_signature.txt").trim().into();
    let body = message.to_string();
    let strict = verifier().verify(&HeaderMap::new(), body.as_bytes(), NOW).unwrap_err();
    assert!(strict.to_string().contains("allow_weak"), "{strict}");

    let lax = builder().keys(Keys::fixed([(URL, CERTIFICATE)])).allow_weak().build().unwrap();
    lax.verify(&HeaderMap::new(), body.as_bytes(), NOW).unwrap();
    lax.verify(&HeaderMap::new(), &signed(notification(), &pair()), NOW).unwrap();
    // One version's signature is none of the other's.
    let relabelled = with(message, "SignatureVersion", "2").to_string();
    assert_eq!(
        lax.verify(&HeaderMap::new(), relabelled.as_bytes(), NOW),
        Err(VerifyError::SignatureMismatch)
    );
}

#[test]
fn no_verifier_without_topic_or_keys() {
    let keys = || Keys::fixed([(URL, CERTIFICATE)]);
    let no_topic = Verifier::builder(&schemes::AWS_SNS).keys(keys()).build();
    assert!(matches!(no_topic, Err(BuildError::Missing { call: ".topic(..)", .. })), "{no_topic:?}");
    let no_keys = builder().build();
    assert!(matches!(no_keys, Err(BuildError::Missing { call: ".keys(..)", .. })), "{no_keys:?}");
}

#[test]
fn another_certificate_at_the_address_is_a_mismatch() {
    let verifier = builder().keys(Keys::fixed([(URL, OTHER_CERTIFICATE)])).build().unwrap();
    let body = signed(notification(), &pair());
    assert_eq!(verifier.verify(&HeaderMap::new(), &body, NOW), Err(VerifyError::SignatureMismatch));
}

#[tokio::test]
async fn nothing_is_fetched_for_what_will_be_refused() {
    let web = Web::with(URL, CERTIFICATE);
    let verifier = builder().keys(Keys::new(web.clone())).build().unwrap();
    let headers = HeaderMap::new();
    for message in [
        with(notification(), "SigningCertURL", "https://evil.example/a.pem"),
        with(notification(), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com.evil.com/a.pem"),
        with(notification(), "SigningCertURL", "https://169.254.169.254/a.pem"),
        with(notification(), "TopicArn", "arn:aws:sns:eu-central-1:666:invoices"),
        without(notification(), "MessageId"),
        with(notification(), "Type", "Other"),
    ] {
        let body = signed(message, &pair());
        verifier.ready(&Incoming::post(&headers, &body), NOW).await.unwrap();
    }
    verifier.ready(&Incoming::post(&headers, b"junk"), NOW).await.unwrap();
    assert_eq!(web.fetches(), 0);

    let body = signed(notification(), &pair());
    verifier.ready(&Incoming::post(&headers, &body), NOW).await.unwrap();
    verifier.verify(&headers, &body, NOW).unwrap();
    assert_eq!(web.fetches(), 1);
}
