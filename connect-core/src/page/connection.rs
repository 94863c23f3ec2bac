//! Connections of GraphQL: <https://relay.dev/graphql/connections.htm>.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Cursor;
use super::pointer::{borrow, find};
use crate::decode;
use crate::error::{Error, ErrorKind, Sent};

/// One of `edges`.
#[derive(Deserialize)]
struct Edge<'a> {
    #[serde(borrow)]
    node: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// The nodes of a page, one by one. One that is `null` is left out: what hides it stands in the answer's errors.
pub(super) fn entries<T: DeserializeOwned>(text: &str, at: &str) -> Result<Vec<Result<T, Error>>, Error> {
    let nodes: Vec<Option<&RawValue>> = if let Some(nodes) = find(text, &below(at, "/nodes"))? {
        borrow(nodes.get())?
    } else if let Some(edges) = find(text, &below(at, "/edges"))? {
        let edges: Vec<Option<Edge<'_>>> = borrow(edges.get())?;
        edges.into_iter().map(|edge| edge?.node).collect()
    } else {
        // Taken for an empty page, a connection under another name would silently lose everything.
        let message = format!(
            "the answer has no connection at `{at}`: the query must ask for its `nodes`, or for `edges` and their `node`"
        );
        return Err(Error::new(ErrorKind::Decode, message).with_sent(Sent::Yes));
    };
    Ok(nodes.into_iter().flatten().map(|node| decode::json(node.get().as_bytes())).collect())
}

/// Where the connection goes on; `asked` is the cursor that this page began at.
pub(super) fn next(text: &str, at: &str, asked: Option<String>) -> Result<Option<Cursor>, Error> {
    let failure = |kind: ErrorKind, message: String| Err(Error::new(kind, message).with_sent(Sent::Yes));
    let Some(info) = find(text, &below(at, "/pageInfo"))? else {
        // Taken for the last page, the rest of the list would be lost without a word.
        let message = format!(
            "the connection at `{at}` says not whether it goes on: \
                               ask for its `pageInfo {{ hasNextPage endCursor }}`"
        );
        return failure(ErrorKind::Invalid, message);
    };
    let info: PageInfo = decode::json(info.get().as_bytes())?;
    if !info.has_next_page {
        return Ok(None);
    }
    match info.end_cursor {
        Some(cursor) if !cursor.is_empty() && Some(&cursor) != asked.as_ref() => Ok(Some(Cursor(cursor))),
        Some(cursor) if !cursor.is_empty() => {
            let message = "the cursor does not move: the list would go on for ever";
            failure(ErrorKind::Provider, message.to_owned())
        }
        _ => {
            let message = "there is a next page, and no cursor that leads to it: ask for `endCursor`";
            failure(ErrorKind::Invalid, message.to_owned())
        }
    }
}

fn below(at: &str, name: &str) -> String {
    ["/data", at, name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_bare_or_in_edges_and_null_ones_are_left_out() {
        let cases = [
            r#"{"data": {"search": {"nodes": [1, null, 2]}}}"#,
            r#"{"data": {"search": {"edges": [{"node": 1}, null, {"node": null}, {"cursor": "c", "node": 2}]}}}"#,
        ];
        for text in cases {
            let nodes: Vec<u32> = entries(text, "/search").unwrap().into_iter().map(Result::unwrap).collect();
            assert_eq!(nodes, [1, 2], "{text}");
        }
    }

    #[test]
    fn a_connection_that_is_not_there_is_no_empty_page() {
        for text in [r#"{"data": {"search": null}}"#, r#"{"data": {"search": {"pageInfo": {}}}}"#, "{}"] {
            let error = entries::<u32>(text, "/search").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains("`/search`"), "{error}");
        }
    }

    #[test]
    fn a_connection_goes_on_while_it_says_so_and_its_cursor_moves() {
        let next = |info: &str, asked: Option<&str>| {
            let text = format!(r#"{{"data": {{"search": {{"nodes": [], "pageInfo": {info}}}}}}}"#);
            next(&text, "/search", asked.map(str::to_owned))
                .map(|cursor| cursor.map(|cursor| cursor.as_str().to_owned()))
                .map_err(|error| error.kind())
        };
        let more = r#"{"hasNextPage": true, "endCursor": "b"}"#;
        assert_eq!(next(more, None), Ok(Some("b".to_owned())));
        assert_eq!(next(more, Some("a")), Ok(Some("b".to_owned())));
        assert_eq!(next(more, Some("b")), Err(ErrorKind::Provider));
        assert_eq!(next(r#"{"hasNextPage": false, "endCursor": "b"}"#, Some("a")), Ok(None));
        assert_eq!(next(r#"{"hasNextPage": true, "endCursor": null}"#, None), Err(ErrorKind::Invalid));
        assert_eq!(next(r#"{"hasNextPage": true}"#, None), Err(ErrorKind::Invalid));
        assert_eq!(next(r#"{"endCursor": "b"}"#, None), Err(ErrorKind::Decode));
        assert_eq!(next("null", None), Err(ErrorKind::Invalid));
    }
}
