//! Issues. GitHub keeps a pull request's comments, labels, assignees and lock here, too, under the same number.

use connect_core::{Call, Items};

use super::RepoHandle;
use crate::issues;
#[cfg(feature = "reactions")]
use crate::reactions;

impl RepoHandle {
    /// An issue, or what a pull request of this number has of one. Sends nothing.
    pub fn issue(&self, number: i64) -> IssueHandle {
        IssueHandle { repo: self.clone(), number }
    }

    /// [`GET ../issues`](https://docs.github.com/rest/issues/issues#list-repository-issues): the open ones, pull requests
    /// among them.
    pub fn issues(&self) -> Items<issues::ListForRepo> {
        self.client().stream(issues::ListForRepo::new(self.owner(), self.name()))
    }

    /// [`POST ../issues`](https://docs.github.com/rest/issues/issues#create-an-issue).
    pub fn create_issue(&self, title: impl Into<String>) -> Call<issues::Create> {
        self.client().send(issues::Create::new(self.owner(), self.name(), title.into()))
    }
}

/// An issue of a repository, by its number.
///
/// From [`RepoHandle::issue`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let issue = github.repo("octo", "hello")?.issue(5);
/// issue.comment("Fixed in 1.2.").await?;
/// issue.add_labels(["fixed"]).await?;
/// issue.close("completed").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IssueHandle {
    repo: RepoHandle,
    number: i64,
}

impl IssueHandle {
    /// Its number within the repository.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// [`GET ../issues/{number}`](https://docs.github.com/rest/issues/issues#get-an-issue).
    pub fn get(&self) -> Call<issues::Get> {
        self.repo.client().send(issues::Get::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`PATCH ../issues/{number}`](https://docs.github.com/rest/issues/issues#update-an-issue): what `with` says.
    pub fn update(&self) -> Call<issues::Update> {
        self.repo.client().send(issues::Update::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`PATCH ../issues/{number}`](https://docs.github.com/rest/issues/issues#update-an-issue): closes it as `completed`,
    /// `not_planned` or `duplicate`.
    pub fn close(&self, reason: impl Into<String>) -> Call<issues::Update> {
        self.update().with(|update| update.state("closed").state_reason(reason))
    }

    /// [`PATCH ../issues/{number}`](https://docs.github.com/rest/issues/issues#update-an-issue): opens it again.
    pub fn reopen(&self) -> Call<issues::Update> {
        self.update().with(|update| update.state("open"))
    }

    /// [`POST ../issues/{number}/comments`](https://docs.github.com/rest/issues/comments#create-an-issue-comment), in
    /// Markdown.
    pub fn comment(&self, body: impl Into<String>) -> Call<issues::CreateComment> {
        let comment = issues::CreateComment::new(self.repo.owner(), self.repo.name(), self.number, body);
        self.repo.client().send(comment)
    }

    /// [`GET ../issues/{number}/comments`](https://docs.github.com/rest/issues/comments#list-issue-comments), oldest first.
    pub fn comments(&self) -> Items<issues::ListComments> {
        self.repo.client().stream(issues::ListComments::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`POST ../issues/{number}/labels`](https://docs.github.com/rest/issues/labels#add-labels-to-an-issue): adds labels,
    /// and makes those that the repository does not have.
    pub fn add_labels<L>(&self, labels: impl IntoIterator<Item = L>) -> Call<issues::AddLabels>
    where
        L: Into<String>,
    {
        let add = issues::AddLabels::new(self.repo.owner(), self.repo.name(), self.number);
        self.repo.client().send(add.labels(labels.into_iter().map(Into::<String>::into)))
    }

    /// [`DELETE ../issues/{number}/labels/{name}`](https://docs.github.com/rest/issues/labels#remove-a-label-from-an-issue).
    pub fn remove_label(&self, name: impl Into<String>) -> Call<issues::RemoveLabel> {
        let remove = issues::RemoveLabel::new(self.repo.owner(), self.repo.name(), self.number, name);
        self.repo.client().send(remove)
    }

    /// [`POST ../issues/{number}/assignees`](https://docs.github.com/rest/issues/assignees#add-assignees-to-an-issue), by
    /// login.
    pub fn add_assignees<L>(&self, logins: impl IntoIterator<Item = L>) -> Call<issues::AddAssignees>
    where
        L: Into<String>,
    {
        let add = issues::AddAssignees::new(self.repo.owner(), self.repo.name(), self.number);
        self.repo.client().send(add.assignees(logins.into_iter().map(Into::<String>::into)))
    }

    /// [`DELETE ../issues/{number}/assignees`](https://docs.github.com/rest/issues/assignees#remove-assignees-from-an-issue),
    /// by login.
    pub fn remove_assignees<L>(&self, logins: impl IntoIterator<Item = L>) -> Call<issues::RemoveAssignees>
    where
        L: Into<String>,
    {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().send(issues::RemoveAssignees::new(owner, repo, self.number, logins))
    }

    /// [`PUT ../issues/{number}/lock`](https://docs.github.com/rest/issues/issues#lock-an-issue): only collaborators may
    /// comment from now on.
    pub fn lock(&self) -> Call<issues::Lock> {
        self.repo.client().send(issues::Lock::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`DELETE ../issues/{number}/lock`](https://docs.github.com/rest/issues/issues#unlock-an-issue).
    pub fn unlock(&self) -> Call<issues::Unlock> {
        self.repo.client().send(issues::Unlock::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`POST ../issues/{number}/reactions`](https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue):
    /// `+1`, `-1`, `laugh`, `confused`, `heart`, `hooray`, `rocket` or `eyes`. A second one of the same kind is the first.
    #[cfg(feature = "reactions")]
    pub fn react(&self, content: impl Into<String>) -> Call<reactions::CreateForIssue> {
        let reaction =
            reactions::CreateForIssue::new(self.repo.owner(), self.repo.name(), self.number, content);
        self.repo.client().send(reaction)
    }
}
