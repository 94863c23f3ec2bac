//! The command line: what it refuses, what it says, and with which exit code it ends.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const OPERATION: &str = r#"{"op":"parcels/get","method":"GET","path":"/parcels/{id}","params":[{"name":"id","in":"path","type":"text","required":true}],"answers":[{"status":200,"media":"application/json","type":{"ref":"parcel"}}]}"#;
const TYPE: &str = r#"{"name":"parcel","type":{"object":[{"n":"id","t":"text","req":true}]}}"#;
const PROVIDER: &str = "[provider]\nid = \"x\"\nname = \"X\"\napi = \"crate::XApi\"\n";
const MANIFEST: &str = "[features]\n# One feature per category of operations; generated, as `all` is.\n# End of what is generated.\n";

/// A client crate to be, in a folder of its own.
struct Crate(PathBuf);

impl Crate {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let new = Self(folder);
        new.write("api/operations.jsonl", OPERATION);
        new.write("api/types.jsonl", TYPE);
        new.write("api/overlay.toml", PROVIDER);
        new.write("Cargo.toml", MANIFEST);
        new
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn overlay(&self, entry: &str) -> &Self {
        self.write("api/overlay.toml", &format!("{PROVIDER}{entry}"))
    }

    /// The exit code, and what is said: on the right stream.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        codegen(&[arguments, &["--crate", self.0.to_str().unwrap()]].concat())
    }
}

fn codegen(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_codegen")).args(arguments).output().unwrap();
    let (said, silent) = match output.status.success() {
        true => (output.stdout, output.stderr),
        false => (output.stderr, output.stdout),
    };
    assert!(silent.is_empty(), "{}", String::from_utf8_lossy(&silent));
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_right() {
    let cases: [(&[&str], &str); 6] = [
        (&["imprt", "x"], "usage:"),
        (&["generate"], "usage:"),
        (&["import", "x"], "needs --from"),
        (&["import", "x", "--from"], "--from"),
        (&["generate", "x", "--chek"], "--chek"),
        (&["generate", "x", "y"], "usage:"),
    ];
    for (arguments, expected) in cases {
        let (code, said) = codegen(arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    for arguments in [&[][..], &["--help"], &["generate", "-h"]] {
        let (code, said) = codegen(arguments);
        assert_eq!(code, 0);
        assert!(said.contains("usage:"), "{said}");
    }
}

#[test]
fn a_description_that_cannot_be_read_is_named_and_nothing_is_written() {
    let there = Crate::new("description");
    let file = |name: &str| there.0.join(name).to_str().unwrap().to_owned();
    there.write("page.html", "<html>").write("old.json", r#"{"swagger": "2.0", "paths": {}}"#).write(
        "torn.json",
        r##"{"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/gone"}}}}}}"##,
    );
    let cases = [
        ("gone.json", "gone.json"),
        ("page.html", "no JSON"),
        ("old.json", "no OpenAPI 3"),
        ("torn.json", "#/gone"),
    ];
    for (name, expected) in cases {
        let (code, said) = there.run(&["import", "x", "--from", &file(name)]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    assert_eq!(fs::read_to_string(there.0.join("api/operations.jsonl")).unwrap(), OPERATION);
}

#[test]
fn a_folder_without_its_tables_its_overlay_or_its_marks_is_told_what_is_missing() {
    for (missing, expected) in [
        ("api/types.jsonl", "types.jsonl"),
        ("api/overlay.toml", "overlay.toml"),
        ("Cargo.toml", "Cargo.toml"),
    ] {
        let there = Crate::new("missing");
        fs::remove_file(there.0.join(missing)).unwrap();
        let (code, said) = there.run(&["generate", "x"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let there = Crate::new("unmarked");
    let (code, said) = there.write("Cargo.toml", "[features]\n").run(&["generate", "x"]);
    assert_eq!(code, 1);
    assert!(said.contains("One feature per category"), "{said}");
}

#[test]
fn what_was_generated_stays_until_something_changes() {
    let there = Crate::new("stays");
    let (code, said) = there.run(&["generate", "x", "--check"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("src/api/parcels.rs differs from line 1 on"), "{said}");
    assert!(!there.0.join("src").exists(), "a check writes nothing");
    assert_eq!(there.run(&["generate", "x"]).0, 0);
    assert_eq!(there.run(&["generate", "x", "--check"]).0, 0);

    let time = || fs::metadata(there.0.join("src/api/parcels.rs")).unwrap().modified().unwrap();
    let before = time();
    assert_eq!(there.run(&["generate", "x"]).0, 0);
    assert_eq!(time(), before, "a file that has not changed is not written");
}

#[test]
fn a_generated_file_that_nothing_makes_any_more_is_reported_and_removed_and_others_are_left_alone() {
    let there = Crate::new("stale");
    assert_eq!(there.run(&["generate", "x"]).0, 0);
    there
        .write("src/api/gone.rs", "// Generated by `cargo run -p codegen -- generate x`; do not edit.\n")
        .write("src/api/ours.rs", "//! By hand.\n");
    let (code, said) = there.run(&["generate", "x", "--check"]);
    assert_eq!(code, 1);
    assert!(said.contains("gone.rs is not generated any more"), "{said}");
    assert!(!said.contains("ours.rs"), "{said}");
    assert_eq!(there.run(&["generate", "x"]).0, 0);
    assert!(!there.0.join("src/api/gone.rs").exists());
    assert!(there.0.join("src/api/ours.rs").exists());
}

#[test]
fn an_entry_of_the_overlay_that_fits_nothing_or_says_too_little_is_named() {
    let there = Crate::new("overlay");
    let cases = [
        ("[[correct]]\nat = [\"parcel.gone\"]\nis = \"text\"\nreason = \"r\"", "`parcel.gone`"),
        ("[[correct]]\nat = [\"parcel.id\"]\nreason = \"r\"", "says nothing"),
        ("[[correct]]\nat = [\"parcel.id\"]\nis = \"text\"", "missing field `reason`"),
        ("[[operation]]\nop = [\"gone/*\"]\nsafety = \"safe\"\nreason = \"r\"", "gone/*"),
        ("[[operation]]\nop = [\"parcels/get\"]\nsafety = \"safe\"", "missing field `reason`"),
        ("[[operation]]\nop = [\"parcels/get\"]\nsafety = \"sure\"\nreason = \"r\"", "`sure` is no safety"),
        ("[[operation]]\nop = [\"parcels/get\"]\nsafty = \"safe\"\nreason = \"r\"", "unknown field `safty`"),
        (
            "[[operation]]\nop = [\"parcels/get\"]\npaging = { style = \"link\" }\nreason = \"r\"",
            "parcels/get: it has a parameter of lists",
        ),
        ("[[paging]]\nwhen = \"id\"\nstyle = \"link\"", "missing field `reason`"),
        ("[[operation]]\nop = [\"parcels/get\"]\nsafety = \"safe\"\nreason = \" \"", "no reason"),
        ("[[paging]]\nwhen = \"gone\"\nstyle = \"link\"\nreason = \"r\"", "`gone`, which no operation takes"),
        ("[names.operations]\n\"parcels/gone\" = \"parcels::Gone\"", "parcels/gone"),
        ("[names.operations]\n\"parcels/get\" = \"Get\"", "no `module::Type`"),
    ];
    for (entry, expected) in cases {
        let (code, said) = there.overlay(entry).run(&["generate", "x"]);
        assert_eq!(code, 1, "{entry}: {said}");
        assert!(said.contains(expected), "{entry}: {said}");
    }
    assert!(!there.0.join("src").exists(), "a failure writes nothing");
}

#[test]
fn a_line_of_a_table_that_is_no_fact_is_named_with_its_number() {
    let there = Crate::new("line");
    let (code, said) =
        there.write("api/types.jsonl", &format!("{TYPE}\n{{\"name\": 3}}\n")).run(&["generate", "x"]);
    assert_eq!(code, 1);
    assert!(said.contains("types.jsonl:2"), "{said}");
    let (code, said) = there.write("api/types.jsonl", &format!("{TYPE}\n{TYPE}\n")).run(&["generate", "x"]);
    assert_eq!(code, 1);
    assert!(said.contains("`parcel` is there twice"), "{said}");
}
