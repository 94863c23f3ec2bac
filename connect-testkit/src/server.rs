//! A small HTTP server on 127.0.0.1 that lends its sockets to a provider.
//!
//! Real sockets, because the interesting failures live there: a connection that closes after the request was
//! read, a body that stops half way, a keep-alive connection. The server reads a request whole, asks the fault
//! plan what goes wrong, lets the provider answer, records both, and writes the answer or closes.
//! It ends, and its port is free again, when the fake is dropped. Plain HTTP/1.1 only, never for outside
//! traffic: it binds loopback and keeps every request in memory.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::fault::{Action, Fault, FaultPlan, Refusal, Wait};
use crate::record::{Journal, Recorded};

/// GitHub's webhooks, the largest bodies in sight, end at 25 MB.
const LARGEST_BODY: usize = 26 * 1024 * 1024;

/// A request that arrived whole.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The scheme and the credential of the `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<(&str, &str)> {
        self.header("authorization")?.split_once(' ')
    }

    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
    }
}

/// An answer as a provider gives it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }

    /// A value that is no legal header text is left out rather than sent broken.
    pub(crate) fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// What differs between the fakes.
pub(crate) trait Provider: Send + Sync + 'static {
    /// The provider's name of what the request asks for.
    fn operation(&self, request: &Received) -> Option<String>;
    /// Whether this scheme and credential are good.
    fn accepts(&self, scheme: &str, credential: &str) -> bool;
    /// Does what the request asks for, and answers.
    fn answer(&self, request: &Received) -> Answer;
    /// Answers a planned fault in the provider's own error shape, and does nothing.
    fn refuse(&self, request: &Received, refusal: &Refusal) -> Answer;
    /// What a careful provider would complain about.
    fn problems(&self, request: &Received) -> Vec<String>;
}

/// A running server: its address, its faults and its records.
pub(crate) struct Loopback {
    pub(crate) faults: FaultPlan,
    pub(crate) journal: Journal,
    task: JoinHandle<()>,
}

impl Loopback {
    /// Binds a free port; the provider is made afterwards, because its links carry the port.
    pub(crate) async fn start<P: Provider>(
        provider: impl FnOnce(SocketAddr) -> Arc<P>,
    ) -> io::Result<(Self, Arc<P>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let provider = provider(listener.local_addr()?);
        let faults = FaultPlan::default();
        let journal = Journal::new();
        let desk = Arc::new(Desk {
            provider: Arc::clone(&provider),
            faults: faults.clone(),
            journal: journal.clone(),
        });
        let task = tokio::spawn(accept(listener, desk));
        Ok((Self { faults, journal, task }, provider))
    }

    /// Ends the server and waits until its port is free.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // The error says that the task was aborted, which is what was asked for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<P: Provider>(listener: TcpListener, desk: Arc<Desk<P>>) {
    // Dropping the set aborts the connections, so that they end together with the listener.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, Arc::clone(&desk))); }
                // Out of file descriptors, most likely: let the connections go on and try again.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<P: Provider>(stream: TcpStream, desk: Arc<Desk<P>>) {
    // Small answers leave at once; without this a keep-alive exchange waits for delayed acknowledgements.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { desk.handle(request).await }
    });
    // The fake's own clock writes `Date`. Errors are the client's, or the planned drops: nobody to tell.
    let _ = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

struct Desk<P> {
    provider: Arc<P>,
    faults: FaultPlan,
    journal: Journal,
}

impl<P: Provider> Desk<P> {
    /// An error closes the connection without an answer: that is how hyper spells "drop".
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<AnswerBody>> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(into_response(Answer::new(StatusCode::PAYLOAD_TOO_LARGE, ""), false));
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        let received = Received {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
        };
        let operation = self.provider.operation(&received);
        let mut fault = self.faults.take(operation.as_deref());
        // Moved out, so that nothing here keeps a gate closed that everybody else has dropped.
        match std::mem::replace(&mut fault.wait, Wait::Not) {
            Wait::Not => self.decide(received, operation, &fault),
            Wait::BeforeEffect(hold) => {
                // A task of its own, because hyper drops this future when the client hangs up: a slow server
                // does its work all the same.
                let work = async move {
                    hold.pass().await;
                    self.decide(received, operation, &fault)
                };
                tokio::spawn(work).await.map_err(io::Error::other)?
            }
            Wait::BeforeAnswer(hold) => {
                let decided = self.decide(received, operation, &fault);
                hold.pass().await;
                decided
            }
            Wait::Delay(delay) => {
                let decided = self.decide(received, operation, &fault);
                tokio::time::sleep(delay).await;
                decided
            }
        }
    }

    /// Synchronous on purpose: nothing waits between the effect and the record.
    fn decide(
        &self,
        request: Received,
        operation: Option<String>,
        fault: &Fault,
    ) -> io::Result<Response<AnswerBody>> {
        let problems = self.provider.problems(&request);
        let normal = fault.effect.then(|| self.provider.answer(&request));
        let answer = match &fault.action {
            Action::Refuse(refusal) => Some(self.provider.refuse(&request, refusal)),
            Action::Drop => None,
            Action::Pass | Action::Truncate => normal,
        };
        let authorized = request
            .authorization()
            .is_some_and(|(scheme, credential)| self.provider.accepts(scheme, credential));
        let credential = request.authorization().map(|(_, credential)| credential.to_owned());
        let mut headers = request.headers;
        headers.remove(AUTHORIZATION);
        self.journal.add(Recorded {
            operation,
            method: request.method,
            path: request.path,
            query: request.query,
            headers,
            authorized,
            body: request.body,
            status: answer.as_ref().map(|answer| answer.status),
            problems,
            credential,
        });
        let answer = answer.ok_or_else(|| io::Error::other("the connection is dropped as planned"))?;
        Ok(into_response(answer, fault.action == Action::Truncate))
    }
}

fn into_response(answer: Answer, truncate: bool) -> Response<AnswerBody> {
    let body = if truncate { AnswerBody::truncated(answer.body) } else { AnswerBody::whole(answer.body) };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// A body that ends as planned: all of it, or half of what it announced.
struct AnswerBody {
    announced: u64,
    rest: Rest,
}

enum Rest {
    Whole(Bytes),
    Half(Bytes),
    /// The half was handed over; one pause lets hyper write it out before the error discards its buffer.
    Flush,
    Cut,
    Done,
}

impl AnswerBody {
    fn whole(body: Bytes) -> Self {
        let announced = body.len() as u64;
        Self { announced, rest: if body.is_empty() { Rest::Done } else { Rest::Whole(body) } }
    }

    fn truncated(body: Bytes) -> Self {
        let announced = body.len() as u64;
        Self { announced, rest: Rest::Half(body.slice(..body.len() / 2)) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let (rest, polled) = match std::mem::replace(&mut self.rest, Rest::Done) {
            Rest::Whole(body) => (Rest::Done, Poll::Ready(Some(Ok(Frame::data(body))))),
            Rest::Half(body) => (Rest::Flush, Poll::Ready(Some(Ok(Frame::data(body))))),
            Rest::Flush => {
                cx.waker().wake_by_ref();
                (Rest::Cut, Poll::Pending)
            }
            Rest::Cut => {
                let error = io::Error::other("the body is truncated as planned");
                (Rest::Done, Poll::Ready(Some(Err(error))))
            }
            Rest::Done => (Rest::Done, Poll::Ready(None)),
        };
        self.rest = rest;
        polled
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.rest, Rest::Done)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
