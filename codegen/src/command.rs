//! `codegen import` and `codegen generate`: files in, files out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::overlay::{EventsOverlay, Overlay};
use crate::{generate, import, tables};

const HELP: &str = "\
codegen: typed clients from the providers' descriptions

usage:
  codegen import NAME --from SOURCE   a description into tables of facts, connect-NAME/api/*.jsonl
                                      SOURCE is an OpenAPI 3 document in JSON (slack: a folder of method tables)
  codegen generate NAME               facts and connect-NAME/api/overlay.toml into Rust
  codegen generate NAME --check       only says whether the Rust is what the facts make
options:
  --crate FOLDER                      the client crate, where it is not connect-NAME

codegen/README.md adds a provider step by step.
";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The work failed.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// The exit code: 2 for the command line, 1 for the work.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

struct Options {
    words: Vec<String>,
    from: Option<PathBuf>,
    folder: Option<PathBuf>,
    check: bool,
    help: bool,
}

/// Runs one command and yields what it has to say.
///
/// # Errors
/// What is wrong with the command line, or with the work.
pub fn run(arguments: Vec<OsString>) -> Result<String, Failure> {
    let options = options(arguments)?;
    if options.help || options.words.is_empty() {
        return Ok(HELP.to_owned());
    }
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["import", name] => {
            let from = options
                .from
                .as_ref()
                .ok_or_else(|| Failure::Usage("import needs --from SOURCE".to_owned()))?;
            self::import(name, from, &folder(&options, name))
        }
        ["generate", name] => self::generate(name, &folder(&options, name), options.check),
        _ => Err(Failure::Usage(format!("nobody knows this command\n\n{HELP}"))),
    }
}

fn folder(options: &Options, name: &str) -> PathBuf {
    options.folder.clone().unwrap_or_else(|| PathBuf::from(format!("connect-{name}")))
}

fn options(arguments: Vec<OsString>) -> Result<Options, Failure> {
    use lexopt::Arg::{Long, Short, Value};
    let usage = |error: lexopt::Error| Failure::Usage(error.to_string());
    let mut options = Options { words: Vec::new(), from: None, folder: None, check: false, help: false };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("from") => options.from = Some(parser.value().map_err(usage)?.into()),
            Long("crate") => options.folder = Some(parser.value().map_err(usage)?.into()),
            Long("check") => options.check = true,
            Long("help") | Short('h') => options.help = true,
            Value(word) => options.words.push(word.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(options)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}

fn import(name: &str, from: &Path, folder: &Path) -> Result<String, Failure> {
    let api = folder.join("api");
    let mut more = String::new();
    let facts = if from.is_dir() {
        let shares = api.join("share.toml");
        let shares = std::fs::read_to_string(&shares)
            .map_err(|error| failed(format!("{}: {error}", shares.display())))?;
        import::slack(from, &import::shares(&shares).map_err(failed)?).map_err(failed)?
    } else {
        let text =
            std::fs::read_to_string(from).map_err(|error| failed(format!("{}: {error}", from.display())))?;
        let document = import::parse(&text).map_err(|error| {
            failed(format!("{} is no JSON ({error}): unpack it, or convert YAML first", from.display()))
        })?;
        let concepts = api.join("events.toml");
        if import::has_webhooks(&document) && concepts.exists() {
            let concepts = std::fs::read_to_string(&concepts)
                .map_err(|error| failed(format!("{}: {error}", concepts.display())))?;
            let concepts = import::concepts(&concepts).map_err(failed)?;
            let events = import::events(&document, &concepts).map_err(failed)?;
            tables::write_events(&api, &events).map_err(failed)?;
            more = format!(", {} events with {} types", events.events.len(), events.types.len());
        }
        import::openapi(&document).map_err(failed)?
    };
    tables::write(&api, &facts).map_err(failed)?;
    Ok(format!(
        "{name}: {} operations, {} types{more} in {}\n",
        facts.operations.len(),
        facts.types.len(),
        api.display()
    ))
}

fn generate(name: &str, folder: &Path, check: bool) -> Result<String, Failure> {
    let facts = tables::read(&folder.join("api")).map_err(failed)?;
    let overlay = Overlay::read(&folder.join("api/overlay.toml")).map_err(failed)?;
    let manifest = folder.join("Cargo.toml");
    let manifest = std::fs::read_to_string(&manifest)
        .map_err(|error| failed(format!("{}: {error}", manifest.display())))?;
    let operations = facts.operations.len();
    let mut files = generate::crate_files(facts, &overlay, &manifest).map_err(failed)?;
    if let Some(events) = tables::read_events(&folder.join("api")).map_err(failed)? {
        let table = EventsOverlay::read(&folder.join("api/events.toml")).map_err(failed)?;
        files.extend(generate::event_files(events, &table, &overlay.provider.name).map_err(failed)?);
    }
    let stale = stale(folder, &files)?;
    if check {
        return differences(name, folder, &files, &stale);
    }
    for path in &stale {
        std::fs::remove_file(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    }
    for (path, text) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .map_err(|error| failed(format!("{}: {error}", parent.display())))?;
        }
        // What has not changed keeps its time, and cargo builds nothing.
        if std::fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        std::fs::write(&path, text).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    }
    let lines: usize = files.values().map(|text| text.lines().count()).sum();
    Ok(format!("{name}: {operations} operations, {} files, {lines} lines\n", files.len()))
}

/// Generated files of an earlier time that nothing makes any more.
fn stale(folder: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>, Failure> {
    let mut stale = Vec::new();
    for below in ["src/api", "src/model", generate::EVENTS] {
        let Ok(entries) = std::fs::read_dir(folder.join(below)) else { continue };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let known = path.strip_prefix(folder).is_ok_and(|path| files.contains_key(path));
            let is_ours =
                std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(generate::GENERATED));
            if is_ours && !known {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok(stale)
}

fn differences(
    name: &str,
    folder: &Path,
    files: &BTreeMap<PathBuf, String>,
    stale: &[PathBuf],
) -> Result<String, Failure> {
    let mut report = String::new();
    for (path, text) in files {
        let there = std::fs::read_to_string(folder.join(path)).unwrap_or_default();
        if there != *text {
            let line = there.lines().zip(text.lines()).position(|(one, other)| one != other);
            let line = line.unwrap_or_else(|| there.lines().count().min(text.lines().count())) + 1;
            let _ = writeln!(report, "  {} differs from line {line} on", folder.join(path).display());
        }
    }
    for path in stale {
        let _ = writeln!(report, "  {} is not generated any more", path.display());
    }
    if report.is_empty() {
        Ok(format!("{name}: {} files are what the facts make\n", files.len()))
    } else {
        Err(Failure::Failed(format!(
            "{name}: run `cargo run -p codegen -- generate {name}` and commit\n{}",
            report.trim_end()
        )))
    }
}
