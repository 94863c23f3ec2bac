//! A form as Twilio and Mandrill sign it: names and values decoded, sorted, and written one after the other
//! without anything in between.
//!
//! A field that is there several times with the same value counts once, as in Twilio's own library. Nothing
//! separates a name from its value, so `ab=c` and `a=bc` are one signature: that is the providers' rule, and
//! the reason not to copy it.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::error::VerifyError;
use crate::form;

/// Providers send some dozen fields. Each costs us two allocations before anything is proven.
const MAX_FIELDS: usize = 4096;

/// The signed bytes of a form.
pub(super) fn sorted(body: &[u8]) -> Result<Vec<u8>, VerifyError> {
    if form::fields(body).nth(MAX_FIELDS).is_some() {
        return Err(VerifyError::MalformedBody);
    }
    let decode = |(name, value)| (form::decode(name), form::decode(value));
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = form::fields(body).map(decode).collect();
    fields.sort();
    fields.dedup();
    Ok(fields.into_iter().flat_map(|(name, value)| [name, value]).flatten().collect())
}

/// Whether the content type says that the body is a form.
pub(super) fn is_announced(headers: &HeaderMap) -> bool {
    let essence = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_then_sorted_and_copies_count_once() {
        let cases: [(&[u8], &[u8]); 8] = [
            (b"", b""),
            (b"b=2&a=1", b"a1b2"),
            (b"a=2&a=1&a=2", b"a1a2"),
            (b"To=%2B1555&Body=one+two", b"Bodyone twoTo+1555"),
            (b"B=1&a=2&A=3", b"A3B1a2"),
            (b"%62=1&a", b"ab1"),
            (b"&&=&=x&", b"x"),
            (b"a=%ff%zz%", b"a\xff%zz%"),
        ];
        for (body, expected) in cases {
            assert_eq!(sorted(body).unwrap(), expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn a_form_of_too_many_fields_is_refused() {
        assert!(sorted(&b"a&".repeat(MAX_FIELDS)).is_ok());
        assert_eq!(sorted(&b"a&".repeat(MAX_FIELDS + 1)), Err(VerifyError::MalformedBody));
    }

    #[test]
    fn only_the_content_type_says_that_a_body_is_a_form() {
        for (value, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded ; charset=utf-8", true),
            ("application/json", false),
            ("multipart/form-data", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_announced(&headers), expected, "{value}");
        }
        assert!(!is_announced(&HeaderMap::new()));
    }
}
