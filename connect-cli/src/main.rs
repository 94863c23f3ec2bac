//! The program `connect`: the crate's library with the real world round it.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use connect_cli::{World, run};
use connect_core::clock::{SystemClock, WallClock};
use connect_core::vars::environment;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).collect();
    let mut world = World {
        vars: Box::new(environment),
        input: Box::new(stdin()),
        out: Box::new(stdout()),
        err: Box::new(stderr()),
        has_colours: stdout().is_terminal() && environment("NO_COLOR").is_none_or(|text| text.is_empty()),
        now: SystemClock.now(),
    };
    ExitCode::from(run(arguments, &mut world).await)
}
