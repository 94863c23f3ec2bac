//! Objects and unions inside bodies, as types of their own: `CreateWebhookConfig`, `CreateTitle`.
//!
//! Only objects with known fields become types; maps, free objects and what is deeper than anybody nests stay `Input`,
//! which any JSON value converts into.

use std::collections::BTreeSet;

use super::argument::Taken;
use super::render::is_imported;
use crate::facts::{Facts, Field, Type};
use crate::naming;

/// How deep objects in objects become types.
const DEEPEST: usize = 4;

/// The types that an endpoint brings for its arguments.
pub(super) struct Inputs {
    parent: String,
    pub(super) types: Vec<Input>,
    stack: Vec<String>,
    /// Names that the module has already: endpoints, and what other endpoints bring.
    reserved: BTreeSet<String>,
}

pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Object(Vec<Member>),
    /// Each variant by its name.
    Union(Vec<(String, Taken)>),
}

/// A field of an object.
#[derive(PartialEq)]
pub(super) struct Member {
    /// The provider's spelling.
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) taken: Taken,
    pub(super) required: bool,
    pub(super) nullable: bool,
    /// The only word that it may be.
    pub(super) constant: Option<String>,
}

impl Inputs {
    pub(super) fn new(endpoint: &str, reserved: &BTreeSet<String>) -> Self {
        Self { parent: endpoint.to_owned(), types: Vec::new(), stack: Vec::new(), reserved: reserved.clone() }
    }

    /// The name of a part of the parent.
    fn own_name(&self, part: &str) -> String {
        let name = format!("{}{}", self.parent, naming::type_name(part).trim_end_matches('_'));
        let is_taken = self.reserved.contains(&name) || is_imported(&name);
        if is_taken { format!("{name}Input") } else { name }
    }

    /// How a value is given, with a type of its own where that helps.
    pub(super) fn taken(&mut self, name: &str, shape: &Type, facts: &Facts) -> Taken {
        match shape {
            Type::Text | Type::Time | Type::Link | Type::Words(_) | Type::Bytes => Taken::Text,
            Type::Secret => Taken::Secret,
            Type::Integer => Taken::Integer,
            Type::Number => Taken::Number,
            Type::Flag => Taken::Flag,
            Type::Any | Type::Map(_) => Taken::Any,
            Type::Null(inner) => self.taken(name, inner, facts),
            Type::Ref(target) => {
                if self.stack.contains(target) {
                    return Taken::Any;
                }
                self.stack.push(target.clone());
                let taken = self.taken(name, resolved(shape, facts), facts);
                self.stack.pop();
                taken
            }
            // `null` among the items would be lost.
            Type::List(item) if matches!(**item, Type::Null(_)) => Taken::Any,
            Type::List(item) => {
                let before = self.types.len();
                match self.taken(&naming::singular(name), item, facts) {
                    // A list of lists: JSON says it shorter.
                    Taken::List(_) => self.open(before),
                    item => Taken::List(Box::new(item)),
                }
            }
            Type::Object(fields) => self.object(name, fields, facts),
            Type::OneOf(variants) => self.union(name, variants, facts),
        }
    }

    fn object(&mut self, name: &str, fields: &[Field], facts: &Facts) -> Taken {
        if fields.is_empty() || self.stack.len() >= DEEPEST + 2 {
            return Taken::Any;
        }
        self.stack.push(String::new());
        let own = self.own_name(name);
        let parent = std::mem::replace(&mut self.parent, own.clone());
        let place = self.types.len();
        self.types.push(Input { name: own.clone(), kind: Kind::Object(Vec::new()) });
        let idents = naming::fields(fields.iter().map(|field| field.name.as_str()));
        let members = fields.iter().zip(idents).map(|(field, ident)| Member {
            name: field.name.clone(),
            ident,
            taken: self.taken(&field.name, &field.shape, facts),
            required: field.required,
            nullable: matches!(resolved(&field.shape, facts), Type::Null(_)),
            constant: constant(field, facts).map(str::to_owned),
        });
        self.types[place].kind = Kind::Object(members.collect());
        self.parent = parent;
        self.stack.pop();
        match self.unique(place, own) {
            Some(own) => Taken::Object(own),
            None => self.open(place),
        }
    }

    /// Any JSON after all, without the types that were made for it.
    fn open(&mut self, before: usize) -> Taken {
        self.types.truncate(before);
        Taken::Any
    }

    fn union(&mut self, name: &str, variants: &[Type], facts: &Facts) -> Taken {
        let own = self.own_name(name);
        let parent = std::mem::replace(&mut self.parent, own.clone());
        let before = self.types.len();
        let mut known: Vec<(String, Taken)> = Vec::new();
        for (variant, object) in variants.iter().zip(object_names(variants, facts)) {
            let taken = self.taken(object.as_deref().unwrap_or("item"), variant, facts);
            if known.iter().all(|(_, known)| *known != taken) {
                let name = match (object, &taken) {
                    (Some(object), Taken::Object(_)) => naming::type_name(&object),
                    _ => variant_name(&taken).to_owned(),
                };
                known.push((name, taken));
            }
        }
        self.parent = parent;
        if known.iter().any(|(_, taken)| *taken == Taken::Any) {
            return self.open(before);
        }
        // A whole number is a number.
        if known.iter().any(|(_, taken)| *taken == Taken::Number) {
            known.retain(|(_, taken)| *taken != Taken::Integer);
        }
        if let [(_, one)] = known.as_slice() {
            return one.clone();
        }
        let mut variants: Vec<(String, Taken)> = Vec::new();
        for (name, taken) in known {
            let like = variants.iter().filter(|(other, _)| other.starts_with(&name)).count();
            let is_taken = variants.iter().any(|(other, _)| *other == name);
            variants.push((if is_taken { format!("{name}{}", like + 1) } else { name }, taken));
        }
        self.types.push(Input { name: own.clone(), kind: Kind::Union(variants) });
        match self.unique(self.types.len() - 1, own) {
            Some(own) => Taken::Union(own),
            None => self.open(before),
        }
    }

    /// The name, if no other type of the endpoint has it; the same type twice is one.
    fn unique(&mut self, place: usize, name: String) -> Option<String> {
        let twin = self.types.iter().enumerate().find(|(at, other)| *at != place && other.name == name);
        let Some((twin, _)) = twin else { return Some(name) };
        let same = match (&self.types[twin].kind, &self.types[place].kind) {
            (Kind::Object(one), Kind::Object(other)) => one == other,
            (Kind::Union(one), Kind::Union(other)) => one == other,
            _ => false,
        };
        self.types.remove(place);
        same.then_some(name)
    }
}

/// What the variants of a union that are objects are called: `object` if there is but one, else the word that tells it from
/// the others (`type: "creation"`), or the field that only it has.
fn object_names(variants: &[Type], facts: &Facts) -> Vec<Option<String>> {
    let objects: Vec<Option<&[Field]>> = variants
        .iter()
        .map(|variant| match resolved(variant, facts) {
            Type::Object(fields) => Some(fields.as_slice()),
            _ => None,
        })
        .collect();
    let is_only = objects.iter().flatten().count() == 1;
    let mut names: Vec<Option<String>> = Vec::new();
    for (at, fields) in objects.iter().enumerate() {
        let name = fields.map(|fields| {
            let others = || objects.iter().enumerate().filter(|(other, _)| *other != at);
            let is_own = |field: &&Field| {
                others().filter_map(|(_, fields)| *fields).flatten().all(|other| other.name != field.name)
            };
            let of_its_own = || {
                let own = || fields.iter().filter(is_own);
                own().find(|field| field.required).or_else(|| own().next()).map(|field| field.name.clone())
            };
            let name = match fields.iter().find_map(|field| constant(field, facts)) {
                _ if is_only => Some("object".to_owned()),
                Some(word) => Some(word.to_owned()),
                None => of_its_own(),
            };
            let is_free = |name: &String| {
                let name = naming::type_name(name);
                names.iter().flatten().all(|known| naming::type_name(known) != name)
            };
            name.filter(is_free).unwrap_or_else(|| format!("object{}", at + 1))
        });
        names.push(name);
    }
    names
}

/// The only word that a field may be, where it must be there: nobody need say it.
fn constant<'a>(field: &'a Field, facts: &'a Facts) -> Option<&'a str> {
    match resolved(&field.shape, facts) {
        Type::Words(words) if field.required => match words.as_slice() {
            [word] => Some(word),
            _ => None,
        },
        _ => None,
    }
}

/// The name of the variant of a union, where its type says it.
fn variant_name(taken: &Taken) -> &'static str {
    match taken {
        Taken::Text => "Text",
        Taken::Secret => "Secret",
        Taken::Integer => "Integer",
        Taken::Number => "Number",
        Taken::Flag => "Flag",
        Taken::Object(_) => "Object",
        Taken::Union(_) => "Other",
        Taken::List(item) => match **item {
            Taken::Text => "Texts",
            Taken::Integer => "Integers",
            Taken::Object(_) => "Objects",
            _ => "List",
        },
        Taken::Any => "Any",
    }
}

/// A type behind its name.
pub(super) fn resolved<'a>(shape: &'a Type, facts: &'a Facts) -> &'a Type {
    let mut shape = shape;
    // A name of a name of a name; never a circle, but a broken table shall not hang us.
    for _ in 0..16 {
        match shape {
            Type::Ref(name) => shape = facts.types.get(name).unwrap_or(&Type::Any),
            other => return other,
        }
    }
    &Type::Any
}
