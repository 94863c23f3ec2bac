//! Jira's JSON objects, in the shape that version 3 of its API answers with.
//!
//! Every object has the fields that typed models read first, with its own `self` link to the fake. Values are
//! this crate's own and stable: the same account or project always looks the same.
//! Not the full objects: avatars, icons, scopes and expandable parts are left out.

use serde_json::{Map, Value, json};

use super::state::{Comment, Issue, Project, Site};
use super::workflow;
use crate::clock::iso_8601;

/// Who does what a test does by hand.
pub(crate) const PERSON: &str = "fake-account-of-a-person";

/// Names of the issue types that every project has, and their ids.
pub(crate) const ISSUE_TYPES: [(&str, &str); 4] =
    [("Task", "10002"), ("Bug", "10006"), ("Story", "10007"), ("Epic", "10008")];

/// The account that the token belongs to.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// Jira's moments: milliseconds, and a zone without a colon.
pub(crate) fn moment(unix_seconds: u64) -> String {
    format!("{}.000+0000", iso_8601(unix_seconds).trim_end_matches('Z'))
}

pub(crate) fn user(base: &str, account_id: &str) -> Value {
    json!({
        "self": format!("{base}/user?accountId={account_id}"),
        "accountId": account_id,
        "accountType": "atlassian",
        "displayName": format!("Account {account_id}"),
        "active": true,
        "timeZone": "Etc/UTC",
    })
}

/// The account of the caller, who may see the email address.
pub(crate) fn myself(base: &str, account: &Account) -> Value {
    let mut user = user(base, &account.id);
    user["emailAddress"] = account.email.as_str().into();
    user["locale"] = "en_US".into();
    user
}

pub(crate) fn project(base: &str, id: &str, key: &str) -> Value {
    json!({
        "self": format!("{base}/project/{id}"),
        "id": id,
        "key": key,
        "name": key,
        "projectTypeKey": "software",
        "simplified": false,
    })
}

pub(crate) fn issue_type(base: &str, name: &str) -> Value {
    let id = ISSUE_TYPES.iter().find(|(known, _)| *known == name).map_or("10099", |(_, id)| id);
    json!({
        "self": format!("{base}/issuetype/{id}"),
        "id": id,
        "name": name,
        "description": "",
        "subtask": false,
        "hierarchyLevel": i32::from(name == "Epic"),
    })
}

pub(crate) fn status(base: &str, name: &str) -> Value {
    // A delivery may name a status of another workflow; it gets an id of its own and the first category.
    let (id, known) =
        workflow::find(name).map_or(("10099", &workflow::STATUSES[0]), |known| (known.id, known));
    let category = &known.category;
    json!({
        "self": format!("{base}/status/{id}"),
        "id": id,
        "name": name,
        "description": "",
        "statusCategory": {
            "self": format!("{base}/statuscategory/{}", category.id),
            "id": category.id,
            "key": category.key,
            "name": category.name,
            "colorName": category.color,
        },
    })
}

pub(crate) fn comment(base: &str, issue_id: &str, comment: &Comment) -> Value {
    let moment = moment(comment.created_at);
    json!({
        "self": format!("{base}/issue/{issue_id}/comment/{}", comment.id),
        "id": comment.id,
        "author": user(base, &comment.author),
        "updateAuthor": user(base, &comment.author),
        "body": comment.body,
        "created": moment,
        "updated": moment,
        "jsdPublic": true,
    })
}

/// Which fields of an issue are wanted.
pub(crate) struct Selection {
    names: Vec<String>,
    excluded: Vec<String>,
}

impl Selection {
    /// Names, `-names`, `*all` and `*navigable`; an empty list is `otherwise`.
    pub(crate) fn new(list: Vec<String>, otherwise: &str) -> Self {
        let (excluded, mut names): (Vec<_>, Vec<_>) =
            list.into_iter().partition(|name| name.starts_with('-'));
        if names.is_empty() {
            names.push(if excluded.is_empty() { otherwise } else { "*all" }.to_owned());
        }
        let excluded = excluded.into_iter().map(|name| name.trim_start_matches('-').to_owned()).collect();
        Self { names, excluded }
    }

    /// Whether nothing but id and key is wanted.
    pub(crate) fn is_bare(&self) -> bool {
        self.names.iter().all(|name| name == "id" || name == "key")
    }

    fn is_id(&self) -> bool {
        self.names.iter().all(|name| name == "id")
    }

    fn wants(&self, field: &str) -> bool {
        // Navigable is what fits a column: all that the fake has but the comments.
        let named = self.names.iter().any(|name| match name.as_str() {
            "*all" => true,
            "*navigable" => field != "comment",
            name => name == field,
        });
        named && !self.excluded.iter().any(|name| name == field)
    }
}

/// An issue with the wanted fields; one of which only the id is wanted has nothing else.
pub(crate) fn issue(base: &str, site: &Site, issue: &Issue, selection: &Selection) -> Value {
    if selection.is_id() {
        return json!({ "id": issue.id });
    }
    let mut json = json!({
        "id": issue.id,
        "key": issue.key,
        "self": format!("{base}/issue/{}", issue.id),
    });
    if !selection.is_bare() {
        let mut fields = fields(base, site.project(&issue.project), issue);
        fields.retain(|name, _| selection.wants(name));
        json["fields"] = Value::Object(fields);
    }
    json
}

fn fields(base: &str, project: Option<&Project>, issue: &Issue) -> Map<String, Value> {
    let comments: Vec<Value> = issue.comments.iter().map(|one| comment(base, &issue.id, one)).collect();
    let mut fields = Map::from_iter(
        [
            ("summary", issue.summary.as_str().into()),
            ("description", issue.description.clone()),
            ("labels", json!(issue.labels)),
            ("status", status(base, &issue.status)),
            ("issuetype", issue_type(base, &issue.issue_type)),
            ("created", moment(issue.created_at).into()),
            ("updated", moment(issue.updated_at).into()),
            ("creator", user(base, &issue.creator)),
            ("reporter", user(base, &issue.creator)),
            ("assignee", Value::Null),
            ("priority", Value::Null),
            (
                "comment",
                json!({
                    "self": format!("{base}/issue/{}/comment", issue.id),
                    "comments": comments,
                    "startAt": 0,
                    "maxResults": comments.len(),
                    "total": comments.len(),
                }),
            ),
        ]
        .map(|(name, value): (&str, Value)| (name.to_owned(), value)),
    );
    if let Some(known) = project {
        fields.insert("project".to_owned(), self::project(base, &known.id, &known.key));
    }
    for (name, value) in &issue.fields {
        // A person is set by `id` or `accountId` and read with a name.
        let account = value["accountId"].as_str().or_else(|| value["id"].as_str());
        let value = match account {
            Some(account) if name == "assignee" || name == "reporter" => user(base, account),
            _ => value.clone(),
        };
        fields.insert(name.clone(), value);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(names: &[&str]) -> Selection {
        Selection::new(names.iter().map(|&name| name.to_owned()).collect(), "id")
    }

    #[test]
    fn a_selection_takes_names_groups_and_exclusions() {
        let cases: [(&[&str], &str, bool); 7] = [
            (&["summary"], "summary", true),
            (&["summary"], "status", false),
            (&["*all"], "comment", true),
            (&["*navigable"], "comment", false),
            (&["*all", "-comment"], "comment", false),
            (&["-comment"], "summary", true),
            (&[], "summary", false),
        ];
        for (names, field, expected) in cases {
            assert_eq!(selection(names).wants(field), expected, "{names:?} {field}");
        }
    }

    #[test]
    fn moments_have_milliseconds_and_a_zone_without_colon() {
        assert_eq!(moment(1_700_000_000), "2023-11-14T22:13:20.000+0000");
    }
}
