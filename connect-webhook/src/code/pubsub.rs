//! Google Pub/Sub push: `Authorization: Bearer <JWT>`, signed by one of Google's keys.
//!
//! Google signs such tokens for every customer, for whatever audience they ask, so audience and service account are
//! both required. The token says nothing about the body and is good for an hour: whoever reads one delivery on its way
//! can send others until then. Replays are told by the message's id.

use super::*;
use crate::asymmetric::RsaHash;
use crate::jwt::Token;
use crate::keys::{Keys, Wanted};

/// The keys of all tokens that Google signs for its own accounts.
const KEYS_URL: &str = "https://www.googleapis.com/oauth2/v3/certs";

const FORM: &str = "Bearer <JWT by RS256>";

/// For clocks that differ.
pub(super) const LEEWAY_SECONDS: u32 = 30;

pub(super) fn verify(cx: &Context<'_>) -> Result<Verification, VerifyError> {
    let header = HeaderName::from_static("authorization");
    let value = plan::only(cx.incoming.headers, &header)?;
    let token = std::str::from_utf8(value).ok().and_then(bearer).and_then(Token::parse);
    let token = token.ok_or_else(|| VerifyError::MalformedHeader { header, form: FORM.to_owned() })?;
    let settings = &cx.inner.settings;
    checked(&token, settings.keys.as_ref(), KEYS_URL, cx.now)?;
    token.check_times(cx.now, LEEWAY_SECONDS)?;

    let by_google = ["https://accounts.google.com", "accounts.google.com"];
    let claims = [
        ("iss", token.text("iss").is_some_and(|issuer| by_google.contains(&issuer))),
        ("aud", settings.audience.as_deref().is_some_and(|audience| token.is_for(audience))),
        (
            "email",
            settings.service_account.is_some() && token.text("email") == settings.service_account.as_deref(),
        ),
        ("email_verified", token.is_true("email_verified")),
    ];
    match claims.iter().find(|(_, holds)| !holds) {
        Some((claim, _)) => Err(VerifyError::ClaimMismatch { claim }),
        // Tokens are used again for an hour, so theirs is not the time of the delivery.
        None => Ok(Verification::new(0, None)),
    }
}

/// The keys to have at hand; `None` for a request that will be refused whatever it says.
pub(crate) fn wanted(incoming: &Incoming<'_>) -> Option<Wanted<'static>> {
    let token = Token::parse(bearer(incoming.text("authorization")?)?)?;
    let key_id = token.key_id.filter(|_| token.algorithm == "RS256")?;
    Some(Wanted::Set { url: KEYS_URL, key_ids: vec![key_id] })
}

/// Checks the signature by the key that the token names; what the key's owner says about it is returned.
pub(super) fn checked(
    token: &Token<'_>,
    keys: Option<&Keys>,
    url: &str,
    now: UnixTime,
) -> Result<Option<String>, VerifyError> {
    if token.algorithm != "RS256" {
        return Err(VerifyError::NoMatchingScheme { form: FORM.to_owned() });
    }
    let key = keys.zip(token.key_id.as_deref()).and_then(|(keys, id)| keys.of_set(url, id, now));
    let key = key.ok_or(VerifyError::UnknownKey)?;
    if !key.key.verify(RsaHash::Sha256, token.signed.as_bytes(), &token.signature) {
        return Err(VerifyError::SignatureMismatch);
    }
    Ok(key.issuer)
}

/// The token of a header's value. The scheme's name has no case in HTTP.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
