//! How a list goes on: the overlay's rule, with the items found in the answer.

use super::argument::Argument;
use super::input::resolved;
use crate::facts::{Facts, Operation, Type};
use crate::overlay::{Overlay, Paging as Said};

/// Core's `Paging`, as text.
pub(super) struct Paging {
    /// Pointer to the items.
    pub(super) items: String,
    /// The parameter by which streams go on.
    pub(super) param: Option<String>,
    /// The Rust value.
    pub(super) rust: String,
}

pub(super) fn of(
    operation: &Operation,
    facts: &Facts,
    overlay: &Overlay,
    arguments: &[Argument],
) -> Result<Option<Paging>, String> {
    let own = overlay.rule(&operation.op, |rule| rule.paging.as_ref());
    let by_parameter = || {
        let rule = |when: &str| arguments.iter().any(|argument| argument.name == when);
        overlay.paging.iter().find(|said| rule(&said.when)).map(|rule| &rule.paging)
    };
    let Some(said) = own.or_else(by_parameter) else { return Ok(None) };
    if said.style == "none" {
        return Ok(None);
    }
    let items = match &said.items {
        Some(items) => items.clone(),
        None => match only_list(operation, facts) {
            Some(items) => items,
            None => {
                return Err("it has a parameter of lists that go on, and its answer is no list and has not just one: give \
                            its `paging` in the overlay, with `items` or with the style `none`"
                    .to_owned());
            }
        },
    };
    let rust = rust(said, &items)?;
    // A `Link` header names the next page by this parameter wherever we met it.
    let param = said.param.clone().or_else(|| (said.style == "link").then(|| "page".to_owned()));
    Ok(Some(Paging { items, param, rust }))
}

fn rust(said: &Said, items: &str) -> Result<String, String> {
    let need = |value: &Option<String>, name: &str| {
        value.as_ref().map(|value| format!("{value:?}")).ok_or_else(|| format!("its paging needs `{name}`"))
    };
    let maybe = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "None".to_owned(), |value| format!("Some({value:?})"))
    };
    Ok(match said.style.as_str() {
        "link" => format!("Paging::Link {{ items: {items:?} }}"),
        "cursor" => format!(
            "Paging::Cursor {{ items: {items:?}, next: {}, param: {}, last: {} }}",
            need(&said.next, "next")?,
            need(&said.param, "param")?,
            maybe(&said.last)
        ),
        "offset" => format!(
            "Paging::Offset {{ items: {items:?}, offset_param: {}, limit_param: {}, total: {}, last: {} }}",
            need(&said.param, "param")?,
            need(&said.limit, "limit")?,
            maybe(&said.total),
            maybe(&said.last)
        ),
        "number" => format!(
            "Paging::Number {{ items: {items:?}, param: {}, page: {}, pages: {} }}",
            need(&said.param, "param")?,
            need(&said.page, "page")?,
            need(&said.pages, "pages")?
        ),
        "next-url" => format!("Paging::NextUrl {{ items: {items:?}, next: {} }}", need(&said.next, "next")?),
        other => return Err(format!("`{other}` is no style of paging")),
    })
}

/// Pointer to the only list of an answer.
fn only_list(operation: &Operation, facts: &Facts) -> Option<String> {
    let shape = operation.answers.iter().find_map(|answer| answer.shape.as_ref())?;
    match bare(shape, facts) {
        Type::List(_) => Some(String::new()),
        Type::Object(fields) => {
            let mut lists = fields.iter().filter(|field| matches!(bare(&field.shape, facts), Type::List(_)));
            match (lists.next(), lists.next()) {
                (Some(list), None) => Some(format!("/{}", list.name)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn bare<'a>(shape: &'a Type, facts: &'a Facts) -> &'a Type {
    match resolved(shape, facts) {
        Type::Null(inner) => bare(inner, facts),
        other => other,
    }
}
