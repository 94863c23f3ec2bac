//! Handshakes that are signed like any delivery.

use bytes::Bytes;
use http::uri::Scheme as UriScheme;
use http::{HeaderMap, HeaderName, Response, StatusCode, Uri};
use serde::Serialize;

use super::before::{azure_validation, is_azure_validation};
use super::bounded;
use crate::answer::{self, Refusal, echo};
use crate::encoding::hex;
use crate::endpoint::Endpoint;
use crate::error::PayloadError;
use crate::pointer::Scalar;
use crate::scheme::Challenge;

const TWITCH_TYPE: HeaderName = HeaderName::from_static("twitch-eventsub-message-type");

/// The answer to a verified handshake, or `None` for an ordinary event. `values` are those at
/// [`pointers`](super::pointers).
pub(crate) async fn answer(
    endpoint: &Endpoint,
    headers: &HeaderMap,
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
        Challenge::SnsSubscription if value(0) == Some("SubscriptionConfirmation") => {
            sns(endpoint, value(1), value(2)).await.map(Some)
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
async fn sns(
    endpoint: &Endpoint,
    url: Option<&str>,
    topic: Option<&str>,
) -> Result<Response<Bytes>, Refusal> {
    let url = bounded(url).ok().filter(|url| is_sns(url));
    let url = url.ok_or(Refusal::Payload(PayloadError::MissingChallenge))?;
    match &endpoint.confirmation {
        Some(confirmation) => confirmation.confirm(url).await.map_err(Refusal::Handshake)?,
        // The URL is not logged: whoever has it can confirm.
        None => tracing::warn!(
            tenant = %endpoint.tenant,
            source = %endpoint.source,
            topic = topic.unwrap_or_default(),
            "a subscription waits to be confirmed and no `.with_confirmation(..)` is set; set it and choose \
             \"Request confirmation\" for the subscription in the SNS console"
        ),
    }
    Ok(answer::empty(StatusCode::OK))
}

/// `https://sns.<region>.amazonaws.com/...`, or its sister in China.
fn is_sns(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let region = |host: &str| {
        let rest = host.strip_prefix("sns.")?;
        let region =
            rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
        let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (!region.is_empty() && region.bytes().all(is_region)).then_some(())
    };
    // The authority is compared whole, so that there is no room for a user or a port.
    uri.scheme() == Some(&UriScheme::HTTPS)
        && uri.authority().is_some_and(|authority| region(authority.as_str()).is_some())
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
        answer(&endpoint, &HeaderMap::new(), &values, 0).await.unwrap()
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

    #[test]
    fn only_a_url_of_sns_is_handed_to_the_host() {
        let good = [
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.cn-north-1.amazonaws.com.cn/",
        ];
        for url in good {
            assert!(is_sns(url), "{url}");
        }
        for url in [
            "http://sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com.evil.example/",
            "https://sns.us-east-1.amazonaws.com@evil.example/",
            "https://evil@sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com:8443/",
            "https://sns.a.b.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "https://evil.example/sns.us-east-1.amazonaws.com",
            "https://169.254.169.254/",
            "/",
            "",
        ] {
            assert!(!is_sns(url), "{url}");
        }
    }
}
