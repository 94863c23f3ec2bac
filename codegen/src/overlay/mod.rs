//! The overlay: what a description does not say or says wrong, by hand, in TOML, each entry with its reason.
//!
//! A description lists operations; it does not say which of them may be sent twice, how a list goes on, or that a field is
//! a secret. And its own examples break it in places. `api/overlay.toml` of each client crate says so, once.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::facts::{Style, Type};

mod correct;
mod events;
mod pattern;
mod place;

pub use correct::CorrectError;
pub use events::EventsOverlay;
pub use pattern::Pattern;

/// What is said about one provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Facts about all of it.
    pub provider: Provider,
    /// How lists go on, tried in this order.
    #[serde(default)]
    pub paging: Vec<PagingRule>,
    /// Corrections of facts.
    #[serde(default)]
    pub correct: Vec<Correction>,
    /// What is said about operations; a later entry wins over an earlier one.
    #[serde(default)]
    pub operation: Vec<OperationRule>,
    /// Names that the rule would make awkward.
    #[serde(default)]
    pub names: Names,
}

/// Facts about a provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// `github`: the crate is `connect-github`.
    pub id: String,
    /// As people write it.
    pub name: String,
    /// Path of the type that implements `Api`: `crate::GitHubApi`.
    pub api: String,
    /// The media type of JSON bodies, if the provider wants another than `application/json`.
    #[serde(default = "json")]
    pub json: String,
    /// The host of the API, where operations name theirs: others are uploads.
    #[serde(default)]
    pub uploads: Vec<String>,
    /// Parameters of the path that are names: a space or a slash in them is a mistake.
    #[serde(default)]
    pub path_names: Vec<String>,
    /// Parameters at the end of a path that may be empty: the root of a tree of files.
    #[serde(default)]
    pub empty_paths: Vec<String>,
    /// What parameters of the queries of lists that go on are when they are not given.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// The field of a multipart body that is the file.
    #[serde(default = "file")]
    pub file_field: String,
    /// How forms write lists of plain values; repeated keys, as OpenAPI has it, if nothing is said.
    #[serde(default)]
    pub form_lists: Option<Style>,
}

fn json() -> String {
    "application/json".to_owned()
}

fn file() -> String {
    "file".to_owned()
}

/// How the lists that take a parameter go on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingRule {
    /// The parameter of the query or field of the body by which they are known.
    pub when: String,
    /// How they go on.
    #[serde(flatten)]
    pub paging: Paging,
    /// Where that stands.
    pub reason: String,
}

/// How a list goes on: core's `Paging`, as text. The items are the answer itself or its only list, unless it says so.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Paging {
    /// `none`, `link`, `cursor`, `offset`, `number`, `next-url`.
    pub style: String,
    /// Pointer to the items.
    pub items: Option<String>,
    /// Pointer to the next cursor or URL.
    pub next: Option<String>,
    /// The parameter that takes the cursor, the offset or the number.
    pub param: Option<String>,
    /// The parameter that takes the page size.
    pub limit: Option<String>,
    /// Pointer to a flag that says that this was the last page.
    pub last: Option<String>,
    /// Pointer to the number of items.
    pub total: Option<String>,
    /// Pointer to this page's number.
    pub page: Option<String>,
    /// Pointer to the number of pages.
    pub pages: Option<String>,
}

/// A correction of facts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Where: `issue.labels[]`, `issues/create body.title`, `repos/get-content answer`, `meta/get params.per_page`.
    pub at: Vec<String>,
    /// It may be missing.
    #[serde(default)]
    pub optional: bool,
    /// It is always there, although the description does not promise it, or not everywhere; never `null`.
    #[serde(default)]
    pub promised: bool,
    /// It may be `null`.
    #[serde(default)]
    pub nullable: bool,
    /// It is this.
    #[serde(default)]
    pub is: Option<Type>,
    /// It must not be there at all.
    #[serde(default)]
    pub drop: bool,
    /// It is written like this.
    #[serde(default)]
    pub style: Option<Style>,
    /// Why.
    pub reason: String,
}

/// What is said about operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationRule {
    /// Their names; `*` stands for anything.
    pub op: Vec<Pattern>,
    /// `safe`, `idempotent`, `keyed`, `unsafe`.
    #[serde(default)]
    pub safety: Option<String>,
    /// `uploads`, `files`, `gateway`.
    #[serde(default)]
    pub origin: Option<String>,
    /// What they draw on besides the general quota.
    #[serde(default)]
    pub draws: Option<Vec<String>>,
    /// How their lists go on.
    #[serde(default)]
    pub paging: Option<Paging>,
    /// They are left out.
    #[serde(default)]
    pub skip: bool,
    /// Why.
    pub reason: String,
}

/// Names that the rule would make awkward.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// Operation to `module::Type`.
    pub operations: BTreeMap<String, String>,
    /// Place of a type to its name.
    pub types: BTreeMap<String, String>,
}

impl Overlay {
    /// Reads an overlay.
    ///
    /// # Errors
    /// What is wrong with the TOML, with its line.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Reads the overlay of a client crate.
    ///
    /// # Errors
    /// The file's name with what is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What is said about an operation: the last entry that says something.
    pub(crate) fn rule<'a, T>(
        &'a self,
        op: &str,
        said: impl Fn(&'a OperationRule) -> Option<T>,
    ) -> Option<T> {
        self.operation
            .iter()
            .rev()
            .filter(|rule| rule.op.iter().any(|pattern| pattern.matches(op)))
            .find_map(said)
    }
}
