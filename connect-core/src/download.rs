//! Answers too big to keep: read as they come, with a limit and a word about progress.
//!
//! Up to the head of the answer a download is a call like any other: retried, paced, timed. From there on it is a stream
//! that only silence, its limits and a deadline that was asked for can end; nothing sends it again. A refusal is an error
//! as of any call, with the provider's words.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, StatusCode};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::api::Api;
use crate::call::Call;
use crate::context::Context;
use crate::deadline::after;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, RetryAdvice, Sent};
use crate::operation::Safety;
use crate::response::{BoxError, ByteStream, Response};
use crate::retry::RetryPolicy;

/// What [`Client::download`](crate::Client::download) returns. `.await` sends it and yields a [`Download`] once the head of
/// the answer is there.
///
/// ```no_run
/// # use connect_core::{Client, Endpoint, Error};
/// # async fn example<E: Endpoint>(client: Client<E::Api>, archive: E) -> Result<(), Error> {
/// use futures_util::StreamExt;
/// let mut download = client.download(archive).await?
///     .limit_bytes(100 * 1024 * 1024)
///     .on_progress(|done, total| println!("{done} of {total:?}"));
/// while let Some(chunk) = download.next().await {
///     let _bytes = chunk?; // write them where they belong
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct DownloadCall<E: Endpoint> {
    call: Call<E>,
    /// Both are the whole download's: the caller's own, and the one of its context.
    deadline: (Option<Duration>, Option<Instant>),
}

impl<E: Endpoint> DownloadCall<E> {
    pub(crate) fn new(call: Call<E>) -> Self {
        Self { call, deadline: (None, None) }
    }

    /// The time for all of it, the last byte included, from the moment it is awaited. Without this, the client's deadline ends at the head of
    /// the answer, because a big answer takes its time.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline.0 = Some(deadline);
        self.call = self.call.deadline(deadline);
        self
    }

    /// Another retry policy than the client's, up to the head of the answer.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.call = self.call.retry(policy);
        self
    }

    /// Sends a header besides the client's own; see [`Call::header`](crate::Call::header).
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    /// Asks for another representation.
    pub fn accept(mut self, media_type: &str) -> Self {
        self.call = self.call.accept(media_type);
        self
    }

    /// Tenant, deadline and priority of the caller. Its deadline, too, is for all of the download.
    pub fn context(mut self, context: &Context) -> Self {
        self.deadline.1 = context.deadline();
        self.call = self.call.context(context);
        self
    }
}

impl<E: Endpoint> IntoFuture for DownloadCall<E> {
    type Output = Result<Download, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let operation = self.call.operation().clone();
            let (own, callers) = self.deadline;
            let own = own.map(|own| after(Instant::now(), own));
            let deadline = [own, callers].into_iter().flatten().min();
            let response = self.call.open().await?;
            let advice = match operation.safety {
                Safety::Safe | Safety::Idempotent => RetryAdvice::Later,
                Safety::Unsafe | Safety::Keyed => RetryAdvice::CheckFirst,
            };
            let status = response.status();
            let tag = Box::new(move |error: Error| {
                error
                    .with_operation(E::Api::ID, operation.name.clone())
                    .with_status(status)
                    .with_retry(advice)
            });
            Ok(Download::new(response, tag, deadline))
        })
    }
}

impl<E: Endpoint> fmt::Debug for DownloadCall<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadCall").field("call", &self.call).finish_non_exhaustive()
    }
}

type Tag = Box<dyn Fn(Error) -> Error + Send>;
type OnProgress = Box<dyn FnMut(u64, Option<u64>) + Send>;

/// The head of an answer, and its body as a [`Stream`] of bytes. Dropping it closes the connection.
///
/// From [`Client::download`](crate::Client::download), where an example is.
#[must_use = "nothing is read until the stream is polled"]
pub struct Download {
    status: StatusCode,
    headers: HeaderMap,
    length: Option<u64>,
    body: Body,
    done: u64,
    limit: Option<u64>,
    on_progress: Option<OnProgress>,
    deadline: Option<Pin<Box<Sleep>>>,
    tag: Tag,
}

enum Body {
    Whole(Bytes),
    Stream(ByteStream),
    Over,
}

impl Download {
    fn new(mut response: Response, tag: Tag, deadline: Option<Instant>) -> Self {
        let length = response.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
        let stream = response.take_stream();
        let (length, body) = match stream {
            Some(stream) => (length, Body::Stream(stream)),
            None => (Some(response.body().len() as u64), Body::Whole(response.body().clone())),
        };
        Self {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            length,
            body,
            done: 0,
            limit: None,
            on_progress: None,
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            tag,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers: content type, file name, ETag.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// How many bytes there will be, if the provider says so.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Ends in an error of kind [`ErrorKind::Unsupported`] instead of yielding more than so many bytes; at once, if the
    /// provider announces more. The client's own limit, if there is one, holds too.
    pub fn limit_bytes(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Calls this after every chunk with the bytes so far and the bytes in all, if they are known. On the reading task: be
    /// quick, and never block.
    pub fn on_progress(mut self, on_progress: impl FnMut(u64, Option<u64>) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// What the stream yields: a limit, a stall, a connection that broke off, the deadline.
    pub async fn collect(mut self) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        let mut first = None;
        while let Some(chunk) = std::future::poll_fn(|cx| Pin::new(&mut self).poll_next(cx)).await {
            // What arrives in one chunk needs no copy.
            match first.take() {
                None if all.is_empty() => first = Some(chunk?),
                before => {
                    all.extend_from_slice(&before.unwrap_or_default());
                    all.extend_from_slice(&chunk?);
                }
            }
        }
        Ok(first.unwrap_or_else(|| all.freeze()))
    }

    fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(limit) = self.limit
            && self.length.is_some_and(|length| length > limit)
            && !matches!(self.body, Body::Over)
        {
            return Poll::Ready(Some(Err(too_big(limit))));
        }
        let late = self.deadline.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
        let next = match &mut self.body {
            Body::Over => return Poll::Ready(None),
            _ if late => {
                let error = Error::new(ErrorKind::Timeout, "the deadline of the download passed");
                return Poll::Ready(Some(Err(error.with_sent(Sent::Maybe))));
            }
            Body::Whole(bytes) => Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()).map(Ok),
            Body::Stream(stream) => ready!(stream.as_mut().poll_next(cx)).map(|chunk| chunk.map_err(broken)),
        };
        let Some(Ok(chunk)) = next else { return Poll::Ready(next) };
        self.done = self.done.saturating_add(chunk.len() as u64);
        Poll::Ready(Some(match self.limit {
            Some(limit) if self.done > limit => Err(too_big(limit)),
            _ => Ok(chunk),
        }))
    }
}

impl Stream for Download {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        match this.poll_chunk(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => {
                if let Some(on_progress) = &mut this.on_progress {
                    on_progress(this.done, this.length);
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(end) => {
                // What has ended or failed is not asked again, and its connection is let go.
                this.body = Body::Over;
                Poll::Ready(end.map(|result| result.map_err(&this.tag)))
            }
        }
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("status", &self.status)
            .field("length", &self.length)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

fn too_big(limit: u64) -> Error {
    let message =
        format!("the answer is bigger than the limit of {limit} bytes that this download was given");
    Error::new(ErrorKind::Unsupported, message).with_sent(Sent::Maybe)
}

fn broken(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Transport, "the answer was cut off")
            .with_sent(Sent::Maybe)
            .with_source(error),
    }
}
