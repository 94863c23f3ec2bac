//! Greets first reporters and labels issues: see `connect_examples_github::triage`.

use std::process::ExitCode;

use connect_core::vars::environment;
use connect_examples_github::command::{Arguments, Failure, Program, say};
use connect_examples_github::triage::{self, Rules};
use connect_github::GitHub;

const PROGRAM: Program = Program { name: "triage-bot", help: HELP, flags: &["dry-run"] };

const HELP: &str = "\
triage-bot: greets people who report for the first time, and labels issues by their titles

  triage-bot               goes through the open issues without labels, once
  triage-bot --dry-run     says what it would do, and does nothing

environment
  GITHUB_TOKEN             required: may write issues (classic token: repo or public_repo)
  GITHUB_REPOSITORY        required: owner/name
  GITHUB_API_URL           optional: https://HOST/api/v3 for Enterprise Server
  TRIAGE_LABELS            optional: `bug=crash panic; docs=typo readme`; a word begins like one of these
  TRIAGE_GREETING          optional: what first reporters read, in Markdown
  CONNECT_DEADLINE ...     optional: limits and habits, as connect_core::config has them

exit codes: 0 all is well, 1 it failed, 2 change the command line or the environment first";

#[tokio::main]
async fn main() -> ExitCode {
    PROGRAM.run(run).await
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(word) = arguments.words.first() {
        return Err(Failure::Usage(format!("unexpected argument `{word}`; see --help")));
    }
    let (owner, name) = GitHub::repository_from_vars(environment)?;
    let rules = Rules::from_vars(environment)?;
    let dry_run = arguments.flags.contains("dry-run");
    if !dry_run && environment("GITHUB_TOKEN").is_none_or(|token| token.trim().is_empty()) {
        return Err(Failure::Usage("GITHUB_TOKEN is not set: a token that may write issues".to_owned()));
    }
    // A second between writes, three after what notifies people.
    let github = GitHub::builder().vars(environment)?.polite().build()?;
    let repo = github.repo(&owner, &name)?;
    let tally = triage::run(&repo, &rules, dry_run, &mut std::io::stdout()).await?;
    say(format_args!("{repo}: {} labelled, {} greeted", tally.labelled, tally.greeted));
    Ok(())
}
