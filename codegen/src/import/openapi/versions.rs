//! The facts of two versions of an API become one: the older version's, with what the newer one takes away (`until`) and
//! adds (`since`, or never required).

use crate::facts::{Answer, Body, Facts, Field, Operation, Parameter, Type};

/// Which way a value goes, because that decides what is safe to promise.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// To the provider: required if any version requires it.
    Sent,
    /// From the provider: required if every version promises it.
    Received,
}

/// Adds to `facts` what `newer`, the facts of a later version, change.
pub(super) fn merge(facts: &mut Facts, newer: Facts, version: &str) {
    for operation in newer.operations {
        match facts.operations.iter_mut().find(|known| known.op == operation.op) {
            Some(known) => merge_operation(known, operation, version),
            None => facts.operations.push(operation),
        }
    }
    for (name, shape) in newer.types {
        match facts.types.get_mut(&name) {
            Some(known) => merge_type(known, shape, version, Way::Received),
            None => {
                facts.types.insert(name, shape);
            }
        }
    }
}

fn merge_operation(known: &mut Operation, newer: Operation, version: &str) {
    merge_params(&mut known.params, newer.params, version);
    match (&mut known.body, newer.body) {
        (Some(body), Some(newer)) => {
            body.required |= newer.required;
            merge_type(&mut body.shape, newer.shape, version, Way::Sent);
        }
        (body @ None, Some(newer)) => *body = Some(Body { required: false, ..newer }),
        (_, None) => {}
    }
    merge_answers(&mut known.answers, newer.answers, version);
}

fn merge_params(known: &mut Vec<Parameter>, mut newer: Vec<Parameter>, version: &str) {
    for param in known.iter_mut() {
        match newer.iter().position(|other| other.name == param.name && other.place == param.place) {
            Some(at) => {
                let other = newer.remove(at);
                param.required |= other.required;
                merge_type(&mut param.shape, other.shape, version, Way::Sent);
            }
            None => gone(&mut param.until, version),
        }
    }
    known.extend(newer.into_iter().map(|param| Parameter { required: false, ..param }));
}

fn merge_answers(known: &mut Vec<Answer>, mut newer: Vec<Answer>, version: &str) {
    for answer in known.iter_mut() {
        match newer.iter().position(|other| other.status == answer.status && other.media == answer.media) {
            Some(at) => match (&mut answer.shape, newer.remove(at).shape) {
                (Some(shape), Some(other)) => merge_type(shape, other, version, Way::Received),
                (shape, other) => *shape = shape.take().or(other),
            },
            None => gone(&mut answer.until, version),
        }
    }
    known.extend(newer.into_iter().map(|answer| Answer { since: Some(version.to_owned()), ..answer }));
    known.sort_by_key(|answer| answer.status);
}

/// Where a newer version has another type altogether, the older one stays: what the newer lacks is noted when it is read.
fn merge_type(known: &mut Type, newer: Type, version: &str, way: Way) {
    if *known == newer {
        return;
    }
    match (&mut *known, newer) {
        (Type::Null(known), Type::Null(newer)) => merge_type(known, *newer, version, way),
        (Type::Null(known), newer) => merge_type(known, newer, version, way),
        (_, Type::Null(newer)) => {
            merge_type(known, *newer, version, way);
            *known = Type::Null(Box::new(std::mem::replace(known, Type::Any)));
        }
        (Type::List(known), Type::List(newer)) | (Type::Map(known), Type::Map(newer)) => {
            merge_type(known, *newer, version, way);
        }
        (Type::Object(known), Type::Object(newer)) => merge_fields(known, newer, version, way),
        (Type::Words(known), Type::Words(newer)) => extend(known, newer),
        (Type::OneOf(known), Type::OneOf(newer)) if known.len() == newer.len() => {
            for (known, newer) in known.iter_mut().zip(newer) {
                merge_type(known, newer, version, way);
            }
        }
        (Type::OneOf(known), Type::OneOf(newer)) => extend(known, newer),
        _ => {}
    }
}

fn merge_fields(known: &mut Vec<Field>, mut newer: Vec<Field>, version: &str, way: Way) {
    for field in known.iter_mut() {
        match newer.iter().position(|other| other.name == field.name) {
            Some(at) => {
                let other = newer.remove(at);
                field.required = match way {
                    Way::Sent => field.required || other.required,
                    Way::Received => field.required && other.required,
                };
                field.gap |= other.gap;
                merge_type(&mut field.shape, other.shape, version, way);
            }
            None => gone(&mut field.until, version),
        }
    }
    known.extend(newer.into_iter().map(|field| Field { required: false, gap: false, ..field }));
}

fn extend<T: PartialEq>(known: &mut Vec<T>, newer: Vec<T>) {
    for one in newer {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

/// The first version that does not have it any more counts.
fn gone(until: &mut Option<String>, version: &str) {
    until.get_or_insert_with(|| version.to_owned());
}
