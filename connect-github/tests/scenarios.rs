//! What GitHub answered when somebody recorded it: the scenarios of Octokit's fixtures, in a folder that `.ci/run` names when
//! it is there. Each is played to the client in the recorded order, and every request must be the recorded one.
#![cfg(all(feature = "by-name", feature = "serialize", feature = "all"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use connect_core::argument::{Payload, Place, Shape};
use connect_core::by_name::{Entry, Named};
use connect_core::{Body, Bytes, Decoding, Paging};
use connect_github::handle::RepoHandle;
use connect_github::model::ReposGetContentResponse;
use connect_github::{CATALOG, Config, ErrorKind, GitHub, GitHubApi, Problem};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};

mod coverage;
mod tape;

use tape::{Exchange, Tape};

/// Operations that GitHub has given up: method, beginning of the path, why. None of them is in the catalogue.
const GONE: &[(&str, &str, &str)] = &[
    (
        "GET",
        "/repos/octokit-fixture-org/git-refs/git/refs",
        "all refs are listed by `git/list-matching-refs`",
    ),
    ("GET", "/projects/columns/", "classic projects have ended"),
    ("POST", "/projects/columns/", "classic projects have ended"),
    ("PATCH", "/projects/columns/", "classic projects have ended"),
    ("DELETE", "/projects/columns/", "classic projects have ended"),
];

/// Promised fields that are younger than the recordings.
const YOUNGER: &[&str] = &["SearchIssuesAndPullRequestsResponse.search_type"];

/// Of the values in all recorded answers, so many in a hundred land in a typed field.
const WANTED_PERCENT: f64 = 99.0;

fn scenario(name: &str) -> (Tape, GitHub) {
    let tape = Tape::of(&folder().join(name).join("normalized-fixture.json"));
    let config = Config::default().with_seed(1);
    let github = GitHub::builder().token("0".repeat(39) + "1").config(config).transport(tape.clone());
    (tape, github.build().unwrap())
}

fn folder() -> PathBuf {
    std::env::var_os("CONNECT_GITHUB_SCENARIOS").unwrap().into()
}

fn repo(github: &GitHub, name: &str) -> RepoHandle {
    github.repo("octokit-fixture-org", name).unwrap()
}

/// The operation that an exchange is about, with its arguments.
fn operation(exchange: &Exchange) -> Option<(&'static Entry, Value)> {
    let fits = CATALOG.entries().filter(|entry| entry.operation.method == *exchange.method);
    let fitting = fits.filter_map(|entry| Some((entry, path_arguments(entry, exchange.path())?)));
    // `/commits/{ref}/status` rather than a commit that is called `../status`.
    let literal =
        |entry: &Entry| entry.operation.path.split('/').filter(|part| !part.starts_with('{')).count();
    let (entry, mut arguments) = fitting.max_by_key(|(entry, _)| literal(entry))?;
    for (name, text) in exchange.query() {
        let value = shaped(entry, &name, text)?;
        arguments.insert(name, value);
    }
    match (entry.operation.payload, exchange.body()) {
        (Payload::File(_), _) => {}
        (_, Value::Object(fields)) => arguments.extend(fields),
        (_, Value::String(text)) if !text.is_empty() => {
            let body = entry.operation.parameters.iter().find(|row| row.place == Place::Body);
            arguments.insert(body.unwrap().name.to_owned(), text.into());
        }
        _ => {}
    }
    Some((entry, arguments.into()))
}

fn path_arguments(entry: &Entry, path: &str) -> Option<Map<String, Value>> {
    let segments =
        |path: &'_ str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let (template, given): (Vec<String>, Vec<String>) = (segments(&entry.operation.path), segments(path));
    filled(entry, &template, &given)
}

/// The values of placeholders. A branch or a path may take several segments, also in the middle.
fn filled(entry: &Entry, template: &[String], given: &[String]) -> Option<Map<String, Value>> {
    let Some((wanted, template)) = template.split_first() else {
        return given.is_empty().then(Map::new);
    };
    let Some(name) = wanted.strip_prefix('{').and_then(|wanted| wanted.strip_suffix('}')) else {
        return given
            .split_first()
            .filter(|(first, _)| *first == wanted)
            .and_then(|(_, given)| filled(entry, template, given));
    };
    let row = entry.operation.parameters.iter().find(|row| row.name == name)?;
    let fewest = usize::from(!row.may_be_empty);
    let most = if row.place == Place::Tail { given.len() } else { given.len().min(1) };
    (fewest..=most).find_map(|taken| {
        let (value, given) = given.split_at(taken);
        let mut arguments = filled(entry, template, given)?;
        arguments.insert(name.to_owned(), shaped(entry, name, value.join("/"))?);
        Some(arguments)
    })
}

fn shaped(entry: &Entry, name: &str, text: String) -> Option<Value> {
    let row = entry.operation.parameters.iter().find(|row| row.wire_name() == name);
    match row.map(|row| row.shape) {
        Some(Shape::Integer) => text.parse::<i64>().ok().map(Value::from),
        _ => Some(text.into()),
    }
}

/// Sends what was recorded next, and checks that what comes out is what was recorded.
async fn play(github: &GitHub, tape: &Tape, entry: &Entry, arguments: Value) {
    let begun = tape.played();
    let named = Named::<GitHubApi>::of(entry, arguments).unwrap();
    let first = tape.next().unwrap();
    if first.status >= 400 {
        let error = match entry.operation.payload {
            Payload::File(_) => github.upload(named, Body::from(first.text())).await.unwrap_err(),
            _ => github.send(named).await.unwrap_err(),
        };
        assert_eq!(error.status().unwrap().as_u16(), first.status);
        assert_eq!(error.request_id(), first.header("x-github-request-id"));
        assert!(error.to_string().contains(first.answer["message"].as_str().unwrap()), "{error}");
    } else if first.status == 302 {
        let bytes = github.download(named).await.unwrap().collect().await.unwrap();
        assert_eq!(bytes, tape.at(tape.played() - 1).bytes());
    } else if let Payload::File(_) = entry.operation.payload {
        let answer = github.upload(named, Body::from(first.text())).await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(answer.get()).unwrap(), first.answer);
    } else if let Paging::Link { items } = entry.operation.paging {
        let all: Vec<_> = github.stream(named).try_collect().await.unwrap();
        let pages = (begun..tape.played()).map(|at| tape.at(at));
        let recorded = pages.map(|page| page.answer.pointer(items).unwrap().as_array().unwrap().len());
        assert_eq!(all.len(), recorded.sum::<usize>());
    } else {
        let answer = github.send(named).await.unwrap();
        let last = tape.at(tape.played() - 1);
        let wanted = if last.answer == "" { &Value::Null } else { &last.answer };
        assert_eq!(&serde_json::from_str::<Value>(answer.get()).unwrap(), wanted);
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "needs the folder named by CONNECT_GITHUB_SCENARIOS"]
async fn every_recorded_exchange_is_asked_for_as_it_was_and_decodes() {
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut coverage = coverage::Coverage::default();
    let mut drift = BTreeMap::<String, usize>::new();
    let (mut played, mut decoded, mut gone) = (0, 0, 0);
    for name in &names {
        let (tape, github) = scenario(name);
        while let Some(exchange) = tape.next() {
            let lost = GONE
                .iter()
                .find(|(method, path, _)| exchange.method == *method && exchange.path().starts_with(path));
            let known = operation(&exchange);
            if let Some((_, _, why)) = lost {
                assert!(known.is_none(), "{name}: {} is known, although {why}", exchange.path());
                tape.skip();
                gone += 1;
                continue;
            }
            let Some((entry, arguments)) = known else { panic!("{name}: {exchange:?} is unknown") };
            let begun = tape.played();
            play(&github, &tape, entry, arguments).await;
            for at in begun..tape.played() {
                played += 1;
                let exchange = tape.at(at);
                let (true, Some(decode)) = (exchange.status < 300 && exchange.is_json(), entry.decode) else {
                    assert!(!exchange.is_json() || exchange.status >= 300, "{name}: {exchange:?}");
                    continue;
                };
                let mut cx = Decoding::default();
                let typed = decode(exchange.response(), &mut cx).unwrap();
                let again =
                    |value: &Value| decode(exchange.response_of(value), &mut Decoding::default()).ok();
                coverage.add(&entry.operation.name, &exchange.answer, &typed, &again);
                decoded += 1;
                for field in cx.drift {
                    *drift.entry(field).or_default() += 1;
                }
            }
        }
    }
    println!("{} scenarios: {played} exchanges played, {gone} about what GitHub has given up", names.len());
    println!("{decoded} answers decode; {:.2} % of their values land in typed fields", coverage.percent());
    for (place, fate, count) in coverage.lost(20) {
        println!("  {count:4} {fate:?} {place}");
    }
    let (missing, younger): (Vec<_>, Vec<_>) = (drift.keys().collect(), YOUNGER.iter().collect());
    assert_eq!(missing, younger);
    assert_eq!((names.len(), played + gone), (22, 71));
    assert!(coverage.percent() >= WANTED_PERCENT);
}

#[tokio::test(start_paused = true)]
#[ignore = "needs the folder named by CONNECT_GITHUB_SCENARIOS"]
async fn recorded_issues_page_to_their_end() {
    let (tape, github) = scenario("paginate-issues");
    let issues = repo(&github, "paginate-issues").issues().with(|list| list.per_page(3));
    let mut numbers: Vec<_> = issues.strict().map_ok(|issue| issue.number).try_collect().await.unwrap();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
    assert!(tape.next().is_none());
}

#[tokio::test(start_paused = true)]
#[ignore = "needs the folder named by CONNECT_GITHUB_SCENARIOS"]
async fn a_recorded_conflict_of_assets_is_solved() {
    let (tape, github) = scenario("release-assets-conflict");
    let repo = repo(&github, "release-assets-conflict");
    let release = repo.release(repo.release_by_tag("v1.0.0").await.unwrap().id);
    let upload = connect_github::repos::UploadReleaseAsset::new(
        repo.owner(),
        repo.name(),
        release.id(),
        "test-upload.txt",
    )
    .label("test");
    let text = || {
        let content_type = connect_core::HeaderValue::from_static("text/plain");
        connect_core::upload::Content::new(content_type, Bytes::from_static(b"Hello, world!\n"))
    };
    let error = github.upload(upload.clone(), text()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.details::<Problem>().unwrap().errors[0].code.as_deref(), Some("already_exists"));
    let assets: Vec<_> = release.assets().try_collect().await.unwrap();
    let delete = connect_github::repos::DeleteReleaseAsset::new(repo.owner(), repo.name(), assets[0].id);
    github.send(delete).await.unwrap();
    assert_eq!(github.upload(upload, text()).await.unwrap().name, "test-upload.txt");
    assert!(tape.next().is_none());
}

#[tokio::test(start_paused = true)]
#[ignore = "needs the folder named by CONNECT_GITHUB_SCENARIOS"]
async fn a_recorded_file_is_read_as_it_is() {
    let (tape, github) = scenario("get-content");
    let repo = repo(&github, "hello-world");
    let root = repo.file("").get().await.unwrap();
    assert!(matches!(&root, ReposGetContentResponse::List(all) if all[0].name == "README.md"), "{root:?}");
    assert_eq!(repo.file("README.md").read().await.unwrap(), "# hello-world");
    assert!(tape.next().is_none());
}

#[tokio::test(start_paused = true)]
#[ignore = "needs the folder named by CONNECT_GITHUB_SCENARIOS"]
async fn a_recorded_repository_is_found_under_its_old_name() {
    let (tape, github) = scenario("rename-repository");
    let repo = repo(&github, "rename-repository");
    let update =
        || connect_github::repos::Update::new(repo.owner(), repo.name()).name("rename-repository-newname");
    github.send(update()).await.unwrap();
    assert_eq!(repo.get().await.unwrap().name, "rename-repository-newname");
    let described = github.send(update().description("test description")).await.unwrap();
    assert_eq!(described.description.as_deref(), Some("test description"));
    assert!(tape.next().is_none());
}
