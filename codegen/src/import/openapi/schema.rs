//! A schema becomes a type.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::document::{Document, flag, reference, schema_name, texts};
use super::extension::Extensions;
use super::way::{Way, differs};
use crate::facts::{Field, Type};
use crate::import::ImportError;
use crate::import::combine::{both, linked, one_of, or_null};
use crate::import::order::{NOTE, entries};

/// Reads the schemas of one document.
pub(super) struct Schemas<'a> {
    document: Document<'a>,
    /// The references that are being read in full, because one that leads back to itself has no end.
    trail: RefCell<Vec<String>>,
    extensions: Extensions,
    /// Whose side is being read.
    way: Cell<Way>,
    /// The names of schemas as they are sent, where that differs, and whose names they are.
    sent: RefCell<BTreeMap<String, String>>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(document: Document<'a>) -> Self {
        Self {
            document,
            trail: RefCell::default(),
            extensions: Extensions::default(),
            way: Cell::default(),
            sent: RefCell::default(),
        }
    }

    /// What a schema describes. Named schemas stay names.
    pub(super) fn read(&self, schema: &Value) -> Result<Type, ImportError> {
        self.shape(schema, true)
    }

    /// What a schema describes, to send it: without what only the provider writes.
    pub(super) fn read_to_send(&self, schema: &Value) -> Result<Type, ImportError> {
        self.going(Way::Sent, || self.read(schema))
    }

    /// What a named schema describes, read in full.
    pub(super) fn named(&self, name: &str) -> Result<Type, ImportError> {
        let sent = self.sent.borrow().get(name).cloned();
        let way = if sent.is_some() { Way::Sent } else { Way::Received };
        match self.document.schema(sent.as_deref().unwrap_or(name)) {
            Some(schema) => self.going(way, || self.once(name, schema)),
            None => Err(ImportError::Reference(name.to_owned())),
        }
    }

    fn going<T>(&self, way: Way, read: impl FnOnce() -> T) -> T {
        let before = self.way.replace(way);
        let result = read();
        self.way.set(before);
        result
    }

    /// How a named schema is called on the side that is being read: `user` and, where it differs, `user-sent`.
    fn name(&self, name: String) -> Result<String, ImportError> {
        let Some(schema) = self.document.schema(&name).filter(|_| self.way.get() == Way::Sent) else {
            return Ok(name);
        };
        let mut all = self.sent.borrow_mut();
        let known = all.iter().find(|(_, of)| **of == name).map(|(sent, _)| sent.clone());
        if known.is_some() || !differs(self.document, schema)? {
            return Ok(known.unwrap_or(name));
        }
        let mut sent = format!("{name}-sent");
        while self.document.schema(&sent).is_some() {
            sent.push_str("-sent");
        }
        all.insert(sent.clone(), name);
        Ok(sent)
    }

    /// All named schemas, with what was added to them anywhere: the last thing to be read.
    pub(super) fn into_types(self) -> Result<BTreeMap<String, Type>, ImportError> {
        let mut types = BTreeMap::new();
        for (name, _) in self.document.schemas() {
            types.insert(name.clone(), self.named(name)?);
        }
        // Reading one may need more of them.
        let next = |types: &BTreeMap<String, Type>| {
            self.sent.borrow().keys().find(|name| !types.contains_key(*name)).cloned()
        };
        while let Some(name) = next(&types) {
            let shape = self.named(&name)?;
            types.insert(name, shape);
        }
        self.extensions.apply(&mut types);
        Ok(types)
    }

    fn shape(&self, schema: &Value, is_inline: bool) -> Result<Type, ImportError> {
        let Some(object) = schema.as_object() else { return Ok(Type::Any) };
        let shape = match reference(schema) {
            Some(reference) => self.referred(reference)?,
            None => self.described(schema, object, is_inline)?,
        };
        Ok(if flag(schema, "nullable") { or_null(shape) } else { shape })
    }

    fn referred(&self, reference: &str) -> Result<Type, ImportError> {
        let target = self.document.target(reference)?;
        match schema_name(reference) {
            Some(name) => Ok(Type::Ref(self.name(name)?)),
            None => self.once(reference, target),
        }
    }

    fn once(&self, name: &str, schema: &Value) -> Result<Type, ImportError> {
        if self.trail.borrow().iter().any(|known| known == name) {
            return Ok(Type::Any);
        }
        self.trail.borrow_mut().push(name.to_owned());
        let shape = self.shape(schema, false);
        self.trail.borrow_mut().pop();
        shape
    }

    fn described(
        &self,
        schema: &Value,
        object: &Map<String, Value>,
        is_inline: bool,
    ) -> Result<Type, ImportError> {
        let resolve = |name: &str| self.named(name);
        let mut shape = Type::Any;
        let mut required = texts(schema, "required");
        let mut parts = Vec::new();
        for part in list(object, "allOf") {
            parts.push(self.read(part)?);
            required.extend(texts(part, "required"));
        }
        parts.push(self.own(schema, object)?);
        if is_inline
            && required.is_empty()
            && let Some(named) = self.extended(&parts)?
        {
            return Ok(named);
        }
        for part in parts {
            shape = both(shape, part, &resolve)?;
        }
        if !required.is_empty() {
            let excluded = self.way.get().excluded(self.document, schema)?;
            required.retain(|name| !excluded.contains(name));
        }
        // A part may require what another part describes.
        if let Type::Object(fields) = &mut shape {
            for field in fields.iter_mut().filter(|field| required.contains(&field.name.as_str())) {
                field.required = true;
            }
        }
        for key in ["oneOf", "anyOf"] {
            shape = self.one_of(shape, list(object, key))?;
        }
        Ok(shape)
    }

    /// The named type that the first part is, if the others only add to it.
    fn extended(&self, parts: &[Type]) -> Result<Option<Type>, ImportError> {
        let Some((Type::Ref(name), more)) = parts.split_first() else { return Ok(None) };
        let more: Vec<&Type> = more.iter().filter(|part| **part != Type::Any).collect();
        let extends = !more.is_empty() && self.extensions.note(name, &self.named(name)?, &more);
        Ok(extends.then(|| Type::Ref(name.clone())))
    }

    /// What the schema says beside `allOf`, `oneOf` and `anyOf`.
    fn own(&self, schema: &Value, object: &Map<String, Value>) -> Result<Type, ImportError> {
        let kinds: Vec<&str> = match object.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ if object.contains_key("properties") => vec!["object"],
            _ if object.contains_key("items") => vec!["array"],
            _ => Vec::new(),
        };
        let constant = object.get("const").map(std::slice::from_ref);
        let values = constant.or_else(|| object.get("enum").and_then(Value::as_array).map(Vec::as_slice));
        if let Some(shape) = values.and_then(|values| enumeration(&kinds, values)) {
            return Ok(if kinds.contains(&"null") { or_null(shape) } else { shape });
        }
        let shapes: Result<Vec<Type>, ImportError> =
            kinds.iter().map(|kind| self.of_kind(kind, schema, object)).collect();
        Ok(one_of(shapes?))
    }

    fn of_kind(&self, kind: &str, schema: &Value, object: &Map<String, Value>) -> Result<Type, ImportError> {
        Ok(match kind {
            "string" => text(object),
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Flag,
            "null" => or_null(Type::Any),
            "file" => Type::Bytes,
            "array" => {
                let item = object.get("items").map_or(Ok(Type::Any), |items| self.read(items))?;
                Type::List(Box::new(item))
            }
            "object" => self.object(schema, object)?,
            _ => Type::Any,
        })
    }

    fn object(&self, schema: &Value, object: &Map<String, Value>) -> Result<Type, ImportError> {
        let required = texts(schema, "required");
        let mut fields = Vec::new();
        for (name, schema) in entries(schema, "properties") {
            // Some files hold malformed entries: they describe nothing.
            if !(schema.is_object() || schema.is_boolean()) {
                continue;
            }
            let way = self.way.get();
            let is_excluded = way.excludes(self.document, schema)?;
            if is_excluded && way == Way::Sent {
                continue;
            }
            let shape = linked(name, self.read(schema)?);
            let required = required.contains(&name.as_str()) && !is_excluded;
            fields.push(Field { name: name.clone(), shape, required, gap: false, until: None, style: None });
        }
        if !fields.is_empty() {
            return Ok(Type::Object(fields));
        }
        match object.get("additionalProperties") {
            Some(values @ Value::Object(known)) if !known.is_empty() => {
                Ok(Type::Map(Box::new(self.read(values)?)))
            }
            _ => Ok(Type::Any),
        }
    }

    /// One of the branches, each together with what stands beside them.
    fn one_of(&self, beside: Type, branches: &[Value]) -> Result<Type, ImportError> {
        let resolve = |name: &str| self.named(name);
        let mut variants = Vec::new();
        for branch in branches {
            if only_constrains(branch, &beside) {
                continue;
            }
            let variant = self.read(branch)?;
            if self.covers(&variant, &beside)? {
                variants.push(variant);
            } else {
                variants.push(both(beside.clone(), variant, &resolve)?);
            }
        }
        Ok(if variants.is_empty() { beside } else { one_of(variants) })
    }

    /// Does a named variant have all fields that stand beside it? Then it keeps its name.
    fn covers(&self, variant: &Type, beside: &Type) -> Result<bool, ImportError> {
        let (Type::Ref(name), Type::Object(beside)) = (variant, beside) else { return Ok(false) };
        let Type::Object(fields) = self.named(name)? else { return Ok(false) };
        Ok(beside.iter().all(|field| fields.iter().any(|known| known.name == field.name)))
    }
}

/// Does a branch describe nothing new? It says only what must be there, or narrows fields that stand beside it.
fn only_constrains(branch: &Value, beside: &Type) -> bool {
    let Some(branch) = branch.as_object() else { return true };
    let known = |name: &String| match beside {
        Type::Object(fields) => fields.iter().any(|field| &field.name == name),
        _ => false,
    };
    let properties = branch.get("properties").and_then(Value::as_object);
    let says_more = |key: &String| {
        !matches!(
            key.as_str(),
            NOTE | "required"
                | "properties"
                | "additionalProperties"
                | "description"
                | "title"
                | "not"
                | "type"
        )
    };
    if branch.keys().any(says_more) || !properties.is_none_or(|properties| properties.keys().all(known)) {
        return false;
    }
    match beside {
        Type::Object(_) => branch.get("type").is_none_or(|kind| kind == "object"),
        _ => {
            !branch.contains_key("type")
                && !branch.contains_key("properties")
                && branch.contains_key("required")
        }
    }
}

/// The values that may be, as a type; nothing if they say nothing about it.
fn enumeration(kinds: &[&str], values: &[Value]) -> Option<Type> {
    // A list's values, or an object's: no words.
    if kinds.iter().any(|kind| matches!(*kind, "array" | "object")) {
        return None;
    }
    let all = |test: fn(&Value) -> bool| values.iter().filter(|value| !value.is_null()).all(test);
    let shape = if values.iter().all(Value::is_null) {
        return None;
    } else if kinds.contains(&"string") || kinds.is_empty() && all(Value::is_string) {
        let mut words: Vec<String> = Vec::new();
        for value in values.iter().filter(|value| !value.is_null()) {
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Type::Words(words)
    } else if all(Value::is_boolean) {
        Type::Flag
    } else if all(|value| value.is_i64() || value.is_u64()) && !kinds.contains(&"number") {
        Type::Integer
    } else if all(Value::is_number) {
        Type::Number
    } else {
        return None;
    };
    Some(if values.contains(&Value::Null) { or_null(shape) } else { shape })
}

fn text(object: &Map<String, Value>) -> Type {
    let says = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    match says("format") {
        "date-time" => Type::Time,
        "uri" | "uri-template" | "url" => Type::Link,
        "binary" => Type::Bytes,
        "password" => Type::Secret,
        _ if says("contentMediaType") == "application/octet-stream" => Type::Bytes,
        _ => Type::Text,
    }
}

fn list<'v>(object: &'v Map<String, Value>, key: &str) -> &'v [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
