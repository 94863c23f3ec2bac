//! Which objects in payloads are the same thing.

use serde::Deserialize;

use crate::facts::{Field, Type};
use crate::import::ImportError;
use crate::overlay::Pattern;

/// A thing that many payloads have in them, each describing it anew: a row of the table that the caller gives. The first
/// row that fits an object counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// The type's name; a map has none.
    #[serde(default)]
    pub name: String,
    /// Names of schemas, one of them.
    #[serde(default)]
    pub named: Vec<Pattern>,
    /// Fields that the object has.
    #[serde(default)]
    pub has: Vec<String>,
    /// Fields that it has not.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// All of its fields.
    #[serde(default)]
    pub only: Vec<String>,
    /// The fields that it stands in, one of them: `head`.
    #[serde(default)]
    pub field: Vec<String>,
    /// Of which kind the first field of `only` is: `text`, `number`, `flag`.
    #[serde(default)]
    pub kind: Option<String>,
    /// It is a map: its names are the provider's data, and its values are of one type.
    #[serde(default)]
    pub map: bool,
    /// Fields that are always there, although some of the descriptions do not promise them.
    #[serde(default)]
    pub promised: Vec<String>,
    /// Why these are the same.
    pub reason: String,
}

impl Concept {
    /// Does an object with this name and these fields, in the field of this name, fit? `kind` tells the kind of a field.
    pub(super) fn fits(
        &self,
        name: Option<&str>,
        fields: &[Field],
        place: &str,
        kind: impl Fn(&Type) -> Option<&'static str>,
    ) -> bool {
        let find = |name: &String| fields.iter().find(|field| field.name == *name);
        let is_kind = |wanted: &String| {
            let field = self.only.first().and_then(find);
            field.and_then(|field| kind(&field.shape)) == Some(wanted.as_str())
        };
        let is_named = name.is_some_and(|name| self.named.iter().any(|pattern| pattern.matches(name)));
        (self.named.is_empty() || is_named)
            && (self.field.is_empty() || self.field.iter().any(|name| name == place))
            && (self.only.is_empty()
                || self.only.len() == fields.len() && self.only.iter().all(|name| find(name).is_some()))
            && self.has.iter().all(|name| find(name).is_some())
            && self.lacks.iter().all(|name| find(name).is_none())
            && self.kind.as_ref().is_none_or(is_kind)
    }

    fn says_nothing(&self) -> bool {
        let finds = !self.named.is_empty()
            || [&self.has, &self.only, &self.field].iter().any(|names| !names.is_empty());
        !finds || self.name.is_empty() != self.map || self.reason.trim().is_empty()
    }
}

/// Reads a table of concepts: TOML, with a `[[concept]]` for each. Other tables in it are somebody else's.
///
/// # Errors
/// It is no such table, or a row says nothing.
pub fn concepts(table: &str) -> Result<Vec<Concept>, ImportError> {
    #[derive(Deserialize)]
    struct Table {
        #[serde(default)]
        concept: Vec<Concept>,
    }
    let table: Table = toml::from_str(table)?;
    match table.concept.iter().find(|concept| concept.says_nothing()) {
        Some(concept) => Err(ImportError::Concept(format!("{:?} {:?}", concept.name, concept.has))),
        None => Ok(table.concept),
    }
}
