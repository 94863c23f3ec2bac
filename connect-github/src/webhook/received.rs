//! A delivery for a handler of a `connect_webhook::Router`: verified, and its event read.

use std::fmt;

use connect_webhook::{FromDelivery, HandlerError, Verified};

use super::Event;

/// A verified delivery and its event: the argument of a router's handlers.
///
/// A payload that is no event fails for good, so the router does not try it again. `Debug` shows the event's name and no
/// payload.
///
/// ```
/// use connect_github::webhook::{Event, Received};
/// use connect_webhook::{HandlerError, Router};
///
/// async fn announce(received: Received) -> Result<(), HandlerError> {
///     match &received.event {
///         Event::Issues(event) => println!("{} {}", event.action, event.issue.title),
///         Event::Release(event) => println!("{} {}", event.action, event.release.tag_name),
///         other => println!("{} from {}", other.name(), received.delivery.tenant),
///     }
///     Ok(())
/// }
///
/// let router = Router::new().on("github", "issues", announce).on("github", "release", announce);
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct Received {
    /// Everything known about the delivery, its raw payload included.
    pub delivery: Verified<connect_webhook::Delivery>,
    /// What happened.
    pub event: Event,
}

impl FromDelivery for Received {
    fn from_delivery(delivery: Verified<connect_webhook::Delivery>) -> Result<Self, HandlerError> {
        let event = Event::from_delivery(&delivery)?;
        Ok(Self { delivery, event })
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("delivery", &self.delivery)
            .field("event", &self.event.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use connect_webhook::{Retry, Trust};

    use super::*;

    fn received(event: Option<&str>, payload: &'static str) -> Result<Received, HandlerError> {
        let mut delivery = connect_webhook::Delivery::new("default", "github", "72d3162e", payload);
        delivery.event = event.map(str::to_owned);
        Received::from_delivery(Verified::trust(delivery, Trust::Test))
    }

    #[test]
    fn a_handler_gets_the_event_and_shows_nothing_of_it() {
        let received =
            received(Some("issues"), r#"{"action": "opened", "issue": {"title": "canary"}}"#).unwrap();
        assert!(matches!(&received.event, Event::Issues(event) if event.issue.title == "canary"));
        let shown = format!("{received:?}");
        assert!(shown.contains("issues") && !shown.contains("canary"), "{shown}");
    }

    #[test]
    fn a_payload_that_is_no_event_fails_for_good_and_a_nameless_one_is_an_unknown_event() {
        assert_eq!(received(Some("issues"), "[]").unwrap_err().retry(), Retry::Never);
        assert!(
            matches!(received(None, "{}").unwrap().event, Event::Other { event, .. } if event.is_empty())
        );
    }
}
