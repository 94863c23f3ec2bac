//! What it takes to build a first program: CPU time of a clean debug build, default features, all crates but the standard
//! library.
//!
//! Two small packages with lock files of their own, so that neither's features reach the other. Built one after the other,
//! alternately, into empty target folders; sources are fetched before. CPU time is that of cargo and all it started, as
//! the kernel accounts for children that have ended.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::spread::Spread;

/// A round takes minutes.
const ROUNDS: usize = 2;
const PROGRAMS: [&str; 2] = ["connect", "octocrab"];

/// At most so much of octocrab's CPU time.
const GOAL: f64 = 0.85;

pub(crate) fn table() -> Result<String, Failure> {
    let mut seconds: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    let mut alone = Vec::new();
    for program in PROGRAMS {
        cargo(program, &["fetch", "--locked", "--quiet"])?;
    }
    for round in 0..ROUNDS {
        for (program, seconds) in PROGRAMS.iter().zip(&mut seconds) {
            eprintln!("building {program}, round {} of {ROUNDS}", round + 1);
            let target = target(program);
            if target.exists() {
                std::fs::remove_dir_all(&target)?;
            }
            seconds.push(cpu_of(|| cargo(program, &["build", "--locked", "--offline", "--quiet"]))?);
        }
        // The client crate once more, alone.
        let library = folder("connect").join("../../../connect-github/src/lib.rs");
        std::fs::File::options().append(true).open(&library)?.set_modified(std::time::SystemTime::now())?;
        alone.push(cpu_of(|| {
            cargo("connect", &["build", "--locked", "--offline", "--quiet", "-p", "connect-github"])
        })?);
    }
    let ratios: Vec<f64> = seconds[0].iter().zip(&seconds[1]).map(|(ours, theirs)| ours / theirs).collect();
    let mut text = format!(
        "## Building a first program\n\nClean debug builds, default features, {ROUNDS} rounds; CPU seconds of cargo and all it \
         started, median (least..most).\n\n| program | CPU s | goal |\n|---|---|---|\n"
    );
    for (program, seconds) in PROGRAMS.iter().zip(&seconds) {
        text.push_str(&format!("| {program} | {:.1} |  |\n", Spread::of(seconds.iter().copied())));
    }
    text.push_str(&format!("| connect / octocrab | {:.2} | at most {GOAL} |\n", Spread::of(ratios)));
    text.push_str(&format!(
        "| connect-github alone, default categories | {:.1} | at most 20 |\n",
        Spread::of(alone)
    ));
    Ok(text)
}

fn folder(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("build").join(program)
}

fn target(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/build").join(program)
}

fn cargo(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(folder(program))
        .env("CARGO_TARGET_DIR", target(program))
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTFLAGS")
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo {arguments:?} failed in build/{program}").into())
    }
}

/// CPU seconds of the children that end while this runs.
fn cpu_of(work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let before = children()?;
    work()?;
    Ok(children()? - before)
}

/// CPU seconds of all children that have ended: fields 16 and 17 of `/proc/self/stat`, in ticks of a hundredth.
fn children() -> Result<f64, Failure> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The program's name may have spaces; what follows it counts from field 3.
    let fields = stat.rsplit_once(')').ok_or("/proc/self/stat has another shape")?.1;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}
