//! The layer: looks up, asks, and settles what the answer means for the entry.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use http::StatusCode;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::key::is_cacheable;
use super::store::{Change, Store, Working, apply, look_up};
use super::{CacheEntry, CacheKey, CacheStore, MemoryCache};
use crate::api::Verdict;
use crate::error::Error;
use crate::event::{CacheEvent, Event};
use crate::request::Request;
use crate::response::{Response, Source};

/// Puts [`Cache`] round a service: between [`Deadline`](crate::deadline::Deadline) and [`Retry`](crate::retry::Retry).
///
/// The [module](super) has its defaults and an example.
#[derive(Clone, Debug)]
pub struct CacheLayer(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    account: String,
    store: Store,
    max_entry_bytes: usize,
}

impl CacheLayer {
    /// Keeps answers in memory. `account` is a fingerprint of host and credential: whoever shares it shares answers.
    pub fn new(account: impl Into<String>, memory: MemoryCache) -> Self {
        Self::over(account.into(), Store::Memory(memory))
    }

    /// Keeps answers in a store of the host's.
    pub fn with_store(account: impl Into<String>, store: Arc<dyn CacheStore>) -> Self {
        Self::over(account.into(), Store::Other(store))
    }

    fn over(account: String, store: Store) -> Self {
        Self(Arc::new(Shared { account, store, max_entry_bytes: 1024 * 1024 }))
    }

    /// Sets how big an answer may be to be kept, headers included.
    #[must_use]
    pub fn with_max_entry_bytes(self, bytes: usize) -> Self {
        let shared = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Shared { max_entry_bytes: bytes, ..shared }))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("store", &self.store)
            .field("max_entry_bytes", &self.max_entry_bytes)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CacheLayer {
    type Service = Cache<S>;

    fn layer(&self, inner: S) -> Cache<S> {
        Cache { inner, shared: Arc::clone(&self.0) }
    }
}

/// Asks whether a kept answer is still good, instead of asking for all of it.
///
/// See the [module](super) for what is kept.
#[derive(Clone, Debug)]
pub struct Cache<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request> for Cache<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone,
{
    type Response = Response;
    type Error = Error;
    type Future = CacheFuture<S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !is_cacheable(&request) {
            return CacheFuture { state: State::Passing { inner: self.inner.call(request) } };
        }
        let key = CacheKey::new(&self.shared.account, &request);
        let shared = Arc::clone(&self.shared);
        let state = match &self.shared.store {
            Store::Memory(memory) => {
                let (request, question) = Question::new(shared, key, request, memory.get(&key));
                State::Asking { inner: self.inner.call(request), question: Box::new(question) }
            }
            Store::Other(store) => {
                let spare = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, spare);
                let pending = Some((shared, request));
                State::Looking { looking: look_up(store, key), found: None, service, key, pending }
            }
        };
        CacheFuture { state }
    }
}

/// A request on its way, and what was kept for it.
struct Question {
    shared: Arc<Shared>,
    key: CacheKey,
    /// A copy, for its headers and its context.
    request: Option<Request>,
    entry: Option<Arc<CacheEntry>>,
}

impl Question {
    /// The request with the conditions that the entry allows.
    fn new(
        shared: Arc<Shared>,
        key: CacheKey,
        mut request: Request,
        entry: Option<Arc<CacheEntry>>,
    ) -> (Request, Self) {
        let entry = entry.filter(|entry| entry.fits(&request));
        let copy = request.replay();
        match &entry {
            Some(entry) => entry.add_conditions(&mut request),
            None => request.context().note(|| Event::Cache(CacheEvent::Missed)),
        }
        (request, Self { shared, key, request: copy, entry })
    }

    fn note(&self, event: Event) {
        if let Some(request) = &self.request {
            request.context().note(|| event);
        }
    }

    /// What the caller gets, and what becomes of the entry.
    fn settle(&self, result: Result<Response, Error>) -> (Result<Response, Error>, Option<Change>) {
        let response = match result {
            Err(error) if error.kind().is_outage() => return (self.stale().ok_or(error), None),
            Err(error) => return (Err(error), None),
            Ok(response) => response,
        };
        match (response.verdict(), &self.entry) {
            (Some(Verdict::Transient { .. } | Verdict::RateLimited { .. }), _) => {
                (Ok(self.stale().unwrap_or(response)), None)
            }
            // A 304 that was not asked for is passed on: there is nothing to give in its place.
            (_, Some(entry)) if response.status() == StatusCode::NOT_MODIFIED => {
                self.note(Event::Cache(CacheEvent::Revalidated));
                let entry = Arc::new(entry.updated(response.headers()));
                let answer = entry.answer(Source::Revalidated);
                let may_stay = entry.may_stay(self.shared.max_entry_bytes);
                (Ok(answer), Some(if may_stay { Change::Put(entry) } else { Change::Remove }))
            }
            // It is gone, or no longer for these eyes: not even as a stale answer.
            (Some(Verdict::Refused), Some(_)) => (Ok(response), Some(Change::Remove)),
            (Some(Verdict::Success), had) => {
                let limit = self.shared.max_entry_bytes;
                let entry =
                    self.request.as_ref().and_then(|request| CacheEntry::of(request, &response, limit));
                let change = match entry {
                    Some(entry) => {
                        self.note(Event::Cache(CacheEvent::Stored));
                        Some(Change::Put(Arc::new(entry)))
                    }
                    None => had.is_some().then_some(Change::Remove),
                };
                (Ok(response), change)
            }
            _ => (Ok(response), None),
        }
    }

    /// The old answer, where the call takes one.
    fn stale(&self) -> Option<Response> {
        let request = self.request.as_ref().filter(|request| request.context().takes_stale())?;
        let entry = self.entry.as_ref()?;
        self.note(Event::Cache(CacheEvent::Stale));
        self.note(Event::FellBack { to: "stale" });
        tracing::warn!(operation = %request.operation().name, "no answer: an old one is taken from the cache");
        Some(entry.answer(Source::Stale))
    }

    /// The old answer at the very end of the operation's time. [`Deadline`](crate::deadline::Deadline) wakes us then,
    /// and gives us this last word.
    fn last_word(&self) -> Option<Response> {
        let context = self.request.as_ref()?.context();
        let is_over = context.takes_stale()
            && self.entry.is_some()
            && context.deadline().is_some_and(|deadline| deadline <= Instant::now());
        if is_over { self.stale() } else { None }
    }
}

pin_project! {
    /// The future of [`Cache`].
    pub struct CacheFuture<S: Service<Request>> {
        #[pin]
        state: State<S, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        /// Nothing for the cache.
        Passing { #[pin] inner: F },
        /// The store is asked for an entry.
        Looking {
            looking: Working<Option<Arc<CacheEntry>>>,
            found: Option<Option<Arc<CacheEntry>>>,
            service: S,
            key: CacheKey,
            pending: Option<(Arc<Shared>, Request)>,
        },
        /// The provider is asked.
        // Boxed: clients without a cache carry this future too.
        Asking { #[pin] inner: F, question: Box<Question> },
        /// The store is told.
        Keeping { keeping: Working<()>, result: Option<Result<Response, Error>> },
    }
}

impl<S> Future for CacheFuture<S>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Passing { inner } => return inner.poll(cx),
                StateProjection::Looking { looking, found, service, key, pending } => {
                    if found.is_none() {
                        *found = Some(ready!(looking.as_mut().poll(cx)));
                    }
                    ready!(service.poll_ready(cx))?; // nothing in this family waits in poll_ready
                    let Some((shared, request)) = pending.take() else { return Poll::Pending };
                    let (request, question) = Question::new(shared, *key, request, found.take().flatten());
                    State::Asking { inner: service.call(request), question: Box::new(question) }
                }
                StateProjection::Asking { inner, question } => {
                    let Poll::Ready(result) = inner.poll(cx) else {
                        return question.last_word().map_or(Poll::Pending, |stale| Poll::Ready(Ok(stale)));
                    };
                    let (result, change) = question.settle(result);
                    let Some(change) = change else { return Poll::Ready(result) };
                    match (&question.shared.store, change) {
                        (Store::Memory(memory), Change::Put(entry)) => {
                            memory.put(question.key, entry);
                            return Poll::Ready(result);
                        }
                        (Store::Memory(memory), Change::Remove) => {
                            memory.remove(&question.key);
                            return Poll::Ready(result);
                        }
                        (Store::Other(store), change) => State::Keeping {
                            keeping: apply(store, question.key, change),
                            result: Some(result),
                        },
                    }
                }
                StateProjection::Keeping { keeping, result } => {
                    ready!(keeping.as_mut().poll(cx));
                    return result.take().map_or(Poll::Pending, Poll::Ready);
                }
            };
            this.state.set(next);
        }
    }
}

impl<S: Service<Request>> fmt::Debug for CacheFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheFuture").finish_non_exhaustive()
    }
}
