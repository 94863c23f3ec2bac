//! The links in GitHub's JSON: dozens per object, each a base and a tail.
//!
//! Models require them all, so they are tables. They point to the fake that answers, or to hosts under
//! `.example`, so that a program that follows one never reaches the real service.
//! Not for pages: the `Link` header is made in `page`.

use serde_json::Value;

/// Where the links in a document point to.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// Base of the API, without a trailing slash.
    pub(crate) api: String,
    /// Base of the web pages, without a trailing slash.
    pub(crate) html: String,
}

impl Links {
    /// Where files go: beside the API on Enterprise Server; the fake has one host for both.
    pub(crate) fn uploads(&self) -> String {
        match self.api.strip_suffix("/v3") {
            Some(api) => format!("{api}/uploads"),
            None => self.api.clone(),
        }
    }
}

impl Default for Links {
    fn default() -> Self {
        Self { api: "https://api.github.example".to_owned(), html: "https://github.example".to_owned() }
    }
}

pub(crate) fn insert_links(object: &mut Value, base: &str, links: &[(&str, &str)]) {
    for (name, tail) in links {
        object[*name] = Value::String(format!("{base}{tail}"));
    }
}

/// Below a user.
pub(crate) const USER_LINKS: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Below a repository; `url` is the repository itself.
pub(crate) const REPOSITORY_LINKS: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

/// Below the repository of a pull request: the name under `_links`, the field, and the tail.
pub(crate) const PULL_REQUEST_LINKS: [(&str, &str, &str); 8] = [
    ("self", "url", "/pulls/{n}"),
    ("issue", "issue_url", "/issues/{n}"),
    ("comments", "comments_url", "/issues/{n}/comments"),
    ("review_comments", "review_comments_url", "/pulls/{n}/comments"),
    ("review_comment", "review_comment_url", "/pulls/comments{/number}"),
    ("commits", "commits_url", "/pulls/{n}/commits"),
    ("statuses", "statuses_url", "/statuses/{sha}"),
    ("html", "html_url", ""),
];
