//! Handshakes that come before any signature: decided by the head of the request, or by a small body while the
//! registration is open.

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::bounded;
use crate::answer::{self, Refusal, echo};
use crate::clock::UnixTime;
use crate::encoding::Signature;
use crate::endpoint::Endpoint;
use crate::error::{PayloadError, VerifyError};
use crate::form;
use crate::incoming::Incoming;
use crate::key::{Key, equal, token};
use crate::pointer::{Pointer, find};
use crate::registration::Claim;
use crate::scheme::Challenge;

/// A body that is read for the sake of an unsigned handshake. Notion's has 80 bytes, Azure's 600.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024;

const HOOK_SECRET: HeaderName = HeaderName::from_static("x-hook-secret");
const HOOK_SIGNATURE: HeaderName = HeaderName::from_static("x-hook-signature");
const OKTA_CHALLENGE: HeaderName = HeaderName::from_static("x-okta-verification-challenge");
pub(super) const AZURE_TYPE: HeaderName = HeaderName::from_static("aeg-event-type");
const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

type Answer = Result<Option<Response<Bytes>>, Refusal>;

/// The answer to a handshake that the head alone makes; `None` for everything else.
pub(crate) async fn by_head(endpoint: &Endpoint, parts: &request::Parts, now: UnixTime) -> Answer {
    let query = || parts.uri.query().unwrap_or_default();
    match (endpoint.verifier.scheme().challenge, &parts.method) {
        (Challenge::MetaSubscribe, &Method::GET) => meta(endpoint, query()).map(Some),
        (Challenge::OktaVerification, &Method::GET) => okta(endpoint, parts, now).map(Some),
        (Challenge::DropboxChallenge, &Method::GET) => {
            repeat(form::parameter(query(), "challenge")).map(Some)
        }
        (Challenge::GraphValidation, &Method::POST) => match form::parameter(query(), "validationToken") {
            Some(token) => repeat(Some(token)).map(Some),
            None => Ok(None),
        },
        (Challenge::HeadProbe, &Method::HEAD) => Ok(Some(answer::empty(StatusCode::OK))),
        (Challenge::AzureEventGrid, &Method::OPTIONS) => {
            azure_options(endpoint, &parts.headers, now).map(Some)
        }
        (Challenge::AsanaHookSecret, &Method::POST) => asana(endpoint, &parts.headers, now).await,
        _ => Ok(None),
    }
}

/// Whether the body may hold an unsigned handshake that would be answered now.
pub(crate) fn may_be_in_body(endpoint: &Endpoint, parts: &request::Parts, now: UnixTime) -> bool {
    let is_kind = match endpoint.verifier.scheme().challenge {
        Challenge::NotionVerificationToken => true,
        Challenge::AzureEventGrid => is_azure_validation(&parts.headers),
        _ => false,
    };
    is_kind
        && parts.method == Method::POST
        && endpoint.registration.as_ref().is_some_and(|registration| registration.is_open(now))
}

/// The answer to an unsigned handshake in the body; `None` for everything else.
pub(crate) async fn by_body(endpoint: &Endpoint, body: &[u8], now: UnixTime) -> Answer {
    let (challenge, pointer) = match endpoint.verifier.scheme().challenge {
        challenge @ Challenge::NotionVerificationToken => (challenge, "/verification_token"),
        challenge @ Challenge::AzureEventGrid => (challenge, "/0/data/validationCode"),
        _ => return Ok(None),
    };
    let found = Pointer::parse(pointer).and_then(|pointer| find(body, &pointer));
    let Some(text) = found.map(|found| found.as_str().to_owned()) else { return Ok(None) };
    let Some(claim) = claim(endpoint, now) else { return Ok(None) };
    if challenge == Challenge::AzureEventGrid {
        let response = azure_validation(&text)?;
        claim.succeed();
        return Ok(Some(response));
    }
    take_secret(endpoint, claim, text.into()).await?;
    Ok(Some(answer::empty(StatusCode::OK)))
}

/// The answer to a validation code.
pub(super) fn azure_validation(code: &str) -> Result<Response<Bytes>, Refusal> {
    let code = bounded(Some(code)).map_err(Refusal::Payload)?;
    Ok(answer::json(StatusCode::OK, json!({ "validationResponse": code }).to_string()))
}

pub(super) fn is_azure_validation(headers: &HeaderMap) -> bool {
    headers.get(AZURE_TYPE).is_some_and(|value| value == "SubscriptionValidation")
}

fn repeat(text: Option<String>) -> Result<Response<Bytes>, Refusal> {
    Ok(echo(bounded(text).map_err(Refusal::Payload)?))
}

fn meta(endpoint: &Endpoint, query: &str) -> Result<Response<Bytes>, Refusal> {
    if form::parameter(query, "hub.mode").as_deref() != Some("subscribe") {
        return Err(Refusal::Payload(PayloadError::MissingChallenge));
    }
    let Some(ours) = &endpoint.verifier.inner().settings.verify_token else {
        tracing::warn!(
            tenant = %endpoint.tenant,
            source = %endpoint.source,
            "a handshake came and no verify token is set; call `.verify_token(..)` with the one in the app's settings"
        );
        return Err(Refusal::WrongToken);
    };
    let presented = form::parameter(query, "hub.verify_token").unwrap_or_default();
    // Their hashes are compared, which tells not even the length of ours.
    let hash = |text: &str| Signature::new(&token(text.as_bytes()));
    if ours.expose_secret().is_empty() || !equal(&hash(ours.expose_secret()), &hash(&presented)) {
        return Err(Refusal::WrongToken);
    }
    repeat(form::parameter(query, "hub.challenge"))
}

fn okta(endpoint: &Endpoint, parts: &request::Parts, now: UnixTime) -> Result<Response<Bytes>, Refusal> {
    let incoming = Incoming::post(&parts.headers, &[]).with_method(&parts.method);
    endpoint.verifier.verify_request(&incoming, now).map_err(Refusal::Unverified)?;
    let value = bounded(parts.headers.get(OKTA_CHALLENGE).and_then(|value| value.to_str().ok()));
    let value = value.map_err(Refusal::Payload)?;
    Ok(answer::json(StatusCode::OK, json!({ "verification": value }).to_string()))
}

/// CloudEvents' way to ask whether an origin may deliver here, and how fast.
fn azure_options(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    now: UnixTime,
) -> Result<Response<Bytes>, Refusal> {
    let claim = claim(endpoint, now).ok_or(Refusal::RegistrationClosed)?;
    let origin = headers.get(REQUEST_ORIGIN).cloned();
    bounded(origin.as_ref().and_then(|origin| origin.to_str().ok())).map_err(Refusal::Payload)?;
    let origin = origin.ok_or(Refusal::Payload(PayloadError::MissingChallenge))?;
    // Requests per minute.
    let rate = endpoint.bucket.as_ref().map_or(HeaderValue::from_static("*"), |bucket| {
        HeaderValue::from(u64::from(bucket.per_second()) * 60)
    });
    let response = answer::with_header(answer::empty(StatusCode::OK), ALLOWED_ORIGIN, origin);
    let response = answer::with_header(response, ALLOWED_RATE, rate);
    claim.succeed();
    Ok(answer::with_header(response, ALLOW, endpoint.allow.clone()))
}

async fn asana(endpoint: &Endpoint, headers: &HeaderMap, now: UnixTime) -> Answer {
    let Some(value) = headers.get(HOOK_SECRET) else { return Ok(None) };
    if headers.contains_key(HOOK_SIGNATURE) {
        // A signed delivery; only the handshake has no signature.
        return Ok(None);
    }
    let Some(claim) = claim(endpoint, now) else { return Ok(None) };
    if headers.get_all(HOOK_SECRET).iter().any(|other| other != value) {
        return Err(Refusal::Unverified(VerifyError::DuplicateHeader { header: HOOK_SECRET }));
    }
    let text = value.to_str().map_err(|_| Refusal::Payload(PayloadError::MissingChallenge))?;
    take_secret(endpoint, claim, text.into()).await?;
    let mut value = value.clone();
    value.set_sensitive(true);
    Ok(Some(answer::with_header(answer::empty(StatusCode::OK), HOOK_SECRET, value)))
}

fn claim(endpoint: &Endpoint, now: UnixTime) -> Option<Claim> {
    endpoint.registration.as_ref()?.claim(now)
}

/// Checks the secret, lets the host store it, and only then goes by it.
async fn take_secret(endpoint: &Endpoint, claim: Claim, secret: SecretString) -> Result<(), Refusal> {
    let scheme = endpoint.verifier.scheme();
    bounded(Some(secret.expose_secret())).map_err(Refusal::Payload)?;
    let unusable = |error| {
        tracing::info!(tenant = %endpoint.tenant, source = %endpoint.source, %error, "handshake refused");
        Refusal::Payload(PayloadError::MissingChallenge)
    };
    Key::new(scheme, 0, &secret, None).map_err(unusable)?;
    // Checked when the receiver was built.
    let Some(sink) = &endpoint.secret_sink else { return Err(Refusal::RegistrationClosed) };
    sink.store(&endpoint.tenant, &endpoint.source, secret.clone()).await.map_err(Refusal::Handshake)?;
    endpoint.verifier.replace_secrets([(secret, None)]).map_err(unusable)?;
    claim.succeed();
    tracing::info!(tenant = %endpoint.tenant, source = %endpoint.source, "the endpoint has a new secret");
    Ok(())
}
