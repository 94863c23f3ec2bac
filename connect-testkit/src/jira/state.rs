//! What the fake Jira remembers: projects, issues, comments and entity properties.
//!
//! Everything starts empty and lives as long as the fake. Issues are found by id or by key, and keys are
//! compared without case, as in Jira. A fresh issue is in the search index only when the lag is over; until
//! then it can be read but not found, which is how Jira behaves under load.
//! Not persistent and never trimmed: a fake serves one test. Changes to an issue are in the index at once.

use serde_json::{Map, Value};

use super::workflow;

/// An issue as the fake holds it, for assertions.
///
/// Look it up with [`FakeJira::issues`](crate::FakeJira::issues).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Issue {
    /// The key, for example `OPS-7`.
    pub key: String,
    /// The id: a number, written as text as in Jira's JSON.
    pub id: String,
    /// Key of the project.
    pub project: String,
    /// Name of the issue type.
    pub issue_type: String,
    /// The summary.
    pub summary: String,
    /// The description as a document; `Null` when there is none.
    pub description: Value,
    /// The labels.
    pub labels: Vec<String>,
    /// Name of the status.
    pub status: String,
    /// Account id of who created it.
    pub creator: String,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
    /// Seconds since the Unix epoch.
    pub updated_at: u64,
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
    /// The other fields that were set, as they were sent: `priority`, `customfield_10042`, ..
    pub fields: Map<String, Value>,
    /// The entity properties.
    pub properties: Map<String, Value>,
}

impl Issue {
    /// The number in the key.
    pub(crate) fn number(&self) -> u64 {
        self.key.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
    }

    /// Ids rise with every issue.
    pub(crate) fn id_number(&self) -> u64 {
        self.id.parse().unwrap_or_default()
    }

    pub(crate) fn enter(&mut self, status: &str, now: u64) {
        (self.status, self.updated_at) = (status.to_owned(), now);
    }
}

/// A comment as the fake holds it, for assertions.
///
/// Look it up with [`FakeJira::comments`](crate::FakeJira::comments).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comment {
    /// The id: a number, written as text as in Jira's JSON.
    pub id: String,
    /// The text as a document.
    pub body: Value,
    /// Account id of the author.
    pub author: String,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
}

/// What an issue begins with.
pub(crate) struct NewIssue {
    pub(crate) project: String,
    pub(crate) issue_type: String,
    pub(crate) summary: String,
    pub(crate) description: Value,
    pub(crate) labels: Vec<String>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) properties: Map<String, Value>,
}

pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) key: String,
    last_number: u64,
}

pub(crate) struct Site {
    projects: Vec<Project>,
    pub(crate) issues: Vec<Issue>,
    search_lag_seconds: u64,
    last_comment: u64,
}

impl Site {
    pub(crate) fn new(search_lag_seconds: u64) -> Self {
        Self { projects: Vec::new(), issues: Vec::new(), search_lag_seconds, last_comment: 0 }
    }

    pub(crate) fn project(&self, key_or_id: &str) -> Option<&Project> {
        self.projects
            .iter()
            .find(|project| project.key.eq_ignore_ascii_case(key_or_id) || project.id == key_or_id)
    }

    /// Adds a project, unless there is one with this key; keys are upper case in Jira.
    pub(crate) fn add_project(&mut self, key: &str) -> String {
        let key = key.to_ascii_uppercase();
        if self.project(&key).is_none() {
            let id = (10_001 + self.projects.len()).to_string();
            self.projects.push(Project { id, key: key.clone(), last_number: 0 });
        }
        key
    }

    pub(crate) fn issue(&self, id_or_key: &str) -> Option<&Issue> {
        self.issues.iter().find(|issue| names(issue, id_or_key))
    }

    pub(crate) fn issue_mut(&mut self, id_or_key: &str) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| names(issue, id_or_key))
    }

    pub(crate) fn is_indexed(&self, issue: &Issue, now: u64) -> bool {
        issue.created_at.saturating_add(self.search_lag_seconds) <= now
    }

    /// Creates an issue under the next number of its project, which is made if need be.
    pub(crate) fn create(&mut self, new: NewIssue, creator: &str, now: u64) -> Issue {
        let project = self.add_project(&new.project);
        let number = self.projects.iter_mut().find(|known| known.key == project).map_or(1, |known| {
            known.last_number += 1;
            known.last_number
        });
        let issue = Issue {
            key: format!("{project}-{number}"),
            id: (20_001 + self.issues.len()).to_string(),
            project,
            issue_type: new.issue_type,
            summary: new.summary,
            description: new.description,
            labels: new.labels,
            status: workflow::STATUSES[0].name.to_owned(),
            creator: creator.to_owned(),
            created_at: now,
            updated_at: now,
            comments: Vec::new(),
            fields: new.fields,
            properties: new.properties,
        };
        self.issues.push(issue.clone());
        issue
    }

    /// Adds a comment, and returns it with the id of its issue; `None` when there is no such issue.
    pub(crate) fn add_comment(
        &mut self,
        id_or_key: &str,
        body: Value,
        author: &str,
        now: u64,
    ) -> Option<(String, Comment)> {
        let id = (30_001 + self.last_comment).to_string();
        let issue = self.issue_mut(id_or_key)?;
        let comment = Comment { id, body, author: author.to_owned(), created_at: now };
        issue.comments.push(comment.clone());
        issue.updated_at = now;
        let issue_id = issue.id.clone();
        self.last_comment += 1;
        Some((issue_id, comment))
    }
}

fn names(issue: &Issue, id_or_key: &str) -> bool {
    issue.key.eq_ignore_ascii_case(id_or_key) || issue.id == id_or_key
}
