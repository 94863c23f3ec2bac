//! The stream of items.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use futures_core::Stream;

use super::{Cursor, Pages};
use crate::context::Context;
use crate::endpoint::Paged;
use crate::error::Error;

/// The items of a list, across its pages. The next page is fetched when the last item of this one was taken, or
/// [earlier](Items::prefetch).
///
/// From [`Client::stream`](crate::Client::stream).
#[must_use = "streams do nothing unless polled"]
pub struct Items<E: Paged> {
    pages: Pages<E>,
    /// Of the page whose items are being taken.
    cursor: Option<Cursor>,
    ready: std::vec::IntoIter<Result<E::Item, Error>>,
}

impl<E: Paged> Items<E> {
    pub(crate) fn new(pages: Pages<E>) -> Self {
        Self { pages, cursor: None, ready: Vec::new().into_iter() }
    }

    /// Changes the endpoint: for streams whose endpoint somebody else has made. The stream begins at its first page again.
    pub fn with(mut self, change: impl FnOnce(E) -> E) -> Self
    where
        E: Clone,
    {
        self.pages = self.pages.with(change);
        self.cursor = None;
        self.ready = Vec::new().into_iter();
        self
    }

    /// Ends the stream after this many pages.
    pub fn limit_pages(mut self, pages: u64) -> Self {
        self.pages = self.pages.limit(pages);
        self
    }

    /// Tenant, deadline and priority of the caller; the deadline is for all pages together.
    pub fn context(mut self, context: &Context) -> Self {
        self.pages = self.pages.context(context);
        self
    }

    /// Begins at a stored cursor of the same list instead of at its first page.
    pub fn resume_from(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor.clone());
        self.pages = self.pages.resume_from(cursor);
        self.ready = Vec::new().into_iter();
        self
    }

    /// Fetches up to this many pages before they are asked for; see [`Pages::prefetch`].
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// An item that cannot be decoded, or that lacks what the provider's description promises, fails its page and ends the
    /// stream.
    pub fn strict(mut self) -> Self {
        self.pages = self.pages.strict();
        self
    }

    /// Asks for this many items per page; see [`Pages::page_size`].
    pub fn page_size(mut self, items: u32) -> Self {
        self.pages = self.pages.page_size(items);
        self
    }

    /// The page whose items are being taken; `None` is the first one. [Resuming](Items::resume_from) there repeats the
    /// items of this page and misses none.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }
}

impl<E: Paged> Stream for Items<E> {
    type Item = Result<E::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.ready.next() {
                this.pages.work_ahead(cx);
                return Poll::Ready(Some(entry));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => {
                    this.cursor.clone_from(&page.cursor);
                    this.ready = page.into_entries().into_iter();
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<E: Paged> Unpin for Items<E> {}

impl<E: Paged> fmt::Debug for Items<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).field("ready", &self.ready.len()).finish()
    }
}
