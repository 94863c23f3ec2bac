//! What a refusal becomes: the provider's words in an error that says what to do.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, StatusCode};

use crate::api::{Api, Problem, Verdict};
use crate::classify::sent;
use crate::error::{Error, ErrorKind};
use crate::response::Response;

/// The provider's request id in an answer.
pub(crate) fn request_id<A: Api>(headers: &HeaderMap) -> Option<&str> {
    request_id_value::<A>(headers)?.to_str().ok()
}

/// The same as it stands in the headers.
pub(crate) fn request_id_value<A: Api>(headers: &HeaderMap) -> Option<&HeaderValue> {
    A::REQUEST_ID_HEADERS.iter().find_map(|name| headers.get(*name))
}

#[cold]
pub(crate) fn refusal<A: Api>(response: &Response) -> Error {
    let Problem { kind, message, details } = A::problem(response);
    let verdict = response.verdict();
    let kind = kind.unwrap_or_else(|| match verdict {
        Some(Verdict::RateLimited { .. }) => ErrorKind::RateLimited,
        Some(Verdict::Unauthenticated) => ErrorKind::Auth,
        Some(Verdict::Transient { .. }) => ErrorKind::Unavailable,
        _ => kind_of(response.status()),
    });
    let message = match message {
        Some(message) => Cow::Owned(one_line(&message)),
        None => match kind {
            ErrorKind::RateLimited => "the rate limit is used up".into(),
            ErrorKind::Auth => "the credentials are not accepted".into(),
            ErrorKind::Unavailable => "the provider failed".into(),
            _ if response.status().is_redirection() => "the provider redirects, which is not followed".into(),
            _ => "the provider refused the request".into(),
        },
    };
    Error::new(kind, message)
        .with_status(response.status())
        .with_request_id(request_id::<A>(response.headers()))
        .with_sent(sent(verdict))
        .with_boxed_details(details)
}

fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Auth,
        403 | 451 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        400 | 405 | 406 | 413 | 414 | 415 | 422 => ErrorKind::Invalid,
        300..=399 => ErrorKind::Unsupported,
        _ => ErrorKind::Provider,
    }
}

/// A provider's words on one line of a log, and not more than a line's worth of them.
fn one_line(message: &str) -> String {
    const LONGEST_CHARS: usize = 300;
    let mut line: String = message
        .chars()
        .take(LONGEST_CHARS)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if message.chars().nth(LONGEST_CHARS).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_words_become_one_bounded_line() {
        assert_eq!(one_line("a\r\nb"), "a  b");
        assert_eq!(one_line(&"x".repeat(1_000)).chars().count(), 301);
    }
}
