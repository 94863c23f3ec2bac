//! Pull requests: code under review. Comments, labels and assignees are those of the issue of the same number.

use connect_core::{AsBytes, Call, Items};

#[cfg(feature = "issues")]
use super::IssueHandle;
use super::RepoHandle;
use crate::{media, pulls};

impl RepoHandle {
    /// A pull request. Sends nothing.
    pub fn pull(&self, number: i64) -> PullHandle {
        PullHandle { repo: self.clone(), number }
    }

    /// [`GET ../pulls`](https://docs.github.com/rest/pulls/pulls#list-pull-requests): the open ones.
    pub fn pulls(&self) -> Items<pulls::List> {
        self.client().stream(pulls::List::new(self.owner(), self.name()))
    }

    /// [`POST ../pulls`](https://docs.github.com/rest/pulls/pulls#create-a-pull-request): asks to merge `head` (a branch, or
    /// `login:branch` of a fork) into `base`.
    pub fn create_pull(
        &self,
        title: impl Into<String>,
        head: impl Into<String>,
        base: impl Into<String>,
    ) -> Call<pulls::Create> {
        self.client().send(pulls::Create::new(self.owner(), self.name(), head, base).title(title))
    }
}

/// A pull request of a repository, by its number.
///
/// From [`RepoHandle::pull`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let pull = github.repo("octo", "hello")?.pull(12);
/// let head = pull.get().await?.head.sha;
/// pull.review("APPROVE").with(|review| review.body("Dry now.")).await?;
/// // Refused if somebody pushed since we looked.
/// pull.merge().with(|merge| merge.merge_method("squash").sha(head)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PullHandle {
    repo: RepoHandle,
    number: i64,
}

impl PullHandle {
    /// Its number within the repository.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// The issue that it is as well: for comments, labels, assignees, closing. Sends nothing.
    #[cfg(feature = "issues")]
    pub fn issue(&self) -> IssueHandle {
        self.repo.issue(self.number)
    }

    /// [`GET ../pulls/{number}`](https://docs.github.com/rest/pulls/pulls#get-a-pull-request). Its `mergeable` is `None`
    /// while GitHub is still finding out.
    pub fn get(&self) -> Call<pulls::Get> {
        self.repo.client().send(self.endpoint())
    }

    /// [`GET ../pulls/{number}`](https://docs.github.com/rest/pulls/pulls#get-a-pull-request) as a unified diff. Bytes,
    /// because the files need not be UTF-8.
    pub fn diff(&self) -> Call<AsBytes<pulls::Get>> {
        self.repo.client().send(self.endpoint()).accept(media::DIFF).bytes()
    }

    /// [`PUT ../pulls/{number}/merge`](https://docs.github.com/rest/pulls/pulls#merge-a-pull-request): with a merge commit,
    /// unless `with` names another `merge_method`.
    pub fn merge(&self) -> Call<pulls::Merge> {
        self.repo.client().send(pulls::Merge::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`GET ../pulls/{number}/files`](https://docs.github.com/rest/pulls/pulls#list-pull-requests-files): what it changes,
    /// 3,000 files at most.
    pub fn files(&self) -> Items<pulls::ListFiles> {
        self.repo.client().stream(pulls::ListFiles::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`GET ../pulls/{number}/reviews`](https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request), oldest
    /// first.
    pub fn reviews(&self) -> Items<pulls::ListReviews> {
        self.repo.client().stream(pulls::ListReviews::new(self.repo.owner(), self.repo.name(), self.number))
    }

    /// [`POST ../pulls/{number}/reviews`](https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request):
    /// `APPROVE`, or `REQUEST_CHANGES` and `COMMENT`, which take a body.
    pub fn review(&self, event: impl Into<String>) -> Call<pulls::CreateReview> {
        let review = pulls::CreateReview::new(self.repo.owner(), self.repo.name(), self.number);
        self.repo.client().send(review.event(event))
    }

    /// [`POST ../pulls/{number}/requested_reviewers`](https://docs.github.com/rest/pulls/review-requests#request-reviewers-for-a-pull-request),
    /// by login.
    pub fn request_reviewers<L>(&self, logins: impl IntoIterator<Item = L>) -> Call<pulls::RequestReviewers>
    where
        L: Into<String>,
    {
        let request = pulls::RequestReviewers::new(self.repo.owner(), self.repo.name(), self.number);
        self.repo.client().send(request.reviewers(logins))
    }

    /// [`PUT ../pulls/{number}/update-branch`](https://docs.github.com/rest/pulls/pulls#update-a-pull-request-branch):
    /// merges the base branch into it. GitHub does it later.
    pub fn update_branch(&self) -> Call<pulls::UpdateBranch> {
        self.repo.client().send(pulls::UpdateBranch::new(self.repo.owner(), self.repo.name(), self.number))
    }

    fn endpoint(&self) -> pulls::Get {
        pulls::Get::new(self.repo.owner(), self.repo.name(), self.number)
    }
}
