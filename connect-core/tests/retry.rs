//! What is sent again, when, and what the error says if it is not. Paused time: no test waits.
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::time::Duration;

use connect_core::breaker::{Breaker, BreakerPolicy};
use connect_core::retry::Stop;
use connect_core::simulation::{Answer, Scripted};
use connect_core::{Context, ErrorKind, RetryAdvice, RetryPolicy, Sent};
use tokio::time::Instant;
use weather::{Ask, builder, client};

fn ok() -> Answer {
    Answer::json(200, r#"{"sun": true}"#)
}

#[tokio::test(start_paused = true)]
async fn a_read_answered_502_is_sent_again() {
    let transport = Scripted::new([Answer::status(502), Answer::status(503), ok()]);
    let reply = client(&transport).send(Ask::read()).response().await.unwrap();
    assert_eq!(reply.attempts, 3);
    assert_eq!(reply.value["sun"], true);
}

#[tokio::test(start_paused = true)]
async fn post_answered_502_is_not_sent_twice() {
    let transport = Scripted::new([Answer::status(502), ok()]);
    let error = client(&transport).send(Ask::write()).await.unwrap_err();
    assert_eq!(transport.requests().len(), 1);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.sent(), Sent::Maybe);
    assert_eq!(error.retry(), RetryAdvice::CheckFirst);
    assert!(error.to_string().contains("may have been applied"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn post_on_a_dropped_connection_is_not_sent_twice() {
    let transport = Scripted::new([Answer::dropped_connection(), ok()]);
    let error = client(&transport).send(Ask::write()).await.unwrap_err();
    assert_eq!(transport.requests().len(), 1);
    assert_eq!((error.sent(), error.retry()), (Sent::Maybe, RetryAdvice::CheckFirst));
}

#[tokio::test(start_paused = true)]
async fn post_that_was_never_sent_is_sent_again() {
    let transport = Scripted::new([Answer::refused_connection(), ok()]);
    client(&transport).send(Ask::write()).await.unwrap();
    assert_eq!(transport.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn post_refused_for_the_rate_limit_waits_as_long_as_the_server_says() {
    let transport = Scripted::new([Answer::status(429).header("retry-after", "7"), ok()]);
    client(&transport).send(Ask::write()).await.unwrap();
    let requests = transport.requests();
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(9), "{waited:?}");
    assert_eq!(requests[0].body, requests[1].body, "a replay carries the same body");
}

#[tokio::test(start_paused = true)]
async fn a_hint_longer_than_the_cap_is_returned_at_once() {
    let transport = Scripted::new([Answer::status(429).header("retry-after", "3600"), ok()]);
    let begun = Instant::now();
    let error = client(&transport).send(Ask::read()).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry(), RetryAdvice::After(Duration::from_secs(3600)));
}

#[tokio::test(start_paused = true)]
async fn a_hint_longer_than_the_deadline_is_returned_at_once() {
    let transport = Scripted::new([Answer::status(429).header("retry-after", "10"), ok()]);
    let begun = Instant::now();
    let call = client(&transport).send(Ask::read()).deadline(Duration::from_secs(5));
    let error = call.await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(error.retry(), RetryAdvice::After(Duration::from_secs(10)));
}

#[tokio::test(start_paused = true)]
async fn hostile_retry_after_neither_panics_nor_hangs() {
    for value in ["18446744073709551615", "99999999999999999999999", "-1", "NaN", "\u{7f}"] {
        let transport = Scripted::new([
            Answer::status(503).header("retry-after", value),
            Answer::status(503).header("retry-after", value),
            Answer::status(503).header("retry-after", value),
            Answer::status(503).header("retry-after", value),
        ]);
        let error = client(&transport).send(Ask::read()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_the_error_counts_them() {
    let transport = Scripted::new(std::iter::repeat_n(Answer::status(500), 10));
    let error = client(&transport).send(Ask::read()).await.unwrap_err();
    assert_eq!((error.attempts(), transport.requests().len()), (4, 4));
    assert_eq!(error.retry(), RetryAdvice::Later);
    assert!(error.to_string().contains("after 4 attempts"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_can_switch_retries_off() {
    let transport = Scripted::new([Answer::status(500), ok()]);
    let call = client(&transport).send(Ask::read()).retry(RetryPolicy::never());
    assert_eq!(call.await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_not_repeated() {
    for (status, kind) in [(400, ErrorKind::Invalid), (401, ErrorKind::Auth), (404, ErrorKind::NotFound)] {
        let transport = Scripted::new([Answer::status(status), ok()]);
        let error = client(&transport).send(Ask::read()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (kind, Sent::Yes));
        assert_eq!(transport.requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_times_out_may_have_been_applied() {
    let transport = Scripted::new([Answer::silence()]);
    let begun = Instant::now();
    let error = client(&transport).send(Ask::write()).await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(30));
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Maybe));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_all_attempts() {
    let transport = Scripted::new(std::iter::repeat_n(Answer::silence(), 4));
    let begun = Instant::now();
    let call = client(&transport).send(Ask::read()).deadline(Duration::from_secs(40));
    let error = call.await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_secs(40));
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 2));
}

#[tokio::test(start_paused = true)]
async fn a_last_attempt_that_was_not_sent_does_not_hide_an_earlier_one_that_was() {
    let transport = Scripted::new([Answer::dropped_connection(), Answer::refused_connection()]);
    let call = client(&transport).send(Ask::replace()).retry(RetryPolicy::default().with_attempts(2));
    assert_eq!(call.await.unwrap_err().sent(), Sent::Maybe);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_sends_nothing() {
    let transport = Scripted::new([ok()]);
    let error = client(&transport).send(Ask::write()).deadline(Duration::ZERO).await.unwrap_err();
    assert!(transport.requests().is_empty());
    assert_eq!((error.kind(), error.sent(), error.attempts()), (ErrorKind::Timeout, Sent::No, 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_cannot_be_read_was_applied_all_the_same() {
    let transport = Scripted::new([Answer::json(201, "<html>")]);
    let error = client(&transport).send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Decode, RetryAdvice::CheckFirst));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_an_attempt_of_unknown_fate_does_not_settle_it() {
    let transport = Scripted::new([Answer::status(500), Answer::status(404)]);
    let error = client(&transport).send(Ask::replace()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NotFound, Sent::Maybe));
}

#[tokio::test(start_paused = true)]
async fn retry_after_0_does_not_switch_the_backoff_off() {
    let zero = || Answer::status(429).header("retry-after", "0");
    let transport = Scripted::new([zero(), zero(), zero(), zero()]);
    let begun = Instant::now();
    client(&transport).send(Ask::write()).await.unwrap_err();
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn operations_draw_different_delays_and_one_seed_replays_them() {
    async fn waits() -> Vec<Duration> {
        let transport = Scripted::new([Answer::status(500), ok(), Answer::status(500), ok()]);
        let client = client(&transport);
        client.send(Ask::read()).await.unwrap();
        client.send(Ask::read()).await.unwrap();
        let at: Vec<Instant> = transport.requests().iter().map(|request| request.at).collect();
        vec![at[1] - at[0], at[3] - at[2]]
    }
    let first = waits().await;
    assert_ne!(first[0], first[1], "jitter must differ between operations of one client");
    assert_eq!(first, waits().await, "the same seed gives the same delays");
}

#[tokio::test(start_paused = true)]
async fn a_keyed_write_is_sent_again_with_the_same_key() {
    let transport = Scripted::new([Answer::dropped_connection(), Answer::status(500), ok(), ok()]);
    let client = client(&transport);
    client.send(Ask::keyed()).await.unwrap();
    client.send(Ask::keyed()).await.unwrap();
    let key = |number: usize| transport.requests()[number].headers["idempotency-key"].clone();
    assert_eq!((key(0), key(1)), (key(1), key(2)));
    assert_ne!(key(2), key(3), "another operation has another key");
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_key_is_used_where_it_means_something_and_refused_elsewhere() {
    let transport = Scripted::new([ok()]);
    let client = client(&transport);
    client.send(Ask::keyed()).idempotency_key("order-7").await.unwrap();
    assert_eq!(transport.requests()[0].headers["idempotency-key"], "order-7");
    let error = client.send(Ask::write()).idempotency_key("order-7").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = client.send(Ask::keyed()).idempotency_key("a\nb").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(transport.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn all_calls_together_retry_no_more_than_the_budget_allows() {
    let transport = Scripted::new((0..1_000).map(|_| Answer::status(503)));
    let client = builder(&transport).breaker(Breaker::new(BreakerPolicy::never())).build().unwrap();
    let mut last = None;
    for _ in 0..50 {
        last = client.send(Ask::read()).await.err();
    }
    // 50 operations, a reserve of 10 replays, and a fifth of 50.
    assert_eq!(transport.requests().len(), 50 + 10 + 10);
    let error = last.unwrap();
    assert_eq!(error.stop(), Stop::Budget);
    assert!(error.to_string().contains("retry budget"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_retries_itself_can_say_so() {
    let transport = Scripted::new([Answer::status(503), ok()]);
    let context = Context::default().host_retries();
    client(&transport).send(Ask::read()).context(&context).await.unwrap_err();
    assert_eq!(transport.requests().len(), 1);
}
