//! Reads a request body, with a cap on its size and on the time it may take.
//!
//! The cap holds for what really arrives, whatever `content-length` says, and memory grows with what has
//! arrived. A body of one piece, the usual case, is passed on without a copy.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::Body;

use crate::timer::Sleep;

/// How many pieces are taken before other tasks get their turn: a body that is always ready must not keep the
/// time-out from being looked at.
const PIECES_PER_TURN: usize = 64;

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    TooLarge,
    TooSlow,
    Interrupted,
}

/// The whole body, at most `limit` bytes, before the deadline.
///
/// The deadline is made by `start` when there is something to wait for: a body that is there already, the
/// usual case, costs no timer.
pub(crate) async fn read<B: Body>(
    body: B,
    limit: usize,
    start: impl FnOnce() -> Option<Sleep>,
) -> Result<Bytes, ReadError> {
    if usize::try_from(body.size_hint().lower()).map_or(true, |least| least > limit) {
        return Err(ReadError::TooLarge);
    }
    let mut body = pin!(body);
    let mut pieces = Pieces::default();
    let (mut start, mut deadline) = (Some(start), None);
    poll_fn(|cx| {
        let mut is_waiting = false;
        for _ in 0..PIECES_PER_TURN {
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
                is_waiting = true;
                break;
            };
            let Some(frame) = frame else { return Poll::Ready(Ok(())) };
            let Ok(frame) = frame else { return Poll::Ready(Err(ReadError::Interrupted)) };
            // Frames that are not data are trailers, which no scheme signs.
            if let Ok(data) = frame.into_data() {
                if data.remaining() > limit.saturating_sub(pieces.len()) {
                    return Poll::Ready(Err(ReadError::TooLarge));
                }
                pieces.push(data);
            }
        }
        if let Some(start) = start.take() {
            deadline = start();
        }
        if let Some(deadline) = &mut deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(ReadError::TooSlow));
        }
        if !is_waiting {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await?;
    Ok(pieces.join())
}

/// What has arrived: the first piece as it came, a buffer only from the second on.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    joined: BytesMut,
}

impl Pieces {
    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, mut data: impl Buf) {
        if self.len() == 0 {
            self.first = data.copy_to_bytes(data.remaining());
        } else {
            if !self.first.is_empty() {
                self.joined.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.joined.put(data);
        }
    }

    fn join(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}
