//! Endpoints as Rust.

use super::answer::Variant;
use super::argument::{Argument, Place, Taken, give, parameter_type};
use super::plan::{Endpoint, Payload};
use crate::facts::{Operation, Type};
use crate::generate::header;
use crate::naming;
use crate::overlay::Overlay;

mod input;

/// What endpoints name of core's module of arguments.
const ARGUMENT: &[&str] = &["Arguments", "Fields", "Input", "Parameter", "Payload", "Shape", "Style"];
/// What they name of core itself.
const CORE: &[&str] = &[
    "Bytes",
    "Decoding",
    "Endpoint",
    "Error",
    "Method",
    "Operation",
    "Origin",
    "Paged",
    "Paging",
    "Request",
    "Response",
    "Safety",
    "Secret",
];

/// What they name of the standard library.
const STANDARD: &[&str] = &[
    "Clone",
    "Debug",
    "From",
    "Input",
    "Into",
    "IntoIterator",
    "Iterator",
    "Option",
    "Result",
    "Serialize",
    "String",
    "Vec",
];

/// Is this a name that endpoints need for something else?
pub(super) fn is_imported(name: &str) -> bool {
    ARGUMENT.contains(&name) || CORE.contains(&name) || STANDARD.contains(&name)
}

/// One file of `src/api/`.
pub(super) fn module(endpoints: &[Endpoint], overlay: &Overlay) -> String {
    let body: Vec<String> = endpoints.iter().map(|endpoint| render(endpoint, overlay)).collect();
    let body = body.join("\n");
    let uses = |word: &str| {
        body.match_indices(word).any(|(at, _)| {
            let before = body[..at].chars().next_back();
            let after = body[at + word.len()..].chars().next();
            let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            !part(before) && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let list =
        |names: &[&str]| names.iter().filter(|name| uses(name)).copied().collect::<Vec<_>>().join(", ");
    let mut text = format!("{}\n", header(&overlay.provider.id));
    let subject = endpoints.first().map_or("", |endpoint| endpoint.module.as_str());
    text.push_str(&format!("//! `{subject}` of {}.\n\n", overlay.provider.name));
    text.push_str("#![allow(\n    clippy::large_enum_variant, clippy::new_without_default, clippy::too_many_arguments,\n    reason = \"as the provider has it\"\n)]\n\n");
    text.push_str(&format!("use connect_core::argument::{{{}}};\n", list(ARGUMENT)));
    text.push_str(&format!("use connect_core::{{{}}};\n", list(CORE)));
    text.push_str("use serde::Serialize;\n\n");
    text.push_str(&body);
    text.push_str("\n/// Its part of the catalogue.\n#[cfg(feature = \"by-name\")]\n");
    text.push_str("pub(super) static ENTRIES: &[connect_core::by_name::Entry] = &[\n");
    for endpoint in endpoints {
        // One more than follow any quote in it.
        let hashes = (1..)
            .map(|count| "#".repeat(count))
            .find(|hashes| !endpoint.schema.contains(&format!("\"{hashes}")));
        let hashes = hashes.unwrap_or_default();
        if endpoint.answer.is_json {
            text.push_str(&format!(
                "    entry!({}, r{hashes}\"{}\"{hashes}),\n",
                endpoint.name, endpoint.schema
            ));
        } else {
            text.push_str(&format!(
                "    connect_core::by_name::Entry::new({}::OPERATION, r{hashes}\"{}\"{hashes}),\n",
                endpoint.name, endpoint.schema
            ));
        }
    }
    text.push_str("];\n");
    text
}

fn render(endpoint: &Endpoint, overlay: &Overlay) -> String {
    let name = &endpoint.name;
    let mut text = doc(&endpoint.operation, overlay);
    text.push_str(&format!("#[derive(Clone, Debug, Serialize)]\npub struct {name}(Arguments);\n\n"));
    text.push_str(&format!("impl {name} {{\n    /// The operation's row.\n"));
    text.push_str(&row(endpoint));
    text.push('\n');
    text.push_str(&new(endpoint));
    for argument in endpoint.arguments.iter().filter(|argument| !argument.required) {
        text.push_str(&setter(argument, endpoint, overlay));
    }
    for argument in endpoint.arguments.iter().filter(|argument| is_clearable(argument)) {
        text.push_str(&clear(argument));
    }
    if !endpoint.answer.media.is_empty() {
        let media: Vec<String> = endpoint.answer.media.iter().map(|media| format!("`{media}`")).collect();
        text.push_str(&format!(
            "\n    /// Asks for another media type ({}): send it with `client.download`, which yields bytes.\n    \
             pub fn accept(self, media_type: &'static str) -> Self {{\n        Self(self.0.accept(media_type))\n    }}\n",
            media.join(", ")
        ));
    }
    text.push_str("}\n");
    text.push_str(&traits(endpoint, overlay));
    if let Some((output, variants)) = &endpoint.answer.several {
        text.push_str(&several(output, variants, name));
    }
    for input in &endpoint.inputs.types {
        text.push_str(&input::input(input, name));
    }
    text
}

fn doc(operation: &Operation, overlay: &Overlay) -> String {
    let mut text = format!("/// `{}`: `{} {}`.", operation.op, operation.method, operation.path);
    if operation.deprecated {
        text.push_str(&format!(" Deprecated by {}.", overlay.provider.name));
    }
    if operation.notifies {
        text.push_str(" Notifies people.");
    }
    for (kind, scopes) in &operation.scopes {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        if !scopes.is_empty() {
            text.push_str(&format!(" A {kind} token needs {}.", scopes.join(", ")));
        }
    }
    text.push('\n');
    if !operation.docs.is_empty() {
        text.push_str(&format!("///\n/// <{}>\n", operation.docs));
    }
    text
}

fn row(endpoint: &Endpoint) -> String {
    let Operation { op, method, path, docs, .. } = &endpoint.operation;
    let mut text = format!(
        "    pub const OPERATION: &'static Operation = &Operation::new({op:?}, Method::{method}, {path:?}, Safety::{})",
        endpoint.safety
    );
    if let Some(origin) = endpoint.origin {
        text.push_str(&format!("\n        .origin(Origin::{origin})"));
    }
    if let Some(paging) = &endpoint.paging {
        text.push_str(&format!("\n        .paged({})", paging.rust));
    }
    if !endpoint.draws.is_empty() {
        text.push_str(&format!("\n        .draws(&{:?})", endpoint.draws));
    }
    let payload = match &endpoint.payload {
        Payload::None => "None".to_owned(),
        Payload::Json(media) => format!("Json({media:?})"),
        Payload::SomeJson(media) => format!("SomeJson({media:?})"),
        Payload::Form => "Form".to_owned(),
        Payload::Raw(media) => format!("Raw({media:?})"),
        Payload::File(media) => format!("File({media:?})"),
        Payload::Multipart(file) => format!("Multipart({file:?})"),
    };
    if endpoint.arguments.is_empty() && matches!(endpoint.payload, Payload::None) {
        text.push_str(&format!("\n        .docs({docs:?});\n"));
        return text;
    }
    text.push_str(&format!("\n        .docs({docs:?})\n        .takes(Payload::{payload}, &[\n"));
    for argument in &endpoint.arguments {
        text.push_str(&format!("            {},\n", argument.row()));
    }
    text.push_str("        ]);\n");
    text
}

fn new(endpoint: &Endpoint) -> String {
    let required: Vec<&Argument> = endpoint.arguments.iter().filter(|argument| argument.required).collect();
    let mut text = "    /// With what it cannot do without.".to_owned();
    for argument in &required {
        if let Some(words) = words(argument) {
            text.push_str(&format!(" `{}` is {words}.", argument.name));
        }
    }
    text.push('\n');
    let parameters: Vec<String> =
        required.iter().map(|argument| format!("{}: {}", argument.ident, argument.required_type())).collect();
    let line = format!("    pub fn new({}) -> Self {{\n", parameters.join(", "));
    if line.len() <= 112 {
        text.push_str(&line);
    } else {
        text.push_str(&format!(
            "    pub fn new(\n        {},\n    ) -> Self {{\n",
            parameters.join(",\n        ")
        ));
    }
    text.push_str("        Self(Arguments::new(Self::OPERATION)");
    for argument in &required {
        let call = argument.give_required();
        if required.len() > 1 {
            text.push_str("\n            ");
        }
        text.push_str(&call);
    }
    text.push_str(")\n    }\n");
    text
}

fn setter(argument: &Argument, endpoint: &Endpoint, overlay: &Overlay) -> String {
    let mut about = what(argument);
    match (&argument.default, &argument.provider_default) {
        (Some(default), _) => about.push_str(&format!("; `{default}` if not given")),
        (None, Some(default)) => {
            about.push_str(&format!("; {} takes `{default}` if not given", overlay.provider.name))
        }
        _ => {}
    }
    if let Some(version) = &argument.until {
        about.push_str(&format!(". Not in API version {version}"));
    }
    if endpoint.paging.as_ref().is_some_and(|paging| paging.param.as_ref() == Some(&argument.name)) {
        about.push_str(". Streams go on from there by themselves");
    }
    let ident = &argument.ident;
    format!(
        "\n    /// {about}.\n    pub fn {}(self, {ident}: {}) -> Self {{\n        Self(self.0{})\n    }}\n",
        argument.setter(),
        parameter_type(&argument.taken),
        give(&argument.taken, &argument.name, ident)
    )
}

fn what(argument: &Argument) -> String {
    let place = match argument.place {
        Place::Query => "Query",
        Place::Header => "Header",
        Place::Field => "Field",
        Place::Body => "The body",
        Place::Path | Place::Name | Place::Tail => "Path",
    };
    let name = argument.wire.as_ref().unwrap_or(&argument.name);
    let value = match words(argument) {
        Some(words) => words,
        None => match &argument.taken {
            Taken::Text => match argument.shape {
                Type::Time => "a time, ISO 8601".to_owned(),
                Type::Link => "a URL".to_owned(),
                _ => "text".to_owned(),
            },
            Taken::Secret => "a secret".to_owned(),
            Taken::Integer => "a whole number".to_owned(),
            Taken::Number => "a number".to_owned(),
            Taken::Flag => "yes or no".to_owned(),
            Taken::Object(_) => "an object".to_owned(),
            Taken::List(_) => "a list".to_owned(),
            Taken::Union(_) => "one of several".to_owned(),
            Taken::Any => "JSON".to_owned(),
        },
    };
    if argument.place == Place::Body {
        format!("{place}: {value}")
    } else {
        format!("{place} `{name}`: {value}")
    }
}

/// The words that it may be.
fn words(argument: &Argument) -> Option<String> {
    let words = match &argument.shape {
        Type::Words(words) => words,
        Type::List(item) => match item.as_ref() {
            Type::Words(words) => words,
            _ => return None,
        },
        _ => return None,
    };
    // A word that would break out of its quotes says nothing that one could type.
    if words.len() > 12 || words.iter().any(|word| word.contains(['`', '\n', '\r'])) {
        return None;
    }
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    Some(words.join(", "))
}

fn is_clearable(argument: &Argument) -> bool {
    argument.nullable && argument.place == Place::Field && !argument.required
}

fn clear(argument: &Argument) -> String {
    let name = naming::serde_name(&argument.ident);
    format!(
        "\n    /// Sends `null` as `{}`, which clears it.\n    pub fn clear_{name}(self) -> Self {{\n        \
         Self(self.0.set({:?}, Input::Null))\n    }}\n",
        argument.name, argument.name
    )
}

fn traits(endpoint: &Endpoint, overlay: &Overlay) -> String {
    let name = &endpoint.name;
    let api = &overlay.provider.api;
    let output = &endpoint.answer.output;
    let uses_response = endpoint.answer.decode.contains("response");
    let response = if uses_response { "response" } else { "_response" };
    let mut text = format!(
        "\nimpl Endpoint for {name} {{\n    type Api = {api};\n    type Output = {output};\n\n    \
         #[inline]\n    fn operation(&self) -> &Operation {{\n        Self::OPERATION\n    }}\n\n    \
         #[inline]\n    fn request(&self) -> Result<Request, Error> {{\n        self.0.request()\n    }}\n\n    \
         #[inline]\n    fn decode(&self, {response}: Response, cx: &mut Decoding) -> Result<{output}, Error> {{\n        {}\n    }}\n}}\n",
        endpoint.answer.decode
    );
    if let Some(item) = &endpoint.item {
        text.push_str(&format!("\nimpl Paged for {name} {{\n    type Item = {item};\n}}\n"));
    }
    match &endpoint.payload {
        Payload::File(media) if media == "application/octet-stream" => {
            text.push_str(&format!("\nimpl connect_core::Upload for {name} {{}}\n"));
        }
        Payload::File(media) => text.push_str(&format!(
            "\nimpl connect_core::Upload for {name} {{\n    fn content_type(&self) -> connect_core::HeaderValue {{\n        \
             connect_core::HeaderValue::from_static({media:?})\n    }}\n}}\n"
        )),
        Payload::Multipart(_) => text.push_str(&format!(
            "\nimpl connect_core::Upload for {name} {{\n    fn fields(&self) -> Vec<(String, String)> {{\n        self.0.form()\n    }}\n}}\n"
        )),
        _ => {}
    }
    text
}

fn several(output: &str, variants: &[Variant], name: &str) -> String {
    let mut text = format!(
        "\n/// What [`{name}`] answers with, by status.\n#[non_exhaustive]\n#[derive(Clone, Debug)]\n\
         #[allow(clippy::large_enum_variant, reason = \"one answer at a time, and moved once\")]\n\
         #[cfg_attr(feature = \"serialize\", derive(Serialize), serde(untagged))]\npub enum {output} {{\n"
    );
    for (variant, status, body) in variants {
        match body {
            Some(body) => text.push_str(&format!("    /// {status}\n    {variant}({body}),\n")),
            None => text.push_str(&format!("    /// {status}\n    {variant},\n")),
        }
    }
    text.push_str("}\n");
    text
}
