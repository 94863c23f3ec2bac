//! URLs in the two forms that senders sign.

use std::borrow::Cow;

use crate::scheme::Scheme;

/// The URL with the scheme's escapes decoded, if that is another one.
pub(crate) fn unescaped<'u>(scheme: &Scheme, url: &'u str) -> Option<Cow<'u, str>> {
    if scheme.url_escapes.is_empty() || !url.contains('%') {
        return None;
    }
    let mut plain = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let known = escape
            .get(..3)
            .filter(|escape| scheme.url_escapes.iter().any(|known| known.eq_ignore_ascii_case(escape)));
        let decoded = known.and_then(|text| u8::from_str_radix(text.get(1..)?, 16).ok());
        let taken = match decoded.filter(u8::is_ascii) {
            Some(byte) => {
                plain.push(char::from(byte));
                3
            }
            None => {
                plain.push('%');
                1
            }
        };
        rest = escape.get(taken..).unwrap_or_default();
    }
    plain.push_str(rest);
    (plain != url).then_some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;

    #[test]
    fn only_the_escapes_that_a_scheme_names_are_decoded() {
        let mut scheme = schemes::GITHUB.clone();
        scheme.url_escapes = vec!["%3A".into(), "%2F".into()].into();
        let cases = [
            ("https://x/?u=http%3a%2F%2Fy%20z%", Some("https://x/?u=http://y%20z%")),
            ("https://x/?u=%20", None),
            ("https://x/", None),
        ];
        for (url, expected) in cases {
            assert_eq!(unescaped(&scheme, url).as_deref(), expected);
        }
    }
}
