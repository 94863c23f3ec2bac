//! A request's body on its way out: what transports hand to their HTTP client.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::response::{BoxError, ByteStream};

/// An opened [`Body`](super::Body), for any HTTP client that takes an [`http_body::Body`].
///
/// Not boxed unless it is a stream: most requests carry nothing or a few bytes.
#[derive(Default)]
pub struct TransportBody(State);

#[derive(Default)]
enum State {
    #[default]
    Done,
    Bytes(Bytes),
    Stream(Box<Streamed>),
}

struct Streamed {
    /// In a lock that nobody waits for: some clients want a body that may be shared between threads.
    stream: Mutex<ByteStream>,
    /// How many bytes are still to come, if their number was said.
    left: Option<u64>,
    /// The last of them, until the stream has ended.
    last: Option<Bytes>,
}

impl TransportBody {
    pub(super) fn streamed(length: Option<u64>, stream: ByteStream) -> Self {
        Self(State::Stream(Box::new(Streamed { stream: Mutex::new(stream), left: length, last: None })))
    }

    /// How many bytes are still to come, if that is known.
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            State::Done => Some(0),
            State::Bytes(bytes) => Some(bytes.len() as u64),
            State::Stream(streamed) => streamed.length(),
        }
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Option<Result<Bytes, BoxError>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    pub(super) fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let result = match &mut self.0 {
            State::Done => return Poll::Ready(None),
            State::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = State::Done;
                return Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)));
            }
            State::Stream(streamed) => ready!(streamed.poll_next(cx)),
        };
        if !matches!(result, Some(Ok(_))) {
            // What has ended or failed is not asked again.
            self.0 = State::Done;
        }
        Poll::Ready(result)
    }
}

impl Streamed {
    /// With a known length, the last chunk is held back until the stream has ended: an HTTP client stops asking after as
    /// many bytes as were announced, so a longer stream would be cut short without a word.
    fn poll_next(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        loop {
            let next = ready!(stream.as_mut().poll_next(cx));
            let Some(left) = &mut self.left else { return Poll::Ready(next) };
            return Poll::Ready(match next {
                Some(Ok(chunk)) => match left.checked_sub(chunk.len() as u64) {
                    // Empty chunks after the last byte do no harm.
                    Some(0) if self.last.is_some() || chunk.is_empty() => continue,
                    Some(0) => {
                        *left = 0;
                        self.last = Some(chunk);
                        continue;
                    }
                    Some(rest) => {
                        *left = rest;
                        Some(Ok(chunk))
                    }
                    None => Some(Err("the request's body is longer than its announced length".into())),
                },
                Some(Err(error)) => Some(Err(error)),
                None if *left > 0 => {
                    Some(Err("the request's body is shorter than its announced length".into()))
                }
                None => self.last.take().map(Ok),
            });
        }
    }

    fn length(&self) -> Option<u64> {
        let held = self.last.as_ref().map_or(0, |chunk| chunk.len() as u64);
        self.left.map(|left| left.saturating_add(held))
    }
}

impl From<Bytes> for TransportBody {
    fn from(bytes: Bytes) -> Self {
        Self(State::Bytes(bytes))
    }
}

impl http_body::Body for TransportBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.poll_chunk(cx).map(|next| next.map(|chunk| chunk.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Done => true,
            State::Bytes(bytes) => bytes.is_empty(),
            State::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for TransportBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportBody").field("bytes", &self.length()).finish()
    }
}
