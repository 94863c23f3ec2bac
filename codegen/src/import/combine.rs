//! Several types become one: all of them (`allOf`), or one of them (`oneOf`, `anyOf`). What several importers know about
//! types stands here.

use crate::facts::{Field, Type};
use crate::import::ImportError;

/// What a named type is.
pub(in crate::import) type Resolve<'a> = &'a dyn Fn(&str) -> Result<Type, ImportError>;

/// Or `null`, said once.
pub(in crate::import) fn or_null(shape: Type) -> Type {
    match shape {
        Type::Null(_) => shape,
        shape => Type::Null(Box::new(shape)),
    }
}

/// A value that is both; where they differ, the later one narrows the earlier.
pub(in crate::import) fn both(earlier: Type, later: Type, resolve: Resolve<'_>) -> Result<Type, ImportError> {
    Ok(match (earlier, later) {
        (Type::Any, shape) | (shape, Type::Any) => shape,
        (a, b) if a == b => a,
        (Type::Null(a), Type::Null(b)) => or_null(both(*a, *b, resolve)?),
        (Type::Null(a), b) => both(*a, b, resolve)?,
        (a, Type::Null(b)) => both(a, *b, resolve)?,
        (Type::Object(a), Type::Object(b)) => Type::Object(fields_of_both(a, b, resolve)?),
        (Type::OneOf(variants), object) => each(variants, |variant| both(variant, object.clone(), resolve))?,
        (object, Type::OneOf(variants)) => each(variants, |variant| both(object.clone(), variant, resolve))?,
        (Type::Ref(name), b @ (Type::Object(_) | Type::Ref(_))) => both(resolve(&name)?, b, resolve)?,
        (a @ Type::Object(_), Type::Ref(name)) => both(a, resolve(&name)?, resolve)?,
        (Type::List(a), Type::List(b)) => Type::List(Box::new(both(*a, *b, resolve)?)),
        (Type::Map(a), Type::Map(b)) => Type::Map(Box::new(both(*a, *b, resolve)?)),
        (a @ (Type::Words(_) | Type::Time | Type::Link | Type::Secret | Type::Bytes), Type::Text) => a,
        (Type::Integer, Type::Number) => Type::Integer,
        (_, later) => later,
    })
}

fn each(
    variants: Vec<Type>,
    narrow: impl Fn(Type) -> Result<Type, ImportError>,
) -> Result<Type, ImportError> {
    Ok(one_of(variants.into_iter().map(narrow).collect::<Result<_, _>>()?))
}

/// The fields of both objects, in the order in which they are first named.
fn fields_of_both(
    mut all: Vec<Field>,
    later: Vec<Field>,
    resolve: Resolve<'_>,
) -> Result<Vec<Field>, ImportError> {
    for field in later {
        match all.iter_mut().find(|known| known.name == field.name) {
            Some(known) => {
                known.shape = both(std::mem::replace(&mut known.shape, Type::Any), field.shape, resolve)?;
                known.required |= field.required;
            }
            None => all.push(field),
        }
    }
    Ok(all)
}

/// A value that is one of these, in the fewest words: nothing twice, nothing that another one covers.
pub(in crate::import) fn one_of(types: Vec<Type>) -> Type {
    let mut null = false;
    let mut variants: Vec<Type> = Vec::new();
    let mut rest: Vec<Type> = types.into_iter().rev().collect();
    while let Some(shape) = rest.pop() {
        match shape {
            Type::Null(inner) => {
                null = true;
                // `{type: null}` is nothing but null.
                if *inner != Type::Any {
                    rest.push(*inner);
                }
            }
            Type::OneOf(inner) => rest.extend(inner.into_iter().rev()),
            shape => add(&mut variants, shape),
        }
    }
    // An object of which nothing is known says nothing beside objects of which something is.
    if variants.iter().all(|shape| matches!(shape, Type::Object(_) | Type::Ref(_) | Type::Any)) {
        let known = variants.iter().any(|shape| *shape != Type::Any);
        variants.retain(|shape| !known || *shape != Type::Any);
    }
    let shape = if variants.contains(&Type::Any) {
        Type::Any
    } else if variants.len() > 1 {
        Type::OneOf(variants)
    } else {
        variants.pop().unwrap_or(Type::Any)
    };
    if null { or_null(shape) } else { shape }
}

/// Adds a variant, unless it goes into a known one: texts cannot be told apart, and a whole number is a number.
fn add(variants: &mut Vec<Type>, shape: Type) {
    for known in variants.iter_mut() {
        match (&mut *known, &shape) {
            (known, shape) if known == shape => return,
            (Type::Words(words), Type::Words(more)) => {
                let new: Vec<String> = more.iter().filter(|word| !words.contains(word)).cloned().collect();
                words.extend(new);
                return;
            }
            // Which list it is shows in what is in it.
            (Type::List(known), Type::List(item)) => {
                let known = &mut **known;
                *known = one_of(vec![std::mem::replace(known, Type::Any), (**item).clone()]);
                return;
            }
            (known, shape) if is_text(known) && is_text(shape) => {
                // What may be a secret is kept as one.
                let is_secret = *known == Type::Secret || *shape == Type::Secret;
                *known = if is_secret { Type::Secret } else { Type::Text };
                return;
            }
            (Type::Number, Type::Integer) => return,
            (known @ Type::Integer, Type::Number) => {
                *known = Type::Number;
                return;
            }
            _ => {}
        }
    }
    variants.push(shape);
}

fn is_text(shape: &Type) -> bool {
    matches!(shape, Type::Text | Type::Time | Type::Link | Type::Secret | Type::Words(_))
}

/// Text in a field that is named like an address is one, also where the description forgets to say so.
pub(in crate::import) fn linked(name: &str, shape: Type) -> Type {
    match shape {
        Type::Text if name == "url" || name.ends_with("_url") => Type::Link,
        Type::Null(inner) => or_null(linked(name, *inner)),
        shape => shape,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn words(words: &[&str]) -> Type {
        Type::Words(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn one_of_several_is_said_in_the_fewest_words() {
        let null = |shape| Type::Null(Box::new(shape));
        let cases = [
            (vec![Type::Text], Type::Text),
            (vec![Type::Text, Type::Text], Type::Text),
            (vec![null(Type::Any), Type::Integer], null(Type::Integer)),
            (vec![words(&["a"]), words(&["b", "a"])], words(&["a", "b"])),
            (vec![words(&["a"]), Type::Time], Type::Text),
            (vec![Type::Text, Type::Secret], Type::Secret),
            (vec![Type::Integer, Type::Number], Type::Number),
            (vec![Type::Integer, Type::Any], Type::Any),
            (
                vec![Type::OneOf(vec![Type::Text, Type::Integer]), null(Type::Flag)],
                null(Type::OneOf(vec![Type::Text, Type::Integer, Type::Flag])),
            ),
            (vec![Type::Any, Type::Ref("a".into())], Type::Ref("a".into())),
            (
                vec![Type::List(Box::new(Type::Text)), Type::Flag, Type::List(Box::new(Type::Integer))],
                Type::OneOf(vec![
                    Type::List(Box::new(Type::OneOf(vec![Type::Text, Type::Integer]))),
                    Type::Flag,
                ]),
            ),
            (vec![], Type::Any),
        ];
        for (types, expected) in cases {
            assert_eq!(one_of(types.clone()), expected, "{types:?}");
        }
    }

    #[test]
    fn a_later_part_narrows_an_earlier_one() {
        let field = |name: &str, shape, required| Field {
            name: name.into(),
            shape,
            required,
            gap: false,
            until: None,
            style: None,
        };
        let resolve = |_: &str| {
            Ok(Type::Object(vec![field("id", Type::Integer, false), field("kind", Type::Text, false)]))
        };
        let later = Type::Object(vec![field("kind", words(&["x"]), true), field("more", Type::Flag, false)]);
        let merged = both(Type::Ref("base".into()), later, &resolve).unwrap();
        assert_eq!(
            merged,
            Type::Object(vec![
                field("id", Type::Integer, false),
                field("kind", words(&["x"]), true),
                field("more", Type::Flag, false),
            ])
        );
        assert_eq!(both(words(&["x"]), Type::Text, &resolve).unwrap(), words(&["x"]));
    }
}
