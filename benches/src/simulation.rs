//! The simulations are a program of their own, because their clock would slow this one down.

use std::process::{Command, Stdio};

use crate::Failure;

/// The simulations' part of the page.
pub(crate) fn table() -> Result<String, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--release", "--quiet", "--package", "bench-simulation"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the simulations failed; see what they printed above".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
