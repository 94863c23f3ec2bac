//! OpenID Connect: the discovery document, the claims of an id token, and the person's document.
//!
//! The fake signs nothing. The test hands in the key set and a function that makes a JWT of the claims, so that
//! a test can also make a wrong one.
//! Not for logout, sessions or encrypted tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::habits::Terms;
use super::ledger::{Family, Issued};
use super::token;

/// Served for OpenID Connect and, under its other name, for RFC 8414.
pub(crate) fn discovery(issuer: &str, origin: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "device_authorization_endpoint": format!("{origin}/device/code"),
        "revocation_endpoint": format!("{origin}/revoke"),
        "userinfo_endpoint": format!("{origin}/userinfo"),
        "jwks_uri": format!("{origin}/jwks"),
        "response_types_supported": ["code"],
        "grant_types_supported": token::grant_types().collect::<Vec<_>>(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "scopes_supported": ["openid", "email", "profile", "offline_access"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// The person that logs in unless the test says otherwise.
pub(crate) fn person() -> Value {
    json!({
        "sub": "fake-subject-1",
        "email": "person@testkit.example",
        "email_verified": true,
        "name": "Pat Example",
    })
}

/// What an id token says; `None` when nobody asked for one.
pub(crate) fn claims(
    issued: &Issued,
    family: &Family,
    person: &Value,
    issuer: &str,
    now: u64,
    terms: &Terms,
) -> Option<Value> {
    if !family.person || !issued.scopes.iter().any(|scope| scope == "openid") {
        return None;
    }
    let mut claims = person.as_object().cloned().unwrap_or_default();
    // Half of the hash, for the algorithms that end in 256 (OpenID Connect Core 3.1.3.6).
    let digest = Sha256::digest(issued.access_token.as_bytes());
    let half = digest.iter().take(16).copied().collect::<Vec<u8>>();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", issuer.into());
    set("aud", family.client.as_str().into());
    set("iat", now.into());
    set("exp", now.saturating_add(terms.expires_in).into());
    set("auth_time", family.began_at.into());
    set("at_hash", URL_SAFE_NO_PAD.encode(half).into());
    // Only the login itself answers a nonce.
    if let Some(nonce) = family.nonce.as_deref().filter(|_| issued.grant == "authorization_code") {
        set("nonce", nonce.into());
    }
    Some(Value::Object(claims))
}
