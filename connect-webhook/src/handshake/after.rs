//! Handshakes that are signed like any delivery.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde::Serialize;

use super::before::{azure_validation, is_azure_validation};
use super::bounded;
use crate::answer::{self, Refusal, echo};
#[cfg(feature = "asymmetric")]
use crate::code::sns::{Confirmation, confirmation};
use crate::encoding::hex;
use crate::endpoint::Endpoint;
use crate::error::PayloadError;
use crate::pointer::Scalar;
use crate::scheme::Challenge;

const TWITCH_TYPE: HeaderName = HeaderName::from_static("twitch-eventsub-message-type");

/// The answer to a verified handshake, or `None` for an ordinary event. `values` are those of `payload` at
/// [`pointers`](super::pointers).
#[cfg_attr(not(feature = "asymmetric"), expect(unused_variables, reason = "only SNS's is read as a whole"))]
pub(crate) async fn answer(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    payload: &[u8],
    values: &[Option<Scalar<'_>>],
    key_index: usize,
) -> Result<Option<Response<Bytes>>, Refusal> {
    let value = |index: usize| values.get(index)?.as_ref().map(Scalar::as_str);
    match endpoint.verifier.scheme().challenge {
        Challenge::SlackUrlVerification if value(0) == Some("url_verification") => repeat(value(1)),
        Challenge::TwitchVerification if is_twitch(headers, "webhook_callback_verification") => {
            repeat(value(0))
        }
        Challenge::ZoomUrlValidation if value(0) == Some("endpoint.url_validation") => {
            zoom(endpoint, value(1), key_index).map(Some)
        }
        // An interaction's ping is a 1 and nothing else; of the event webhooks a ping is 0 and an event 1.
        Challenge::DiscordPing if value(0) == Some("1") && value(1).is_none() => {
            Ok(Some(answer::json(StatusCode::OK, r#"{"type":1}"#)))
        }
        Challenge::DiscordPing if value(0) == Some("0") => Ok(Some(answer::empty(StatusCode::NO_CONTENT))),
        #[cfg(feature = "asymmetric")]
        Challenge::SnsSubscription if value(0) == Some("SubscriptionConfirmation") => {
            sns(endpoint, payload).await.map(Some)
        }
        Challenge::AzureEventGrid if is_azure_validation(headers) => match value(0) {
            Some(code) => azure_validation(code).map(Some),
            None => Err(Refusal::Payload(PayloadError::MissingChallenge)),
        },
        Challenge::XeroIntentToReceive
            if value(0) == Some("0") && value(1) == Some("0") && value(2).is_none() =>
        {
            Ok(Some(answer::empty(StatusCode::OK)))
        }
        _ => Ok(None),
    }
}

/// What an event is called where the scheme's own locators would mislead: Twitch names the subscription in
/// both its events and the message that revokes it.
pub(crate) fn event_name(challenge: Challenge, headers: &HeaderMap) -> Option<&'static str> {
    (challenge == Challenge::TwitchVerification && is_twitch(headers, "revocation")).then_some("revocation")
}

fn is_twitch(headers: &HeaderMap, kind: &str) -> bool {
    headers.get(TWITCH_TYPE).is_some_and(|value| value == kind)
}

fn repeat(text: Option<&str>) -> Result<Option<Response<Bytes>>, Refusal> {
    Ok(Some(echo(bounded(text).map_err(Refusal::Payload)?.to_owned())))
}

fn zoom(endpoint: &Endpoint, plain: Option<&str>, key_index: usize) -> Result<Response<Bytes>, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Validation<'a> {
        plain_token: &'a str,
        encrypted_token: &'a str,
    }
    let plain = bounded(plain).map_err(Refusal::Payload)?;
    let keys = endpoint.verifier.keys();
    // The secret that matched is gone only if it was replaced a moment ago; then Zoom asks again.
    let tag = keys.get(key_index).and_then(|key| key.tag(|sink, _| sink(plain.as_bytes())));
    let tag = tag.ok_or(Refusal::Payload(PayloadError::MissingChallenge))?;
    let validation = Validation { plain_token: plain, encrypted_token: &hex(tag.as_bytes()) };
    let body =
        serde_json::to_vec(&validation).map_err(|error| Refusal::Payload(PayloadError::Json(error)))?;
    Ok(answer::json(StatusCode::OK, body))
}

/// Asks the host to fetch the URL. Its topic was checked by the verifier.
#[cfg(feature = "asymmetric")]
async fn sns(endpoint: &Endpoint, payload: &[u8]) -> Result<Response<Bytes>, Refusal> {
    let missing = || Refusal::Payload(PayloadError::MissingChallenge);
    let Confirmation { topic, url } = confirmation(payload).ok_or_else(missing)?;
    let url = bounded(Some(&url)).map_err(Refusal::Payload)?;
    match &endpoint.confirmation {
        Some(confirmation) => confirmation.confirm(url).await.map_err(Refusal::Handshake)?,
        // The URL is not logged: whoever has it can confirm.
        None => tracing::warn!(
            tenant = %endpoint.tenant,
            source = %endpoint.source,
            topic,
            "a subscription waits to be confirmed and no `.with_confirmation(..)` is set; set it and choose \
             \"Request confirmation\" for the subscription in the SNS console"
        ),
    }
    Ok(answer::empty(StatusCode::OK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;
    use crate::verify::Verifier;

    async fn ask(scheme: &'static crate::Scheme, values: &[Option<&'static str>]) -> Option<Response<Bytes>> {
        let verifier = Verifier::new(scheme, ["s3cret".into()]).unwrap();
        let endpoint = Endpoint::new("default", "test", verifier);
        let values: Vec<_> = values.iter().map(|value| value.map(Scalar::Borrowed)).collect();
        answer(&endpoint, &HeaderMap::new(), b"{}", &values, 0).await.unwrap()
    }

    #[tokio::test]
    async fn only_a_url_verification_is_a_slack_handshake() {
        let slack = &schemes::SLACK;
        let answered = ask(slack, &[Some("url_verification"), Some("3eZbr")]).await.unwrap();
        assert_eq!(answered.body(), "3eZbr");
        assert!(ask(slack, &[Some("event_callback"), Some("x")]).await.is_none());
        assert!(ask(slack, &[None, Some("x")]).await.is_none());
        assert!(ask(&schemes::GITHUB, &[]).await.is_none());
    }
}
