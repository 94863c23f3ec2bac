//! What connect-core does with a provider's limits, in simulations: hours that take moments, the same ones for everybody.
//!
//! Prints one section of the page that bench-peers makes. Everything random follows from one seed, so the figures repeat
//! to the last digit; only the real time does not.

mod limits;
mod sky;
mod tokens;
mod waiters;

use std::process::ExitCode;

/// Any failure ends a benchmark: there is nothing to recover.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match section() {
        Ok(section) => {
            println!("{}", section.trim_end());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn section() -> Result<String, Failure> {
    Ok(["## Simulations\n".to_owned(), limits::tables()?, waiters::line()?, tokens::line()?].join("\n"))
}

/// One thread, and a clock that goes ahead as soon as everybody waits.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?)
}
