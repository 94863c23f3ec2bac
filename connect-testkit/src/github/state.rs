//! What the fake GitHub remembers: repositories with all that is in them, deliveries, and what is left of the quotas.
//!
//! Everything starts empty and lives as long as the fake. Owner and repository names are compared without
//! case, as GitHub does. Issues and pull requests share one sequence of numbers.
//! Not persistent and never trimmed: a fake serves one test.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Failure, Success};
use super::app::{Apps, Speaker};
use super::hooks::Deliveries;
use super::links::Links;
use super::quota::{Quota, Quotas};
use super::releases::{Release, Storage};
use super::routes::Call;
use super::secondary::Secondary;
use super::shape::{self, Subject};

/// An issue or pull request as the fake holds it, for assertions.
///
/// Look it up with [`FakeGitHub::issues`](crate::FakeGitHub::issues).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Issue {
    /// The number within its repository.
    pub number: u64,
    /// The title.
    pub title: String,
    /// The text, if there is one.
    pub body: Option<String>,
    /// `open` or `closed`.
    pub state: String,
    /// Names of the labels.
    pub labels: Vec<String>,
    /// Logins of the assignees.
    pub assignees: Vec<String>,
    /// Login of the author.
    pub author: String,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
    /// Whether it is a pull request.
    pub is_pull_request: bool,
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
}

/// A comment as the fake holds it, for assertions.
///
/// Look it up with [`FakeGitHub::comments`](crate::FakeGitHub::comments).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comment {
    /// The id, unique within the fake.
    pub id: u64,
    /// The text.
    pub body: String,
    /// Login of the author.
    pub author: String,
    /// Seconds since the Unix epoch.
    pub created_at: u64,
}

pub(crate) struct Repository {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) issues: Vec<Issue>,
    /// Path and bytes.
    pub(super) files: BTreeMap<String, Bytes>,
    pub(super) commits: u64,
    pub(super) releases: Vec<Release>,
}

impl Repository {
    pub(crate) fn issue(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    pub(crate) fn issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| issue.number == number)
    }

    /// Opens an issue under the next free number.
    pub(crate) fn open(&mut self, title: String, author: &str, now: u64) -> &mut Issue {
        let number = self.issues.last().map_or(0, |issue| issue.number) + 1;
        let index = self.issues.len();
        self.issues.push(Issue {
            number,
            title,
            body: None,
            state: "open".to_owned(),
            labels: Vec::new(),
            assignees: Vec::new(),
            author: author.to_owned(),
            created_at: now,
            is_pull_request: false,
            comments: Vec::new(),
        });
        &mut self.issues[index]
    }

    pub(crate) fn subject<'a>(&'a self, issue: &'a Issue) -> Subject<'a> {
        Subject {
            owner: &self.owner,
            repository: &self.name,
            number: issue.number,
            title: &issue.title,
            body: issue.body.as_deref(),
            author: &issue.author,
            state: &issue.state,
            labels: &issue.labels,
            assignees: &issue.assignees,
            comments: issue.comments.len(),
            created_at: issue.created_at,
            is_pull_request: issue.is_pull_request,
        }
    }

    pub(crate) fn issue_json(&self, issue: &Issue, links: &Links, newer_version: bool) -> Value {
        let mut json = shape::issue(links, &self.subject(issue));
        // API version 2026-03-10 has only the list.
        if newer_version && let Some(fields) = json.as_object_mut() {
            fields.remove("assignee");
        }
        json
    }
}

pub(crate) struct State {
    repositories: Vec<Repository>,
    with_token: Quotas,
    without_token: Quotas,
    pub(super) secondary: Secondary,
    pub(super) deliveries: Deliveries,
    pub(super) graphql: VecDeque<Value>,
    pub(super) storage: Storage,
    next_comment: u64,
    next_file: u64,
    pub(super) apps: Apps,
}

impl State {
    /// With other limits than GitHub's for requests with a token.
    pub(super) fn new(limits: &[(&'static str, u64)], storage: Storage) -> Self {
        let mut with_token = Quotas::with_token();
        for (resource, limit) in limits {
            with_token.set_limit(resource, *limit);
        }
        Self {
            repositories: Vec::new(),
            with_token,
            without_token: Quotas::without_token(),
            secondary: Secondary::default(),
            deliveries: Deliveries::default(),
            graphql: VecDeque::new(),
            storage,
            next_comment: 1,
            next_file: 1,
            apps: Apps::default(),
        }
    }

    fn quotas(&mut self, authorized: bool) -> &mut Quotas {
        if authorized { &mut self.with_token } else { &mut self.without_token }
    }

    pub(super) fn quota(&mut self, authorized: bool, resource: &str) -> &mut Quota {
        self.quotas(authorized).of(resource)
    }

    pub(super) fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// An id for a release or one of its files.
    pub(super) fn file_id(&mut self) -> u64 {
        self.next_file += 1;
        self.next_file - 1
    }

    pub(crate) fn repository(&mut self, owner: &str, name: &str) -> Option<&mut Repository> {
        self.repositories.iter_mut().find(|repository| {
            repository.owner.eq_ignore_ascii_case(owner) && repository.name.eq_ignore_ascii_case(name)
        })
    }

    pub(crate) fn repository_or_new(&mut self, owner: &str, name: &str) -> &mut Repository {
        let known = self.repositories.iter().position(|repository| {
            repository.owner.eq_ignore_ascii_case(owner) && repository.name.eq_ignore_ascii_case(name)
        });
        let index = known.unwrap_or_else(|| {
            let (owner, name) = (owner.to_owned(), name.to_owned());
            let files = BTreeMap::new();
            let (issues, releases) = (Vec::new(), Vec::new());
            self.repositories.push(Repository { owner, name, issues, files, commits: 0, releases });
            self.repositories.len() - 1
        });
        &mut self.repositories[index]
    }

    pub(crate) fn comment_id(&mut self) -> u64 {
        self.next_comment += 1;
        self.next_comment - 1
    }
}

/// `users/get-authenticated`
pub(crate) fn get_authenticated(_: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    if call.speaker != Speaker::User {
        return Err(Failure::new(StatusCode::FORBIDDEN, "Resource not accessible by integration"));
    }
    Ok(Success::ok(shape::profile(call.links, call.login)))
}

/// `rate-limit/get`
pub(crate) fn get_rate_limit(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let mut body = json!({ "resources": state.quotas(call.authorized).json(call.now) });
    if !call.newer_version {
        body["rate"] = body["resources"]["core"].clone();
    }
    Ok(Success::ok(body))
}
