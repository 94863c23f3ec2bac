//! What stands round a signature in its header, and how to say what is wrong with it.

use base64::Engine;

use crate::encoding::{BASE64, Signature};
use crate::key::token;
use crate::scheme::{Algorithm, Encoding, Grammar, Scheme, Source, TimestampRule};

/// The longest token behind base64, such as HTTP's Basic credentials.
const MAX_TOKEN_BYTES: usize = 1024;

/// What was found on the way to a signature, to say what is wrong.
#[derive(Default)]
pub(super) struct Seen {
    /// A signature of some kind, whether or not it is the scheme's.
    pub(super) pairs: bool,
    pub(super) matching: bool,
    pub(super) decoded: bool,
}

/// Reads the signatures out of one header or field.
pub(super) fn read_signatures(
    scheme: &Scheme,
    text: &[u8],
    seen: &mut Seen,
    each: &mut impl FnMut(&Signature),
) {
    let mut one = |text: &[u8]| {
        seen.matching = true;
        if let Some(signature) = decode(scheme, text) {
            seen.decoded = true;
            each(&signature);
        }
    };
    match &scheme.grammar {
        Grammar::Bare => one(text),
        Grammar::Prefixed(prefix) => {
            // The names of HTTP's own authentication schemes have no case.
            let is_any_case = scheme.algorithm == Algorithm::Token && prefix.ends_with(' ');
            let found = text.split_at_checked(prefix.len()).filter(|(start, _)| {
                *start == prefix.as_bytes() || is_any_case && start.eq_ignore_ascii_case(prefix.as_bytes())
            });
            match found {
                Some((_, text)) => one(text),
                None => seen.pairs |= names_a_kind(text),
            }
        }
        Grammar::Pairs { separator, signature } => {
            let mut any = false;
            for (key, value) in pairs(text, *separator) {
                any = true;
                if key == signature.as_bytes() {
                    one(value);
                }
            }
            seen.pairs |= any;
        }
        Grammar::Versions(version) => {
            for entry in text.split(|byte| *byte == b' ') {
                let rest = entry.strip_prefix(version.as_bytes()).and_then(|rest| rest.strip_prefix(b","));
                if let Some(text) = rest {
                    one(text);
                }
            }
        }
    }
}

/// Whether the text is a short name, `=` and more, such as `sha1=00`: a signature of another kind.
fn names_a_kind(text: &[u8]) -> bool {
    const LONGEST_NAME: usize = 15;
    let at = text.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b'=');
    let is_name = |at: &usize| {
        let name = text.get(..*at).unwrap_or_default();
        !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    at.is_some_and(|at| is_name(&at) && at + 1 < text.len())
}

fn decode(scheme: &Scheme, text: &[u8]) -> Option<Signature> {
    match (scheme.algorithm, scheme.encoding) {
        (Algorithm::Token, Encoding::Base64) => {
            let mut bytes = [0; MAX_TOKEN_BYTES];
            let length = BASE64.decode_slice(text, &mut bytes).ok()?;
            Some(Signature::new(&token(bytes.get(..length)?)))
        }
        (Algorithm::Token, _) => Some(Signature::new(&token(text))),
        (_, encoding) => Signature::decode(encoding, text),
    }
}

/// `key=value` by `key=value`, without the blanks round a pair.
pub(super) fn pairs(text: &[u8], separator: char) -> impl Iterator<Item = (&[u8], &[u8])> {
    let separator = u8::try_from(separator).unwrap_or(b',');
    text.split(move |byte| *byte == separator).filter_map(|pair| {
        let pair = pair.trim_ascii();
        let middle = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair.get(..middle)?, pair.get(middle + 1..)?))
    })
}

/// For an error's text: what the signature should look like.
pub(crate) fn form(scheme: &Scheme) -> String {
    let encoding = match scheme.encoding {
        Encoding::Hex => "<hex>",
        Encoding::Base64 => "<base64>",
        Encoding::Text => "<text>",
    };
    match &scheme.grammar {
        Grammar::Bare => encoding.to_owned(),
        Grammar::Prefixed(prefix) => format!("{prefix}{encoding}"),
        Grammar::Pairs { separator, signature } => match &scheme.timestamp {
            Some(TimestampRule { source: Source::Pair(key), .. }) => {
                format!("{key}=<timestamp>{separator}{signature}={encoding}")
            }
            _ => format!("{signature}={encoding}"),
        },
        Grammar::Versions(version) => format!("{version},{encoding}"),
    }
}
