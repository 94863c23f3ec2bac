//! Attaches files to a release: see `connect_examples_github::release`.

use std::io::{IsTerminal, Write, sink, stderr};
use std::process::ExitCode;

use connect_core::vars::environment;
use connect_examples_github::command::{Arguments, Failure, Program, say};
use connect_examples_github::release;
use connect_github::GitHub;

const PROGRAM: Program = Program { name: "release-upload", help: HELP, flags: &[] };

const HELP: &str = "\
release-upload: attaches files to the release of a tag, and makes the release if it is not there

  release-upload TAG FILE...

Files that are attached already, by name and size, are skipped: run it again after a failure. Drafts are not found by
their tag. What is under way shows on a terminal only.

environment
  GITHUB_TOKEN             required: may write contents (classic token: repo or public_repo)
  GITHUB_REPOSITORY        required: owner/name
  GITHUB_API_URL           optional: https://HOST/api/v3 for Enterprise Server
  CONNECT_DEADLINE ...     optional: limits and habits, as connect_core::config has them

exit codes: 0 all is well, 1 it failed, 2 change the command line or the environment first";

#[tokio::main]
async fn main() -> ExitCode {
    PROGRAM.run(run).await
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Some((tag, files)) = arguments.words.split_first().filter(|(_, files)| !files.is_empty()) else {
        return Err(Failure::Usage("a tag and at least one file are needed; see --help".to_owned()));
    };
    let files = release::check(files)?;
    let (owner, name) = GitHub::repository_from_vars(environment)?;
    if environment("GITHUB_TOKEN").is_none_or(|token| token.trim().is_empty()) {
        return Err(Failure::Usage("GITHUB_TOKEN is not set: a token that may write contents".to_owned()));
    }
    let repo = GitHub::from_env()?.repo(&owner, &name)?;
    let mut progress: Box<dyn Write> =
        if stderr().is_terminal() { Box::new(stderr()) } else { Box::new(sink()) };
    let outcome = release::run(&repo, tag, &files, &mut progress).await?;
    let made = if outcome.created { " (made now)" } else { "" };
    let (uploaded, skipped) = (outcome.uploaded.len(), outcome.skipped.len());
    say(format_args!("{repo} {tag}{made}: {uploaded} uploaded, {skipped} there already"));
    Ok(())
}
