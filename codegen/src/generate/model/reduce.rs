//! Types in their simplest form, so that what is equal looks equal and what is left is what Rust has.
//!
//! - A reference to what is no object, no set of words and no union is replaced by what it refers to. The objects in a
//!   named list get a name of their own (`content-directory[]`).
//! - A field says in `required` alone whether the provider promises it: its gaps and its end are counted in.
//! - `null` is left only inside lists, maps and answers; in a field it is the same as not being there.
//! - A union has at most one text, one number, one flag, one list and one map, which is all that can be told apart
//!   without reading on; one that is left alone is no union.
//! - An object without fields is a map of anything; too many words are text.

use std::collections::{BTreeMap, BTreeSet};

use super::{GenerateError, strip};
use crate::facts::{Facts, Field, Type};

/// Nobody matches on more words than this, and each costs compile time.
const MOST_WORDS: usize = 60;

pub(super) struct Reducer<'a> {
    facts: &'a Facts,
    /// What stands for a reference: itself, or what it refers to.
    stands: BTreeMap<String, Type>,
    /// Named objects, sets of words and unions, never `null`.
    definitions: BTreeMap<String, Type>,
    /// Being reduced right now.
    active: Vec<String>,
    /// Referred to while being reduced.
    recursive: BTreeSet<String>,
}

impl<'a> Reducer<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            stands: BTreeMap::new(),
            definitions: BTreeMap::new(),
            active: Vec::new(),
            recursive: BTreeSet::new(),
        }
    }

    /// The object, the set of words or the union of this name.
    pub(super) fn definition(&self, name: &str) -> Result<&Type, GenerateError> {
        self.definitions.get(name).ok_or_else(|| GenerateError::UnknownType(name.to_owned()))
    }

    /// A reference's definition; every other type as it is.
    pub(super) fn resolve<'t>(&'t self, shape: &'t Type) -> Result<&'t Type, GenerateError> {
        match shape {
            Type::Ref(name) => self.definition(name),
            shape => Ok(shape),
        }
    }

    pub(super) fn reduce(&mut self, shape: &Type) -> Result<Type, GenerateError> {
        Ok(match shape {
            Type::Bytes => Type::Text,
            Type::Words(words) => reduce_words(words.iter().cloned()),
            Type::List(item) => Type::List(Box::new(self.reduce(item)?)),
            Type::Map(value) => Type::Map(Box::new(self.reduce(value)?)),
            Type::Null(inner) => nullable(true, self.reduce(inner)?),
            Type::Object(fields) if fields.is_empty() => Type::Map(Box::new(Type::Any)),
            Type::Object(fields) => {
                let mut known = BTreeSet::new();
                let mut reduced = Vec::new();
                for field in fields {
                    if known.insert(&field.name) {
                        reduced.push(self.reduce_field(field)?);
                    }
                }
                Type::Object(reduced)
            }
            Type::Ref(name) => self.reduce_named(name)?,
            Type::OneOf(shapes) => self.reduce_union(shapes)?,
            shape => shape.clone(),
        })
    }

    fn reduce_field(&mut self, field: &Field) -> Result<Field, GenerateError> {
        let (null, shape) = strip(self.reduce(&field.shape)?);
        let required = field.required && !field.gap && field.until.is_none() && !null;
        Ok(Field { name: field.name.clone(), shape, required, gap: false, until: None, style: None })
    }

    fn reduce_named(&mut self, name: &str) -> Result<Type, GenerateError> {
        if let Some(known) = self.stands.get(name) {
            return Ok(known.clone());
        }
        if self.definitions.contains_key(name) {
            return Ok(Type::Ref(name.to_owned()));
        }
        let shape = self.facts.types.get(name).ok_or_else(|| GenerateError::UnknownType(name.to_owned()))?;
        if self.active.iter().any(|active| active == name) {
            self.recursive.insert(name.to_owned());
            return Ok(nullable(self.has_null(shape, 0), Type::Ref(name.to_owned())));
        }
        self.active.push(name.to_owned());
        let reduced = self.reduce(shape)?;
        self.active.pop();
        let (null, core) = strip(reduced);
        let stand = match core {
            Type::Object(_) | Type::Words(_) | Type::OneOf(_) => self.define(name.to_owned(), core),
            _ if self.recursive.contains(name) => return Err(GenerateError::Endless(name.to_owned())),
            Type::List(item) => Type::List(Box::new(self.define_item(name, *item))),
            Type::Map(value) => Type::Map(Box::new(self.define_item(name, *value))),
            core => core,
        };
        let stand = nullable(null, stand);
        self.stands.insert(name.to_owned(), stand.clone());
        Ok(stand)
    }

    fn define(&mut self, name: String, shape: Type) -> Type {
        self.definitions.insert(name.clone(), shape);
        Type::Ref(name)
    }

    fn define_item(&mut self, name: &str, item: Type) -> Type {
        let (null, core) = strip(item);
        let core = match core {
            Type::Object(_) | Type::Words(_) | Type::OneOf(_) => self.define(format!("{name}[]"), core),
            Type::List(inner) => Type::List(Box::new(self.define_item(name, *inner))),
            core => core,
        };
        nullable(null, core)
    }

    fn has_null(&self, shape: &Type, depth: usize) -> bool {
        match shape {
            Type::Null(_) => true,
            Type::OneOf(shapes) => shapes.iter().any(|shape| self.has_null(shape, depth + 1)),
            Type::Ref(name) if depth < 16 => {
                self.facts.types.get(name).is_some_and(|shape| self.has_null(shape, depth + 1))
            }
            _ => false,
        }
    }

    fn reduce_union(&mut self, shapes: &[Type]) -> Result<Type, GenerateError> {
        let mut null = false;
        let mut flat = Vec::new();
        for shape in shapes {
            let (with_null, core) = strip(self.reduce(shape)?);
            null |= with_null;
            match self.resolve_if_known(&core) {
                Type::OneOf(inner) => flat.extend(inner.clone()),
                _ => flat.push(core),
            }
        }
        let mut union = Vec::new();
        for shape in flat {
            if matches!(shape, Type::Any) {
                return Ok(Type::Any);
            }
            let class = class(self.resolve_if_known(&shape));
            let same = |other: &Type| class.is_some() && self::class(self.resolve_if_known(other)) == class;
            let Some(at) = union.iter().position(same) else {
                let resolved = self.resolve_if_known(&shape);
                if !union.iter().any(|other| *other == shape || self.resolve_if_known(other) == resolved) {
                    union.push(shape);
                }
                continue;
            };
            if union[at] != shape {
                let other = std::mem::replace(&mut union[at], Type::Any);
                union[at] = self.merge(other, shape)?;
            }
        }
        let reduced = match union.len() {
            0 => Type::Any,
            1 => union.swap_remove(0),
            _ => Type::OneOf(union),
        };
        Ok(nullable(null, reduced))
    }

    /// Two shapes of one class as one.
    fn merge(&mut self, left: Type, right: Type) -> Result<Type, GenerateError> {
        Ok(match (self.resolve_if_known(&left).clone(), self.resolve_if_known(&right).clone()) {
            (Type::List(left), Type::List(right)) => {
                Type::List(Box::new(self.reduce_union(&[*left, *right])?))
            }
            (Type::Map(left), Type::Map(right)) => Type::Map(Box::new(self.reduce_union(&[*left, *right])?)),
            (Type::Words(left), Type::Words(right)) => reduce_words(left.into_iter().chain(right)),
            (Type::Secret, _) | (_, Type::Secret) => Type::Secret,
            (Type::Integer | Type::Number, _) => Type::Number,
            _ => Type::Text,
        })
    }

    /// Like [`Reducer::resolve`]; a type that is being reduced right now stays a reference.
    fn resolve_if_known<'t>(&'t self, shape: &'t Type) -> &'t Type {
        match shape {
            Type::Ref(name) => self.definitions.get(name).unwrap_or(shape),
            shape => shape,
        }
    }
}

/// What a union has at most one of.
#[derive(PartialEq)]
enum Class {
    Text,
    Number,
    Flag,
    List,
    Map,
}

fn class(shape: &Type) -> Option<Class> {
    match shape {
        Type::Text | Type::Time | Type::Link | Type::Secret | Type::Bytes | Type::Words(_) => {
            Some(Class::Text)
        }
        Type::Integer | Type::Number => Some(Class::Number),
        Type::Flag => Some(Class::Flag),
        Type::List(_) => Some(Class::List),
        Type::Map(_) => Some(Class::Map),
        Type::Any | Type::Object(_) | Type::Ref(_) | Type::OneOf(_) | Type::Null(_) => None,
    }
}

fn nullable(null: bool, shape: Type) -> Type {
    match shape {
        shape if !null => shape,
        Type::Any | Type::Null(_) => shape,
        shape => Type::Null(Box::new(shape)),
    }
}

fn reduce_words(words: impl Iterator<Item = String>) -> Type {
    let mut known = BTreeSet::new();
    let words: Vec<String> = words.filter(|word| known.insert(word.clone())).collect();
    if words.is_empty() || words.len() > MOST_WORDS { Type::Text } else { Type::Words(words) }
}
