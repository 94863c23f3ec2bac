//! JSON web tokens, as far as webhooks carry them: split, decoded, and nothing believed yet.
//!
//! Only the compact form, and never by the `alg` that the token names: the caller knows which algorithm its
//! provider uses, refuses every other, and checks the signature over [`Token::signed`] before it looks at a
//! claim.

use base64::Engine;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::UnixTime;
use crate::encoding::BASE64_URL;
use crate::error::VerifyError;
use crate::plan::window;

/// Tokens of providers are below 4 KiB; nobody decodes more for a stranger.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token whose signature has not been checked.
pub(crate) struct Token<'t> {
    /// What is signed: header and claims as they were written.
    pub(crate) signed: &'t str,
    pub(crate) signature: Vec<u8>,
    pub(crate) algorithm: String,
    #[cfg(any(feature = "asymmetric", test))]
    pub(crate) key_id: Option<String>,
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[cfg(any(feature = "asymmetric", test))]
    kid: Option<String>,
}

impl<'t> Token<'t> {
    /// `None` unless this is header, claims and signature, each base64 and the first two JSON objects.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL.decode(part).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        Some(Self {
            signed,
            signature: decode(signature)?,
            algorithm: header.alg,
            #[cfg(any(feature = "asymmetric", test))]
            key_id: header.kid,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
        })
    }

    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    #[cfg(any(feature = "asymmetric", test))]
    pub(crate) fn is_true(&self, claim: &str) -> bool {
        // Some issuers write booleans as text.
        self.claims.get(claim).is_some_and(|value| *value == true || *value == "true")
    }

    /// Whether the audience is this one, or a list that names it.
    #[cfg(any(feature = "asymmetric", test))]
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        }
    }

    /// A time claim, in whole seconds.
    pub(crate) fn time(&self, claim: &str) -> Option<UnixTime> {
        let value = self.claims.get(claim)?;
        // Some issuers write fractions.
        #[expect(clippy::cast_possible_truncation, reason = "saturates; a time that far off is refused")]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64)).map(UnixTime)
    }

    /// Refuses a token that is over, has no end, or is not good yet. The end is the issuer's word and gets no
    /// leeway; the beginning gets some, since our clock may be behind.
    pub(crate) fn check_times(&self, now: UnixTime, leeway_seconds: u32) -> Result<(), VerifyError> {
        let end = self.time("exp").ok_or(VerifyError::ClaimMismatch { claim: "exp" })?;
        window(end, now, 0, u32::MAX)?;
        for claim in ["nbf", "iat"] {
            if let Some(begin) = self.time(claim) {
                window(begin, now, u32::MAX, leeway_seconds)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.{}", BASE64_URL.encode(header), BASE64_URL.encode(claims), BASE64_URL.encode("sig"))
    }

    #[test]
    fn what_is_no_token_is_none() {
        let whole = token(r#"{"alg":"HS256"}"#, r#"{"exp":10}"#);
        assert!(Token::parse(&whole).is_some());
        for text in ["", ".", "..", "a.b.c", &whole[1..], &format!("{whole}.x"), &"a".repeat(20_000)] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
        assert!(Token::parse(&token("{}", "{}")).is_none(), "no algorithm");
        assert!(Token::parse(&token(r#"{"alg":"HS256"}"#, "[]")).is_none(), "no claims");
    }

    #[test]
    fn times_are_checked_with_leeway_and_an_end_is_required() {
        let check = |claims: &str, now: i64| {
            let text = token(r#"{"alg":"HS256"}"#, claims);
            Token::parse(&text).unwrap().check_times(UnixTime(now), 30).map_err(|error| error.code())
        };
        assert_eq!(check(r#"{"exp":100}"#, 100), Ok(()));
        assert_eq!(check(r#"{"exp":100}"#, 101), Err("timestamp_too_old"));
        assert_eq!(check(r#"{"exp":100.5,"nbf":60}"#, 30), Ok(()));
        assert_eq!(check(r#"{"exp":100,"nbf":61}"#, 30), Err("timestamp_in_future"));
        assert_eq!(check("{}", 30), Err("claim_mismatch"));
        assert_eq!(check(r#"{"exp":1e300}"#, 30), Err("timestamp_in_future"));
    }

    #[test]
    fn flags_and_key_ids_are_read_as_issuers_write_them() {
        let text = token(r#"{"alg":"RS256","kid":"k1"}"#, r#"{"a":true,"b":"true","c":1,"d":false}"#);
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.key_id.as_deref(), Some("k1"));
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|claim| token.is_true(claim)),
            [true, true, false, false, false]
        );
    }

    #[test]
    fn an_audience_is_one_text_or_a_list() {
        for (claims, expected) in [
            (r#"{"aud":"a"}"#, true),
            (r#"{"aud":["b","a"]}"#, true),
            (r#"{"aud":"ab"}"#, false),
            (r#"{"aud":{"a":1}}"#, false),
            ("{}", false),
        ] {
            let text = token(r#"{"alg":"HS256"}"#, claims);
            assert_eq!(Token::parse(&text).unwrap().is_for("a"), expected, "{claims}");
        }
    }
}
