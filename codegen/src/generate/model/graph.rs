//! The types that answers reach, and how they hang together.

use std::collections::{BTreeMap, BTreeSet};

use super::reduce::Reducer;
use super::{GenerateError, reach, union};
use crate::facts::{Answer, Facts, Field, Operation, Type};
use crate::naming;

/// The place of an item in [`Graph::items`].
pub(super) type Id = usize;

/// A model has at most this many fields (connect-model).
const MOST_FIELDS: usize = 256;

/// A type of Rust.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    Value,
    String,
    Time,
    Link,
    Secret,
    Integer,
    Number,
    Flag,
    List(Box<Ty>),
    Map(Box<Ty>),
    Nullable(Box<Ty>),
    Item(Id),
}

/// A type that is generated.
#[derive(Debug)]
pub(super) struct Item {
    /// The name in the facts; none for an inline one.
    pub(super) given: Option<String>,
    /// Where inline ones are.
    pub(super) places: Vec<Place>,
    pub(super) content: Content,
    /// Operations that answer with it, somewhere.
    pub(super) operations: BTreeSet<usize>,
    /// The page of the first of them, those first whose answer it is.
    pub(super) docs: String,
    /// The path in the provider's description: `issue.labels[]`.
    pub(super) path: String,
    /// The name in Rust.
    pub(super) name: String,
    /// The only category whose operations answer with it.
    pub(super) category: Option<String>,
}

#[derive(Debug)]
pub(super) enum Content {
    Struct(Vec<Member>),
    Words(Vec<String>),
    Union(Vec<Variant>),
}

/// A field of a struct.
#[derive(Debug)]
pub(super) struct Member {
    /// The provider's spelling.
    pub(super) wire: String,
    pub(super) ty: Ty,
    /// Does the provider promise it?
    pub(super) promised: bool,
    pub(super) boxed: bool,
    /// Does it lead back to the struct, with nothing between?
    pub(super) recursive: bool,
}

/// A variant of a union.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) ty: Ty,
    /// Its name, where it is not the type's.
    pub(super) name: Option<String>,
    /// Discriminating fields and their words.
    pub(super) words: Vec<(String, Vec<String>)>,
}

/// Where an inline type is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) owner: Owner,
    /// The field, in the provider's spelling; the variant of a union.
    pub(super) step: String,
    /// In a list or a map.
    pub(super) many: bool,
}

/// What an inline type is in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    /// A struct.
    Field(Id),
    /// A union.
    Variant(Id),
    /// An answer of the operation at this place, and how its name ends.
    Answer(usize),
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) items: Vec<Item>,
    pub(super) operations: Vec<Operation>,
    pub(super) answers: BTreeMap<(String, u16), Ty>,
    /// What is sent to webhooks.
    pub(super) is_events: bool,
}

impl Graph {
    pub(super) fn answer(&self, operation: &str, status: u16) -> Option<&Ty> {
        self.answers.get(&(operation.to_owned(), status))
    }

    /// The items that an item names.
    pub(super) fn children(&self, id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        match &self.items[id].content {
            Content::Struct(members) => members.iter().for_each(|member| member.ty.items(&mut found)),
            Content::Union(variants) => variants.iter().for_each(|variant| variant.ty.items(&mut found)),
            Content::Words(_) => {}
        }
        found
    }
}

impl Ty {
    pub(super) fn items(&self, found: &mut Vec<Id>) {
        match self {
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) => inner.items(found),
            Self::Item(id) => found.push(*id),
            _ => {}
        }
    }
}

/// Walks from all answers.
pub(super) fn collect(facts: &Facts) -> Result<Graph, GenerateError> {
    let mut walk = Walk { reducer: Reducer::new(facts), known: BTreeMap::new(), graph: Graph::default() };
    walk.graph.operations.clone_from(&facts.operations);
    for (at, operation) in facts.operations.iter().enumerate() {
        let mut first = true;
        for (status, answer) in answers(operation) {
            let Some(shape) = &answer.shape else { continue };
            if matches!(shape, Type::Bytes) {
                continue;
            }
            let step = match (first, status) {
                (true, _) => "Response".to_owned(),
                (_, 201) => "Created".to_owned(),
                (_, 202) => "Accepted".to_owned(),
                _ => format!("Response{status}"),
            };
            first = false;
            let shape = walk.reducer.reduce(shape)?;
            let ty = walk.visit(&shape, &Place { owner: Owner::Answer(at), step, many: false })?;
            walk.graph.answers.insert((operation.op.clone(), status), ty);
        }
    }
    let mut graph = walk.graph;
    drop_single_words(&mut graph);
    reach::mark(&mut graph);
    Ok(reach::prune(graph))
}

/// One answer for each status: the one that stays, if one goes with a version of the API.
fn answers(operation: &Operation) -> BTreeMap<u16, &Answer> {
    let mut found: BTreeMap<u16, &Answer> = BTreeMap::new();
    for answer in &operation.answers {
        let known = found.entry(answer.status).or_insert(answer);
        if known.until.is_some() && answer.until.is_none() {
            *known = answer;
        }
    }
    found
}

/// What makes two types one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Named(String),
    /// Equal, and in fields of the same name.
    Inline {
        field: String,
        shape: String,
    },
    Words(BTreeSet<String>),
}

struct Walk<'a> {
    reducer: Reducer<'a>,
    known: BTreeMap<Key, Id>,
    graph: Graph,
}

impl Walk<'_> {
    fn visit(&mut self, shape: &Type, place: &Place) -> Result<Ty, GenerateError> {
        let many = || Place { many: true, ..place.clone() };
        Ok(match shape {
            Type::Any => Ty::Value,
            Type::Text | Type::Bytes => Ty::String,
            Type::Time => Ty::Time,
            Type::Link => Ty::Link,
            Type::Secret => Ty::Secret,
            Type::Integer => Ty::Integer,
            Type::Number => Ty::Number,
            Type::Flag => Ty::Flag,
            Type::List(item) => Ty::List(Box::new(self.visit(item, &many())?)),
            Type::Map(value) => Ty::Map(Box::new(self.visit(value, &many())?)),
            Type::Null(inner) => Ty::Nullable(Box::new(self.visit(inner, place)?)),
            Type::Ref(name) => {
                let shape = self.reducer.definition(name)?.clone();
                Ty::Item(self.item(Key::Named(name.clone()), &shape, None)?)
            }
            Type::Words(words) => {
                let key = Key::Words(words.iter().cloned().collect());
                Ty::Item(self.item(key, shape, Some(place))?)
            }
            Type::Object(_) | Type::OneOf(_) => {
                let field = match place.owner {
                    // Answers of different categories change apart.
                    Owner::Answer(at) => format!("/{}", naming::category(&self.graph.operations[at])),
                    Owner::Field(_) | Owner::Variant(_) => place.step.clone(),
                };
                let key = Key::Inline { field, shape: format!("{shape:?}") };
                Ty::Item(self.item(key, shape, Some(place))?)
            }
        })
    }

    fn item(&mut self, key: Key, shape: &Type, place: Option<&Place>) -> Result<Id, GenerateError> {
        if let Some(id) = self.known.get(&key) {
            let places = &mut self.graph.items[*id].places;
            places.extend(place.filter(|place| !places.contains(place)).cloned());
            return Ok(*id);
        }
        let id = self.graph.items.len();
        self.graph.items.push(Item {
            given: match &key {
                Key::Named(name) => Some(name.clone()),
                Key::Inline { .. } | Key::Words(_) => None,
            },
            places: place.into_iter().cloned().collect(),
            content: Content::Struct(Vec::new()),
            operations: BTreeSet::new(),
            docs: String::new(),
            path: String::new(),
            name: String::new(),
            category: None,
        });
        self.known.insert(key, id);
        self.graph.items[id].content = match shape {
            Type::Words(words) => Content::Words(words.clone()),
            Type::OneOf(shapes) => Content::Union(self.variants(id, shapes)?),
            Type::Object(fields) => Content::Struct(self.members(id, fields)?),
            _ => Content::Struct(Vec::new()),
        };
        Ok(id)
    }

    fn members(&mut self, id: Id, fields: &[Field]) -> Result<Vec<Member>, GenerateError> {
        if fields.len() > MOST_FIELDS {
            let item = &self.graph.items[id];
            let inline = || item.places.first().map(|place| place.step.clone());
            return Err(GenerateError::TooManyFields(item.given.clone().or_else(inline).unwrap_or_default()));
        }
        let mut members = Vec::new();
        for field in fields {
            let place = Place { owner: Owner::Field(id), step: field.name.clone(), many: false };
            members.push(Member {
                wire: field.name.clone(),
                ty: self.visit(&field.shape, &place)?,
                promised: field.required,
                boxed: false,
                recursive: false,
            });
        }
        Ok(members)
    }

    fn variants(&mut self, id: Id, shapes: &[Type]) -> Result<Vec<Variant>, GenerateError> {
        let mut objects: Vec<Vec<Field>> = Vec::new();
        let mut at_object = Vec::new();
        for shape in shapes {
            let Type::Object(fields) = self.reducer.resolve(shape)? else {
                at_object.push(None);
                continue;
            };
            at_object.push(Some(objects.len()));
            objects.push(fields.clone());
        }
        let objects: Vec<&[Field]> = objects.iter().map(Vec::as_slice).collect();
        let discriminators = union::discriminators(&self.reducer, &objects)?;
        let mut variants = Vec::new();
        for (shape, object) in shapes.iter().zip(at_object) {
            let name = match (shape, object) {
                (Type::Ref(_), Some(_)) => None,
                (_, Some(at)) => Some(union::suffix(&self.reducer, &objects, &discriminators, at)?),
                (_, None) => Some(self.class_name(shape)?.to_owned()),
            };
            let mut words = Vec::new();
            for field in object.map_or(&[][..], |_| &discriminators) {
                let fields = object.map_or(&[][..], |at| objects[at]);
                if let Some(known) = union::promised_words(&self.reducer, fields, field)? {
                    words.push((field.clone(), known.to_vec()));
                }
            }
            let step = name.clone().filter(|_| object.is_some()).unwrap_or_default();
            let place = Place { owner: Owner::Variant(id), step, many: false };
            variants.push(Variant { ty: self.visit(shape, &place)?, name, words });
        }
        Ok(variants)
    }

    /// What a variant is called that is no object.
    fn class_name(&self, shape: &Type) -> Result<&'static str, GenerateError> {
        Ok(match self.reducer.resolve(shape)? {
            Type::Integer | Type::Number => "Number",
            Type::Flag => "Flag",
            Type::List(_) => "List",
            Type::Map(_) => "Map",
            Type::OneOf(_) | Type::Ref(_) => {
                return Err(GenerateError::Endless(format!("{shape:?}")));
            }
            _ => "Text",
        })
    }
}

/// A discriminating field with one word says what its variant already says: it is text.
fn drop_single_words(graph: &mut Graph) {
    let mut single = Vec::new();
    for item in &graph.items {
        let Content::Union(variants) = &item.content else { continue };
        for variant in variants {
            let Ty::Item(id) = variant.ty else { continue };
            let fields = variant.words.iter().filter(|(_, words)| words.len() == 1);
            single.extend(fields.map(|(field, _)| (id, field.clone())));
        }
    }
    for (id, field) in single {
        let Content::Struct(members) = &mut graph.items[id].content else { continue };
        for member in members.iter_mut().filter(|member| member.wire == field) {
            member.ty = Ty::String;
        }
    }
}
