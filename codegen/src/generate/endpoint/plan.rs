//! What an operation takes, answers and promises: facts and overlay in one place.

use std::collections::BTreeSet;

use super::answer::{Answer, answer};
use super::argument::{Argument, Place, identify};
use super::input::{Inputs, resolved};
use super::paging::{self, Paging};
use crate::facts::{Body, Facts, Field, Operation, Place as FactPlace, Style, Type};
use crate::generate::GenerateError;
use crate::generate::model::Models;
use crate::naming;
use crate::overlay::Overlay;

/// Everything about one endpoint.
pub(super) struct Endpoint {
    pub(super) operation: Operation,
    pub(super) module: String,
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) payload: Payload,
    pub(super) inputs: Inputs,
    pub(super) safety: &'static str,
    pub(super) origin: Option<&'static str>,
    pub(super) draws: Vec<String>,
    pub(super) paging: Option<Paging>,
    /// The type of an item of the list.
    pub(super) item: Option<String>,
    pub(super) answer: Answer,
    pub(super) schema: String,
}

/// What it takes as a body.
pub(super) enum Payload {
    None,
    Json(String),
    /// With `{}` if nothing is given.
    SomeJson(String),
    Form,
    Raw(String),
    File(String),
    Multipart(String),
}

const SAFETIES: &[(&str, &str)] =
    &[("safe", "Safe"), ("idempotent", "Idempotent"), ("keyed", "Keyed"), ("unsafe", "Unsafe")];
const ORIGINS: &[(&str, &str)] = &[("uploads", "Uploads"), ("files", "Files"), ("gateway", "Gateway")];

pub(super) fn endpoint(
    operation: &Operation,
    facts: &Facts,
    overlay: &Overlay,
    models: &Models,
    reserved: &BTreeSet<String>,
) -> Result<Endpoint, GenerateError> {
    let op = operation.op.as_str();
    let wrong = |why: String| GenerateError::operation(op, why);
    let (module, name) = name(operation, overlay)?;
    let safety = match overlay.rule(op, |rule| rule.safety.as_deref()) {
        Some(word) => known(SAFETIES, word).ok_or_else(|| wrong(format!("`{word}` is no safety")))?,
        None => match operation.method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => "Safe",
            "PUT" | "DELETE" => "Idempotent",
            _ => "Unsafe",
        },
    };
    let origin = match overlay.rule(op, |rule| rule.origin.as_deref()) {
        Some(word) => Some(known(ORIGINS, word).ok_or_else(|| wrong(format!("`{word}` is no origin")))?),
        None => match &operation.server {
            Some(server) if overlay.provider.uploads.contains(server) => Some("Uploads"),
            Some(server) => {
                return Err(wrong(format!("nobody knows the host {server}: give its origin in the overlay")));
            }
            None => None,
        },
    };
    let mut inputs = Inputs::new(&name, reserved);
    let (payload, mut arguments) = arguments(operation, facts, overlay, &mut inputs).map_err(wrong)?;
    identify(&mut arguments);
    let paging = paging::of(operation, facts, overlay, &arguments).map_err(wrong)?;
    if paging.is_none() {
        // Page sizes are for lists that go on.
        arguments.iter_mut().for_each(|argument| argument.default = None);
    }
    let item = paging.as_ref().map(|paging| {
        let status = operation
            .answers
            .iter()
            .find(|answer| answer.shape.is_some())
            .map_or(200, |answer| answer.status);
        models
            .item(op, status, &paging.items)
            .ok_or_else(|| wrong(format!("there is no list at `{}`", paging.items)))
    });
    let schema = super::schema::of(&arguments, facts);
    Ok(Endpoint {
        answer: answer(operation, &name, models, reserved),
        draws: overlay
            .rule(op, |rule| rule.draws.clone())
            .unwrap_or_else(|| operation.tier.iter().filter(|tier| is_word(tier)).cloned().collect()),
        item: item.transpose()?,
        operation: operation.clone(),
        module,
        name,
        arguments,
        payload,
        inputs,
        safety,
        origin,
        paging,
        schema,
    })
}

/// The module and the type of an endpoint.
pub(super) fn name(operation: &Operation, overlay: &Overlay) -> Result<(String, String), GenerateError> {
    match overlay.names.operations.get(&operation.op) {
        Some(name) => name
            .split_once("::")
            .map(|(module, name)| (module.to_owned(), name.to_owned()))
            .ok_or_else(|| {
                GenerateError::operation(
                    &operation.op,
                    format!("`{name}` in the overlay is no `module::Type`"),
                )
            }),
        None => Ok(naming::operation_name(operation)),
    }
}

fn known(table: &'static [(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == word).map(|(_, variant)| *variant)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn arguments(
    operation: &Operation,
    facts: &Facts,
    overlay: &Overlay,
    inputs: &mut Inputs,
) -> Result<(Payload, Vec<Argument>), String> {
    let mut arguments = Vec::new();
    for parameter in &operation.params {
        let place = match parameter.place {
            FactPlace::Path if parameter.multi => Place::Tail,
            FactPlace::Path if overlay.provider.path_names.contains(&parameter.name) => Place::Name,
            FactPlace::Path => Place::Path,
            FactPlace::Query => Place::Query,
            FactPlace::Header => Place::Header,
        };
        let required = parameter.required || parameter.place == FactPlace::Path;
        let mut argument = Argument::new(&parameter.name, place, &parameter.shape, required, facts, inputs);
        argument.style = parameter.style;
        argument.provider_default = parameter.default.clone();
        argument.until = parameter.until.clone();
        argument.may_be_empty =
            place == Place::Tail && overlay.provider.empty_paths.contains(&parameter.name);
        match place {
            Place::Query => {
                argument.default = overlay.provider.defaults.get(&parameter.name).cloned();
                stay_apart(&mut argument, "query", &arguments);
            }
            Place::Header => stay_apart(&mut argument, "header", &arguments),
            _ => {}
        }
        arguments.push(argument);
    }
    let Some(body) = &operation.body else { return Ok((Payload::None, arguments)) };
    let fields = fields(body, facts);
    let mut payload = match body.media.as_str() {
        "application/x-www-form-urlencoded" if fields.is_some() => Payload::Form,
        "multipart/form-data" => {
            let file = file_field(fields.as_deref().unwrap_or_default(), facts)?;
            Payload::Multipart(file.unwrap_or(&overlay.provider.file_field).to_owned())
        }
        media if media.contains("json") => Payload::Json(if media == "application/json" {
            overlay.provider.json.clone()
        } else {
            media.to_owned()
        }),
        media if body.shape == Type::Bytes => Payload::File(media.to_owned()),
        media => Payload::Raw(media.to_owned()),
    };
    if matches!(payload, Payload::File(_)) {
        return Ok((payload, arguments));
    }
    match fields {
        Some(fields) => {
            let is_some = body.required && !fields.iter().any(|field| field.required);
            for field in fields {
                if matches!(&payload, Payload::Multipart(file) if *file == field.name) {
                    continue;
                }
                let mut argument =
                    Argument::new(&field.name, Place::Field, &field.shape, field.required, facts, inputs);
                stay_apart(&mut argument, "body", &arguments);
                argument.until = field.until.clone();
                if matches!(payload, Payload::Form | Payload::Multipart(_)) {
                    let usual = || form_style(&argument.shape, facts, overlay.provider.form_lists);
                    argument.style = field.style.or_else(usual);
                }
                arguments.push(argument);
            }
            if is_some && let Payload::Json(media) = payload {
                payload = Payload::SomeJson(media);
            }
        }
        // Nobody knows the fields: the file is all there is.
        None if matches!(payload, Payload::Multipart(_)) => {}
        None => {
            // The whole body keeps this name, whatever else has it.
            for other in
                arguments.iter_mut().filter(|other| other.name == "body" && other.place != Place::Path)
            {
                other.rename("query_body".to_owned());
            }
            arguments.push(Argument::new("body", Place::Body, &body.shape, body.required, facts, inputs));
        }
    }
    Ok((payload, arguments))
}

/// The field of a multipart body that is the file, if any is. Of a list of files one is sent.
fn file_field<'a>(fields: &'a [Field], facts: &Facts) -> Result<Option<&'a str>, String> {
    let names: Vec<&str> =
        fields.iter().filter(|field| is_file(&field.shape, facts)).map(|field| field.name.as_str()).collect();
    match names.as_slice() {
        [] => Ok(None),
        [name] => Ok(Some(name)),
        several => Err(format!(
            "its body has several files (`{}`), and we send one: in the overlay, `drop` the others or say that they are \
             text (`is = \"text\"`)",
            several.join("`, `")
        )),
    }
}

fn is_file(shape: &Type, facts: &Facts) -> bool {
    match resolved(shape, facts) {
        Type::Bytes => true,
        Type::List(inner) | Type::Null(inner) => is_file(inner, facts),
        _ => false,
    }
}

/// Another argument has this name already: the later of them says where it goes, too.
fn stay_apart(argument: &mut Argument, place: &str, others: &[Argument]) {
    let is_taken = |name: &str| others.iter().any(|other| other.name == name);
    if !is_taken(&argument.name) {
        return;
    }
    let mut name = format!("{place}_{}", argument.name);
    while is_taken(&name) {
        name = format!("{place}_{name}");
    }
    argument.rename(name);
}

/// How a form writes what is no text: lists of plain values as the provider does, everything else as JSON text.
fn form_style(shape: &Type, facts: &Facts, lists: Option<Style>) -> Option<Style> {
    match resolved(shape, facts) {
        Type::List(item) => match resolved(item, facts) {
            Type::Text | Type::Words(_) | Type::Integer => lists,
            _ => Some(Style::Json),
        },
        Type::Object(_) | Type::Map(_) | Type::Any | Type::OneOf(_) => Some(Style::Json),
        _ => None,
    }
}

/// The fields of a body that is an object. Of several objects, all their fields: which go together is the caller's choice.
fn fields(body: &Body, facts: &Facts) -> Option<Vec<Field>> {
    // A body that may be `null` may as well be missing.
    let shape = match resolved(&body.shape, facts) {
        Type::Null(inner) => resolved(inner, facts),
        other => other,
    };
    match shape {
        Type::Object(fields) => Some(fields.clone()),
        Type::OneOf(variants) => {
            let objects: Vec<&Vec<Field>> = variants
                .iter()
                .filter_map(|variant| match resolved(variant, facts) {
                    Type::Object(fields) => Some(fields),
                    _ => None,
                })
                .collect();
            let mut all: Vec<Field> = Vec::new();
            for field in objects.iter().copied().flatten() {
                let everywhere = objects
                    .iter()
                    .all(|fields| fields.iter().any(|other| other.name == field.name && other.required));
                match all.iter_mut().find(|known| known.name == field.name) {
                    // The first shape stands for its like.
                    Some(known) if known.shape == field.shape => {}
                    Some(known) => known.shape = either(&known.shape, &field.shape),
                    None => all.push(Field { required: everywhere, ..field.clone() }),
                }
            }
            (!all.is_empty()).then_some(all)
        }
        _ => None,
    }
}

/// Two shapes in one place: words become one set, everything else is left open.
fn either(one: &Type, other: &Type) -> Type {
    match (one, other) {
        (Type::Words(one), Type::Words(other)) => {
            let mut words = one.clone();
            words.extend(other.iter().filter(|word| !one.contains(word)).cloned());
            Type::Words(words)
        }
        (Type::Words(_) | Type::Text, Type::Words(_) | Type::Text) => Type::Text,
        _ => Type::Any,
    }
}
