//! `connect ops`: which operations there are, and what one of them takes.

use connect_core::argument::{Parameter, Payload, Place};
use connect_core::by_name::{Category, Entry};
use connect_core::{Operation, Paging, Safety};
use serde_json::{Value, json};

use super::provider::Provider;
use super::schema;
use crate::arguments::{Arguments, unknown};
use crate::output::table;
use crate::{Failure, World};

pub(super) fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let provider = Provider::named(&mut arguments)?;
    let word = arguments.word();
    let category = arguments.value("category")?;
    let as_json = arguments.flag("json");
    arguments.finish()?;

    let categories = provider.catalog().categories();
    let mut wanted: Vec<(&Category, &Entry)> = categories
        .iter()
        .flat_map(|category| category.entries.iter().map(move |entry| (category, entry)))
        .collect();
    if let Some(name) = category {
        if !categories.iter().any(|category| category.name == name) {
            let names: Vec<&str> = categories.iter().map(|category| category.name).collect();
            return Err(Failure::Usage(unknown("category", &name, &names)));
        }
        wanted.retain(|(category, _)| category.name == name);
    }
    if let Some(word) = word {
        if let Some((category, entry)) = wanted.iter().find(|(_, entry)| entry.operation.name == word) {
            world.say(if as_json { details(category, entry).to_string() } else { page(category, entry) });
            return Ok(0);
        }
        let is_near = |entry: &Entry| entry.operation.name.to_lowercase().contains(&word.to_lowercase());
        wanted.retain(|(_, entry)| is_near(entry));
        if wanted.is_empty() {
            // What is to be said about it, the catalogue knows.
            provider.find(&word)?;
            return Err(Failure::Usage(format!("`{word}` is in another category")));
        }
    }
    if as_json {
        let rows: Vec<Value> = wanted.iter().map(|(category, entry)| row(category, entry)).collect();
        world.say(json!(rows));
    } else {
        let cells = |entry: &Entry| {
            let Operation { name, method, path, safety, paging, .. } = entry.operation;
            [name, method.as_str(), path, safety_word(*safety), paging_word(*paging)]
                .map(str::to_owned)
                .to_vec()
        };
        let rows: Vec<_> = wanted.iter().map(|(_, entry)| cells(entry)).collect();
        world.say(table(&["operation", "method", "path", "safety", "pages"], &rows));
    }
    Ok(0)
}

/// One operation, for people.
fn page(category: &Category, entry: &Entry) -> String {
    let Operation { name, method, path, safety, paging, docs, draws, .. } = entry.operation;
    let mut facts = vec![("category", category.name.to_owned())];
    facts.push(("safety", format!("{}: {}", safety_word(*safety), safety_meaning(*safety))));
    if *paging != Paging::None {
        facts.push(("pages", format!("{}: --pages N fetches N of them", paging_word(*paging))));
    }
    if let Some(payload) = file(entry.operation.payload) {
        facts.push(("file", payload));
    }
    if !draws.is_empty() {
        facts.push(("quota", draws.join(", ")));
    }
    facts.push(("page", (*docs).to_owned()));
    let mut lines = vec![format!("{name}  {method} {path}")];
    lines.extend(facts.iter().map(|(what, fact)| format!("{what:<9} {fact}")));

    let schema = entry.schema();
    let rows: Vec<_> = known(entry.operation)
        .map(|parameter| {
            let schema = schema.pointer(&property(parameter.name)).unwrap_or(&Value::Null);
            let secret = if parameter.secrets.is_empty() { "" } else { ", secret" };
            let default = match parameter.default {
                "" => schema::default(schema),
                sent => format!("{sent} (sent)"),
            };
            vec![
                parameter.name.to_owned(),
                place_word(parameter.place).to_owned(),
                format!("{}{secret}", schema::kind(schema)),
                if parameter.required && parameter.default.is_empty() { "required" } else { "" }.to_owned(),
                default,
                schema::words(schema),
            ]
        })
        .collect();
    lines.push(String::new());
    lines.push(match rows.as_slice() {
        [] => "takes no arguments".to_owned(),
        rows => table(&["argument", "where", "type", "", "default", "words"], rows),
    });
    lines.join("\n")
}

/// One operation, for programs.
fn details(category: &Category, entry: &Entry) -> Value {
    let mut details = row(category, entry);
    let parameters = known(entry.operation).map(|parameter| {
        json!({
            "name": parameter.name,
            "where": place_word(parameter.place),
            "required": parameter.required && parameter.default.is_empty(),
            "secret": !parameter.secrets.is_empty(),
            "sent_by_default": (!parameter.default.is_empty()).then_some(parameter.default),
        })
    });
    details["arguments"] = parameters.collect();
    details["file"] = json!(file(entry.operation.payload));
    details["quota"] = json!(entry.operation.draws);
    details["schema"] = entry.schema();
    details
}

fn row(category: &Category, entry: &Entry) -> Value {
    let Operation { name, method, path, safety, paging, docs, .. } = entry.operation;
    json!({
        "name": name,
        "category": category.name,
        "method": method.as_str(),
        "path": path,
        "safety": safety_word(*safety),
        "paged": *paging != Paging::None,
        "docs": docs,
    })
}

/// Without the row that has no name: it says only that there is a body.
fn known(operation: &'static Operation) -> impl Iterator<Item = &'static Parameter> {
    operation.parameters.iter().filter(|parameter| !parameter.name.is_empty())
}

/// The JSON pointer of an argument's schema.
fn property(name: &str) -> String {
    format!("/properties/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn safety_word(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "safe",
        Safety::Idempotent => "idempotent",
        Safety::Keyed => "keyed",
        Safety::Unsafe => "unsafe",
    }
}

fn safety_meaning(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "changes nothing",
        Safety::Idempotent => "a second one finds the work done",
        Safety::Keyed => "a repetition is recognised by its key",
        Safety::Unsafe => {
            "a second one does it twice, so it is sent again only if the first was surely not applied"
        }
    }
}

fn paging_word(paging: Paging) -> &'static str {
    match paging {
        Paging::None => "-",
        Paging::Link { .. } => "by link",
        Paging::Cursor { .. } => "by cursor",
        Paging::Offset { .. } => "by offset",
        Paging::Number { .. } => "by number",
        Paging::NextUrl { .. } => "by URL",
        _ => "yes",
    }
}

fn place_word(place: Place) -> &'static str {
    match place {
        Place::Path | Place::Name | Place::Tail => "path",
        Place::Query => "query",
        Place::Header => "header",
        Place::Field => "body field",
        Place::Body => "body",
        _ => "elsewhere",
    }
}

fn file(payload: Payload) -> Option<String> {
    match payload {
        Payload::File(_) => Some("its body is a file: --body FILE".to_owned()),
        Payload::Multipart(name) => Some(format!("its form takes a file as `{name}`: --body FILE")),
        _ => None,
    }
}
