//! The JSON that a verified body stands for.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};

use crate::error::PayloadError;
use crate::form;
use crate::scheme::{FormRule, Scheme};

/// A body without a content type is taken for JSON. Where a scheme has deliveries without a body, its forms are
/// in the query then; if it has no forms, the payload is `null`.
pub(crate) fn payload(
    scheme: &Scheme,
    method: &Method,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Bytes, PayloadError> {
    if body.is_empty() && (scheme.methods.iter().any(|known| known == "GET") || method == Method::DELETE) {
        return match scheme.form {
            FormRule::Fields if method == Method::GET && !query.is_empty() => {
                form::payload(&scheme.form, query.as_bytes())
            }
            _ => Ok(Bytes::from_static(b"null")),
        };
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return Ok(body.clone()) };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |known: &str| essence.eq_ignore_ascii_case(known);
    if is("application/json")
        || has_suffix(essence, "+json")
        || scheme.json_types.iter().any(|known| is(known))
    {
        Ok(body.clone())
    } else if is("application/x-www-form-urlencoded") {
        form::payload(&scheme.form, body)
    } else {
        Err(PayloadError::UnsupportedContentType)
    }
}

fn has_suffix(essence: &str, suffix: &str) -> bool {
    essence
        .len()
        .checked_sub(suffix.len())
        .and_then(|start| essence.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn the_content_type_decides_and_its_case_does_not() {
        let cases = [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/cloudevents+json", true),
            ("application/vnd.x+JSON", true),
            ("+json", true),
            ("text/html", false),
            ("json", false),
            ("", false),
        ];
        for (content_type, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
            let found = payload(&schemes::JIRA, &Method::POST, "", &headers, &Bytes::from("{}"));
            assert_eq!(found.is_ok(), expected, "{content_type}");
        }
    }

    #[test]
    fn a_delivery_without_a_body_says_null_or_what_its_query_says() {
        let cases = [
            (&schemes::ZENDESK, Method::DELETE, "a=1", Some("null")),
            (&schemes::ZENDESK, Method::POST, "", Some("null")),
            (
                &schemes::TWILIO,
                Method::GET,
                "CallSid=CA1&Body=a+b",
                Some(r#"{"Body":"a b","CallSid":"CA1"}"#),
            ),
            (&schemes::HUBSPOT_V3, Method::GET, "a=1", Some("null")),
            // No JSON, which reading it will say.
            (&schemes::JIRA, Method::POST, "a=1", Some("")),
        ];
        for (scheme, method, query, expected) in cases {
            let found = payload(scheme, &method, query, &HeaderMap::new(), &Bytes::new()).ok();
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{} {method}", scheme.name);
        }
    }
}
