//! Opened bodies, one after the other.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::outgoing::TransportBody;
use crate::response::BoxError;

/// One body out of several; its length is known if all of theirs are.
pub(super) fn chain(bodies: Vec<TransportBody>) -> TransportBody {
    let length =
        bodies.iter().try_fold(0_u64, |sum, body| body.length().map(|length| sum.saturating_add(length)));
    TransportBody::streamed(length, Box::pin(Chain(bodies.into())))
}

struct Chain(VecDeque<TransportBody>);

impl Stream for Chain {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        while let Some(body) = self.0.front_mut() {
            if let Some(chunk) = ready!(body.poll_chunk(cx)) {
                return Poll::Ready(Some(chunk));
            }
            self.0.pop_front();
        }
        Poll::Ready(None)
    }
}
