//! A call that is about to happen: takes options, then is awaited.
//!
//! [`Call`] owns a cheap clone of the client, so it can be stored, moved into a task, or dropped unsent.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::answer::{As, AsBytes, AsText, IfChanged};
use crate::api::Api;
use crate::argument::Payload;
use crate::client::{Client, conclude};
use crate::context::{Context, Priority};
use crate::deadline::after;
use crate::decode::Decoding;
use crate::deprecation::Deprecation;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, RetryAdvice};
use crate::event::Event;
use crate::explain::Report;
use crate::observe::Scope;
use crate::operation::{Operation, Safety};
use crate::progress::Progress;
use crate::refusal::{request_id, request_id_value};
use crate::request::Request;
use crate::response::{Response, Source};
use crate::retry::RetryPolicy;

/// What [`Client::send`] returns. `.await` sends it and yields the endpoint's output.
///
/// ```no_run
/// # use connect_core::{Api, Client, Endpoint, Error};
/// # use std::time::Duration;
/// # async fn example<E: Endpoint>(client: Client<E::Api>, endpoint: E) -> Result<(), Error> {
/// let output = client.send(endpoint).deadline(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<E: Endpoint> {
    client: Client<E::Api>,
    endpoint: E,
    options: Options,
    /// Boxed, because an output may be big, and most calls have none.
    fallback: Option<Box<E::Output>>,
}

#[derive(Debug, Default)]
struct Options {
    context: Option<Context>,
    deadline: Option<Duration>,
    retry: Option<RetryPolicy>,
    priority: Option<Priority>,
    idempotency_key: Option<String>,
    takes_stale: bool,
    strict: bool,
    streams: bool,
    traced: bool,
    headers: Headers,
}

impl<E: Endpoint> Call<E> {
    pub(crate) fn new(client: Client<E::Api>, endpoint: E) -> Self {
        Self { client, endpoint, options: Options::default(), fallback: None }
    }

    /// Changes the endpoint before it is sent: for calls whose endpoint somebody else has made.
    ///
    /// ```no_run
    /// # use connect_core::{Call, Endpoint, Error};
    /// # async fn example<E: Endpoint>(call: Call<E>, in_english: fn(E) -> E) -> Result<(), Error> {
    /// let output = call.with(in_english).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(mut self, change: impl FnOnce(E) -> E) -> Self {
        self.endpoint = change(self.endpoint);
        self
    }

    /// The time for the whole operation, waits and body included, from the moment it is awaited.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = Some(deadline);
        self
    }

    /// Another retry policy than the client's; [`RetryPolicy::never`] for hosts that retry themselves.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = Some(policy);
        self
    }

    /// Who goes first when a quota is short.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.priority = Some(priority);
        self
    }

    /// The key by which the provider recognises a repetition, for a caller that may make this very call again: after a
    /// crash, say. Without this, a keyed operation gets a key of its own, which all attempts of this call share.
    ///
    /// An operation that is not [`Safety::Keyed`] refuses it with [`ErrorKind::Invalid`]: the provider would ignore it,
    /// and the caller would believe in a protection that is not there.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// An answer that lacks a field which the provider's description promises is an error, instead of drift that the
    /// observer hears of. For tests that watch over a provider.
    pub fn strict(mut self) -> Self {
        self.options.strict = true;
        self
    }

    /// Takes an old answer out of the client's cache rather than none, when the provider fails or is not let near.
    /// [`Reply::source`] says so.
    pub fn or_stale(mut self) -> Self {
        self.options.takes_stale = true;
        self
    }

    /// Takes this value rather than none, when the provider fails or is not let near (5xx, time-out, no connection, rate
    /// limit, open breaker). A refusal stays an error. [`Reply::source`] tells the default from an answer.
    pub fn or_default_to(mut self, value: E::Output) -> Self {
        self.fallback = Some(Box::new(value));
        self
    }

    /// Tenant, deadline and priority of the caller. The earlier deadline wins.
    pub fn context(mut self, context: &Context) -> Self {
        self.options.context = Some(context.for_next_operation());
        self
    }

    /// Sends a header besides the client's own, or another value of one of them: another API version, a preview.
    ///
    /// What says who sends it, or how the message is framed (`Authorization`, `Cookie`, `Host`, `Content-Length` ...), is the
    /// client's business: such a header, and a value that HTTP cannot carry, is an [`ErrorKind::Invalid`] when the call is
    /// awaited.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.options.headers.add(name, value);
        self
    }

    /// Asks for another representation: `call.accept("application/vnd.example.diff").text()`.
    pub fn accept(self, media_type: &str) -> Self {
        self.header(ACCEPT, media_type)
    }

    /// Takes the answer as text: a diff, a rendered page, a log.
    pub fn text(self) -> Call<AsText<E>> {
        self.wrap(AsText::new)
    }

    /// Takes the answer as it comes, whatever it is; of big ones, [`Client::download`] keeps less in memory.
    pub fn bytes(self) -> Call<AsBytes<E>> {
        self.wrap(AsBytes::new)
    }

    /// Yields `None` if the answer still has this tag: the `etag` header of an earlier [`Reply`], quotes included. Providers
    /// charge little or nothing for that. A client with a [cache](crate::ClientBuilder::cache) does it by itself; this is for
    /// programs that keep what they know elsewhere.
    pub fn if_changed(self, tag: HeaderValue) -> Call<IfChanged<E>> {
        self.wrap(|endpoint| IfChanged::new(endpoint, tag))
    }

    fn wrap<W: Endpoint<Api = E::Api>>(self, wrap: impl FnOnce(E) -> W) -> Call<W> {
        Call { client: self.client, endpoint: wrap(self.endpoint), options: self.options, fallback: None }
    }

    /// Decodes the answer into another type: fewer fields, or fields this family does not know. Comes before
    /// [`Call::or_default_to`], whose value it would not fit.
    pub fn decode_as<T: DeserializeOwned + Send + 'static>(self) -> Call<As<E, T>> {
        self.wrap(As::new)
    }

    /// Yields the headers, the status and the request id beside the value.
    pub fn response(self) -> ReplyFuture<E::Output> {
        Box::pin(async move {
            let mut kept = None;
            let keep = |response: &Response| {
                kept = Some(Kept {
                    status: response.status(),
                    headers: response.headers().clone(),
                    request_id: request_id::<E::Api>(response.headers()).map(str::to_owned),
                    source: response.source(),
                });
            };
            let mut progress = None;
            let value = self.run(keep, &mut progress).await?;
            let Kept { status, headers, request_id, source } = kept.unwrap_or_else(Kept::of_default);
            let attempts = progress.map_or(0, |progress| progress.attempts());
            Ok(Reply { value, status, headers, request_id, attempts, source })
        })
    }

    /// Yields a report beside the result, also on failure: what was waited for and why, what the server said, and why
    /// it was not sent once more.
    ///
    /// ```no_run
    /// # use connect_core::{Client, Endpoint};
    /// # async fn example<E: Endpoint>(client: Client<E::Api>, endpoint: E) {
    /// let (result, report) = client.send(endpoint).explain().await;
    /// println!("{report}");
    /// # let _ = result;
    /// # }
    /// ```
    pub fn explain(mut self) -> ExplainFuture<E::Output> {
        self.options.traced = true;
        Box::pin(async move {
            let begun = Instant::now();
            let scope = Scope::new(E::Api::ID, self.endpoint.operation().name.clone());
            let mut progress = None;
            let result = self.run(|_| (), &mut progress).await;
            let progress = progress.unwrap_or_default();
            let report = Report::new(scope, &progress, begun.elapsed(), result.is_ok());
            (result, report)
        })
    }

    pub(crate) fn operation(&self) -> &Operation {
        self.endpoint.operation()
    }

    /// Sends it and hands over the answer as it comes.
    pub(crate) async fn open(self) -> Result<Response, Error> {
        let Self { client, endpoint, mut options, .. } = self;
        options.streams = true;
        let request = options.request(&client, &endpoint)?;
        let progress = Arc::clone(request.context().progress());
        let response = client.execute(request).await?;
        // What comes after the head is its reader's.
        conclude(&progress, Some(response.status()), None);
        Ok(response)
    }

    /// `keep` takes what is wanted beside the value: most calls want nothing, and a copy of the headers is not cheap. It is
    /// not asked for the call's own default.
    async fn run(
        self,
        keep: impl FnOnce(&Response),
        progress: &mut Option<Arc<Progress>>,
    ) -> Result<E::Output, Error> {
        let Self { client, endpoint, options, fallback } = self;
        let mut decoding = Decoding { strict: options.strict, ..Decoding::default() };
        let request = options.request(&client, &endpoint)?;
        let progress = &*progress.insert(Arc::clone(request.context().progress()));
        let response = match client.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                return match fallback {
                    Some(value) if error.kind().is_outage() => {
                        let (service, operation) = (error.service(), error.operation());
                        tracing::warn!(
                            service,
                            operation,
                            kind = error.kind().name(),
                            "fell back to a default"
                        );
                        progress.note(|| Event::FellBack { to: "default" });
                        Ok(*value)
                    }
                    _ => Err(error),
                };
            }
        };
        let status = response.status();
        keep(&response);
        // A reference count, not a copy: only an error shows it.
        let id = request_id_value::<E::Api>(response.headers()).cloned();
        // Not taken apart: an output may be big, and every move of it costs.
        let output = endpoint.decode(response, &mut decoding);
        let unreadable = |error: Error| {
            let id = id.as_ref().and_then(|id| id.to_str().ok());
            let error = error
                .with_operation(E::Api::ID, endpoint.operation().name.clone())
                .with_status(status)
                .with_request_id(id)
                .with_attempts(progress.attempts());
            let error = match endpoint.operation().safety {
                // The provider did it; only its answer cannot be read. Taken for a plain failure, it would be done twice.
                // Of an answer that it did read, the endpoint says itself what can be done.
                Safety::Unsafe | Safety::Keyed if error.kind() == ErrorKind::Decode => {
                    error.with_retry(RetryAdvice::CheckFirst)
                }
                _ => error,
            };
            conclude(progress, Some(status), Some(&error));
            error
        };
        if output.is_err() {
            return output.map_err(unreadable);
        }
        for path in decoding.drift {
            progress.note(|| Event::Drift { path });
        }
        conclude(progress, Some(status), None);
        output
    }
}

impl Options {
    /// The request on its way: built, placed on its origin, with everything the call asks for.
    fn request<E: Endpoint>(self, client: &Client<E::Api>, endpoint: &E) -> Result<Request, Error> {
        let Self {
            context,
            deadline,
            retry,
            priority,
            idempotency_key,
            takes_stale,
            streams,
            traced,
            headers,
            strict: _,
        } = self;
        let tag = |error: Error| error.with_operation(E::Api::ID, endpoint.operation().name.clone());
        let mut request = endpoint.request().map_err(tag)?;
        if matches!(request.operation().payload, Payload::File(_)) && request.body().is_absent() {
            let message = "the operation is an upload: send it with `client.upload`, and its file";
            return Err(tag(Error::new(ErrorKind::Invalid, message)));
        }
        match context {
            Some(context) => *request.context_mut() = context,
            None => request.context_mut().begin_operation(),
        }
        let context = request.context_mut();
        if let Some(deadline) = deadline {
            context.limit_deadline(after(Instant::now(), deadline));
        }
        if let Some(policy) = retry {
            context.set_retry(policy);
        }
        if let Some(priority) = priority {
            context.set_priority(priority);
        }
        if takes_stale {
            context.set_takes_stale();
        }
        if streams {
            context.set_streams();
        }
        if let Some(key) = idempotency_key {
            let header = E::Api::IDEMPOTENCY_HEADER
                .filter(|_| endpoint.operation().safety == Safety::Keyed)
                .ok_or_else(|| {
                    tag(Error::new(ErrorKind::Invalid, "the operation takes no idempotency key"))
                })?;
            request.set_idempotency_key(header, || key).map_err(tag)?;
        }
        headers.set(&mut request).map_err(tag)?;
        client.place_traced(request, traced)
    }
}

/// The caller's own headers; most calls have none.
#[derive(Debug, Default)]
struct Headers {
    given: Vec<(HeaderName, HeaderValue)>,
    refused: Option<(HeaderName, &'static str)>,
}

impl Headers {
    fn add(&mut self, name: HeaderName, value: &str) {
        if RESERVED.contains(&name) {
            self.refused
                .get_or_insert((name, "the client sets it: build the client with what it shall send"));
            return;
        }
        match HeaderValue::from_str(value) {
            Ok(value) => self.given.push((name, value)),
            Err(_) => {
                self.refused.get_or_insert((name, "the value has characters HTTP cannot carry"));
            }
        }
    }

    fn set(self, request: &mut Request) -> Result<(), Error> {
        if let Some((name, why)) = self.refused {
            return Err(Error::new(ErrorKind::Invalid, format!("header {name}: {why}")));
        }
        for (name, value) in self.given {
            request.insert_header(name, value);
        }
        Ok(())
    }
}

/// Who sends it, and how the message is framed.
const RESERVED: [HeaderName; 9] = [
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    COOKIE,
    HOST,
    PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What [`Call::response`] keeps of an answer.
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
    source: Source,
}

impl Kept {
    /// There was no answer.
    fn of_default() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, headers: HeaderMap::new(), request_id: None, source: Source::Default }
    }
}

impl<E: Endpoint> IntoFuture for Call<E> {
    type Output = Result<E::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut progress = None;
            self.run(|_| (), &mut progress).await
        })
    }
}

impl<E: Endpoint> fmt::Debug for Call<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.endpoint.operation().name)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What [`Call::explain`] returns.
pub type ExplainFuture<T> = Pin<Box<dyn Future<Output = (Result<T, Error>, Report)> + Send>>;

/// What [`Call::response`] returns.
pub type ReplyFuture<T> = Pin<Box<dyn Future<Output = Result<Reply<T>, Error>> + Send>>;

/// A value with what came round it.
///
/// From [`Call::response`].
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The decoded value.
    pub value: T,
    /// The HTTP status; 503 for the call's own default.
    pub status: StatusCode,
    /// The headers: rate limits, deprecations, links.
    pub headers: HeaderMap,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// How many attempts it took.
    pub attempts: u32,
    /// Whether it is the provider's answer of today.
    pub source: Source,
}

impl<T> Reply<T> {
    /// Says the provider that this operation is going away?
    pub fn deprecation(&self) -> Option<Deprecation> {
        Deprecation::of(&self.headers)
    }
}
