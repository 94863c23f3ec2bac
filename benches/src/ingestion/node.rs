//! The peer in Node, if Node is here.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Failure;
use crate::ingestion::delivery::{PATH, SECRET};
use crate::process::Process;

/// Where the scripts and their package are.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");
const PACKAGE: &str = include_str!("../../node/package.json");

/// The peer and its version.
pub(crate) fn package() -> Result<String, Failure> {
    let package: Value = serde_json::from_str(PACKAGE)?;
    let version = package.pointer("/dependencies/@octokit~1webhooks").and_then(Value::as_str);
    Ok(format!("@octokit/webhooks {}", version.unwrap_or("?")))
}

/// Its version; the reason if it cannot run here.
pub(crate) fn install() -> Result<String, String> {
    let version = output(Command::new("node").arg("--version"), "node")?;
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    output(Command::new("npm").args(arguments).current_dir(FOLDER), "npm")?;
    Ok(version)
}

/// Starts the server; it must be installed.
pub(crate) fn start() -> Result<Process, Failure> {
    let script = Path::new(FOLDER).join("server.mjs");
    Process::start(Command::new("node").arg(script).args([PATH, SECRET]).env("NODE_ENV", "production"))
}

fn output(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.output().map_err(|_| format!("{name} is not here"))?;
    if !output.status.success() {
        return Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
