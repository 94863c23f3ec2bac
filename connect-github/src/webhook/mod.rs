//! GitHub's webhooks: verify, read, match.
//!
//! 1. **Verify** the bytes as they came: [`verifier`], or a `connect_webhook::Receiver` built with it. Nobody else's word
//!    counts before that, and a body that was parsed and written again has another signature.
//! 2. **Read** the event by the name in its header: [`Event::parse`], or [`Received`] in the handlers of a
//!    `connect_webhook::Router`. [`Delivery`] reads the headers.
//! 3. **Match**: one variant for each of GitHub's 75 events, one type for each event with all of its actions.
//!
//! ```
//! use connect_github::webhook::{Delivery, Event, IssuesAction, verifier};
//! # use connect_webhook::{UnixTime, sign, schemes};
//! let verifier = verifier("It's a Secret to Everybody")?;
//! # let secret = "It's a Secret to Everybody".into();
//! # let body = br#"{"action": "opened", "issue": {"id": 1, "number": 7, "title": "Disk full"},
//! #                 "repository": {"id": 2, "full_name": "octo/hello"}, "sender": {"id": 3, "login": "mona"}}"#;
//! # let mut headers = sign(&schemes::GITHUB, &secret, body, UnixTime(0))?;
//! # headers.insert("x-github-event", "issues".parse()?);
//! # headers.insert("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".parse()?);
//! verifier.verify(&headers, body, UnixTime(0)).expect("signed with the same secret");
//! let delivery = Delivery::from_headers(&headers)?;
//! let event = Event::parse(delivery.event.as_str(), body)?;
//! if let Some(repository) = event.repository() {
//!     println!("{}: {} in {}", delivery.id, event.name(), repository.full_name);
//! }
//! match event {
//!     Event::Issues(event) if event.action == IssuesAction::Opened => {
//!         println!("{} opened #{}: {}", event.sender.login, event.issue.number, event.issue.title);
//!     }
//!     Event::PullRequest(event) => println!("{} {}", event.action, event.pull_request.title),
//!     other => println!("not interested in {}, {:?}", other.name(), other.action()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a payload may do
//! GitHub adds events, actions, fields and words all the time, and an event that is lost cannot be asked for again. So an
//! unknown event is [`Event::Other`], an unknown action or word is `Unknown` with its text, unknown fields are passed over,
//! and a field that GitHub promises and leaves out is its default. Even a value of another type than described costs its
//! field and not the event. [`Event::parse_with_drift`] says which fields that were. What is no JSON object is an error.
//! Dates and addresses are text until somebody asks; the secret of a hook's settings prints as `[redacted]`.
//!
//! # Deliveries
//! GitHub waits ten seconds for a 2xx, **sends each delivery once, and never again by itself**: a failed one is only listed
//! in the webhook's settings and under `/app/hook/deliveries`, `/repos/{owner}/{repo}/hooks/{hook_id}/deliveries` and
//! `/orgs/{org}/hooks/{hook_id}/deliveries`, from where it can be redelivered for some days. A redelivery has the same
//! [`Delivery::id`], so deduplicate by it: no time is signed, and an old delivery verifies for ever. Payloads of more than
//! 25 MB are never sent. Answer first and work later.
//!
//! <https://docs.github.com/webhooks/webhook-events-and-payloads>

use connect_model::{Deserializer, Field, Model, drift, optional, skip, tolerate};
use connect_webhook::{BuildError, PayloadError, SecretString, Verifier, schemes};
use serde::de::DeserializeOwned;

mod delivery;
#[rustfmt::skip]
mod event;
mod form;
mod received;
mod secret;

pub use delivery::{Delivery, DeliveryError, TargetType};
pub use event::*;
pub use received::Received;
pub use secret::Secret;

/// The variable that holds the secret of GitHub's webhook settings.
pub const SECRET_VARIABLE: &str = "GITHUB_WEBHOOK_SECRET";

/// A verifier for the secret in GitHub's webhook settings.
///
/// # Errors
/// [`BuildError`] for an empty secret.
pub fn verifier(secret: impl Into<SecretString>) -> Result<Verifier, BuildError> {
    Verifier::new(&schemes::GITHUB, [secret.into()])
}

/// A verifier for the secret in `GITHUB_WEBHOOK_SECRET`.
///
/// # Errors
/// [`BuildError::MissingVariable`] naming the variable.
pub fn verifier_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Verifier, BuildError> {
    Verifier::from_vars(&schemes::GITHUB, SECRET_VARIABLE, lookup)
}

impl Event {
    /// Reads a payload in JSON by the event's name, as in the header `X-GitHub-Event`.
    ///
    /// ```
    /// use connect_github::webhook::Event;
    /// let event = Event::parse("star", br#"{"action": "created", "starred_at": "2030-01-02T03:04:05Z"}"#)?;
    /// assert_eq!((event.name(), event.action()), ("star", Some("created")));
    /// # Ok::<(), connect_webhook::PayloadError>(())
    /// ```
    ///
    /// # Errors
    /// [`PayloadError`] if the payload is no JSON object in UTF-8.
    pub fn parse(event: &str, payload: &[u8]) -> Result<Self, PayloadError> {
        let text = std::str::from_utf8(payload).map_err(|_| PayloadError::NotUtf8)?;
        let read = Self::known(event, text).unwrap_or_else(|| {
            let Action { action } = read(text)?;
            Ok(Self::Other { event: event.to_owned(), action })
        });
        read.map_err(PayloadError::Json)
    }

    /// The same, with the fields that GitHub promises and did not send, or sent as something else: `Issue.title`.
    ///
    /// ```
    /// use connect_github::webhook::Event;
    /// let (event, drift) = Event::parse_with_drift("star", br#"{"action": 7, "sender": {"id": 1}}"#)?;
    /// assert_eq!(event.action(), Some(""));
    /// assert!(drift.contains(&"StarEvent.action".to_owned()));
    /// # Ok::<(), connect_webhook::PayloadError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn parse_with_drift(event: &str, payload: &[u8]) -> Result<(Self, Vec<String>), PayloadError> {
        let (event, drift) = drift::watch(|| Self::parse(event, payload));
        Ok((event?, drift))
    }

    /// Reads the body of a request, JSON or a form, as the webhook's settings have it. A receiver of connect-webhook has
    /// read the form already: there it is [`Event::from_delivery`].
    ///
    /// ```
    /// use connect_github::webhook::Event;
    /// let form = b"payload=%7B%22action%22%3A+%22created%22%7D";
    /// let event = Event::parse_body("star", Some("application/x-www-form-urlencoded"), form)?;
    /// assert_eq!(event.action(), Some("created"));
    /// # Ok::<(), connect_webhook::PayloadError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Event::parse`], and for another content type, or a form without `payload`.
    pub fn parse_body(event: &str, content_type: Option<&str>, body: &[u8]) -> Result<Self, PayloadError> {
        Self::parse(event, &form::payload(content_type, body)?)
    }

    /// Reads the event of a delivery that connect-webhook received, and verified.
    ///
    /// ```
    /// use connect_github::webhook::Event;
    /// use connect_webhook::{Trust, Verified};
    ///
    /// let mut delivery = connect_webhook::Delivery::new("default", "github", "72d3162e", r#"{"action": "created"}"#);
    /// delivery.event = Some("star".to_owned());
    /// let delivery = Verified::trust(delivery, Trust::Test);
    /// assert!(matches!(Event::from_delivery(&delivery)?, Event::Star(_)));
    /// # Ok::<(), connect_webhook::PayloadError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn from_delivery(delivery: &connect_webhook::Delivery) -> Result<Self, PayloadError> {
        Self::parse(delivery.event.as_deref().unwrap_or_default(), &delivery.payload)
    }
}

/// Reads a payload. An event cannot be asked for again: a field of another type, or with a text that is none (half of a
/// surrogate pair), is looked past, as long as there is an object.
fn read<T: DeserializeOwned>(payload: &str) -> Result<T, serde_json::Error> {
    match serde_json::from_str(payload) {
        Err(error) if error.is_data() || error.is_syntax() => {
            tolerate(|| serde_json::from_str(payload)).map_err(|_: serde_json::Error| error)
        }
        read => read,
    }
}

/// What most payloads begin with.
#[derive(Default)]
struct Action {
    action: Option<String>,
}

impl Model for Action {
    const NAME: &'static str = "Event";
    const FIELDS: &'static [Field] = &[Field::optional("action")];

    fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {
        match field {
            0 => optional(&mut self.action, value),
            _ => skip(value),
        }
    }
}
connect_model::models!(Action);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_costs_its_field_and_not_the_event() {
        let payload =
            br#"{"action": "opened", "issue": {"id": 1, "number": 7, "title": "cut \ud83d", "body": "b"}}"#;
        let Event::Issues(event) = Event::parse("issues", payload).unwrap() else { panic!("another event") };
        assert_eq!((event.issue.number, event.issue.title.as_str()), (7, ""));
        assert!(Event::parse("issues", br#"{"action": "opened", "issue": {"id": 1 "number": 7}}"#).is_err());
    }

    #[test]
    fn unknown_events_and_actions_are_values() {
        let event = Event::parse("brand_new", br#"{"action": "invented", "x": []}"#).unwrap();
        assert!(matches!(&event, Event::Other { action: Some(action), .. } if action == "invented"));
        assert_eq!((event.name(), event.action()), ("brand_new", Some("invented")));
        let event = Event::parse("brand_new", br#"{"action": 7}"#).unwrap();
        assert_eq!(event.action(), None);
        let event =
            Event::parse("issues", br#"{"action": "invented", "issue": {"id": 1, "number": 2}}"#).unwrap();
        assert_eq!((event.name(), event.action()), ("issues", Some("invented")));
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for event in ["pull_request", "brand_new"] {
            for payload in [
                &b"[]"[..],
                b"<html>",
                b"\xff",
                b"",
                b"null",
                b"7",
                br#"{"action": "opened""#,
                br#"{"action": tru}"#,
            ] {
                assert!(Event::parse(event, payload).is_err(), "{event} {payload:?}");
            }
        }
    }

    #[test]
    fn an_error_shows_nothing_of_the_payload() {
        let error = Event::parse("issues", br#"["canary"]"#).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }

    #[test]
    fn a_value_of_another_type_costs_its_field_and_not_the_event() {
        let payload = br#"{"action": "opened", "number": "7", "sender": [],
            "pull_request": {"id": 1, "title": "Rain", "user": "mona", "head": {"ref": 7, "sha": "6dcb"}}}"#;
        let (event, drift) = Event::parse_with_drift("pull_request", payload).unwrap();
        let Event::PullRequest(event) = event else { panic!("{event:?}") };
        assert_eq!((event.number, event.pull_request.title.as_str()), (0, "Rain"));
        assert_eq!(
            (event.pull_request.head.r#ref.as_str(), event.pull_request.head.sha.as_str()),
            ("", "6dcb")
        );
        for field in
            ["PullRequestEvent.number", "PullRequestEvent.sender", "PullRequest.user", "GitReference.ref"]
        {
            assert!(drift.iter().any(|known| known == field), "{field} is not in {drift:?}");
        }
    }

    #[test]
    fn a_form_has_the_json_in_its_field() {
        let form =
            b"x=1&payload=%7B%22action%22%3A%22opened%22%2C%22issue%22%3A%7B%22title%22%3A%22a+b%22%7D%7D";
        let form_type = Some("application/x-www-form-urlencoded; charset=utf-8");
        let event = Event::parse_body("issues", form_type, form).unwrap();
        assert!(matches!(event, Event::Issues(event) if event.issue.title == "a b"));
        let missing = Event::parse_body("issues", form_type, b"pay=1").unwrap_err();
        assert!(matches!(missing, PayloadError::MissingPayloadField));
        let other = Event::parse_body("issues", Some("text/html"), b"{}").unwrap_err();
        assert!(matches!(other, PayloadError::UnsupportedContentType));
        for json in [None, Some("application/json; charset=utf-8"), Some("application/vnd.github+json")] {
            assert!(Event::parse_body("issues", json, b"{}").is_ok());
        }
    }

    #[test]
    fn the_secret_of_a_hook_shows_nowhere() {
        let payload = br#"{"zen": "Rain.", "hook_id": 1, "hook": {"config": {"secret": "canary", "url": "https://x.example"}},
            "repository": {"id": 1, "temp_clone_token": "canary"}}"#;
        let event = Event::parse("ping", payload).unwrap();
        assert!(!format!("{event:?}").contains("canary"));
        #[cfg(feature = "serialize")]
        assert!(!serde_json::to_string(&event).unwrap().contains("canary"));
        let Event::Ping(event) = event else { panic!("no ping") };
        let secret = event.hook.config.secret.unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(secret.as_secret_string()), "canary");
    }

    #[test]
    fn what_all_events_have_is_asked_of_any() {
        let payload = br#"{"ref": "refs/heads/main", "repository": {"id": 1, "full_name": "octo/hello"},
            "sender": {"id": 2, "login": "mona"}, "organization": {"id": 3, "login": "octo"}, "installation": {"id": 4}}"#;
        for name in ["push", "issues", "repository", "installation_repositories"] {
            let event = Event::parse(name, payload).unwrap();
            assert_eq!(event.repository().unwrap().full_name, "octo/hello");
            assert_eq!(event.sender().unwrap().login, "mona");
            assert_eq!(event.organization().unwrap().login, "octo");
            assert_eq!(event.installation_id(), Some(4));
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(verifier("").is_err());
    }
}
