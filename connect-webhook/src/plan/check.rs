//! What a scheme may not say, since it would contradict itself or protect nothing.

use super::unusable;
use crate::error::BuildError;
use crate::scheme::{Algorithm, Encoding, Grammar, Part, Scheme, Source};

/// What contradicts itself, as a table of conditions and remedies.
pub(super) fn check(scheme: &Scheme) -> Result<(), BuildError> {
    let is_code = matches!(scheme.algorithm, Algorithm::Code(_));
    let is_token = scheme.algorithm == Algorithm::Token;
    let signs = |part: &Part| scheme.base.contains(part);
    let timestamp = scheme.timestamp.as_ref().map(|rule| &rule.source);
    let timed_body = matches!(timestamp, Some(Source::Json(_))) && signs(&Part::Body);
    let is_pair = matches!(timestamp, Some(Source::Pair(_)));
    let contradictions = [
        (scheme.name.trim().is_empty(), "it has no name; give it one"),
        (
            !is_code && !is_token && signs(&Part::Body) != scheme.covers_body,
            "`covers_body` and `base` contradict each other: the signature does not cover the body unless \
             `body` is in `base`; add it, or set `covers_body = false`",
        ),
        (
            is_token && scheme.covers_body,
            "a token does not cover the body; set `covers_body = false` and an empty `base`",
        ),
        (is_token && !scheme.base.is_empty(), "a token signs nothing; set `base = []`"),
        (
            !is_code && !timed_body && signs(&Part::Timestamp) != scheme.timestamp.is_some(),
            "a timestamp counts only if it is signed; set both `timestamp` in `base` and a `timestamp` rule, or \
             neither",
        ),
        (
            is_pair && !matches!(scheme.grammar, Grammar::Pairs { .. }),
            "a timestamp in a pair needs the grammar `pairs`; set it",
        ),
        (
            matches!(timestamp, Some(Source::EveryHeader(_))),
            "a timestamp stands in one header; use `header` or `first_header`",
        ),
        (
            is_pair && !matches!(scheme.signature, Source::Header(_) | Source::FirstHeader(_)),
            "a timestamp in a pair stands in the one header of the signature; use `header` or `first_header`",
        ),
        (matches!(scheme.signature, Source::Pair(_)), "only a timestamp can be a `pair`; name the header"),
        (
            signs(&Part::Secret) != matches!(scheme.algorithm, Algorithm::Digest(_)),
            "`secret` belongs in `base` for a plain `digest`, and only there",
        ),
        (
            scheme.encoding == Encoding::Text && !is_token && !is_code,
            "a signature is `hex` or `base64`; only a token is `text`",
        ),
        (
            matches!(&scheme.grammar, Grammar::Pairs { separator, signature }
                if !separator.is_ascii() || signature.is_empty()),
            "`pairs` needs an ASCII separator and the key of the signature; set both",
        ),
        (scheme.methods.is_empty(), "it has no `methods`; name one, usually POST"),
        (scheme.body_limit_bytes == 0, "`body_limit_bytes` is 0; set the largest body to accept"),
        (
            !(200..300).contains(&scheme.acknowledge),
            "`acknowledge` is not a success status; use 200, 202 or 204",
        ),
    ];
    match contradictions.into_iter().find(|(is_contradiction, _)| *is_contradiction) {
        Some((_, reason)) => Err(unusable(scheme, reason)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::schemes;

    #[test]
    fn contradictions_are_refused_with_a_remedy() {
        let slack = || schemes::SLACK.clone();
        let github = || schemes::GITHUB.clone();
        let cases: [(Scheme, &str); 12] = [
            (Scheme { name: "".into(), ..github() }, "no name"),
            (Scheme { base: vec![Part::Literal("x".into())].into(), ..github() }, "cover the body"),
            (Scheme { covers_body: false, ..github() }, "cover the body"),
            (Scheme { timestamp: None, ..slack() }, "timestamp"),
            (Scheme { base: vec![Part::Body].into(), ..slack() }, "timestamp"),
            (Scheme { signature: Source::Header("a b".into()), ..github() }, "header name"),
            (Scheme { signature: Source::Json("id".into()), ..github() }, "start with `/`"),
            (Scheme { signature: Source::FirstHeader(vec![].into()), ..github() }, "is empty"),
            (Scheme { algorithm: Algorithm::Token, ..github() }, "does not cover the body"),
            (Scheme { base: vec![Part::Secret, Part::Body].into(), ..github() }, "digest"),
            (Scheme { body_limit_bytes: 0, ..github() }, "body_limit_bytes"),
            (Scheme { acknowledge: 302, ..github() }, "acknowledge"),
        ];
        for (scheme, expected) in cases {
            let error = Plan::compile(&scheme).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
