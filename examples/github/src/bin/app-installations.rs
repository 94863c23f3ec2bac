//! An App's installations: see `connect_examples_github::installations`.

use std::process::ExitCode;

use connect_examples_github::command::{Arguments, Failure, Program, say};
use connect_examples_github::installations::{as_json, overview, table};
use connect_github::app::App;

const PROGRAM: Program = Program { name: "app-installations", help: HELP, flags: &["json"] };

const HELP: &str = "\
app-installations: where a GitHub App is installed, for which repositories, and what is left of its limits

  app-installations            a table
  app-installations --json     the same for programs

environment
  GITHUB_APP_CLIENT_ID         required (or GITHUB_APP_ID): from the App's settings page
  GITHUB_APP_PRIVATE_KEY_PATH  required (or GITHUB_APP_PRIVATE_KEY with the key itself): the .pem from that page
  GITHUB_API_URL               optional: https://HOST/api/v3 for Enterprise Server
  CONNECT_DEADLINE ...         optional: limits and habits, as connect_core::config has them

exit codes: 0 all is well, 1 it failed, 2 change the command line or the environment first";

#[tokio::main]
async fn main() -> ExitCode {
    PROGRAM.run(run).await
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(word) = arguments.words.first() {
        return Err(Failure::Usage(format!("unexpected argument `{word}`; see --help")));
    }
    let rows = overview(&App::from_env()?).await?;
    if arguments.flags.contains("json") {
        say(format_args!("{:#}", as_json(&rows)));
    } else {
        say(table(&rows));
    }
    Ok(())
}
