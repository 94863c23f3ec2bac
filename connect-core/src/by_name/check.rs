//! Arguments out of JSON: every mistake is found before anything is sent, and named.

use serde_json::Value;

use super::nearest;
use crate::argument::{Arguments, Input, Parameter, Payload, Place, Shape};
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;

/// The arguments of an operation, out of one flat object.
pub(super) fn arguments(operation: &'static Operation, given: Value) -> Result<Arguments, Error> {
    let Value::Object(given) = given else {
        return Err(invalid(
            "the arguments are no JSON object: give one with the provider's names".to_owned(),
        ));
    };
    let rows = operation.parameters;
    let mut arguments = Arguments::new(operation);
    for (name, value) in given {
        let Some(row) = rows.iter().find(|row| row.name == name) else {
            return Err(invalid(unknown(&name, rows)));
        };
        // Outside JSON, `null` can only mean that nothing is given.
        let is_json = matches!(operation.payload, Payload::Json(_) | Payload::SomeJson(_));
        if value.is_null() && !(is_json && matches!(row.place, Place::Field | Place::Body)) {
            continue;
        }
        if !fits(row.shape, &value) {
            let (wanted, got) = (shape_word(row.shape), value_word(&value));
            return Err(invalid(format!("the argument `{name}` is {wanted}, not {got}")));
        }
        let mut input = Input::from(value);
        for path in row.secrets {
            if let Err(mistake) = input.conceal(path) {
                return Err(invalid(format!("the secret in the argument `{name}` {mistake}")));
            }
        }
        arguments = arguments.set(row.name, input);
    }
    let missing: Vec<_> =
        rows.iter().filter(|row| row.is_missing(&arguments)).map(|row| format!("`{}`", row.name)).collect();
    match missing.as_slice() {
        [] => Ok(arguments),
        [one] => Err(invalid(format!("the argument {one} is missing"))),
        many => Err(invalid(format!("the arguments {} are missing", many.join(", ")))),
    }
}

fn unknown(name: &str, rows: &[Parameter]) -> String {
    // A name that somebody typed: short, and no place for a secret.
    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    match nearest(&name, rows.iter().map(|row| row.name)) {
        Some(nearest) => format!("there is no argument `{name}`; did you mean `{nearest}`?"),
        None if rows.is_empty() => format!("there is no argument `{name}`; the operation takes none"),
        None => {
            let known: Vec<_> = rows.iter().map(|row| row.name).collect();
            format!("there is no argument `{name}`; there are {}", known.join(", "))
        }
    }
}

fn fits(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Any, _) | (_, Value::Null) => true,
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => true,
        (Shape::Integer, Value::Number(number)) => !number.is_f64(),
        (Shape::Number, Value::Number(_))
        | (Shape::List, Value::Array(_))
        | (Shape::Object, Value::Object(_)) => true,
        _ => false,
    }
}

fn shape_word(shape: Shape) -> &'static str {
    match shape {
        Shape::Any => "anything",
        Shape::Text => "text",
        Shape::Integer => "a whole number",
        Shape::Number => "a number",
        Shape::Flag => "true or false",
        Shape::List => "a list",
        Shape::Object => "an object",
    }
}

fn value_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}
