//! Issues and their comments.

use connect_core::{Decoding, Endpoint, Error, Method, Operation, Paged, Paging, Request, Response, Safety};
use serde::Serialize;

use crate::GitHubApi;
use crate::model::{Issue, IssueComment};

/// `issues/get`: one issue or pull request.
///
/// `GET /repos/{owner}/{repo}/issues/{issue_number}` ·
/// <https://docs.github.com/rest/issues/issues#get-an-issue>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_github::issues::Get::new("octo", "hello", 7).request()?;
/// assert_eq!(request.path_and_query(), "/repos/octo/hello/issues/7");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Get {
    owner: String,
    repo: String,
    issue_number: u64,
}

impl Get {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "issues/get",
        Method::GET,
        "/repos/{owner}/{repo}/issues/{issue_number}",
        Safety::Safe,
    )
    .docs("https://docs.github.com/rest/issues/issues#get-an-issue");

    /// The issue with this number.
    pub fn new(owner: impl Into<String>, repo: impl Into<String>, issue_number: u64) -> Self {
        Self { owner: owner.into(), repo: repo.into(), issue_number }
    }
}

impl Endpoint for Get {
    type Api = GitHubApi;
    type Output = Issue;

    fn operation(&self) -> &Operation {
        static ROW: Operation = Get::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("owner", &self.owner)
            .path("repo", &self.repo)
            .path("issue_number", self.issue_number)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Issue, Error> {
        cx.json(&response)
    }
}

/// `issues/create`: a new issue. Not idempotent: after [`Sent::Maybe`](connect_core::Sent::Maybe) look for it first.
///
/// `POST /repos/{owner}/{repo}/issues` · <https://docs.github.com/rest/issues/issues#create-an-issue>
///
/// ```
/// use connect_core::Endpoint;
/// let create = connect_github::issues::Create::new("octo", "hello", "Title").body("text").labels(["bug"]);
/// let request = create.request()?;
/// assert_eq!(request.body().as_bytes().unwrap().as_ref(), br#"{"title":"Title","body":"text","labels":["bug"]}"#);
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Create {
    owner: String,
    repo: String,
    #[serde(flatten)]
    payload: CreatePayload,
}

#[derive(Clone, Debug, Serialize)]
struct CreatePayload {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignees: Option<Vec<String>>,
}

impl Create {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("issues/create", Method::POST, "/repos/{owner}/{repo}/issues", Safety::Unsafe)
            .docs("https://docs.github.com/rest/issues/issues#create-an-issue");

    /// An issue with this title.
    pub fn new(owner: impl Into<String>, repo: impl Into<String>, title: impl Into<String>) -> Self {
        let payload =
            CreatePayload { title: title.into(), body: None, milestone: None, labels: None, assignees: None };
        Self { owner: owner.into(), repo: repo.into(), payload }
    }

    /// The text, in GitHub's Markdown.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.payload.body = Some(body.into());
        self
    }

    /// The number of the milestone.
    pub fn milestone(mut self, milestone: u64) -> Self {
        self.payload.milestone = Some(milestone);
        self
    }

    /// The names of the labels.
    pub fn labels(mut self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.payload.labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// The logins of those it is assigned to.
    pub fn assignees(mut self, assignees: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.payload.assignees = Some(assignees.into_iter().map(Into::into).collect());
        self
    }
}

impl Endpoint for Create {
    type Api = GitHubApi;
    type Output = Issue;

    fn operation(&self) -> &Operation {
        static ROW: Operation = Create::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("owner", &self.owner)
            .path("repo", &self.repo)
            .json(&self.payload)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Issue, Error> {
        cx.json(&response)
    }
}

/// `issues/list-for-repo`: issues and pull requests of a repository, newest first.
///
/// `GET /repos/{owner}/{repo}/issues` · <https://docs.github.com/rest/issues/issues#list-repository-issues>
///
/// ```
/// use connect_core::Endpoint;
/// let list = connect_github::issues::ListForRepo::new("octo", "hello").state("open").labels(["bug", "ui"]);
/// assert_eq!(list.request()?.path_and_query(), "/repos/octo/hello/issues?state=open&labels=bug%2Cui&per_page=100");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct ListForRepo {
    owner: String,
    repo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentioned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
}

impl ListForRepo {
    /// The operation's row.
    pub const OPERATION: Operation =
        Operation::new("issues/list-for-repo", Method::GET, "/repos/{owner}/{repo}/issues", Safety::Safe)
            .paged(Paging::Link { items: "" })
            .docs("https://docs.github.com/rest/issues/issues#list-repository-issues");

    /// The open issues of a repository, 100 a page (GitHub's own default is 30, which only costs calls).
    pub fn new(owner: impl Into<String>, repo: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            repo: repo.into(),
            milestone: None,
            state: None,
            assignee: None,
            creator: None,
            mentioned: None,
            labels: None,
            sort: None,
            direction: None,
            since: None,
            per_page: Some(100),
            page: None,
        }
    }

    /// The number of a milestone, `*` for any, `none` for none.
    pub fn milestone(mut self, milestone: impl Into<String>) -> Self {
        self.milestone = Some(milestone.into());
        self
    }

    /// `open` (the default), `closed` or `all`.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// A login, `*` for any, `none` for none.
    pub fn assignee(mut self, assignee: impl Into<String>) -> Self {
        self.assignee = Some(assignee.into());
        self
    }

    /// The login of the creator.
    pub fn creator(mut self, creator: impl Into<String>) -> Self {
        self.creator = Some(creator.into());
        self
    }

    /// The login of somebody mentioned.
    pub fn mentioned(mut self, mentioned: impl Into<String>) -> Self {
        self.mentioned = Some(mentioned.into());
        self
    }

    /// Labels that an issue must all have.
    pub fn labels(mut self, labels: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut text = String::new();
        for label in labels {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(label.as_ref());
        }
        self.labels = Some(text);
        self
    }

    /// `created` (the default), `updated` or `comments`.
    pub fn sort(mut self, sort: impl Into<String>) -> Self {
        self.sort = Some(sort.into());
        self
    }

    /// `asc` or `desc` (the default).
    pub fn direction(mut self, direction: impl Into<String>) -> Self {
        self.direction = Some(direction.into());
        self
    }

    /// Updated at or after this time (ISO 8601, `2026-01-31T12:00:00Z`).
    pub fn since(mut self, since: impl Into<String>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// Issues per page, at most 100.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.per_page = Some(per_page);
        self
    }

    /// The page to begin with; streams go on from there by GitHub's own links.
    pub fn page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }
}

impl Endpoint for ListForRepo {
    type Api = GitHubApi;
    type Output = Vec<Issue>;

    fn operation(&self) -> &Operation {
        static ROW: Operation = ListForRepo::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("owner", &self.owner)
            .path("repo", &self.repo)
            .query("milestone", self.milestone.as_deref())
            .query("state", self.state.as_deref())
            .query("assignee", self.assignee.as_deref())
            .query("creator", self.creator.as_deref())
            .query("mentioned", self.mentioned.as_deref())
            .query("labels", self.labels.as_deref())
            .query("sort", self.sort.as_deref())
            .query("direction", self.direction.as_deref())
            .query("since", self.since.as_deref())
            .query("per_page", self.per_page)
            .query("page", self.page)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Vec<Issue>, Error> {
        cx.json(&response)
    }
}

impl Paged for ListForRepo {
    type Item = Issue;
}

/// `issues/create-comment`: a comment on an issue or pull request. Not idempotent.
///
/// `POST /repos/{owner}/{repo}/issues/{issue_number}/comments` ·
/// <https://docs.github.com/rest/issues/comments#create-an-issue-comment>
///
/// ```
/// use connect_core::Endpoint;
/// let request = connect_github::issues::CreateComment::new("octo", "hello", 7, "Thanks!").request()?;
/// assert_eq!(request.path_and_query(), "/repos/octo/hello/issues/7/comments");
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct CreateComment {
    owner: String,
    repo: String,
    issue_number: u64,
    #[serde(flatten)]
    payload: CreateCommentPayload,
}

#[derive(Clone, Debug, Serialize)]
struct CreateCommentPayload {
    body: String,
}

impl CreateComment {
    /// The operation's row.
    pub const OPERATION: Operation = Operation::new(
        "issues/create-comment",
        Method::POST,
        "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        Safety::Unsafe,
    )
    .docs("https://docs.github.com/rest/issues/comments#create-an-issue-comment");

    /// A comment with this text, in GitHub's Markdown.
    pub fn new(
        owner: impl Into<String>,
        repo: impl Into<String>,
        issue_number: u64,
        body: impl Into<String>,
    ) -> Self {
        let payload = CreateCommentPayload { body: body.into() };
        Self { owner: owner.into(), repo: repo.into(), issue_number, payload }
    }
}

impl Endpoint for CreateComment {
    type Api = GitHubApi;
    type Output = IssueComment;

    fn operation(&self) -> &Operation {
        static ROW: Operation = CreateComment::OPERATION;
        &ROW
    }

    fn request(&self) -> Result<Request, Error> {
        Request::builder(&Self::OPERATION)
            .path("owner", &self.owner)
            .path("repo", &self.repo)
            .path("issue_number", self.issue_number)
            .json(&self.payload)
            .build()
    }

    fn decode(&self, response: Response, cx: &mut Decoding) -> Result<IssueComment, Error> {
        cx.json(&response)
    }
}
