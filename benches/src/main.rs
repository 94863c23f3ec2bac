//! What the connect family costs, beside raw reqwest, octocrab, ring, axum and Node.
//!
//! Run without arguments, it measures everything, prints one page and writes it to `RESULTS.md`. The name of a section
//! measures and prints that one alone. The other subcommands are the processes it starts of itself, so that nothing but
//! their own work is counted: `client` sends requests, `serve` answers them, `receive` verifies webhooks, `ingest`
//! stores them too.

mod allocations;
mod building;
mod ingestion;
mod machine;
mod process;
mod quota;
mod requests;
mod simulation;
mod spread;
mod webhooks;

use std::process::ExitCode;

/// Any failure ends a benchmark: there is nothing to recover.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");

/// Measures one section of the page; yields its text.
type Table = fn() -> Result<String, Failure>;

/// In the order of the page.
const SECTIONS: [(&str, Table); 6] = [
    ("building", building::table),
    ("requests", requests::tables),
    ("quota", quota::table),
    ("simulation", simulation::table),
    ("webhooks", webhooks::table),
    ("ingestion", ingestion::table),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => everything(),
        ["serve"] => requests::server::serve(),
        ["client", name, address, count] => requests::client::run(name, address, count),
        ["receive", name] => webhooks::server::serve(name),
        ["ingest", name, file] => ingestion::server::serve(name, file),
        [section] => only(section),
        _ => Err("arguments: none, or the name of a section".into()),
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
    let mut page =
        format!("# Results\n\nThe last run; README.md says what is counted.\n\n{}", machine::describe()?);
    for (_, table) in SECTIONS {
        page.push('\n');
        page.push_str(&table()?);
    }
    std::fs::write(RESULTS, &page)?;
    println!("{page}");
    Ok(())
}

/// Writes no file: a page is of one run.
fn only(section: &str) -> Result<(), Failure> {
    let Some((_, table)) = SECTIONS.iter().find(|(name, _)| *name == section) else {
        let names = SECTIONS.map(|(name, _)| name).join(", ");
        return Err(format!("no section is called {section}; there are {names}").into());
    };
    println!("{}\n{}", machine::describe()?, table()?);
    Ok(())
}
