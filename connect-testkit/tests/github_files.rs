//! The fake GitHub's files: contents of a repository, and releases whose files come from another origin.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect_testkit::{FakeGitHub, Reply, send};
use http::Method;
use serde_json::{Value, json};

const README: &str = "/repos/octo/hello/contents/README.md";

async fn call(github: &FakeGitHub, method: Method, path: &str, extra: &[(&str, &str)], body: &str) -> Reply {
    let bearer = format!("Bearer {}", github.token());
    let mut headers = vec![("user-agent", "tests"), ("authorization", bearer.as_str())];
    headers.extend_from_slice(extra);
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", github.url()) };
    send(method, &url, &headers, body.to_owned()).await.unwrap()
}

async fn get(github: &FakeGitHub, path: &str) -> Reply {
    call(github, Method::GET, path, &[], "").await
}

async fn put(github: &FakeGitHub, path: &str, body: Value) -> Reply {
    call(github, Method::PUT, path, &[], &body.to_string()).await
}

fn decoded(file: &Value) -> Vec<u8> {
    STANDARD.decode(file["content"].as_str().unwrap().replace('\n', "")).unwrap()
}

#[tokio::test]
async fn a_file_is_created_changed_and_deleted_only_by_who_knows_its_version() {
    let github = FakeGitHub::start().await.unwrap();
    github.add_repository("octo", "hello");
    let text = STANDARD.encode("# Hello");
    let created = put(&github, README, json!({ "message": "begin", "content": text })).await;
    assert_eq!(created.status, 201);
    let sha = created.json()["content"]["sha"].clone();
    assert_eq!(created.json()["commit"]["message"], "begin");

    let next = STANDARD.encode("# Hello again");
    let blind = put(&github, README, json!({ "message": "m", "content": next })).await;
    assert_eq!(blind.status, 422);
    let stale = put(&github, README, json!({ "message": "m", "content": next, "sha": "0".repeat(40) })).await;
    assert_eq!(stale.status, 409);
    assert_eq!(github.file("octo", "hello", "README.md").unwrap(), "# Hello");
    let changed = put(&github, README, json!({ "message": "m", "content": next, "sha": sha })).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.json()["commit"]["sha"], created.json()["commit"]["sha"]);

    let sha = changed.json()["content"]["sha"].as_str().unwrap().to_owned();
    let wrong = call(&github, Method::DELETE, README, &[], r#"{"message":"m"}"#).await;
    assert_eq!(wrong.status, 422);
    let gone = call(&github, Method::DELETE, &format!("{README}?message=m&sha={sha}"), &[], "").await;
    assert_eq!((gone.status.as_u16(), &gone.json()["content"]), (200, &Value::Null));
    assert_eq!(get(&github, README).await.status, 404);
}

#[tokio::test]
async fn files_come_as_json_as_bytes_and_as_folders() {
    let github = FakeGitHub::start().await.unwrap();
    let bytes: Vec<u8> = (0..=255).collect();
    github.add_file("octo", "hello", "src/data file.bin", bytes.clone());
    github.add_file("octo", "hello", "src/deep/er/x", "x");
    github.add_file("octo", "hello", "README.md", "# Hello");
    let path = "/repos/octo/hello/contents/src/data%20file.bin";
    let file = get(&github, path).await;
    assert_eq!(decoded(&file.json()), bytes);
    assert_eq!((&file.json()["type"], &file.json()["size"]), (&json!("file"), &json!(256)));
    let raw = call(&github, Method::GET, path, &[("accept", "application/vnd.github.raw+json")], "").await;
    assert_eq!(raw.body, bytes);

    let names = |reply: &Reply| -> Vec<String> {
        let entries = reply.json().as_array().unwrap().clone();
        entries
            .iter()
            .map(|e| format!("{} {}", e["type"].as_str().unwrap(), e["path"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(names(&get(&github, "/repos/octo/hello/contents/").await), ["file README.md", "dir src"]);
    assert_eq!(
        names(&get(&github, "/repos/octo/hello/contents/src").await),
        ["file src/data file.bin", "dir src/deep"]
    );
    assert_eq!(get(&github, "/repos/octo/hello/contents/sr").await.status, 404);
    assert_eq!(get(&github, &format!("{README}?ref=main")).await.status, 200);
    assert_eq!(get(&github, &format!("{README}?ref=other")).await.status, 404);
}

#[tokio::test]
async fn an_unchanged_file_is_304_and_a_changed_one_is_not() {
    let github = FakeGitHub::builder().start_time(1_700_000_000).start().await.unwrap();
    github.add_file("octo", "hello", "README.md", "# Hello");
    for accept in ["application/vnd.github+json", "application/vnd.github.raw+json"] {
        let first = call(&github, Method::GET, README, &[("accept", accept)], "").await;
        let known = [("accept", accept), ("if-none-match", first.header("etag").unwrap())];
        let again = call(&github, Method::GET, README, &known, "").await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
        assert_eq!(again.header("x-ratelimit-used"), first.header("x-ratelimit-used"), "it is free");
        github.add_file("octo", "hello", "README.md", format!("# Hello {accept}"));
        assert_eq!(call(&github, Method::GET, README, &known, "").await.status, 200);
    }
}

#[tokio::test]
async fn wrong_changes_are_refused_and_change_nothing() {
    let github = FakeGitHub::start().await.unwrap();
    github.add_repository("octo", "hello");
    for body in [
        json!({ "content": "eA==" }),
        json!({ "message": "m" }),
        json!({ "message": "m", "content": "no base64!" }),
        json!({ "message": "m", "content": 7 }),
    ] {
        assert_eq!(put(&github, README, body.clone()).await.status, 422, "{body}");
    }
    let elsewhere = put(&github, README, json!({ "message": "m", "content": "eA==", "branch": "dev" })).await;
    assert_eq!(elsewhere.status, 404);
    assert_eq!(github.file("octo", "hello", "README.md"), None);
}

/// A release with one file: its JSON, and the file's.
async fn released(github: &FakeGitHub, content: &str) -> (Value, Value) {
    github.add_repository("octo", "hello");
    let body = r#"{"tag_name":"v1","name":"One"}"#;
    let release = call(github, Method::POST, "/repos/octo/hello/releases", &[], body).await;
    assert_eq!(release.status, 201);
    let release = release.json();
    let upload = release["upload_url"].as_str().unwrap().replace("{?name,label}", "?name=app.zip");
    let asset = call(github, Method::POST, &upload, &[("content-type", "application/zip")], content).await;
    assert_eq!(asset.status, 201, "{}", asset.text());
    (release, asset.json())
}

#[tokio::test]
async fn a_released_file_goes_up_and_comes_down_from_another_origin_without_the_token() {
    let github = FakeGitHub::start().await.unwrap();
    let (release, asset) = released(&github, "PK and more").await;
    assert_eq!(
        (&asset["size"], &asset["state"], &asset["name"]),
        (&json!(11), &json!("uploaded"), &json!("app.zip"))
    );
    let read = get(&github, &format!("/repos/octo/hello/releases/{}", release["id"])).await.json();
    assert_eq!(read["assets"][0]["id"], asset["id"]);
    assert_eq!(get(&github, "/repos/octo/hello/releases").await.json()[0]["tag_name"], "v1");

    let url = asset["url"].as_str().unwrap();
    assert_eq!(get(&github, url).await.json()["content_type"], "application/zip");
    let down = call(&github, Method::GET, url, &[("accept", "application/octet-stream")], "").await;
    assert_eq!(down.status, 302);
    let location = down.header("location").unwrap().to_owned();
    assert!(!location.starts_with(github.url()), "{location} is another origin than {}", github.url());
    let file = send(Method::GET, &location, &[("user-agent", "t")], "").await.unwrap();
    assert_eq!((file.status.as_u16(), file.text().as_str()), (200, "PK and more"));

    let leaked = call(&github, Method::GET, &location, &[], "").await;
    assert_eq!(leaked.status, 400, "who brings the token along is refused");
    let forged =
        send(Method::GET, &location.replace("fake", "f4ke"), &[("user-agent", "t")], "").await.unwrap();
    assert_eq!(forged.status, 403);
    let credentials: Vec<bool> =
        github.storage_requests().iter().map(|request| request.credential().is_some()).collect();
    assert_eq!(credentials, [false, true, false]);
}

#[tokio::test]
async fn on_an_enterprise_server_files_go_beside_the_api() {
    let github = FakeGitHub::builder().path_prefix("/api/v3").start().await.unwrap();
    let (release, _) = released(&github, "x").await;
    assert!(release["upload_url"].as_str().unwrap().contains("/api/uploads/repos/octo/hello/releases/"));
    let elsewhere = github.url().replace("/v3", "/uploads/user");
    assert_eq!(get(&github, &elsewhere).await.status, 404, "only files go there");
}

#[tokio::test]
async fn wrong_uploads_are_refused() {
    let github = FakeGitHub::start().await.unwrap();
    let (release, _) = released(&github, "x").await;
    let path = format!("/repos/octo/hello/releases/{}/assets", release["id"]);
    let zip = [("content-type", "application/zip")];
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, u16);
    let cases: [Case<'_>; 4] = [
        ("", &zip, "x", 422),
        ("?name=new.zip", &[], "x", 422),
        ("?name=new.zip", &zip, "", 400),
        ("?name=app.zip", &zip, "x", 422),
    ];
    for (query, headers, body, status) in cases {
        let reply = call(&github, Method::POST, &format!("{path}{query}"), headers, body).await;
        assert_eq!(reply.status, status, "{query} {headers:?} {body}");
    }
    let twice = call(&github, Method::POST, "/repos/octo/hello/releases", &[], r#"{"tag_name":"v1"}"#).await;
    assert_eq!(twice.json()["errors"][0]["code"], "already_exists");
    assert!(github.requests().iter().all(|request| request.problems.is_empty()));
}
