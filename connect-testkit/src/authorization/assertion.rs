//! The claims of a JWT that a client presents as its grant (RFC 7523).
//!
//! It must have three segments, name the token endpoint as its audience, and be neither expired nor early by the
//! fake's clock. The signature is not checked: the fake knows no keys, and the test can look at the claims.
//! Not for assertions that stand for a client's password.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::{Failure, Reason};

pub(crate) fn claims(assertion: &str, token_url: &str, now: u64) -> Result<Value, Failure> {
    let refused = |why: &str| Failure::because(Reason::InvalidAssertion, why);
    let segments: Vec<&str> = assertion.split('.').collect();
    let [header, payload, signature] = segments.as_slice() else {
        return Err(refused("The assertion has not three segments."));
    };
    let (Some(_), Some(claims), false) = (object(header), object(payload), signature.is_empty()) else {
        return Err(refused("The assertion is no signed JWT."));
    };
    let for_us = match &claims["aud"] {
        Value::String(audience) => audience == token_url,
        Value::Array(audiences) => audiences.iter().any(|audience| audience == token_url),
        _ => false,
    };
    if !for_us {
        return Err(refused("The assertion's aud is not this token endpoint."));
    }
    // Seconds may have a fraction (RFC 7519 2).
    let expired = claims["exp"].as_f64().is_none_or(|exp| exp <= seconds(now));
    if expired {
        return Err(refused("The assertion is expired, or does not say when it will be."));
    }
    if claims["nbf"].as_f64().is_some_and(|nbf| nbf > seconds(now)) {
        return Err(refused("The assertion is not valid yet."));
    }
    Ok(claims)
}

fn object(segment: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()?;
    value.is_object().then_some(value)
}

/// Exact for the next few million years.
fn seconds(now: u64) -> f64 {
    now as f64
}
