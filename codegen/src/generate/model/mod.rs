//! Models: the Rust types of what a provider answers.
//!
//! 1. `reduce` brings every type into its simplest form: no aliases, no unions within unions.
//! 2. `graph` walks from the answers to all types that they `reach`; equal inline objects are one.
//! 3. `names` gives each its name, all different; sets of `words` have rules of their own.
//! 4. `layout` puts into boxes what contains itself or is large.
//! 5. `render` writes the files: what several categories use is shared, the rest is behind its category's feature.

use std::collections::BTreeMap;

use crate::facts::{Answer, Event, Events, Facts, Operation, Type};

mod event;
mod graph;
mod layout;
mod names;
mod reach;
mod reduce;
mod render;
mod union;
mod words;

use graph::{Content, Graph, Ty};

/// What the generator of models must be told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The path of the type of secrets: `connect_core::Secret`.
    pub secret: String,
    /// The provider's name: `GitHub`.
    pub provider: String,
    /// From the path of a type, which its doc comment shows (`issue`, `issue.labels[]`), to its Rust name. From the
    /// overlay.
    pub names: BTreeMap<String, String>,
    /// Models of what the provider sends to webhooks rather than of what it answers. No feature of a category is in front
    /// of them, and an event's own type (`issues-event`) gives the types in it a name without `Event`.
    pub is_events: bool,
}

/// Why there are no models.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A reference to nothing.
    #[error("there is no type `{0}`: add it to types.jsonl, or correct the reference in the overlay")]
    UnknownType(String),
    /// A type that is only itself.
    #[error("the type `{0}` consists of itself and no object comes between: make it `any` in the overlay")]
    Endless(String),
    /// More fields than a model can have.
    #[error("`{0}` has more than 256 fields: make it a map in the overlay")]
    TooManyFields(String),
    /// A name for nothing.
    #[error("the overlay names `{0}`, which no answer contains: remove the line, or correct the path")]
    UnknownName(String),
    /// A name that cannot be given.
    #[error("the overlay names `{path}` `{name}`, which is taken or no name of a type: choose another")]
    BadName {
        /// The path of the type.
        path: String,
        /// The name for it.
        name: String,
    },
}

/// The models of a provider, ready to be written.
#[derive(Debug)]
pub struct Models {
    graph: Graph,
    settings: Settings,
}

/// The status of the answer as which a payload goes through the planning.
const DELIVERED: u16 = 200;

/// Events as facts: the payload of `issues` is the type `issues-event` and its actions are `issues-action`, as if it were
/// what an operation answers that has its category to itself.
pub fn facts_of(events: Events) -> Facts {
    let mut facts = Facts { operations: Vec::new(), types: events.types };
    for Event { event, docs, mut shape } in events.events {
        let name = |ending: &str| format!("{}-{ending}", event.replace('_', "-"));
        if let Type::Object(fields) = &mut shape
            && let Some(action) = fields.iter_mut().find(|field| field.name == "action")
            && let Type::Words(_) = action.shape
        {
            let words = std::mem::replace(&mut action.shape, Type::Ref(name("action")));
            facts.types.insert(name("action"), words);
        }
        let payload = Answer {
            status: DELIVERED,
            media: None,
            shape: Some(Type::Ref(name("event"))),
            since: None,
            until: None,
        };
        facts.types.insert(name("event"), shape);
        facts.operations.push(Operation {
            category: Some(event.clone()),
            op: event,
            docs,
            answers: vec![payload],
            ..Operation::default()
        });
    }
    facts
}

/// Plans the models of everything that is answered.
///
/// # Errors
/// Facts or names that fit no Rust.
pub fn plan(facts: &Facts, settings: &Settings) -> Result<Models, GenerateError> {
    let mut graph = graph::collect(facts)?;
    graph.is_events = settings.is_events;
    names::assign(&mut graph, settings)?;
    layout::boxes(&mut graph);
    Ok(Models { graph, settings: settings.clone() })
}

impl Models {
    /// The Rust type of an answer, with full paths: `Vec<crate::model::Issue>`. None for an answer without a body and
    /// for one of bytes.
    pub fn answer(&self, operation: &str, status: u16) -> Option<String> {
        Some(self.path(self.graph.answer(operation, status)?))
    }

    /// The Rust type of the items of a list in an answer, at a JSON pointer: `""`, `"/workflow_runs"`.
    pub fn item(&self, operation: &str, status: u16, pointer: &str) -> Option<String> {
        let mut ty = self.graph.answer(operation, status)?;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            ty = match bare(ty) {
                Ty::Map(value) => value,
                Ty::Item(id) => match &self.graph.items[*id].content {
                    Content::Struct(members) => &members.iter().find(|member| member.wire == step)?.ty,
                    _ => return None,
                },
                _ => return None,
            };
        }
        match bare(ty) {
            Ty::List(item) => Some(self.path(item)),
            _ => None,
        }
    }

    /// The files, by their names below `src/model/`.
    pub fn files(&self) -> BTreeMap<String, String> {
        render::files(&self.graph, &self.settings)
    }

    /// All types: the path in the provider's description and the Rust name.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.graph.items.iter().map(|item| (item.path.as_str(), item.name.as_str()))
    }

    fn path(&self, ty: &Ty) -> String {
        match ty {
            Ty::Value => "connect_model::Value".to_owned(),
            Ty::Time => "connect_model::Timestamp".to_owned(),
            Ty::Link => "connect_model::Link".to_owned(),
            Ty::Secret => self.settings.secret.clone(),
            Ty::Map(value) => format!("std::collections::BTreeMap<String, {}>", self.path(value)),
            Ty::List(item) => format!("Vec<{}>", self.path(item)),
            Ty::Nullable(inner) => format!("Option<{}>", self.path(inner)),
            Ty::Item(id) => format!("crate::model::{}", self.graph.items[*id].name),
            Ty::String | Ty::Integer | Ty::Number | Ty::Flag => render::ty(&self.graph, &self.settings, ty),
        }
    }
}

fn bare(ty: &Ty) -> &Ty {
    match ty {
        Ty::Nullable(inner) => bare(inner),
        ty => ty,
    }
}

/// A type without its `null`, and whether it had one.
fn strip(shape: Type) -> (bool, Type) {
    match shape {
        Type::Null(inner) => (true, strip(*inner).1),
        shape => (false, shape),
    }
}

#[cfg(test)]
mod tests;
