//! A list ends, and does not lead away.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::timeout;

use super::credentials::{abroad, foreign, in_the_clear, lookalike};
use super::probe::Probe;
use super::{List, Subject, Violation};
use crate::error::Error;

/// A list that asks for more pages than this after the first repetition does not look.
const MOST_PAGES: usize = 20;

/// A list whose pages all name the same next page ends with an error.
///
/// # Errors
/// A sentence that says what the client did instead.
pub async fn repeated_cursors_end<C: Send + Sync + 'static>(subject: &Subject<C>) -> Result<(), Violation> {
    let Some(list) = &subject.list else { return Ok(()) };
    let failed = read(subject, list, |home| format!("{home}{}page=2", separator(home))).await?.1;
    if failed {
        Ok(())
    } else {
        Err(Violation::new("a list that goes round in circles ended without an error"))
    }
}

/// A next page on a foreign host, on a host that only looks like the provider's, or in plain `http` gets no credential.
///
/// # Errors
/// A sentence that says where it went.
pub async fn foreign_pages_get_no_credential<C: Send + Sync + 'static>(
    subject: &Subject<C>,
) -> Result<(), Violation> {
    let Some(list) = &subject.list else { return Ok(()) };
    for to in [foreign, lookalike, in_the_clear] {
        let (probe, _) = read(subject, list, to).await?;
        abroad(subject, "the link to a next page", &probe)?;
    }
    Ok(())
}

/// Reads a list to its end. Says whether that was an error.
async fn read<C: Send + Sync + 'static>(
    subject: &Subject<C>,
    list: &List<C>,
    next: impl Fn(&str) -> String,
) -> Result<(Probe, bool), Violation> {
    // A rule must be `'static`, and the subject's page is not: so the page is made beforehand, from the address that a
    // first look gives.
    let look = Probe::first_then(subject.success.clone(), subject.success.clone());
    let mut items = (list.read)(&look.client(subject));
    let _ = timeout(subject.deadline, one(&mut items)).await;
    let Some(home) = look.contacts().first().map(|contact| contact.seen.url.clone()) else {
        return Err(Violation::new("a list sent nothing at all"));
    };
    let page = (list.page)(&next(&home));
    let probe = Probe::new(move |_, _| page.clone());
    let mut items = (list.read)(&probe.client(subject));
    let mut failed = false;
    loop {
        // As many deadlines as there are pages at most: each page is an operation of its own.
        match timeout(subject.deadline.saturating_add(Duration::from_secs(1)), one(&mut items)).await {
            Ok(Some(item)) => failed = item.is_err(),
            Ok(None) => return Ok((probe, failed)),
            Err(_) => return Err(Violation::new("a page of a list did not end by its deadline")),
        }
        let pages = probe.contacts().len();
        if pages > MOST_PAGES {
            return Err(Violation::new(format!("a list asked {pages} times for the same page and went on")));
        }
    }
}

fn separator(url: &str) -> char {
    if url.contains('?') { '&' } else { '?' }
}

fn one<S: Stream + Unpin>(stream: &mut S) -> impl Future<Output = Option<S::Item>> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx))
}

/// Forgets the type of the items.
pub(super) struct Erased<S>(Pin<Box<S>>);

impl<S> Erased<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Box::pin(stream))
    }
}

impl<S, T> Stream for Erased<S>
where
    S: Stream<Item = Result<T, Error>>,
{
    type Item = Result<(), Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.0.as_mut().poll_next(cx));
        Poll::Ready(item.map(|result| result.map(drop)))
    }
}
