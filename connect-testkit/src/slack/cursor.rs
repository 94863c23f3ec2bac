//! Slack's cursor pages: `limit`, `cursor`, and `response_metadata.next_cursor`.
//!
//! A cursor names the first item of the next page, so items that arrive in between neither repeat nor hide
//! others. Like Slack's it is base64 and ends in `=`, which a client must percent-encode in a form or query.
//! The default limit is 100 and the largest 1,000; a cursor of another method is `invalid_cursor`.
//! Not for the page-numbered methods (`files.list`, `search.*`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Refused;
use super::arguments::Arguments;

const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1000;

/// The page that the arguments ask for, and the cursor of the next one.
///
/// `kind` ties a cursor to its method; `key` names an item for good.
pub(crate) fn page<T>(
    items: Vec<T>,
    arguments: &Arguments,
    kind: &str,
    key: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), Refused> {
    let limit = limit(arguments)?;
    let start = match arguments.text("cursor") {
        None => 0,
        Some(cursor) => {
            let wanted = decode(kind, &cursor).ok_or(Refused("invalid_cursor"))?;
            items.iter().position(|item| key(item) == wanted).ok_or(Refused("invalid_cursor"))?
        }
    };
    let next = items.get(start.saturating_add(limit)).map(|item| encode(kind, key(item)));
    Ok((items.into_iter().skip(start).take(limit).collect(), next))
}

/// 0 means the default.
fn limit(arguments: &Arguments) -> Result<usize, Refused> {
    match arguments.text("limit").map(|text| text.parse::<usize>()) {
        None | Some(Ok(0)) => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if limit <= LARGEST_LIMIT => Ok(limit),
        Some(_) => Err(Refused("invalid_limit")),
    }
}

fn encode(kind: &str, key: &str) -> String {
    let mut plain = format!("{kind}:{key}");
    // Base64 ends in `=` unless the length is a multiple of three.
    if plain.len().is_multiple_of(3) {
        plain.push(' ');
    }
    STANDARD.encode(plain)
}

fn decode(kind: &str, cursor: &str) -> Option<String> {
    let plain = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let key = plain.strip_prefix(kind)?.strip_prefix(':')?;
    Some(key.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cursor_ends_in_an_equals_sign_and_finds_its_item_again() {
        for key in ["C", "C1", "C12", "1503435956.000247"] {
            let cursor = encode("next_ts", key);
            assert!(cursor.ends_with('='), "{cursor}");
            assert_eq!(decode("next_ts", &cursor).as_deref(), Some(key));
            assert_eq!(decode("channel", &cursor), None);
        }
    }
}
