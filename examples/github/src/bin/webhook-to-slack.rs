//! GitHub's webhooks to a channel of Slack: see `connect_examples_github::forward`.

use std::process::ExitCode;

use connect_core::vars::environment;
use connect_examples_github::command::{Arguments, Failure, Program, say};
use connect_examples_github::forward;
use connect_github::webhook::verifier_from_vars;
use connect_slack::Slack;

const PROGRAM: Program = Program { name: "webhook-to-slack", help: HELP, flags: &[] };

const HELP: &str = "\
webhook-to-slack: GitHub's issues and pull requests, one Slack message for each event

  webhook-to-slack         listens for POST /webhooks/github until Ctrl-C

What waits to be posted is in memory: see connect-hub for events that must not be lost.

environment
  GITHUB_WEBHOOK_SECRET    required: as in GitHub's webhook settings (content type application/json)
  SLACK_BOT_TOKEN          required: with the scope chat:write; the bot must be in the channel
  CONNECT_SLACK_CHANNEL    required: the channel's id, C...
  CONNECT_BIND             optional: where to listen, 127.0.0.1:5001
  SLACK_API_URL            optional
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
    let usage = |message: &dyn std::fmt::Display| Failure::Usage(message.to_string());
    let given = |name| environment(name).filter(|value| !value.trim().is_empty());
    let verifier = verifier_from_vars(environment).map_err(|error| usage(&error))?;
    if given("SLACK_BOT_TOKEN").is_none() {
        return Err(usage(&"SLACK_BOT_TOKEN is not set: a bot's token with the scope chat:write"));
    }
    let slack = Slack::from_env()?;
    let Some(channel) = given("CONNECT_SLACK_CHANNEL") else {
        return Err(usage(&"CONNECT_SLACK_CHANNEL is not set: the id of a channel, C..."));
    };
    let bind = given("CONNECT_BIND").unwrap_or_else(|| "127.0.0.1:5001".to_owned());

    let (receiver, lines) = forward::receiver(verifier).map_err(|error| usage(&error))?;
    let listener = tokio::net::TcpListener::bind(&bind)
        .await
        .map_err(|error| Failure::Usage(format!("CONNECT_BIND, {bind}: {error}")))?;
    say(format_args!("listening on http://{}/webhooks/github (stop with Ctrl-C)", listener.local_addr()?));
    let posting = tokio::spawn(async move { forward::post(&slack, &channel, lines).await });
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, connect_webhook::axum::router(receiver)).with_graceful_shutdown(stop).await?;
    // The receiver is gone, so what waits is posted and then there is no more.
    posting.await.map_err(|error| Failure::Failed(error.to_string()))
}
