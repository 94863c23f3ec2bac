//! The body of an HTTP client's answer, as the layers above take it.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::response::BoxError;

pin_project! {
    /// The data of an [`http_body::Body`], after what its first read gave; trailers are left out.
    pub(super) struct Incoming<B> {
        #[pin]
        body: B,
        read: Option<Result<Bytes, BoxError>>,
    }
}

impl<B> Incoming<B> {
    pub(super) fn new(body: B, read: Option<Result<Bytes, BoxError>>) -> Self {
        Self { body, read }
    }
}

impl<B> Stream for Incoming<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if let Some(read) = this.read.take() {
            return Poll::Ready(Some(read));
        }
        loop {
            match ready!(this.body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}
