//! What is said about a provider's webhooks: `api/events.toml`, of which the importer reads the concepts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::correct::apply_all;
use super::{CorrectError, Correction};
use crate::facts::Facts;

/// Corrections of payloads, and names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsOverlay {
    /// The importer's.
    #[serde(rename = "concept")]
    _concepts: Vec<toml::Table>,
    /// Corrections; an event's payload is called `issues-event`.
    pub correct: Vec<Correction>,
    /// Place of a type to its name.
    pub names: BTreeMap<String, String>,
}

impl EventsOverlay {
    /// Reads the table of a client crate.
    ///
    /// # Errors
    /// The file's name with what is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn correct(&self, facts: &mut Facts) -> Result<(), CorrectError> {
        match self.correct.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(CorrectError::NoReason(format!("{:?}", entry.at))),
            None => apply_all(facts, &self.correct),
        }
    }
}
