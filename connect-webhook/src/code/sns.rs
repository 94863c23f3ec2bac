//! AWS SNS: RSA over fields of the message, under a certificate that the message names.
//!
//! Signed are the fields in [`canonical`], and nothing else: `MessageAttributes` and `UnsubscribeURL` are not, so do
//! not act on them. The certificate is believed because it comes from SNS's own host over https, in the region of one
//! of the topics.
//!
//! - Anyone with an AWS account can let SNS sign and deliver a message here, so the topic must be among those of
//!   [`VerifierBuilder::topic`](crate::VerifierBuilder::topic).
//! - There is no time window: SNS repeats a delivery for days under its first timestamp. Replays are told by
//!   `MessageId`, which is signed.
//! - `SignatureVersion` 1, SHA-1, is what topics have until their attribute `SignatureVersion` is set to 2. It is
//!   taken only after `.allow_weak()`.
//! - Raw message delivery has no signature and is refused; leave it off.

use base64::Engine;
use serde::Deserialize;

use super::*;
use crate::asymmetric::RsaHash;
use crate::encoding::BASE64;
use crate::keys::address;
use crate::rfc3339;
use crate::settings::Settings;

/// The base64 of the longest RSA signature, 8192 bits.
pub(super) const MAX_SIGNATURE_CHARS: usize = 1368;

/// A field that occurs twice is refused by serde, so nobody can sign one value and have another one read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(rename = "Type")]
    kind: Option<String>,
    message_id: Option<String>,
    topic_arn: Option<String>,
    subject: Option<String>,
    message: Option<String>,
    timestamp: Option<String>,
    token: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: Option<String>,
    signature: Option<String>,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: Option<String>,
}

type Field<'m> = (&'static str, &'m Option<String>);

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let settings = &cx.inner.settings;
    let message = parse(cx.incoming.body).ok_or(VerifyError::MalformedBody)?;
    let signed = canonical(&message)?;
    let url = required("/SigningCertURL", &message.signing_cert_url)?;
    let region = certificate_region(url).ok_or(VerifyError::UntrustedKeyUrl)?;
    let hash = match required("/SignatureVersion", &message.signature_version)? {
        "2" => RsaHash::Sha256,
        "1" if settings.allow_weak => RsaHash::Sha1,
        _ => {
            let form = r#""SignatureVersion": "2", or "1" after `.allow_weak()`"#.to_owned();
            return Err(VerifyError::NoMatchingScheme { form });
        }
    };
    let presented = required("/Signature", &message.signature)?;
    let presented =
        decode(presented).ok_or_else(|| VerifyError::BadEncoding { form: "base64".to_owned() })?;

    let wrong_topic = VerifyError::ClaimMismatch { claim: "TopicArn" };
    let is_our_topic = is_our_topic(settings, &message);
    if !is_our_region(settings, region) {
        // A topic that nobody configured says more to whoever looks for the reason.
        return Err(if is_our_topic { VerifyError::UntrustedKeyUrl } else { wrong_topic });
    }
    let key = settings.keys.as_ref().and_then(|keys| keys.certificate(url, cx.now));
    // For a topic of others no key is fetched, and that it is missing would mislead.
    let key = key.ok_or(if is_our_topic { VerifyError::UnknownKey } else { wrong_topic.clone() })?;
    if !key.verify(hash, &signed, &presented) {
        return Err(VerifyError::SignatureMismatch);
    }
    if !is_our_topic {
        return Err(wrong_topic);
    }
    let mut told = cx.incoming.headers.get_all("x-amz-sns-message-type").iter();
    if told.any(|kind| Some(kind.as_bytes()) != message.kind.as_deref().map(str::as_bytes)) {
        return Err(VerifyError::ClaimMismatch { claim: "Type" });
    }
    let signed_at = message.timestamp.as_deref().and_then(|text| rfc3339::parse(text.as_bytes()));
    Ok(Verification::new(0, signed_at))
}

/// The address of the certificate to have at hand; `None` for a message that will be refused whatever it says.
pub(crate) fn wanted(settings: &Settings, body: &[u8]) -> Option<String> {
    let message = parse(body)?;
    let url = message.signing_cert_url.as_deref()?;
    let can_verify = is_our_region(settings, certificate_region(url)?)
        && is_our_topic(settings, &message)
        && canonical(&message).is_ok()
        && message.signature.as_deref().and_then(decode).is_some();
    can_verify.then(|| url.to_owned())
}

/// A subscription that waits to be confirmed.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Confirmation {
    pub(crate) topic: String,
    /// Whoever has it can confirm, so it belongs into no log.
    pub(crate) url: String,
}

/// What a verified body asks to be confirmed, if it does; only at SNS's own host.
pub(crate) fn confirmation(body: &[u8]) -> Option<Confirmation> {
    let message = parse(body)?;
    if message.kind.as_deref() != Some("SubscriptionConfirmation") {
        return None;
    }
    let url = message.subscribe_url?;
    let (host, rest) = url.strip_prefix("https://")?.split_once('/')?;
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
    (address::sns_region(host).is_some() && is_plain)
        .then_some(Confirmation { topic: message.topic_arn?, url })
}

fn parse(body: &[u8]) -> Option<Message> {
    serde_json::from_slice(body).ok()
}

/// Every signed field's name and value, each on a line. The order is by name.
fn canonical(message: &Message) -> Result<Vec<u8>, VerifyError> {
    let kind = ("Type", &message.kind);
    let id = ("MessageId", &message.message_id);
    let text = ("Message", &message.message);
    let (time, topic) = (("Timestamp", &message.timestamp), ("TopicArn", &message.topic_arn));
    let fields: &[Field<'_>] = match required("/Type", &message.kind)? {
        "Notification" => &[text, id, ("Subject", &message.subject), time, topic, kind],
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => &[
            text,
            id,
            ("SubscribeURL", &message.subscribe_url),
            time,
            ("Token", &message.token),
            topic,
            kind,
        ],
        _ => return Err(VerifyError::MalformedBody),
    };
    let mut signed = Vec::new();
    for (name, value) in fields {
        match value {
            // Or a line break would move text from one field into the next under the same signature. SNS has none
            // outside of messages.
            Some(value) if *name != "Message" && value.contains('\n') => {
                return Err(VerifyError::MalformedBody);
            }
            Some(value) => {
                [name, "\n", value, "\n"].iter().for_each(|text| signed.extend_from_slice(text.as_bytes()))
            }
            None if *name == "Subject" => {}
            None => return Err(VerifyError::MissingField { field: format!("/{name}") }),
        }
    }
    Ok(signed)
}

fn required<'m>(pointer: &str, value: &'m Option<String>) -> Result<&'m str, VerifyError> {
    value.as_deref().ok_or_else(|| VerifyError::MissingField { field: pointer.to_owned() })
}

fn is_our_topic(settings: &Settings, message: &Message) -> bool {
    settings.topics.iter().any(|topic| message.topic_arn.as_deref() == Some(topic))
}

/// Whether one of the topics, `arn:aws:sns:<region>:<account>:<name>`, is in this region. Regions are separate: what one
/// of them signs is no proof in another.
fn is_our_region(settings: &Settings, region: &str) -> bool {
    settings.topics.iter().any(|topic| topic.split(':').nth(3) == Some(region))
}

/// The region of SNS that serves this certificate; `None` for every other address.
fn certificate_region(url: &str) -> Option<&str> {
    let (host, path) = address::split(url)?;
    // One segment: SNS serves no certificate deeper, and its API answers at the root.
    let is_certificate = path.ends_with(".pem") && path.matches('/').count() == 1;
    address::sns_region(host).filter(|_| is_certificate)
}

/// The bytes of an RSA signature.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    (text.len() <= MAX_SIGNATURE_CHARS).then(|| BASE64.decode(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_believed_at_snss_own_hosts_only() {
        for url in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-9c6465fa.pem",
            "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-9c6465fa.pem",
        ] {
            assert!(certificate_region(url).is_some(), "{url}");
        }
        for url in [
            "http://sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com.evil.com/a.pem",
            "https://sns.us-east-1.amazonaws.com.cn.evil.com/a.pem",
            "https://sns.evil.com/sns.us-east-1.amazonaws.com/a.pem",
            "https://evilsns.us-east-1.amazonaws.com/a.pem",
            "https://sns.bucket.s3.amazonaws.com/a.pem",
            "https://sns.cn-north-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com.cn/a.pem",
            "https://sns..amazonaws.com/a.pem",
            "https://sns.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.org/a.pem",
            "https://sns.us-east-1.amazonaws.com@evil.com/a.pem",
            "https://user:pass@sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com:8443/a.pem",
            "https://sns.us-east-1.amazonaws.com/../a.pem",
            "https://sns.us-east-1.amazonaws.com/b/a.pem",
            "https://sns.us-east-1.amazonaws.com/a.pem.txt",
            "https://sns.us-east-1.amazonaws.com/?Action=GetEndpointAttributes&x=/a.pem",
            "https://sns.us-east-1.amazonaws.com/a.pem?x=.pem",
            "https://sns.us-east-1.amazonaws.com",
        ] {
            assert!(certificate_region(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_confirmation_leads_to_sns_or_nowhere() {
        let confirm = |kind: &str, url: &str| {
            confirmation(
                format!(r#"{{"Type":"{kind}","TopicArn":"arn:aws:sns:x","SubscribeURL":"{url}"}}"#)
                    .as_bytes(),
            )
        };
        let url = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=a";
        let expected = Confirmation { topic: "arn:aws:sns:x".to_owned(), url: url.to_owned() };
        assert_eq!(confirm("SubscriptionConfirmation", url), Some(expected));
        for (kind, url) in [
            ("Notification", url),
            ("UnsubscribeConfirmation", url),
            ("SubscriptionConfirmation", "http://sns.us-east-1.amazonaws.com/?a"),
            ("SubscriptionConfirmation", "https://sns.us-east-1.amazonaws.com.evil.com/?a"),
            ("SubscriptionConfirmation", "https://sns.us-east-1.amazonaws.com@evil.com/?a"),
            ("SubscriptionConfirmation", "https://sns.us-east-1.amazonaws.com:444/?a"),
            ("SubscriptionConfirmation", "https://sns.us-east-1.amazonaws.com/?a b"),
            ("SubscriptionConfirmation", "https://evil@sns.us-east-1.amazonaws.com/?a"),
            ("SubscriptionConfirmation", "https://sns.a.b.amazonaws.com/?a"),
            ("SubscriptionConfirmation", "https://sns..amazonaws.com/?a"),
            ("SubscriptionConfirmation", "https://evil.example/sns.us-east-1.amazonaws.com"),
            ("SubscriptionConfirmation", "https://169.254.169.254/"),
            ("SubscriptionConfirmation", "/"),
            ("SubscriptionConfirmation", ""),
        ] {
            assert_eq!(confirm(kind, url), None, "{kind} {url}");
        }
    }
}
