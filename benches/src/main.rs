//! What the connect family costs, beside raw reqwest, octocrab and ring.
//!
//! Run without arguments, it measures everything, prints one page and writes it to `RESULTS.md`. The other two
//! subcommands are the processes it starts of itself: `serve` answers requests, `client` sends them. Each client runs
//! alone in a process of its own, so that nothing but its own work is counted.

mod allocations;
mod machine;
mod requests;
mod spread;
mod webhooks;

use std::process::ExitCode;

/// Any failure ends a benchmark: there is nothing to recover.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => everything(),
        ["serve"] => requests::server::serve(),
        ["client", name, address, count] => requests::client::run(name, address, count),
        _ => Err("arguments: none, `serve`, or `client NAME ADDRESS COUNT`".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn everything() -> Result<(), Failure> {
    let page = format!(
        "# Results\n\nThe last run; README.md says what is counted.\n\n{}\n{}\n{}",
        machine::describe()?,
        requests::table()?,
        webhooks::table()?
    );
    std::fs::write(RESULTS, &page)?;
    println!("{page}");
    Ok(())
}
