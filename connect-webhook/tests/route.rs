//! The router: which handler runs, with what, and what becomes of failures and batches.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_webhook::{
    Acceptance, Delivery, Endpoint, Event, FixedClock, HandlerError, ItemOutcome, Receiver, Retry, Router,
    Sink, Trust, Verified, schemes,
};
use serde::Deserialize;
use support::{NOW, signed, verifier, with};

fn delivery(source: &str, event: &str, payload: &'static str) -> Verified<Delivery> {
    let mut delivery = Delivery::new("default", source, "id-1", payload);
    delivery.event = Some(event.to_owned()).filter(|event| !event.is_empty());
    Verified::trust(delivery, Trust::Test)
}

/// Who ran, in order.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Vec<String>>>);

impl Ran {
    /// A handler that says it ran.
    fn by(
        &self,
        name: &'static str,
    ) -> impl Fn(Verified<Delivery>) -> std::future::Ready<Result<(), HandlerError>> + Send + Sync + use<>
    {
        let ran = self.clone();
        move |delivery| {
            ran.0.lock().unwrap().push(format!("{name} {}", delivery.id));
            std::future::ready(Ok(()))
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn the_most_specific_handler_runs_whatever_the_order() {
    let ran = Ran::default();
    let opened = |delivery: &Delivery| delivery.action().as_deref() == Some("opened");
    let router = Router::new()
        .otherwise(ran.by("otherwise"))
        .on_any("github", ran.by("any"))
        .on("github", "issues", ran.by("issues"))
        .on("github", "issues", ran.by("never"))
        .on_when("github", "issues", opened, ran.by("opened"))
        .on_when("github", "issues", |_| true, ran.by("second condition"))
        .on("ghe", "push", ran.by("enterprise"))
        .on("slack", "", ran.by("untyped"));
    let cases = [
        ("github", "issues", r#"{"action":"opened"}"#, "opened"),
        ("github", "issues", r#"{"action":"closed"}"#, "second condition"),
        ("github", "push", "{}", "any"),
        ("github", "", "{}", "any"),
        ("slack", "", "{}", "untyped"),
        ("slack", "message", "{}", "otherwise"),
        ("ghe", "push", "{}", "enterprise"),
        ("ghe", "issues", r#"{"action":"opened"}"#, "opened"),
        ("jira", "issues", r#"{"action":"opened"}"#, "otherwise"),
    ];
    for (source, event, payload, expected) in cases {
        let mut delivery = delivery(source, event, payload).into_inner();
        if source == "ghe" {
            delivery.scheme = "github".into();
        }
        router.dispatch(Verified::trust(delivery, Trust::Test)).await.result().unwrap();
        assert_eq!(ran.take(), [format!("{expected} id-1")], "{source} {event} {payload}");
    }
}

#[derive(Debug, Deserialize)]
struct Issue {
    number: u32,
}

#[tokio::test]
async fn a_payload_arrives_as_the_type_the_handler_asks_for() {
    let seen = Arc::new(Mutex::new(None));
    let router = Router::new().on("github", "issues", {
        let seen = Arc::clone(&seen);
        move |event: Verified<Event<Issue>>| {
            let seen = Arc::clone(&seen);
            async move {
                *seen.lock().unwrap() = Some((event.payload.number, event.delivery.id.clone()));
                Ok(())
            }
        }
    });
    router.dispatch(delivery("github", "issues", r#"{"number":7}"#)).await.result().unwrap();
    assert_eq!(seen.lock().unwrap().take(), Some((7, "id-1".to_owned())));
}

#[tokio::test]
async fn a_payload_of_another_type_fails_for_good_and_is_not_quoted() {
    let router = Router::new().on("github", "issues", async |_: Verified<Event<Issue>>| Ok(()));
    for payload in ["{\n\"number\":\"canary\"}", "\"canary\"", r#"{"canary":1}"#, "{\"number\": canary}"] {
        let dispatch = router.dispatch(delivery("github", "issues", payload)).await;
        let error = dispatch.result().unwrap_err();
        assert_eq!((error.retry(), error.class()), (Retry::Never, "payload"));
        let mut shown = format!("{error} {error:?} {dispatch:?}");
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            shown += &format!("{error} {error:?}");
            source = error.source();
        }
        assert!(shown.contains("line ") && shown.contains("column ") && !shown.contains("canary"), "{shown}");
    }
}

#[test]
fn an_event_shows_no_payload() {
    let router = Router::new().on("github", "x", async |event: Verified<Event<String>>| {
        assert!(!format!("{event:?}").contains("canary"));
        Ok(())
    });
    assert_eq!(format!("{router:?}"), r#"Router { handlers: [("github", "x")], .. }"#);
    let dispatched = router.dispatch(delivery("github", "x", "\"canary\""));
    futures_util::FutureExt::now_or_never(dispatched).unwrap().result().unwrap();
}

#[tokio::test]
async fn an_event_nobody_wants_is_counted_and_counts_as_dealt_with() {
    let router = Router::new().on("github", "push", async |_: Verified<Delivery>| Ok(()));
    for event in ["star", "star", "", "push"] {
        let dispatch = router.dispatch(delivery("github", event, "{}")).await;
        assert!(dispatch.result().is_ok());
        assert_eq!(matches!(dispatch.items[0].outcome, ItemOutcome::Unknown), event != "push");
    }
    let counts: Vec<_> = router.unknown().into_iter().map(|one| (one.event, one.count)).collect();
    assert_eq!(counts, [(String::new(), 1), ("star".to_owned(), 2)]);
    assert_eq!(router.accept(delivery("github", "star", "{}")).await.unwrap(), Acceptance::Accepted);
}

const TWO: &str = r#"[{"eventId":1,"subscriptionType":"contact.creation"},
    {"eventId":2,"subscriptionType":"contact.deletion"},{"eventId":3,"subscriptionType":"odd"}]"#;

#[tokio::test]
async fn an_item_that_fails_stops_no_other_and_comes_back_alone() {
    let ran = Ran::default();
    let healthy = Arc::new(Mutex::new(false));
    let router = Router::new().on_any("hubspot_v3", ran.by("any")).on("hubspot_v3", "contact.creation", {
        let healthy = Arc::clone(&healthy);
        move |_: Verified<Delivery>| {
            let healthy = *healthy.lock().unwrap();
            async move { if healthy { Ok(()) } else { Err(HandlerError::transient("down")) } }
        }
    });
    let dispatch = router.dispatch(delivery("hubspot_v3", "", TWO)).await;
    assert_eq!(dispatch.result().unwrap_err().retry(), Retry::Later);
    assert_eq!((dispatch.done(), ran.take()), (2, vec!["any 2".to_owned(), "any 3".to_owned()]));

    *healthy.lock().unwrap() = true;
    let dispatch = router.dispatch(delivery("hubspot_v3", "", TWO)).await;
    assert!(dispatch.result().is_ok());
    let outcomes: Vec<_> = dispatch.items.iter().map(|item| (&*item.id, &item.outcome)).collect();
    assert!(
        matches!(
            outcomes[..],
            [("1", ItemOutcome::Done), ("2", ItemOutcome::DoneBefore), ("3", ItemOutcome::DoneBefore)]
        ),
        "{outcomes:?}"
    );
    assert_eq!(ran.take(), [""; 0]);

    router.dispatch(delivery("hubspot_v3", "", TWO)).await.result().unwrap();
    assert_eq!(ran.take(), ["any 2", "any 3"], "what was done as a whole is not remembered");
}

#[tokio::test]
async fn a_batch_cut_short_goes_on_where_it_stopped() {
    let ran = Ran::default();
    let router = Router::new().on_any("hubspot_v3", ran.by("any")).on(
        "hubspot_v3",
        "contact.deletion",
        async |_: Verified<Delivery>| std::future::pending().await,
    );
    let dispatched = router.dispatch(delivery("hubspot_v3", "", TWO));
    assert!(futures_util::FutureExt::now_or_never(dispatched).is_none());
    assert_eq!(ran.take(), ["any 1"]);
    let dispatched = router.dispatch(delivery("hubspot_v3", "", TWO));
    assert!(futures_util::FutureExt::now_or_never(dispatched).is_none());
    assert_eq!(ran.take(), [""; 0]);
}

#[tokio::test]
async fn the_sender_hears_whether_to_try_again() {
    let wait = Duration::from_secs(42);
    let router = Router::new()
        .on("s", "never", async |_: Verified<Delivery>| Err(HandlerError::permanent("no")))
        .on("s", "later", async |_: Verified<Delivery>| Err(HandlerError::transient("down")))
        .on("s", "after", move |_: Verified<Delivery>| async move {
            Err(HandlerError::retry_after(wait, "busy"))
        });
    let answer = async |event| router.accept(delivery("s", event, "{}")).await;
    assert_eq!(answer("never").await.unwrap(), Acceptance::Accepted, "the same bytes would fail again");
    assert!(answer("later").await.is_err());
    let endpoint = Endpoint::new("default", "github", verifier(&schemes::GITHUB));
    let after = Router::new().on_any("github", move |_: Verified<Delivery>| async move {
        Err(HandlerError::retry_after(wait, "busy"))
    });
    let receiver =
        Receiver::builder().endpoint(endpoint).sink(after).clock(FixedClock::new(NOW)).build().unwrap();
    let request = with(signed(&schemes::GITHUB, "{}"), "x-github-delivery", "1");
    let response = receiver.receive("default", "github", request).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (503, "42")
    );
}
