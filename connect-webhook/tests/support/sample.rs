//! For every built-in scheme a secret of its form, and a request that its provider might send.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connect_webhook::scheme::{Algorithm, Code, Encoding, Scheme, Source};
use connect_webhook::{BuildError, Incoming, SecretString, Signer, UnixTime, Verification, VerifyError};
use connect_webhook::{Verifier, VerifierBuilder};
use http::Request;

/// Where the provider calls.
pub(crate) const URL: &str = "https://hooks.example.com/in?tenant=a%20b&x=1";

const KEY: [u8; 32] = *b"canary-0123456789abcdef-4711-key";

const OTHER_KEY: [u8; 32] = *b"another-0123456789abcdef-471-key";

/// Schemes for which only the provider can sign.
pub(crate) fn is_unsignable(scheme: &Scheme) -> bool {
    let by_keys = [Code::AwsSns, Code::PayPal, Code::GooglePubSub];
    match scheme.algorithm {
        Algorithm::EcdsaP256Sha256 => true,
        Algorithm::Ed25519 => cfg!(not(feature = "ed25519")),
        Algorithm::Code(code) => by_keys.contains(&code),
        _ => false,
    }
}

/// Whose signature proves the body.
pub(crate) fn covers_body(scheme: &Scheme) -> bool {
    scheme.covers_body && scheme.algorithm != Algorithm::Token
}

/// A sender's secret of the scheme's form.
pub(crate) fn secret(scheme: &Scheme) -> SecretString {
    written(scheme, &KEY, PRIVATE)
}

/// Another one.
pub(crate) fn other_secret(scheme: &Scheme) -> SecretString {
    written(scheme, &OTHER_KEY, PRIVATE)
}

/// The prefix of a private key, where that of the scheme is a public key's.
const PRIVATE: &str = "whsk_";

fn written(scheme: &Scheme, key: &[u8; 32], private: &str) -> SecretString {
    let text = match scheme.secret.encoding {
        Encoding::Hex => key.iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(key),
        _ if scheme.encoding == Encoding::Base64 && scheme.algorithm == Algorithm::Token => {
            format!("user:{}", String::from_utf8_lossy(key))
        }
        _ => String::from_utf8_lossy(key).into_owned(),
    };
    let prefix = if scheme.secret.prefix == "whpk_" { private } else { &*scheme.secret.prefix };
    format!("{prefix}{text}").into()
}

/// What a receiver holds: the secret, or the public key that belongs to it.
pub(crate) fn verifying_secret(scheme: &Scheme, secret: &SecretString) -> SecretString {
    #[cfg(feature = "ed25519")]
    if scheme.algorithm == Algorithm::Ed25519 {
        use secrecy::ExposeSecret;
        let other = secret.expose_secret() == other_secret(scheme).expose_secret();
        let seed = if other { OTHER_KEY } else { KEY };
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        return written(scheme, public.as_bytes(), "whpk_");
    }
    let _ = scheme;
    secret.clone()
}

/// A verifier's beginning, with everything but secrets.
pub(crate) fn builder(scheme: &Scheme) -> VerifierBuilder {
    Verifier::builder(scheme.clone()).allow_weak().public_url(URL)
}

pub(crate) fn verifier(scheme: &Scheme) -> Verifier {
    builder(scheme).secret(verifying_secret(scheme, &secret(scheme))).build().unwrap()
}

/// An unsigned request of the provider's shape.
pub(crate) fn unsigned(scheme: &Scheme) -> Request<Bytes> {
    let in_form = matches!(scheme.signature, Source::Form(_));
    let (content_type, body) = match scheme.algorithm {
        Algorithm::Code(Code::AdyenPayments) => (
            "application/json",
            r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"P1","amount":{"value":10,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true","merchantAccountCode":"M"}}]}"#,
        ),
        Algorithm::Code(Code::MicrosoftGraph) => (
            "application/json",
            r#"{"value":[{"subscriptionId":"s1","changeType":"created","resource":"Users/u/Messages/m"}]}"#,
        ),
        Algorithm::Code(Code::Mandrill) => {
            ("application/x-www-form-urlencoded", "mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D")
        }
        Algorithm::Code(Code::Twilio) => {
            ("application/x-www-form-urlencoded", "CallSid=CA1&From=%2B14158675309&Digits=1+2")
        }
        _ if in_form => ("application/x-www-form-urlencoded", "event=delivered&recipient=a%40example.com"),
        _ => ("application/json", r#"{"id":"evt_1","type":"thing.created","name":"Ærø ✓"}"#),
    };
    Request::post(URL).header("content-type", content_type).body(Bytes::from(body)).unwrap()
}

pub(crate) fn signed(scheme: &Scheme, now: UnixTime) -> Request<Bytes> {
    sign(scheme, &secret(scheme), unsigned(scheme), now).unwrap()
}

pub(crate) fn sign(
    scheme: &Scheme,
    secret: &SecretString,
    request: Request<Bytes>,
    now: UnixTime,
) -> Result<Request<Bytes>, BuildError> {
    Signer::new(scheme, secret)?.sign(request, now)
}

pub(crate) fn check(
    verifier: &Verifier,
    request: &Request<Bytes>,
    now: UnixTime,
) -> Result<Verification, VerifyError> {
    let url = request.uri().to_string();
    let incoming =
        Incoming::post(request.headers(), request.body()).with_method(request.method()).with_url(&url);
    verifier.verify_request(&incoming, now)
}
