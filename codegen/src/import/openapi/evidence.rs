//! What official examples contradict: a field that the schema promises, and an example lacks or says `null` for.
//!
//! Not every absence is evidence: many examples are sketches, an issue with a title and nothing else. An object that
//! lacks most of what is promised says nothing, and neither does one slip among many complete objects. `null` does: nobody
//! writes it out of haste.
//!
//! Nothing else is noted here. A value of another type than the schema says needs a person's judgement, and that is the
//! overlay's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::operation::Example;
use crate::facts::{Facts, Field, Type};

/// Where a gap is: in a named type, or in what stands in an operation's answer itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    Type(String),
    Answer { operation: usize, answer: usize },
}

/// What was seen of promised fields, by root and path (`.owner`, `[].owner.login`, `|1.name`).
type Seen = BTreeMap<Root, BTreeMap<String, Tally>>;

/// How often a promised field was there.
#[derive(Default)]
struct Tally {
    objects: usize,
    absent: usize,
    null: usize,
}

impl Tally {
    /// One complete object in ten that lacks a field is a habit, fewer are slips: the decoder fills those in and says so.
    fn is_gap(&self) -> bool {
        self.null > 0 || (self.absent > 0 && self.absent * 10 >= self.objects)
    }
}

/// An object that promises so many fields and has less than half of them is a sketch.
const SKETCHED_FROM: usize = 4;

/// More aliases in a row than any sane description has: they name each other.
const MOST_HOPS: usize = 16;

/// Marks the fields that any of the examples has a gap in. `examples[n]` are those of the n-th operation.
pub(super) fn mark(facts: &mut Facts, examples: &[Vec<Example>]) {
    let mut seen = Seen::new();
    for (operation, examples) in examples.iter().enumerate() {
        for Example { answer, value } in examples {
            let shape = facts.operations.get(operation).and_then(|row| row.answers.get(*answer));
            let Some(shape) = shape.and_then(|answer| answer.shape.as_ref()) else { continue };
            let place = Place { root: Root::Answer { operation, answer: *answer }, path: String::new() };
            Walk { types: &facts.types, seen: &mut seen }.compare(value, shape, place);
        }
    }
    for (root, fields) in seen {
        let paths: BTreeSet<String> =
            fields.into_iter().filter(|(_, tally)| tally.is_gap()).map(|(path, _)| path).collect();
        let shape = match root {
            Root::Type(name) => facts.types.get_mut(&name),
            Root::Answer { operation, answer } => {
                let row = facts.operations.get_mut(operation).and_then(|row| row.answers.get_mut(answer));
                row.and_then(|answer| answer.shape.as_mut())
            }
        };
        if let Some(shape) = shape {
            set(shape, "", &paths);
        }
    }
}

#[derive(Clone)]
struct Place {
    root: Root,
    path: String,
}

impl Place {
    fn step(&self, step: &str) -> Self {
        Self { root: self.root.clone(), path: format!("{}{step}", self.path) }
    }
}

struct Walk<'a> {
    types: &'a BTreeMap<String, Type>,
    seen: &'a mut Seen,
}

impl<'a> Walk<'a> {
    fn compare(&mut self, value: &Value, shape: &'a Type, place: Place) {
        match (shape, value) {
            (Type::Ref(_), _) => {
                if let Some((name, shape)) = named(self.types, shape) {
                    self.compare(
                        value,
                        shape,
                        Place { root: Root::Type(name.to_owned()), path: String::new() },
                    );
                }
            }
            (Type::Null(inner), _) => self.compare(value, inner, place),
            (Type::List(item), Value::Array(values)) => {
                for value in values {
                    self.compare(value, item, place.step("[]"));
                }
            }
            (Type::Map(item), Value::Object(values)) => {
                for value in values.values() {
                    self.compare(value, item, place.step("{}"));
                }
            }
            (Type::OneOf(variants), _) => {
                if let Some(at) = self.best(value, variants) {
                    self.compare(value, &variants[at], place.step(&format!("|{at}")));
                }
            }
            (Type::Object(fields), Value::Object(values)) => {
                let is_sketch = is_sketch(fields, values);
                for field in fields {
                    let place = place.step(&format!(".{}", field.name));
                    let value = values.get(&field.name);
                    if field.required && !is_sketch {
                        let null = value.is_some_and(Value::is_null) && !self.may_be_null(&field.shape);
                        let tallies = self.seen.entry(place.root.clone()).or_default();
                        let tally = tallies.entry(place.path.clone()).or_default();
                        tally.objects += 1;
                        tally.absent += usize::from(value.is_none());
                        tally.null += usize::from(null);
                    }
                    if let Some(value) = value {
                        self.compare(value, &field.shape, place);
                    }
                }
            }
            _ => {}
        }
    }

    fn may_be_null(&self, shape: &'a Type) -> bool {
        match shape {
            Type::Null(_) | Type::Any => true,
            Type::Ref(_) => named(self.types, shape).is_some_and(|(_, shape)| self.may_be_null(shape)),
            _ => false,
        }
    }

    /// The variant that fits best; none if two fit as well, because then a gap may be the other one's.
    fn best(&self, value: &Value, variants: &'a [Type]) -> Option<usize> {
        let mut scores: Vec<(i64, usize)> = variants
            .iter()
            .enumerate()
            .filter_map(|(at, shape)| self.score(value, shape).map(|score| (score, at)))
            .collect();
        scores.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        match scores.as_slice() {
            [(first, _), (second, _), ..] if first == second => None,
            [(_, at), ..] => Some(*at),
            [] => None,
        }
    }

    /// How well a value fits a type, the higher the better; none if it cannot be one.
    fn score(&self, value: &Value, shape: &'a Type) -> Option<i64> {
        match (shape, value) {
            (Type::Ref(_), _) => named(self.types, shape).and_then(|(_, shape)| self.score(value, shape)),
            (Type::Null(_), Value::Null) | (Type::Any, _) => Some(0),
            (Type::Null(inner), _) => self.score(value, inner),
            (Type::OneOf(variants), _) => {
                variants.iter().filter_map(|variant| self.score(value, variant)).max()
            }
            (Type::List(item), Value::Array(values)) => match values.first() {
                Some(first) => self.score(first, item),
                None => Some(0),
            },
            (Type::Object(fields), Value::Object(values)) => {
                let fit = |field: &Field| match (&field.shape, values.get(&field.name)) {
                    (Type::Words(words), Some(Value::String(word))) if !words.contains(word) => None,
                    (_, Some(_)) => Some(2),
                    (_, None) => Some(-i64::from(field.required)),
                };
                // Two for a field that is known and there, less one for each that is there.
                let known: i64 = fields.iter().map(fit).sum::<Option<i64>>()?;
                Some(known - i64::try_from(values.len()).unwrap_or(i64::MAX))
            }
            (Type::Map(_), Value::Object(_)) | (Type::Flag, Value::Bool(_)) => Some(0),
            (Type::Words(words), Value::String(word)) => words.contains(word).then_some(1),
            (Type::Text | Type::Time | Type::Link | Type::Secret, Value::String(_)) => Some(0),
            (Type::Integer | Type::Number, Value::Number(_)) => Some(0),
            _ => None,
        }
    }
}

fn is_sketch(fields: &[Field], values: &serde_json::Map<String, Value>) -> bool {
    let promised = fields.iter().filter(|field| field.required);
    let (promised, kept) = promised.fold((0, 0), |(promised, kept), field| {
        (promised + 1, kept + usize::from(values.contains_key(&field.name)))
    });
    promised >= SKETCHED_FROM && kept * 2 < promised
}

/// The named type that is no other name for another one.
fn named<'a>(types: &'a BTreeMap<String, Type>, shape: &'a Type) -> Option<(&'a str, &'a Type)> {
    let mut here = shape;
    let mut found = None;
    for _ in 0..MOST_HOPS {
        let Type::Ref(name) = here else { return found };
        here = types.get(name)?;
        found = Some((name.as_str(), here));
    }
    None
}

fn set(shape: &mut Type, path: &str, gaps: &BTreeSet<String>) {
    match shape {
        Type::Object(fields) => {
            for field in fields {
                let path = format!("{path}.{}", field.name);
                field.gap |= gaps.contains(&path);
                set(&mut field.shape, &path, gaps);
            }
        }
        Type::List(item) => set(item, &format!("{path}[]"), gaps),
        Type::Map(item) => set(item, &format!("{path}{{}}"), gaps),
        Type::Null(inner) => set(inner, path, gaps),
        Type::OneOf(variants) => {
            for (at, variant) in variants.iter_mut().enumerate() {
                set(variant, &format!("{path}|{at}"), gaps);
            }
        }
        _ => {}
    }
}
