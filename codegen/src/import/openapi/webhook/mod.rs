//! The webhooks of an OpenAPI description: one payload for each event, made of those of its actions.
//!
//! A description has a payload for each action of each event, and most of each payload written out: GitHub's has 2,290
//! objects, which describe about 200 things. [`concept`] says which are the same, [`class`] makes one of them.

mod class;
mod concept;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::class::{Class, Classes, Id, Member, Shape, Text};
pub use self::concept::{Concept, concepts};
use super::document::Document;
use super::operation::operation_id;
use super::patch;
use super::schema::Schemas;
use crate::facts::{Event, Events, Field, Type};
use crate::import::ImportError;

/// The keys under which webhooks stand: OpenAPI 3.1's, and what GitHub's 3.0 says instead.
const KEYS: [&str; 2] = ["webhooks", "x-webhooks"];

/// Does a description describe webhooks?
pub fn has_webhooks(document: &Value) -> bool {
    KEYS.iter().any(|key| document.get(*key).is_some_and(Value::is_object))
}

/// Reads the webhooks of a description.
///
/// # Errors
/// It refers to what is not in it, or a concept fits nothing.
pub fn events(document: &Value, concepts: &[Concept]) -> Result<Events, ImportError> {
    let mut reader = Reader { concepts, ..Reader::default() };
    reader.prepare();
    reader.read(document)?;
    for version in patch::versions(document) {
        let mut newer = document.clone();
        patch::apply(&mut newer, &version);
        reader.read(&newer)?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader<'c> {
    concepts: &'c [Concept],
    classes: Classes,
    /// The class of each concept that has a name.
    of_concept: Vec<Option<Id>>,
    used: BTreeSet<usize>,
    /// The schemas of the version of the description that is being read.
    types: BTreeMap<String, Type>,
    /// What is known of them already; none while one is being read.
    known: BTreeMap<String, Option<Shape>>,
    /// Classes by the names of their schemas, over all versions.
    named: BTreeMap<String, Id>,
    events: BTreeMap<String, (String, Id)>,
}

impl Reader<'_> {
    fn prepare(&mut self) {
        for (at, concept) in self.concepts.iter().enumerate() {
            let same = self.concepts[..at].iter().position(|other| other.name == concept.name);
            let id = match same.filter(|_| !concept.name.is_empty()) {
                Some(same) => self.of_concept[same],
                None if concept.name.is_empty() => None,
                None => {
                    let id = self.classes.add(Class { concept: Some(at), ..Class::default() });
                    self.classes.identify(id, concept.name.clone());
                    Some(id)
                }
            };
            self.of_concept.push(id);
        }
    }

    fn read(&mut self, document: &Value) -> Result<(), ImportError> {
        let document = Document(document);
        let schemas = Schemas::new(document);
        let mut payloads = Vec::new();
        let hooks = KEYS.iter().filter_map(|key| document.0.get(*key)).filter_map(Value::as_object).flatten();
        for (_, item) in hooks {
            let item = document.resolve(item)?;
            for operation in item.as_object().into_iter().flatten().map(|(_, operation)| operation) {
                let Some(id) = operation_id(operation) else { continue };
                let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else {
                    continue;
                };
                let page = operation.pointer("/externalDocs/url").and_then(Value::as_str).unwrap_or_default();
                payloads.push((id.to_owned(), page.to_owned(), schemas.read(schema)?));
            }
        }
        self.types = schemas.into_types()?;
        self.known.clear();
        for (id, page, payload) in payloads {
            let event = id.split('/').next().unwrap_or_default().replace('-', "_");
            for class in self.shape(&payload, "")?.objects {
                match self.events.get(&event) {
                    Some((_, known)) => self.classes.join(*known, class),
                    None => _ = self.events.insert(event.clone(), (page.clone(), class)),
                }
            }
        }
        Ok(())
    }

    /// What may stand in a field of this name.
    fn shape(&mut self, shape: &Type, place: &str) -> Result<Shape, ImportError> {
        let mut found = Shape::default();
        match shape {
            Type::Any => {}
            Type::Text | Type::Bytes => found.text = Some(Text::Plain),
            Type::Time => found.text = Some(Text::Time),
            Type::Link => found.text = Some(Text::Link),
            Type::Secret => found.text = Some(Text::Secret),
            Type::Words(words) => found.text = Some(Text::Words(words.clone())),
            Type::Integer => found.number = Some(true),
            Type::Number => found.number = Some(false),
            Type::Flag => found.flag = true,
            Type::List(item) => found.list = Some(Box::new(self.shape(item, place)?)),
            Type::Map(value) => found.map = Some(Box::new(self.shape(value, place)?)),
            Type::Null(inner) => {
                found = self.shape(inner, place)?;
                found.null = true;
            }
            Type::OneOf(variants) => {
                for variant in variants {
                    let other = self.shape(variant, place)?;
                    self.classes.add_to(&mut found, other);
                }
            }
            Type::Ref(name) => found = self.referred(name, place)?,
            Type::Object(fields) => found = self.object(fields, place, None)?,
        }
        Ok(found)
    }

    fn referred(&mut self, name: &str, place: &str) -> Result<Shape, ImportError> {
        match self.known.get(name) {
            Some(Some(shape)) => return Ok(shape.clone()),
            Some(None) => {
                // In itself: its class is the one that it will be joined with.
                let id =
                    *self.named.entry(name.to_owned()).or_insert_with(|| self.classes.add(Class::default()));
                return Ok(Shape { objects: vec![id], ..Shape::default() });
            }
            None => {}
        }
        let shape = self.types.get(name).cloned().ok_or_else(|| ImportError::Reference(name.to_owned()))?;
        self.known.insert(name.to_owned(), None);
        let shape = match &shape {
            Type::Object(fields) => self.object(fields, place, Some(name))?,
            Type::Null(inner) => match &**inner {
                Type::Object(fields) => Shape { null: true, ..self.object(fields, place, Some(name))? },
                _ => self.shape(&shape, place)?,
            },
            _ => self.shape(&shape, place)?,
        };
        self.known.insert(name.to_owned(), Some(shape.clone()));
        Ok(shape)
    }

    fn object(&mut self, fields: &[Field], place: &str, name: Option<&str>) -> Result<Shape, ImportError> {
        let types = &self.types;
        let fitting =
            self.concepts.iter().position(|row| row.fits(name, fields, place, |shape| kind(shape, types)));
        if let Some(at) = fitting {
            self.used.insert(at);
            if self.concepts[at].map {
                let mut values = Shape::default();
                for field in fields {
                    let shape = self.shape(&field.shape, &field.name)?;
                    self.classes.add_to(&mut values, shape);
                }
                return Ok(Shape { map: Some(Box::new(values)), ..Shape::default() });
            }
        }
        let id = self.classes.add(Class { seen: 1, ..Class::default() });
        if let Some(concept) = fitting.and_then(|at| self.of_concept[at]) {
            self.classes.join(concept, id);
        }
        self.classes.get_mut(id).names.extend(name.map(str::to_owned));
        if let Some(name) = name {
            if !name.starts_with("webhook-") {
                self.classes.identify(id, plain(name));
            }
            let known = *self.named.entry(name.to_owned()).or_insert(id);
            self.classes.join(known, id);
        }
        for field in fields {
            let shape = self.shape(&field.shape, &field.name)?;
            let promised = usize::from(field.required && !field.gap);
            self.classes.add_member(id, Member { name: field.name.clone(), shape, promised });
        }
        Ok(Shape { objects: vec![id], ..Shape::default() })
    }

    fn finish(self) -> Result<Events, ImportError> {
        if let Some(at) = (0..self.concepts.len()).find(|at| !self.used.contains(at)) {
            return Err(ImportError::Concept(format!("{:?}", self.concepts[at])));
        }
        let roots: BTreeSet<Id> = self.events.values().map(|(_, id)| self.classes.find(*id)).collect();
        let mut writer = Writer {
            concepts: self.concepts,
            classes: &self.classes,
            names: BTreeMap::new(),
            types: BTreeMap::new(),
            active: Vec::new(),
            roots,
        };
        let mut events = Vec::new();
        for (event, (docs, id)) in &self.events {
            let shape = Type::Object(writer.fields(self.classes.find(*id)));
            events.push(Event { event: event.clone(), docs: docs.clone(), shape });
        }
        Ok(Events { events, types: writer.types })
    }
}

/// The kind of a value, seen from outside.
fn kind(shape: &Type, types: &BTreeMap<String, Type>) -> Option<&'static str> {
    Some(match shape {
        Type::Text | Type::Time | Type::Link | Type::Secret | Type::Words(_) => "text",
        Type::Integer | Type::Number => "number",
        Type::Flag => "flag",
        Type::Null(inner) => kind(inner, types)?,
        Type::Ref(name) => kind(types.get(name)?, types)?,
        _ => return None,
    })
}

/// From classes to facts: those that have a name are named, the others stand where they are.
struct Writer<'a> {
    concepts: &'a [Concept],
    classes: &'a Classes,
    names: BTreeMap<Id, String>,
    types: BTreeMap<String, Type>,
    active: Vec<Id>,
    roots: BTreeSet<Id>,
}

impl Writer<'_> {
    fn fields(&mut self, id: Id) -> Vec<Field> {
        let concept = self.classes.get(id).concept.map(|at| &self.concepts[at]);
        let promised = concept.map(|concept| concept.promised.clone()).unwrap_or_default();
        let classes = self.classes;
        let is_event = self.roots.contains(&id);
        classes.fields(id, &promised, is_event, &mut |id| self.object(id))
    }

    fn object(&mut self, id: Id) -> Type {
        let id = self.classes.find(id);
        if let Some(name) = self.names.get(&id) {
            return Type::Ref(name.clone());
        }
        if self.active.contains(&id) {
            // A part of itself that has no name: a row of the table gives it one.
            return Type::Any;
        }
        match self.name(id) {
            Some(name) => {
                self.names.insert(id, name.clone());
                let fields = self.fields(id);
                self.types.insert(name.clone(), Type::Object(fields));
                Type::Ref(name)
            }
            None => {
                self.active.push(id);
                let fields = self.fields(id);
                self.active.pop();
                Type::Object(fields)
            }
        }
    }

    /// The concept's name, or the shortest of the description's.
    fn name(&self, id: Id) -> Option<String> {
        let class = self.classes.get(id);
        if self.roots.contains(&id) {
            return None;
        }
        let names = class.names.iter().map(|name| plain(name));
        let given = class.concept.map(|at| self.concepts[at].name.clone());
        let mut candidates: Vec<String> = names.collect();
        candidates.sort_by_key(|name| (name.len(), name.clone()));
        let is_free = |name: &String| !self.names.values().any(|taken| taken == name);
        given.into_iter().chain(candidates).find(is_free)
    }
}

/// The name of a schema without what it says of where it is used.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("nullable-").unwrap_or(name);
    let name = name.strip_prefix("webhooks_").or_else(|| name.strip_prefix("webhook-")).unwrap_or(name);
    let name = name.strip_suffix("-webhooks").or_else(|| name.strip_suffix("-webhook")).unwrap_or(name);
    let is_number = |end: &str| end.chars().all(|digit| digit.is_ascii_digit());
    let name = name.rsplit_once('_').filter(|(_, end)| is_number(end)).map_or(name, |(name, _)| name);
    name.replace('_', "-")
}
