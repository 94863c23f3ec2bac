//! A row of the table of methods: what a method takes, and by which verb.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::facts::{Body, Field, Operation, Parameter, Place, Style, Type};
use crate::import::combine::{linked, one_of};

/// Arguments that hold structures of Slack's own, whatever the table calls them.
const STRUCTURES: [&str; 8] = [
    "attachments",
    "blocks",
    "metadata",
    "profile",
    "unfurls",
    "user_auth_blocks",
    "unfurled_attachments",
    "view",
];
/// Arguments that are identifiers, words or lists of such, where no method of the table says so.
const TEXTS: [&str; 7] =
    ["additional_channels", "channels", "date", "entity_type", "format", "target_team", "workspace_filter"];
/// Arguments that hold a file, where the table does not say what they are.
const FILES: [&str; 4] = ["file", "image", "indexable_file_contents", "preview_image"];

#[derive(Deserialize)]
pub(super) struct Method {
    pub(super) op: String,
    verb: String,
    #[serde(default)]
    tier: Option<String>,
    json: bool,
    /// By kind of token; a word where none is asked for.
    #[serde(default)]
    scopes: Scopes,
    args: Vec<Argument>,
    /// `cursor` or `page`.
    #[serde(default)]
    pub(super) paged: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scopes {
    Of(BTreeMap<String, Vec<String>>),
    Word(IgnoredAny),
}

impl Default for Scopes {
    fn default() -> Self {
        Self::Of(BTreeMap::new())
    }
}

#[derive(Deserialize)]
struct Argument {
    #[serde(rename = "n")]
    name: String,
    /// Kinds, with a `|` between them.
    #[serde(rename = "t")]
    kinds: String,
    #[serde(rename = "req", default)]
    required: Value,
    #[serde(rename = "enum", default)]
    words: Vec<String>,
}

/// What arguments are that one method leaves open and all others agree on, by name and by whether they are lists.
pub(super) type Typed = BTreeMap<(String, bool), Type>;

/// See [`Typed`]. `channel` is text nearly everywhere, and `any` in a few places.
pub(super) fn typed_elsewhere(methods: &[Method]) -> Typed {
    let mut seen: BTreeMap<(String, bool), Vec<Type>> = BTreeMap::new();
    for argument in methods.iter().flat_map(|method| &method.args) {
        let shape = of_kinds(&argument.kinds);
        // What one method calls a number is a whole one in the others.
        if !is_open(&shape) && shape != Type::Number {
            let known = seen.entry((argument.name.clone(), is_list(&shape))).or_default();
            if !known.contains(&shape) {
                known.push(shape);
            }
        }
    }
    let agreed = seen.into_iter().filter_map(|(key, shapes)| match shapes.as_slice() {
        [shape] => Some((key, shape.clone())),
        _ => None,
    });
    agreed.collect()
}

impl Method {
    /// The operation, without its answers.
    pub(super) fn operation(&self, typed: &Typed) -> Operation {
        let fields: Vec<Field> = self
            .args
            .iter()
            // The stack authorises.
            .filter(|argument| argument.name != "token")
            .map(|argument| argument.field(typed))
            .collect();
        let (params, body) = if self.verb == "GET" {
            (fields.into_iter().map(parameter).collect(), None)
        } else {
            (Vec::new(), self.body(fields))
        };
        Operation {
            op: self.op.clone(),
            method: self.verb.clone(),
            path: format!("/{}", self.op),
            docs: format!("https://docs.slack.dev/reference/methods/{}", self.op),
            // A few have a sentence instead.
            tier: self.tier.clone().filter(|tier| tier.len() == 2 && tier.starts_with('t')),
            scopes: match &self.scopes {
                Scopes::Of(scopes) => scopes.clone(),
                Scopes::Word(_) => BTreeMap::new(),
            },
            params,
            body,
            ..Operation::default()
        }
    }

    fn body(&self, fields: Vec<Field>) -> Option<Body> {
        if fields.is_empty() {
            return None;
        }
        let media = if fields.iter().any(|field| field.shape == Type::Bytes) {
            "multipart/form-data"
        } else if self.json {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let required = fields.iter().any(|field| field.required);
        Some(Body { media: media.to_owned(), required, shape: Type::Object(fields) })
    }
}

impl Argument {
    fn field(&self, typed: &Typed) -> Field {
        let required = self.required.as_bool().unwrap_or_else(|| self.required.as_u64() == Some(1));
        Field {
            name: self.name.clone(),
            shape: linked(&self.name, self.shape(typed)),
            required,
            gap: false,
            until: None,
            style: None,
        }
    }

    fn shape(&self, typed: &Typed) -> Type {
        let name = self.name.as_str();
        let shape = of_kinds(&self.kinds);
        if STRUCTURES.contains(&name) {
            return Type::Any;
        }
        if !self.words.is_empty() {
            // An empty word says that there need not be one.
            let words = Type::Words(self.words.iter().filter(|word| !word.is_empty()).cloned().collect());
            return if is_list(&shape) { Type::List(Box::new(words)) } else { words };
        }
        if !is_open(&shape) && shape != Type::Number {
            return shape;
        }
        if !is_list(&shape) && FILES.contains(&name) {
            return Type::Bytes;
        }
        match typed.get(&(self.name.clone(), is_list(&shape))) {
            Some(agreed) => agreed.clone(),
            None if shape == Type::Number => shape,
            None if is_list(&shape) && (name.ends_with("_ids") || TEXTS.contains(&name)) => {
                Type::List(Box::new(Type::Text))
            }
            None if !is_list(&shape) && (name.ends_with("_id") || TEXTS.contains(&name)) => Type::Text,
            None => shape,
        }
    }
}

fn of_kinds(kinds: &str) -> Type {
    one_of(kinds.split('|').map(of_kind).collect())
}

fn of_kind(kind: &str) -> Type {
    match kind.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
        Some(item) => Type::List(Box::new(of_kind(item))),
        None => match kind {
            "string" => Type::Text,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Flag,
            _ => Type::Any,
        },
    }
}

fn is_open(shape: &Type) -> bool {
    match shape {
        Type::Any => true,
        Type::List(item) => is_open(item),
        _ => false,
    }
}

fn is_list(shape: &Type) -> bool {
    matches!(shape, Type::List(_))
}

fn parameter(field: Field) -> Parameter {
    // Slack reads lists of plain values with commas, and everything else as JSON text.
    let style = match &field.shape {
        Type::List(item) if !is_open(item) => Some(Style::Comma),
        Type::List(_) | Type::Any | Type::Map(_) | Type::Object(_) => Some(Style::Json),
        _ => None,
    };
    Parameter {
        name: field.name,
        place: Place::Query,
        shape: field.shape,
        required: field.required,
        default: None,
        style,
        multi: false,
        until: None,
    }
}
