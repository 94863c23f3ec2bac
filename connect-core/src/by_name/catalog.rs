//! The operations of a client crate, as a table.

use serde::Serialize;
use serde_json::Value;

use super::nearest;
use crate::decode::Decoding;
use crate::error::{Error, ErrorKind};
use crate::operation::Operation;
use crate::response::Response;

/// Reads an answer into the operation's model and writes the model as JSON.
pub type Decode = fn(Response, &mut Decoding) -> Result<Value, Error>;

/// One operation of a [`Catalog`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its row.
    pub operation: &'static Operation,
    /// JSON Schema of its arguments, as text.
    schema: &'static str,
    /// Reads its answer, where the crate's models can be written (feature `serialize`) and the answer is JSON.
    pub decode: Option<Decode>,
}

impl Entry {
    /// An operation with the JSON Schema of its arguments.
    pub const fn new(operation: &'static Operation, schema: &'static str) -> Self {
        Self { operation, schema, decode: None }
    }

    /// Says how its answer is read.
    #[must_use]
    pub const fn decoded_by(mut self, decode: Decode) -> Self {
        self.decode = Some(decode);
        self
    }

    /// JSON Schema of its arguments: one flat object with the provider's names.
    pub fn schema(&self) -> Value {
        serde_json::from_str(self.schema).unwrap_or_default()
    }
}

/// A typed answer as JSON: for [`Entry::decoded_by`].
///
/// # Errors
/// That of the answer, or [`ErrorKind::Decode`] for a value that JSON cannot carry.
pub fn typed<T: Serialize>(answer: Result<T, Error>) -> Result<Value, Error> {
    serde_json::to_value(answer?).map_err(|error| {
        Error::new(ErrorKind::Decode, "the model cannot be written as JSON").with_source(error)
    })
}

/// The operations of one category.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// The cargo feature that brings it.
    pub name: &'static str,
    /// In the order of their names.
    pub entries: &'static [Entry],
}

impl Category {
    /// A category.
    pub const fn new(name: &'static str, entries: &'static [Entry]) -> Self {
        Self { name, entries }
    }
}

/// The operations that a client crate was built with.
///
/// Each client crate with the feature `by-name` has one, called `CATALOG`.
#[derive(Clone, Copy, Debug)]
pub struct Catalog {
    provider: &'static str,
    categories: &'static [Category],
}

impl Catalog {
    /// A catalogue.
    pub const fn new(provider: &'static str, categories: &'static [Category]) -> Self {
        Self { provider, categories }
    }

    /// The provider's id.
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// By category.
    pub fn categories(&self) -> &'static [Category] {
        self.categories
    }

    /// All of them.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry> + use<> {
        self.categories.iter().flat_map(|category| category.entries)
    }

    /// The operation of this name, in the provider's spelling.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with the nearest name there is.
    pub fn find(&self, name: &str) -> Result<&'static Entry, Error> {
        self.entries().find(|entry| entry.operation.name == name).ok_or_else(|| {
            let mut message = format!("{} has no operation of this name", self.provider);
            match nearest(name, self.entries().map(|entry| &*entry.operation.name)) {
                Some(nearest) => message.push_str(&format!("; did you mean `{nearest}`?")),
                None => message.push_str("; the catalogue lists those that this program was built with"),
            }
            Error::new(ErrorKind::Invalid, message)
        })
    }
}
