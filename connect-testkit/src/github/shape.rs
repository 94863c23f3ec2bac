//! GitHub's JSON objects, in the shape that its API answers and webhook payloads share.
//!
//! Strict models decode them: every field that GitHub's description requires is there. Values are this crate's
//! own and stable: the same login or repository always has the same id.
//! Not the full objects: optional fields are left out unless a fake has something to say in them.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::links::{Links, PULL_REQUEST_LINKS, REPOSITORY_LINKS, USER_LINKS, insert_links};
use crate::clock::iso_8601;
use crate::sign::hex;

/// Any fixed moment does: users and repositories are older than what happens to them.
pub(crate) const LONG_AGO: u64 = 1_577_836_800;

const REPOSITORY_FLAGS: [(&str, bool); 13] = [
    ("private", false),
    ("fork", false),
    ("archived", false),
    ("disabled", false),
    ("is_template", false),
    ("allow_forking", true),
    ("web_commit_signoff_required", false),
    ("has_issues", true),
    ("has_projects", true),
    ("has_downloads", true),
    ("has_wiki", true),
    ("has_pages", false),
    ("has_discussions", false),
];

const REPOSITORY_COUNTS: [&str; 8] = [
    "size",
    "forks",
    "forks_count",
    "watchers",
    "watchers_count",
    "stargazers_count",
    "open_issues",
    "open_issues_count",
];

/// A commit-like hash of any text.
pub(super) fn sha(text: &str) -> String {
    let mut hash = hex(&Sha256::digest(text.as_bytes()));
    hash.truncate(40);
    hash
}

/// A number that stays the same for the same text (FNV-1a, cut to 31 bits so that every integer type holds it).
pub(crate) fn stable_id(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash & 0x7fff_ffff
}

pub(super) fn node_id(kind: &str, id: u64) -> String {
    format!("{kind}_fake{id:08x}")
}

pub(crate) fn user(links: &Links, login: &str) -> Value {
    let (api, html) = (&links.api, &links.html);
    let id = stable_id(login);
    // GitHub writes the logins of Apps this way.
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let mut user = json!({
        "login": login,
        "id": id,
        "node_id": node_id("U", id),
        "avatar_url": format!("{html}/avatars/{id}"),
        "gravatar_id": "",
        "url": format!("{api}/users/{login}"),
        "html_url": format!("{html}/{login}"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    });
    insert_links(&mut user, &format!("{api}/users/{login}"), &USER_LINKS);
    user
}

/// The authenticated user: the same person with a profile.
pub(crate) fn profile(links: &Links, login: &str) -> Value {
    let mut user = user(links, login);
    let profile = json!({
        "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
        "bio": null, "twitter_username": null, "public_repos": 0, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": iso_8601(LONG_AGO), "updated_at": iso_8601(LONG_AGO),
    });
    merge(&mut user, profile);
    user
}

pub(crate) fn repository(links: &Links, owner: &str, name: &str) -> Value {
    let html = format!("{}/{owner}/{name}", links.html);
    let id = stable_id(&format!("{owner}/{name}"));
    let long_ago = iso_8601(LONG_AGO);
    let mut repository = json!({
        "id": id,
        "node_id": node_id("R", id),
        "name": name,
        "full_name": format!("{owner}/{name}"),
        "visibility": "public",
        "owner": user(links, owner),
        "html_url": html,
        "description": null,
        "homepage": null,
        "language": null,
        "license": null,
        "mirror_url": null,
        "topics": [],
        "default_branch": "main",
        "git_url": format!("{html}.git"),
        "ssh_url": format!("{html}.git"),
        "clone_url": format!("{html}.git"),
        "svn_url": html,
        "created_at": long_ago,
        "updated_at": long_ago,
        "pushed_at": long_ago,
    });
    for (name, flag) in REPOSITORY_FLAGS {
        repository[name] = flag.into();
    }
    for name in REPOSITORY_COUNTS {
        repository[name] = 0.into();
    }
    insert_links(&mut repository, &format!("{}/repos/{owner}/{name}", links.api), &REPOSITORY_LINKS);
    repository
}

/// What an issue, a pull request and their comments are about.
pub(crate) struct Subject<'a> {
    pub(crate) owner: &'a str,
    pub(crate) repository: &'a str,
    pub(crate) number: u64,
    pub(crate) title: &'a str,
    pub(crate) body: Option<&'a str>,
    pub(crate) author: &'a str,
    pub(crate) state: &'a str,
    pub(crate) labels: &'a [String],
    pub(crate) assignees: &'a [String],
    pub(crate) comments: usize,
    pub(crate) created_at: u64,
    pub(crate) is_pull_request: bool,
}

impl Subject<'_> {
    fn api(&self, links: &Links) -> String {
        format!("{}/repos/{}/{}", links.api, self.owner, self.repository)
    }

    /// The page of the issue or the pull request.
    fn html(&self, links: &Links) -> String {
        let kind = if self.is_pull_request { "pull" } else { "issues" };
        format!("{}/{}/{}/{kind}/{}", links.html, self.owner, self.repository, self.number)
    }

    fn id(&self, kind: &str) -> u64 {
        stable_id(&format!("{}/{}/{kind}/{}", self.owner, self.repository, self.number))
    }

    /// The fields that issues and pull requests have in common.
    fn thread(&self, links: &Links, kind: &str) -> Value {
        let id = self.id(kind);
        let labels: Vec<Value> = self.labels.iter().map(|name| self.label(links, name)).collect();
        let assignees: Vec<Value> = self.assignees.iter().map(|login| user(links, login)).collect();
        let at = iso_8601(self.created_at);
        json!({
            "id": id,
            "node_id": node_id(kind, id),
            "html_url": self.html(links),
            "number": self.number,
            "title": self.title,
            "user": user(links, self.author),
            "labels": labels,
            "state": self.state,
            "locked": false,
            "active_lock_reason": null,
            "assignee": assignees.first(),
            "assignees": assignees,
            "milestone": null,
            "comments": self.comments,
            "created_at": at,
            "updated_at": at,
            "closed_at": (self.state == "closed").then_some(at),
            "author_association": "CONTRIBUTOR",
            "body": self.body,
        })
    }

    fn label(&self, links: &Links, name: &str) -> Value {
        let id = stable_id(&format!("label/{name}"));
        json!({
            "id": id,
            "node_id": node_id("LA", id),
            "url": format!("{}/labels/{name}", self.api(links)),
            "name": name,
            "color": "ededed",
            "default": false,
            "description": null,
        })
    }
}

pub(crate) fn issue(links: &Links, subject: &Subject<'_>) -> Value {
    let repository = subject.api(links);
    let url = format!("{repository}/issues/{}", subject.number);
    let mut issue = subject.thread(links, "I");
    let own = json!({
        "url": url,
        "repository_url": repository,
        "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"),
        "timeline_url": format!("{url}/timeline"),
        "state_reason": (subject.state == "closed").then_some("completed"),
        "performed_via_github_app": null,
        "reactions": reactions(&url),
    });
    merge(&mut issue, own);
    if subject.is_pull_request {
        let html = subject.html(links);
        issue["draft"] = Value::Bool(false);
        issue["pull_request"] = json!({
            "url": format!("{repository}/pulls/{}", subject.number),
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "merged_at": null,
        });
    }
    issue
}

pub(crate) fn pull_request(links: &Links, subject: &Subject<'_>) -> Value {
    let repository = subject.api(links);
    let html = subject.html(links);
    let head_sha = sha(&format!("{html}/head"));
    let mut pull = subject.thread(links, "PR");
    let own = json!({
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "merge_commit_sha": null,
        "requested_reviewers": [],
        "requested_teams": [],
        "head": branch(links, subject, "feature", &head_sha),
        "base": branch(links, subject, "main", &sha(&format!("{html}/base"))),
        "auto_merge": null,
        "draft": false,
        "merged": false,
        "merged_at": null,
        "merged_by": null,
        "mergeable": null,
        "rebaseable": null,
        "mergeable_state": "unknown",
        "review_comments": 0,
        "maintainer_can_modify": false,
        "commits": 1,
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
    });
    merge(&mut pull, own);
    let mut named = Map::new();
    for (name, field, tail) in PULL_REQUEST_LINKS {
        let tail = tail.replace("{n}", &subject.number.to_string()).replace("{sha}", &head_sha);
        let url = if name == "html" { html.clone() } else { format!("{repository}{tail}") };
        pull[field] = Value::String(url.clone());
        named.insert(name.to_owned(), json!({ "href": url }));
    }
    pull["_links"] = Value::Object(named);
    pull
}

fn branch(links: &Links, subject: &Subject<'_>, name: &str, sha: &str) -> Value {
    json!({
        "label": format!("{}:{name}", subject.owner),
        "ref": name,
        "sha": sha,
        "user": user(links, subject.owner),
        "repo": repository(links, subject.owner, subject.repository),
    })
}

pub(crate) fn comment(
    links: &Links,
    subject: &Subject<'_>,
    id: u64,
    body: &str,
    author: &str,
    at: u64,
) -> Value {
    let url = format!("{}/issues/comments/{id}", subject.api(links));
    json!({
        "id": id,
        "node_id": node_id("IC", id),
        "url": url,
        "html_url": format!("{}#issuecomment-{id}", subject.html(links)),
        "issue_url": format!("{}/issues/{}", subject.api(links), subject.number),
        "user": user(links, author),
        "created_at": iso_8601(at),
        "updated_at": iso_8601(at),
        "author_association": "CONTRIBUTOR",
        "performed_via_github_app": null,
        "body": body,
        "reactions": reactions(&url),
    })
}

fn reactions(url: &str) -> Value {
    json!({
        "url": format!("{url}/reactions"),
        "total_count": 0,
        "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
