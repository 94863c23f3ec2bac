//! What the headers of a delivery say. None of them is signed: they tell deliveries apart, and prove nothing.

use std::fmt;

use http::HeaderMap;

use super::EventName;

connect_model::words! {
    /// What a webhook is installed on: the header `X-GitHub-Hook-Installation-Target-Type`.
    TargetType {
        Repository "repository", Organization "organization", App "integration", Business "business",
    }
}

/// The headers of a delivery, typed.
///
/// An optional one that cannot be read is none: nothing in it is worth an event.
/// <https://docs.github.com/webhooks/webhook-events-and-payloads#delivery-headers>
///
/// ```
/// use connect_github::webhook::{Delivery, EventName};
/// # let headers = |name: &'static str, value: &'static str| {
/// #     let mut headers = http::HeaderMap::new();
/// #     headers.insert("x-github-event", "issues".parse().expect("ASCII"));
/// #     headers.insert("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".parse().expect("ASCII"));
/// #     headers.insert(name, value.parse().expect("ASCII"));
/// #     headers
/// # };
/// let delivery = Delivery::from_headers(&headers("x-github-hook-id", "292430182"))?;
/// assert_eq!(delivery.event, EventName::Issues);
/// assert_eq!(delivery.id, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
/// assert_eq!(delivery.hook_id, Some(292_430_182));
/// # Ok::<(), connect_github::webhook::DeliveryError>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `X-GitHub-Event`: which event it is.
    pub event: EventName,
    /// `X-GitHub-Delivery`: a GUID, the same when the delivery is sent again. Deduplicate by it.
    pub id: String,
    /// `X-GitHub-Hook-ID`: the webhook's, as in the REST API.
    pub hook_id: Option<i64>,
    /// `X-GitHub-Hook-Installation-Target-Type`: what the webhook is installed on.
    pub target_type: Option<TargetType>,
    /// `X-GitHub-Hook-Installation-Target-ID`: the id of what it is installed on.
    pub target_id: Option<i64>,
    /// `X-GitHub-Enterprise-Host`: which GitHub Enterprise Server sent it; none from GitHub's own.
    pub enterprise_host: Option<String>,
    /// `X-GitHub-Enterprise-Version`: that server's version, such as `3.17.2`.
    pub enterprise_version: Option<String>,
    /// `Content-Type`, without parameters and in lower case: `application/json`, or `application/x-www-form-urlencoded` for
    /// a form with the JSON in `payload`, which [`Event::parse_body`](super::Event::parse_body) reads too.
    pub content_type: Option<String>,
}

impl Delivery {
    /// Reads the headers of a request, or those that a `connect_webhook::Delivery` keeps.
    ///
    /// # Errors
    /// [`DeliveryError`], if the event or the delivery's id is missing or is no text.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, DeliveryError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let needed = |name: &'static str| match text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ if headers.contains_key(name) => Err(DeliveryError::Unreadable(name)),
            _ => Err(DeliveryError::Missing(name)),
        };
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        let content_type = text("content-type").and_then(|text| text.split(';').next());
        Ok(Self {
            event: needed("X-GitHub-Event")?.into(),
            id: needed("X-GitHub-Delivery")?.to_owned(),
            hook_id: number("X-GitHub-Hook-ID"),
            target_type: text("X-GitHub-Hook-Installation-Target-Type").map(TargetType::from),
            target_id: number("X-GitHub-Hook-Installation-Target-ID"),
            enterprise_host: text("X-GitHub-Enterprise-Host").map(str::to_owned),
            enterprise_version: text("X-GitHub-Enterprise-Version").map(str::to_owned),
            content_type: content_type.map(|text| text.trim().to_ascii_lowercase()),
        })
    }
}

/// Why headers are not those of a delivery of GitHub's.
///
/// ```
/// let error = connect_github::webhook::Delivery::from_headers(&http::HeaderMap::new()).unwrap_err();
/// assert!(error.to_string().contains("X-GitHub-Event"));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryError {
    /// This header is not there.
    Missing(&'static str),
    /// This header is empty, or no text.
    Unreadable(&'static str),
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "the request has no header {name}: is it GitHub's, and does every proxy in between pass the header on?"
            ),
            Self::Unreadable(name) => {
                write!(
                    f,
                    "the header {name} is empty or no text: GitHub sends none like that, look at who does"
                )
            }
        }
    }
}

impl std::error::Error for DeliveryError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_header_has_its_field() {
        let delivery = Delivery::from_headers(&headers(&[
            ("x-github-event", "pull_request"),
            ("x-github-delivery", "72d3162e"),
            ("x-github-hook-id", "17"),
            ("x-github-hook-installation-target-type", "integration"),
            ("x-github-hook-installation-target-id", "79929171"),
            ("x-github-enterprise-host", "github.example.com"),
            ("x-github-enterprise-version", "3.17.2"),
            ("content-type", "Application/JSON; charset=utf-8"),
        ]));
        let expected = Delivery {
            event: EventName::PullRequest,
            id: "72d3162e".to_owned(),
            hook_id: Some(17),
            target_type: Some(TargetType::App),
            target_id: Some(79_929_171),
            enterprise_host: Some("github.example.com".to_owned()),
            enterprise_version: Some("3.17.2".to_owned()),
            content_type: Some("application/json".to_owned()),
        };
        assert_eq!(delivery, Ok(expected));
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_odd_costs_only_itself() {
        let event = ("x-github-event", "brand_new");
        let id = ("x-github-delivery", "72d3162e");
        assert_eq!(Delivery::from_headers(&headers(&[id])), Err(DeliveryError::Missing("X-GitHub-Event")));
        assert_eq!(
            Delivery::from_headers(&headers(&[event])),
            Err(DeliveryError::Missing("X-GitHub-Delivery"))
        );
        assert_eq!(
            Delivery::from_headers(&headers(&[event, ("x-github-delivery", " ")])),
            Err(DeliveryError::Unreadable("X-GitHub-Delivery"))
        );
        let delivery =
            Delivery::from_headers(&headers(&[event, id, ("x-github-hook-id", "seventeen")])).unwrap();
        assert_eq!((delivery.event.as_str(), delivery.hook_id), ("brand_new", None));
    }
}
