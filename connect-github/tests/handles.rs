//! Each verb of the handles sends what its documentation says.
#![cfg(all(
    feature = "client",
    feature = "actions",
    feature = "checks",
    feature = "issues",
    feature = "pulls",
    feature = "reactions",
    feature = "repos",
    feature = "search",
    feature = "users"
))]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::pin::Pin;

use connect_core::simulation::{Answer, Scripted, Seen};
use connect_core::{Call, DownloadCall, Endpoint, Items, Paged};
use connect_github::model::ReposGetContentResponse;
use connect_github::{Config, ErrorKind, GitHub, handle};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

type Sending = Pin<Box<dyn Future<Output = ()>>>;

fn client(transport: &Scripted) -> GitHub {
    let config = Config::default().with_seed(1);
    GitHub::builder().token("ghp_canary").config(config).transport(transport.clone()).build().unwrap()
}

fn repo(transport: &Scripted) -> handle::RepoHandle {
    client(transport).repo("octo", "hello").unwrap()
}

/// Only the request counts here; what answers become is tested with the endpoints.
fn call<E: Endpoint>(call: Call<E>) -> Sending {
    Box::pin(async {
        let _ = call.await;
    })
}

fn list<E: Paged>(mut items: Items<E>) -> Sending {
    Box::pin(async move {
        let _ = items.next().await;
    })
}

fn download<E: Endpoint>(call: DownloadCall<E>) -> Sending {
    Box::pin(async {
        let _ = call.await;
    })
}

fn shown(request: &Seen) -> (String, Value) {
    let url = request.url.strip_prefix("https://api.github.com").unwrap_or(&request.url);
    let body = match &request.body[..] {
        [] => Value::Null,
        body => serde_json::from_slice(body).unwrap(),
    };
    (format!("{} {}", request.method, url.replace("/repos/octo/hello", "..")), body)
}

/// What is sent, its body, and the verb.
fn verbs(github: &GitHub) -> Vec<(&'static str, Value, Sending)> {
    let none = || Value::Null;
    let repo = github.repo("octo", "hello").unwrap();
    let (issue, pull, release) = (repo.issue(5), repo.pull(12), repo.release(9));
    let (file, workflow, run) = (repo.file("docs/a b.md"), repo.workflow("ci.yml"), repo.run(3));
    vec![
        ("GET /user", none(), call(github.current_user())),
        (
            "GET /search/issues?q=repo%3Aocto%2Fhello+rain&per_page=100",
            none(),
            list(github.search_issues("repo:octo/hello rain")),
        ),
        ("GET ..", none(), call(repo.get())),
        ("GET ../branches?per_page=100", none(), list(repo.branches())),
        ("GET ../commits?per_page=100", none(), list(repo.commits())),
        ("GET ../commits/heads/main?per_page=100", none(), call(repo.commit_sha("heads/main"))),
        ("GET ../commits/main/status?per_page=100", none(), call(repo.status("main"))),
        ("POST ../statuses/acb5", json!({"state": "success"}), call(repo.create_status("acb5", "success"))),
        ("GET ../commits/main/check-runs?per_page=100", none(), list(repo.check_runs("main"))),
        ("GET ../tarball/main", none(), download(repo.tarball("main"))),
        ("POST ../dispatches", json!({"event_type": "rain"}), call(repo.dispatch("rain"))),
        ("GET ../releases?per_page=100", none(), list(repo.releases())),
        ("GET ../releases/latest", none(), call(repo.latest_release())),
        ("GET ../releases/tags/v1", none(), call(repo.release_by_tag("v1"))),
        ("POST ../releases", json!({"tag_name": "v1"}), call(repo.create_release("v1"))),
        ("GET ../releases/assets/8", none(), download(repo.download_asset(8))),
        ("GET ../releases/9", none(), call(release.get())),
        ("GET ../releases/9/assets?per_page=100", none(), list(release.assets())),
        ("GET ../issues?per_page=100", none(), list(repo.issues())),
        ("POST ../issues", json!({"title": "T"}), call(repo.create_issue("T"))),
        ("GET ../issues/5", none(), call(issue.get())),
        ("PATCH ../issues/5", json!({"body": "b"}), call(issue.update().with(|update| update.body("b")))),
        (
            "PATCH ../issues/5",
            json!({"state": "closed", "state_reason": "not_planned"}),
            call(issue.close("not_planned")),
        ),
        ("PATCH ../issues/5", json!({"state": "open"}), call(issue.reopen())),
        ("POST ../issues/5/comments", json!({"body": "hi"}), call(issue.comment("hi"))),
        ("GET ../issues/5/comments?per_page=100", none(), list(issue.comments())),
        ("POST ../issues/5/labels", json!({"labels": ["a", "b"]}), call(issue.add_labels(["a", "b"]))),
        ("DELETE ../issues/5/labels/a%2Fb", none(), call(issue.remove_label("a/b"))),
        ("POST ../issues/5/assignees", json!({"assignees": ["mona"]}), call(issue.add_assignees(["mona"]))),
        (
            "DELETE ../issues/5/assignees",
            json!({"assignees": ["mona"]}),
            call(issue.remove_assignees(["mona"])),
        ),
        (
            "PUT ../issues/5/lock",
            json!({"lock_reason": "spam"}),
            call(issue.lock().with(|lock| lock.lock_reason("spam"))),
        ),
        ("DELETE ../issues/5/lock", none(), call(issue.unlock())),
        ("POST ../issues/5/reactions", json!({"content": "heart"}), call(issue.react("heart"))),
        ("GET ../pulls?per_page=100", none(), list(repo.pulls())),
        (
            "POST ../pulls",
            json!({"title": "T", "head": "dev", "base": "main"}),
            call(repo.create_pull("T", "dev", "main")),
        ),
        ("GET ../pulls/12", none(), call(pull.get())),
        ("GET ../pulls/12", none(), call(pull.diff())),
        (
            "PUT ../pulls/12/merge",
            json!({"merge_method": "squash"}),
            call(pull.merge().with(|merge| merge.merge_method("squash"))),
        ),
        ("GET ../pulls/12/files?per_page=100", none(), list(pull.files())),
        ("GET ../pulls/12/reviews?per_page=100", none(), list(pull.reviews())),
        ("POST ../pulls/12/reviews", json!({"event": "APPROVE"}), call(pull.review("APPROVE"))),
        (
            "POST ../pulls/12/requested_reviewers",
            json!({"reviewers": ["mona"]}),
            call(pull.request_reviewers(["mona"])),
        ),
        ("PUT ../pulls/12/update-branch", none(), call(pull.update_branch())),
        ("POST ../issues/12/comments", json!({"body": "hi"}), call(pull.issue().comment("hi"))),
        ("GET ../contents/docs/a%20b.md", none(), call(file.get())),
        ("GET ../contents/docs/a%20b.md?ref=dev", none(), call(file.clone().at("dev").read())),
        ("GET ../contents/docs/a%20b.md", none(), download(file.download())),
        (
            "PUT ../contents/docs/a%20b.md",
            json!({"message": "m", "content": "aGkA/w=="}),
            call(file.create("m", b"hi\0\xff")),
        ),
        (
            "PUT ../contents/docs/a%20b.md",
            json!({"message": "m", "content": "aGk=", "sha": "9c2d", "branch": "dev"}),
            call(file.clone().at("dev").update("m", "hi", "9c2d")),
        ),
        (
            "DELETE ../contents/docs/a%20b.md",
            json!({"message": "m", "sha": "9c2d"}),
            call(file.delete("m", "9c2d")),
        ),
        (
            "POST ../actions/workflows/ci.yml/dispatches",
            json!({"ref": "main", "inputs": {"target": "staging"}}),
            call(workflow.dispatch("main").with(|run| run.inputs(json!({"target": "staging"})))),
        ),
        ("GET ../actions/workflows/15/runs?per_page=100", none(), list(repo.workflow(15).runs())),
        ("GET ../actions/runs?per_page=100", none(), list(repo.runs())),
        ("GET ../actions/runs/3", none(), call(run.get())),
        ("GET ../actions/runs/3/jobs?per_page=100", none(), list(run.jobs())),
        ("GET ../actions/runs/3/artifacts?per_page=100", none(), list(run.artifacts())),
        ("GET ../actions/runs/3/logs", none(), download(run.logs())),
        ("POST ../actions/runs/3/rerun", none(), call(run.rerun())),
        ("POST ../actions/runs/3/rerun-failed-jobs", none(), call(run.rerun_failed_jobs())),
        ("POST ../actions/runs/3/cancel", none(), call(run.cancel())),
        ("GET ../actions/jobs/4/logs", none(), download(repo.job_logs(4))),
        ("GET ../actions/artifacts/6/zip", none(), download(repo.download_artifact(6))),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_verb_sends_one_request() {
    let transport = Scripted::new(std::iter::repeat_n(Answer::json(200, "{}"), 100));
    let verbs = verbs(&client(&transport));
    for (at, (request, body, verb)) in verbs.into_iter().enumerate() {
        verb.await;
        let seen = transport.requests();
        assert_eq!(seen.len(), at + 1, "{request}");
        assert_eq!(shown(&seen[at]), (request.to_owned(), body));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_asked_for_by_its_media_type_and_comes_as_it_is() {
    let transport = Scripted::new([
        Answer::json(200, &b"hi\0\xff"[..]),
        Answer::json(200, &b"-na\xefve\n+naive\n"[..]),
        Answer::json(200, "7638417db6d59f3c431d3e1f261cc637155684cd"),
        Answer::json(200, &b"\x1f\x8b"[..]),
    ]);
    let repo = repo(&transport);
    assert_eq!(&repo.file("a.bin").read().await.unwrap()[..], b"hi\0\xff");
    assert_eq!(&repo.pull(12).diff().await.unwrap()[..], b"-na\xefve\n+naive\n");
    assert_eq!(repo.commit_sha("HEAD").await.unwrap(), "7638417db6d59f3c431d3e1f261cc637155684cd");
    let asset = repo.download_asset(8).await.unwrap().collect().await.unwrap();
    assert_eq!(&asset[..], b"\x1f\x8b");
    let accepted: Vec<_> =
        transport.requests().iter().map(|seen| seen.headers["accept"].to_str().unwrap().to_owned()).collect();
    let expected = [
        "application/vnd.github.raw+json",
        "application/vnd.github.diff",
        "application/vnd.github.sha",
        "application/octet-stream",
    ];
    assert_eq!(accepted, expected);
}

#[tokio::test(start_paused = true)]
async fn a_folder_lists_its_entries() {
    let entry = json!({
        "type": "file", "size": 5, "name": "a.md", "path": "docs/a.md", "sha": "9c2d", "url": "https://api.github.com/x",
        "git_url": null, "html_url": null, "download_url": null, "_links": {"self": "https://api.github.com/x", "git": null, "html": null},
    });
    let transport = Scripted::new([Answer::json(200, json!([entry]).to_string())]);
    let content = repo(&transport).file("docs").get().await.unwrap();
    assert!(matches!(&content, ReposGetContentResponse::List(all) if all[0].name == "a.md"), "{content:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_is_not_created_and_one_that_has_changed_not_replaced() {
    let transport = Scripted::new([
        Answer::json(422, r#"{"message": "Invalid request.\n\n\"sha\" wasn't supplied."}"#),
        Answer::json(409, r#"{"message": "a.md does not match 9c2d"}"#),
    ]);
    let file = repo(&transport).file("a.md");
    let error = file.create("m", "hi").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("\"sha\" wasn't supplied"), "{error}");
    let error = file.update("m", "hi", "9c2d").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("does not match"), "{error}");
    assert_eq!(transport.requests().len(), 2, "neither is sent again");
}

#[tokio::test(start_paused = true)]
async fn a_handles_call_takes_every_option_of_a_call() {
    #[derive(serde::Deserialize)]
    struct Lean {
        title: String,
    }
    let transport = Scripted::new([Answer::json(200, r#"{"title": "It rains"}"#)]);
    let call = repo(&transport).issue(5).get().deadline(std::time::Duration::from_secs(5));
    let (lean, report) = call.decode_as::<Lean>().explain().await;
    assert_eq!(lean.unwrap().title, "It rains");
    assert!(report.to_string().contains("issues/get"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_handles_list_goes_on_over_its_pages_with_its_filter() {
    let next = r#"<https://api.github.com/repositories/1/issues?state=closed&page=2>; rel="next""#;
    let issue =
        |number: u64| json!([{"id": number, "number": number, "title": "T", "state": "closed"}]).to_string();
    let transport =
        Scripted::new([Answer::json(200, issue(1)).header("link", next), Answer::json(200, issue(2))]);
    let closed = repo(&transport).issues().with(|list| list.state("closed"));
    let numbers: Vec<_> = closed.map_ok(|issue| issue.number).try_collect().await.unwrap();
    assert_eq!(numbers, [1, 2]);
    assert!(transport.requests()[0].url.contains("state=closed"));
}

#[tokio::test(start_paused = true)]
async fn a_handle_goes_along_into_a_task() {
    let transport = Scripted::new([Answer::json(200, "{}")]);
    let issue = repo(&transport).issue(5);
    let get = tokio::spawn(async move { issue.get().decode_as::<Value>().await });
    assert_eq!(get.await.unwrap().unwrap(), json!({}));
}

#[test]
fn a_handle_shows_its_repository_and_no_token() {
    let github = client(&Scripted::new([]));
    let repo = github.repo_named("octo/hello").unwrap();
    let shown = format!("{repo} {repo:?} {:?} {:?}", repo.issue(5), repo.file("a").at("b"));
    assert!(shown.starts_with("octo/hello ") && !shown.contains("canary"), "{shown}");
}

#[test]
fn what_is_no_repository_is_refused_before_anything_is_sent() {
    let transport = Scripted::new([]);
    let github = client(&transport);
    for (owner, name) in [("octo", "hello/../../user"), ("octo", "hel lo"), ("", "hello"), ("octo", "..")] {
        let error = github.repo(owner, name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{owner}/{name}");
    }
    for full_name in ["octo", "octo/", "/hello", "octo/hello/issues", "https://github.com/octo/hello"] {
        let error = github.repo_named(full_name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{full_name}");
    }
    assert!(transport.requests().is_empty());
}
