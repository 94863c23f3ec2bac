//! Where something stands in the facts: `issue.labels[]`, `issues/create body.title`, `repos/get-content answer`.
//!
//! A place begins at a named type, or at an operation followed by `params.NAME`, `body` or `answer` (of every status).
//! Then `.field` goes into an object, `[]` into a list, `{}` into a map, `|2` into the second of several. `null` and names
//! of types are passed through.

use std::collections::BTreeMap;

use crate::facts::{Facts, Field, Type};

/// What a place can be.
pub(super) enum Spot<'a> {
    /// A field of an object.
    Field(&'a mut Vec<Field>, usize),
    /// A parameter of an operation.
    Parameter(&'a mut Vec<crate::facts::Parameter>, usize),
    /// Something else that has a type.
    Type(&'a mut Type),
}

#[derive(Debug, PartialEq)]
enum Step<'a> {
    Field(&'a str),
    Item,
    Value,
    Variant(usize),
}

/// Calls `change` with every spot at a place; `None` if there is no such place.
pub(super) fn visit(facts: &mut Facts, place: &str, mut change: impl FnMut(Spot<'_>)) -> Option<()> {
    if place.contains(' ') {
        // A name may have a space in it: `GET /pets/{id} params.id`.
        let (operation, rest) = facts.operations.iter_mut().find_map(|operation| {
            let rest = place.strip_prefix(operation.op.as_str())?.strip_prefix(' ')?;
            Some((operation, rest))
        })?;
        if let Some(name) = rest.strip_prefix("params.") {
            let at = operation.params.iter().position(|parameter| parameter.name == name)?;
            change(Spot::Parameter(&mut operation.params, at));
            return Some(());
        }
        if let Some(steps) = rest.strip_prefix("body") {
            let body = operation.body.as_mut()?;
            return walk(&mut facts.types, Root::Own(&mut body.shape), &parse(steps)?, &mut change);
        }
        let steps = parse(rest.strip_prefix("answer")?)?;
        let mut found = None;
        for answer in &mut operation.answers {
            if let Some(shape) = &mut answer.shape {
                found = walk(&mut facts.types, Root::Own(shape), &steps, &mut change).or(found);
            }
        }
        return found;
    }
    let end = place.find(['.', '[', '{', '|']).unwrap_or(place.len());
    let (name, steps) = place.split_at(end);
    let steps = parse(steps)?;
    walk(&mut facts.types, Root::Named(name), &steps, &mut change)
}

enum Root<'a> {
    Own(&'a mut Type),
    Named(&'a str),
}

fn parse(mut text: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    while !text.is_empty() {
        if let Some(rest) = text.strip_prefix("[]") {
            steps.push(Step::Item);
            text = rest;
        } else if let Some(rest) = text.strip_prefix("{}") {
            steps.push(Step::Value);
            text = rest;
        } else if let Some(rest) = text.strip_prefix('|') {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            steps.push(Step::Variant(rest[..end].parse::<usize>().ok()?.checked_sub(1)?));
            text = &rest[end..];
        } else {
            let rest = text.strip_prefix('.')?;
            let end = rest.find(['.', '[', '{', '|']).unwrap_or(rest.len());
            steps.push(Step::Field(&rest[..end]));
            text = &rest[end..];
        }
    }
    Some(steps)
}

/// Goes as far as the steps lead, through names of types, which live in the same table.
fn walk(
    types: &mut BTreeMap<String, Type>,
    root: Root<'_>,
    steps: &[Step<'_>],
    change: &mut dyn FnMut(Spot<'_>),
) -> Option<()> {
    let (shape, steps) = match root {
        Root::Own(shape) => (shape, steps),
        Root::Named(name) => (types.get_mut(name)?, steps),
    };
    match descend(shape, steps, change) {
        Way::Done => Some(()),
        Way::Lost => None,
        Way::Through(name, left) => walk(types, Root::Named(&name), &steps[steps.len() - left..], change),
    }
}

enum Way {
    Done,
    Lost,
    /// Goes on in this named type, with so many steps left.
    Through(String, usize),
}

fn descend(shape: &mut Type, steps: &[Step<'_>], change: &mut dyn FnMut(Spot<'_>)) -> Way {
    let Some((step, rest)) = steps.split_first() else {
        change(Spot::Type(shape));
        return Way::Done;
    };
    match (shape, step) {
        (Type::Null(inner), _) => descend(inner, steps, change),
        (Type::Ref(name), _) => Way::Through(name.clone(), steps.len()),
        (Type::List(item), Step::Item) | (Type::Map(item), Step::Value) => descend(item, rest, change),
        (Type::OneOf(variants), Step::Variant(at)) => match variants.get_mut(*at) {
            Some(variant) => descend(variant, rest, change),
            None => Way::Lost,
        },
        (Type::Object(fields), Step::Field(name)) => {
            match fields.iter().position(|field| field.name == *name) {
                Some(at) if rest.is_empty() => {
                    change(Spot::Field(fields, at));
                    Way::Done
                }
                Some(at) => descend(&mut fields[at].shape, rest, change),
                None => Way::Lost,
            }
        }
        _ => Way::Lost,
    }
}
