//! What Jira answers with: lean and tolerant. Dates stay strings, rich text stays JSON (read it with
//! [`adf::plain_text`](crate::adf::plain_text)), custom fields are kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// An issue.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Issue {
    /// The stable id; keys change when an issue moves.
    #[serde(default)]
    pub id: String,
    /// The key people write: `OPS-7`.
    #[serde(default)]
    pub key: String,
    /// The address in the API.
    #[serde(default, rename = "self")]
    pub self_url: String,
    /// What was asked for with `fields`.
    #[serde(default)]
    pub fields: IssueFields,
}

/// Fields of an issue.
///
/// Everything is optional, because a request says which fields it wants.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct IssueFields {
    /// One line.
    pub summary: Option<String>,
    /// Rich text; in webhooks, wiki text.
    #[serde(default)]
    pub description: Value,
    /// Where it is in its workflow.
    pub status: Option<Status>,
    /// Task, bug, story ...
    pub issuetype: Option<Named>,
    /// How urgent it is.
    pub priority: Option<Named>,
    /// Where it belongs.
    pub project: Option<Project>,
    /// Who works on it.
    pub assignee: Option<User>,
    /// Who asked for it.
    pub reporter: Option<User>,
    /// Labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// `2026-01-31T12:00:00.000+0000`.
    pub created: Option<String>,
    /// `2026-01-31T12:00:00.000+0000`.
    pub updated: Option<String>,
    /// Every other field that was asked for, custom fields included.
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// Something with an id and a name.
///
/// Shared by issue types, priorities and the like.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The name, in the account's language.
    #[serde(default)]
    pub name: String,
}

/// A status of a workflow.
///
/// Names are translated and renamed; the category's key is not.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The name, in the account's language.
    #[serde(default)]
    pub name: String,
    /// `new`, `indeterminate` or `done`.
    #[serde(default, rename = "statusCategory")]
    pub category: StatusCategory,
}

/// What a status means, whatever it is called.
///
/// Part of [`Status`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StatusCategory {
    /// `new`, `indeterminate` or `done`.
    #[serde(default)]
    pub key: String,
}

/// A project.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-projects/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The key: `OPS`.
    #[serde(default)]
    pub key: String,
    /// The name.
    #[serde(default)]
    pub name: String,
}

/// An account.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-myself/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The stable id.
    #[serde(default)]
    pub account_id: String,
    /// The name people see.
    #[serde(default)]
    pub display_name: String,
    /// Only if the account shows it.
    pub email_address: Option<String>,
}

/// What creating an issue answers.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct CreatedIssue {
    /// The stable id.
    #[serde(default)]
    pub id: String,
    /// The key people write.
    #[serde(default)]
    pub key: String,
    /// The address in the API.
    #[serde(default, rename = "self")]
    pub self_url: String,
}

/// The transitions an issue can take now.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Transitions {
    /// Each way out of the current status.
    #[serde(default)]
    pub transitions: Vec<Transition>,
}

/// One way from a status to another.
///
/// Its id goes into [`issues::DoTransition`](crate::issues::DoTransition).
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Transition {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// What the button says.
    #[serde(default)]
    pub name: String,
    /// Where it leads.
    #[serde(default)]
    pub to: Status,
}

/// A comment.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Comment {
    /// The id.
    #[serde(default)]
    pub id: String,
    /// Rich text; in webhooks, wiki text.
    #[serde(default)]
    pub body: Value,
    /// Who wrote it.
    pub author: Option<User>,
    /// `2026-01-31T12:00:00.000+0000`.
    pub created: Option<String>,
}

/// A page of a search. There is no total: Jira does not count.
///
/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    /// The issues of this page.
    #[serde(default)]
    pub issues: Vec<Issue>,
    /// Where the search goes on.
    pub next_page_token: Option<String>,
    /// Is this the last page?
    pub is_last: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_fields_are_kept_and_nothing_is_required() {
        let text = r#"{"key": "OPS-7", "fields": {"summary": "S", "customfield_10001": 3, "status": {"name": "Done", "statusCategory": {"key": "done"}}}}"#;
        let issue: Issue = serde_json::from_str(text).unwrap();
        assert_eq!(issue.fields.extra["customfield_10001"], 3);
        assert_eq!(issue.fields.status.unwrap().category.key, "done");
        assert!(serde_json::from_str::<Issue>(r#"{"id": "1"}"#).is_ok());
    }
}
