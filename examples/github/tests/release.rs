//! The release uploader, against scripted answers.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use connect_core::simulation::{Answer, Scripted};
use connect_examples_github::command::Failure;
use connect_examples_github::release::{File, Outcome, check, run};
use connect_github::{Config, GitHub};
use serde_json::{Value, json};

/// A folder of its own for each test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn files(test: &str, contents: &[(&str, &str)]) -> Vec<File> {
    let folder = folder(test);
    let paths: Vec<PathBuf> = contents.iter().map(|(name, _)| folder.join(name)).collect();
    for (path, (_, text)) in paths.iter().zip(contents) {
        fs::write(path, text).unwrap();
    }
    check(&paths).unwrap()
}

fn asset(name: &str, size: u64, state: &str) -> Value {
    json!({"id": 8, "name": name, "size": size, "state": state})
}

fn assets(list: &[Value]) -> Answer {
    Answer::json(200, Value::from(list).to_string())
}

fn release(status: u16) -> Answer {
    Answer::json(status, r#"{"id": 9, "tag_name": "v1", "assets": []}"#)
}

fn uploaded(name: &str, size: u64) -> Answer {
    Answer::json(201, asset(name, size, "uploaded").to_string())
}

async fn run_with(transport: &Scripted, files: &[File]) -> (Result<Outcome, Failure>, String) {
    let config = Config::default().with_seed(1);
    let github = GitHub::builder().token("ghp_canary").config(config).transport(transport.clone()).build();
    let repo = github.unwrap().repo("octo", "hello").unwrap();
    let mut progress = Vec::new();
    let outcome = run(&repo, "v1", files, &mut progress).await;
    (outcome, String::from_utf8(progress).unwrap())
}

#[tokio::test]
async fn a_release_is_made_and_files_are_streamed_to_it() {
    let files = files("streamed", &[("a.txt", "It rains"), ("b.txt", "in")]);
    let transport = Scripted::new([
        Answer::json(404, r#"{"message": "Not Found"}"#),
        release(201),
        assets(&[]),
        uploaded("a.txt", 8),
        assets(&[asset("a.txt", 8, "uploaded")]),
        uploaded("b.txt", 2),
    ]);
    let (outcome, progress) = run_with(&transport, &files).await;
    let outcome = outcome.unwrap();
    assert!(outcome.created && outcome.skipped.is_empty());
    assert_eq!(outcome.uploaded, ["a.txt", "b.txt"]);
    assert_eq!(progress, "[1/2] a.txt: 8 bytes\n[2/2] b.txt: 2 bytes\n");
    let upload = &transport.requests()[3];
    assert_eq!(upload.url, "https://uploads.github.com/repos/octo/hello/releases/9/assets?name=a.txt");
    assert_eq!(upload.body, "It rains");
}

#[tokio::test]
async fn what_is_there_is_skipped_and_what_was_cut_is_replaced() {
    let files = files("skipped", &[("a.txt", "It rains"), ("b.txt", "in")]);
    let there = [asset("a.txt", 8, "uploaded"), asset("b.txt", 1, "starter")];
    let transport = Scripted::new([
        release(200),
        assets(&there),
        assets(&there),
        Answer::status(204),
        uploaded("b.txt", 2),
    ]);
    let (outcome, progress) = run_with(&transport, &files).await;
    let outcome = outcome.unwrap();
    assert_eq!(
        (&outcome.skipped[..], &outcome.uploaded[..]),
        (&["a.txt".to_owned()][..], &["b.txt".to_owned()][..])
    );
    assert!(progress.contains("[1/2] a.txt: there already"), "{progress}");
    assert_eq!(transport.requests()[3].operation, "repos/delete-release-asset");
}

#[tokio::test]
async fn another_file_of_the_same_name_is_left_for_people() {
    let files = files("another", &[("a.txt", "It rains")]);
    let transport = Scripted::new([release(200), assets(&[asset("a.txt", 7, "uploaded")])]);
    let message = run_with(&transport, &files).await.0.unwrap_err().to_string();
    assert!(message.contains("7 bytes") && message.contains("8 here"), "{message}");
    assert_eq!(transport.requests().len(), 2, "nothing is written");
}

#[tokio::test]
async fn an_upload_of_unknown_fate_is_looked_for_and_not_repeated() {
    let files = files("fate", &[("a.txt", "It rains")]);
    let cut = [release(200), assets(&[]), Answer::dropped_connection()];
    let arrived = Scripted::new(cut.clone().into_iter().chain([assets(&[asset("a.txt", 8, "uploaded")])]));
    assert_eq!(run_with(&arrived, &files).await.0.unwrap().uploaded, ["a.txt"]);
    let lost = Scripted::new(cut.into_iter().chain([assets(&[asset("a.txt", 8, "starter")])]));
    let failure = run_with(&lost, &files).await.0.unwrap_err();
    assert!(matches!(failure, Failure::Failed(_)));
    for transport in [arrived, lost] {
        let uploads =
            transport.requests().iter().filter(|seen| seen.operation == "repos/upload-release-asset").count();
        assert_eq!((uploads, transport.unused()), (1, 0));
    }
}

#[tokio::test]
async fn a_release_that_somebody_else_made_meanwhile_is_used() {
    let exists = r#"{"message": "Validation Failed", "errors": [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]}"#;
    let transport = Scripted::new([
        Answer::json(404, r#"{"message": "Not Found"}"#),
        Answer::json(422, exists),
        release(200),
    ]);
    let outcome = run_with(&transport, &[]).await.0.unwrap();
    assert_eq!(outcome, Outcome::default(), "found, and not made");
}

#[test]
fn files_are_judged_before_anything_is_sent() {
    let folder = folder("judged");
    for name in ["a b.txt", "fine.txt"] {
        fs::write(folder.join(name), "x").unwrap();
    }
    fs::create_dir_all(folder.join("other")).unwrap();
    fs::write(folder.join("other/fine.txt"), "y").unwrap();
    let refused = |names: &[&str]| {
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        check(&paths).unwrap_err().to_string()
    };
    assert!(refused(&["a b.txt"]).contains("rename"));
    assert!(refused(&["missing.txt"]).contains("missing.txt"));
    assert!(refused(&["other"]).contains("pack directories"));
    assert!(refused(&["fine.txt", "other/fine.txt"]).contains("same name"));
}
