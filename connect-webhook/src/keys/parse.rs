//! Reads what providers publish: certificates as PEM, key sets as JSON (RFC 7517).

use std::sync::Arc;

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use crate::asymmetric::RsaKey;
use crate::encoding::{BASE64, BASE64_URL};

/// Certificates take 2 KiB and the largest of the key sets 20 KiB; nobody parses more.
pub(super) const MAX_TEXT_BYTES: usize = 256 * 1024;

/// What stands at one address.
#[derive(Clone)]
pub(crate) enum PublicKeys {
    Certificate(Arc<RsaKey>),
    Set(Arc<[SetKey]>),
}

/// One key of a set.
#[derive(Clone)]
pub(crate) struct SetKey {
    pub(crate) id: String,
    pub(crate) key: RsaKey,
    /// Whose tokens it may sign, where the set says so; Microsoft's does.
    pub(crate) issuer: Option<String>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    issuer: Option<String>,
}

impl PublicKeys {
    pub(super) fn has(&self, key_id: &str) -> bool {
        matches!(self, Self::Set(keys) if keys.iter().any(|key| key.id == key_id))
    }
}

/// `None` if there is no key that could be used: not what was asked for, or too long.
pub(super) fn parse(text: &[u8]) -> Option<PublicKeys> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    if text.trim_ascii_start().starts_with(b"{") { set(text) } else { certificate(text) }
}

/// The first certificate; those of its issuers may follow.
fn certificate(pem: &[u8]) -> Option<PublicKeys> {
    let pem = std::str::from_utf8(pem).ok()?;
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (coded, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let coded: String = coded.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let key = RsaKey::from_certificate(&BASE64.decode(coded).ok()?)?;
    Some(PublicKeys::Certificate(Arc::new(key)))
}

/// The RSA keys that sign; keys of other kinds are skipped, as the format asks.
fn set(json: &[u8]) -> Option<PublicKeys> {
    let set: JwkSet = serde_json::from_slice(json).ok()?;
    let keys: Arc<[SetKey]> = set.keys.into_iter().filter_map(set_key).collect();
    (!keys.is_empty()).then_some(PublicKeys::Set(keys))
}

fn set_key(value: Value) -> Option<SetKey> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.kty == "RSA"
        && jwk.alg.is_none_or(|algorithm| algorithm == "RS256")
        && jwk.purpose.is_none_or(|purpose| purpose == "sig");
    let number = |text: &str| BASE64_URL.decode(text).ok();
    let key = RsaKey::from_components(&number(&jwk.n)?, &number(&jwk.e)?)?;
    signs.then_some(SetKey { id: jwk.kid, key, issuer: jwk.issuer })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = include_bytes!("../../tests/keys/certificate.pem");

    #[test]
    fn a_certificate_is_read_with_text_round_it() {
        let chain = [b"subject=CN = x\n", PEM, PEM].concat();
        assert!(matches!(parse(&chain), Some(PublicKeys::Certificate(_))));
        let with_crlf = String::from_utf8_lossy(PEM).replace('\n', "\r\n");
        assert!(parse(with_crlf.as_bytes()).is_some());
        for text in [&b""[..], b"-----BEGIN CERTIFICATE-----", &PEM[..PEM.len() - 10], &PEM[100..], b"\xff"] {
            assert!(parse(text).is_none());
        }
    }

    #[test]
    fn only_rsa_keys_for_signatures_are_taken_from_a_set() {
        let ids = |keys: &str| match parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()) {
            Some(PublicKeys::Set(keys)) => keys.iter().map(|key| key.id.clone()).collect(),
            _ => Vec::new(),
        };
        let key = |rest: &str| format!(r#"{{"kid":"a","n":"AQID","e":"AQAB"{rest}}}"#);
        for (rest, expected) in [
            (r#","kty":"RSA""#, 1),
            (r#","kty":"RSA","alg":"RS256","use":"sig","x5t":"ignored""#, 1),
            (r#","kty":"RSA","alg":"PS256""#, 0),
            (r#","kty":"RSA","use":"enc""#, 0),
            (r#","kty":"EC""#, 0),
            ("", 0),
        ] {
            assert_eq!(ids(&key(rest)).len(), expected, "{rest}");
        }
        // One that nobody understands does not hide the next.
        assert_eq!(ids(&format!("7,{{}},{}", key(r#","kty":"RSA""#))), ["a"]);
    }

    #[test]
    fn more_text_than_any_provider_publishes_is_not_parsed() {
        let mut text = br#"{"keys":[{"kty":"RSA","kid":"a","n":"AQID","e":"AQAB"}]}"#.to_vec();
        text.resize(MAX_TEXT_BYTES, b' ');
        assert!(parse(&text).is_some());
        text.push(b' ');
        assert!(parse(&text).is_none());
    }
}
