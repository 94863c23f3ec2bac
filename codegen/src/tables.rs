//! Reads and writes [`Facts`] as a folder: `operations.jsonl` and `types.jsonl`, one JSON object a line. What is known of
//! webhooks stands beside them: `events.jsonl` and `event-types.jsonl`.
//!
//! Sorted and always written the same way, so that a diff of two versions shows what changed at the provider and nothing
//! else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::facts::{Event, Events, Facts, Operation, Type};

const OPERATIONS: &str = "operations.jsonl";
const TYPES: &str = "types.jsonl";
const EVENTS: &str = "events.jsonl";
const EVENT_TYPES: &str = "event-types.jsonl";

/// Why tables could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The file system refused.
    #[error("{}: {source}; is this the `api` folder of a client crate?", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A line is no fact.
    #[error("{}:{line}: {source}; correct the line, or import the description again", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Two lines say something about one name.
    #[error("{}:{line}: `{name}` is there twice; keep one of the lines", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Of the operation or type.
        name: String,
    },
}

/// A line of `types.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<T> {
    name: String,
    #[serde(rename = "type")]
    shape: T,
}

/// Reads the tables of a folder.
///
/// # Errors
/// A file that is not there, or the first line that is no fact or says again what another line said.
pub fn read(folder: &Path) -> Result<Facts, TablesError> {
    let mut facts = Facts::default();
    for (line, operation) in lines::<Operation>(&folder.join(OPERATIONS))? {
        let known = facts.operations.binary_search_by(|known: &Operation| known.op.cmp(&operation.op));
        match known {
            Ok(_) => {
                return Err(TablesError::Twice { path: folder.join(OPERATIONS), line, name: operation.op });
            }
            Err(at) => facts.operations.insert(at, operation),
        }
    }
    facts.types = types(folder.join(TYPES))?;
    Ok(facts)
}

/// Reads the tables of a folder's webhooks; none if it has no such tables.
///
/// # Errors
/// As [`read`].
pub fn read_events(folder: &Path) -> Result<Option<Events>, TablesError> {
    if !folder.join(EVENTS).exists() {
        return Ok(None);
    }
    let mut events: BTreeMap<String, Event> = BTreeMap::new();
    for (line, event) in lines::<Event>(&folder.join(EVENTS))? {
        let name = event.event.clone();
        if events.insert(name.clone(), event).is_some() {
            return Err(TablesError::Twice { path: folder.join(EVENTS), line, name });
        }
    }
    let types = types(folder.join(EVENT_TYPES))?;
    Ok(Some(Events { events: events.into_values().collect(), types }))
}

fn types(path: PathBuf) -> Result<BTreeMap<String, Type>, TablesError> {
    let mut types = BTreeMap::new();
    for (line, Named { name, shape }) in lines::<Named<Type>>(&path)? {
        if types.insert(name.clone(), shape).is_some() {
            return Err(TablesError::Twice { path, line, name });
        }
    }
    Ok(types)
}

/// Writes the tables into a folder, which is made if it is not there.
///
/// # Errors
/// The file system's.
pub fn write(folder: &Path, facts: &Facts) -> Result<(), TablesError> {
    fs::create_dir_all(folder).map_err(|source| TablesError::File { path: folder.to_owned(), source })?;
    let mut operations: Vec<&Operation> = facts.operations.iter().collect();
    operations.sort_by(|a, b| a.op.cmp(&b.op));
    put(&folder.join(OPERATIONS), operations)?;
    put(&folder.join(TYPES), named(&facts.types))
}

/// Writes the tables of webhooks into a folder.
///
/// # Errors
/// The file system's.
pub fn write_events(folder: &Path, events: &Events) -> Result<(), TablesError> {
    let mut sorted: Vec<&Event> = events.events.iter().collect();
    sorted.sort_by(|a, b| a.event.cmp(&b.event));
    put(&folder.join(EVENTS), sorted)?;
    put(&folder.join(EVENT_TYPES), named(&events.types))
}

fn named(types: &BTreeMap<String, Type>) -> impl Iterator<Item = Named<&Type>> {
    types.iter().map(|(name, shape)| Named { name: name.clone(), shape })
}

/// The lines of a file, with their numbers; empty ones are passed over.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, TablesError> {
    let text =
        fs::read_to_string(path).map_err(|source| TablesError::File { path: path.to_owned(), source })?;
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| match serde_json::from_str(line) {
            Ok(row) => Ok((at + 1, row)),
            Err(source) => Err(TablesError::Line { path: path.to_owned(), line: at + 1, source }),
        })
        .collect()
}

fn put<T: Serialize>(path: &Path, rows: impl IntoIterator<Item = T>) -> Result<(), TablesError> {
    let failed = |source| TablesError::File { path: path.to_owned(), source };
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, &row).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::facts::{Answer, Field};

    /// A folder of this test's own, removed when it goes.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("codegen-tables-{}-{name}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn facts() -> Facts {
        let operation = |op: &str| Operation {
            op: op.into(),
            method: "GET".into(),
            path: format!("/{op}"),
            answers: vec![Answer {
                status: 200,
                media: Some("application/json".into()),
                shape: Some(Type::List(Box::new(Type::Ref("thing".into())))),
                since: None,
                until: Some("2026".into()),
            }],
            ..Operation::default()
        };
        let field = |name: &str, shape| Field {
            name: name.into(),
            shape,
            required: true,
            gap: true,
            until: None,
            style: None,
        };
        let thing = Type::Object(vec![
            field("z", Type::Words(vec!["a".into(), "b".into()])),
            field("a", Type::Null(Box::new(Type::Integer))),
        ]);
        Facts {
            operations: vec![operation("a/one"), operation("b/two")],
            types: [("thing".to_owned(), thing)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_written_the_same_way() {
        let folder = Folder::new("same");
        write(&folder.0, &facts()).unwrap();
        let first = fs::read_to_string(folder.0.join(TYPES)).unwrap();
        let again = read(&folder.0).unwrap();
        assert_eq!(again, facts());
        write(&folder.0, &again).unwrap();
        assert_eq!(fs::read_to_string(folder.0.join(TYPES)).unwrap(), first);
        assert_eq!(
            first,
            "{\"name\":\"thing\",\"type\":{\"object\":[\
             {\"n\":\"z\",\"t\":{\"words\":[\"a\",\"b\"]},\"req\":true,\"gap\":true},\
             {\"n\":\"a\",\"t\":{\"null\":\"integer\"},\"req\":true,\"gap\":true}]}}\n"
        );
    }

    #[test]
    fn a_wrong_line_is_named_by_file_and_number() {
        let folder = Folder::new("wrong");
        write(&folder.0, &facts()).unwrap();
        let good = r#"{"op":"a","method":"GET","path":"/"}"#;
        fs::write(folder.0.join(OPERATIONS), format!("{good}\n\n{{\"op\":1}}\n")).unwrap();
        let error = read(&folder.0).unwrap_err().to_string();
        assert!(error.contains("operations.jsonl:3: "), "{error}");
        fs::write(folder.0.join(OPERATIONS), format!("{good}\n{good}\n")).unwrap();
        let error = read(&folder.0).unwrap_err().to_string();
        assert!(error.contains("operations.jsonl:2: `a` is there twice"), "{error}");
    }
}
