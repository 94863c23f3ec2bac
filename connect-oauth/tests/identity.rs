//! Id tokens: every check refuses what it is there for, and the provider's keys are fetched as seldom as that allows.
#![cfg(feature = "identity")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Config, Error, ErrorKind, Identity, Url};
use connect_oauth::identity::{IdTokenProblem as Problem, IdTokenVerifier, Keys};
use connect_oauth::jwt::{Algorithm, Jwks};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding};
use serde_json::{Value, json};
use tokio::time::{Instant, advance, timeout};

const ISSUER: &str = "https://issuer.example";
const CLIENT: &str = "client-1";
const NOW: u64 = 1_800_000_000;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// The provider's private keys.
struct Pairs {
    rsa: ring::rsa::KeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| {
    let pem = include_str!("keys/rsa-2048.test-only.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let random = SystemRandom::new();
    let ec = |kind| {
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap()
    };
    Pairs {
        rsa: ring::rsa::KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap(),
        p256: ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        p384: ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        ed25519: ed25519(),
    }
});

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref())
        .unwrap()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec_key(id: &str, curve: &str, pair: &EcdsaKeyPair) -> Value {
    let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
    json!({"kty": "EC", "crv": curve, "kid": id, "use": "sig", "x": base64(x), "y": base64(y)})
}

fn ed_key(id: &str, pair: &Ed25519KeyPair) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": base64(pair.public_key())})
}

fn rsa_key(id: &str) -> Value {
    let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(PAIRS.rsa.public());
    json!({"kty": "RSA", "kid": id, "use": "sig", "n": base64(public.n), "e": base64(public.e)})
}

fn key_set() -> Value {
    json!({"keys": [
        rsa_key("rsa"),
        ec_key("p256", "P-256", &PAIRS.p256),
        ec_key("p384", "P-384", &PAIRS.p384),
        ed_key("ed25519", &PAIRS.ed25519),
        {"kty": "oct", "kid": "shared", "k": base64("canary")},
    ]})
}

fn sign(algorithm: &str, input: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |padding: &'static dyn RsaEncoding| {
        let mut signed = vec![0; PAIRS.rsa.public().modulus_len()];
        PAIRS.rsa.sign(padding, &random, input, &mut signed).unwrap();
        signed
    };
    match algorithm {
        "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" => PAIRS.p256.sign(&random, input).unwrap().as_ref().to_vec(),
        "ES384" => PAIRS.p384.sign(&random, input).unwrap().as_ref().to_vec(),
        "EdDSA" | "Ed25519" => PAIRS.ed25519.sign(input).as_ref().to_vec(),
        _ => Vec::new(),
    }
}

/// A token as the provider would make it, if it made one like this.
fn token(header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
    let signed = sign(header["alg"].as_str().unwrap_or_default(), input.as_bytes());
    format!("{input}.{}", base64(signed))
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "JWT", "kid": "p256"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "canary-subject", "exp": NOW + 600, "iat": NOW - 5,
        "nonce": "canary-nonce", "email": "canary@acme.example", "email_verified": "true", "name": "Ada Canary",
    })
}

/// The object with these fields changed; null takes one away.
fn with(mut object: Value, changes: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => fields.remove(name),
            value => fields.insert(name.clone(), value.clone()),
        };
    }
    object
}

fn verifier(keys: Keys) -> IdTokenVerifier {
    IdTokenVerifier::new(ISSUER, CLIENT, keys)
        .with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
}

fn fixed() -> IdTokenVerifier {
    verifier(Keys::fixed(Jwks::from_json(&key_set().to_string()).unwrap()))
}

fn problem(error: &Error) -> Problem {
    let text = format!("{error:#} {error:?}");
    assert!(!text.to_lowercase().contains("canary"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Auth, "{text}");
    *error.details().unwrap()
}

async fn refusal(verifier: &IdTokenVerifier, token: &str) -> Option<Problem> {
    verifier.verify(token, Some("canary-nonce")).await.err().map(|error| problem(&error))
}

#[tokio::test]
async fn a_good_token_says_who_it_is() {
    let verified = fixed().verify(&token(&header(), &claims()), Some("canary-nonce")).await.unwrap();
    assert_eq!((verified.issuer(), verified.subject()), (ISSUER, "canary-subject"));
    assert_eq!(verified.email(), Some("canary@acme.example"));
    assert_eq!(verified.email_verified(), Some(true));
    assert_eq!((verified.name(), verified.preferred_username()), (Some("Ada Canary"), None));
    assert_eq!(verified.claim("exp"), Some(&json!(NOW + 600)));
    assert!(!format!("{verified:?}").to_lowercase().contains("canary"), "{verified:?}");
    let expected = Identity::new(ISSUER, "canary-subject")
        .with_account(Some("Ada Canary"))
        .with_email(Some("canary@acme.example"))
        .with_email_verified(Some(true));
    assert_eq!(verified.into_identity(), expected);
}

#[tokio::test]
async fn every_algorithm_verifies_where_it_is_allowed_and_nowhere_else() {
    let cases = [
        ("RS256", "rsa", Algorithm::Rs256),
        ("RS384", "rsa", Algorithm::Rs384),
        ("RS512", "rsa", Algorithm::Rs512),
        ("PS256", "rsa", Algorithm::Ps256),
        ("PS384", "rsa", Algorithm::Ps384),
        ("PS512", "rsa", Algorithm::Ps512),
        ("ES256", "p256", Algorithm::Es256),
        ("ES384", "p384", Algorithm::Es384),
        ("EdDSA", "ed25519", Algorithm::EdDsa),
        ("Ed25519", "ed25519", Algorithm::EdDsa),
    ];
    for (name, key, algorithm) in cases {
        let token = token(&json!({"alg": name, "kid": key}), &claims());
        assert_eq!(refusal(&fixed().with_algorithms([algorithm]), &token).await, None, "{name}");
        let is_default = matches!(algorithm, Algorithm::Rs256 | Algorithm::Es256);
        assert_eq!(refusal(&fixed(), &token).await, (!is_default).then_some(Problem::Algorithm), "{name}");
    }
}

#[tokio::test]
async fn each_check_refuses_with_its_own_problem() {
    let cases = [
        (json!({"alg": null}), json!({}), Problem::Malformed),
        (json!({"alg": 7}), json!({}), Problem::Malformed),
        (json!({"alg": "canary"}), json!({}), Problem::Algorithm),
        (json!({"crit": ["canary"], "canary": 1}), json!({}), Problem::Critical),
        (json!({"crit": []}), json!({}), Problem::Critical),
        (json!({"typ": "at+jwt"}), json!({}), Problem::OtherKind),
        (json!({"typ": "application/AT+JWT"}), json!({}), Problem::OtherKind),
        (json!({"typ": "logout+jwt"}), json!({}), Problem::OtherKind),
        (json!({"kid": "canary"}), json!({}), Problem::UnknownKey),
        (json!({"kid": "rsa"}), json!({}), Problem::KeyMismatch),
        (json!({"kid": "p384"}), json!({}), Problem::KeyMismatch),
        (json!({}), json!({"iss": null}), Problem::Issuer),
        (json!({}), json!({"iss": "https://canary.example"}), Problem::Issuer),
        (json!({}), json!({"iss": "https://issuer.example/"}), Problem::Issuer),
        (json!({}), json!({"iss": [ISSUER]}), Problem::Issuer),
        (json!({}), json!({"aud": null}), Problem::Audience),
        (json!({}), json!({"aud": "canary"}), Problem::Audience),
        (json!({}), json!({"aud": []}), Problem::Audience),
        (json!({}), json!({"aud": ["canary", 7]}), Problem::Audience),
        (json!({}), json!({"aud": {"canary": CLIENT}}), Problem::Audience),
        (json!({}), json!({"aud": [CLIENT, "canary"]}), Problem::AuthorizedParty),
        (json!({}), json!({"aud": [CLIENT, "canary"], "azp": "canary"}), Problem::AuthorizedParty),
        (json!({}), json!({"exp": null}), Problem::Claims),
        (json!({}), json!({"exp": "canary"}), Problem::Claims),
        (json!({}), json!({"exp": -1}), Problem::Claims),
        (json!({}), json!({"exp": NOW - 60}), Problem::Expired),
        (json!({}), json!({"exp": 0}), Problem::Expired),
        (json!({}), json!({"nbf": NOW + 61}), Problem::NotYetValid),
        (json!({}), json!({"nbf": "canary"}), Problem::Claims),
        (json!({}), json!({"iat": null}), Problem::Claims),
        (json!({}), json!({"iat": NOW + 61}), Problem::IssuedInFuture),
        (json!({}), json!({"iat": 1e300}), Problem::IssuedInFuture),
        (json!({}), json!({"iat": NOW - 3_661}), Problem::TooOld),
        (json!({}), json!({"nonce": null}), Problem::Nonce),
        (json!({}), json!({"nonce": "canary-nonce2"}), Problem::Nonce),
        (json!({}), json!({"nonce": "Canary-nonce"}), Problem::Nonce),
        (json!({}), json!({"nonce": ["canary-nonce"]}), Problem::Nonce),
        (json!({}), json!({"sub": null}), Problem::Claims),
        (json!({}), json!({"sub": ""}), Problem::Claims),
        (json!({}), json!({"sub": 7}), Problem::Claims),
    ];
    let verifier = fixed().with_max_age(HOUR);
    let mut seen = HashSet::from([Problem::TooLong, Problem::Signature]); // of other tests
    for (changed_header, changed_claims, expected) in cases {
        let header = with(header(), changed_header.clone()).to_string();
        let claims = with(claims(), changed_claims.clone()).to_string();
        let input = format!("{}.{}", base64(header), base64(claims));
        // Signed as ES256 whatever the header says, so that nothing but the header is wrong.
        let broken = format!("{input}.{}", base64(sign("ES256", input.as_bytes())));
        assert_eq!(refusal(&verifier, &broken).await, Some(expected), "{changed_header} {changed_claims}");
        seen.insert(expected);
    }
    assert_eq!(seen.len(), 17, "a problem that nothing provokes");
    assert_eq!(refusal(&verifier, &token(&header(), &claims())).await, None);
}

#[tokio::test]
async fn what_the_standard_allows_is_accepted() {
    let cases = [
        (json!({"typ": null}), json!({})),
        (json!({"kid": null}), json!({})),
        (json!({}), json!({"aud": [CLIENT]})),
        (json!({}), json!({"aud": ["other", CLIENT], "azp": CLIENT})),
        (json!({}), json!({"azp": "the Android client of the same app"})),
        (json!({}), json!({"exp": NOW - 59, "iat": NOW + 60, "nbf": NOW + 60})),
        (json!({}), json!({"exp": 1_800_000_000.5, "iat": 1.8e9})),
        (json!({}), json!({"exp": u64::MAX})),
        (json!({}), json!({"exp": 1e300})),
    ];
    for (changed_header, changed_claims) in cases {
        let token = token(&with(header(), changed_header.clone()), &with(claims(), changed_claims.clone()));
        assert_eq!(refusal(&fixed(), &token).await, None, "{changed_header} {changed_claims}");
    }
}

#[tokio::test]
async fn a_nonce_that_was_sent_has_to_come_back() {
    let (with_nonce, without) =
        (token(&header(), &claims()), token(&header(), &with(claims(), json!({"nonce": null}))));
    let empty = token(&header(), &with(claims(), json!({"nonce": ""})));
    for (token, nonce, accepted) in [
        (&with_nonce, Some("canary-nonce"), true),
        (&with_nonce, Some("canary-other"), false),
        (&with_nonce, None, true),
        (&without, Some("canary-nonce"), false),
        (&without, None, true),
        (&without, Some(""), false),
        (&empty, Some(""), false),
    ] {
        assert_eq!(fixed().verify(token, nonce).await.is_ok(), accepted, "{nonce:?}");
    }
}

#[tokio::test]
async fn a_signature_of_another_kind_of_key_is_never_believed() {
    let input = |header: &Value| format!("{}.{}", base64(header.to_string()), base64(claims().to_string()));
    let everything =
        fixed().with_algorithms([Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256]);
    let signed = |header: &Value, signature: &[u8]| format!("{}.{}", input(header), base64(signature));

    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": name, "kid": "rsa"});
        assert_eq!(refusal(&everything, &signed(&header, b"")).await, Some(Problem::Algorithm), "{name}");
    }
    // The public key as a shared secret, in the shapes in which people have it.
    let public = rsa_key("rsa")["n"].as_str().unwrap().to_owned();
    for secret in [public.as_bytes(), PAIRS.rsa.public().as_ref(), key_set().to_string().as_bytes()] {
        let header = json!({"alg": "HS256", "kid": "rsa"});
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let forged = signed(&header, ring::hmac::sign(&key, input(&header).as_bytes()).as_ref());
        assert_eq!(refusal(&everything, &forged).await, Some(Problem::Algorithm));
    }
    let mismatched =
        [("ES256", "rsa"), ("EdDSA", "rsa"), ("RS256", "p256"), ("PS256", "ed25519"), ("EdDSA", "p256")];
    for (algorithm, key) in mismatched {
        let header = json!({"alg": algorithm, "kid": key});
        assert_eq!(refusal(&everything, &token(&header, &claims())).await, Some(Problem::KeyMismatch));
    }
    // PKCS#1 v1.5 is not PSS, and an empty or zero signature is none.
    let header = json!({"alg": "PS256", "kid": "rsa"});
    let other_padding = sign("RS256", input(&header).as_bytes());
    for signature in [other_padding.as_slice(), b"", &[0; 256], &[0; 64]] {
        assert_eq!(refusal(&everything, &signed(&header, signature)).await, Some(Problem::Signature));
    }
    let header = json!({"alg": "ES256", "kid": "p256"});
    for signature in [vec![0; 64], sign("ES384", input(&header).as_bytes())] {
        assert_eq!(refusal(&everything, &signed(&header, &signature)).await, Some(Problem::Signature));
    }
    // A key in the token itself is nobody's.
    let attacker = ed25519();
    let header = json!({"alg": "EdDSA", "kid": "ed25519", "jwk": ed_key("x", &attacker), "jku": "https://evil.example"});
    let forged = signed(&header, attacker.sign(input(&header).as_bytes()).as_ref());
    assert_eq!(refusal(&everything, &forged).await, Some(Problem::Signature));
}

#[tokio::test]
async fn a_key_is_used_for_nothing_but_what_it_says() {
    let mut key = rsa_key("rsa");
    key["alg"] = json!("RS512");
    let keys = Jwks::from_json(&json!({ "keys": [key] }).to_string()).unwrap();
    let verifier = verifier(Keys::fixed(keys)).with_algorithms([Algorithm::Rs256, Algorithm::Rs512]);
    let of = |name: &str| token(&json!({"alg": name, "kid": "rsa"}), &claims());
    assert_eq!(refusal(&verifier, &of("RS256")).await, Some(Problem::KeyMismatch));
    assert_eq!(refusal(&verifier, &of("RS512")).await, None);
}

#[tokio::test]
async fn keys_without_names_are_all_tried() {
    let without_name = |mut key: Value| {
        key.as_object_mut().unwrap().remove("kid");
        key
    };
    let keys = [ed_key("a", &ed25519()), ed_key("b", &PAIRS.ed25519), rsa_key("c")].map(without_name);
    let keys = Jwks::from_json(&json!({ "keys": keys }).to_string()).unwrap();
    let verifier = verifier(Keys::fixed(keys)).with_algorithms([Algorithm::EdDsa]);
    for header in [json!({"alg": "EdDSA"}), json!({"alg": "EdDSA", "kid": "named here only"})] {
        assert_eq!(refusal(&verifier, &token(&header, &claims())).await, None);
    }
}

#[tokio::test]
async fn microsofts_issuer_is_that_of_the_tokens_own_tenant() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let own = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let mut set = key_set();
    set["keys"][0]["issuer"] = json!(own("personal"));
    set["keys"][1]["issuer"] = json!(template);
    let keys = Keys::fixed(Jwks::from_json(&set.to_string()).unwrap());
    let verifier = IdTokenVerifier::new(template, CLIENT, keys)
        .with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    let cases = [
        ("ES256", "p256", own("acme"), "acme", None),
        ("ES256", "p256", own("acme"), "other", Some(Problem::Issuer)),
        ("ES256", "p256", template.to_owned(), "{tenantid}", Some(Problem::Issuer)),
        ("RS256", "rsa", own("personal"), "personal", None),
        ("RS256", "rsa", own("acme"), "acme", Some(Problem::Issuer)),
    ];
    for (algorithm, key, issuer, tenant, expected) in cases {
        let header = json!({"alg": algorithm, "kid": key});
        let token = token(&header, &with(claims(), json!({"iss": issuer, "tid": tenant})));
        assert_eq!(refusal(&verifier, &token).await, expected, "{issuer} {tenant}");
    }
    let acme = token(&header(), &with(claims(), json!({"iss": own("acme"), "tid": "acme"})));
    let verified = verifier.verify(&acme, None);
    assert_eq!(verified.await.unwrap().into_identity().issuer, own("acme"));
}

#[tokio::test]
async fn what_is_no_token_is_refused_before_anybody_is_asked() {
    let transport = Scripted::default();
    let verifier = verifier(remote(&transport));
    let good = token(&header(), &claims());
    let encrypted = format!("{good}.AAAA.AAAA");
    let long = format!("{good}{}", "A".repeat(64 * 1024));
    let deep = base64("[".repeat(10_000));
    let cases: Vec<(String, Problem)> = vec![
        ("".into(), Problem::Malformed),
        (".".into(), Problem::Malformed),
        ("..".into(), Problem::Malformed),
        ("canary".into(), Problem::Malformed),
        ("...".into(), Problem::Malformed),
        (encrypted, Problem::Malformed),
        (format!(" {good}"), Problem::Malformed),
        (format!("{good} "), Problem::Malformed),
        (format!("{good}="), Problem::Malformed),
        (good.replacen('.', ".é", 1).replace(".é", "é."), Problem::Malformed),
        (format!("{}.{}.AA", base64("[]"), base64("{}")), Problem::Malformed),
        (format!("{deep}.{deep}.AA"), Problem::Malformed),
        (format!("{}.{}.AA", base64([0xff, 0xfe]), base64("{}")), Problem::Malformed),
        (long, Problem::TooLong),
    ];
    for (token, expected) in cases {
        assert_eq!(refusal(&verifier, &token).await, Some(expected), "{:.40}", token);
    }
    assert_eq!(transport.requests().len(), 0);
    // Signed by the provider, and yet no claims.
    for claims in ["", "[]", "7", "{\"iss\":", "\u{1}"] {
        let input = format!("{}.{}", base64(header().to_string()), base64(claims));
        let token = format!("{input}.{}", base64(sign("ES256", input.as_bytes())));
        assert_eq!(refusal(&fixed(), &token).await, Some(Problem::Malformed));
    }
}

/// Numbers without a seed of the day.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[tokio::test]
async fn no_change_of_a_token_is_accepted_and_none_panics() {
    let (verifier, good, mut random) = (fixed(), token(&header(), &claims()), Random(1));
    for _ in 0..3_000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[place] = b"AZaz09-_.=\"{}\x00 "[random.below(15)],
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, b"A.z"[random.below(3)]),
                _ => bytes.truncate(place.max(1)),
            }
        }
        let changed = String::from_utf8(bytes).unwrap();
        if changed != good {
            assert!(refusal(&verifier, &changed).await.is_some(), "{changed}");
        }
    }
}

#[tokio::test]
async fn no_claims_of_any_shape_make_it_panic() {
    let (verifier, mut random) = (fixed().with_max_age(HOUR), Random(2));
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-0.0),
        json!(""),
        json!("canary"),
        json!([]),
        json!([[[]]]),
        json!({}),
        json!({"canary": []}),
        json!("é\u{0}"),
    ];
    let names =
        ["iss", "aud", "azp", "sub", "exp", "nbf", "iat", "nonce", "email", "email_verified", "tid", "name"];
    for _ in 0..1_000 {
        let mut changed = claims();
        for _ in 0..random.below(4) {
            changed[names[random.below(names.len())]] = values[random.below(values.len())].clone();
        }
        if let Ok(token) = verifier.verify(&token(&header(), &changed), None).await {
            let shown = (token.email().is_some(), token.email_verified(), token.name().is_some());
            let _ = (shown, token.into_identity());
        }
    }
    for name in ["alg", "kid", "typ", "crit"] {
        for value in &values {
            let _ = refusal(&verifier, &token(&with(header(), json!({ name: value })), &claims())).await;
        }
    }
}

fn remote(transport: &Scripted) -> Keys {
    let url = Url::parse("https://issuer.example/keys?v=1").unwrap();
    Keys::over(transport.clone(), url, Config::default())
}

fn answer(keys: &Value) -> Answer {
    Answer::json(200, keys.to_string())
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_once_an_hour() {
    let transport = Scripted::new(vec![answer(&key_set()); 3]);
    let (verifier, good) = (verifier(remote(&transport)), token(&header(), &claims()));
    for expected in [1, 1, 2, 2] {
        for _ in 0..10 {
            assert_eq!(refusal(&verifier, &good).await, None);
        }
        assert_eq!(transport.requests().len(), expected);
        advance(HOUR / 2 + SECOND).await;
    }
    let seen = &transport.requests()[0];
    assert_eq!(seen.url, "https://issuer.example/keys?v=1");
    assert!(!seen.headers.contains_key("authorization"));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_fetch_once() {
    let transport = Scripted::new([answer(&key_set()).after(SECOND)]);
    let verifier = verifier(remote(&transport));
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { refusal(&verifier, &token(&header(), &claims())).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), None);
    }
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_leaves_the_fetch_to_the_others() {
    let transport = Scripted::new([answer(&key_set()).after(SECOND)]);
    let (verifier, good) = (verifier(remote(&transport)), token(&header(), &claims()));
    assert!(timeout(SECOND / 2, verifier.verify(&good, None)).await.is_err());
    assert_eq!(refusal(&verifier, &good).await, None);
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_unknown_keys_leads_to_one_fetch_a_minute() {
    let transport = Scripted::new(vec![answer(&key_set()); 20]);
    let verifier = verifier(remote(&transport));
    let begun = Instant::now();
    for number in 0..1_000 {
        let storm = token(&with(header(), json!({"kid": format!("canary-{number}")})), &claims());
        assert_eq!(refusal(&verifier, &storm).await, Some(Problem::UnknownKey));
        advance(Duration::from_millis(300)).await; // 5 minutes in all
    }
    let (fetches, minutes) = (transport.requests(), begun.elapsed().as_secs() / 60);
    assert!(fetches.len() as u64 <= minutes + 1, "{} in {minutes} minutes", fetches.len());
    for pair in fetches.windows(2) {
        assert!(pair[1].at - pair[0].at >= 60 * SECOND);
    }
    assert_eq!(refusal(&verifier, &token(&header(), &claims())).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_wrong_signatures_fetches_no_oftener() {
    let transport = Scripted::new(vec![answer(&key_set()); 20]);
    let verifier = verifier(remote(&transport));
    let (input, _) =
        token(&header(), &claims()).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for _ in 0..100 {
        let forged = format!("{input}.{}", base64([7; 64]));
        assert_eq!(refusal(&verifier, &forged).await, Some(Problem::Signature));
        advance(SECOND).await;
    }
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_when_a_token_names_it() {
    let before = json!({"keys": [rsa_key("rsa")]});
    let transport = Scripted::new([answer(&before), answer(&key_set())]);
    let verifier = verifier(remote(&transport));
    let (old, new) = (token(&json!({"alg": "RS256", "kid": "rsa"}), &claims()), token(&header(), &claims()));
    assert_eq!(refusal(&verifier, &old).await, None);
    assert_eq!(refusal(&verifier, &new).await, Some(Problem::UnknownKey), "asked a moment ago");
    advance(60 * SECOND).await;
    assert_eq!(refusal(&verifier, &new).await, None);
    assert_eq!((refusal(&verifier, &old).await, transport.requests().len()), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_new_key_under_the_old_name_is_found_too() {
    let transport = Scripted::new([answer(&json!({"keys": [ed_key("a", &ed25519())]})), answer(&key_set())]);
    let verifier = verifier(remote(&transport)).with_algorithms([Algorithm::EdDsa]);
    let good = token(&json!({"alg": "EdDSA"}), &claims());
    assert_eq!(refusal(&verifier, &good).await, Some(Problem::Signature));
    advance(60 * SECOND).await;
    assert_eq!(refusal(&verifier, &good).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_believed_for_an_hour_at_most() {
    let transport = Scripted::new([answer(&key_set()), answer(&json!({"keys": [rsa_key("rsa")]}))]);
    let (verifier, good) = (verifier(remote(&transport)), token(&header(), &claims()));
    assert_eq!(refusal(&verifier, &good).await, None);
    advance(HOUR).await;
    assert_eq!(refusal(&verifier, &good).await, Some(Problem::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_an_outage_of_a_day() {
    let outages = [Answer::status(503), Answer::json(200, "<html>"), Answer::json(200, r#"{"keys": []}"#)];
    for outage in outages {
        let answers = std::iter::once(answer(&key_set())).chain(std::iter::repeat_n(outage, 200));
        let transport = Scripted::new(answers);
        let (verifier, good) = (verifier(remote(&transport)), token(&header(), &claims()));
        assert_eq!(refusal(&verifier, &good).await, None);
        advance(2 * HOUR).await;
        assert_eq!(refusal(&verifier, &good).await, None);
        let asked = transport.requests().len();
        for _ in 0..100 {
            assert_eq!(refusal(&verifier, &good).await, None);
        }
        assert_eq!(transport.requests().len(), asked, "it is left alone for a minute");
        advance(23 * HOUR).await;
        let error = verifier.verify(&good, None).await.unwrap_err();
        assert!(error.to_string().contains("the provider's keys cannot be fetched"), "{error}");
        assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Decode | ErrorKind::CircuitOpen));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_was_down_at_first_is_asked_again_soon() {
    let transport = Scripted::new([Answer::json(404, "canary"), answer(&key_set())]);
    let (verifier, good) = (verifier(remote(&transport)), token(&header(), &claims()));
    for _ in 0..100 {
        let error = verifier.verify(&good, None).await.unwrap_err();
        assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error}");
        assert!(!format!("{error:#} {error:?}").contains("canary"));
    }
    assert_eq!(transport.requests().len(), 1);
    advance(5 * SECOND).await;
    assert_eq!(refusal(&verifier, &good).await, None);
}

#[test]
fn outside_a_runtime_there_is_an_error_and_no_panic() {
    let verifier = verifier(remote(&Scripted::default()));
    let good = token(&header(), &claims());
    let mut verifying = Box::pin(verifier.verify(&good, None));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = verifying.as_mut().poll(&mut cx) else { panic!("it waits") };
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn debug_shows_where_keys_come_from() {
    let shown = format!("{:?} {:?}", verifier(remote(&Scripted::default())), fixed());
    assert!(shown.contains("https://issuer.example/keys") && shown.contains("p256"), "{shown}");
}

#[tokio::test]
async fn a_login_says_who_it_was_by_id_token_and_by_profile() {
    use connect_oauth::{Callback, Login, OAuth, Preset};
    let fake = connect_testkit::FakeAuthorization::builder().start_time(NOW).start().await.unwrap();
    fake.set_jwks(key_set());
    fake.on_id_token(|claims| token(&json!({"alg": "RS256", "kid": "rsa"}), claims));
    fake.set_userinfo(
        json!({"sub": "u1", "name": "Ada", "email": "ada@example.com", "email_verified": true}),
    );
    let row = Preset::new("oidc", "OpenID").with_issuer(fake.issuer().to_owned());
    let oauth = OAuth::builder(row)
        .client_id(fake.client_id())
        .client_secret(fake.client_secret().unwrap())
        .redirect_uri(fake.redirect_uri())
        .scopes(["openid"])
        .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
        .discover()
        .await
        .unwrap();
    let logins = oauth.logins();
    let begun = logins.begin(Login::new("acme", "crm")).await.unwrap();
    let back = fake.authorize(begun.url.as_str()).unwrap();
    let finished = logins.finish(Callback::url(back)).await.unwrap();
    let signed = oauth.identity(&finished.tokens, finished.nonce.as_ref()).await.unwrap();
    assert_eq!(signed.issuer, fake.issuer());
    assert!(!signed.subject.is_empty());

    // The token of one login does not stand for another.
    let other = connect_core::Secret::new("the nonce of another login");
    let error = oauth.identity(&finished.tokens, Some(&other)).await.unwrap_err();
    assert_eq!(error.details(), Some(&Problem::Nonce), "{error}");

    let mut without = finished.tokens.clone();
    without.id_token = None;
    let asked = oauth.identity(&without, None).await.unwrap();
    assert_eq!((asked.subject.as_str(), asked.account.as_deref()), ("u1", Some("Ada")));
    assert_eq!((asked.email.as_deref(), asked.email_verified), (Some("ada@example.com"), Some(true)));
    assert_eq!(fake.count("jwks"), 1, "the keys are kept");
}
