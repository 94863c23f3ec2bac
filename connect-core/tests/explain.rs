//! Every wait has a cause that a reader can see, and an answer that is none says so.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_core::event::{Cause, Event};
use connect_core::observe::{Observer, Scope};
use connect_core::retry::Stop;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{ErrorKind, Source};
use weather::{Ask, builder, client};

fn ok() -> Answer {
    Answer::json(200, r#"{"sun": true}"#)
}

#[tokio::test(start_paused = true)]
async fn a_report_is_a_timeline_of_attempts_and_waits() {
    let limited = Answer::status(429).header("retry-after", "3").after(Duration::from_millis(200));
    let transport = Scripted::new([limited, ok().after(Duration::from_millis(100))]);
    let (result, report) = client(&transport).send(Ask::read()).explain().await;
    result.unwrap();
    assert_eq!((report.attempts, report.succeeded), (2, true));
    let waits: Vec<_> = report.waits().collect();
    assert_eq!(waits.len(), 1);
    assert_eq!(*waits[0].0, Cause::RetryAfter);
    assert!(waits[0].1 >= Duration::from_secs(3));
    assert!(report.total >= waits[0].1 + Duration::from_millis(300));
    let text = report.to_string();
    for expected in
        ["weather today: ok after 2 attempts in 3.", "HTTP 429, rate limited, retry after 3.0 s", "HTTP 200"]
    {
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_of_a_failure_says_why_it_was_not_sent_again() {
    let transport = Scripted::new([Answer::status(500)]);
    let (result, report) = client(&transport).send(Ask::write()).explain().await;
    let error = result.unwrap_err();
    assert_eq!((error.stop(), report.stop), (Stop::Unsafe, Stop::Unsafe));
    assert!(report.to_string().contains("a second time could do it twice"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_report_of_a_request_that_was_never_made_is_empty() {
    let transport = Scripted::new([]);
    let (result, report) = client(&transport).send(Ask::write()).idempotency_key("x").explain().await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!((report.attempts, report.timeline.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_default_takes_the_place_of_no_answer_and_is_marked() {
    let transport = Scripted::new([Answer::refused_connection(), Answer::status(404)]);
    let client = client(&transport);
    let never = connect_core::RetryPolicy::never();
    let call = client.send(Ask::read()).retry(never).or_default_to(serde_json::json!("cloudy"));
    let reply = call.response().await.unwrap();
    assert_eq!((reply.value, reply.source), (serde_json::json!("cloudy"), Source::Default));
    let call = client.send(Ask::read()).or_default_to(serde_json::json!("cloudy"));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::NotFound, "a refusal is an answer");
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn on_event(&self, scope: &Scope, event: &Event) {
        let line = format!("{} {} {event:?}", scope.service, scope.operation);
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_hears_attempts_waits_and_the_end_and_nothing_private() {
    let transport = Scripted::new([Answer::status(502), ok()]);
    let heard = Heard::default();
    let client = builder(&transport).observer(heard.clone()).build().unwrap();
    client.send(Ask::write()).await.unwrap_err();
    client.send(Ask::read()).await.unwrap();
    let lines = heard.0.lock().unwrap().join("\n");
    assert!(lines.contains("weather report AttemptStarted { number: 1 }"), "{lines}");
    assert!(lines.contains("Ended { failure: Some(Unavailable)"), "{lines}");
    assert!(lines.contains("Ended { failure: None"), "{lines}");
    assert!(!lines.contains("canary") && !lines.contains("example"), "{lines}");
}
