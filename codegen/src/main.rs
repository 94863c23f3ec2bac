//! The command line of the generator: `codegen import NAME --from SOURCE`, `codegen generate NAME [--check]`.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match codegen::command::run(arguments) {
        Ok(said) => {
            let _ = write!(std::io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "codegen: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
