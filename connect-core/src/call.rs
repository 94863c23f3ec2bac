//! A call that is about to happen: takes options, then is awaited.
//!
//! [`Call`] owns a cheap clone of the client, so it can be stored, moved into a task, or dropped unsent.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::api::Api;
use crate::client::{Client, request_id, request_id_value};
use crate::context::Context;
use crate::deadline::after;
use crate::decode::Decoding;
use crate::endpoint::{As, Endpoint};
use crate::error::{Error, RetryAdvice};
use crate::operation::Safety;
use crate::response::Response;
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
}

#[derive(Debug, Default)]
struct Options {
    context: Option<Context>,
    deadline: Option<Duration>,
    retry: Option<RetryPolicy>,
}

impl<E: Endpoint> Call<E> {
    pub(crate) fn new(client: Client<E::Api>, endpoint: E) -> Self {
        Self { client, endpoint, options: Options::default() }
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

    /// Tenant and deadline of the caller. The earlier deadline wins.
    pub fn context(mut self, context: &Context) -> Self {
        self.options.context = Some(context.for_next_operation());
        self
    }

    /// Decodes the answer into another type: fewer fields, or fields this family does not know.
    pub fn decode_as<T: DeserializeOwned + Send + 'static>(self) -> Call<As<E, T>> {
        Call { client: self.client, endpoint: As::new(self.endpoint), options: self.options }
    }

    /// Yields the headers, the status and the request id beside the value.
    pub fn response(self) -> ReplyFuture<E::Output> {
        Box::pin(async move {
            let keep = |response: &Response| {
                let id = request_id::<E::Api>(response.headers()).map(str::to_owned);
                (response.status(), response.headers().clone(), id)
            };
            let (value, (status, headers, request_id), attempts) = self.run(keep).await?;
            Ok(Reply { value, status, headers, request_id, attempts })
        })
    }

    /// `keep` takes what is wanted beside the value: most calls want nothing, and a copy of the headers is not cheap.
    async fn run<K>(self, keep: impl FnOnce(&Response) -> K) -> Result<(E::Output, K, u32), Error> {
        let Self { client, endpoint, options } = self;
        let operation = endpoint.operation().name.clone();
        let tag = |error: Error| error.with_operation(E::Api::ID, operation.clone());
        let mut context = options.context.unwrap_or_default();
        if let Some(deadline) = options.deadline {
            context.limit_deadline(after(Instant::now(), deadline));
        }
        if let Some(policy) = options.retry {
            context.set_retry(policy);
        }
        let progress = std::sync::Arc::clone(context.progress());
        let request = endpoint.request().map_err(&tag)?;
        let response = client.execute(client.place(request, context)?).await?;
        let (status, kept) = (response.status(), keep(&response));
        // A reference count, not a copy: only an error shows it.
        let id = request_id_value::<E::Api>(response.headers()).cloned();
        let attempts = progress.attempts();
        let value = endpoint.decode(response, &mut Decoding::default()).map_err(|error| {
            let id = id.as_ref().and_then(|id| id.to_str().ok());
            let error = tag(error).with_status(status).with_request_id(id).with_attempts(attempts);
            match endpoint.operation().safety {
                // The provider did it; only its answer cannot be read. Taken for a plain failure, it would be done twice.
                Safety::Unsafe | Safety::Keyed => error.with_retry(RetryAdvice::CheckFirst),
                Safety::Safe | Safety::Idempotent => error,
            }
        })?;
        Ok((value, kept, attempts))
    }
}

impl<E: Endpoint> IntoFuture for Call<E> {
    type Output = Result<E::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.run(|_| ()).await.map(|(value, (), _)| value) })
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
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers: rate limits, deprecations, links.
    pub headers: HeaderMap,
    /// The provider's id of the request.
    pub request_id: Option<String>,
    /// How many attempts it took.
    pub attempts: u32,
}
