//! What GitHub's deliveries hold: lean and tolerant. Dates and URLs stay strings; a field that GitHub may leave out is an
//! `Option` or has a default; unknown fields are ignored.

use serde::{Deserialize, Deserializer};

/// An issue; pull requests appear as issues with [`Issue::pull_request`] set.
///
/// <https://docs.github.com/rest/issues/issues#get-an-issue>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Issue {
    /// Unique over all of GitHub.
    pub id: i64,
    /// The same for GraphQL.
    #[serde(default)]
    pub node_id: String,
    /// Unique in its repository.
    pub number: i64,
    /// One line.
    #[serde(default)]
    pub title: String,
    /// Markdown; absent for an empty issue.
    pub body: Option<String>,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// `completed`, `not_planned`, `reopened`, `duplicate`.
    pub state_reason: Option<String>,
    /// Who opened it; absent if the account is gone.
    pub user: Option<SimpleUser>,
    /// Labels.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Whom it is assigned to.
    #[serde(default)]
    pub assignees: Vec<SimpleUser>,
    /// How many comments.
    #[serde(default)]
    pub comments: i64,
    /// Is the conversation locked?
    #[serde(default)]
    pub locked: bool,
    /// The page people read.
    #[serde(default)]
    pub html_url: String,
    /// Present if this is a pull request.
    pub pull_request: Option<PullRequestLink>,
    /// ISO 8601.
    #[serde(default)]
    pub created_at: String,
    /// ISO 8601.
    #[serde(default)]
    pub updated_at: String,
    /// ISO 8601.
    pub closed_at: Option<String>,
}

/// Where the pull request behind an issue is.
///
/// Part of [`Issue`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PullRequestLink {
    /// The page people read.
    pub html_url: Option<String>,
    /// ISO 8601; absent while it is not merged.
    pub merged_at: Option<String>,
}

/// An account as it appears inside other things.
///
/// <https://docs.github.com/rest/users/users>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SimpleUser {
    /// The stable id; logins change.
    pub id: i64,
    /// The login.
    #[serde(default)]
    pub login: String,
    /// `User`, `Organization`, `Bot`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// The page people read.
    #[serde(default)]
    pub html_url: String,
}

/// A label. GitHub sends an object, or for old clients a bare name.
///
/// <https://docs.github.com/rest/issues/labels>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// Six hexadecimal digits.
    pub color: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shape {
            Name(String),
            Object { name: Option<String>, color: Option<String>, description: Option<String> },
        }
        Ok(match Shape::deserialize(deserializer)? {
            Shape::Name(name) => Self { name, color: None, description: None },
            Shape::Object { name, color, description } => {
                Self { name: name.unwrap_or_default(), color, description }
            }
        })
    }
}

/// A pull request.
///
/// <https://docs.github.com/rest/pulls/pulls>
#[non_exhaustive]
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PullRequest {
    /// Unique over all of GitHub.
    pub id: i64,
    /// Unique in its repository.
    pub number: i64,
    /// One line.
    #[serde(default)]
    pub title: String,
    /// Markdown; absent for an empty one.
    pub body: Option<String>,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// Not ready for review yet?
    #[serde(default)]
    pub draft: bool,
    /// Merged, rather than closed without merging?
    #[serde(default)]
    pub merged: bool,
    /// Who opened it; absent if the account is gone.
    pub user: Option<SimpleUser>,
    /// The page people read.
    #[serde(default)]
    pub html_url: String,
    /// Where it comes from.
    #[serde(default)]
    pub head: GitReference,
    /// Where it goes to.
    #[serde(default)]
    pub base: GitReference,
}

/// One side of a pull request.
///
/// Part of [`PullRequest`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GitReference {
    /// The branch.
    #[serde(default, rename = "ref")]
    pub name: String,
    /// The commit.
    #[serde(default)]
    pub sha: String,
}

/// A repository as it appears inside other things.
///
/// <https://docs.github.com/rest/repos/repos>
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// The stable id; names change.
    pub id: i64,
    /// `owner/name`.
    #[serde(default)]
    pub full_name: String,
    /// Is it private?
    #[serde(default)]
    pub private: bool,
    /// The page people read.
    #[serde(default)]
    pub html_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_objects_or_names() {
        let labels: Vec<Label> =
            serde_json::from_str(r#"["bug", {"name": "ui", "color": "ff0000"}, {"name": null}]"#).unwrap();
        assert_eq!(labels.iter().map(|label| label.name.as_str()).collect::<Vec<_>>(), ["bug", "ui", ""]);
    }

    #[test]
    fn an_issue_needs_only_its_numbers() {
        let issue: Issue =
            serde_json::from_str(r#"{"id": 1, "number": 7, "user": null, "brand_new": {}}"#).unwrap();
        assert_eq!(issue.number, 7);
    }
}
