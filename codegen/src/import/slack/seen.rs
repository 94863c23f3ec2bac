//! What was seen in several places becomes one type.

use crate::facts::{Field, Type};
use crate::import::combine::{one_of, or_null};

/// A value that was seen as either. A field is required if it was there in both.
pub(super) fn either(known: Type, other: Type) -> Type {
    match (known, other) {
        (a, b) if a == b => a,
        // An empty list or object shows nothing.
        (Type::Any, shape) | (shape, Type::Any) => shape,
        (Type::Null(a), Type::Null(b)) => or_null(either(*a, *b)),
        (Type::Null(a), b) | (b, Type::Null(a)) => or_null(either(*a, b)),
        (Type::List(a), Type::List(b)) => Type::List(Box::new(either(*a, *b))),
        (Type::Map(a), Type::Map(b)) => Type::Map(Box::new(either(*a, *b))),
        (Type::Object(a), Type::Object(b)) => Type::Object(fields_of_either(a, b)),
        (a, b) => one_of(vec![a, b]),
    }
}

fn fields_of_either(mut known: Vec<Field>, other: Vec<Field>) -> Vec<Field> {
    for field in &mut known {
        field.required &= other.iter().any(|other| other.name == field.name && other.required);
    }
    for field in other {
        match known.iter_mut().find(|known| known.name == field.name) {
            Some(known) => known.shape = either(std::mem::replace(&mut known.shape, Type::Any), field.shape),
            None => known.push(Field { required: false, ..field }),
        }
    }
    known
}
