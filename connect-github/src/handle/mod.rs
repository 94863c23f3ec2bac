//! Handles for daily work: `github.repo("octo", "hello")?.issue(5).comment("..")`.
//!
//! A handle is a client and the names of a thing: cheap to clone, made without a request, never out of date. Its verbs
//! return what [`send`](connect_core::Client::send) and [`stream`](connect_core::Client::stream) return for the endpoint
//! that they name, so every option of a call works, and `with` sets what the verb leaves out:
//!
//! ```no_run
//! use connect_github::GitHub;
//! use futures_util::TryStreamExt;
//!
//! # async fn example(github: GitHub) -> Result<(), connect_github::Error> {
//! let repo = github.repo("octo", "hello")?;
//! let issue = repo.create_issue("It rains").with(|issue| issue.body("In.").labels(["roof"])).await?;
//! repo.issue(issue.number).close("completed").await?;
//! let mut open = repo.issues().with(|list| list.labels(["roof"]));
//! while let Some(issue) = open.try_next().await? {
//!     println!("{} {}", issue.number, issue.title);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! They are for what is done every day; everything else is an [endpoint](crate) away. A verb is there if the category
//! of its endpoint is built in.

use connect_core::Error;

use crate::GitHub;

#[cfg(feature = "repos")]
mod commit;
#[cfg(feature = "repos")]
mod file;
#[cfg(feature = "issues")]
mod issue;
mod name;
#[cfg(feature = "pulls")]
mod pull;
#[cfg(feature = "repos")]
mod release;
mod repo;
#[cfg(feature = "search")]
mod search;
#[cfg(feature = "actions")]
mod workflow;

#[cfg(feature = "repos")]
pub use file::FileHandle;
#[cfg(feature = "issues")]
pub use issue::IssueHandle;
#[cfg(feature = "pulls")]
pub use pull::PullHandle;
#[cfg(feature = "repos")]
pub use release::ReleaseHandle;
pub use repo::RepoHandle;
#[cfg(feature = "actions")]
pub use workflow::{RunHandle, WorkflowHandle};

impl GitHub {
    /// A repository. Sends nothing.
    ///
    /// ```
    /// # let github = connect_github::GitHub::builder().build()?;
    /// assert_eq!(github.repo("octo", "hello")?.to_string(), "octo/hello");
    /// assert!(github.repo("octo", "hello/../../user").unwrap_err().to_string().contains("slash"));
    /// # Ok::<(), connect_github::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), saying what is wrong with which name: it would address
    /// something else.
    pub fn repo(&self, owner: &str, name: &str) -> Result<RepoHandle, Error> {
        RepoHandle::new(self.clone(), owner, name)
    }

    /// A repository by its full name, as webhooks and `GITHUB_REPOSITORY` have it. Sends nothing.
    ///
    /// ```
    /// # let github = connect_github::GitHub::builder().build()?;
    /// assert_eq!(github.repo_named("octo/hello")?.name(), "hello");
    /// # Ok::<(), connect_github::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for anything but one owner, a slash and one name.
    pub fn repo_named(&self, full_name: &str) -> Result<RepoHandle, Error> {
        let (owner, name) = name::split(full_name)?;
        self.repo(owner, name)
    }

    /// [`GET /user`](https://docs.github.com/rest/users/users#get-the-authenticated-user): whose token it is.
    #[cfg(feature = "users")]
    pub fn current_user(&self) -> connect_core::Call<crate::users::GetAuthenticated> {
        self.send(crate::users::GetAuthenticated::new())
    }
}
