//! How a parameter or a field of a form is written, and what nothing here can write.

use serde_json::Value;

use super::operation::{essence, is_json};
use crate::facts::{Place, Style, Type};

/// What the description says about it.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) style: Option<&'a str>,
    pub(super) explode: Option<bool>,
}

impl<'a> Said<'a> {
    pub(super) fn by(node: &'a Value) -> Self {
        Self {
            style: node.get("style").and_then(Value::as_str),
            explode: node.get("explode").and_then(Value::as_bool),
        }
    }
}

/// Only what differs from repeated keys in a query, and from bare text elsewhere. `shape` is no name and not `null`.
///
/// # Errors
/// What the description asks for, if nothing here can write it.
pub(super) fn style(place: Place, said: Said<'_>, shape: &Type) -> Result<Option<Style>, String> {
    let Said { style, explode } = said;
    Ok(match (place, style, shape) {
        (Place::Path, Some(word @ ("matrix" | "label")), _) => return Err(format!("has the style `{word}`")),
        (_, _, shape) if is_plain(shape) => None,
        (_, Some("deepObject"), _) => Some(Style::Deep),
        (Place::Path | Place::Header, _, Type::List(_)) => Some(Style::Comma),
        (Place::Path | Place::Header, ..) => None,
        // With a key for each item there is nothing between items.
        (Place::Query, Some("pipeDelimited" | "spaceDelimited"), Type::List(_)) if explode == Some(true) => {
            None
        }
        (Place::Query, Some(word @ ("pipeDelimited" | "spaceDelimited")), _) => {
            return Err(format!("has the style `{word}`"));
        }
        (Place::Query, None | Some("form"), _) if explode == Some(false) => Some(Style::Comma),
        (Place::Query, None | Some("form"), Type::Object(_) | Type::Map(_)) => Some(Style::Exploded),
        _ => None,
    })
}

/// The same for a field of a form, of which an `encoding` may say more.
///
/// # Errors
/// What the description asks for, if nothing here can write it.
pub(super) fn encoding(encoding: &Value, shape: &Type) -> Result<Option<Style>, String> {
    let media = encoding.get("contentType").and_then(Value::as_str).map(essence);
    let said = Said::by(encoding);
    match (said.style.is_some() || said.explode.is_some(), media) {
        (true, _) => style(Place::Query, said, shape),
        (false, Some(media)) if is_json(media) && !is_plain(shape) => Ok(Some(Style::Json)),
        _ => Ok(None),
    }
}

/// Is it written alike in every style?
fn is_plain(shape: &Type) -> bool {
    match shape {
        Type::List(_) | Type::Map(_) | Type::Object(_) | Type::Any => false,
        Type::OneOf(variants) => variants.iter().all(is_plain),
        Type::Null(inner) => is_plain(inner),
        // A variant that is a name: most likely an object.
        Type::Ref(_) => false,
        _ => true,
    }
}
