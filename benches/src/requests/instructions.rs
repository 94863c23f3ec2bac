//! Instructions per request by callgrind: a whole process that sends 2N requests, less one that sends N.
//!
//! The difference cancels start-up, warm-up and the building of clients without any mark in the code that is measured.

use std::path::Path;
use std::process::Command;

use crate::Failure;

/// Of one client, by name; `requests` so many that what a start-up varies by disappears in the difference.
pub(crate) fn per_request(
    program: &Path,
    client: &str,
    address: &str,
    requests: u32,
) -> Result<f64, Failure> {
    let once = of_process(program, client, address, requests)?;
    let twice = of_process(program, client, address, 2 * requests)?;
    Ok((twice - once) / f64::from(requests))
}

fn of_process(program: &Path, client: &str, address: &str, requests: u32) -> Result<f64, Failure> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["client", client, address, &requests.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be started ({error}); install it"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    // `==4711== Collected : 123456789`
    let total = report.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match total {
        Some(total) if output.status.success() => Ok(total),
        _ => Err(format!("{client} under callgrind: {report}").into()),
    }
}
