//! Search for issues and pull requests: words of the title, and the qualifiers `repo:`, `is:`, `state:` and `author:`.
//!
//! It draws on the resource `search`, which has a small quota of its own. A qualifier that the fake does not know is 422, so
//! that no test believes in a filter that is not there.
//! Not ranking and not sorting: results come newest first.

use http::Method;
use serde_json::{Value, json};

use super::answer::{Failure, Success};
use super::page::Page;
use super::routes::{Access, Call, Route};
use super::state::{Issue, Repository, State};

pub(super) const ROUTES: &[Route] =
    &[Route::new("search/issues-and-pull-requests", Method::GET, "/search/issues", Access::Anyone, issues)
        .query(&["q", "page", "per_page"])];

fn issues(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let query = call.query("q").filter(|query| !query.trim().is_empty());
    let query = query.ok_or_else(|| Failure::validation("Search", "q", "missing"))?.to_lowercase();
    let terms: Vec<Term<'_>> = query.split_whitespace().map(term).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for repository in state.repositories() {
        for issue in
            repository.issues.iter().filter(|issue| terms.iter().all(|term| term.fits(repository, issue)))
        {
            found.push(repository.issue_json(issue, call.links, call.newer_version));
        }
    }
    found.reverse();
    let page = Page::of(call.request);
    let link = page.link(&call.url(), call.request, found.len());
    let items = page.slice(&found).iter().cloned().map(|mut item| {
        item["score"] = 1.0.into();
        item
    });
    let body = json!({
        "total_count": found.len(),
        "incomplete_results": false,
        "search_type": "lexical",
        "items": items.collect::<Vec<Value>>(),
    });
    Ok(Success { link, ..Success::ok(body) })
}

/// What a word of a query asks for.
enum Term<'a> {
    Title(&'a str),
    Repository(&'a str),
    Author(&'a str),
    PullRequest(bool),
    State(&'a str),
}

fn term(word: &str) -> Result<Term<'_>, Failure> {
    Ok(match word.split_once(':') {
        None => Term::Title(word),
        Some(("repo", name)) => Term::Repository(name),
        Some(("author", login)) => Term::Author(login),
        Some(("is", kind @ ("pr" | "issue"))) => Term::PullRequest(kind == "pr"),
        Some(("is" | "state", state @ ("open" | "closed"))) => Term::State(state),
        Some(_) => return Err(Failure::validation("Search", "q", "invalid")),
    })
}

impl Term<'_> {
    fn fits(&self, repository: &Repository, issue: &Issue) -> bool {
        match *self {
            Self::Title(part) => issue.title.to_lowercase().contains(part),
            Self::Repository(name) => {
                format!("{}/{}", repository.owner, repository.name).eq_ignore_ascii_case(name)
            }
            Self::Author(login) => issue.author.eq_ignore_ascii_case(login),
            Self::PullRequest(wanted) => issue.is_pull_request == wanted,
            Self::State(state) => issue.state == state,
        }
    }
}
