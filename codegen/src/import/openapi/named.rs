//! Which types keep a name: objects, choices and sets of words that an operation reaches.
//!
//! Descriptions name much else: other names for text and lists, the same object once more but nullable, and the payloads
//! of webhooks.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, Type};
use crate::import::combine::{one_of, or_null};

/// The prefix with which a schema is called that is another one or `null`.
const NULLABLE: &str = "nullable-";

/// Leaves only the names that say something.
pub(super) fn settle(facts: &mut Facts) {
    say_null_where_it_is_meant(facts);
    fold_nullable(facts);
    inline(facts);
    prune(facts);
}

/// A named type that may be `null` becomes one that may not, and each mention of it says `null` instead.
fn say_null_where_it_is_meant(facts: &mut Facts) {
    let mut nullable = BTreeMap::new();
    for (name, shape) in &mut facts.types {
        if let Type::Null(inner) = shape {
            *shape = std::mem::replace(inner, Type::Any);
            nullable.insert(name.clone(), or_null(Type::Ref(name.clone())));
        }
    }
    replace(facts, &nullable);
}

/// `nullable-x` becomes `x` where it is the same or where there is no `x`.
fn fold_nullable(facts: &mut Facts) {
    let mut same: BTreeMap<String, Type> = facts
        .types
        .keys()
        .filter_map(|name| Some((name.clone(), Type::Ref(name.strip_prefix(NULLABLE)?.to_owned()))))
        .collect();
    // Each pair is the same as long as the pairs in it are: take them all for granted, then those out that are not.
    loop {
        let seen = |name: &str| -> Option<Type> {
            let mut shape = facts.types.get(name)?.clone();
            visit(&mut shape, &mut |node| match node {
                Type::Object(fields) => fields.iter_mut().for_each(|field| field.gap = false),
                Type::Ref(name) => {
                    if let Some(other) = same.get(name) {
                        *node = other.clone();
                    }
                }
                _ => {}
            });
            Some(shape)
        };
        let unlike: Vec<String> = same
            .iter()
            .filter(|(name, other)| {
                let Type::Ref(other) = other else { return true };
                seen(other).is_some_and(|other| Some(other) != seen(name))
            })
            .map(|(name, _)| name.clone())
            .collect();
        if unlike.is_empty() {
            break;
        }
        same.retain(|name, _| !unlike.contains(name));
    }
    for (name, other) in &same {
        let (Some(shape), Type::Ref(other)) = (facts.types.remove(name), other) else { continue };
        match facts.types.get_mut(other) {
            Some(known) => join_gaps(known, &shape),
            None => {
                facts.types.insert(other.clone(), shape);
            }
        }
    }
    replace(facts, &same);
}

/// A gap in either of two equal types is one in both.
fn join_gaps(known: &mut Type, other: &Type) {
    match (known, other) {
        (Type::Object(known), Type::Object(other)) => {
            for (known, other) in known.iter_mut().zip(other) {
                known.gap |= other.gap;
                join_gaps(&mut known.shape, &other.shape);
            }
        }
        (Type::List(known), Type::List(other))
        | (Type::Map(known), Type::Map(other))
        | (Type::Null(known), Type::Null(other)) => join_gaps(known, other),
        (Type::OneOf(known), Type::OneOf(other)) => {
            known.iter_mut().zip(other).for_each(|(known, other)| join_gaps(known, other));
        }
        _ => {}
    }
}

/// Puts in place of each other name what it is a name for.
fn inline(facts: &mut Facts) {
    let keeps = |shape: &Type| matches!(shape, Type::Object(_) | Type::OneOf(_) | Type::Words(_));
    let mut aliases: BTreeMap<String, Type> = BTreeMap::new();
    facts.types.retain(|name, shape| {
        if !keeps(shape) {
            aliases.insert(name.clone(), std::mem::replace(shape, Type::Any));
        }
        !aliases.contains_key(name)
    });
    let names: Vec<String> = aliases.keys().cloned().collect();
    for name in names {
        let mut trail = vec![name.clone()];
        let mut shape = aliases.get(&name).cloned().unwrap_or(Type::Any);
        unfold(&mut shape, &aliases, &mut trail);
        aliases.insert(name, shape);
    }
    replace(facts, &aliases);
}

fn unfold(shape: &mut Type, aliases: &BTreeMap<String, Type>, trail: &mut Vec<String>) {
    visit(shape, &mut |node| {
        let Type::Ref(name) = &*node else { return };
        let Some(other) = aliases.get(name) else { return };
        // A list of itself has no end; nothing is known of what is in it.
        if trail.contains(name) {
            *node = Type::Any;
            return;
        }
        trail.push(name.clone());
        *node = other.clone();
        unfold(node, aliases, trail);
        trail.pop();
    });
}

/// Takes out what no operation reaches.
fn prune(facts: &mut Facts) {
    let mut reached = BTreeSet::new();
    let mut rest = Vec::new();
    each_shape(facts, &mut |shape| rest.extend(names_in(shape)), false);
    while let Some(name) = rest.pop() {
        if let Some(shape) = facts.types.get(&name)
            && reached.insert(name)
        {
            rest.extend(names_in(shape));
        }
    }
    facts.types.retain(|name, _| reached.contains(name));
}

fn names_in(shape: &Type) -> Vec<String> {
    let mut names = Vec::new();
    visit(&mut shape.clone(), &mut |node| {
        if let Type::Ref(name) = node {
            names.push(name.clone());
        }
    });
    names
}

/// Puts other types in place of names, everywhere.
fn replace(facts: &mut Facts, by: &BTreeMap<String, Type>) {
    let mut put = |shape: &mut Type| {
        visit(shape, &mut |node| match node {
            Type::Ref(name) => {
                if let Some(other) = by.get(name) {
                    *node = other.clone();
                }
            }
            // What took the place of a name may say `null` again, or what another variant says.
            Type::Null(inner) if matches!(**inner, Type::Null(_)) => {
                *node = std::mem::replace(&mut **inner, Type::Any);
            }
            Type::OneOf(variants) => *node = one_of(std::mem::take(variants)),
            _ => {}
        });
    };
    each_shape(facts, &mut put, true);
}

fn each_shape(facts: &mut Facts, act: &mut dyn FnMut(&mut Type), in_types: bool) {
    for operation in &mut facts.operations {
        operation.params.iter_mut().for_each(|param| act(&mut param.shape));
        operation.body.iter_mut().for_each(|body| act(&mut body.shape));
        operation.answers.iter_mut().filter_map(|answer| answer.shape.as_mut()).for_each(&mut *act);
    }
    if in_types {
        facts.types.values_mut().for_each(act);
    }
}

/// Acts on a type and all that it is made of, the innermost first. What an act puts in place is not visited.
fn visit(shape: &mut Type, act: &mut dyn FnMut(&mut Type)) {
    match shape {
        Type::List(inner) | Type::Map(inner) | Type::Null(inner) => visit(inner, act),
        Type::Object(fields) => fields.iter_mut().for_each(|field| visit(&mut field.shape, act)),
        Type::OneOf(variants) => variants.iter_mut().for_each(|variant| visit(variant, act)),
        _ => {}
    }
    act(shape);
}
