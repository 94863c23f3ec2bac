//! The compact serialization of a signed token: header, claims and signature with dots between them (RFC 7515 7.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect_core::{Error, ErrorKind, Secret};
use serde_json::{Map, Value};

use super::Signer;

/// Signs these claims and no others: for a provider that wants a token of its own kind. [`Assertion`](super::Assertion)
/// makes the claims of the JWT bearer grant.
///
/// ```
/// use connect_core::{Error, Secret};
/// use connect_oauth::jwt::{Signer, sign_claims};
/// async fn token_of_a_github_app(key: &dyn Signer, now: u64) -> Result<Secret, Error> {
///     let claims = serde_json::json!({"iss": "Iv1.example", "iat": now - 60, "exp": now + 540});
///     sign_claims(key, claims.as_object().expect("an object")).await
/// }
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] for a signature of the wrong length; whatever the signer fails with.
pub async fn sign_claims(signer: &dyn Signer, claims: &Map<String, Value>) -> Result<Secret, Error> {
    let algorithm = signer.algorithm();
    let mut header = Map::new();
    header.insert("alg".into(), algorithm.name().into());
    header.insert("typ".into(), "JWT".into());
    if let Some(id) = signer.key_id() {
        header.insert("kid".into(), id.into());
    }
    let mut input = part(&header)?;
    input.push('.');
    input.push_str(&part(claims)?);
    let signature = signer.sign(input.as_bytes()).await?;
    if signature.is_empty() || algorithm.signature_length().is_some_and(|length| length != signature.len()) {
        let message =
            "the signer's signature has the wrong length: ECDSA signatures are r and s without DER here";
        return Err(Error::new(ErrorKind::Config, message));
    }
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut input);
    Ok(Secret::new(input))
}

/// A JSON object as one part of the token.
fn part(object: &Map<String, Value>) -> Result<String, Error> {
    let json = serde_json::to_string(object).map_err(|error| {
        Error::new(ErrorKind::Config, "the claims cannot be written as JSON").with_source(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}
