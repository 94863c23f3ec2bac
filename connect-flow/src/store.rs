//! What a store is: one trait per role, and one error.
//!
//! A store keeps events, effects, dead letters, mappings and the log. Every method that takes a tenant sees that
//! tenant's rows and no others. All times come from the caller, so a store has no clock of its own; all stores run the
//! same [conformance suite](crate::conformance).

use std::error::Error as StdError;
use std::fmt;

use crate::dead_letter::DeadLetters;
use crate::effect::Effects;
use crate::inbox::Inbox;
use crate::log::Log;
use crate::mapping::Mappings;

/// All roles together.
///
/// Implemented by every type that has them.
pub trait Store: Inbox + Effects + DeadLetters + Mappings + Log + 'static {}

impl<S: Inbox + Effects + DeadLetters + Mappings + Log + 'static> Store for S {}

/// Why a store could not do something, in one word.
///
/// Few, because callers react in few ways: try again later, or stop.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It holds as much as it may, or the disk is full: nothing was stored.
    Full,
    /// It cannot be used now (locked, closing): nothing was stored.
    Unavailable,
    /// What it holds cannot be read, or was written by a newer version.
    Corrupt,
}

/// A store that could not do something. Nothing was half done.
///
/// Made by stores; hosts look at [`StoreError::kind`].
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error with a message that says what to do.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Why, in one word.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A slice of a list, newest first.
///
/// By position, because these lists are for people; machines follow ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How many rows to pass over.
    pub offset: u64,
    /// How many rows to yield at most.
    pub limit: u32,
}

impl Default for Slice {
    fn default() -> Self {
        Self { offset: 0, limit: 50 }
    }
}

/// Some rows of a list, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows asked for.
    pub rows: Vec<T>,
    /// How many rows fit the filter.
    pub total: u64,
}
