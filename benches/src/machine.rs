//! What the numbers were measured on and with: processor, compiler, versions, and how busy it was.

use std::fmt::Write;
use std::process::Command;

use crate::Failure;

/// The yardsticks, and what both sides stand on.
const VERSIONS_OF: [&str; 7] = ["axum", "hyper", "octocrab", "reqwest", "ring", "rusqlite", "tokio"];

/// A few lines of Markdown.
pub(crate) fn describe() -> Result<String, Failure> {
    let mut text = String::new();
    let cores = std::thread::available_parallelism()?;
    writeln!(text, "- processor: {}, {cores} cores", processor())?;
    writeln!(text, "- {}, release build, thin LTO", first_line("rustc", &["--version"])?)?;
    writeln!(text, "- {}", first_line("valgrind", &["--version"])?)?;
    writeln!(text, "- {}", versions().join(", "))?;
    writeln!(text, "- connect family at {}", first_line("git", &["describe", "--always", "--dirty"])?)?;
    writeln!(text, "- load average at the start: {}", load())?;
    Ok(text)
}

fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

/// Of the last minute; what else runs is noise in every wall time below.
fn load() -> String {
    let loadavg = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    loadavg.split(' ').next().unwrap_or_default().to_owned()
}

/// What a tool says about itself.
fn first_line(tool: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .map_err(|error| format!("{tool} cannot be started ({error}); install it"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

/// `name version`, from this workspace's own lock file.
fn versions() -> Vec<String> {
    let mut lines = include_str!("../Cargo.lock").lines();
    let mut versions = Vec::new();
    while let Some(line) = lines.next() {
        let Some(name) = value(line, "name") else { continue };
        if VERSIONS_OF.contains(&name) {
            let version = lines.next().and_then(|line| value(line, "version")).unwrap_or("?");
            versions.push(format!("{name} {version}"));
        }
    }
    versions
}

fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}
