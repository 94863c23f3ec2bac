//! The search with page tokens, over an index that may lag behind.
//!
//! An issue is found once the lag is over, or at once when `reconcileIssues` names its id; either way it must
//! match the query. Pages have 50 issues by default, at most 100, or 5,000 when only id and key are wanted; by
//! default an issue is its id alone. There is no total. A token belongs to its query and lives for seven days.
//! Not a snapshot: an issue that arrives between two pages is there if it sorts behind what was read.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{Failure, Success};
use super::jql::{self, By, Field, Order, Query};
use super::properties;
use super::routes::Call;
use super::shape::{self, Selection};
use super::state::{Issue, Site};
use super::workflow;
use crate::sign::hex;

const DEFAULT_PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 100;
const LARGEST_BARE_PAGE: u64 = 5000;
const MOST_RECONCILED: usize = 50;
const MOST_PROPERTIES: usize = 5;
const TOKEN_SECONDS: u64 = 7 * 86_400;

/// `searchAndReconsileIssuesUsingJqlPost`
pub(crate) fn search(site: &mut Site, call: &Call<'_>) -> Result<Success, Failure> {
    let body = call.object()?;
    let jql = match body.get("jql") {
        None | Some(Value::Null) => "",
        Some(Value::String(jql)) => jql,
        Some(_) => return Err(Failure::bad_request("`jql` is a string.")),
    };
    let query = jql::parse(jql).map_err(Failure::bad_request)?;
    check_values(site, &query)?;
    let reconciled = reconciled(&body)?;
    let wanted_properties = strings(&body, "properties")?;
    if wanted_properties.len() > MOST_PROPERTIES {
        return Err(Failure::bad_request(format!("`properties` names more than {MOST_PROPERTIES}.")));
    }
    let selection = Selection::new(strings(&body, "fields")?, "id");
    let size = page_size(&body, selection.is_bare())?;
    let after = match body.get("nextPageToken") {
        None | Some(Value::Null) => None,
        Some(token) => Some(decode(site, token, jql, call.now).ok_or_else(|| {
            Failure::bad_request("The `nextPageToken` is not of this query, or is older than seven days.")
        })?),
    };

    let mut found: Vec<&Issue> = site
        .issues
        .iter()
        .filter(|issue| site.is_indexed(issue, call.now) || reconciled.contains(&issue.id))
        .filter(|issue| query.clauses.iter().all(|(field, value)| matches(site, issue, *field, value)))
        .filter(|issue| after.is_none_or(|last| compare(query.order, last, issue) == Ordering::Less))
        .collect();
    found.sort_by(|one, other| compare(query.order, one, other));
    let is_last = found.len() <= size;
    found.truncate(size);

    let issues: Vec<Value> = found
        .iter()
        .map(|issue| {
            let mut json = shape::issue(call.base, site, issue, &selection);
            properties::insert(&mut json, issue, &wanted_properties);
            json
        })
        .collect();
    let mut answer = json!({ "issues": issues, "isLast": is_last });
    if let (false, Some(last)) = (is_last, found.last()) {
        answer["nextPageToken"] = encode(last, jql, call.now).into();
    }
    Ok(Success::ok(answer))
}

/// Jira refuses names that nothing has, except labels.
fn check_values(site: &Site, query: &Query) -> Result<(), Failure> {
    for (field, value) in &query.clauses {
        let (name, exists) = match field {
            Field::Project => ("project", site.project(value).is_some()),
            Field::Key => ("key", site.issue(value).is_some()),
            Field::Status => ("status", workflow::find(value).is_some()),
            Field::Labels => continue,
        };
        if !exists {
            return Err(Failure::bad_request(format!("There is no \"{value}\" for the field `{name}`.")));
        }
    }
    Ok(())
}

fn matches(site: &Site, issue: &Issue, field: Field, value: &str) -> bool {
    match field {
        Field::Project => site.project(value).is_some_and(|project| project.key == issue.project),
        Field::Labels => issue.labels.iter().any(|label| label.eq_ignore_ascii_case(value)),
        Field::Key => issue.key.eq_ignore_ascii_case(value) || issue.id == value,
        Field::Status => workflow::find(value).is_some_and(|status| status.name == issue.status),
    }
}

/// A total order: ids, which rise with every issue, decide between equals.
fn compare(order: Order, one: &Issue, other: &Issue) -> Ordering {
    let ascending = match order.by {
        By::Created => {
            one.created_at.cmp(&other.created_at).then_with(|| one.id_number().cmp(&other.id_number()))
        }
        By::Key => one.project.cmp(&other.project).then_with(|| one.number().cmp(&other.number())),
    };
    if order.descending { ascending.reverse() } else { ascending }
}

fn reconciled(body: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::bad_request("`reconcileIssues` is a list of the numeric ids of issues.");
    let ids = match body.get("reconcileIssues") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(ids)) => ids,
        Some(_) => return Err(wrong()),
    };
    if ids.len() > MOST_RECONCILED {
        return Err(Failure::bad_request(format!("`reconcileIssues` names more than {MOST_RECONCILED}.")));
    }
    ids.iter().map(|id| id.as_u64().map(|id| id.to_string()).ok_or_else(wrong)).collect()
}

fn strings(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::bad_request(format!("`{name}` is a list of strings."));
    match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn page_size(body: &Map<String, Value>, is_bare: bool) -> Result<usize, Failure> {
    let wanted = match body.get("maxResults") {
        None | Some(Value::Null) => DEFAULT_PAGE,
        Some(wanted) => wanted
            .as_u64()
            .filter(|&wanted| wanted > 0)
            .ok_or_else(|| Failure::bad_request("`maxResults` is a number above zero."))?,
    };
    let most = if is_bare { LARGEST_BARE_PAGE } else { LARGEST_PAGE };
    Ok(usize::try_from(wanted.min(most)).unwrap_or(usize::MAX))
}

fn encode(last: &Issue, jql: &str, now: u64) -> String {
    STANDARD.encode(format!("{}:{}:{now}", fingerprint(jql), last.id))
}

/// The issue behind which the next page begins.
fn decode<'a>(site: &'a Site, token: &Value, jql: &str, now: u64) -> Option<&'a Issue> {
    let plain = String::from_utf8(STANDARD.decode(token.as_str()?).ok()?).ok()?;
    let (hash, rest) = plain.split_once(':')?;
    let (id, made) = rest.split_once(':')?;
    let expires = made.parse::<u64>().ok()?.saturating_add(TOKEN_SECONDS);
    if hash != fingerprint(jql) || expires <= now {
        return None;
    }
    site.issue(id)
}

fn fingerprint(jql: &str) -> String {
    let mut hash = hex(&Sha256::digest(jql.as_bytes()));
    hash.truncate(16);
    hash
}
