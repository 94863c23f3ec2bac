//! The shape of an answer becomes a type, and its shared parts become named ones.

use std::collections::BTreeMap;

use serde_json::Value;

use super::method::Method;
use super::seen::either;
use super::share::{Place, Share};
use crate::facts::{Field, Type};
use crate::import::ImportError;
use crate::import::combine::{linked, one_of, or_null};
use crate::import::order::entries;

/// What the stack reads, or what only a failure has: samples hold both, one upon the other.
const ENVELOPE: [&str; 11] = [
    "ok",
    "error",
    "errors",
    "needed",
    "provided",
    "warning",
    "arg",
    "callstack",
    "deprecated_argument",
    "detail",
    "req_method",
];

/// The fewest characters that a key has which is an identifier of Slack's (`C03E94MKU`).
const IDENTIFIER: usize = 9;

/// Reads answers, and collects the shared types that are in them.
pub(super) struct Answers<'a> {
    shares: &'a [Share],
    /// By share and pattern: did it match?
    used: Vec<Vec<bool>>,
    types: BTreeMap<String, Type>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(shares: &'a [Share]) -> Result<Self, ImportError> {
        if let Some(share) = shares.iter().find(|share| share.says_nothing()) {
            return Err(ImportError::SaysNothing(share.at.join(", ")));
        }
        let used = shares.iter().map(|share| vec![false; share.at.len()]).collect();
        Ok(Self { shares, used, types: BTreeMap::new() })
    }

    /// What a method answers; nothing if it is nothing but the envelope.
    pub(super) fn read(&mut self, method: &Method, shape: Option<&Value>) -> Option<Type> {
        let mut place = Place::of(&method.op);
        if let Some(given) = self.given(&place) {
            return Some(given);
        }
        let Some(shape) = shape else { return Some(Type::Any) };
        let is_paged = method.paged.as_deref() == Some("cursor");
        let mut fields = Vec::new();
        for (name, shape) in fields_of(shape) {
            if ENVELOPE.contains(&name.as_str()) || name == "response_metadata" {
                continue;
            }
            fields.push(self.field(name, shape, &mut place));
        }
        let metadata = shape.pointer("/fields/response_metadata");
        let has_cursor = metadata.is_some_and(|shape| shape.pointer("/fields/next_cursor").is_some());
        if is_paged || has_cursor {
            let unseen = serde_json::json!({"t": "object", "fields": {"next_cursor": {"t": "string"}}});
            let shape = metadata.filter(|_| has_cursor).unwrap_or(&unseen);
            // The last page may be without.
            let field = self.field("response_metadata", shape, &mut place);
            fields.push(Field { required: false, ..field });
        }
        (!fields.is_empty()).then(|| self.shared(fields, &place))
    }

    /// The shared types.
    ///
    /// # Errors
    /// A pattern that matched nothing: the table of shared types and the samples do not fit any more.
    pub(super) fn into_types(self) -> Result<BTreeMap<String, Type>, ImportError> {
        for (share, used) in self.shares.iter().zip(&self.used) {
            if let Some((pattern, _)) = share.at.iter().zip(used).find(|(_, used)| !**used) {
                return Err(ImportError::Unmatched { name: share.name.clone(), pattern: pattern.clone() });
            }
        }
        Ok(self.types)
    }

    fn field(&mut self, name: &str, shape: &Value, place: &mut Place<'_>) -> Field {
        let read = place.at_field(name, |place| self.shape(shape, place));
        let shown = if says(shape, "null") { or_null(read) } else { read };
        let required = !says(shape, "opt") && !says(shape, "null");
        Field {
            name: name.to_owned(),
            shape: linked(name, shown),
            required,
            gap: false,
            until: None,
            style: None,
        }
    }

    fn shape(&mut self, shape: &Value, place: &mut Place<'_>) -> Type {
        if let Some(given) = self.given(place) {
            return given;
        }
        let kinds = shape.get("t").and_then(Value::as_str).unwrap_or_default();
        one_of(kinds.split('|').map(|kind| self.of_kind(kind, shape, place)).collect())
    }

    fn of_kind(&mut self, kind: &str, shape: &Value, place: &mut Place<'_>) -> Type {
        match kind {
            "string" => Type::Text,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Flag,
            "array" => Type::List(Box::new(match shape.get("item") {
                Some(item) => place.at_item(|place| self.shape(item, place)),
                None => Type::Any,
            })),
            "object" => self.object(shape, place),
            _ => Type::Any,
        }
    }

    fn object(&mut self, shape: &Value, place: &mut Place<'_>) -> Type {
        let fields: Vec<Field> =
            fields_of(shape).map(|(name, shape)| self.field(name, shape, place)).collect();
        if fields.is_empty() {
            return Type::Any;
        }
        if fields.iter().all(|field| is_identifier(&field.name)) {
            return Type::Map(Box::new(fields.into_iter().map(|field| field.shape).fold(Type::Any, either)));
        }
        self.shared(fields, place)
    }

    /// An object, as a part of a shared type if the table says so.
    fn shared(&mut self, mut fields: Vec<Field>, place: &Place<'_>) -> Type {
        let Some(at) = self.find(place, |share| share.shape.is_none()) else { return Type::Object(fields) };
        let Share { name, required, .. } = &self.shares[at];
        if let Some(required) = required {
            fields.iter_mut().for_each(|field| field.required = required.contains(&field.name));
        }
        let object = Type::Object(fields);
        if name.is_empty() {
            return object;
        }
        let mut known = match self.types.remove(name) {
            Some(known) => either(known, object),
            None => object,
        };
        // What is always there is so also where a sample is without.
        if let (Type::Object(fields), Some(required)) = (&mut known, required) {
            fields.iter_mut().for_each(|field| field.required = required.contains(&field.name));
        }
        self.types.insert(name.clone(), known);
        Type::Ref(name.clone())
    }

    /// What the table says is here, whatever the samples show.
    fn given(&mut self, place: &Place<'_>) -> Option<Type> {
        let at = self.find(place, |share| share.shape.is_some())?;
        let Share { name, shape, .. } = &self.shares[at];
        let shape = shape.clone()?;
        if name.is_empty() {
            return Some(shape);
        }
        self.types.insert(name.clone(), shape);
        Some(Type::Ref(name.clone()))
    }

    /// The first row for a place.
    fn find(&mut self, place: &Place<'_>, of: fn(&Share) -> bool) -> Option<usize> {
        for (at, share) in self.shares.iter().enumerate().filter(|(_, share)| of(share)) {
            if let Some(pattern) = share.at.iter().position(|pattern| place.matches(pattern)) {
                self.used[at][pattern] = true;
                return Some(at);
            }
        }
        None
    }
}

fn fields_of(shape: &Value) -> impl Iterator<Item = (&String, &Value)> {
    entries(shape, "fields").into_iter()
}

fn says(shape: &Value, key: &str) -> bool {
    shape.get(key).is_some_and(|value| value.as_bool().unwrap_or_else(|| value.as_u64() == Some(1)))
}

/// Is a key one of Slack's identifiers, or a number? Then the object is a map.
fn is_identifier(key: &str) -> bool {
    let is_number = key.bytes().all(|byte| byte.is_ascii_digit());
    let has_digit = key.bytes().any(|byte| byte.is_ascii_digit());
    let tail = key.get(2..).unwrap_or_default();
    let is_code = key.len() >= IDENTIFIER
        && has_digit
        && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    !key.is_empty() && (is_number || is_code)
}
