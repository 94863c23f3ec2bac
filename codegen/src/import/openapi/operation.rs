//! An operation: where it is, what it takes, how it succeeds.
//!
//! What cannot be sent is an error that names the operation and the parameter: a client that left it out, or wrote it in
//! another way, would fail where nobody looks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, flag};
use super::schema::Schemas;
use super::style::{self, Said};
use super::success::successes;
use crate::facts::{Answer, Body, Operation, Parameter, Place, Style, Type};
use crate::import::ImportError;

/// What the stack sends by itself.
const OWN_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];
/// The best first; else the first that the description names.
const BODIES: [&str; 4] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/octet-stream",
];

/// More names in a row than any sane description has: they name each other.
const MOST_HOPS: usize = 16;

/// Where an operation stands in the document.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// What all methods of the path share.
    pub(super) item: &'a Value,
    pub(super) operation: &'a Value,
}

/// An official example of an answer of one operation.
pub(super) struct Example {
    /// Of the operation's answers.
    pub(super) answer: usize,
    pub(super) value: Value,
}

/// Reads operations of one document.
pub(super) struct Operations<'a> {
    pub(super) document: Document<'a>,
    pub(super) schemas: Schemas<'a>,
}

impl<'a> Operations<'a> {
    /// Reads one operation, and the examples of its answers.
    pub(super) fn read(&self, op: String, site: Site<'a>) -> Result<(Operation, Vec<Example>), ImportError> {
        let Site { operation, .. } = site;
        let text_of =
            |node: &Value, pointer| node.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let text = |pointer| text_of(operation, pointer);
        let (answers, examples) = self.answers(operation)?;
        let row = Operation {
            category: if op.contains('/') && !op.contains(' ') { None } else { text("/tags/0") },
            params: self.parameters(&op, site)?,
            body: self.body(&op, operation)?,
            op,
            method: site.method.to_ascii_uppercase(),
            path: site.path.to_owned(),
            docs: text("/externalDocs/url").unwrap_or_default(),
            deprecated: flag(operation, "deprecated"),
            server: text("/servers/0/url").or_else(|| text_of(site.item, "/servers/0/url")),
            tier: None,
            scopes: scopes(operation),
            notifies: operation.get("x-github").is_some_and(|notes| flag(notes, "triggersNotification")),
            answers,
        };
        Ok((row, examples))
    }

    fn parameters(&self, op: &str, site: Site<'a>) -> Result<Vec<Parameter>, ImportError> {
        let mut params: Vec<Parameter> = Vec::new();
        for node in [site.operation, site.item].into_iter().flat_map(|node| entries(node, "parameters")) {
            let Some(param) = self.parameter(op, self.document.resolve(node)?)? else { continue };
            // The operation's own come first and win over those that the path shares.
            if !params.iter().any(|known| known.name == param.name && known.place == param.place) {
                params.push(param);
            }
        }
        let (inside, outside): (Vec<_>, Vec<_>) =
            params.into_iter().partition(|param| param.place == Place::Path);
        let mut inside: BTreeMap<String, Parameter> =
            inside.into_iter().map(|param| (param.name.clone(), param)).collect();
        let mut all = Vec::new();
        for name in template(site.path) {
            if all.iter().all(|known: &Parameter| known.name != name) {
                all.push(inside.remove(name).unwrap_or_else(|| undescribed(name)));
            }
        }
        all.extend(outside);
        Ok(all)
    }

    fn parameter(&self, op: &str, node: &'a Value) -> Result<Option<Parameter>, ImportError> {
        let text = |key| node.get(key).and_then(Value::as_str);
        let Some(name) = text("name") else { return Ok(None) };
        let place = match text("in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") if !OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => Place::Header,
            Some("cookie") if flag(node, "required") => {
                return Err(unwritable(op, name, "is a cookie that must be there".to_owned()));
            }
            _ => return Ok(None),
        };
        let content =
            node.get("content").and_then(Value::as_object).and_then(|content| content.values().next());
        let schema = content.unwrap_or(node).get("schema").unwrap_or(&Value::Null);
        let shape = self.schemas.read_to_send(schema)?;
        let style = if content.is_some() {
            Some(Style::Json)
        } else {
            style::style(place, Said::by(node), &self.in_full(&shape)?)
                .map_err(|why| unwritable(op, name, why))?
        };
        Ok(Some(Parameter {
            name: name.to_owned(),
            place,
            required: place == Place::Path || flag(node, "required"),
            default: self.document.resolve(schema)?.get("default").filter(|value| !value.is_null()).cloned(),
            style,
            multi: flag(node, "x-multi-segment"),
            until: None,
            shape,
        }))
    }

    /// What is behind names and beside `null`.
    fn in_full(&self, shape: &Type) -> Result<Type, ImportError> {
        let mut shape = shape.clone();
        for _ in 0..MOST_HOPS {
            shape = match shape {
                Type::Ref(name) => self.schemas.named(&name)?,
                Type::Null(inner) => *inner,
                shape => return Ok(shape),
            };
        }
        Ok(Type::Any)
    }

    fn body(&self, op: &str, operation: &'a Value) -> Result<Option<Body>, ImportError> {
        let Some(body) = operation.get("requestBody") else { return Ok(None) };
        let body = self.document.resolve(body)?;
        let Some(content) = body.get("content").and_then(Value::as_object) else { return Ok(None) };
        let best = BODIES.iter().find_map(|media| content.iter().find(|(known, _)| essence(known) == *media));
        let Some((media, described)) = best.or_else(|| content.iter().next()) else { return Ok(None) };
        let shape =
            described.get("schema").map_or(Ok(Type::Any), |schema| self.schemas.read_to_send(schema))?;
        let media = self.concrete(essence(media), &shape)?;
        Ok(Some(Body {
            media: media.to_owned(),
            required: flag(body, "required"),
            shape: self.encoded(op, media_shape(media, shape), described)?,
        }))
    }

    /// A media type that can be sent. A range says that anything goes: JSON where fields are known, else octets.
    fn concrete<'m>(&self, media: &'m str, shape: &Type) -> Result<&'m str, ImportError> {
        Ok(match media {
            "text/*" => "text/plain",
            media if media.contains('*') && is_json(media) => "application/json",
            "*/*" | "application/*" => match self.in_full(shape)? {
                Type::Object(_) | Type::Map(_) | Type::List(_) | Type::OneOf(_) => "application/json",
                _ => "application/octet-stream",
            },
            media if media.contains('*') => "application/octet-stream",
            media => media,
        })
    }

    /// A form's fields with the styles that `encoding` gives them. Then the type is the form's own: elsewhere it may be
    /// written in another way.
    fn encoded(&self, op: &str, shape: Type, described: &'a Value) -> Result<Type, ImportError> {
        let Some(encoding) = described.get("encoding").and_then(Value::as_object) else { return Ok(shape) };
        let Type::Object(mut fields) = self.in_full(&shape)? else { return Ok(shape) };
        let mut is_said = false;
        for field in &mut fields {
            let Some(said) = encoding.get(&field.name) else { continue };
            field.style = style::encoding(said, &self.in_full(&field.shape)?)
                .map_err(|why| unwritable(op, &field.name, why))?;
            is_said |= field.style.is_some();
        }
        Ok(if is_said { Type::Object(fields) } else { shape })
    }

    fn answers(&self, operation: &'a Value) -> Result<(Vec<Answer>, Vec<Example>), ImportError> {
        let mut answers: Vec<(Answer, Vec<Value>)> = Vec::new();
        for (status, response) in successes(self.document, operation)? {
            let content = response.get("content").and_then(Value::as_object);
            // A redirect's body, if any, is an error's.
            let has_body = !matches!(status, 204 | 205 | 300..);
            let mut media: Vec<_> = content.into_iter().flatten().filter(|_| has_body).collect();
            media.sort_by_key(|(media, _)| essence(media) != "application/json");
            if media.is_empty() {
                answers.push((
                    Answer { status, media: None, shape: None, since: None, until: None },
                    Vec::new(),
                ));
            }
            for (media, described) in media {
                let schema = described.get("schema");
                let shape = schema.map_or(Ok(Type::Any), |schema| self.schemas.read(schema))?;
                let shape = media_shape(essence(media), shape);
                let media = match essence(media) {
                    "*/*" if shape == Type::Bytes => "application/octet-stream",
                    "*/*" => "application/json",
                    media => media,
                };
                if answers
                    .iter()
                    .any(|(known, _)| known.status == status && known.media.as_deref() == Some(media))
                {
                    continue;
                }
                let examples = if is_json(media) { self.examples(described)? } else { Vec::new() };
                let (media, shape) = (Some(media.to_owned()), Some(shape));
                answers.push((Answer { status, media, shape, since: None, until: None }, examples));
            }
        }
        answers.sort_by_key(|(answer, _)| answer.status);
        let mut rows = Vec::new();
        let mut examples = Vec::new();
        for (answer, values) in answers {
            examples.extend(values.into_iter().map(|value| Example { answer: rows.len(), value }));
            rows.push(answer);
        }
        Ok((rows, examples))
    }

    fn examples(&self, described: &'a Value) -> Result<Vec<Value>, ImportError> {
        let mut values = Vec::new();
        for example in
            described.get("examples").and_then(Value::as_object).into_iter().flat_map(|map| map.values())
        {
            values.extend(self.document.resolve(example)?.get("value"));
        }
        values.extend(described.get("example"));
        Ok(values.into_iter().map(parsed).collect())
    }
}

/// Some descriptions write their examples as JSON text.
fn parsed(example: &Value) -> Value {
    match example {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| example.clone()),
        example => example.clone(),
    }
}

/// What a media type holds. Where the description says nothing, the media type still does.
fn media_shape(media: &str, shape: Type) -> Type {
    match shape {
        Type::Any if media.starts_with("text/") => Type::Text,
        // Octets are no text, whatever the schema calls them.
        Type::Any | Type::Text if media == "application/octet-stream" => Type::Bytes,
        shape => shape,
    }
}

fn unwritable(op: &str, parameter: &str, why: String) -> ImportError {
    ImportError::Unwritable { operation: op.to_owned(), parameter: parameter.to_owned(), why }
}

/// The scopes that any of the operation's schemes asks for, by scheme.
fn scopes(operation: &Value) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for way in entries(operation, "security").filter_map(Value::as_object) {
        for scheme in way.keys() {
            for scope in
                way.get(scheme).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
            {
                let known = all.entry(scheme.clone()).or_default();
                if known.iter().all(|known| known != scope) {
                    known.push(scope.to_owned());
                }
            }
        }
    }
    all
}

/// The names in a path template, in order.
fn template(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn undescribed(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        place: Place::Path,
        shape: Type::Text,
        required: true,
        default: None,
        style: None,
        multi: false,
        until: None,
    }
}

/// A media type without its parameters.
pub(super) fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or(media).trim()
}

pub(super) fn is_json(media: &str) -> bool {
    media.ends_with("/json") || media.ends_with("+json")
}

fn entries<'v>(node: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    node.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The name of an operation, where the description gives it one of its own.
pub(super) fn operation_id(operation: &Value) -> Option<&str> {
    operation.get("operationId").and_then(Value::as_str).filter(|id| !id.is_empty())
}
