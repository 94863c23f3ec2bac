//! The stream of pages, and the loop that fetches them.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use connect_model::drift;
use futures_core::Stream;

use super::next::{entries, follow, next, sized};
use super::{Cursor, Page};
use crate::api::Api;
use crate::client::{Client, conclude};
use crate::context::{Context, Priority};
use crate::decode::Decoding;
use crate::endpoint::Paged;
use crate::error::{Error, ErrorKind, Sent};
use crate::event::Event;
use crate::operation::Paging;
use crate::request::Request;

/// A page, and what follows it.
struct Fetched<T> {
    page: Page<T>,
    /// The request of the next page, ready to be sent; or why there is none although the list goes on. The page itself
    /// is good either way, and is yielded first.
    next: Result<Option<Request>, Error>,
}

type Fetching<T> = Pin<Box<dyn Future<Output = Result<Fetched<T>, Error>> + Send>>;

enum State<T> {
    Start,
    Fetching(Fetching<T>),
    HasMore(Box<Request>),
    Broken(Error),
    Done,
}

/// The pages of a list.
///
/// From [`Client::pages`]. Each page is an operation of its own, with its own deadline and attempts.
///
/// ```no_run
/// # use connect_core::{Client, Cursor, Error, Paged};
/// # use std::future::poll_fn;
/// # use std::pin::Pin;
/// # use futures_core::Stream;
/// # fn load() -> Option<Cursor> { None }
/// # fn store(_: Option<&Cursor>) {}
/// # async fn example<E: Paged>(client: Client<E::Api>, endpoint: E) -> Result<(), Error> {
/// let mut pages = client.pages(endpoint).prefetch(1).limit(1_000);
/// if let Some(cursor) = load() {
///     pages = pages.resume_from(cursor); // where the last run stopped
/// }
/// # let mut next = async || poll_fn(|cx| Pin::new(&mut pages).poll_next(cx)).await;
/// while let Some(page) = next().await { // `pages.next()` with futures' `StreamExt`
///     let page = page?;
///     store(page.next());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Pages<E: Paged> {
    client: Client<E::Api>,
    endpoint: Arc<E>,
    context: Context,
    /// Of the page that is fetched first, then of the one that is fetched next.
    cursor: Option<Cursor>,
    page_size: Option<u32>,
    prefetch: usize,
    strict: bool,
    /// How many more pages may be fetched.
    left: u64,
    seen: HashSet<Cursor>,
    state: State<E::Item>,
    ready: VecDeque<Result<Page<E::Item>, Error>>,
}

impl<E: Paged> Pages<E> {
    pub(crate) fn new(client: Client<E::Api>, endpoint: E) -> Self {
        Self {
            client,
            endpoint: Arc::new(endpoint),
            context: Context::default(),
            cursor: None,
            page_size: None,
            prefetch: 0,
            strict: false,
            left: u64::MAX,
            seen: HashSet::new(),
            state: State::Start,
            ready: VecDeque::new(),
        }
    }

    /// Changes the endpoint: for streams whose endpoint somebody else has made. The stream begins at its first page again.
    pub fn with(mut self, change: impl FnOnce(E) -> E) -> Self
    where
        E: Clone,
    {
        self.endpoint = Arc::new(change(Arc::unwrap_or_clone(self.endpoint)));
        self.cursor = None;
        self.seen.clear();
        self.state = State::Start;
        self.ready.clear();
        self
    }

    /// Ends the stream after this many pages. [`Page::next`] of the last one says where to go on.
    pub fn limit(mut self, pages: u64) -> Self {
        self.left = pages;
        self
    }

    /// Tenant, deadline and priority of the caller; the deadline is for all pages together.
    pub fn context(mut self, context: &Context) -> Self {
        self.context = context.clone();
        self
    }

    /// Begins at a stored cursor of the same list instead of at its first page.
    pub fn resume_from(mut self, cursor: Cursor) -> Self {
        self.seen.insert(cursor.clone());
        self.cursor = Some(cursor);
        self.state = State::Start;
        self.ready.clear();
        self
    }

    /// Fetches up to this many pages before they are asked for. Default 0.
    ///
    /// No task is spawned: the stream itself does it whenever it is polled, and dropping it stops it. Pages that nobody
    /// waits for are fetched as [`Priority::Background`], so that they take no quota from calls somebody waits for.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// An item that cannot be decoded, or that lacks what the provider's description promises, fails its page and ends the
    /// stream.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Asks for this many items per page, where the operation's [`Paging::Offset`](crate::Paging::Offset) row names the
    /// parameter; for other lists the stream is one [`ErrorKind::Unsupported`]. The provider may send fewer.
    pub fn page_size(mut self, items: u32) -> Self {
        self.page_size = Some(items);
        self
    }

    fn first(&self) -> Result<Request, Error> {
        let paging = self.endpoint.operation().paging;
        if paging == Paging::None {
            // Before it is sent: it may be a write.
            return Err(Error::new(ErrorKind::Unsupported, "the operation's row says it is not a list"));
        }
        let mut request = self.client.place(self.endpoint.request()?, self.context.for_next_operation())?;
        if let Some(items) = self.page_size {
            request = sized(&request, paging, items)?;
        }
        match &self.cursor {
            // Placed once more: a stored URL is no more trusted than one that the provider has just sent.
            Some(cursor) => {
                self.client.place(follow(&request, paging, cursor)?, self.context.for_next_operation())
            }
            None => Ok(request),
        }
    }

    fn fetch(&self, request: Request) -> Fetching<E::Item> {
        let client = self.client.clone();
        let endpoint = Arc::clone(&self.endpoint);
        let context = self.context.clone();
        let strict = self.strict;
        let own_cursor = self.cursor.clone();
        Box::pin(async move {
            let paging = endpoint.operation().paging;
            let tag = |error: Error| error.with_operation(E::Api::ID, endpoint.operation().name.clone());
            let Some(spare) = request.replay() else {
                return Err(tag(Error::new(
                    ErrorKind::Unsupported,
                    "a list needs a request that can be sent again",
                )));
            };
            let progress = Arc::clone(request.context().progress());
            let response = client.execute(request).await?;
            let status = Some(response.status());
            let (read, drift) = drift::watch(|| entries(&response, paging));
            let mut decoding = Decoding { strict, ..Decoding::default() };
            let read = read.and_then(|entries| decoding.noticed(drift).map(|()| entries));
            for path in decoding.drift {
                progress.note(|| Event::Drift { path });
            }
            let beside = endpoint.beside(&response);
            let read = match read {
                Ok(mut entries) => {
                    entries.extend(beside.into_iter().map(Err));
                    Ok(entries)
                }
                // It says better why there is no list.
                Err(error) => Err(beside.into_iter().next().unwrap_or(error)),
            };
            let read = read.map_err(tag).and_then(|entries| {
                let tagged = entries.into_iter().map(|entry: Result<E::Item, Error>| entry.map_err(tag));
                if strict {
                    tagged.map(|entry| entry.map(Ok)).collect()
                } else {
                    Ok(tagged.collect::<Vec<_>>())
                }
            });
            conclude(&progress, status, read.as_ref().err());
            let entries = read?;
            let (cursor, next) = match next(&response, paging, &spare, entries.len()) {
                Ok(Some(cursor)) => {
                    let next = follow(&spare, paging, &cursor)
                        .and_then(|request| client.place(request, context.for_next_operation()));
                    (Some(cursor), next.map(Some).map_err(tag))
                }
                Ok(None) => (None, Ok(None)),
                Err(error) => (None, Err(tag(error))),
            };
            Ok(Fetched { page: Page { entries, cursor: own_cursor, next: cursor }, next })
        })
    }

    /// Fetches until this many pages are ready, the list is over, or the provider takes its time.
    pub(super) fn fill(&mut self, cx: &mut TaskContext<'_>, wanted: usize, is_awaited: bool) {
        while self.ready.len() < wanted {
            let next = match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return,
                _ if self.left == 0 => return,
                State::Start => self.first().map_err(|error| self.tag(error)),
                State::HasMore(request) => Ok(*request),
                State::Broken(error) => Err(error),
                State::Fetching(mut fetching) => match fetching.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Fetching(fetching);
                        return;
                    }
                    Poll::Ready(Ok(fetched)) => {
                        self.accept(fetched);
                        continue;
                    }
                    Poll::Ready(Err(error)) => Err(error),
                },
            };
            match next {
                Ok(mut request) => {
                    if !is_awaited || !self.ready.is_empty() {
                        request.context_mut().set_priority(Priority::Background);
                    }
                    self.state = State::Fetching(self.fetch(request));
                }
                Err(error) => self.ready.push_back(Err(error)),
            }
        }
    }

    fn accept(&mut self, fetched: Fetched<E::Item>) {
        let Fetched { page, next } = fetched;
        let repeats = page.next().is_some_and(|cursor| !self.seen.insert(cursor.clone()));
        self.left = self.left.saturating_sub(1);
        self.cursor = page.next().cloned();
        self.state = match next {
            _ if repeats => State::Broken(
                self.tag(
                    Error::new(
                        ErrorKind::Provider,
                        "the provider named the same next page twice: the list would never end",
                    )
                    .with_sent(Sent::Yes),
                ),
            ),
            Ok(Some(request)) => State::HasMore(Box::new(request)),
            Ok(None) => State::Done,
            Err(error) => State::Broken(error),
        };
        self.ready.push_back(Ok(page));
    }

    /// Works ahead without anybody waiting.
    pub(super) fn work_ahead(&mut self, cx: &mut TaskContext<'_>) {
        self.fill(cx, self.prefetch, false);
    }

    fn tag(&self, error: Error) -> Error {
        error.with_operation(E::Api::ID, self.endpoint.operation().name.clone())
    }
}

impl<E: Paged> Stream for Pages<E> {
    type Item = Result<Page<E::Item>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.fill(cx, this.prefetch.saturating_add(1), true);
        match this.ready.pop_front() {
            Some(page) => Poll::Ready(Some(page)),
            None if matches!(this.state, State::Fetching(_)) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

impl<E: Paged> Unpin for Pages<E> {}

impl<E: Paged> fmt::Debug for Pages<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.endpoint.operation().name)
            .field("prefetch", &self.prefetch)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
