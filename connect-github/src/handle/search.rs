//! Search across repositories.

use connect_core::Items;

use crate::{GitHub, search};

impl GitHub {
    /// [`GET /search/issues`](https://docs.github.com/rest/search/search#search-issues-and-pull-requests): issues and pull
    /// requests by [GitHub's words](https://docs.github.com/search-github/searching-on-github/searching-issues-and-pull-requests),
    /// best match first. GitHub yields 1,000 of them at most, and limits searches apart from everything else.
    ///
    /// ```no_run
    /// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
    /// use futures_util::TryStreamExt;
    /// let mut found = github.search_issues("is:issue is:open label:roof repo:octo/hello").with(|list| list.sort("updated"));
    /// while let Some(issue) = found.try_next().await? {
    ///     println!("{}", issue.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_issues(&self, query: impl Into<String>) -> Items<search::IssuesAndPullRequests> {
        self.stream(search::IssuesAndPullRequests::new(query))
    }
}
