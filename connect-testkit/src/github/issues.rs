//! The operations on issues: get, create, list, comment.
//!
//! They validate as GitHub does (400 for a body that is no JSON object, 422 with the field for a wrong one)
//! and change the fake's memory only when everything is right. Lists contain pull requests too, newest first.
//! Not here: editing, locking, milestones, sorting by anything but the time of creation.

use serde_json::{Map, Value};

use super::answer::{Failure, Success};
use super::page::Page;
use super::routes::Call;
use super::shape;
use super::state::{Comment, Issue, Repository, State};

/// GitHub's text for a body that does not parse.
const NO_JSON: &str = "Problems parsing JSON";

/// `issues/get`
pub(crate) fn get(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let repository = repository(state, call)?;
    let issue = repository.issue(number(call)?).ok_or_else(Failure::not_found)?;
    Ok(Success::ok(repository.issue_json(issue, call.links, call.newer_version)))
}

/// `issues/create`
pub(crate) fn create(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let repository = repository(state, call)?;
    let fields = body(call)?;
    // GitHub takes a number as title and stores its text.
    let title = match fields.get("title") {
        None | Some(Value::Null) => return Err(Failure::validation("Issue", "title", "missing_field")),
        Some(Value::String(title)) if title.trim().is_empty() => {
            return Err(Failure::validation("Issue", "title", "missing_field"));
        }
        Some(Value::String(title)) => title.clone(),
        Some(Value::Number(title)) => title.to_string(),
        Some(_) => return Err(Failure::validation("Issue", "title", "invalid")),
    };
    let text = optional_text(&fields, "body", "Issue")?;
    let labels = names(&fields, "labels")?;
    let mut assignees = names(&fields, "assignees")?;
    assignees.extend(optional_text(&fields, "assignee", "Issue")?);

    let issue = repository.open(title, call.login, call.now);
    (issue.body, issue.labels, issue.assignees) = (text, labels, assignees);
    let issue = issue.clone();
    Ok(Success::created(repository.issue_json(&issue, call.links, call.newer_version)))
}

/// `issues/create-comment`
pub(crate) fn create_comment(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let number = number(call)?;
    repository(state, call)?.issue(number).ok_or_else(Failure::not_found)?;
    let text = optional_text(&body(call)?, "body", "IssueComment")?
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| Failure::validation("IssueComment", "body", "missing_field"))?;

    let comment =
        Comment { id: state.comment_id(), body: text, author: call.login.to_owned(), created_at: call.now };
    let repository = repository(state, call)?;
    let issue = repository.issue_mut(number).ok_or_else(Failure::not_found)?;
    issue.comments.push(comment.clone());
    let issue = issue.clone();
    let subject = repository.subject(&issue);
    let Comment { id, body, author, created_at } = &comment;
    Ok(Success::created(shape::comment(call.links, &subject, *id, body, author, *created_at)))
}

/// `issues/list-for-repo`
pub(crate) fn list_for_repo(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let repository = repository(state, call)?;
    let wanted_state = one_of(call, "state", &["open", "closed", "all"])?;
    let direction = one_of(call, "direction", &["desc", "asc"])?;
    let labels = call.query("labels").unwrap_or_default();
    let labels: Vec<&str> = labels.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let (creator, assignee) = (call.query("creator"), call.query("assignee"));
    let matches = |issue: &&Issue| {
        (wanted_state == "all" || wanted_state == issue.state)
            && labels.iter().all(|name| issue.labels.iter().any(|label| label.eq_ignore_ascii_case(name)))
            && creator.as_ref().is_none_or(|login| login.eq_ignore_ascii_case(&issue.author))
            && assignee.as_deref().is_none_or(|login| is_assigned(issue, login))
    };
    let mut found: Vec<&Issue> = repository.issues.iter().filter(matches).collect();
    if direction == "desc" {
        found.reverse();
    }

    let page = Page::of(call.request);
    let url = format!("{}/repos/{}/{}/issues", call.links.api, repository.owner, repository.name);
    let items = page.slice(&found);
    let items = items.iter().map(|issue| repository.issue_json(issue, call.links, call.newer_version));
    let link = page.link(&url, call.request, found.len());
    Ok(Success { link, ..Success::ok(Value::Array(items.collect())) })
}

fn is_assigned(issue: &Issue, login: &str) -> bool {
    match login {
        "none" => issue.assignees.is_empty(),
        "*" => !issue.assignees.is_empty(),
        _ => issue.assignees.iter().any(|assignee| assignee.eq_ignore_ascii_case(login)),
    }
}

fn repository<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Repository, Failure> {
    state.repository(call.segment(0), call.segment(1)).ok_or_else(Failure::not_found)
}

/// Something else than a number names no issue.
fn number(call: &Call<'_>) -> Result<u64, Failure> {
    call.segment(2).parse().map_err(|_| Failure::not_found())
}

pub(super) fn body(call: &Call<'_>) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_slice(&call.request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Failure::bad_request("Body should be a JSON object")),
        Err(_) => Err(Failure::bad_request(NO_JSON)),
    }
}

pub(super) fn optional_text(
    fields: &Map<String, Value>,
    name: &str,
    resource: &str,
) -> Result<Option<String>, Failure> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Failure::validation(resource, name, "invalid")),
    }
}

/// A list of names, each a string or an object with a `name`.
fn names(fields: &Map<String, Value>, field: &str) -> Result<Vec<String>, Failure> {
    let invalid = || Failure::validation("Issue", field, "invalid");
    match fields.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().or(item["name"].as_str()).map(str::to_owned).ok_or_else(invalid))
            .collect(),
        Some(_) => Err(invalid()),
    }
}

/// A parameter with a fixed list of values, of which the first is the default.
fn one_of(call: &Call<'_>, name: &str, values: &[&'static str]) -> Result<&'static str, Failure> {
    let given = call.query(name);
    let wanted = given.as_deref().or(values.first().copied()).unwrap_or_default();
    values
        .iter()
        .copied()
        .find(|value| *value == wanted)
        .ok_or_else(|| Failure::validation("Issue", name, "invalid"))
}
