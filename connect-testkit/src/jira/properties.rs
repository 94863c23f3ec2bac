//! Entity properties: JSON values that programs hang on an issue, out of people's sight.
//!
//! They carry keys of idempotency and links to other systems. They are set one by one or when the issue is
//! created, and read alone or with the issue. Setting answers 201 the first time and 200 afterwards.
//! Not searchable here: the JQL of this fake knows no `issue.property`.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Failure, Success};
use super::routes::Call;
use super::state::{Issue, Site};

/// Jira's limit for a key.
const LONGEST_KEY: usize = 255;

/// `getIssueProperty`
pub(crate) fn get_issue_property(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let issue = site.issue(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let key = call.segment(1);
    let no_property = || Failure::new(StatusCode::NOT_FOUND, format!("The issue has no property {key}."));
    let value = issue.properties.get(key).ok_or_else(no_property)?;
    Ok(Success::ok(json!({ "key": key, "value": value })))
}

/// `setIssueProperty`
pub(crate) fn set_issue_property(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let issue = site.issue_mut(call.segment(0)).ok_or_else(Failure::no_issue)?;
    let key = valid_key(call.segment(1))?;
    let replaced = issue.properties.insert(key, call.json()?);
    Ok(Success::empty(if replaced.is_some() { StatusCode::OK } else { StatusCode::CREATED }))
}

/// The list of keys and values in the body of a new issue.
pub(crate) fn of_body(given: Option<&Value>) -> Result<Map<String, Value>, Failure> {
    let list = match given {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Failure::bad_request("`properties` is a list of keys and values.")),
    };
    list.iter()
        .map(|property| {
            let key =
                property["key"].as_str().ok_or_else(|| Failure::bad_request("A property has no key."))?;
            Ok((valid_key(key)?, property["value"].clone()))
        })
        .collect()
}

/// Adds the wanted properties to the JSON of an issue.
pub(crate) fn insert(json: &mut Value, issue: &Issue, wanted: &[String]) {
    if wanted.is_empty() {
        return;
    }
    let all = wanted.iter().any(|key| key == "*all");
    let mut properties = issue.properties.clone();
    properties.retain(|key, _| all || wanted.contains(key));
    json["properties"] = Value::Object(properties);
}

fn valid_key(key: &str) -> Result<String, Failure> {
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return Err(Failure::bad_request(format!(
            "The key of a property has 1 to {LONGEST_KEY} characters."
        )));
    }
    Ok(key.to_owned())
}
