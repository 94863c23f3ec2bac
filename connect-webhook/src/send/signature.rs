//! Signs messages, and makes the secrets for it.
//!
//! By default as [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! v1: the base is `id.timestamp.body`, the signature `v1,` and the base64 of its HMAC-SHA256; several secrets
//! give several signatures in one header, separated by spaces, the newest first. Any other scheme whose secret
//! is shared can be named instead, for receivers that expect GitHub's signatures, say.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Request};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::SetupError;
use super::message::Message;
use crate::clock::UnixTime;
use crate::error::BuildError;
use crate::scheme::Scheme;
use crate::sign::Signer;

const PREFIX: &str = "whsec_";
/// What the specification asks for.
const MIN_SECRET_BYTES: usize = 24;
const MAX_SECRET_BYTES: usize = 64;
/// As long as the hash: more adds nothing.
const NEW_SECRET_BYTES: usize = 32;
/// base64 wants room for whole groups of three.
const DECODE_BYTES: usize = MAX_SECRET_BYTES.div_ceil(3) * 3;

/// A new signing secret, `whsec_` and the base64 of 32 random bytes.
///
/// `random` fills a buffer from a cryptographic source, such as the operating system's.
///
/// ```
/// use connect_webhook::send::{Destination, generate_secret};
/// # let mut source = |buffer: &mut [u8]| buffer.fill(7);
/// // In earnest: |buffer| getrandom::fill(buffer).expect("the system has randomness")
/// let secret = generate_secret(&mut source);
/// assert!(Destination::new("https://customer.example", &secret).is_ok());
/// ```
pub fn generate_secret(random: &mut impl FnMut(&mut [u8])) -> SecretString {
    let mut bytes = Zeroizing::new([0; NEW_SECRET_BYTES]);
    random(&mut *bytes);
    // Exactly as long as it will be, so that growing leaves no copy behind.
    let mut text = String::with_capacity(PREFIX.len() + NEW_SECRET_BYTES.div_ceil(3) * 4);
    text.push_str(PREFIX);
    STANDARD.encode_string(*bytes, &mut text);
    text.into()
}

/// The secrets of a destination, and the scheme they sign by.
#[derive(Clone)]
pub(super) struct Signing {
    scheme: Cow<'static, Scheme>,
    secrets: Vec<(SecretString, Option<UnixTime>)>,
}

impl Signing {
    pub(super) fn new(scheme: Cow<'static, Scheme>, secret: &SecretString) -> Result<Self, SetupError> {
        let mut signing = Self { scheme, secrets: Vec::with_capacity(2) };
        signing.add(secret, None)?;
        Ok(signing)
    }

    /// Checks a secret and puts it behind the others.
    pub(super) fn add(
        &mut self,
        secret: &SecretString,
        not_after: Option<UnixTime>,
    ) -> Result<(), SetupError> {
        if self.scheme.secret.prefix == PREFIX {
            check(secret)?;
        }
        Signer::new(&self.scheme, secret).map_err(SetupError::Scheme)?;
        self.secrets.push((secret.clone(), not_after));
        Ok(())
    }

    /// A message to `url`, signed for an attempt at `now`. The URL and the body come back, since some schemes
    /// sign in them.
    pub(super) fn sign(
        &self,
        url: &Url,
        message: &Message,
        now: UnixTime,
    ) -> Result<(Url, HeaderMap, Bytes), BuildError> {
        let unsignable = |reason: &str| BuildError::Unsignable {
            scheme: self.scheme.name.to_string(),
            reason: reason.to_owned(),
        };
        let is_good = |not_after: &Option<UnixTime>| not_after.is_none_or(|end| now <= end);
        let good = self.secrets.iter().filter(|(_, not_after)| is_good(not_after)).map(|(secret, _)| secret);
        let signer = Signer::with_secrets(&self.scheme, good)?;

        let mut request = Request::new(message.body().clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            url.as_str().parse().map_err(|_| unsignable("the URL cannot be called; shorten it"))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, message.content_type().clone());
        let mut is_named = false;
        for name in signer.id_headers() {
            headers.insert(name.clone(), message.id_header().clone());
            is_named = true;
        }
        if !is_named {
            // Not signed, but still how a receiver tells a retry from a new message.
            headers.insert(HeaderName::from_static("webhook-id"), message.id_header().clone());
        }
        let (parts, body) = signer.sign(request, now)?.into_parts();
        let url = match parts.uri.to_string() {
            text if text == url.as_str() => url.clone(),
            text => Url::parse(&text).map_err(|_| unsignable("the signed URL is none"))?,
        };
        Ok((url, parts.headers, body))
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ends: Vec<_> = self.secrets.iter().map(|(_, not_after)| not_after).collect();
        f.debug_struct("Signing").field("scheme", &self.scheme.name).field("secrets_until", &ends).finish()
    }
}

/// A sender's own secrets are made well: with the prefix, and random.
fn check(secret: &SecretString) -> Result<(), SetupError> {
    let unusable = |reason| SetupError::Secret { reason };
    let text = secret.expose_secret().strip_prefix(PREFIX).ok_or(unusable("does not start with whsec_"))?;
    let mut bytes = Zeroizing::new([0; DECODE_BYTES]);
    let length = STANDARD.decode_slice(text, &mut *bytes).map_err(|error| match error {
        base64::DecodeSliceError::OutputSliceTooSmall => unusable("is longer than 64 bytes"),
        base64::DecodeSliceError::DecodeError(_) => unusable("is not base64 after whsec_"),
    })?;
    match bytes.get(..length) {
        Some(bytes) if length < MIN_SECRET_BYTES || bytes.iter().all(|byte| *byte == 0) => {
            Err(unusable("has fewer than 24 random bytes"))
        }
        Some(_) if length <= MAX_SECRET_BYTES => Ok(()),
        _ => Err(unusable("is longer than 64 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    const URL: &str = "https://customer.example/hooks";

    fn secret(bytes: usize) -> SecretString {
        format!("whsec_{}", STANDARD.encode(vec![7; bytes])).into()
    }

    fn standard(secret: &SecretString) -> Result<Signing, SetupError> {
        Signing::new((&schemes::STANDARD_WEBHOOKS).into(), secret)
    }

    fn headers(signing: &Signing, message: &Message, now: i64) -> HeaderMap {
        signing.sign(&URL.parse().unwrap(), message, UnixTime(now)).unwrap().1
    }

    #[test]
    fn signatures_are_those_of_the_reference_libraries() {
        // The test vector that Standard Webhooks' libraries share.
        let signing = standard(&SECRET.into()).unwrap();
        let message =
            Message::new("msg_p5jXN8AQM9LWM0D4loKWxJek", "application/json", r#"{"test": 2432232314}"#);
        let headers = headers(&signing, &message.unwrap(), 1_614_265_330);
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert!(headers["webhook-signature"].is_sensitive());
    }

    #[test]
    fn old_secrets_sign_until_their_end() {
        let mut signing = standard(&secret(24)).unwrap();
        signing.add(&secret(32), Some(UnixTime(100))).unwrap();
        let message = Message::json("a", &()).unwrap();
        let count = |now| {
            let headers = headers(&signing, &message, now);
            headers["webhook-signature"].to_str().unwrap().split(' ').count()
        };
        assert_eq!([count(99), count(100), count(101)], [2, 2, 1]);
    }

    #[test]
    fn secrets_have_24_to_64_bytes_in_base64() {
        for (bytes, good) in
            [(0, false), (23, false), (24, true), (64, true), (65, false), (66, false), (300, false)]
        {
            assert_eq!(standard(&secret(bytes)).is_ok(), good, "{bytes}");
        }
        let zeros = format!("whsec_{}", STANDARD.encode([0; 32]));
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_hello world",
            &zeros,
            &format!("{SECRET}\n"),
        ] {
            assert!(standard(&text.to_owned().into()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_generated_secret_is_usable() {
        let mut next = 0;
        let secret = generate_secret(&mut |buffer: &mut [u8]| {
            buffer.iter_mut().for_each(|byte| {
                next += 1;
                *byte = next;
            });
        });
        assert_eq!(secret.expose_secret(), "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
        assert!(standard(&secret).is_ok());
    }

    #[test]
    fn another_scheme_signs_as_its_provider_does_and_names_the_message() {
        let signing = Signing::new((&schemes::GITHUB).into(), &"s3cret".into()).unwrap();
        let message = Message::json("msg_1", &serde_json::json!({})).unwrap();
        let headers = headers(&signing, &message, 1_750_000_000);
        assert!(headers["x-hub-signature-256"].to_str().unwrap().starts_with("sha256="));
        assert_eq!(headers["x-github-delivery"], "msg_1");
        assert!(matches!(
            Signing::new((&schemes::SENDGRID).into(), &"s3cret".into()),
            Err(SetupError::Scheme(_))
        ));
    }
}
