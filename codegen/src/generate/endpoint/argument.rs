//! One argument: its identifier, its setter, its row.

use serde_json::Value;

use super::input::{Inputs, resolved};
use crate::facts::{Facts, Style, Type};
use crate::naming;

/// Where it goes: core's `Place`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Name,
    Tail,
    Query,
    Header,
    Field,
    Body,
}

pub(super) struct Argument {
    /// The provider's spelling, unless another argument has it.
    pub(super) name: String,
    /// The provider's spelling, where it is not the name.
    pub(super) wire: Option<String>,
    /// Its identifier, once all of the operation are known.
    pub(super) ident: String,
    pub(super) place: Place,
    pub(super) shape: Type,
    pub(super) required: bool,
    /// May it be `null`?
    pub(super) nullable: bool,
    pub(super) style: Option<Style>,
    /// What we send when it is not given.
    pub(super) default: Option<String>,
    /// What the provider takes when it is not sent.
    pub(super) provider_default: Option<Value>,
    pub(super) until: Option<String>,
    /// How Rust gives it.
    pub(super) taken: Taken,
    /// Dotted paths of secrets in it.
    pub(super) secrets: Vec<String>,
    /// At the end of a path: empty, it means what is above.
    pub(super) may_be_empty: bool,
}

/// How a value is given in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Text,
    Secret,
    Integer,
    Number,
    Flag,
    /// An object inside a body: this type.
    Object(String),
    /// One of several: this type, out of whatever converts.
    Union(String),
    List(Box<Taken>),
    Any,
}

/// Names that endpoints and their traits have already.
const TAKEN_NAMES: &[&str] =
    &["clone", "decode", "fields", "into", "new", "operation", "request", "accept", "content_type"];

impl Argument {
    pub(super) fn new(
        name: &str,
        place: Place,
        shape: &Type,
        required: bool,
        facts: &Facts,
        inputs: &mut Inputs,
    ) -> Self {
        let (nullable, inner) = match resolved(shape, facts) {
            Type::Null(inner) => (true, inner.as_ref()),
            _ => (false, shape),
        };
        let taken = inputs.taken(name, inner, facts);
        let mut secrets = Vec::new();
        find_secrets(inner, facts, "", 0, &mut secrets);
        Self {
            name: name.to_owned(),
            wire: None,
            ident: naming::field(name),
            place,
            shape: inner.clone(),
            required,
            nullable,
            style: None,
            default: None,
            provider_default: None,
            until: None,
            taken,
            secrets,
            may_be_empty: false,
        }
    }

    pub(super) fn rename(&mut self, name: String) {
        self.wire = Some(std::mem::replace(&mut self.name, name));
    }

    pub(super) fn setter(&self) -> String {
        setter(&self.ident)
    }

    /// How it is given to `new`: what must be there and may be `null` says so.
    pub(super) fn required_type(&self) -> String {
        if self.is_required_null() {
            format!("Option<{}>", owned(&self.taken))
        } else {
            parameter_type(&self.taken)
        }
    }

    /// The call that `new` gives it by.
    pub(super) fn give_required(&self) -> String {
        if self.is_required_null() {
            format!(".set({:?}, {})", self.name, self.ident)
        } else {
            give(&self.taken, &self.name, &self.ident)
        }
    }

    fn is_required_null(&self) -> bool {
        self.required && self.nullable && self.place == Place::Field && self.taken != Taken::Any
    }

    /// Its row in the table.
    pub(super) fn row(&self) -> String {
        let shape = format!("Shape::{}", shape_word(&self.taken));
        let name = format!("{:?}", self.name);
        let mut row = match self.place {
            Place::Path => format!("Parameter::path({name}, {shape})"),
            Place::Name => format!("Parameter::name({name})"),
            Place::Tail => format!("Parameter::tail({name})"),
            Place::Query => format!("Parameter::query({name}, {shape})"),
            Place::Header => format!("Parameter::header({name}, {shape})"),
            Place::Field => format!("Parameter::field({name}, {shape})"),
            Place::Body => format!("Parameter::body({shape})"),
        };
        if self.required && !matches!(self.place, Place::Path | Place::Name | Place::Tail) {
            row.push_str(".required()");
        }
        if self.may_be_empty {
            row.push_str(".may_be_empty()");
        }
        if let Some(wire) = &self.wire {
            row.push_str(&format!(".wire({wire:?})"));
        }
        match self.style {
            Some(Style::Comma) => row.push_str(".style(Style::Comma)"),
            Some(Style::Exploded) => row.push_str(".style(Style::Exploded)"),
            Some(Style::Deep) => row.push_str(".style(Style::Deep)"),
            Some(Style::Json) => row.push_str(".style(Style::Json)"),
            None => {}
        }
        if let Some(default) = &self.default {
            row.push_str(&format!(".default({default:?})"));
        }
        if !self.secrets.is_empty() {
            row.push_str(&format!(".secrets(&{:?})", self.secrets));
        }
        row
    }
}

/// Gives all arguments of an operation identifiers of their own.
pub(super) fn identify(arguments: &mut [Argument]) {
    let idents = naming::fields(arguments.iter().map(|argument| argument.name.as_str()));
    for (argument, ident) in arguments.iter_mut().zip(idents) {
        argument.ident = ident;
    }
}

/// The name of the method that gives a value.
pub(super) fn setter(ident: &str) -> String {
    let is_taken = TAKEN_NAMES.contains(&ident) || ident.starts_with("clear_");
    if is_taken { format!("with_{ident}") } else { ident.to_owned() }
}

/// The type of a value that is kept.
pub(super) fn owned(taken: &Taken) -> String {
    match taken {
        Taken::Text => "String".to_owned(),
        Taken::Secret => "Secret".to_owned(),
        Taken::Integer => "i64".to_owned(),
        Taken::Number => "f64".to_owned(),
        Taken::Flag => "bool".to_owned(),
        Taken::Object(name) | Taken::Union(name) => name.clone(),
        Taken::List(item) => format!("Vec<{}>", owned(item)),
        Taken::Any => "Input".to_owned(),
    }
}

/// Its type as a parameter of a function.
pub(super) fn parameter_type(taken: &Taken) -> String {
    match taken {
        Taken::Text => "impl Into<String>".to_owned(),
        Taken::Secret => "impl Into<Secret>".to_owned(),
        Taken::Integer => "i64".to_owned(),
        Taken::Number => "f64".to_owned(),
        Taken::Flag => "bool".to_owned(),
        Taken::Object(name) => name.clone(),
        Taken::Union(name) => format!("impl Into<{name}>"),
        Taken::List(item) => format!("impl IntoIterator<Item = {}>", parameter_type(item)),
        Taken::Any => "impl Into<Input>".to_owned(),
    }
}

/// The call that gives it, to what is written before.
pub(super) fn give(taken: &Taken, name: &str, ident: &str) -> String {
    match taken {
        Taken::Text => format!(".text({name:?}, {ident})"),
        Taken::Secret => format!(".secret({name:?}, {ident})"),
        Taken::Integer | Taken::Number | Taken::Flag | Taken::Object(_) | Taken::Any => {
            format!(".set({name:?}, {ident})")
        }
        Taken::Union(union) => format!(".set({name:?}, Into::<{union}>::into({ident}))"),
        Taken::List(item) => match **item {
            Taken::Text => format!(".list({name:?}, {ident}.into_iter().map(Into::<String>::into))"),
            Taken::Secret => format!(".list({name:?}, {ident}.into_iter().map(Into::<Secret>::into))"),
            Taken::Union(ref union) => {
                format!(".list({name:?}, {ident}.into_iter().map(Into::<{union}>::into))")
            }
            _ => format!(".list({name:?}, {ident})"),
        },
    }
}

pub(super) fn shape_word(taken: &Taken) -> &'static str {
    match taken {
        Taken::Text | Taken::Secret => "Text",
        Taken::Integer => "Integer",
        Taken::Number => "Number",
        Taken::Flag => "Flag",
        Taken::Object(_) => "Object",
        Taken::List(_) => "List",
        Taken::Union(_) | Taken::Any => "Any",
    }
}

fn find_secrets(shape: &Type, facts: &Facts, path: &str, depth: usize, found: &mut Vec<String>) {
    // Deeper than any body goes; types may contain themselves.
    if depth > 6 {
        return;
    }
    match resolved(shape, facts) {
        Type::Secret => found.push(path.to_owned()),
        Type::List(inner) | Type::Null(inner) => find_secrets(inner, facts, path, depth + 1, found),
        Type::Object(fields) => {
            for field in fields {
                let path =
                    if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
                find_secrets(&field.shape, facts, &path, depth + 1, found);
            }
        }
        Type::OneOf(variants) => {
            for variant in variants {
                find_secrets(variant, facts, path, depth + 1, found);
            }
            found.dedup();
        }
        _ => {}
    }
}
