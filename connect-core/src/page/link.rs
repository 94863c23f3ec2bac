//! The `Link` header (RFC 8288), as far as lists and deprecations need it.

use http::HeaderMap;
use http::header::LINK;

/// The target of this relation among `Link` headers (RFC 8288).
pub(crate) fn target<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|text| {
        let mut rest = text;
        loop {
            let (_, after) = rest.split_once('<')?;
            let (target, parameters) = after.split_once('>')?;
            // Parameters end where the next target begins; a comma alone may stand inside a quoted value.
            let own =
                parameters.split(",<").next().and_then(|own| own.split(", <").next()).unwrap_or_default();
            let is_wanted = own.split(';').any(|parameter| {
                parameter.trim().split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("rel")
                        && value
                            .trim()
                            .trim_end_matches(',')
                            .trim_matches('"')
                            .split_ascii_whitespace()
                            .any(|relation| relation.eq_ignore_ascii_case(wanted))
                })
            });
            if is_wanted {
                return Some(target);
            }
            rest = parameters;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn link(text: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(text).unwrap());
        target(&headers, "next").map(str::to_owned)
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
}
