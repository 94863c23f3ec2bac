//! Values inside a JSON document by pointer (RFC 6901), as slices of its text: the document itself is never built.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Sent};

/// The raw text of a value inside a JSON document, found without building the document.
pub(super) fn find<'a>(text: &'a str, pointer: &str) -> Result<Option<&'a RawValue>, Error> {
    let mut raw: &'a RawValue = borrow(text)?;
    for segment in pointer.split('/').skip(1) {
        if !raw.get().starts_with('{') {
            return Ok(None);
        }
        let object: BTreeMap<Cow<'a, str>, &'a RawValue> = borrow(raw.get())?;
        match object.get(segment) {
            Some(value) => raw = value,
            None => return Ok(None),
        }
    }
    Ok((raw.get() != "null").then_some(raw))
}

pub(super) fn borrow<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    // serde_json's own words quote the offending value, so they are not kept.
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Decode, "the page is not JSON of the expected shape").with_sent(Sent::Yes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
