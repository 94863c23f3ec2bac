//! A repository: where most verbs begin.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "repos")]
use connect_core::{Call, DownloadCall, Items};
use connect_core::{Client, Error};

use super::name::check;
use crate::{GitHub, GitHubApi};

#[cfg(feature = "repos")]
use crate::repos;

/// A repository: a client, an owner and a name. Verbs about its issues, pull requests, releases and runs stand with
/// their own handles' files; all of them start here.
///
/// From [`GitHub::repo`] and [`GitHub::repo_named`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let repo = github.repo("octo", "hello")?;
/// let branch = repo.get().await?.default_branch;
/// let sha = repo.commit_sha(&branch).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RepoHandle {
    github: GitHub,
    owner: Arc<str>,
    name: Arc<str>,
}

impl RepoHandle {
    pub(super) fn new(github: GitHub, owner: &str, name: &str) -> Result<Self, Error> {
        check("owner", owner)?;
        check("name", name)?;
        Ok(Self { github, owner: owner.into(), name: name.into() })
    }

    /// Who owns it: the login of an account or an organisation.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name without the owner's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that its verbs send with.
    pub fn client(&self) -> &Client<GitHubApi> {
        &self.github
    }
}

#[cfg(feature = "repos")]
impl RepoHandle {
    /// [`GET /repos/{owner}/{repo}`](https://docs.github.com/rest/repos/repos#get-a-repository): all about it.
    pub fn get(&self) -> Call<repos::Get> {
        self.client().send(repos::Get::new(self.owner(), self.name()))
    }

    /// [`GET ../branches`](https://docs.github.com/rest/branches/branches#list-branches): its branches.
    pub fn branches(&self) -> Items<repos::ListBranches> {
        self.client().stream(repos::ListBranches::new(self.owner(), self.name()))
    }

    /// [`GET ../tarball/{ref}`](https://docs.github.com/rest/repos/contents#download-a-repository-archive-tar): all files
    /// at a branch, tag or commit, as a stream. GitHub sends it from another host, which gets no credential.
    pub fn tarball(&self, r#ref: impl Into<String>) -> DownloadCall<repos::DownloadTarballArchive> {
        self.client().download(repos::DownloadTarballArchive::new(self.owner(), self.name(), r#ref))
    }

    /// [`POST ../dispatches`](https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event): sets off
    /// the workflows that listen to `repository_dispatch` with this type.
    pub fn dispatch(&self, event_type: impl Into<String>) -> Call<repos::CreateDispatchEvent> {
        self.client().send(repos::CreateDispatchEvent::new(self.owner(), self.name(), event_type))
    }
}

impl fmt::Display for RepoHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl fmt::Debug for RepoHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RepoHandle").field(&format_args!("{self}")).finish()
    }
}
