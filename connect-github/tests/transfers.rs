//! Files on their way: uploads, downloads by way of other hosts, and answers that need not come again.
#![cfg(all(feature = "client", feature = "actions", feature = "issues", feature = "repos"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connect_core::cache::MemoryCache;
use connect_core::http_header::RANGE;
use connect_core::simulation::{Answer, Scripted, Seen};
use connect_core::upload::Content;
use connect_core::{
    Body, ByteStream, Bytes, DownloadCall, Endpoint, HeaderMap, HeaderValue, Request, Response, Source,
    StatusCode, Transport, TransportFuture,
};
use connect_github::handle::RepoHandle;
use connect_github::{Config, Error, ErrorKind, GitHub, GitHubBuilder, actions, issues, repos};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const STORAGE: &str = "https://storage.example.net/file?sig=canary";

fn builder(transport: impl Transport) -> GitHubBuilder {
    GitHub::builder().token("ghp_canary").config(Config::default().with_seed(1)).transport(transport)
}

fn repo(transport: &Scripted) -> RepoHandle {
    builder(transport.clone()).build().unwrap().repo("octo", "hello").unwrap()
}

fn to(status: u16, location: &str) -> Answer {
    Answer::status(status).header("location", location)
}

fn authorized(request: &Seen) -> bool {
    request.credential() == Some("Bearer ghp_canary")
}

fn asset() -> Answer {
    Answer::json(201, r#"{"id": 8, "name": "a b.txt", "state": "uploaded"}"#)
}

#[tokio::test(start_paused = true)]
async fn an_asset_is_streamed_to_the_host_that_takes_uploads() {
    let hosts = [
        ("https://api.github.com", "https://uploads.github.com/repos"),
        ("https://git.example.com/api/v3", "https://git.example.com/api/uploads/repos"),
    ];
    for (api, uploads) in hosts {
        let transport = Scripted::new([asset()]);
        let github = builder(transport.clone()).base_url(api).build().unwrap();
        let release = github.repo("octo", "hello").unwrap().release(9);
        let chunks: ByteStream = Box::pin(stream::iter(["It ", "rains"].map(|text| Ok(Bytes::from(text)))));
        let text = Content::new(HeaderValue::from_static("text/plain"), Body::stream(Some(8), chunks));
        let upload =
            release.upload_asset("a b.txt", text).with(|upload| upload.with(|asset| asset.label("Rain")));
        assert_eq!(upload.await.unwrap().id, 8);
        let request = &transport.requests()[0];
        assert_eq!(request.url, format!("{uploads}/octo/hello/releases/9/assets?name=a+b.txt&label=Rain"));
        assert_eq!(
            (&request.headers["content-type"], &request.body[..]),
            (&"text/plain".parse().unwrap(), &b"It rains"[..])
        );
        assert!(authorized(request));
    }
}

#[tokio::test(start_paused = true)]
async fn an_asset_whose_name_is_taken_is_refused_with_the_reason() {
    let words = r#"{"message": "Validation Failed", "errors": [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]}"#;
    let transport = Scripted::new([Answer::json(422, words)]);
    let error = repo(&transport).release(9).upload_asset("a.txt", Body::from("abc")).await.unwrap_err();
    assert!(error.to_string().contains("ReleaseAsset.name: already_exists"), "{error}");
    assert_eq!(transport.requests().len(), 1);
}

type Ask = fn(RepoHandle) -> BoxFuture<'static, Result<Bytes, Error>>;

async fn collected<E: Endpoint>(call: DownloadCall<E>) -> Result<Bytes, Error> {
    call.await?.collect().await
}

#[tokio::test(start_paused = true)]
async fn downloads_follow_to_a_foreign_host_without_the_credential() {
    let downloads: [(&str, Ask); 5] = [
        ("tarball/main", |repo| Box::pin(collected(repo.tarball("main")))),
        ("actions/artifacts/6/zip", |repo| Box::pin(collected(repo.download_artifact(6)))),
        ("actions/jobs/4/logs", |repo| Box::pin(collected(repo.job_logs(4)))),
        ("actions/runs/3/logs", |repo| Box::pin(collected(repo.run(3).logs()))),
        ("releases/assets/8", |repo| Box::pin(collected(repo.download_asset(8)))),
    ];
    for (path, download) in downloads {
        let transport = Scripted::new([to(302, STORAGE), Answer::json(200, "bytes")]);
        assert_eq!(download(repo(&transport)).await.unwrap(), "bytes", "{path}");
        let [first, second] = &transport.requests()[..] else { unreachable!("two requests") };
        assert_eq!(first.url, format!("https://api.github.com/repos/octo/hello/{path}"));
        assert!(authorized(first));
        assert_eq!(second.url, STORAGE);
        assert!(second.credential().is_none() && !second.headers.contains_key("authorization"), "{path}");
    }
}

#[tokio::test]
async fn a_foreign_host_sees_no_credential_on_the_wire() {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let location = format!("{}/file", storage.uri());
    let moved = ResponseTemplate::new(302).insert_header("location", location.as_str());
    Mock::given(path("/repos/octo/hello/tarball/main")).respond_with(moved).mount(&api).await;
    Mock::given(path("/file"))
        .respond_with(ResponseTemplate::new(200).set_body_string("bytes"))
        .mount(&storage)
        .await;
    let github = GitHub::builder().token("ghp_canary").base_url(&api.uri()).build().unwrap();
    let download = github.repo("octo", "hello").unwrap().tarball("main").await.unwrap();
    assert_eq!(download.collect().await.unwrap(), "bytes");
    assert!(api.received_requests().await.unwrap()[0].headers.contains_key("authorization"));
    let seen = &storage.received_requests().await.unwrap()[0];
    assert!(!format!("{:?}", seen.headers).contains("canary"), "{:?}", seen.headers);
}

#[tokio::test(start_paused = true)]
async fn the_archive_of_a_renamed_repository_is_found_by_its_id() {
    let transport = Scripted::new([
        to(301, "https://api.github.com/repositories/1/tarball/main"),
        to(302, "https://codeload.example.com/octo/hello/legacy.tar.gz/refs/heads/main"),
        Answer::json(200, "bytes"),
    ]);
    assert_eq!(collected(repo(&transport).tarball("main")).await.unwrap(), "bytes");
    let requests = transport.requests();
    assert!(requests[1].url.ends_with("/repositories/1/tarball/main"));
    assert_eq!(requests.iter().map(authorized).collect::<Vec<_>>(), [true, true, false]);
}

/// Answers with this many bytes, a mebibyte at a time, and counts those that were asked for.
struct Big {
    chunks: usize,
    made: Arc<AtomicUsize>,
}

impl Transport for Big {
    fn send(&self, _request: Request) -> TransportFuture {
        let made = Arc::clone(&self.made);
        let chunk = Bytes::from(vec![7; 1 << 20]);
        let chunks: ByteStream = Box::pin(stream::iter(0..self.chunks).map(move |_| {
            made.fetch_add(1, Ordering::Relaxed);
            Ok(chunk.clone())
        }));
        let response = Response::streamed(StatusCode::OK, HeaderMap::new(), chunks);
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_download_bigger_than_any_answer_in_memory_comes_piece_by_piece() {
    let made = Arc::new(AtomicUsize::new(0));
    let github = builder(Big { chunks: 40, made: Arc::clone(&made) }).build().unwrap();
    let mut download = github.repo("octo", "hello").unwrap().tarball("main").await.unwrap();
    let mut bytes = 0;
    for read in 1..=40 {
        bytes += download.next().await.unwrap().unwrap().len();
        assert!(made.load(Ordering::Relaxed) <= read + 1, "nothing is read ahead");
    }
    assert!(download.next().await.is_none());
    assert_eq!(bytes, 40 << 20);
}

#[tokio::test(start_paused = true)]
async fn the_same_archive_in_memory_is_refused_at_the_limit_of_an_answer() {
    let made = Arc::new(AtomicUsize::new(0));
    let github = builder(Big { chunks: 40, made: Arc::clone(&made) }).build().unwrap();
    let archive = repos::DownloadTarballArchive::new("octo", "hello", "main");
    let error = github.send(archive).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(made.load(Ordering::Relaxed) < 40, "what is not kept is not read");
}

#[tokio::test(start_paused = true)]
async fn a_download_that_broke_off_is_resumed_by_a_range() {
    let part = Answer::json(206, "rains").header("content-range", "bytes 3-7/8");
    let transport = Scripted::new([to(302, STORAGE), part]);
    let download = repo(&transport).download_asset(8).header(RANGE, "bytes=3-").await.unwrap();
    assert_eq!(download.status(), 206);
    assert_eq!(download.collect().await.unwrap(), "rains");
    assert_eq!(
        transport.requests()[1].headers["range"],
        "bytes=3-",
        "the storage is asked for the rest only"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_still_good_comes_out_of_the_cache() {
    let issue = r#"{"id": 1, "number": 7, "title": "It rains", "state": "open"}"#;
    let transport = Scripted::new([Answer::json(200, issue).header("etag", "W/\"1\""), Answer::status(304)]);
    let github = builder(transport.clone()).cache(MemoryCache::default()).build().unwrap();
    let get = issues::Get::new("octo", "hello", 7);
    assert_eq!(github.send(get.clone()).response().await.unwrap().source, Source::Provider);
    let again = github.send(get).response().await.unwrap();
    assert_eq!((again.value.title.as_str(), again.source), ("It rains", Source::Revalidated));
    assert_eq!(transport.requests()[1].headers["if-none-match"], "W/\"1\"", "the tag goes with its quotes");
}

#[tokio::test(start_paused = true)]
async fn media_types_of_one_address_are_kept_apart() {
    let file = r#"{"type": "file", "size": 2, "name": "a", "path": "a", "sha": "9c2d", "url": "https://api.github.com/x", "content": "aGk=", "encoding": "base64", "_links": {}}"#;
    let transport = Scripted::new([
        Answer::json(200, "hi").header("etag", "\"raw\""),
        Answer::json(200, file).header("etag", "\"json\""),
        Answer::status(304),
    ]);
    let github = builder(transport.clone()).cache(MemoryCache::default()).build().unwrap();
    let file = github.repo("octo", "hello").unwrap().file("a");
    assert_eq!(file.read().await.unwrap(), "hi");
    file.get().await.unwrap();
    assert_eq!(file.read().await.unwrap(), "hi");
    assert!(!transport.requests()[1].headers.contains_key("if-none-match"));
    assert_eq!(transport.requests()[2].headers["if-none-match"], "\"raw\"");
}

#[tokio::test(start_paused = true)]
async fn each_client_speaks_its_own_version_of_the_api() {
    let transport = Scripted::new([
        Answer::status(204),
        Answer::json(
            200,
            r#"{"workflow_run_id": 3, "run_url": "https://api.github.com/x", "html_url": "https://github.com/x"}"#,
        ),
    ]);
    let old = builder(transport.clone()).build().unwrap();
    let new = builder(transport.clone()).api_version("2026-03-10").build().unwrap();
    // The old version starts a run without a word about it.
    let dispatch = actions::CreateWorkflowDispatch::new("octo", "hello", "ci.yml", "main");
    assert!(old.send(dispatch.clone()).await.unwrap().is_none());
    assert_eq!(new.send(dispatch).await.unwrap().unwrap().workflow_run_id, 3);
    let versions: Vec<_> =
        transport.requests().iter().map(|seen| seen.headers["x-github-api-version"].clone()).collect();
    assert_eq!(versions, ["2022-11-28", "2026-03-10"]);
}
