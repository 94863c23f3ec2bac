//! The `validationTokens` of Microsoft Graph: JSON web tokens beside notifications that carry resource data.
//!
//! There is one for every pair of app and tenant that the notifications concern. Each must be signed by Microsoft, for
//! this app ([`VerifierBuilder::audience`](crate::VerifierBuilder::audience) is its client id), and made for Graph's
//! own sender: Microsoft signs tokens for this app on behalf of others too. The tenant is checked if
//! [`VerifierBuilder::issuer`](crate::VerifierBuilder::issuer) names one. They prove who sends and say nothing about
//! the body.

use serde::Deserialize;

use super::graph::{AtMost, MAX_TOKENS};
use super::pubsub::{LEEWAY_SECONDS, checked};
use super::*;
use crate::jwt::Token;
use crate::keys::Wanted;

/// The keys of every tenant.
const KEYS_URL: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

/// The app that Graph sends change notifications as.
const SENDER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "validationTokens")]
    tokens: Option<AtMost<MAX_TOKENS, String>>,
}

/// Checks them all. No token is no proof.
pub(super) fn validation_tokens(cx: &Context<'_>, tokens: &[&str]) -> Result<(), VerifyError> {
    if tokens.is_empty() {
        return Err(VerifyError::MissingField { field: "/validationTokens".to_owned() });
    }
    if tokens.len() > MAX_TOKENS {
        return Err(VerifyError::MalformedBody);
    }
    tokens.iter().try_for_each(|text| validation_token(cx, text))
}

fn validation_token(cx: &Context<'_>, text: &str) -> Result<(), VerifyError> {
    let settings = &cx.inner.settings;
    let token = Token::parse(text).ok_or(VerifyError::MalformedBody)?;
    let signer = checked(&token, settings.keys.as_ref(), KEYS_URL, cx.now)?;
    token.check_times(cx.now, LEEWAY_SECONDS)?;

    let tenant = token.text("iss").and_then(tenant);
    let sender = token.text("azp").or_else(|| token.text("appid"));
    let is_tenants_key = signer.as_deref().is_none_or(|signer| may_sign_for(signer, tenant));
    let is_tenant = settings.issuer.is_none() || tenant == settings.issuer.as_deref();
    let claims = [
        ("iss", tenant.is_some() && is_tenant && is_tenants_key),
        ("aud", settings.audience.as_deref().is_some_and(|audience| token.is_for(audience))),
        ("azp", sender == Some(SENDER)),
    ];
    match claims.iter().find(|(_, holds)| !holds) {
        Some((claim, _)) => Err(VerifyError::ClaimMismatch { claim }),
        None => Ok(()),
    }
}

/// The keys to have at hand; `None` for a body without such tokens.
pub(crate) fn wanted(body: &[u8]) -> Option<Wanted<'static>> {
    let Body { tokens } = serde_json::from_slice(body).ok()?;
    let AtMost(tokens) = tokens.filter(|AtMost(tokens)| !tokens.is_empty())?;
    let key_id = |text: &String| {
        let token = Token::parse(text)?;
        token.key_id.filter(|_| token.algorithm == "RS256")
    };
    // One without a key will be refused, and the others with it.
    let key_ids = tokens.iter().map(key_id).collect::<Option<Vec<_>>>()?;
    Some(Wanted::Set { url: KEYS_URL, key_ids })
}

/// The tenant of an issuer: `https://sts.windows.net/<tenant>/`, or
/// `https://login.microsoftonline.com/<tenant>/v2.0`.
fn tenant(issuer: &str) -> Option<&str> {
    let first = issuer.strip_prefix("https://sts.windows.net/").and_then(|rest| rest.strip_suffix('/'));
    let second = || issuer.strip_prefix("https://login.microsoftonline.com/")?.strip_suffix("/v2.0");
    let is_id = |text: &&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    first.or_else(second).filter(is_id)
}

/// Whether a key is one for this tenant: the set marks the keys that sign for a single one, such as the tenant of
/// personal accounts.
fn may_sign_for(signer: &str, tenant_of_token: Option<&str>) -> bool {
    signer.contains("{tenantid}") || tenant(signer).is_some() && tenant(signer) == tenant_of_token
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use ring::rand::SystemRandom;
    use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
    use serde_json::{Value, json};

    use super::*;
    use crate::encoding::BASE64_URL;
    use crate::keys::Keys;
    use crate::schemes;
    use crate::verifier_builder::VerifierBuilder;
    use crate::verify::Verifier;

    const NOW: UnixTime = UnixTime(1_750_000_000);
    const AUDIENCE: &str = "c0ffee00-1111-4222-8333-444455556666";
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    fn pair() -> RsaKeyPair {
        RsaKeyPair::from_pkcs8(include_bytes!("../../tests/keys/private.pk8")).unwrap()
    }

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; 256];
        pair().sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64_URL.encode(signature))
    }

    fn claims() -> Value {
        json!({
            "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{TENANT}/"), "appid": SENDER,
            "iat": NOW.0, "nbf": NOW.0, "exp": NOW.0 + 3600, "tid": TENANT,
        })
    }

    fn with(name: &str, value: impl Into<Value>) -> Value {
        let mut claims = claims();
        claims[name] = value.into();
        claims
    }

    fn keys() -> Keys {
        let key: RsaPublicKeyComponents<Vec<u8>> = pair().public().into();
        let number = |bytes: &[u8]| BASE64_URL.encode(bytes);
        let key = |id: &str, issuer: &str| json!({ "kty": "RSA", "kid": id, "n": number(&key.n), "e": number(&key.e), "issuer": issuer });
        let every = key("every", "https://login.microsoftonline.com/{tenantid}/v2.0");
        let personal = key("personal", &format!("https://login.microsoftonline.com/{PERSONAL}/v2.0"));
        Keys::fixed([(KEYS_URL, json!({ "keys": [every, personal] }).to_string())])
    }

    fn builder() -> VerifierBuilder {
        Verifier::builder(&schemes::MICROSOFT_GRAPH).secret("client state".into()).keys(keys())
    }

    fn check(builder: VerifierBuilder, tokens: &[&str]) -> &'static str {
        let verifier = builder.build().unwrap();
        let headers = HeaderMap::new();
        let incoming = Incoming::post(&headers, b"");
        let cx = Context { inner: verifier.inner(), keys: &verifier.keys(), incoming, now: NOW };
        match validation_tokens(&cx, tokens) {
            Ok(()) => "ok",
            Err(VerifyError::ClaimMismatch { claim }) => claim,
            Err(error) => error.code(),
        }
    }

    fn by(key_id: &str) -> Value {
        json!({ "alg": "RS256", "kid": key_id })
    }

    #[test]
    fn every_token_must_be_microsofts_for_this_app_by_graph() {
        let second = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        for (name, value, expected) in [
            ("iss", json!(second), "ok"),
            ("aud", json!([AUDIENCE]), "ok"),
            ("aud", json!("another app"), "aud"),
            ("aud", Value::Null, "aud"),
            ("appid", json!(AUDIENCE), "azp"),
            ("appid", Value::Null, "azp"),
            ("azp", json!(AUDIENCE), "azp"),
            ("iss", json!("https://sts.windows.net/"), "iss"),
            ("iss", json!(format!("https://sts.windows.net.evil.com/{TENANT}/")), "iss"),
            ("iss", json!(format!("https://sts.windows.net/evil/{TENANT}/")), "iss"),
            ("iss", Value::Null, "iss"),
            ("exp", json!(NOW.0 - 31), "timestamp_too_old"),
            ("nbf", json!(NOW.0 + 31), "timestamp_in_future"),
        ] {
            let token = token(&by("every"), &with(name, value.clone()));
            assert_eq!(check(builder().audience(AUDIENCE), &[&token]), expected, "{name} {value}");
            let good = self::token(&by("every"), &claims());
            assert_eq!(check(builder().audience(AUDIENCE), &[&good, &token]), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_token_by_no_key_of_microsofts_is_refused() {
        let good = token(&by("every"), &claims());
        let cut = good.rsplit_once('.').unwrap().0;
        for (token, expected) in [
            (token(&by("none"), &claims()), "unknown_key"),
            (token(&json!({ "alg": "HS256", "kid": "every" }), &claims()), "no_matching_scheme"),
            (format!("{cut}."), "signature_mismatch"),
            ("junk".to_owned(), "malformed_body"),
        ] {
            assert_eq!(check(builder().audience(AUDIENCE), &[&token]), expected, "{token}");
        }
        let headless = Verifier::builder(&schemes::MICROSOFT_GRAPH).secret("s".into()).audience(AUDIENCE);
        assert_eq!(check(headless, &[&good]), "unknown_key");
        assert_eq!(check(builder(), &[&good]), "aud", "an audience is required");
        assert_eq!(check(builder().audience(AUDIENCE), &[]), "missing_field");
        assert_eq!(check(builder().audience(AUDIENCE), &[&*good; MAX_TOKENS + 1]), "malformed_body");
    }

    #[test]
    fn a_tenant_is_kept_to_itself() {
        let good = token(&by("every"), &claims());
        let ours = || builder().audience(AUDIENCE);
        assert_eq!(check(ours().issuer(TENANT), &[&good]), "ok");
        assert_eq!(check(ours().issuer(PERSONAL), &[&good]), "iss");
        // The key of one tenant signs for no other.
        let personal = with("iss", format!("https://login.microsoftonline.com/{PERSONAL}/v2.0"));
        assert_eq!(check(ours(), &[&token(&by("personal"), &personal)]), "ok");
        assert_eq!(check(ours(), &[&token(&by("personal"), &claims())]), "iss");
    }

    #[test]
    fn keys_are_wanted_for_tokens_only() {
        let good = token(&by("every"), &claims());
        let ids = |body: Value| match wanted(body.to_string().as_bytes()) {
            Some(Wanted::Set { key_ids, .. }) => key_ids,
            _ => Vec::new(),
        };
        assert_eq!(ids(json!({ "value": [], "validationTokens": [good, good] })), ["every", "every"]);
        for body in [
            json!({ "value": [] }),
            json!({ "validationTokens": [] }),
            json!({ "validationTokens": [good, "junk"] }),
            json!([]),
        ] {
            assert!(ids(body).is_empty());
        }
    }
}
