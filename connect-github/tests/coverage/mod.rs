//! How much of an example lands in typed fields of the model that it decodes into.
//!
//! A value has landed if the model, written as JSON, has it at the same place, and if the place has a type. Whether it has
//! is asked of the model itself: an object that keeps a field which nobody knows is untyped with all that is in it, and so
//! is a field that takes another kind of value and keeps it. (A field that is text or a number counts as untyped, too: it
//! keeps what is neither.) `null` and absent are the same and count for nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A name that no provider uses.
const STRANGER: &str = "__stranger";

/// Decodes a value and writes it again; none if it is refused.
pub(crate) type Again<'a> = &'a dyn Fn(&Value) -> Option<Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Landed,
    Untyped,
    Changed,
    Vanished,
}

/// Where the values of many examples went.
#[derive(Default)]
pub(crate) struct Coverage {
    /// By place (`issues/get .labels[].name`) and fate.
    places: BTreeMap<(String, Fate), usize>,
    /// What is known of the fields of models, by all fields that the model writes: most models are in many examples.
    known: BTreeMap<(Vec<String>, String), Fate>,
}

/// One step into a value.
#[derive(Clone)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

/// What an object has become.
#[derive(Clone)]
enum Home {
    /// A model, by all its fields.
    Model(Vec<String>),
    /// A map of a type.
    Map,
    /// Whatever came.
    Anything,
}

/// One example and its model.
struct Example<'e> {
    value: &'e Value,
    typed: &'e Value,
    again: Again<'e>,
    /// What the objects have become, by place.
    homes: BTreeMap<String, Home>,
}

impl Coverage {
    /// Adds one example and the model that was made of it.
    pub(crate) fn add(&mut self, name: &str, value: &Value, typed: &Value, again: Again<'_>) {
        let mut example = Example { value, typed, again, homes: BTreeMap::new() };
        each(value, &mut Vec::new(), &mut |path, value| {
            let fate = match at(typed, path) {
                None | Some(Value::Null) => Fate::Vanished,
                Some(landed) if !same(value, landed) => Fate::Changed,
                Some(_) => example.fate(path, &mut self.known),
            };
            *self.places.entry((format!("{name} {}", show(path)), fate)).or_default() += 1;
        });
    }

    /// How many values there were, and how many of them landed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let fates = self.fates();
        (fates.values().sum(), fates.get(&Fate::Landed).copied().unwrap_or_default())
    }

    /// How many in a hundred landed.
    pub(crate) fn percent(&self) -> f64 {
        let (all, landed) = self.counts();
        100.0 * f64::from(u32::try_from(landed).unwrap()) / f64::from(u32::try_from(all.max(1)).unwrap())
    }

    /// The places that lost most.
    pub(crate) fn lost(&self, most: usize) -> Vec<(&str, Fate, usize)> {
        let mut lost: Vec<_> = self.places.iter().filter(|((_, fate), _)| *fate != Fate::Landed).collect();
        lost.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        lost.into_iter().take(most).map(|((place, fate), count)| (place.as_str(), *fate, *count)).collect()
    }

    /// By fate.
    pub(crate) fn fates(&self) -> BTreeMap<Fate, usize> {
        let mut fates = BTreeMap::new();
        for ((_, fate), count) in &self.places {
            *fates.entry(*fate).or_default() += count;
        }
        fates
    }
}

impl Example<'_> {
    /// The fate of a value that is in the model as it was.
    fn fate(&mut self, path: &[Step<'_>], known: &mut BTreeMap<(Vec<String>, String), Fate>) -> Fate {
        let objects: Vec<_> = objects(path).collect();
        // From the outside, because there is no more to know in an object that takes anything.
        for object in objects.iter().rev() {
            if matches!(self.home(object), Home::Anything) {
                return Fate::Untyped;
            }
        }
        let probe = || if self.is_untyped(path) { Fate::Untyped } else { Fate::Landed };
        match objects.first().map(|object| (object.len(), self.homes[&show(object)].clone())) {
            Some((_, Home::Map)) => Fate::Landed,
            Some((at, Home::Model(fields))) => {
                *known.entry((fields, show(&path[at..]))).or_insert_with(probe)
            }
            _ => probe(),
        }
    }

    fn home(&mut self, path: &[Step<'_>]) -> &Home {
        let place = show(path);
        if !self.homes.contains_key(&place) {
            let kept = (self.again)(&with_stranger(self.value, path));
            let home = match kept.as_ref().and_then(|kept| at(kept, path)) {
                Some(object) if object.get(STRANGER).is_some() => Home::Anything,
                Some(_) => {
                    let fields = at(self.typed, path).and_then(Value::as_object);
                    Home::Model(fields.into_iter().flatten().map(|(name, _)| name.clone()).collect())
                }
                None => Home::Map,
            };
            self.homes.insert(place.clone(), home);
        }
        &self.homes[&place]
    }

    /// Does the place take what no model knows, and give it back?
    fn is_untyped(&self, path: &[Step<'_>]) -> bool {
        let stranger = json!({STRANGER: [true]});
        let mut changed = self.value.clone();
        *at_mut(&mut changed, path).unwrap() = stranger.clone();
        if (self.again)(&changed).is_none_or(|typed| at(&typed, path) != Some(&stranger)) {
            return false;
        }
        // A union keeps a shape that it does not know as it came. Then it is not the place that takes anything, but one of
        // the objects round it, and only since the change.
        !objects(path).any(|object| {
            let kept = (self.again)(&with_stranger(&changed, object));
            kept.is_some_and(|kept| at(&kept, object).is_some_and(|object| object.get(STRANGER).is_some()))
        })
    }
}

/// Calls `found` with each value that is no list, no object and not `null`.
fn each<'a>(value: &'a Value, path: &mut Vec<Step<'a>>, found: &mut dyn FnMut(&[Step<'a>], &'a Value)) {
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Item(index));
                each(item, path, found);
                path.pop();
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                path.push(Step::Field(name));
                each(field, path, found);
                path.pop();
            }
        }
        leaf => found(path, leaf),
    }
}

/// The objects round a place, the inmost first.
fn objects<'p, 's>(path: &'p [Step<'s>]) -> impl Iterator<Item = &'p [Step<'s>]> {
    (0..path.len()).rev().filter(|at| matches!(path[*at], Step::Field(_))).map(|at| &path[..at])
}

fn show(path: &[Step<'_>]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Item(_) => "[]".to_owned(),
        })
        .collect()
}

fn at<'v>(value: &'v Value, path: &[Step<'_>]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Field(name) => value.get(*name),
        Step::Item(index) => value.get(*index),
    })
}

fn at_mut<'v>(value: &'v mut Value, path: &[Step<'_>]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Field(name) => value.get_mut(*name),
        Step::Item(index) => value.get_mut(*index),
    })
}

fn with_stranger(value: &Value, object: &[Step<'_>]) -> Value {
    let mut value = value.clone();
    if let Some(fields) = at_mut(&mut value, object).and_then(Value::as_object_mut) {
        fields.insert(STRANGER.to_owned(), json!([true]));
    }
    value
}

/// Secrets are never written, and 1 is 1.0.
fn same(value: &Value, landed: &Value) -> bool {
    match (value, landed) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => value == landed || landed == "[redacted]",
    }
}

#[test]
fn a_place_is_untyped_if_it_keeps_anything() {
    let again = |value: &Value| {
        let id = value.get("id").filter(|id| id.is_number())?;
        let words = value.get("words")?.as_object()?;
        words.values().all(Value::is_string).then_some(())?;
        Some(json!({"id": id, "extra": value.get("extra"), "one": value.get("one"), "words": words}))
    };
    let example = json!({
        "id": 1, "extra": {"a": "b"}, "one": "any", "words": {"a": "b", "c": "d"}, "lost": [1, 2], "nil": null,
    });
    let mut coverage = Coverage::default();
    coverage.add("x", &example, &again(&example).unwrap(), &again);
    assert_eq!(coverage.lost(1), [("x .lost[]", Fate::Vanished, 2)]);
    assert_eq!((coverage.fates()[&Fate::Untyped], coverage.counts()), (2, (7, 3)));
}
