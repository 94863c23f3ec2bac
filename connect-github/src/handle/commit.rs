//! Commits of a repository, and what is said about them.

use connect_core::{AsText, Call, Items};

use super::RepoHandle;
#[cfg(feature = "checks")]
use crate::checks;
use crate::{media, repos};

impl RepoHandle {
    /// [`GET ../commits`](https://docs.github.com/rest/commits/commits#list-commits): the commits of the default branch,
    /// newest first.
    pub fn commits(&self) -> Items<repos::ListCommits> {
        self.client().stream(repos::ListCommits::new(self.owner(), self.name()))
    }

    /// [`GET ../commits/{ref}`](https://docs.github.com/rest/commits/commits#get-a-commit): only the SHA of what a branch, a
    /// tag or `HEAD` (the default branch) points to. Costs one request and no model of the commit.
    pub fn commit_sha(&self, r#ref: impl Into<String>) -> Call<AsText<repos::GetCommit>> {
        let commit = repos::GetCommit::new(self.owner(), self.name(), r#ref);
        self.client().send(commit).accept(media::SHA).text()
    }

    /// [`GET ../commits/{ref}/status`](https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference):
    /// what the services that set statuses say, in one word and each.
    pub fn status(&self, r#ref: impl Into<String>) -> Call<repos::GetCombinedStatusForRef> {
        self.client().send(repos::GetCombinedStatusForRef::new(self.owner(), self.name(), r#ref))
    }

    /// [`POST ../statuses/{sha}`](https://docs.github.com/rest/commits/statuses#create-a-commit-status): `error`,
    /// `failure`, `pending` or `success`.
    pub fn create_status(
        &self,
        sha: impl Into<String>,
        state: impl Into<String>,
    ) -> Call<repos::CreateCommitStatus> {
        self.client().send(repos::CreateCommitStatus::new(self.owner(), self.name(), sha, state))
    }

    /// [`GET ../commits/{ref}/check-runs`](https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference):
    /// the checks of apps such as Actions; statuses are apart.
    #[cfg(feature = "checks")]
    pub fn check_runs(&self, r#ref: impl Into<String>) -> Items<checks::ListForRef> {
        self.client().stream(checks::ListForRef::new(self.owner(), self.name(), r#ref))
    }
}
