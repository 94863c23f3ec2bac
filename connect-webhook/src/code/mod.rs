//! Rules that are programs: what no row of data describes, one file each.
//!
//! | file | provider | by |
//! |---|---|---|
//! | [`twilio`] | Twilio | HMAC-SHA1 over the URL and the sorted form fields |
//! | [`mandrill`] | Mandrill | the same, without Twilio's variants |
//! | [`adyen`] | Adyen payments | HMAC-SHA256 over eight fields of each item |
//! | [`contentful`] | Contentful | HMAC-SHA256 over a canonical request |
//! | [`connect_jwt`] | Atlassian Connect | JWT, HS256, bound to method, path and query |
//! | [`graph`] | Microsoft Graph | a shared text in each item, JWTs beside encrypted content |
//! | [`sns`] | AWS SNS | RSA over the message's fields |
//! | [`paypal`] | PayPal | RSA over ids, time and the body's CRC-32 |
//! | [`pubsub`] | Google Pub/Sub push | JWT, RS256 |
//!
//! Everything else about these providers (where the id stands, how to answer, which handshake) is a row of
//! [`schemes`](crate::schemes) like any other. Each file has one function `verify`, and `sign` where a secret
//! of ours is enough to sign.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use secrecy::SecretString;

use crate::clock::UnixTime;
use crate::encoding::Signature;
use crate::error::{BuildError, VerifyError};
use crate::incoming::Incoming;
use crate::key::{Key, equal};
use crate::plan;
use crate::scheme::{Algorithm, Code, Scheme, Source};
use crate::verify::{Inner, Verification};

mod adyen;
mod connect_jwt;
mod contentful;
mod graph;
#[cfg(feature = "asymmetric")]
pub(crate) mod graph_tokens;
mod mandrill;
#[cfg(feature = "asymmetric")]
pub(crate) mod paypal;
#[cfg(feature = "asymmetric")]
pub(crate) mod pubsub;
#[cfg(feature = "asymmetric")]
pub(crate) mod sns;
mod sorted_form;
mod twilio;

/// Everything but the characters that RFC 3986 calls unreserved.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a rule looks at.
pub(crate) struct Context<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) keys: &'a [Key],
    pub(crate) incoming: Incoming<'a>,
    pub(crate) now: UnixTime,
}

impl Context<'_> {
    /// The index of the first live key that `is_signed_by` says signed this. All are asked.
    pub(crate) fn matching(&self, mut is_signed_by: impl FnMut(&Key) -> bool) -> Result<usize, VerifyError> {
        let mut matched = None;
        for (index, key) in self.keys.iter().enumerate() {
            if is_signed_by(key) && key.is_live(self.now) && matched.is_none() {
                matched = Some(index);
            }
        }
        matched.ok_or(VerifyError::SignatureMismatch)
    }

    /// The decoded signature in the header that the row names.
    pub(crate) fn presented(&self) -> Result<Signature, VerifyError> {
        let claims = self.inner.plan.claims(&self.inner.scheme, self.incoming)?;
        let mut found = None;
        self.inner.plan.presented(&self.inner.scheme, &claims, |signature| found = Some(*signature))?;
        found.ok_or_else(|| VerifyError::BadEncoding { form: plan::form(&self.inner.scheme) })
    }

    /// The URL that the sender called.
    pub(crate) fn url(&self) -> Result<&str, VerifyError> {
        let url = self.incoming.url;
        if url.is_empty() { Err(VerifyError::MissingUrl) } else { Ok(url) }
    }
}

/// Path and query of a URL, still escaped. The path of a bare host is `/`.
pub(crate) fn path_and_query(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| {
        rest.find(['/', '?', '#']).and_then(|start| rest.get(start..)).unwrap_or_default()
    });
    let sent = rest.split_once('#').map_or(rest, |(sent, _)| sent);
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    (if path.is_empty() { "/" } else { path }, query)
}

/// Whether `key` makes `presented` of these pieces, one after the other.
pub(crate) fn signs(key: &Key, presented: &Signature, pieces: &[&[u8]]) -> bool {
    tag(key, pieces).is_some_and(|tag| equal(&tag, presented))
}

/// The signature of these pieces, one after the other.
pub(crate) fn tag(key: &Key, pieces: &[&[u8]]) -> Option<Signature> {
    key.tag(|sink, _| pieces.iter().for_each(|piece| sink(piece)))
}

/// The signature of these pieces as the row writes it.
fn encoded(scheme: &Scheme, key: &Key, pieces: &[&[u8]]) -> String {
    tag(key, pieces).map(|tag| tag.encode(scheme.encoding)).unwrap_or_default()
}

/// Sets a header of a request that is being signed.
fn set_header(
    scheme: &Scheme,
    request: &mut Request<Bytes>,
    name: &'static str,
    text: &str,
) -> Result<(), BuildError> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| unsignable(scheme, "a value cannot stand in a header; use visible ASCII"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(HeaderName::from_static(name), value);
    Ok(())
}

fn unsignable(scheme: &Scheme, reason: &str) -> BuildError {
    BuildError::Unsignable { scheme: scheme.name.to_string(), reason: reason.to_owned() }
}

/// Decides by the rule.
pub(crate) fn verify(rule: Code, cx: &Context<'_>) -> Result<Verification, VerifyError> {
    match rule {
        Code::Twilio => twilio::verify(cx),
        Code::Mandrill => mandrill::verify(cx),
        Code::AdyenPayments => adyen::verify(cx),
        Code::Contentful => contentful::verify(cx),
        Code::AtlassianConnect => connect_jwt::verify(cx),
        Code::MicrosoftGraph => graph::verify(cx),
        #[cfg(feature = "asymmetric")]
        Code::AwsSns => sns::verify(cx),
        #[cfg(feature = "asymmetric")]
        Code::PayPal => paypal::verify(cx),
        #[cfg(feature = "asymmetric")]
        Code::GooglePubSub => pubsub::verify(cx),
        // Without the feature, no verifier of these is ever built.
        #[cfg(not(feature = "asymmetric"))]
        Code::AwsSns | Code::PayPal | Code::GooglePubSub => Err(VerifyError::UnknownKey),
    }
}

/// What the headers alone tell: one that every delivery has is missing or malformed, or a time is hopeless.
pub(crate) fn precheck(rule: Code, headers: &HeaderMap, now: UnixTime) -> Result<(), VerifyError> {
    let required: &'static [&'static str] = match rule {
        Code::Twilio => &["x-twilio-signature"],
        Code::Mandrill => &["x-mandrill-signature"],
        Code::Contentful => {
            &["x-contentful-signature", "x-contentful-signed-headers", "x-contentful-timestamp"]
        }
        Code::PayPal => &[
            "paypal-transmission-id",
            "paypal-transmission-time",
            "paypal-transmission-sig",
            "paypal-cert-url",
        ],
        Code::GooglePubSub => &["authorization"],
        // Theirs stand in the body or the query.
        Code::AdyenPayments | Code::AwsSns | Code::MicrosoftGraph | Code::AtlassianConnect => &[],
    };
    for name in required {
        plan::only(headers, &HeaderName::from_static(name))?;
    }
    match rule {
        Code::Contentful => contentful::precheck(headers, now),
        Code::AtlassianConnect => connect_jwt::precheck(headers, now),
        _ => Ok(()),
    }
}

/// Id and time of a transmission, put together as they are signed: wherever somebody moves the line between the two
/// headers, it stays the same one.
fn paypal_transmission(incoming: &Incoming<'_>) -> Vec<u8> {
    let header = |name| incoming.text(name).unwrap_or_default();
    [header("paypal-transmission-id"), header("paypal-transmission-time")].join("|").into_bytes()
}

/// What tells two deliveries of equal bodies apart, if anything does: the signature, decoded, because one
/// signature has several spellings; of PayPal's the signed transmission. Nothing where it stands in the body.
pub(crate) fn distinguishing(scheme: &Scheme, incoming: &Incoming<'_>) -> Vec<u8> {
    use base64::Engine;
    if scheme.algorithm == Algorithm::Code(Code::PayPal) {
        return paypal_transmission(incoming);
    }
    let (Algorithm::Code(rule), Source::Header(name)) = (scheme.algorithm, &scheme.signature) else {
        return Vec::new();
    };
    let text = match rule {
        Code::AtlassianConnect => connect_jwt::presented(incoming).ok(),
        _ => incoming.text(name).map(str::to_owned),
    };
    let text = text.unwrap_or_default();
    let decoded = match rule {
        Code::AtlassianConnect | Code::GooglePubSub => {
            let signature = text.rsplit('.').next().unwrap_or_default();
            crate::encoding::BASE64_URL.decode(signature).ok()
        }
        Code::Contentful => crate::encoding::bytes_of_hex(text.as_bytes()),
        _ => crate::encoding::BASE64.decode(&text).ok(),
    };
    // What does not decode has not verified.
    decoded.unwrap_or_else(|| text.into_bytes())
}

/// Signs `request` by the rule, with `url` as the sender knows it.
pub(crate) fn sign(
    rule: Code,
    scheme: &Scheme,
    key: &Key,
    secret: &SecretString,
    request: &mut Request<Bytes>,
    url: &str,
    now: UnixTime,
) -> Result<(), BuildError> {
    match rule {
        Code::Twilio => twilio::sign(scheme, key, request, url),
        Code::Mandrill => mandrill::sign(scheme, key, request, url),
        Code::AdyenPayments => adyen::sign(scheme, key, request),
        Code::Contentful => contentful::sign(scheme, key, request, url, now),
        Code::AtlassianConnect => connect_jwt::sign(scheme, key, request, url, now),
        Code::MicrosoftGraph => graph::sign(scheme, secret, request),
        Code::AwsSns | Code::PayPal | Code::GooglePubSub => Err(BuildError::Unsignable {
            scheme: scheme.name.to_string(),
            reason: "only the provider has the private key; replay a captured delivery instead".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn path_and_query_are_found_without_decoding_them() {
        for (url, expected) in [
            ("https://a.example", ("/", "")),
            ("https://a.example?x=1", ("/", "x=1")),
            ("https://u:p@a.example:1/x%20/?y=/?z#f?g", ("/x%20/", "y=/?z")),
            ("https://a.example/#?x", ("/", "")),
            ("/x?y", ("/x", "y")),
            ("", ("/", "")),
            ("://", ("/", "")),
        ] {
            assert_eq!(path_and_query(url), expected, "{url}");
        }
    }

    #[test]
    fn spellings_of_one_signature_distinguish_nothing() {
        let bytes = |scheme: &Scheme, value: &str| {
            let Source::Header(name) = &scheme.signature else { return Vec::new() };
            let mut headers = HeaderMap::new();
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            distinguishing(scheme, &Incoming::post(&headers, b"").with_url("https://a.example/?jwt=a.b.AQI"))
        };
        for (scheme, one, same, other) in [
            (&schemes::TWILIO, "AQI=", "AQI", "AQM="),
            (&schemes::MANDRILL, "AQI=", "AQI", "AQM="),
            (&schemes::CONTENTFUL, "0ab1", "0AB1", "0ab2"),
            (&schemes::ATLASSIAN_CONNECT_JWT, "JWT a.b.AQI", "jwt  a.b.AQI", "JWT a.b.AQM"),
            (&schemes::ATLASSIAN_CONNECT_JWT, "JWT a.b.AQI", "Basic dTpw", "JWT a.b.AQM"),
            (&schemes::GOOGLE_PUBSUB, "Bearer a.b.AQI", "bearer a.b.AQI", "Bearer a.b.AQM"),
        ] {
            assert_eq!(bytes(scheme, one), bytes(scheme, same), "{}", scheme.name);
            assert_ne!(bytes(scheme, one), bytes(scheme, other), "{}", scheme.name);
            assert!(!bytes(scheme, one).is_empty(), "{}", scheme.name);
        }
        assert!(distinguishing(&schemes::ADYEN_PAYMENT, &Incoming::post(&HeaderMap::new(), b"")).is_empty());
    }
}
