//! Answers become models: shapes as GitHub sends them, with invented values.
#![cfg(all(
    feature = "client",
    feature = "actions",
    feature = "issues",
    feature = "pulls",
    feature = "repos",
    feature = "users"
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use connect_core::{Decoding, Endpoint, Error, ErrorKind, HeaderMap, Response, StatusCode};
use connect_github::model::{ReposGetContentResponse, UsersGetByIdResponse};
use connect_github::{actions, issues, pulls, repos, users};
use serde_json::{Value, json};

/// What an endpoint makes of an answer, and which promised fields it misses.
fn decode<E: Endpoint>(endpoint: &E, body: &Value) -> Result<(E::Output, Vec<String>), Error> {
    let mut cx = Decoding::default();
    let response = Response::new(StatusCode::OK, HeaderMap::new(), body.to_string());
    endpoint.decode(response, &mut cx).map(|answer| (answer, cx.drift))
}

fn user(login: &str) -> Value {
    let url = format!("https://api.github.com/users/{login}");
    json!({
        "login": login, "id": 583, "node_id": "U_1", "avatar_url": "https://avatars.example/583", "gravatar_id": "",
        "url": url, "html_url": format!("https://github.com/{login}"), "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"), "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"), "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"), "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events{{/privacy}}"), "received_events_url": format!("{url}/received_events"),
        "type": "User", "site_admin": false,
    })
}

fn issue() -> Value {
    let url = "https://api.github.com/repos/octo/hello/issues/7";
    json!({
        "id": 1, "node_id": "I_1", "url": url, "repository_url": "https://api.github.com/repos/octo/hello",
        "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"), "html_url": "https://github.com/octo/hello/issues/7", "number": 7,
        "state": "closed", "state_reason": "completed", "title": "It rains", "body": null, "user": user("mona"),
        "labels": [{"id": 2, "name": "bug", "color": "ff0000", "default": true}, "weather"],
        "assignee": null, "assignees": [user("hubot")], "milestone": null, "locked": false, "active_lock_reason": null,
        "comments": 3, "closed_at": "2026-02-03T04:05:06Z", "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-02-03T04:05:06Z", "author_association": "OWNER", "closed_by": user("mona"),
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[test]
fn an_issue_has_plain_fields_for_what_every_issue_has() {
    let (issue, drift) = decode(&issues::Get::new("octo", "hello", 7), &issue()).unwrap();
    assert_eq!(drift, [""; 0]);
    assert_eq!((issue.number, issue.title.as_str(), issue.state.as_str()), (7, "It rains", "closed"));
    assert_eq!(issue.html_url.as_str(), "https://github.com/octo/hello/issues/7");
    assert_eq!(issue.user.unwrap().login, "mona");
    assert_eq!((issue.body, issue.milestone.is_none(), issue.labels.len()), (None, true, 2));
    assert_eq!(issue.created_at.unix_seconds(), Some(1_767_323_045));
    assert_eq!(issue.state_reason.unwrap().as_str(), "completed");
}

#[test]
fn a_word_that_is_new_is_kept_as_it_came() {
    let body = with(issue(), "state_reason", json!("rained_off"));
    let (issue, drift) = decode(&issues::Get::new("octo", "hello", 7), &body).unwrap();
    assert_eq!((issue.state_reason.unwrap().as_str(), drift.len()), ("rained_off", 0));
}

#[test]
fn null_where_a_field_is_promised_is_its_default_and_drift() {
    let body = with(issue(), "comments", Value::Null);
    let (issue, drift) = decode(&issues::Get::new("octo", "hello", 7), &body).unwrap();
    assert_eq!((issue.comments, drift), (0, vec!["Issue.comments".to_owned()]));
}

#[test]
fn a_value_of_another_type_is_an_error_that_names_the_path() {
    let body = with(issue(), "assignees", json!([with(user("hubot"), "id", json!("canary"))]));
    let error = decode(&issues::Get::new("octo", "hello", 7), &body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("assignees[0].id"), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn a_pull_request_tells_both_of_its_branches() {
    let branch = |name: &str| {
        json!({"label": format!("octo:{name}"), "ref": name, "sha": "6dcb09b5", "user": user("mona"),
               "repo": {"id": 5, "full_name": "octo/hello", "default_branch": "main"}})
    };
    let body = json!({
        "id": 9, "number": 12, "state": "open", "title": "Umbrellas", "user": user("mona"), "draft": true, "merged": false,
        "mergeable": null, "mergeable_state": "unknown", "head": branch("umbrellas"), "base": branch("main"),
        "commits": 1, "additions": 2, "deletions": 3, "changed_files": 4,
    });
    let (pull, drift) = decode(&pulls::Get::new("octo", "hello", 12), &body).unwrap();
    assert_eq!((pull.number, pull.draft, pull.mergeable), (12, Some(true), None));
    assert_eq!((pull.head.r#ref.as_str(), pull.base.r#ref.as_str()), ("umbrellas", "main"));
    assert_eq!(pull.base.repo.full_name, "octo/hello");
    assert!(drift.contains(&"PullRequest.node_id".to_owned()), "{drift:?}");
}

#[test]
fn contents_are_a_file_or_a_folder() {
    let entry = |kind: &str, path: &str| {
        json!({
            "type": kind, "size": 5, "name": path, "path": path, "sha": "9c2d", "url": "https://api.github.com/x",
            "git_url": null, "html_url": null, "download_url": null, "_links": {"self": "https://api.github.com/x", "git": null, "html": null},
        })
    };
    let endpoint = repos::GetContent::new("octo", "hello", "docs");
    let mut file = with(entry("file", "a.md"), "encoding", json!("base64"));
    file["content"] = json!("aGVsbG8=\n");
    match decode(&endpoint, &file).unwrap().0 {
        ReposGetContentResponse::ContentFile(file) => assert_eq!(file.content, "aGVsbG8=\n"),
        other => panic!("{other:?}"),
    }
    match decode(&endpoint, &json!([entry("file", "a.md"), entry("dir", "sub")])).unwrap().0 {
        ReposGetContentResponse::List(all) => {
            assert_eq!(all.iter().map(|entry| entry.r#type.as_str()).collect::<Vec<_>>(), ["file", "dir"]);
        }
        other => panic!("{other:?}"),
    }
    let submodule = with(entry("submodule", "lib"), "submodule_git_url", json!("git://example.com/lib.git"));
    assert!(matches!(decode(&endpoint, &submodule).unwrap().0, ReposGetContentResponse::ContentSubmodule(_)));
}

#[test]
fn a_list_of_workflow_runs_stands_in_an_object() {
    let run = json!({
        "id": 3, "node_id": "WFR_3", "head_branch": "main", "head_sha": "acb5", "path": ".github/workflows/ci.yml",
        "run_number": 106, "event": "push", "status": "completed", "conclusion": null, "workflow_id": 15,
    });
    let endpoint = actions::ListWorkflowRunsForRepo::new("octo", "hello");
    let (runs, _) = decode(&endpoint, &json!({"total_count": 1, "workflow_runs": [run]})).unwrap();
    assert_eq!((runs.total_count, runs.workflow_runs.len()), (1, 1));
    assert_eq!(runs.workflow_runs[0].head_branch.as_deref(), Some("main"));
    assert_eq!(runs.workflow_runs[0].conclusion, None);
}

#[test]
fn others_see_less_of_a_user_than_the_user() {
    let mut public = user("mona");
    for (field, value) in [("name", json!("Mona")), ("public_repos", json!(2)), ("followers", json!(20))] {
        public[field] = value;
    }
    let mut private = public.clone();
    for field in
        ["private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators"]
    {
        private[field] = json!(1);
    }
    private["two_factor_authentication"] = json!(true);
    let endpoint = users::GetByUsername::new("mona");
    match decode(&endpoint, &public).unwrap().0 {
        UsersGetByIdResponse::PublicUser(user) => assert_eq!(user.name.as_deref(), Some("Mona")),
        other => panic!("{other:?}"),
    }
    match decode(&endpoint, &private).unwrap().0 {
        UsersGetByIdResponse::PrivateUser(user) => assert!(user.two_factor_authentication),
        other => panic!("{other:?}"),
    }
}
