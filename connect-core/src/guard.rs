//! Between an answer's head and its use: collects the body, with a limit of its size and of its silences.
//!
//! The transport hands over small answers whole and all others as streams. [`BodyGuard`] collects a stream up to the
//! limit; what is limited is what comes out of decompression, so a small answer cannot unfold into a big one. A body that
//! breaks off or stalls makes a failed attempt, which may have been applied ([`Sent::Maybe`]).
//!
//! A call that [takes a stream](crate::Client::download) gets its successes as they come, with the same watch over
//! silences and a limit of their own, which is off by default: a stream is not kept in memory. Its refusals are collected.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Layer, Service};

use crate::deadline::after;
use crate::error::{Error, ErrorKind, Sent};
use crate::request::Request;
use crate::response::{BoxError, ByteStream, Response};

/// Most of what is set aside at once because an answer announces its length: the rest must arrive first.
const LARGEST_ADVANCE: u64 = 1024 * 1024;

/// Puts [`BodyGuard`] round a transport.
///
/// The numbers are [`Config::body_limit_bytes`](crate::Config), `read_timeout` and `download_limit_bytes`.
#[derive(Clone, Copy, Debug)]
pub struct BodyGuardLayer {
    collected: Limit,
    streamed: Option<Limit>,
    read_timeout: Duration,
}

/// How many bytes, and the setting to raise.
#[derive(Clone, Copy, Debug)]
struct Limit {
    bytes: u64,
    setting: &'static str,
}

impl BodyGuardLayer {
    /// Collects up to so many bytes, with silences up to the time-out.
    pub fn new(body_limit_bytes: usize, read_timeout: Duration) -> Self {
        let collected = Limit { bytes: body_limit_bytes as u64, setting: "body_limit_bytes" };
        Self { collected, streamed: None, read_timeout }
    }

    /// Limits what is handed over as a stream; `None` does not.
    #[must_use]
    pub fn with_download_limit_bytes(mut self, limit: Option<u64>) -> Self {
        self.streamed = limit.map(|bytes| Limit { bytes, setting: "download_limit_bytes" });
        self
    }
}

impl<S> Layer<S> for BodyGuardLayer {
    type Service = BodyGuard<S>;

    fn layer(&self, inner: S) -> BodyGuard<S> {
        BodyGuard { inner, settings: *self }
    }
}

/// Collects answers.
///
/// See the [module](self) for its limits.
#[derive(Clone, Debug)]
pub struct BodyGuard<S> {
    inner: S,
    settings: BodyGuardLayer,
}

impl<S> Service<Request> for BodyGuard<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Response = Response;
    type Error = Error;
    type Future = GuardFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let streams = request.context().streams();
        GuardFuture {
            settings: self.settings,
            streams,
            state: State::Waiting { inner: self.inner.call(request) },
        }
    }
}

pin_project! {
    /// The future of [`BodyGuard`].
    pub struct GuardFuture<F> {
        settings: BodyGuardLayer,
        streams: bool,
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Waiting { #[pin] inner: F },
        // Boxed: rare, and much bigger than the other.
        Collecting { collecting: Pin<Box<Collecting>> },
    }
}

impl<F> Future for GuardFuture<F>
where
    F: Future<Output = Result<Response, Error>>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StateProjection::Waiting { inner } = this.state.as_mut().project() {
            let mut response = ready!(inner.poll(cx))?;
            let streams = *this.streams && response.status().is_success();
            let limit = if streams { this.settings.streamed } else { Some(this.settings.collected) };
            let Some(stream) = response.take_stream() else {
                check(response.body().len() as u64, limit)?;
                return Poll::Ready(Ok(if streams { streamed(response) } else { response }));
            };
            let announced = announced(&response);
            check(announced.unwrap_or(0), limit)?;
            let watched = Watched::new(stream, limit, this.settings.read_timeout);
            if streams {
                return Poll::Ready(Ok(response.with_stream(Box::pin(watched))));
            }
            let collecting = Box::pin(Collecting {
                response: Some(response),
                watched,
                announced,
                first: None,
                rest: BytesMut::new(),
            });
            this.state.set(State::Collecting { collecting });
        }
        match this.state.project() {
            StateProjection::Collecting { collecting } => collecting.as_mut().poll(cx),
            StateProjection::Waiting { .. } => Poll::Pending, // never: it was replaced above
        }
    }
}

/// A whole answer as the stream that its caller expects.
fn streamed(response: Response) -> Response {
    let whole = Whole(Some(response.body().clone()).filter(|body| !body.is_empty()));
    response.with_stream(Box::pin(whole))
}

struct Whole(Option<Bytes>);

impl Stream for Whole {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

impl<F> std::fmt::Debug for GuardFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

/// The length that the head announces; only text that is a number counts.
fn announced(response: &Response) -> Option<u64> {
    response.header(CONTENT_LENGTH.as_str())?.parse().ok()
}

fn check(bytes: u64, limit: Option<Limit>) -> Result<(), Error> {
    match limit {
        Some(limit) if bytes > limit.bytes => Err(limit.exceeded()),
        _ => Ok(()),
    }
}

impl Limit {
    #[cold]
    fn exceeded(self) -> Error {
        let Self { bytes, setting } = self;
        let message = format!("the answer is bigger than the limit of {bytes} bytes: raise `{setting}`");
        // The answer was not read, so a write may well have succeeded.
        Error::new(ErrorKind::Unsupported, message).with_sent(Sent::Maybe)
    }
}

/// An answer whose next bytes did not come in time.
#[cold]
pub(crate) fn stalled() -> Error {
    Error::new(ErrorKind::Timeout, "the answer stalled").with_sent(Sent::Maybe)
}

/// An answer that broke off. Errors of this family pass as they are.
#[cold]
fn cut_off(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Transport, "the answer was cut off")
            .with_sent(Sent::Maybe)
            .with_source(error),
    }
}

pin_project! {
    struct Collecting {
        response: Option<Response>,
        #[pin]
        watched: Watched,
        announced: Option<u64>,
        // Most answers arrive in one chunk, which needs no copy.
        first: Option<Bytes>,
        rest: BytesMut,
    }
}

impl Future for Collecting {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let Some(chunk) = ready!(this.watched.as_mut().poll_chunk(cx)?) else { break };
            match this.first.take() {
                None if this.rest.is_empty() => *this.first = Some(chunk),
                None => this.rest.extend_from_slice(&chunk),
                Some(first) => {
                    let arrived = first.len().saturating_add(chunk.len());
                    let advance = usize::try_from(this.announced.unwrap_or(0).min(LARGEST_ADVANCE));
                    this.rest.reserve(advance.unwrap_or(0).max(arrived.saturating_mul(2)));
                    this.rest.extend_from_slice(&first);
                    this.rest.extend_from_slice(&chunk);
                }
            }
        }
        let body = this.first.take().unwrap_or_else(|| this.rest.split().freeze());
        match this.response.take() {
            Some(response) => Poll::Ready(Ok(response.with_body(body))),
            None => Poll::Pending, // polled after completion
        }
    }
}

pin_project! {
    /// A stream that neither grows too big nor falls silent for too long.
    struct Watched {
        stream: Option<ByteStream>,
        limit: Option<Limit>,
        bytes: u64,
        read_timeout: Duration,
        // Set while bytes are waited for.
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Watched {
    fn new(stream: ByteStream, limit: Option<Limit>, read_timeout: Duration) -> Self {
        Self { stream: Some(stream), limit, bytes: 0, read_timeout, sleep: None }
    }

    fn poll_chunk(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        let mut this = self.project();
        let Some(stream) = this.stream else { return Poll::Ready(Ok(None)) };
        let next = match stream.as_mut().poll_next(cx) {
            Poll::Ready(next) => next,
            Poll::Pending => {
                if this.sleep.is_none() {
                    this.sleep.set(Some(sleep_until(after(Instant::now(), *this.read_timeout))));
                }
                if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                    ready!(sleep.poll(cx));
                }
                *this.stream = None;
                return Poll::Ready(Err(stalled()));
            }
        };
        this.sleep.set(None);
        let result = match next {
            None => Ok(None),
            Some(Err(error)) => Err(cut_off(error)),
            Some(Ok(chunk)) => {
                *this.bytes = this.bytes.saturating_add(chunk.len() as u64);
                check(*this.bytes, *this.limit).map(|()| Some(chunk))
            }
        };
        if !matches!(result, Ok(Some(_))) {
            // What has ended or failed is not asked again, and its connection is let go.
            *this.stream = None;
        }
        Poll::Ready(result)
    }
}

impl Stream for Watched {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx).map(|result| result.map_err(BoxError::from).transpose())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http::{HeaderMap, HeaderValue, Method, StatusCode};
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::operation::Operation;

    const READ_TIMEOUT: Duration = Duration::from_secs(15);

    fn chunks(texts: &'static [&'static str]) -> ByteStream {
        Box::pin(stream::iter(texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes())))))
    }

    fn silence() -> ByteStream {
        Box::pin(chunks(&["a"]).chain(stream::pending()))
    }

    fn broken() -> ByteStream {
        Box::pin(chunks(&["a"]).chain(stream::iter([Err("reset by peer".into())])))
    }

    fn answer(status: u16, stream: ByteStream) -> Response {
        Response::streamed(StatusCode::from_u16(status).unwrap(), HeaderMap::new(), stream)
    }

    async fn guarded(layer: BodyGuardLayer, streams: bool, answer: Response) -> Result<Response, Error> {
        let mut request = Request::builder(&Operation::raw("get", Method::GET, "/")).build().unwrap();
        if streams {
            request.context_mut().set_streams();
        }
        let mut answer = Some(answer);
        layer
            .layer(service_fn(move |_| std::future::ready(Ok(answer.take().unwrap()))))
            .oneshot(request)
            .await
    }

    fn layer(limit: usize) -> BodyGuardLayer {
        BodyGuardLayer::new(limit, READ_TIMEOUT)
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_collected_in_order() {
        for texts in [&[][..], &["a"], &["", "a"], &["a", "b", "c"]] {
            let response = guarded(layer(3), false, answer(200, chunks(texts))).await.unwrap();
            assert!(!response.is_streamed());
            assert_eq!(response.body(), &texts.concat());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_above_the_limit_may_have_been_applied() {
        let mut told = answer(200, chunks(&[]));
        told.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("4"));
        let whole = Response::new(StatusCode::OK, HeaderMap::new(), "abcd");
        for answer in [told, whole, answer(200, chunks(&["ab", "cd"])), answer(200, chunks(&["abcd"]))] {
            let error = guarded(layer(3), false, answer).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Unsupported, Sent::Maybe));
            assert!(error.to_string().contains("3 bytes"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_breaks_off_or_stalls_is_a_failed_attempt() {
        let error = guarded(layer(9), false, answer(200, broken())).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::Maybe));
        assert!(error.message().contains("cut off"), "{error}");
        let begun = Instant::now();
        let error = guarded(layer(9), false, answer(200, silence())).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Maybe));
        assert_eq!(begun.elapsed(), READ_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn only_silence_counts_and_not_the_time_of_the_whole() {
        let slow = stream::unfold(0, |sent| async move {
            tokio::time::sleep(READ_TIMEOUT - Duration::from_millis(1)).await;
            (sent < 5).then(|| (Ok(Bytes::from_static(b"a")), sent + 1))
        });
        let response = guarded(layer(9), false, answer(200, Box::pin(slow))).await.unwrap();
        assert_eq!(response.body(), "aaaaa");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_a_stream_gets_its_successes_streamed_and_its_refusals_whole() {
        let mut response = guarded(layer(1), true, answer(200, chunks(&["ab", "cd"]))).await.unwrap();
        let texts: Vec<_> = response.take_stream().unwrap().map(Result::unwrap).collect().await;
        assert_eq!(texts, ["ab", "cd"]);
        let whole = Response::new(StatusCode::OK, HeaderMap::new(), "a");
        let mut response = guarded(layer(1), true, whole).await.unwrap();
        let texts: Vec<_> = response.take_stream().unwrap().map(Result::unwrap).collect().await;
        assert_eq!(texts, ["a"]);
        let response = guarded(layer(9), true, answer(404, chunks(&["no"]))).await.unwrap();
        assert_eq!((response.is_streamed(), response.body().as_ref()), (false, &b"no"[..]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_handed_over_is_still_watched() {
        async fn last(layer: BodyGuardLayer, stream: ByteStream) -> Error {
            let mut response = guarded(layer, true, answer(200, stream)).await.unwrap();
            let mut stream = response.take_stream().unwrap();
            assert_eq!(stream.next().await.unwrap().unwrap(), "a");
            let error = *stream.next().await.unwrap().unwrap_err().downcast::<Error>().unwrap();
            assert!(stream.next().await.is_none(), "a failed stream has ended");
            error
        }
        assert_eq!(last(layer(9), silence()).await.kind(), ErrorKind::Timeout);
        assert_eq!(last(layer(9), broken()).await.kind(), ErrorKind::Transport);
        let limited = layer(9).with_download_limit_bytes(Some(1));
        let error = last(limited, chunks(&["a", "b"])).await;
        assert!(error.to_string().contains("download_limit_bytes"), "{error}");
    }
}
