//! The operations on issues: create and get, and who is asking.
//!
//! Creating validates as Jira does, all fields at once, and answers 400 with what is wrong with each: a missing
//! project, summary or issue type, a description that is no document, a label with a space, a field that no
//! screen has. Nothing is created unless everything is right.
//! Not here: editing, deleting, links, watchers; other known fields are kept as they were sent.

use serde_json::{Map, Value, json};

use super::answer::{Failure, Success};
use super::document;
use super::properties;
use super::routes::Call;
use super::shape::{self, ISSUE_TYPES, Selection};
use super::state::{NewIssue, Site};

/// Jira's limit for a summary.
const LONGEST_SUMMARY: usize = 255;

/// System fields that are kept and given back as they are; so is every `customfield_`.
const OTHER_FIELDS: [&str; 9] = [
    "assignee",
    "components",
    "duedate",
    "environment",
    "fixVersions",
    "parent",
    "priority",
    "reporter",
    "versions",
];

/// `getIssue`
pub(crate) fn get_issue(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let issue = site.issue(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let selection = Selection::new(call.query_list("fields"), "*all");
    let mut json = shape::issue(call.base, site, issue, &selection);
    properties::insert(&mut json, issue, &call.query_list("properties"));
    Ok(Success::ok(json))
}

/// `createIssue`
pub(crate) fn create_issue(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let mut body = call.object()?;
    let Some(Value::Object(fields)) = body.remove("fields") else {
        return Err(Failure::bad_request("The body has no `fields`."));
    };
    let properties = properties::of_body(body.get("properties"))?;
    let new = validate(site, fields, properties)?;
    let issue = site.create(new, &call.account.id, call.now);
    Ok(Success::created(json!({
        "id": issue.id,
        "key": issue.key,
        "self": format!("{}/issue/{}", call.base, issue.id),
    })))
}

/// `getCurrentUser`
pub(crate) fn get_current_user(_: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    Ok(Success::ok(shape::myself(call.base, call.account)))
}

fn validate(
    site: &Site,
    mut fields: Map<String, Value>,
    properties: Map<String, Value>,
) -> Result<NewIssue, Failure> {
    let mut wrong = Map::new();
    let mut field = |name: &str, checked: fn(&Site, &Value) -> Result<Value, String>| {
        let given = fields.remove(name).unwrap_or_default();
        checked(site, &given).unwrap_or_else(|message| {
            wrong.insert(name.to_owned(), Value::String(message));
            Value::Null
        })
    };
    let project = text(field("project", project));
    let issue_type = text(field("issuetype", issue_type));
    let summary = text(field("summary", summary));
    let description = field("description", description);
    let labels = field("labels", labels);
    for name in fields.keys() {
        if !name.starts_with("customfield_") && !OTHER_FIELDS.contains(&name.as_str()) {
            let message = "This field cannot be set: it is unknown, or not on the screen.";
            wrong.insert(name.clone(), Value::String(message.to_owned()));
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::fields(wrong));
    }
    let labels = labels.as_array().into_iter().flatten().cloned().map(text).collect();
    fields.retain(|_, value| !value.is_null());
    Ok(NewIssue { project, issue_type, summary, description, labels, fields, properties })
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        _ => String::new(),
    }
}

fn project(site: &Site, given: &Value) -> Result<Value, String> {
    let wanted =
        given["key"].as_str().or_else(|| given["id"].as_str()).ok_or("Name a project by key or id.")?;
    let project = site.project(wanted).ok_or_else(|| format!("There is no project {wanted}."))?;
    Ok(project.key.as_str().into())
}

fn issue_type(_: &Site, given: &Value) -> Result<Value, String> {
    let wanted =
        given["name"].as_str().or_else(|| given["id"].as_str()).ok_or("Name an issue type by name or id.")?;
    let known = ISSUE_TYPES.iter().find(|(name, id)| name.eq_ignore_ascii_case(wanted) || *id == wanted);
    known.map(|(name, _)| (*name).into()).ok_or_else(|| format!("The project has no issue type {wanted}."))
}

fn summary(_: &Site, given: &Value) -> Result<Value, String> {
    match given {
        Value::Null => Err("An issue needs a summary.".to_owned()),
        Value::String(text) if text.trim().is_empty() => Err("An issue needs a summary.".to_owned()),
        Value::String(text) if text.contains(['\n', '\r']) => Err("A summary is one line.".to_owned()),
        Value::String(text) if text.chars().count() > LONGEST_SUMMARY => {
            Err(format!("A summary has at most {LONGEST_SUMMARY} characters."))
        }
        Value::String(_) => Ok(given.clone()),
        _ => Err("A summary is a string.".to_owned()),
    }
}

fn description(_: &Site, given: &Value) -> Result<Value, String> {
    if given.is_null() {
        return Ok(Value::Null);
    }
    document::check(given).map_err(|wrong| format!("The description {wrong}."))?;
    Ok(given.clone())
}

fn labels(_: &Site, given: &Value) -> Result<Value, String> {
    let list = match given {
        Value::Null => return Ok(json!([])),
        Value::Array(list) => list,
        _ => return Err("Labels are a list of strings.".to_owned()),
    };
    for label in list {
        let label = label.as_str().ok_or("Labels are a list of strings.")?;
        if label.is_empty() || label.contains(char::is_whitespace) {
            return Err(format!("A label has no space in it: \"{label}\""));
        }
    }
    Ok(given.clone())
}
