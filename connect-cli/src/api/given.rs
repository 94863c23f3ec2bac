//! What is given to a command beside its options: arguments in JSON, answers and bodies out of files or standard input.

use std::io::Read;

use connect_core::by_name::Entry;
use serde_json::{Value, json};

use crate::{Failure, World};

/// More than any provider takes in JSON or answers with in one page.
const LONGEST_BYTES: u64 = 64 * 1024 * 1024;

/// The arguments of an operation: one flat object, as text, `@FILE`, or `-` for standard input.
///
/// A secret among them is taken from a file or standard input only: the words of a command line are for every process of
/// the machine to read.
pub(super) fn arguments(text: Option<&str>, entry: &Entry, world: &mut World) -> Result<Value, Failure> {
    let (bytes, whence) = match text {
        None => return Ok(json!({})),
        Some("-") => (input(world)?, "standard input"),
        Some(text) => match text.strip_prefix('@') {
            Some(path) => (file(path)?, path),
            None => (text.as_bytes().to_vec(), "--args"),
        },
    };
    // The error says where, and quotes nothing: there may be a secret in it.
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Usage(format!("the arguments ({whence}) are no JSON: {error}")))?;
    let secret = entry.operation.parameters.iter().find(|parameter| {
        let given = value.get(parameter.name);
        given.is_some_and(|given| parameter.secrets.iter().any(|path| holds(given, path)))
    });
    match secret {
        Some(parameter) if whence == "--args" => Err(Failure::Usage(format!(
            "`{}` is a secret, and every process of this machine can read a command line: give the arguments by \
             --args @FILE, or --args - for standard input",
            parameter.name
        ))),
        _ => Ok(value),
    }
}

/// Is there a text at this dotted path? Lists on the way are passed through.
fn holds(value: &Value, path: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| holds(item, path)),
        Value::String(_) => path.is_empty(),
        Value::Object(fields) if !path.is_empty() => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            fields.get(name).is_some_and(|value| holds(value, rest))
        }
        _ => false,
    }
}

/// Standard input, whole.
pub(super) fn input(world: &mut World) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    (&mut world.input)
        .take(LONGEST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Usage(format!("standard input could not be read: {error}")))?;
    if bytes.len() as u64 > LONGEST_BYTES {
        return Err(Failure::Usage("standard input is longer than 64 MiB".to_owned()));
    }
    Ok(bytes)
}

/// A file, whole.
pub(super) fn file(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::Usage(format!("{path}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::argument::{Parameter, Payload, Shape};
    use connect_core::{Method, Operation, Safety};
    use std::time::SystemTime;

    const LOGIN: &Operation = &Operation::new("login", Method::POST, "/login", Safety::Unsafe).takes(
        Payload::Json("application/json"),
        &[
            Parameter::field("user", Shape::Text),
            Parameter::field("token", Shape::Text).secrets(&[""]),
            Parameter::field("hooks", Shape::List).secrets(&["config.secret"]),
        ],
    );

    fn given(text: &str, input: &'static str) -> Result<Value, Failure> {
        let mut world = World {
            vars: Box::new(|_| None),
            input: Box::new(input.as_bytes()),
            out: Box::new(std::io::sink()),
            err: Box::new(std::io::sink()),
            has_colours: false,
            now: SystemTime::UNIX_EPOCH,
        };
        arguments(Some(text), &Entry::new(LOGIN, "{}"), &mut world)
    }

    #[test]
    fn a_secret_is_taken_from_standard_input_and_not_from_a_command_line() {
        const SECRET: &str = r#"{"user":"u","token":"canary"}"#;
        assert_eq!(given("-", SECRET).unwrap()["token"], "canary");
        let Err(Failure::Usage(message)) = given(SECRET, "") else { unreachable!("a secret was taken") };
        assert!(message.contains("`token` is a secret") && !message.contains("canary"), "{message}");
        assert!(given(r#"{"user":"u","token":null}"#, "").is_ok());
        // What is beside a secret is none.
        assert!(given(r#"{"hooks":[{"config":{"url":"u"}}]}"#, "").is_ok());
        assert!(given(r#"{"hooks":[{"config":{"url":"u","secret":"canary"}}]}"#, "").is_err());
    }
}
