//! A provider that only fails is left alone; one that refuses is not.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::time::Duration;

use connect_core::breaker::BreakerState;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{ErrorKind, RetryAdvice, RetryPolicy, Sent};
use weather::{Ask, client};

const OPEN: Duration = Duration::from_secs(10);

fn ok() -> Answer {
    Answer::json(200, r#"{"sun": true}"#)
}

async fn fail(client: &connect_core::Client<weather::Weather>, times: usize) {
    for _ in 0..times {
        client.send(Ask::read()).retry(RetryPolicy::never()).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_it_and_the_sixth_call_is_refused_without_being_sent() {
    let transport = Scripted::new((0..5).map(|_| Answer::status(503)));
    let client = client(&transport);
    fail(&client, 5).await;
    assert_eq!(client.breaker(), BreakerState::Open);
    let error = client.send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::CircuitOpen, Sent::No));
    assert_eq!(error.retry(), RetryAdvice::After(OPEN));
    assert_eq!(transport.requests().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn it_sees_every_attempt_and_stops_the_retries_of_a_call() {
    let transport = Scripted::new((0..9).map(|_| Answer::status(503)));
    let client = client(&transport);
    fail(&client, 4).await;
    let error = client.send(Ask::read()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CircuitOpen);
    assert_eq!(error.sent(), Sent::Maybe, "an attempt before may have been applied");
    assert_eq!(transport.requests().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_rate_limits_are_answers() {
    let refusals = [401, 403, 404, 422, 429, 429, 404, 400];
    let transport = Scripted::new(refusals.map(Answer::status));
    let client = client(&transport);
    fail(&client, refusals.len()).await;
    assert_eq!(client.breaker(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_probe_goes_and_its_success_lets_everybody_go() {
    let answers = (0..5).map(|_| Answer::status(503)).chain([ok().after(Duration::from_secs(1)), ok()]);
    let transport = Scripted::new(answers);
    let client = client(&transport);
    fail(&client, 5).await;
    tokio::time::advance(OPEN).await;
    let (probe, other) = tokio::join!(client.send(Ask::read()), client.send(Ask::read()));
    probe.unwrap();
    assert_eq!(other.unwrap_err().kind(), ErrorKind::CircuitOpen);
    assert_eq!(client.breaker(), BreakerState::Closed);
    client.send(Ask::read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_does_not_keep_it_half_open() {
    let answers = (0..5).map(|_| Answer::status(503)).chain([Answer::silence(), ok()]);
    let transport = Scripted::new(answers);
    let client = client(&transport);
    fail(&client, 5).await;
    tokio::time::advance(OPEN).await;
    let call = client.send(Ask::read()).into_future();
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    client.send(Ask::read()).await.unwrap();
    assert_eq!(client.breaker(), BreakerState::Closed);
}
