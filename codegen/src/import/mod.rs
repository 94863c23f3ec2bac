//! From a provider's description to [`Facts`](crate::facts::Facts): the shapes, and none of the prose.
//!
//! [`openapi`] reads OpenAPI 3.0 and 3.1 of any provider, with what GitHub adds to it; [`slack`] reads the tables of
//! Slack's methods and of the shapes of its answers. What a description gets wrong is not corrected here but in the
//! overlay, with a reason; an importer notes only what official examples contradict (`gap`).

mod combine;
mod openapi;
mod order;
mod slack;

pub use openapi::{Concept, concepts, events, has_webhooks, openapi};
pub use order::parse;
pub use slack::{Share, shares, slack};

use std::io;
use std::path::PathBuf;

/// Why a description could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It has no `paths`, or another version of the format.
    #[error("this is no OpenAPI 3 description ({0}); convert older ones first")]
    NotOpenApi(String),
    /// It refers to something that is not in it.
    #[error("`$ref` to `{0}`, which is not in the document; bundle external files into it first")]
    Reference(String),
    /// Nothing here can write what the description asks for.
    #[error(
        "{operation}: `{parameter}` {why}, which we cannot write: correct the description, or drop the parameter in a \
         copy of it"
    )]
    Unwritable {
        /// The operation.
        operation: String,
        /// Its parameter, or the field of its form.
        parameter: String,
        /// What is asked for.
        why: String,
    },
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A line of a table is not what it should be.
    #[error("{}:{line}: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The table of shared types is not TOML, or not such a table.
    #[error("the table of shared types: {0}")]
    Shares(#[from] toml::de::Error),
    /// A row of the table of shared types says nothing about its places.
    #[error("the shared type at `{0}` has no `name`, no `type` and no `required`; give it one")]
    SaysNothing(String),
    /// A row of the table of concepts.
    #[error(
        "the concept {0} fits no object, or says nothing: give it fields to know it by, a `name` or `map`, and a reason"
    )]
    Concept(String),
    /// A pattern of the table of shared types finds nothing.
    #[error(
        "`{pattern}` of the shared type `{name}` matches nothing that another row does not; correct or remove it"
    )]
    Unmatched {
        /// The shared type.
        name: String,
        /// Its pattern.
        pattern: String,
    },
}
