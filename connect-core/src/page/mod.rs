//! Lists, page after page, by the operation's [`Paging`](crate::Paging) row.
//!
//! [`Pages`] and [`Items`] are streams. Nothing is fetched before they are polled, and nothing ahead of its time unless
//! [`Pages::prefetch`] says so; dropping the stream drops what is under way. Each page is an operation of its own, with
//! its own attempts.
//!
//! Items are decoded one by one from slices of the page, so an odd item is one `Err` in the stream and the rest of its
//! page still arrives ([`Pages::strict`] fails the page instead). Guards: a cursor that repeats ends the stream with an
//! error instead of looping for ever, a next page on a foreign origin is refused before a credential goes there, and
//! [`Pages::limit`] caps the number of pages.

use serde::{Deserialize, Serialize};

use crate::error::Error;

mod connection;
mod items;
pub(crate) mod link;
mod next;
mod pages;
mod pointer;

pub use items::Items;
pub use pages::Pages;

/// Where a list goes on: a token, a URL or an offset of the provider's making. Opaque; a host may store it and
/// [go on from there](Pages::resume_from) another day.
///
/// A newtype, so that nobody builds one from a page number.
///
/// ```
/// use connect_core::Cursor;
/// let stored = r#""dXNlcjpVMDYxTkZUVDI=""#;
/// let cursor: Cursor = serde_json::from_str(stored)?;
/// assert_eq!(serde_json::to_string(&cursor)?, stored);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// The provider's token or URL, or the offset in digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of a list.
///
/// From [`Client::pages`](crate::Client::pages).
#[derive(Debug)]
pub struct Page<T> {
    entries: Vec<Result<T, Error>>,
    /// Its own; `None` is the first page.
    cursor: Option<Cursor>,
    next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The items; the first one that could not be decoded fails the page.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) with the path of what differs.
    pub fn into_items(self) -> Result<Vec<T>, Error> {
        self.entries.into_iter().collect()
    }

    /// The items one by one, odd ones as errors.
    pub fn into_entries(self) -> Vec<Result<T, Error>> {
        self.entries
    }

    /// How many items, odd ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Providers send empty pages while there is more to come: look at [`Page::next`], not at this.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the list goes on; `None` on the last page. Store it once this page is dealt with.
    pub fn next(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }
}
