//! Google Pub/Sub push.

use connect_webhook::keys::Keys;
use connect_webhook::{BuildError, UnixTime, Verifier, VerifierBuilder, VerifyError, schemes};
use http::HeaderMap;
use serde_json::{Value, json};

use super::support::{NOW, jwk, jwt, other_pair, pair, set};

pub(crate) const URL: &str = "https://www.googleapis.com/oauth2/v3/certs";
const AUDIENCE: &str = "https://hooks.example.com/pubsub";
const ACCOUNT: &str = "pusher@project-1.iam.gserviceaccount.com";

pub(crate) fn builder() -> VerifierBuilder {
    Verifier::builder(&schemes::GOOGLE_PUBSUB).audience(AUDIENCE).service_account(ACCOUNT)
}

fn verifier() -> Verifier {
    builder()
        .keys(Keys::fixed([(URL, set(&[jwk(&other_pair(), "k0"), jwk(&pair(), "k1")]))]))
        .build()
        .unwrap()
}

fn claims() -> Value {
    claims_at(NOW)
}

fn claims_at(now: UnixTime) -> Value {
    json!({
        "iss": "https://accounts.google.com", "aud": AUDIENCE, "azp": "113", "sub": "113",
        "email": ACCOUNT, "email_verified": true, "iat": now.0, "exp": now.0 + 3600,
    })
}

pub(crate) fn header(key_id: &str) -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": key_id })
}

pub(crate) fn authorization(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", value.parse().unwrap());
    headers
}

pub(crate) fn delivery(key_id: &str, now: UnixTime) -> HeaderMap {
    authorization(&format!("Bearer {}", jwt(&pair(), &header(key_id), &claims_at(now))))
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn verify(token: &str, now: UnixTime) -> Result<(), VerifyError> {
    verifier().verify(&authorization(&format!("Bearer {token}")), b"{}", now).map(|_| ())
}

#[test]
fn a_token_of_the_service_account_verifies() {
    let verification = verifier().verify(&delivery("k1", NOW), b"{}", NOW).unwrap();
    assert_eq!((verification.key_index, verification.signed_at), (0, None));
    for claims in [
        with("iss", "accounts.google.com"),
        with("email_verified", "true"),
        with("aud", json!(["x", AUDIENCE])),
        with("iat", NOW.0 + 30),
        with("exp", NOW.0),
    ] {
        verify(&jwt(&pair(), &header("k1"), &claims), NOW).unwrap();
    }
    let lower_case = format!("bearer  {}", jwt(&pair(), &header("k1"), &claims()));
    verifier().verify(&authorization(&lower_case), b"{}", NOW).unwrap();
}

#[test]
fn a_claim_that_is_not_ours_is_refused() {
    for (name, value) in [
        ("iss", json!("https://accounts.google.com.evil.com")),
        ("iss", Value::Null),
        ("aud", json!("https://hooks.example.com/other")),
        ("aud", Value::Null),
        ("email", json!("evil@project-1.iam.gserviceaccount.com")),
        ("email", Value::Null),
        ("email_verified", json!(false)),
        ("email_verified", json!(1)),
        ("exp", Value::Null),
    ] {
        match verify(&jwt(&pair(), &header("k1"), &with(name, value.clone())), NOW) {
            Err(VerifyError::ClaimMismatch { claim }) => assert_eq!(claim, name),
            other => panic!("{name} {value}: {other:?}"),
        }
    }
    for (name, value, expected) in [
        ("exp", NOW.0 - 31, "timestamp_too_old"),
        ("iat", NOW.0 + 31, "timestamp_in_future"),
        ("nbf", NOW.0 + 31, "timestamp_in_future"),
    ] {
        let error = verify(&jwt(&pair(), &header("k1"), &with(name, value)), NOW).unwrap_err();
        assert_eq!(error.code(), expected, "{name}");
    }
}

#[test]
fn a_token_that_google_did_not_sign_is_refused() {
    let good = jwt(&pair(), &header("k1"), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (_, claims_part) = signed.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ";
    for (token, expected) in [
        (jwt(&other_pair(), &header("k1"), &claims()), "signature_mismatch"),
        (jwt(&pair(), &header("k0"), &claims()), "signature_mismatch"),
        (jwt(&pair(), &header("k9"), &claims()), "unknown_key"),
        (jwt(&pair(), &json!({ "alg": "RS256" }), &claims()), "unknown_key"),
        (jwt(&pair(), &json!({ "alg": "HS256", "kid": "k1" }), &claims()), "no_matching_scheme"),
        (jwt(&pair(), &json!({ "alg": "RS512", "kid": "k1" }), &claims()), "no_matching_scheme"),
        (format!("{none}.{claims_part}."), "no_matching_scheme"),
        (format!("{signed}."), "signature_mismatch"),
        (format!("{signed}.AAAA"), "signature_mismatch"),
        (format!("{none}.{claims_part}.{signature}"), "no_matching_scheme"),
        (signed.to_owned(), "malformed_header"),
        (String::new(), "malformed_header"),
        // The signature comes first: nothing else about an unsigned token is told.
        (jwt(&other_pair(), &header("k1"), &with("aud", "x")), "signature_mismatch"),
        (jwt(&pair(), &header("k9"), &with("exp", 1)), "unknown_key"),
    ] {
        assert_eq!(verify(&token, NOW).unwrap_err().code(), expected, "{token}");
    }
}

#[test]
fn only_one_bearer_token_is_taken() {
    for value in ["Basic dTpw", "Bearer", "Token a.b.c"] {
        let error = verifier().verify(&authorization(value), b"{}", NOW).unwrap_err();
        assert_eq!(error.code(), "malformed_header", "{value}");
    }
    let mut headers = delivery("k1", NOW);
    headers.append("authorization", "Bearer a.b.c".parse().unwrap());
    assert_eq!(verifier().verify(&headers, b"{}", NOW).unwrap_err().code(), "duplicate_header");
    assert_eq!(verifier().verify(&HeaderMap::new(), b"{}", NOW).unwrap_err().code(), "missing_header");
}

#[test]
fn no_verifier_without_audience_account_and_keys() {
    let keys = || Keys::fixed([(URL, set(&[jwk(&pair(), "k1")]))]);
    let start = || Verifier::builder(&schemes::GOOGLE_PUBSUB);
    for (builder, expected) in [
        (start().keys(keys()).audience(AUDIENCE), ".service_account(..)"),
        (start().keys(keys()).service_account(ACCOUNT), ".audience(..)"),
        (builder(), ".keys(..)"),
    ] {
        match builder.build() {
            Err(BuildError::Missing { call, .. }) => assert_eq!(call, expected),
            other => panic!("{other:?}"),
        }
    }
}
