//! Lists, page after page, by the operation's [`Paging`] row.
//!
//! Items are decoded one by one from slices of the page, so an odd item is one `Err` in the stream and the rest of its
//! page still arrives. Guards: a cursor that repeats ends the stream with an error instead of looping for ever, a
//! next-page link to a foreign origin is refused before a credential goes there, and [`Pages::limit`] caps the number
//! of pages.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures_core::Stream;
use http::HeaderMap;
use http::header::LINK;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::api::Api;
use crate::client::Client;
use crate::context::Context;
use crate::decode;
use crate::endpoint::Paged;
use crate::error::{Error, ErrorKind, Sent};
use crate::operation::Paging;
use crate::request::Request;
use crate::response::Response;

/// Where a list goes on: a token or a URL of the provider's making. Opaque; a host may store it.
///
/// A newtype, so that nobody builds one from a page number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// The provider's token or URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of a list.
///
/// From [`Client::pages`].
#[derive(Debug)]
pub struct Page<T> {
    entries: Vec<Result<T, Error>>,
    next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The items; the first one that could not be decoded fails the page.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with the path of what differs.
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

    /// Where the list goes on; `None` on the last page.
    pub fn next(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }
}

/// What follows a page.
struct Fetched<T> {
    page: Page<T>,
    /// The request of the next page, ready to be sent; or why there is none although the list goes on. The page itself
    /// is good either way, and is yielded first.
    next: Result<Option<Request>, Error>,
}

type Fetching<T> = Pin<Box<dyn Future<Output = Result<Fetched<T>, Error>> + Send>>;

/// The pages of a list.
///
/// From [`Client::pages`]. Each page is an operation of its own, with its own deadline and attempts.
#[must_use = "streams do nothing unless polled"]
pub struct Pages<E: Paged> {
    client: Client<E::Api>,
    endpoint: Arc<E>,
    state: State<E::Item>,
    seen: HashSet<Cursor>,
    left: u64,
    context: Context,
}

enum State<T> {
    Start,
    Fetching(Fetching<T>),
    HasMore(Box<Request>),
    Broken(Error),
    Done,
}

impl<E: Paged> Pages<E> {
    pub(crate) fn new(client: Client<E::Api>, endpoint: E) -> Self {
        Self {
            client,
            endpoint: Arc::new(endpoint),
            state: State::Start,
            seen: HashSet::new(),
            left: u64::MAX,
            context: Context::default(),
        }
    }

    /// Ends the stream after this many pages.
    pub fn limit(mut self, pages: u64) -> Self {
        self.left = pages;
        self
    }

    /// Tenant and deadline of the caller; the deadline is for all pages together.
    pub fn context(mut self, context: &Context) -> Self {
        self.context = context.clone();
        self
    }

    fn first(&self) -> Result<Request, Error> {
        let request = self.endpoint.request().map_err(|error| self.tag(error))?;
        self.client.place(request, self.context.for_next_operation())
    }

    fn fetch(&self, request: Request) -> Fetching<E::Item> {
        let client = self.client.clone();
        let endpoint = Arc::clone(&self.endpoint);
        let context = self.context.clone();
        Box::pin(async move {
            let paging = endpoint.operation().paging;
            let Some(spare) = request.replay() else {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "a list needs a request that can be sent again",
                ));
            };
            let response = client.execute(request).await?;
            let tag = |error: Error| error.with_operation(E::Api::ID, endpoint.operation().name.clone());
            let entries = entries(&response, paging).map_err(tag)?;
            let cursor = next(&response, paging);
            let next = match &cursor {
                Ok(Some(cursor)) => follow(&spare, paging, cursor).and_then(|request| {
                    request.map(|request| client.place(request, context.for_next_operation())).transpose()
                }),
                Ok(None) => Ok(None),
                Err(_) => Ok(None),
            };
            let (cursor, next) = match cursor {
                Ok(cursor) => (cursor, next.map_err(tag)),
                Err(error) => (None, Err(tag(error))),
            };
            Ok(Fetched { page: Page { entries, next: cursor }, next })
        })
    }

    fn tag(&self, error: Error) -> Error {
        error.with_operation(E::Api::ID, self.endpoint.operation().name.clone())
    }
}

impl<E: Paged> Stream for Pages<E> {
    type Item = Result<Page<E::Item>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.left == 0 {
                return Poll::Ready(None);
            }
            match std::mem::replace(&mut this.state, State::Done) {
                State::Start => match this.first() {
                    Ok(request) => this.state = State::Fetching(this.fetch(request)),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                State::HasMore(request) => this.state = State::Fetching(this.fetch(*request)),
                State::Fetching(mut fetching) => {
                    let Poll::Ready(result) = fetching.as_mut().poll(cx) else {
                        this.state = State::Fetching(fetching);
                        return Poll::Pending;
                    };
                    let Fetched { page, next } = match result {
                        Ok(fetched) => fetched,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    let repeats = page.next().is_some_and(|cursor| !this.seen.insert(cursor.clone()));
                    this.left -= 1;
                    this.state = match next {
                        _ if repeats => State::Broken(
                            this.tag(
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
                    return Poll::Ready(Some(Ok(page)));
                }
                State::Broken(error) => return Poll::Ready(Some(Err(error))),
                State::Done => return Poll::Ready(None),
            }
        }
    }
}

impl<E: Paged> Unpin for Pages<E> {}

impl<E: Paged> fmt::Debug for Pages<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("operation", &self.endpoint.operation().name).finish_non_exhaustive()
    }
}

/// The items of a list, across its pages. The next page is fetched when the last item of this one was taken.
///
/// From [`Client::stream`].
#[must_use = "streams do nothing unless polled"]
pub struct Items<E: Paged> {
    pages: Pages<E>,
    ready: std::vec::IntoIter<Result<E::Item, Error>>,
}

impl<E: Paged> Items<E> {
    pub(crate) fn new(pages: Pages<E>) -> Self {
        Self { pages, ready: Vec::new().into_iter() }
    }

    /// Ends the stream after this many pages.
    pub fn limit_pages(mut self, pages: u64) -> Self {
        self.pages = self.pages.limit(pages);
        self
    }

    /// Tenant and deadline of the caller; the deadline is for all pages together.
    pub fn context(mut self, context: &Context) -> Self {
        self.pages = self.pages.context(context);
        self
    }
}

impl<E: Paged> Stream for Items<E> {
    type Item = Result<E::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.ready.next() {
                return Poll::Ready(Some(entry));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => this.ready = page.into_entries().into_iter(),
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

/// Decodes the items of a page one by one.
fn entries<T: serde::de::DeserializeOwned>(
    response: &Response,
    paging: Paging,
) -> Result<Vec<Result<T, Error>>, Error> {
    let pointer = match paging {
        Paging::Link { items } | Paging::Cursor { items, .. } => items,
        Paging::None => {
            return Err(Error::new(ErrorKind::Unsupported, "the operation's row says it is not a list"));
        }
    };
    // Some lists answer 204 when there is nothing.
    if response.body().is_empty() {
        return Ok(Vec::new());
    }
    let text = decode::text(response.body())?;
    let Some(list) = find(text, pointer)? else {
        // Taken for an empty page, a list under another name would silently lose everything.
        return Err(Error::new(ErrorKind::Decode, format!("the page has no list at `{pointer}`"))
            .with_sent(Sent::Yes));
    };
    let slices: Vec<&RawValue> = borrow(list.get())?;
    Ok(slices.into_iter().map(|slice| decode::json(slice.get().as_bytes())).collect())
}

/// Where the list goes on, as this page says.
fn next(response: &Response, paging: Paging) -> Result<Option<Cursor>, Error> {
    match paging {
        Paging::None => Ok(None),
        Paging::Link { .. } => Ok(next_link(response.headers()).map(|url| Cursor(url.to_owned()))),
        Paging::Cursor { next, last, .. } => {
            if response.body().is_empty() {
                return Ok(None);
            }
            let text = decode::text(response.body())?;
            if let Some(pointer) = last
                && find(text, pointer)?.is_some_and(|flag| flag.get() == "true")
            {
                return Ok(None);
            }
            let Some(raw) = find(text, next)? else { return Ok(None) };
            let cursor: Option<String> = decode::json(raw.get().as_bytes())?;
            Ok(cursor.filter(|cursor| !cursor.is_empty()).map(Cursor))
        }
    }
}

/// The request of the next page.
fn follow(request: &Request, paging: Paging, cursor: &Cursor) -> Result<Option<Request>, Error> {
    match paging {
        Paging::None => Ok(None),
        Paging::Link { .. } => {
            let base = request.url();
            let url = Url::options().base_url(base).parse(cursor.as_str()).map_err(|error| {
                Error::new(ErrorKind::Provider, "the link to the next page is no URL").with_source(error)
            })?;
            Ok(request.at(url))
        }
        Paging::Cursor { param, .. } => request.with_parameter(param, cursor.as_str()),
    }
}

/// The raw text of a value inside a JSON document, found without building the document.
fn find<'a>(text: &'a str, pointer: &str) -> Result<Option<&'a RawValue>, Error> {
    let mut raw: &'a RawValue = borrow(text)?;
    for segment in pointer.split('/').skip(1) {
        if !raw.get().starts_with('{') {
            return Ok(None);
        }
        let object: BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue> = borrow(raw.get())?;
        match object.get(segment) {
            Some(value) => raw = value,
            None => return Ok(None),
        }
    }
    Ok((raw.get() != "null").then_some(raw))
}

fn borrow<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    // serde_json's own words quote the offending value, so they are not kept.
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Decode, "the page is not JSON of the expected shape").with_sent(Sent::Yes)
    })
}

/// The `rel="next"` target of `Link` headers (RFC 8288).
fn next_link(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|text| {
        let mut rest = text;
        loop {
            let (_, after) = rest.split_once('<')?;
            let (target, parameters) = after.split_once('>')?;
            // Parameters end where the next target begins; a comma alone may stand inside a quoted value.
            let own =
                parameters.split(",<").next().and_then(|own| own.split(", <").next()).unwrap_or_default();
            let is_next = own.split(';').any(|parameter| {
                parameter.trim().split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_end_matches(',')
                            .trim_matches('"')
                            .split_ascii_whitespace()
                            .any(|relation| relation.eq_ignore_ascii_case("next"))
                })
            });
            if is_next {
                return Some(target);
            }
            rest = parameters;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, StatusCode};

    fn link(text: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(text).unwrap());
        next_link(&headers).map(str::to_owned)
    }

    #[test]
    fn link_headers_in_the_wild() {
        let cases = [
            (
                r#"<https://a/?page=1>; rel="prev", <https://a/?page=3>; rel="next""#,
                Some("https://a/?page=3"),
            ),
            (
                r#"<https://a/?page=2>; rel="next", <https://a/?page=9>; rel="last""#,
                Some("https://a/?page=2"),
            ),
            (r#"<https://a/?x=1,2&page=2>;rel=next"#, Some("https://a/?x=1,2&page=2")),
            (r#"<https://a/2>; title="a, b"; rel="last next""#, Some("https://a/2")),
            (r#"<https://a/1>; rel="prev""#, None),
            ("", None),
            ("<;rel=next", None),
            ("<https://a", None),
        ];
        for (text, expected) in cases {
            assert_eq!(link(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn values_are_found_by_pointer_without_a_document() {
        let text = r#"{"a": {"b": "x"}, "n": null, "l": [1]}"#;
        assert_eq!(find(text, "/a/b").unwrap().unwrap().get(), "\"x\"");
        assert_eq!(find(text, "").unwrap().unwrap().get(), text);
        for missing in ["/n", "/n/x", "/l/0", "/a/c", "/z"] {
            assert!(find(text, missing).unwrap().is_none(), "{missing}");
        }
        assert!(find("<html>", "/a").is_err());
    }

    #[test]
    fn an_empty_cursor_and_a_last_flag_end_a_list() {
        let paging =
            Paging::Cursor { items: "/issues", next: "/token", param: "token", last: Some("/isLast") };
        let cursor = |body: &'static str| {
            let response = Response::new(StatusCode::OK, HeaderMap::new(), body);
            next(&response, paging).unwrap().map(|cursor| cursor.0)
        };
        assert_eq!(cursor(r#"{"token": "t"}"#).as_deref(), Some("t"));
        assert_eq!(cursor(r#"{"token": "t", "isLast": false}"#).as_deref(), Some("t"));
        assert_eq!(cursor(r#"{"token": "t", "isLast": true}"#), None);
        assert_eq!(cursor(r#"{"token": ""}"#), None);
        assert_eq!(cursor(r#"{"token": null}"#), None);
        assert_eq!(cursor("{}"), None);
        assert_eq!(cursor(""), None);
    }
}
