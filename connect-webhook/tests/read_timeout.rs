//! Senders that never finish their body. No test waits: a timer of the test's own, or tokio's paused time.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use connect_webhook::{Endpoint, FixedClock, Receiver, Sleep, Timer, schemes};
use http::StatusCode;
use http_body::{Body, Frame};
use support::{Memory, NOW, signed, verifier};

/// Never sends anything.
struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Always has another empty piece.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
    }
}

/// Fires after it was looked at a few times.
struct Impatient;

impl Timer for Impatient {
    fn sleep(&self, duration: Duration) -> Sleep {
        assert_eq!(duration, Duration::from_secs(7));
        let mut left = 3;
        Box::pin(std::future::poll_fn(move |cx| {
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

fn receiver(timer: impl Timer + 'static) -> Receiver {
    Receiver::builder()
        .endpoint(Endpoint::new("default", "github", verifier(&schemes::GITHUB)))
        .sink(Arc::new(Memory::default()))
        .clock(FixedClock::new(NOW))
        .timer(timer)
        .read_timeout(Duration::from_secs(7))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_body_that_never_comes_is_408() {
    let receiver = receiver(Impatient);
    let request = signed(&schemes::GITHUB, "{}").map(|_| Silent);
    let response = receiver.receive("default", "github", request).await;
    assert_eq!(
        (response.status(), receiver.counters().refused("too_slow")),
        (StatusCode::REQUEST_TIMEOUT, 1)
    );
}

#[tokio::test]
async fn a_body_that_is_always_ready_cannot_outrun_the_timer() {
    let request = signed(&schemes::GITHUB, "{}").map(|_| Endless);
    let response = receiver(Impatient).receive("default", "github", request).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn tokios_timer_measures_the_read_timeout() {
    let before = tokio::time::Instant::now();
    let request = signed(&schemes::GITHUB, "{}").map(|_| Silent);
    let response = receiver(connect_webhook::TokioTimer).receive("default", "github", request).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(before.elapsed().as_secs(), 7);
}
