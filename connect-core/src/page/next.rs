//! What a page holds and where its list goes on: pure functions over an answer and the operation's row.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use super::Cursor;
use super::pointer::{borrow, find};
use super::{connection, link};
use crate::decode;
use crate::error::{Error, ErrorKind, Sent};
use crate::operation::Paging;
use crate::request::Request;
use crate::response::Response;

/// Decodes the items of a page one by one.
pub(super) fn entries<T: DeserializeOwned>(
    response: &Response,
    paging: Paging,
) -> Result<Vec<Result<T, Error>>, Error> {
    let pointer = match paging {
        Paging::Link { items }
        | Paging::Cursor { items, .. }
        | Paging::Offset { items, .. }
        | Paging::Number { items, .. }
        | Paging::NextUrl { items, .. } => items,
        Paging::Connection { at, .. } => return connection::entries(decode::text(response.body())?, at),
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

/// Where the list goes on, as this page says. `request` asked for it, `received` items came.
pub(super) fn next(
    response: &Response,
    paging: Paging,
    request: &Request,
    received: usize,
) -> Result<Option<Cursor>, Error> {
    if let Paging::Link { .. } = paging {
        return Ok(link::target(response.headers(), "next").map(|url| Cursor(url.to_owned())));
    }
    if response.body().is_empty() {
        return Ok(None);
    }
    let text = decode::text(response.body())?;
    match paging {
        Paging::None | Paging::Link { .. } => Ok(None),
        Paging::Cursor { next, last, .. } => {
            if says_last(text, last)? {
                return Ok(None);
            }
            named(text, next)
        }
        Paging::NextUrl { next, .. } => named(text, next),
        Paging::Connection { at, variable } => connection::next(text, at, request.variable(variable)),
        Paging::Number { page, pages, .. } => {
            let (Some(page), Some(pages)) = (count(text, page)?, count(text, pages)?) else {
                if received == 0 {
                    return Ok(None);
                }
                // Taken for the last page, the rest of the list would be lost without a word.
                let message = "the page says neither its number nor how many there are";
                return Err(Error::new(ErrorKind::Provider, message).with_sent(Sent::Yes));
            };
            Ok((page < pages).then(|| Cursor(page.saturating_add(1).to_string())))
        }
        Paging::Offset { offset_param, total, last, .. } => {
            if received == 0 || says_last(text, last)? {
                return Ok(None);
            }
            let here = request.parameter(offset_param).and_then(|text| text.parse().ok()).unwrap_or(0_u64);
            let next = here.saturating_add(u64::try_from(received).unwrap_or(u64::MAX));
            let is_end = match total {
                Some(pointer) => number(text, pointer)?.is_some_and(|total| next >= total),
                None => false,
            };
            Ok((!is_end).then(|| Cursor(next.to_string())))
        }
    }
}

/// The request of the page at a cursor, made from the request of another page.
pub(super) fn follow(request: &Request, paging: Paging, cursor: &Cursor) -> Result<Request, Error> {
    let next = match paging {
        Paging::None => None,
        Paging::Link { .. } | Paging::NextUrl { .. } => {
            let url = Url::options().base_url(request.url()).parse(cursor.as_str()).map_err(|error| {
                Error::new(ErrorKind::Provider, "the link to the next page is no URL").with_source(error)
            })?;
            request.at(url)
        }
        Paging::Cursor { param, .. } => request.with_parameter(param, cursor.as_str())?,
        Paging::Connection { variable, .. } => request.with_variable(variable, cursor.as_str())?,
        Paging::Number { param, .. } => {
            let page: u64 = cursor.as_str().parse().map_err(|_| {
                Error::new(
                    ErrorKind::Invalid,
                    "the cursor is no number of a page: it belongs to another list",
                )
            })?;
            request.with_parameter(param, page)?
        }
        Paging::Offset { offset_param, .. } => {
            let offset: u64 = cursor.as_str().parse().map_err(|_| {
                Error::new(ErrorKind::Invalid, "the cursor is no offset: it belongs to another list")
            })?;
            request.with_parameter(offset_param, offset)?
        }
    };
    next.ok_or_else(|| Error::new(ErrorKind::Unsupported, "a list needs a request that can be sent again"))
}

/// The same request with another number of items per page.
pub(super) fn sized(request: &Request, paging: Paging, items: u32) -> Result<Request, Error> {
    let Paging::Offset { limit_param, .. } = paging else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the operation's row names no parameter for the page size: set it on the endpoint",
        ));
    };
    request
        .with_parameter(limit_param, items)?
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "a list needs a request that can be sent again"))
}

fn says_last(text: &str, pointer: Option<&'static str>) -> Result<bool, Error> {
    let Some(pointer) = pointer else { return Ok(false) };
    Ok(find(text, pointer)?.is_some_and(|flag| flag.get() == "true"))
}

/// The token or URL at a pointer; absent, `null` or empty is the end.
fn named(text: &str, pointer: &str) -> Result<Option<Cursor>, Error> {
    let Some(raw) = find(text, pointer)? else { return Ok(None) };
    let cursor: Option<String> = decode::json(raw.get().as_bytes())?;
    Ok(cursor.filter(|cursor| !cursor.is_empty()).map(Cursor))
}

/// The count at a pointer. What is no count (-1 for "unknown") says nothing.
fn number(text: &str, pointer: &str) -> Result<Option<u64>, Error> {
    Ok(find(text, pointer)?.and_then(|raw| raw.get().parse().ok()))
}

/// The count at a pointer, as a number or as text.
fn count(text: &str, pointer: &str) -> Result<Option<u64>, Error> {
    Ok(find(text, pointer)?.and_then(|raw| raw.get().trim_matches('"').parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Operation, Safety};
    use http::{HeaderMap, Method, StatusCode};

    const ROW: Operation = Operation::new("list", Method::GET, "/list", Safety::Safe);
    const OFFSET: Paging = Paging::Offset {
        items: "/values",
        offset_param: "startAt",
        limit_param: "maxResults",
        total: Some("/total"),
        last: Some("/isLast"),
    };

    fn cursor(body: &'static str, paging: Paging, start: Option<u64>, received: usize) -> Option<String> {
        let response = Response::new(StatusCode::OK, HeaderMap::new(), body);
        let request = Request::builder(&ROW).query("startAt", start).build().unwrap();
        next(&response, paging, &request, received).unwrap().map(|cursor| cursor.0)
    }

    #[test]
    fn an_empty_cursor_and_a_last_flag_end_a_list() {
        let paging =
            Paging::Cursor { items: "/issues", next: "/token", param: "token", last: Some("/isLast") };
        let cursor = |body| cursor(body, paging, None, 1);
        assert_eq!(cursor(r#"{"token": "t"}"#).as_deref(), Some("t"));
        assert_eq!(cursor(r#"{"token": "t", "isLast": false}"#).as_deref(), Some("t"));
        assert_eq!(cursor(r#"{"token": "t", "isLast": true}"#), None);
        assert_eq!(cursor(r#"{"token": ""}"#), None);
        assert_eq!(cursor(r#"{"token": null}"#), None);
        assert_eq!(cursor("{}"), None);
        assert_eq!(cursor(""), None);
    }

    #[test]
    fn an_offset_grows_by_what_was_received_until_the_total_the_flag_or_an_empty_page() {
        let cases = [
            (r#"{"total": 5}"#, None, 2, Some("2")),
            (r#"{"total": 5}"#, Some(2), 2, Some("4")),
            (r#"{"total": 5}"#, Some(4), 1, None),
            (r#"{"total": 5}"#, Some(2), 0, None),
            (r#"{"total": 5, "isLast": true}"#, None, 2, None),
            (r#"{"total": 5, "isLast": false}"#, None, 2, Some("2")),
            (r#"{"total": -1}"#, None, 2, Some("2")),
            (r#"{"total": "many"}"#, None, 2, Some("2")),
            (r#"{}"#, None, 2, Some("2")),
            (r#"{}"#, Some(u64::MAX), 2, Some("18446744073709551615")),
            ("", None, 0, None),
        ];
        for (body, start, received, expected) in cases {
            assert_eq!(cursor(body, OFFSET, start, received).as_deref(), expected, "{body} at {start:?}");
        }
    }

    #[test]
    fn numbered_pages_end_at_the_last_one() {
        let paging =
            Paging::Number { items: "/files", param: "page", page: "/paging/page", pages: "/paging/pages" };
        let cases = [
            (r#"{"paging": {"page": 1, "pages": 3}}"#, 2, Some("2")),
            (r#"{"paging": {"page": 3, "pages": 3}}"#, 2, None),
            (r#"{"paging": {"page": 1, "pages": 3}}"#, 0, Some("2")),
            (r#"{"paging": {"page": "2", "pages": "3"}}"#, 2, Some("3")),
            ("{}", 0, None),
        ];
        for (body, received, expected) in cases {
            assert_eq!(cursor(body, paging, None, received).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_numbered_page_without_its_number_is_not_taken_for_the_last_one() {
        let paging = Paging::Number { items: "/files", param: "page", page: "/page", pages: "/pages" };
        for body in ["{}", r#"{"page": "many", "pages": 3}"#] {
            let response = Response::new(StatusCode::OK, HeaderMap::new(), body);
            let request = Request::builder(&ROW).build().unwrap();
            assert_eq!(
                next(&response, paging, &request, 2).unwrap_err().kind(),
                ErrorKind::Provider,
                "{body}"
            );
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_no_offset() {
        let request = Request::builder(&ROW).build().unwrap();
        let error = follow(&request, OFFSET, &Cursor("dXNlcg==".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
