//! The compact tables between a provider's description and our Rust: what an operation takes and answers, and no prose.
//!
//! Kept in each client crate under `api/`, one JSON object a line: `operations.jsonl` and `types.jsonl`. Importers write
//! them, the generator reads them, and a diff of them is what changed at the provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that is known about one provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// In the order of their names.
    pub operations: Vec<Operation>,
    /// Named types, in the order of their names.
    pub types: BTreeMap<String, Type>,
}

/// Everything that is known about one provider's webhooks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// In the order of their names.
    pub events: Vec<Event>,
    /// Named types, in the order of their names.
    pub types: BTreeMap<String, Type>,
}

/// One event with all of its actions: a line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The provider's name: `issues`.
    pub event: String,
    /// The provider's page about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// What its payload is. What only some actions have is not promised.
    #[serde(rename = "type")]
    pub shape: Type,
}

/// One operation: a line of `operations.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The provider's name: `issues/list-for-repo`, `chat.postMessage`.
    pub op: String,
    /// The provider's category, where the name does not begin with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `GET`, `POST`, ..
    pub method: String,
    /// With `{name}` for each path parameter.
    pub path: String,
    /// The provider's page about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// Is it on its way out?
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// The host, where it is not the API's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How often it may be called, in the provider's own word (`t3`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Scopes, by kind of token (`bot`, `user`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scopes: BTreeMap<String, Vec<String>>,
    /// Does it notify people?
    #[serde(default, skip_serializing_if = "is_false")]
    pub notifies: bool,
    /// Outside the body, in the order of the path template and then of the description.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Parameter>,
    /// What it takes as a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Successes and redirects, in the order of their status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// A parameter outside the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The provider's spelling.
    pub name: String,
    /// Where it goes.
    #[serde(rename = "in")]
    pub place: Place,
    /// What it is.
    #[serde(rename = "type")]
    pub shape: Type,
    /// Must it be given?
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// What the provider takes when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// How lists and objects are written in a query; repeated keys if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Several segments of the path: its slashes stay.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multi: bool,
    /// Not known any more from this version of the API on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    Header,
}

/// How lists and objects are written in a query or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// `a=1,2`
    Comma,
    /// `x=1&y=2`: the fields of an object, without its name.
    Exploded,
    /// `a[x]=1&a[y]=2`
    Deep,
    /// `a=[1,2]`: as JSON text.
    Json,
}

/// What an operation takes as a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Its media type: `application/json`, `application/x-www-form-urlencoded`, `multipart/form-data`, or that of raw text
    /// or of a file.
    pub media: String,
    /// Must there be one?
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// What it is.
    #[serde(rename = "type")]
    pub shape: Type,
}

/// One way to succeed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its media type; none for an answer without a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// What it is.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Type>,
    /// From this version of the API on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before this version of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a value is. A word where that says it all (`"integer"`), else an object with one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Nothing is known.
    Any,
    /// Text.
    Text,
    /// Text that is a time with a zone.
    Time,
    /// Text that is a URL or a template of one.
    Link,
    /// Text that nobody but the provider and the caller should see.
    Secret,
    /// Bytes: raw, or a file.
    Bytes,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Words(Vec<String>),
    /// Many of one type.
    List(Box<Type>),
    /// Names to values of one type.
    Map(Box<Type>),
    /// An object.
    Object(Vec<Field>),
    /// A named type.
    Ref(String),
    /// One of several.
    OneOf(Vec<Type>),
    /// Or `null`.
    Null(Box<Type>),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The provider's spelling.
    #[serde(rename = "n")]
    pub name: String,
    /// What it is.
    #[serde(rename = "t")]
    pub shape: Type,
    /// Does the description promise it?
    #[serde(rename = "req", default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Does an official example lack it, or say `null` against the description?
    #[serde(default, skip_serializing_if = "is_false")]
    pub gap: bool,
    /// Not there any more from this version of the API on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How a form writes it, where the description says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}
