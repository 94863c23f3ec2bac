//! Runs the tutorial in the README: a third provider, from its description to calls by name.
//!
//! The blocks of the README are the input, so that text and test cannot differ: a block that names a file is written there,
//! one that shows a file must be part of it, and the commands of a `console` block are run and must say what stands there.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use codegen::command::{Failure, run};

const README: &str = include_str!("../README.md");
/// What the tutorial has of this repository beside its own files.
const BORROWED: &[&str] = &["codegen/tests/tutorial/parcel.json"];

#[test]
fn the_tutorial_adds_a_provider() {
    let workspace = workspace();
    // The one test of this file: nobody else minds.
    std::env::set_current_dir(&workspace).unwrap();
    let blocks = blocks(README);
    assert!(blocks.len() > 10, "the README has lost its blocks");
    for Block { kind, text } in blocks {
        match kind {
            Kind::File(path) => write(Path::new(path), text),
            Kind::Shows(path) => shows(path, text),
            Kind::Commands => commands(text),
        }
    }
    a_touched_file_is_noticed(Path::new("connect-parcel/src/api/parcels.rs"));
}

fn a_touched_file_is_noticed(path: &Path) {
    let check = || run(["generate", "parcel", "--check"].map(Into::into).to_vec());
    let text = fs::read_to_string(path).unwrap();
    write(path, &text.replacen("Safety::Safe", "Safety::Keyed", 1));
    let failure = check().unwrap_err();
    assert_eq!(failure.code(), 1);
    assert!(matches!(&failure, Failure::Failed(said) if said.contains("parcels.rs differs from line")));
    write(path, &text);
    check().unwrap();
}

struct Block {
    kind: Kind,
    text: &'static str,
}

enum Kind {
    /// All of a file.
    File(&'static str),
    /// A part of a file that is there.
    Shows(&'static str),
    /// `$ command`, each with what it says.
    Commands,
}

/// The fenced blocks that have something to do: by what stands behind the language.
fn blocks(readme: &'static str) -> Vec<Block> {
    let mut blocks = Vec::new();
    // Before and after each fence in turn.
    for fenced in readme.split("\n```").skip(1).step_by(2) {
        let (info, text) = fenced.split_once('\n').unwrap();
        let kind = match info.split(' ').collect::<Vec<_>>().as_slice() {
            ["console"] => Kind::Commands,
            [_, "shows", path] => Kind::Shows(path),
            [_, path] => Kind::File(path),
            _ => continue,
        };
        blocks.push(Block { kind, text });
    }
    blocks
}

fn shows(path: &str, part: &str) {
    let all = fs::read_to_string(path).unwrap();
    // Of a table, lines that do not follow one another.
    let parts = if path.ends_with(".jsonl") { part.lines().collect() } else { vec![part] };
    for part in parts {
        assert!(all.contains(part), "{path} has no such part any more:\n{part}\nit is:\n{all}");
    }
}

fn commands(text: &str) {
    for command in text.split("$ ").skip(1) {
        let (line, expected) = command.split_once('\n').unwrap_or((command, ""));
        if let Some(arguments) = line.strip_prefix("cargo run -p codegen -- ") {
            let said = run(arguments.split(' ').map(Into::into).collect()).unwrap();
            // What grows with every change of the generator ends in dots.
            match expected.trim().strip_suffix("..") {
                Some(start) => assert!(said.starts_with(start), "{line}: {said}"),
                None => assert_eq!(said.trim(), expected.trim(), "{line}"),
            }
        } else if let Some(arguments) = line.strip_prefix("cargo ") {
            cargo(arguments);
        } else {
            panic!("nobody knows how to run `{line}`");
        }
    }
}

fn cargo(arguments: &str) {
    let output = Command::new(env!("CARGO"))
        .args(arguments.split(' '))
        // Everything is there: the workspace was built from the same lock file.
        .args(["--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "cargo {arguments}:\n{}", String::from_utf8_lossy(&said));
}

/// The folder that this test was built in: what it has of other crates need not be built again.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// A workspace of its own, with this one's dependencies, profiles and versions, and no members but the tutorial's.
fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tutorial");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[workspace.package]").unwrap();
    let here = format!("{:?}", root.join("connect-"));
    let rest = rest.replace("path = \"connect-", &format!("path = {}", here.strip_suffix('"').unwrap()));
    let head = "[workspace]\nresolver = \"3\"\nmembers = [\"connect-parcel\"]\n\n[workspace.package]";
    write(&folder.join("Cargo.toml"), &format!("{head}{rest}"));
    for path in BORROWED.iter().chain(&["Cargo.lock"]) {
        write(&folder.join(path), &fs::read_to_string(root.join(path)).unwrap());
    }
    folder
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
