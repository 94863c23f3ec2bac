//! Private keys as people paste them, and the assertions they sign.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use connect_core::{Error, ErrorKind, Secret};
use connect_oauth::jwt::{Algorithm, Assertion, EcKey, RsaKey, Signer};
use ring::signature::{self, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

const RSA: &str = include_str!("keys/rsa-2048.test-only.pem");
const RSA_PKCS1: &str = include_str!("keys/rsa-2048-pkcs1.test-only.pem");
const RSA_1024: &str = include_str!("keys/rsa-1024.test-only.pem");
const RSA_PSS: &str = include_str!("keys/rsa-pss.test-only.pem");
const EC: &str = include_str!("keys/ec-p256.test-only.pem");
const EC_SEC1: &str = include_str!("keys/ec-p256-sec1.test-only.pem");
const EC_384: &str = include_str!("keys/ec-p384.test-only.pem");
const ED25519: &str = include_str!("keys/ed25519.test-only.pem");
const ENCRYPTED: &str = include_str!("keys/encrypted.test-only.pem");
const ENCRYPTED_OLD: &str = include_str!("keys/encrypted-old.test-only.pem");
const PUBLIC: &str = include_str!("keys/public.test-only.pem");
const CERTIFICATE: &str = include_str!("keys/certificate.test-only.pem");
const OPENSSH: &str = include_str!("keys/openssh.test-only.pem");

fn body(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn der(pem: &str) -> Vec<u8> {
    STANDARD.decode(body(pem)).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

async fn rsa_signs(key: &RsaKey) -> bool {
    let signed = key.sign(b"input").await.unwrap();
    let pair = ring::rsa::KeyPair::from_pkcs8(&der(RSA)).unwrap();
    let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    public.verify(b"input", &signed).is_ok()
}

#[tokio::test]
async fn an_rsa_key_is_read_however_it_was_pasted() {
    let pasted = [
        RSA.to_owned(),
        RSA_PKCS1.to_owned(),
        RSA.replace('\n', "\\n"),
        RSA.replace('\n', "\r\n"),
        RSA.replace('\n', "\\r\\n"),
        RSA.replace('\n', " "),
        format!("\"{}\"", RSA.replace('\n', "\\n")),
        format!("\n\n  {RSA}\n\n"),
        format!("Bag Attributes: <none>\n{RSA}"),
        STANDARD.encode(RSA),
        STANDARD_NO_PAD.encode(RSA_PKCS1),
        body(RSA),
        body(RSA_PKCS1).replace('=', ""),
        URL_SAFE_NO_PAD.encode(der(RSA)),
    ];
    for (index, pasted) in pasted.into_iter().enumerate() {
        let key = RsaKey::new(&Secret::new(pasted)).unwrap_or_else(|error| panic!("{index}: {error}"));
        assert!(rsa_signs(&key).await, "{index}");
    }
}

#[tokio::test]
async fn an_ec_key_is_read_from_pkcs8_and_sec1() {
    let document = der(EC);
    let pair = signature::EcdsaKeyPair::from_pkcs8(
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &document,
        &ring::rand::SystemRandom::new(),
    )
    .unwrap();
    for pasted in [EC.to_owned(), EC_SEC1.to_owned(), EC_SEC1.replace('\n', "\\n"), STANDARD.encode(EC_SEC1)]
    {
        let key = EcKey::new(&Secret::new(pasted)).unwrap();
        let signed = key.sign(b"input").await.unwrap();
        let public = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        assert!(public.verify(b"input", &signed).is_ok());
    }
}

#[test]
fn what_is_no_key_to_sign_with_is_refused_by_its_name() {
    let damaged =
        STANDARD.encode(der(RSA).iter().enumerate().map(|(i, b)| b ^ u8::from(i == 700)).collect::<Vec<_>>());
    let cases: Vec<(String, &str)> = vec![
        (OPENSSH.into(), "an OpenSSH key"),
        (ENCRYPTED.into(), "encrypted"),
        (body(ENCRYPTED), "encrypted"),
        (ENCRYPTED_OLD.into(), "encrypted"),
        (PUBLIC.into(), "a public key"),
        (body(PUBLIC), "a public key"),
        ("ssh-rsa AAAAB3NzaC1yc2E canary".into(), "a public key"),
        (CERTIFICATE.into(), "a certificate"),
        (body(CERTIFICATE), "a certificate"),
        (EC.into(), "an EC key"),
        (EC_SEC1.into(), "an EC key"),
        (EC_384.into(), "an EC key"),
        (ED25519.into(), "an Ed25519 key"),
        (RSA_PSS.into(), "PSS only"),
        (RSA_1024.into(), "1024 bits"),
        (damaged, "damaged"),
        (RSA.replace("-----END", ""), "cut off"),
        (RSA.chars().take(900).collect(), "cut off"),
        (RSA.replacen('M', "*", 1), "neither PEM nor base64"),
        (r#"{"private_key": "canary"}"#.into(), "`private_key`"),
        ("canary!".into(), "neither PEM nor base64"),
        ("Y2FuYXJ5".into(), "neither PEM nor base64"),
        ("  ".into(), "empty"),
        ("\"\"".into(), "empty"),
        ("A".repeat(70_000), "far too long"),
    ];
    for (pasted, what) in cases {
        let error = RsaKey::new(&Secret::new(pasted.as_str())).unwrap_err();
        let text = format!("{error:#} {error:?}");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(text.contains(what), "{what}: {text}");
        assert!(!text.contains("canary"), "{text}");
        for line in pasted.lines().filter(|line| line.len() > 20 && !line.starts_with("-----")) {
            let window = &line[..16];
            assert!(!text.contains(window), "{what} shows the key");
        }
    }
    for (pasted, what) in [(RSA, "an RSA key"), (EC_384, "another curve"), (PUBLIC, "a public key")] {
        assert!(EcKey::new(&Secret::new(pasted)).unwrap_err().to_string().contains(what));
    }
}

#[test]
fn debug_shows_the_name_of_a_key_and_nothing_else() {
    let key = RsaKey::new(&Secret::new(RSA)).unwrap().with_key_id("key-1");
    assert_eq!(format!("{key:?}"), r#"RsaKey { id: Some("key-1"), .. }"#);
    let key = EcKey::new(&Secret::new(EC)).unwrap();
    assert_eq!(format!("{key:?}"), "EcKey { id: None, .. }");
}

#[test]
fn no_cut_and_no_changed_key_makes_it_panic() {
    for pem in [RSA, RSA_PKCS1, EC, EC_SEC1, ENCRYPTED, CERTIFICATE] {
        let document = STANDARD.decode(body(pem).split("BggqhkjOPQMBBw==").last().unwrap()).unwrap();
        for place in 0..document.len().min(120) {
            let mut changed = document.clone();
            changed[place] ^= 0x81;
            for bytes in [&changed[..], &document[..place]] {
                let pasted = Secret::new(STANDARD.encode(bytes));
                let _ = (RsaKey::new(&pasted), EcKey::new(&pasted));
            }
        }
    }
}

fn parts(token: &Secret) -> (Value, Value, Vec<u8>, String) {
    let (input, signature) = token.expose().rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(header), json(claims), URL_SAFE_NO_PAD.decode(signature).unwrap(), input.to_owned())
}

#[tokio::test]
async fn an_assertion_says_who_asks_for_whom_and_how_long() {
    let key = RsaKey::new(&Secret::new(RSA)).unwrap().with_key_id("key-1");
    let assertion = Assertion::new("robot", "https://token.example")
        .with_subject("ada")
        .with_scope("a b")
        .with_id("id-1")
        .with_claim("target", json!({"x": 1}));
    let token = assertion.sign(&key, at(1_000_000)).await.unwrap();
    let (header, claims, signed, input) = parts(&token);
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"}));
    let expected = json!({
        "iss": "robot", "aud": "https://token.example", "sub": "ada", "scope": "a b", "jti": "id-1",
        "iat": 999_970, "exp": 1_000_150, "target": {"x": 1},
    });
    assert_eq!(claims, expected);
    let pair = ring::rsa::KeyPair::from_pkcs8(&der(RSA)).unwrap();
    let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    public.verify(input.as_bytes(), &signed).unwrap();
    assert!(!format!("{token:?}").contains('.'));
}

#[tokio::test]
async fn what_was_not_set_is_not_claimed_and_every_signature_has_its_own_id() {
    let key = EcKey::new(&Secret::new(EC)).unwrap();
    let assertion = Assertion::new("robot", "https://token.example").with_lifetime(Duration::from_secs(3600));
    let one = parts(&assertion.sign(&key, at(1_000_000)).await.unwrap());
    let two = parts(&assertion.sign(&key, at(1_000_000)).await.unwrap());
    assert_eq!(one.0, json!({"alg": "ES256", "typ": "JWT"}));
    assert_eq!(
        one.1["exp"].as_u64().unwrap() - one.1["iat"].as_u64().unwrap(),
        3600,
        "an hour is Google's limit"
    );
    assert!(one.1.get("sub").is_none() && one.1.get("scope").is_none());
    assert_ne!(one.1["jti"], two.1["jti"]);
    assert_eq!(one.1["jti"].as_str().unwrap().len(), 22);
}

#[tokio::test]
async fn assertions_that_cannot_work_are_refused_before_they_are_signed() {
    let key = EcKey::new(&Secret::new(EC)).unwrap();
    let assertion = || Assertion::new("robot", "https://token.example");
    let odd = [
        assertion().with_lifetime(Duration::ZERO),
        assertion().with_lifetime(Duration::from_secs(30)),
        assertion().with_claim("exp", 7),
        assertion().with_claim("iss", "other"),
    ];
    for assertion in odd {
        assert_eq!(assertion.sign(&key, at(0)).await.unwrap_err().kind(), ErrorKind::Config);
    }
    assertion().with_lifetime(Duration::MAX).sign(&key, at(0)).await.unwrap();
}

struct Kms(usize);

#[async_trait::async_trait]
impl Signer for Kms {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn key_id(&self) -> Option<&str> {
        None
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(vec![7; self.0])
    }
}

#[tokio::test]
async fn a_signature_in_der_is_refused_here_and_not_by_the_provider() {
    let assertion = Assertion::new("robot", "https://token.example");
    for length in [0, 63, 70, 71, 72] {
        let error = assertion.sign(&Kms(length), at(0)).await.unwrap_err();
        assert!(error.to_string().contains("DER"), "{error}");
    }
    assertion.sign(&Kms(64), at(0)).await.unwrap();
}
