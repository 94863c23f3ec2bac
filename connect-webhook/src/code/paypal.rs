//! PayPal: RSA-SHA256 over transmission id, transmission time, the webhook's id and the body's CRC-32, under a
//! certificate that a header names.
//!
//! - **A CRC-32 is no cryptographic hash.** Whoever has read one delivery can write another body with the same
//!   checksum, and it verifies. So act on what PayPal's API says about the resource, not on what the body says.
//! - The certificate is believed because it comes from PayPal's own host over https.
//! - There is no time window: PayPal repeats a delivery for three days, and nothing says that it signs each attempt
//!   anew. Replays are told by the event's id and by the transmission: its signed id and time are the
//!   [replay key](crate::Delivery::replay_key), so that one captured delivery gives one event at most, behind a store
//!   or [`Deduplicating`](crate::Deduplicating). If the forged one comes first, it is that one.

use super::sns::decode;
use super::*;
use crate::asymmetric::RsaHash;
use crate::keys::address;
use crate::rfc3339;

const ID: HeaderName = HeaderName::from_static("paypal-transmission-id");
const TIME: HeaderName = HeaderName::from_static("paypal-transmission-time");
const SIGNATURE: HeaderName = HeaderName::from_static("paypal-transmission-sig");
const CERTIFICATE: HeaderName = HeaderName::from_static("paypal-cert-url");
const ALGORITHM: HeaderName = HeaderName::from_static("paypal-auth-algo");

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let settings = &cx.inner.settings;
    let headers = cx.incoming.headers;
    let (id, time) = (plan::only(headers, &ID)?, plan::only(headers, &TIME)?);
    let (signature, url) =
        (text(headers, &SIGNATURE, "<base64>")?, text(headers, &CERTIFICATE, "https://...")?);
    if headers.contains_key(ALGORITHM) && plan::only(headers, &ALGORITHM)? != b"SHA256withRSA" {
        return Err(VerifyError::NoMatchingScheme { form: "PAYPAL-AUTH-ALGO: SHA256withRSA".to_owned() });
    }
    if !is_certificate(url) {
        return Err(VerifyError::UntrustedKeyUrl);
    }
    let signature =
        decode(signature).ok_or_else(|| VerifyError::BadEncoding { form: "<base64>".to_owned() })?;
    // A verifier without it is never built.
    let webhook_id = settings.webhook_id.as_deref().ok_or(VerifyError::SignatureMismatch)?;
    let key = settings.keys.as_ref().and_then(|keys| keys.certificate(url, cx.now));
    let key = key.ok_or(VerifyError::UnknownKey)?;

    let checksum = crc32(cx.incoming.body).to_string();
    let signed = [id, time, webhook_id.as_bytes(), checksum.as_bytes()].join(&b'|');
    if !key.verify(RsaHash::Sha256, &signed, &signature) {
        return Err(VerifyError::SignatureMismatch);
    }
    Ok(Verification::new(0, rfc3339::parse(time)))
}

/// The address of the certificate to have at hand; `None` for a request that will be refused whatever it says.
pub(crate) fn wanted<'a>(incoming: &Incoming<'a>) -> Option<&'a str> {
    let headers = incoming.headers;
    let is_complete = [ID, TIME, SIGNATURE, CERTIFICATE].iter().all(|name| plan::only(headers, name).is_ok());
    let url = incoming.text(CERTIFICATE.as_str()).filter(|url| is_complete && is_certificate(url))?;
    decode(incoming.text(SIGNATURE.as_str())?).map(|_| url)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName, form: &str) -> Result<&'h str, VerifyError> {
    std::str::from_utf8(plan::only(headers, name)?)
        .map_err(|_| VerifyError::MalformedHeader { header: name.clone(), form: form.to_owned() })
}

fn is_certificate(url: &str) -> bool {
    address::split(url).is_some_and(|(host, path)| {
        let file = path.strip_prefix("/v1/notifications/certs/");
        host.ends_with(".paypal.com") && file.is_some_and(|file| !file.contains('/'))
    })
}

/// The checksum of zip and Ethernet (reflected polynomial 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        // The table has a place for every byte.
        (crc >> 8) ^ TABLE[usize::from(low ^ byte)]
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_has_the_check_value_of_its_kind() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(&[0xff; 4]), u32::MAX);
    }

    #[test]
    fn certificates_are_believed_at_paypals_own_hosts_only() {
        for url in [
            "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8dcb8b",
            "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8dcb8b",
            "https://api-m.paypal.com/v1/notifications/certs/CERT-1",
        ] {
            assert!(is_certificate(url), "{url}");
        }
        for url in [
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.com/v1/notifications/certs/CERT-1",
            "https://evilpaypal.com/v1/notifications/certs/CERT-1",
            "https://paypal.com.evil.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.com/v1/notifications/certs/CERT-1",
            "https://evil.com/api.paypal.com/v1/notifications/certs/CERT-1",
            "https://u@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/../../../CERT-1",
            "https://api.paypal.com/v1/notifications/certs/a/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=y",
            "https://api.paypal.com/v2/notifications/certs/CERT-1",
            "https://api.paypal.com",
        ] {
            assert!(!is_certificate(url), "{url}");
        }
    }
}
